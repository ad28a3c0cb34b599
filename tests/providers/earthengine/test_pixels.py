"""Which requests a window takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from eodata.providers.earthengine.pixels import (
    LEAST_PX,
    MOST_BANDS,
    MOST_BYTES,
    MOST_PX,
    VALIDITY_BYTES,
    Tile,
    coarser,
    halves,
    place_of,
    pyramid_factor,
    tiles,
)

U2, U1, F8 = np.dtype("uint16"), np.dtype("uint8"), np.dtype("float64")
NATIVE = GeoBox((10_980, 10_980), Affine(10, 0, 600_000, 0, -10, 5_400_000), "EPSG:32632")


def size_of(tile: Tile, dtype: np.dtype) -> int:
    return math.prod(tile.shape) * len(tile.bands) * (dtype.itemsize + VALIDITY_BYTES)


def covered(window, found: list[Tile]) -> set[tuple[int, int]]:
    """Return the tiles' pixels; fails where two share one."""
    every = [
        (row, col)
        for tile in found
        for row in range(*tile.window[0])
        for col in range(*tile.window[1])
    ]
    assert len(every) == len(set(every))
    (top, bottom), (left, right) = window
    assert set(every) == {(r, c) for r in range(top, bottom) for c in range(left, right)}
    return set(every)


def test_window_when_it_is_small_then_it_is_one_request_of_all_bands():
    (tile,) = tiles(((100, 356), (0, 256)), ["B2", "B3"], [U2, U2])
    assert tile == Tile(("B2", "B3"), ((100, 356), (0, 256)))


def test_window_when_it_is_a_whole_tile_of_ten_bands_then_each_request_is_below_the_limit():
    bands = [f"B{k}" for k in range(10)]
    found = tiles(((0, 10_980), (0, 10_980)), bands, [F8] * 10)
    assert all(size_of(tile, F8) <= MOST_BYTES for tile in found)
    fewest = 10_980**2 * 10 * 9 / MOST_BYTES
    assert len(found) < 1.2 * fewest


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_tiles_then_they_cover_every_pixel_once(height, width, pieces):
    window = ((5, 5 + height), (7, 7 + width))
    dtype = np.dtype(f"V{MOST_BYTES * pieces // (height * width) + 1}")
    if dtype.itemsize + VALIDITY_BYTES > MOST_BYTES:
        return
    found = tiles(window, ["B1"], [dtype])
    covered(window, found)
    assert all(size_of(tile, dtype) <= MOST_BYTES for tile in found)


def test_window_when_it_is_long_then_no_side_is_longer_than_the_server_allows():
    found = tiles(((0, 3), (0, 3 * MOST_PX + 1)), ["B1"], [U1])
    assert [tile.shape[1] for tile in found] and max(t.shape[1] for t in found) <= MOST_PX
    assert len(found) == 4


def test_bands_when_there_are_many_then_each_request_has_room_for_their_validity():
    bands = [f"B{k}" for k in range(1_100)]
    found = tiles(((0, 2), (0, 2)), bands, [U1] * 1_100)
    assert [len(tile.bands) for tile in found] == [MOST_BANDS // 2, MOST_BANDS // 2, 76]
    assert [band for tile in found for band in tile.bands] == bands


def test_halves_then_the_longer_side_is_cut_and_nothing_is_lost():
    tile = Tile(("B1",), ((0, 21), (4, 105)))
    left, right = halves(tile)
    assert left.window == ((0, 21), (4, 54))
    assert right.window == ((0, 21), (54, 105))
    upper, lower = halves(Tile(("B1",), ((3, 100), (0, 50))))
    assert upper.window == ((3, 51), (0, 50))
    assert lower.window == ((51, 100), (0, 50))


def test_halves_when_a_tile_is_small_then_there_are_none():
    assert halves(Tile(("B1",), ((0, LEAST_PX), (0, LEAST_PX)))) is None


def test_place_of_a_window_then_its_corner_is_that_of_its_first_pixel():
    assert place_of(NATIVE, ((100, 200), (30, 40))) == Affine(10, 0, 600_300, 0, -10, 5_399_000)


def target(resolution: float, crs: str = "EPSG:32632") -> GeoBox:
    return GeoBox((32, 32), Affine(resolution, 0, 650_000, 0, -resolution, 5_350_000), crs)


@pytest.mark.parametrize(
    ("resolution", "factor"),
    [(10, 1), (20, 1), (39.9, 1), (40, 4), (60, 4), (79, 4), (80, 8), (500, 32), (1280, 128)],
)
def test_pyramid_then_it_is_the_coarsest_level_that_is_still_as_fine(resolution, factor):
    assert pyramid_factor(NATIVE, target(resolution)) == factor


def test_pyramid_when_the_target_is_turned_then_its_pixels_count_and_not_their_shadow():
    turned = GeoBox(
        (32, 32),
        Affine.translation(650_000, 5_350_000) @ Affine.rotation(30) @ Affine.scale(45, -45),
        "EPSG:32632",
    )
    assert pyramid_factor(NATIVE, turned) == 4


def test_pyramid_when_one_side_is_fine_then_the_pixels_themselves_are_read():
    flat = GeoBox((32, 32), Affine(200, 0, 650_000, 0, -20, 5_350_000), "EPSG:32632")
    assert pyramid_factor(NATIVE, flat) == 1


def test_coarser_grid_then_it_keeps_the_corner_and_hangs_over_by_less_than_a_pixel():
    found = coarser(NATIVE, 8)
    assert found.affine == Affine(80, 0, 600_000, 0, -80, 5_400_000)
    assert found.shape == (1373, 1373)
    assert coarser(NATIVE, 1) is NATIVE
