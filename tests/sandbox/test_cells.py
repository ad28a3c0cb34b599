"""Windows are put together from squares, without a seam."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eodata.sandbox.cells import (
    Block,
    CellCache,
    Made,
    assemble,
    block_to_make,
    cell_grid,
    cells_under,
    whole,
)
from eodata.sandbox.items import CELL
from tests.sandbox.making import BASE, make_item

WHOLE = np.arange(70 * 50).reshape(70, 50)
SIZE = 16


def square(row, col, block):
    padded = np.pad(WHOLE, SIZE)
    top, left = (row + 1) * SIZE, (col + 1) * SIZE
    return padded[top + block.top : top + block.bottom, left + block.left : left + block.right]


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


def test_a_block_lies_in_its_square():
    grid = cell_grid(make_item(), 4, 1, 0, Block(30, 90, 60, 480))
    assert grid.shape == (60, 420)
    assert grid.affine * (0, 0) == BASE.affine * (4 * 60, 4 * (CELL + 30))


blocks = st.tuples(*[st.integers(0, CELL - 1)] * 2, *[st.integers(1, CELL)] * 2).map(
    lambda e: Block(e[0], min(e[0] + e[2], CELL), e[1], min(e[1] + e[3], CELL))
)


@given(st.lists(blocks, min_size=1, max_size=3))
def test_what_is_made_covers_what_is_wanted_in_whole_pixels_of_every_layer(wanted):
    made = block_to_make(wanted, CELL)
    assert all(made.covers(block) for block in wanted)
    assert whole(CELL).covers(made)
    assert all(edge % 6 == 0 for edge in made)
    area = (made.bottom - made.top) * (made.right - made.left)
    assert made == whole(CELL) or area <= CELL * CELL / 2


def test_a_small_part_is_made_alone_and_a_large_one_with_all_of_its_square():
    assert block_to_make([Block(0, 128, 0, CELL)], CELL) == Block(0, 132, 0, CELL)
    assert block_to_make([Block(10, 20, 100, 130)], CELL) == Block(6, 24, 96, 132)
    assert block_to_make([Block(0, 300, 0, CELL)], CELL) == whole(CELL)


def test_a_part_is_cut_from_a_block_in_pixels_of_the_layer():
    made = Made(Block(60, 120, 0, 480), np.arange(30 * 240).reshape(30, 240))
    assert (made.cut(Block(80, 90, 10, 14), 2) == made.numbers[10:15, 5:7]).all()


def numbers(size):
    return Made(whole(10), np.zeros(size, np.uint8))


def test_the_cache_forgets_the_least_recently_used():
    cache = CellCache(limit=250)
    keys = [("c", "i", "k", 1, 0, n) for n in range(3)]
    cache.keep(keys[0], numbers(100))
    cache.keep(keys[1], numbers(100))
    assert cache.find(keys[0]) is not None
    cache.keep(keys[2], numbers(100))
    assert [cache.find(key) is None for key in keys] == [False, True, False]


def test_the_cache_keeps_what_alone_is_too_large_and_lets_nobody_write_to_it():
    cache = CellCache(limit=10)
    cache.keep(("c", "i", "k", 1, 0, 0), numbers(100))
    found = cache.find(("c", "i", "k", 1, 0, 0))
    assert found is not None
    assert not found.numbers.flags.writeable


def test_the_whole_takes_the_place_of_a_part_and_not_the_other_way_round():
    cache, key = CellCache(limit=1000), ("c", "i", "k", 1, 0, 0)
    part, all_of_it = Made(Block(0, 5, 0, 10), np.zeros(50, np.uint8)), numbers(100)
    for made, expected in ((part, part), (all_of_it, all_of_it), (part, all_of_it)):
        cache.keep(key, made)
        assert cache.find(key) is expected
    assert cache._size == 100
