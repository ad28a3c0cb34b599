"""The tile system against real tiles."""

from __future__ import annotations

from time import perf_counter

import mgrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box

from eodata.sandbox.squares import land_squares
from eodata.sandbox.tiles import tile, tiles_over

# Name, zone code, upper left corner: metadata of real Sentinel-2 items (Planetary Computer, Earth
# Search, BigEarthNet; Copernicus Sentinel data).
REAL = [
    ("13TEF", 32613, 499_980, 4_600_020),
    ("13TBE", 32613, 199_980, 4_500_000),
    ("13SGA", 32613, 699_960, 4_100_040),
    ("12SYJ", 32612, 699_960, 4_400_040),
    ("14SKF", 32614, 199_980, 4_100_040),
    ("33TWL", 32633, 499_980, 5_100_000),
    ("33UUP", 32633, 300_000, 5_400_000),
    ("29UPU", 32629, 600_000, 5_900_040),
    ("35VPK", 32635, 600_000, 7_000_020),
    ("24MUV", 32724, 300_000, 9_500_020),
    ("24MUA", 32724, 300_000, 9_600_040),
]
# At the borders of zones: tiles of real products, and squares that real lists leave out.
AT_BORDERS = [
    "13TBE", "31TBG", "31UGV", "31VEH", "33VUL", "34VCR", "33WYV",
    "32UQE", "28SBB", "22NBH", "21NZG", "36TTL",
]  # fmt: skip
LEFT_OUT = [
    "33UTP", "32UKB", "31UBS", "31UGA", "33TTN", "33WUM", "32UQF", "22NAH",
]  # fmt: skip


@pytest.mark.parametrize(("name", "epsg", "left", "top"), REAL)
def test_a_real_tile_lies_where_it_lies(name, epsg, left, top):
    found = tile(name)
    assert found.geobox.crs.epsg == epsg
    assert (found.geobox.affine.c, found.geobox.affine.f) == (left, top)
    assert found.geobox.shape == (10_980, 10_980)


@pytest.mark.parametrize("name", AT_BORDERS)
def test_a_zone_has_the_tiles_at_its_borders_that_the_real_one_has(name):
    assert tile(name).name == name


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_zone_has_no_tiles_that_the_real_one_has_not(name):
    with pytest.raises(LookupError):
        tile(name)


@given(st.data())
def test_letters_are_those_of_the_military_grid(data):
    squares = land_squares()
    # The package knows no squares beyond the borders of the zones around Norway.
    number = data.draw(st.sampled_from(np.flatnonzero(np.abs(squares.lat) < 55)))
    zone, column, row = (int(axis[number]) for axis in (squares.zone, squares.column, squares.row))
    here = tiles_over(Point(squares.lon[number], squares.lat[number]))
    (found,) = [t for t in here if (t.zone, t.column, t.row) == (zone, column, row)]
    false_north = 10_000_000 if row < 0 else 0
    assert mgrs.MGRS().MGRSToUTM(found.name) == (
        zone,
        "S" if row < 0 else "N",
        100_000 * column + 50_000,
        100_000 * row + 50_000 + false_north,
    )
    assert tile(found.name) == found


def names(*place: float) -> set[str]:
    return {t.name for t in tiles_over(Point(*place).buffer(0.001))}


def test_a_place_in_the_middle_of_a_square_lies_in_one_tile():
    assert names(3.7, 50.3) == {"31UER"}


def test_a_place_at_the_border_of_two_zones_lies_in_tiles_of_both():
    zones = {name[:2] for name in names(12.6, 48.2)}
    assert zones == {"32", "33"}


def test_the_south_counts_from_ten_million():
    (found,) = [t for t in tiles_over(Point(151.2, -33.6)) if t.name.startswith("56H")][:1]
    assert found.geobox.crs.epsg == 32756
    assert 6_000_000 < found.geobox.affine.f < 6_400_000


def test_norway_has_a_wide_zone():
    assert {n[:3] for n in names(5.5, 60.5)} == {"32V"}


def test_svalbard_skips_zones():
    assert {n[:2] for n in names(20.0, 78.5)} <= {"33", "35"}


def test_beyond_the_grid_and_on_the_open_sea_there_is_none():
    assert names(10, 85) == set()
    assert names(10, -82) == set()
    assert names(-150, 30) == set()


def test_the_date_line_is_no_border():
    east, west = names(179.9, -16.6), names(-179.9, -16.6)
    assert east
    assert west
    across = {t.name for t in tiles_over(box(179.9, -16.7, 180.1, -16.5))}
    assert across >= (east & west)
    crossing = [
        t
        for t in tiles_over(box(179.9, -16.7, 180.1, -16.5))
        if t.footprint.geom_type == "MultiPolygon"
    ]
    assert all(t.footprint.bounds[0] == -180 and t.footprint.bounds[2] == 180 for t in crossing)
    assert crossing


def test_every_tile_found_shares_ground_and_is_found_by_name():
    ground = box(10.5, 47.5, 12.5, 48.9)
    found = tiles_over(ground)
    assert [t.name for t in found] == sorted({t.name for t in found})
    assert all(t.footprint.intersects(ground) for t in found)
    assert all(tile(t.name) is t for t in found)


@pytest.mark.parametrize("name", ["31U", "99ABC", "", "31UZZ", "XXUDS"])
def test_no_such_tile_is_a_lookup_error(name):
    with pytest.raises(LookupError):
        tile(name)


def test_a_search_is_quick():
    ground = Point(12.6, 48.2).buffer(0.05)
    tiles_over(ground)
    began = perf_counter()
    tiles_over(ground)
    assert perf_counter() - began < 0.2  # 2 ms; the rest is for busy machines


def test_nothing_is_found_over_nothing():
    assert tiles_over(Polygon()) == []


def test_footprints_beyond_180_degrees_are_on_the_other_side():
    assert tiles_over(box(181, -17, 182, -16)) == tiles_over(box(-179, -17, -178, -16))
