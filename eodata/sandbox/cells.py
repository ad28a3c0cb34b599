"""Windows of any size out of squares that are made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import SandboxItem

Numbers = NDArray[np.generic]
Key = tuple[str, str, str, int, int, int]


class CellCache:
    """Made squares, the least recently used dropped first. Threads may share it.

    Args:
        limit: Most bytes to keep.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._cells: OrderedDict[Key, Numbers] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Key) -> Numbers | None:
        """Return a square that was made before, None when it has to be made."""
        with self._lock:
            if key in self._cells:
                self._cells.move_to_end(key)
            return self._cells.get(key)

    def keep(self, key: Key, numbers: Numbers) -> None:
        """Remember a square; it becomes read-only."""
        numbers.flags.writeable = False
        with self._lock:
            if key not in self._cells:
                self._cells[key] = numbers
                self._size += numbers.nbytes
            while self._size > self._limit and len(self._cells) > 1:
                self._size -= self._cells.popitem(last=False)[1].nbytes


def cell_grid(item: SandboxItem, factor: int, row: int, col: int) -> GeoBox:
    """Return the base grid of one square of an item, or of its overview."""
    place = Affine.scale(factor) @ Affine.translation(col * item.cell, row * item.cell)
    return GeoBox((item.cell, item.cell), item.base.affine @ place, item.base.crs)


def cells_under(
    rows: tuple[int, int], cols: tuple[int, int], size: int
) -> Iterator[tuple[int, int]]:
    """Yield `(row, col)` of the squares of `size` px that a window touches; none if it is empty."""
    if rows[0] >= rows[1] or cols[0] >= cols[1]:
        return
    for row in range(rows[0] // size, -(-rows[1] // size)):
        for col in range(cols[0] // size, -(-cols[1] // size)):
            yield row, col


def assemble(
    rows: tuple[int, int],
    cols: tuple[int, int],
    size: int,
    dtype: str,
    cell: Callable[[int, int], Numbers],
) -> Numbers:
    """Put a window together from squares of `size` px; `(rows, cols)` are half-open and >= 0."""
    window = np.empty((rows[1] - rows[0], cols[1] - cols[0]), dtype)
    for row, col in cells_under(rows, cols, size):
        top, left = max(rows[0], row * size), max(cols[0], col * size)
        bottom, right = min(rows[1], (row + 1) * size), min(cols[1], (col + 1) * size)
        window[top - rows[0] : bottom - rows[0], left - cols[0] : right - cols[0]] = cell(row, col)[
            top - row * size : bottom - row * size, left - col * size : right - col * size
        ]
    return window
