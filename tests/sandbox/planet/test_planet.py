"""The planet as a whole: the same world for every grid, order and thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from threading import Barrier

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from eodata.sandbox.planet import planet as module
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.displacement import Bend, Displacement
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.planet.sites import Sites, cut

PLANET = Planet(1)
SIZE = 96
PLACES = {
    "city and sea": ("EPSG:32635", 667_200, 4_547_680),
    "fields": ("EPSG:32633", 664_000, 5_428_000),
    "mountains": ("EPSG:32632", 600_000, 5_190_000),
    "south": ("EPSG:32721", 310_000, 6_240_000),
}


def grid(place: str, size: int = SIZE, step: float = 10.0) -> GeoBox:
    crs, x, y = PLACES[place]
    return GeoBox((size, size), Affine(step, 0, x, 0, -step, y), crs)


def arrays(ground: Ground) -> dict[str, np.ndarray]:
    found = {item.name: getattr(ground, item.name) for item in fields(ground)}
    return {name: array for name, array in found.items() if array is not None}


def assert_same(left: Ground, right: Ground, where: tuple[slice, slice] | None = None) -> None:
    for name, array in arrays(left).items():
        expected = array[where] if where else array
        assert np.array_equal(expected, arrays(right)[name]), name


@given(
    st.sampled_from(sorted(PLACES)),
    st.integers(0, 80),
    st.integers(0, 80),
    st.integers(1, 70),
    st.integers(1, 70),
)
@settings(max_examples=15, deadline=None)
def test_window_is_the_same_window_cut_from_a_larger_one(
    place: str, row: int, col: int, height: int, width: int
) -> None:
    whole = grid(place)
    where = slice(row, min(row + height, SIZE)), slice(col, min(col + width, SIZE))
    assert_same(PLANET.ground(whole), PLANET.ground(whole[where]), where)


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    sites = cut(grid("city and sea"))[0].sites
    whole = PLANET.ground_at(sites)
    monkeypatch.setattr("eodata.sandbox.planet.landscape.STRIP", 700)
    assert_same(whole, PLANET.ground_at(sites))


@pytest.mark.parametrize("step", [10.0, 160.0])
@pytest.mark.parametrize("place", sorted(PLACES))
def test_points_are_the_same_as_the_lattice(place: str, step: float) -> None:
    sites = cut(grid(place, 40, step))[0].sites
    x, y = np.broadcast_arrays(sites.x, sites.y)
    lattice = PLANET.ground_at(sites)
    points = PLANET.ground_at(Sites(sites.zone, x.ravel(), y.ravel()))
    for name, array in arrays(lattice).items():
        assert np.array_equal(array.ravel(), arrays(points)[name]), name


def test_a_bent_world_is_the_same_world_point_by_point() -> None:
    bent, geobox = Displacement(13.0, -7.0, Bend(30.0, (70.0, 310.0), (0.1, 0.7))), grid("fields")
    x, y = (axis.ravel() for axis in np.meshgrid(*(geobox.coords[n].values for n in ("x", "y"))))
    points = PLANET.ground_at(Sites(33, *bent.undone(x, y)))
    for name, array in arrays(PLANET.ground(geobox, bent)).items():
        assert np.array_equal(array.ravel(), arrays(points)[name]), name


def test_degrees_give_the_same_world_window_by_window() -> None:
    geobox = GeoBox((30, 40), Affine(2**-12, 0, 5.995, 0, -(2**-12), 48.6), "EPSG:4326")
    where = slice(3, 21), slice(10, 33)
    assert_same(PLANET.ground(geobox), PLANET.ground(geobox[where]), where)


def test_climate_and_coast_do_not_break_between_frames() -> None:
    row = np.array([48.5, 44.0, 36.9])
    sides = [
        PLANET.ground(GeoBox((1, 1), Affine(1e-5, 0, lon, 0, -1e-5, lat), "EPSG:4326"))
        for lat in row
        for lon in (6 - 1.5e-5, 6 + 0.5e-5)
    ]
    for west, east in zip(sides[0::2], sides[1::2], strict=True):
        for name, step in (("warmth", 0.05), ("wetness", 0.01), ("swing", 0.02), ("lat", 1e-4)):
            left, right = getattr(west, name).item(), getattr(east, name).item()
            assert left == pytest.approx(right, abs=step), name
        assert (west.cover == Cover.SEA) == (east.cover == Cover.SEA)


def test_grounds_are_kept_and_nobody_can_write_to_them() -> None:
    ground = PLANET.ground(grid("fields", 16))
    assert PLANET.ground(grid("fields", 16)) is ground
    for array in arrays(ground).values():
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_only_the_last_grounds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    planet = Planet(3)
    boxes = [grid("fields", 8).translate_pix(8 * n, 0) for n in range(3)]
    first, second = planet.ground(boxes[0]), planet.ground(boxes[1])
    assert planet.ground(boxes[0]) is first
    planet.ground(boxes[2])
    assert planet.ground(boxes[0]) is first
    assert planet.ground(boxes[1]) is not second


def test_large_grounds_push_out_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_PX", 100)
    planet = Planet(3)
    small = planet.ground(grid("fields", 8))
    assert planet.ground(grid("fields", 8)) is small
    planet.ground(grid("fields", 9))
    assert planet.ground(grid("fields", 8)) is not small


def test_threads_share_one_ground() -> None:
    planet, start = Planet(5), Barrier(6)

    def ask(_: int) -> Ground:
        start.wait()
        return planet.ground(grid("fields", 32))

    with ThreadPoolExecutor(6) as pool:
        grounds = list(pool.map(ask, range(6)))
    assert all(ground is grounds[0] for ground in grounds)


def test_failure_reaches_the_caller_and_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    planet = Planet(6)
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(planet._landscape, "ground", lambda sites, **_: 1 / 0)
        planet.ground(grid("fields", 8))
    assert planet.ground(grid("fields", 8)).cover.shape == (8, 8)


def test_shift_moves_the_world() -> None:
    whole = grid("city and sea")
    moved = PLANET.ground(whole, Displacement(30.0, -50.0))
    assert_same(moved, PLANET.ground(whole.translate_pix(-3, -5)))


def test_another_seed_is_another_earth_with_the_same_coast() -> None:
    here, there = (Planet(seed).ground(grid("city and sea", 64, 100.0)) for seed in (1, 2))
    land = (here.cover != Cover.SEA) & (there.cover != Cover.SEA)
    assert (here.cover != there.cover)[land].mean() > 0.5
    assert ((here.cover == Cover.SEA) != (there.cover == Cover.SEA)).mean() < 0.1


def test_season_takes_grounds_made_elsewhere() -> None:
    ground = PLANET.ground(grid("fields", 16))
    known = {item.name: getattr(ground, item.name) for item in fields(Ground)}
    time = datetime(2020, 7, 1, tzinfo=UTC)
    own, other = PLANET.season(ground, time), PLANET.season(Ground(**known), time)
    assert other.green.shape == own.green.shape
    assert abs(float(own.green.mean() - other.green.mean())) < 0.2
