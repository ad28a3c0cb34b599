"""Squares of the military grid, and what is known of land in them."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.planet.globe import globe
from eodata.sandbox.squares import (
    LAND_KM,
    all_squares,
    corner,
    land_squares,
    lattice,
    meridian,
    show_land,
    to_degrees,
    to_metres,
    turned,
)


def one(*square: int) -> tuple[np.ndarray, ...]:
    return tuple(np.array([number]) for number in square)


def test_there_are_about_as_many_tiles_as_in_the_real_grid():
    assert len(all_squares()) == pytest.approx(56_686, rel=0.01)
    assert 0.3 < len(land_squares()) / len(all_squares()) < 0.4


def test_every_place_between_the_ends_of_the_grid_lies_in_a_tile():
    """A centre of a tile is never further away than half a diagonal."""
    rng = np.random.default_rng(0)
    squares = all_squares()
    for lon, lat in zip(rng.uniform(-180, 180, 200), rng.uniform(-79, 83, 200), strict=True):
        near = np.flatnonzero(squares.in_reach((lon, lat, lon, lat)))
        x, y = to_metres(turned(lon - meridian(squares.zone[near])), np.full(near.size, lat))
        left, top = corner(squares.column[near], squares.row[near])
        assert ((x >= left) & (x <= left + 109_800) & (y <= top) & (y >= top - 109_800)).any()


@pytest.mark.parametrize(("row", "top"), [(0, 100_020), (56, 5_700_000), (-1, 0), (-5, -399_960)])
def test_corners_are_moved_outwards_from_the_equator(row, top):
    assert corner(3, row) == (300_000, top)
    assert corner(5, row) == (499_980, top)


def test_degrees_and_metres_turn_round():
    lon, lat = to_degrees(np.array([199_980.0, 809_760.0]), np.array([5_700_000.0, -3_000_000.0]))
    x, y = to_metres(lon, lat)
    np.testing.assert_allclose(x, [199_980, 809_760], atol=1e-5)
    np.testing.assert_allclose(y, [5_700_000, -3_000_000], atol=1e-5)


def test_the_grid_ends_at_84_north_and_80_south():
    lat = all_squares().lat
    assert 83.5 < lat.max() < 84.6
    assert -80.6 < lat.min() < -79.5


def test_what_is_kept_of_land_agrees_with_the_coasts():
    squares = all_squares()
    for number in (0, 9_000, 20_000, 29_500, 41_000, 50_123):
        square = one(squares.zone[number], squares.column[number], squares.row[number])
        index = (squares.row[number] + 89) * 8 + squares.column[number] - 1
        places = lattice()[index]
        coast = globe().coast_km(turned(places[..., 0] + meridian(square[0])), places[..., 1])
        assert show_land(*square)[0] == (coast > -LAND_KM).any()
