"""Windows of any size out of squares that are made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import SandboxItem

Numbers = NDArray[np.generic]
Key = tuple[str, str, str, int, int, int]
Span = tuple[int, int]
PARTS = 80
"""Blocks begin and end at these parts of a square: every 60 m of one of 480 px."""


class Block(NamedTuple):
    """A part of a square, half-open [base px from its corner]."""

    top: int
    bottom: int
    left: int
    right: int

    def covers(self, other: Block) -> bool:
        """Return whether another block lies inside."""
        down = self.top <= other.top and other.bottom <= self.bottom
        return down and self.left <= other.left and other.right <= self.right

    def inside(self, part: Block, ratio: int) -> tuple[slice, slice]:
        """Return where a part of this block lies in it, in pixels of `ratio` base pixels."""
        top, left = part.top - self.top, part.left - self.left
        bottom, right = part.bottom - self.top, part.right - self.left
        return slice(top // ratio, bottom // ratio), slice(left // ratio, right // ratio)


class Made(NamedTuple):
    """What was made of a layer in a square: all of it or a block."""

    block: Block
    numbers: Numbers

    def cut(self, part: Block, ratio: int) -> Numbers:
        """Return a part of it."""
        return self.numbers[self.block.inside(part, ratio)]


class CellCache:
    """Made squares, the least recently used dropped first. Threads may share it.

    Args:
        limit: Most bytes to keep.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._cells: OrderedDict[Key, Made] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Key) -> Made | None:
        """Return what was made of a square before, None when it has to be made."""
        with self._lock:
            if key in self._cells:
                self._cells.move_to_end(key)
            return self._cells.get(key)

    def keep(self, key: Key, made: Made) -> None:
        """Remember what was made of a square, in place of a block of it; it becomes read-only."""
        made.numbers.flags.writeable = False
        with self._lock:
            known = self._cells.get(key)
            if known is None or not known.block.covers(made.block):
                self._size += made.numbers.nbytes - (known.numbers.nbytes if known else 0)
                self._cells[key] = made
            while self._size > self._limit and len(self._cells) > 1:
                self._size -= self._cells.popitem(last=False)[1].numbers.nbytes


def cell_grid(
    item: SandboxItem, factor: int, row: int, col: int, block: Block | None = None
) -> GeoBox:
    """Return the base grid of one square of an item or of its overview, or of a block of it."""
    top, bottom, left, right = block or whole(item.cell)
    corner = Affine.translation(col * item.cell + left, row * item.cell + top)
    place = Affine.scale(factor) @ corner
    return GeoBox((bottom - top, right - left), item.base.affine @ place, item.base.crs)


def whole(size: int) -> Block:
    """Return the block that is all of a square of `size` base pixels."""
    return Block(0, size, 0, size)


def block_to_make(wanted: Iterable[Block], size: int) -> Block:
    """Return what to make of a square of `size` base pixels of which some blocks are wanted.

    That is all of it unless half of it will do: a window that cuts squares need not pay for all
    of them. Blocks begin and end at whole pixels of every layer.
    """
    step = max(size // PARTS, 1)
    tops, bottoms, lefts, rights = zip(*wanted, strict=True)
    top, left = (min(starts) // step * step for starts in (tops, lefts))
    bottom, right = (-(-max(ends) // step) * step for ends in (bottoms, rights))
    small = 2 * (bottom - top) * (right - left) <= size * size
    return Block(top, bottom, left, right) if small else whole(size)


def cells_under(rows: Span, cols: Span, size: int) -> Iterator[tuple[int, int]]:
    """Yield `(row, col)` of the squares of `size` px that a window touches; none if it is empty."""
    if rows[0] >= rows[1] or cols[0] >= cols[1]:
        return
    for row in range(rows[0] // size, -(-rows[1] // size)):
        for col in range(cols[0] // size, -(-cols[1] // size)):
            yield row, col


def block_under(rows: Span, cols: Span, size: int, place: tuple[int, int]) -> Block:
    """Return the part of the square at `place` that a window touches [px from its corner]."""
    (top, left) = (number * size for number in place)
    return Block(
        max(rows[0] - top, 0),
        min(rows[1] - top, size),
        max(cols[0] - left, 0),
        min(cols[1] - left, size),
    )


def assemble(
    rows: Span, cols: Span, size: int, dtype: str, part: Callable[[int, int, Block], Numbers]
) -> Numbers:
    """Put a window together from squares of `size` px; `(rows, cols)` are half-open and >= 0.

    Args:
        rows: Of the window.
        cols: Likewise.
        size: Edge of squares [px].
        dtype: Of the numbers.
        part: From row and column of a square and a block of it [px] to the block's numbers.
    """
    window = np.empty((rows[1] - rows[0], cols[1] - cols[0]), dtype)
    for place in cells_under(rows, cols, size):
        block = block_under(rows, cols, size, place)
        top, left = place[0] * size - rows[0], place[1] * size - cols[0]
        here = slice(top + block.top, top + block.bottom)
        there = slice(left + block.left, left + block.right)
        window[here, there] = part(*place, block)
    return window
