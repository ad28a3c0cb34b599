"""Windows are put together from squares, without a seam."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eodata.sandbox.cells import CellCache, assemble, cell_grid, cells_under
from eodata.sandbox.items import CELL
from tests.sandbox.making import BASE, make_item

WHOLE = np.arange(70 * 50).reshape(70, 50)
SIZE = 16


def square(row, col):
    padded = np.pad(WHOLE, SIZE)
    top, left = (row + 1) * SIZE, (col + 1) * SIZE
    return padded[top : top + SIZE, left : left + SIZE]


def spans(limit):
    return st.tuples(st.integers(0, limit - 1), st.integers(1, limit)).map(
        lambda ab: (min(ab), max(ab[0] + 1, ab[1]))
    )


@given(spans(70), spans(50))
def test_a_window_is_cut_from_the_whole(rows, cols):
    window = assemble(rows, cols, SIZE, "int64", square)
    assert (window == WHOLE[rows[0] : rows[1], cols[0] : cols[1]]).all()


@given(spans(70), spans(50))
def test_the_squares_under_a_window_are_those_that_it_touches(rows, cols):
    touched = {(r // SIZE, c // SIZE) for r in range(*rows) for c in range(*cols)}
    assert set(cells_under(rows, cols, SIZE)) == touched


def test_an_empty_window_needs_no_square():
    assert list(cells_under((5, 5), (3, 9), SIZE)) == []


def test_a_square_lies_on_the_grid_of_its_item():
    grid = cell_grid(make_item(), 1, 2, 1)
    assert grid.shape == (CELL, CELL)
    assert grid.affine * (0, 0) == BASE.affine * (CELL, 2 * CELL)


def test_a_square_of_an_overview_covers_more_ground():
    grid = cell_grid(make_item(), 4, 1, 0)
    assert grid.affine.a == 40
    assert grid.affine * (0, 0) == BASE.affine * (0, 4 * CELL)


def test_the_cache_forgets_the_least_recently_used():
    cache = CellCache(limit=250)
    keys = [("c", "i", "k", 1, 0, n) for n in range(3)]
    cache.keep(keys[0], np.zeros(100, np.uint8))
    cache.keep(keys[1], np.zeros(100, np.uint8))
    assert cache.find(keys[0]) is not None
    cache.keep(keys[2], np.zeros(100, np.uint8))
    assert [cache.find(key) is None for key in keys] == [False, True, False]


def test_the_cache_keeps_what_alone_is_too_large_and_lets_nobody_write_to_it():
    cache = CellCache(limit=10)
    cache.keep(("c", "i", "k", 1, 0, 0), np.zeros(100, np.uint8))
    found = cache.find(("c", "i", "k", 1, 0, 0))
    assert found is not None
    assert not found.flags.writeable
