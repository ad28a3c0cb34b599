"""What lies at the corners of pixels, and which pixels it belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from eodata.sandbox.planet.corners import Corners, alike, unlike
from eodata.sandbox.planet.displacement import STILL, Bend, Displacement
from eodata.sandbox.planet.planet import Planet

PLANET = Planet(1)
SIZE = 96
GRIDS = {
    "fields": ("EPSG:32633", 664_000, 5_428_000),
    "across frames": ("EPSG:32636", 722_430, 5_343_000),
    "foreign": ("EPSG:32636", 745_000, 5_343_000),
}


def grid(place: str) -> GeoBox:
    crs, x, y = GRIDS[place]
    return GeoBox((SIZE, SIZE), Affine(10, 0, x, 0, -10, y), crs)


def masks(
    geobox: GeoBox, planet: Planet = PLANET, displacement: Displacement = STILL
) -> np.ndarray:
    found = planet.ground(geobox, displacement, corners=True).corners
    assert found is not None
    return found


def test_only_who_asks_gets_corners() -> None:
    assert PLANET.ground(grid("fields")).corners is None


@pytest.mark.parametrize("bend", [None, Bend(30.0, (70.0, 310.0), (0.1, 0.7))])
@pytest.mark.parametrize("place", sorted(GRIDS))
def test_corners_belong_to_pixels_of_what_is_really_there(place: str, bend: Bend | None) -> None:
    cover = PLANET.ground(grid(place), Displacement(bend=bend)).cover
    there = PLANET.ground(grid(place), Displacement(-5.0, 5.0, bend)).cover[:-1, :-1]
    found = masks(grid(place), displacement=Displacement(bend=bend))[:-1, :-1]
    around = np.stack([cover[:-1, :-1], cover[:-1, 1:], cover[1:, :-1], cover[1:, 1:]])
    mine = (found >> np.arange(4, dtype=np.uint8)[:, np.newaxis, np.newaxis]) & 1
    right = np.where(mine, around == there, True).all(axis=0)
    assert np.count_nonzero(found) > 0.05 * found.size
    assert right[found > 0].mean() > 0.99
    missed = (found == 0) & (around != around[0]).any(axis=0)
    assert missed.mean() < 0.01


@pytest.mark.parametrize("place", sorted(GRIDS))
@given(st.integers(0, 80), st.integers(0, 80), st.integers(2, 60), st.integers(2, 60))
@settings(max_examples=8, deadline=None)
def test_corners_are_the_same_in_every_window(
    place: str, row: int, col: int, height: int, width: int
) -> None:
    where = slice(row, min(row + height, SIZE)), slice(col, min(col + width, SIZE))
    alone = masks(grid(place)[where])
    assert (alone[:-1, :-1] == masks(grid(place))[where][:-1, :-1]).all()


def test_strips_leave_no_trace_in_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = masks(grid("fields"))
    monkeypatch.setattr("eodata.sandbox.planet.landscape.STRIP", 700)
    assert (masks(grid("fields"), Planet(1)) == expected).all()


def test_a_corner_belongs_to_its_cover_and_phase_and_else_to_its_cover() -> None:
    cover = np.array([[1, 1, 1], [1, 2, 2]], np.uint8)
    phase = np.array([[0, 9, 9], [0, 9, 0]], np.float32)
    place = np.array([0, 0, 0, 0]), np.array([0, 0, 1, 0])
    own = np.array([1, 2, 2, 7], np.uint8), np.array([0, 9, 4, 0], np.float32)
    assert alike((cover, phase), place, own).tolist() == [0b0101, 0b1000, 0b1100, 0]


def test_a_border_is_where_cover_or_phase_change() -> None:
    cover = np.array([[1, 1, 1, 2], [1, 1, 1, 1]], np.uint8)
    phase = np.array([[0, 0.1, 3, 3], [0, 0.2, 3, 3]], np.float32)
    assert unlike((cover, phase)).tolist() == [[False, True, True]]


def test_corners_show_the_pixels_they_belong_to() -> None:
    field = np.array([[1, 2, 4], [8, 16, 32]], np.float32)
    for mask, expected in (
        (0, 27 / 4),
        (0b1111, 27 / 4),
        (0b0001, 1),
        (0b1010, 9),
        (0b1110, 26 / 3),
    ):
        seen = Corners.of(np.array([[mask, 0, 0], [0, 0, 0]], np.uint8)).seen(field)
        assert seen.tolist() == [[pytest.approx(expected), 54 / 4]]
