"""Items that are bent: what is read is what the truth tells, on every way to the pixels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import box

from benchmarks import realism
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.sandbox import plane
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.derived import QUALITY, Derived, angle, quality
from eodata.sandbox.items import displacement_of
from eodata.sandbox.planet.displacement import STILL, Bend
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.planet.sites import SOUTH_M, Sites, cut
from eodata.sandbox.weather import Weather

SHIFTED, BENT = "shift_rate=1 shift_px=2", "shift_rate=1 shift_px=2 bend_px=3"
BANDS = "band_shift_px=0.5"
FIELDS, ACROSS, SOUTH = (5.3, 52.0), (6.0, 48.3), (-70.1, -20.2)
"""The second lies on the border of two zones, the third in the southern hemisphere."""
S1, S2 = ("sentinel-1-grd", "sentinel-1-rtc"), ("sentinel-2-l1c", "sentinel-2-l2a")
PIXEL_M = 10.0
PLANET = Planet(7)


@lru_cache
def archive(world):
    return SandboxArchive(SandboxSettings.from_text(f"seed=7 {world}"))


def first(world, collection, place=FIELDS, day=datetime(2019, 6, 20, tzinfo=UTC)):
    """Return the first item of a place from a day on."""
    ground = box(*place, place[0] + 0.01, place[1] + 0.01)
    days = Span(day, day + timedelta(days=30))
    return next(archive(world).collections[collection].find(ground, days))


def corner_at(item, place=FIELDS):
    """Return the row and column of a place, as multiples of 6."""
    to_item = Transformer.from_crs(4326, item.base.crs.epsg, always_xy=True)
    col, row = ~item.base.affine @ to_item.transform(*place)
    return int(row) // 6 * 6, int(col) // 6 * 6


def centres(base):
    """Return x `(1, W)` and y `(H, 1)` of a grid's pixels."""
    affine, (height, width) = base.affine, base.shape
    x = affine.c + affine.a * (np.arange(width) + 0.5)
    return x[np.newaxis], (affine.f + affine.e * (np.arange(height) + 0.5))[:, np.newaxis]


def square(item, place=FIELDS, size=96):
    row, col = corner_at(item, place)
    return item.base[row : row + size, col : col + size]


@pytest.mark.parametrize("collection", S1)
def test_radar_of_the_plane_world_says_where_its_ground_lies(collection):
    item = first(f"mode=plane {BENT}", collection)
    row, col = corner_at(item)
    dx, dy = archive(BENT).displacement(item).at(*centres(square(item)))
    for key, place, along in (
        ("vv", np.arange(col, col + 96) + 0.5, -dx / PIXEL_M),
        ("vh", (np.arange(row, row + 96) + 0.5)[:, np.newaxis], dy / PIXEL_M),
    ):
        said = archive(f"mode=plane {BENT}").read(item, key, (row, row + 96), (col, col + 96))
        assert said.shape == along.shape
        assert np.abs(said - place - along).max() < 0.002  # float32 of a column near 20,000
        assert np.abs(along).max() > 0.1
        assert np.ptp(along) > 0.01


@pytest.mark.parametrize("key", ["B02", "B03", "B11"])
def test_optics_of_the_plane_world_say_where_their_ground_lies(key):
    world = f"mode=plane {BANDS} {BENT}"
    item = first(world, "sentinel-2-l2a")
    ratio, meaning = item.layers[key].ratio, plane.meaning(item, key)
    assert meaning in ("x", "y")
    size = item.base.shape[0] // ratio
    grid = item.grid(key)
    said, still = (
        archive(w).read(item_of, key, (0, size), (0, 40)).astype(float)
        for w, item_of in ((world, item), ("mode=plane", first("mode=plane", "sentinel-2-l2a")))
    )
    dx, dy = archive(world).displacement(item, key).at(*centres(grid[:, :40]))
    moved = -dx if meaning == "x" else dy
    col, row = np.meshgrid(np.arange(40) + 0.5, np.arange(size) + 0.5)
    place = ratio * (col if meaning == "x" else row)
    slope = np.where(place // plane.TURN_PX % 2, -1, 1) * plane.PER_PX
    straight = np.abs(place % plane.TURN_PX - plane.TURN_PX / 2) < plane.TURN_PX / 2 - 10
    off = (said - still) - slope * moved / PIXEL_M
    assert straight.mean() > 0.5
    assert np.abs(off[straight]).max() <= 1.0 + 1e-9, "two roundings"
    assert np.ptp(moved) > 0.5 * PIXEL_M


def test_the_plane_world_shows_the_whole_displacement_to_the_last_digit():
    world = f"mode=plane {BENT}"
    item, still = (first(w, "sentinel-1-grd") for w in (world, "mode=plane"))
    col, row = np.meshgrid(np.linspace(0, 20_000, 81), np.linspace(0, 16_000, 71))
    affine = item.base.affine
    dx, dy = item.origin.displacement().at(affine.c + 10 * col, affine.f - 10 * row)
    for key, along in (("vv", -dx), ("vh", dy)):
        moved = plane.number_at(item, key, col, row) - plane.number_at(still, key, col, row)
        np.testing.assert_allclose(moved, along / PIXEL_M, atol=1e-9)
        assert 4 < np.ptp(moved) <= 6
    assert displacement_of(still) == STILL


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("place", [FIELDS, ACROSS, SOUTH])
@pytest.mark.parametrize(
    ("collection", "keys"),
    [("sentinel-2-l2a", ("B02", "B11", "B09", "SCL")), ("sentinel-1-grd", ("vv", "vh"))],
)
def test_parts_are_cut_from_the_whole(collection, keys, place, factor):
    item = first(BENT, collection, place)
    row, col = (n // factor // 6 * 6 for n in corner_at(item, place))
    whole = item.grid(keys[0], factor)[row - 48 : row + 48, col - 60 : col + 60]
    assert len(cut(whole, item.origin.displacement())) == (2 if place is ACROSS else 1)
    render = archive(BENT).collections[collection].render
    all_of_it = render(item, keys, whole)
    part = render(item, keys, whole[18:66, 24:90])
    for key in keys:
        ratio = item.layers[key].ratio
        expected = all_of_it[key][18 // ratio : 66 // ratio, 24 // ratio : 90 // ratio]
        assert np.array_equal(part[key], expected, equal_nan=expected.dtype.kind == "f")
        assert len(np.unique(expected)) > 1 or key == "SCL"


@pytest.mark.parametrize("place", [FIELDS, SOUTH])
@pytest.mark.parametrize("collection", [S1[0], S2[1]])
def test_a_pixel_shows_the_ground_that_the_truth_tells(collection, place):
    item = first(BENT, collection, place)
    base = square(item, place, 150)
    x, y = np.broadcast_arrays(*centres(base))
    true_x, true_y = item.origin.displacement().undone(x, y)
    epsg = item.base.crs.epsg
    south = SOUTH_M if epsg // 100 == 327 else 0.0
    there = PLANET.ground_at(Sites(epsg % 100, true_x.ravel(), true_y.ravel() - south))
    cover = archive(BENT).truth(item, base)["cover"]
    assert np.array_equal(cover.ravel(), there.cover)
    assert (cover != archive(SHIFTED).truth(first(SHIFTED, collection, place), base)["cover"]).any()


FAR = Bend(2000.0, (70.0, 310.0), (0.1, 0.7))
"""So far that soils, plumes, weather and angles of incidence differ, too."""


def shown(item, base, **displaced):
    """Return what the middle pixel of a part of an item shows, and what is derived from it."""
    moved = replace(item, origin=replace(item.origin, **displaced))
    parent = archive("").collections[item.collection]
    if item.collection == S1[0]:
        keys, beside = ["vv", "vh"], angle(parent, 7)
    else:
        keys, beside = ["B04", "B08"], quality(parent, PLANET, Weather(7, PLANET.climate))
    numbers = parent.render(moved, keys, base) | archive("").truth(moved, base)
    numbers |= beside.render(beside.beside(moved), [*beside.beside(moved).layers][:1], base)
    row, col = (n // 2 for n in base.shape)
    return {key: float(array[..., row, col].max()) for key, array in numbers.items()}


@pytest.mark.parametrize(
    ("collection", "place"), [(S2[1], FIELDS), (S2[1], (4.6, 26.4)), (S1[0], FIELDS)]
)
def test_each_pixel_is_that_of_an_item_shifted_as_far_as_it_is_bent(collection, place):
    item = first("", collection, place)
    row, col = corner_at(item, place)
    told = []
    for step in range(0, 1200, 120):
        base = item.base[row + step : row + step + 12, col + step : col + step + 12]
        shift = FAR.at(*(base.affine @ (6.5, 6.5)))
        told.append([shown(item, base, **d) for d in ({"bend": FAR}, {"shift": shift}, {})])
    for key in told[0][0]:
        bent, shifted, still = np.array([[one[key] for one in some] for some in told]).T
        off, moved = np.abs(bent - shifted).mean(), np.abs(bent - still).mean()
        assert off <= 0.02 * moved, key


def test_pictures_are_found_displaced_as_told_and_by_another_amount_elsewhere():
    item, still = (first(w, "sentinel-2-l2a") for w in (BENT, ""))
    found = []
    for row, col in ((480, 480), (3000, 7000), (10_080, 960)):
        base = item.base[row : row + 240, col : col + 240]
        clear, moved = (
            archive(w).truth(i, base)["clear"][3] for w, i in (("", still), (BENT, item))
        )
        told = item.origin.displacement().at(*(float(axis.mean()) for axis in centres(base)))
        down, right = realism.displacement(clear, moved, None)
        assert (right, -down) == pytest.approx([metres / PIXEL_M for metres in told], abs=0.1)
        found.append((right, down))
    assert np.ptp(found, axis=0).min() > 1


@pytest.mark.parametrize("pair", [S1, S2])
def test_products_of_one_acquisition_bend_alike_and_others_do_not(pair):
    one, other = (first(BENT, collection) for collection in pair)
    assert one.datetime == other.datetime
    assert one.origin.displacement() == other.origin.displacement()
    later = first(BENT, pair[0], day=one.datetime + timedelta(seconds=1))
    assert later.origin.bend != one.origin.bend


@pytest.mark.parametrize("collection", [S1[0], S2[1]])
def test_a_bend_comes_beside_the_shift_and_only_to_displaced_items(collection):
    item, shifted, still = (first(w, collection) for w in (BENT, SHIFTED, "bend_px=3"))
    told = archive(BENT).defects(item)
    assert told.pop("bend") == item.origin.bend.told()
    assert item.origin.bend.reach == 30
    assert told == archive(SHIFTED).defects(shifted) == {"shift_m": list(item.origin.shift)}
    assert shifted.origin.bend is None
    assert archive("bend_px=3").defects(still) == {}
    assert archive("bend_px=3").displacement(still) == STILL


@pytest.mark.parametrize(("collection", "key"), [(S1[0], "vv"), (S2[1], "B08")])
def test_what_is_not_displaced_has_the_pixels_it_always_had(collection, key):
    for plain, more in (("", "bend_px=3"), (SHIFTED, f"{SHIFTED} bend_px=0")):
        item, same = first(plain, collection), first(more, collection)
        row, col = corner_at(item)
        window = (row, row + 48), (col, col + 48)
        expected = archive(plain).read(item, key, *window)
        assert np.array_equal(archive(more).read(same, key, *window), expected)


def test_what_is_made_from_an_item_lies_where_it_does():
    item = first(BENT, S2[0])
    clouds = Derived(archive(BENT).collections[S2[0]], "quality", QUALITY, paint=dict).beside(item)
    assert displacement_of(clouds) == displacement_of(item)
    assert archive(BENT).displacement(clouds).bend is item.origin.bend


def test_a_bend_alone_is_possible():
    item = first("shift_rate=1 shift_px=0 bend_px=1", S2[1])
    assert item.origin.shift == (0, 0)
    told = archive("shift_rate=1 shift_px=0 bend_px=1").defects(item)
    assert list(told) == ["bend"]
    assert told["bend"]["reach_m"] == 10
