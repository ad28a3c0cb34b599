"""Which tiles of a window are compared. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product, zip_longest
from math import ceil

import numpy as np

from eodata.pipeline.coregister.evidence import Numbers, Valid, View

SMALLEST = 24
"""Edge of the smallest window that can be compared [px]."""
LARGEST = 256
"""Edge of the largest tile [px]."""
USUAL = 128
"""Edge of tiles where there are few [px]: four tell more than one, and are as exact together."""
LEAST_SHARED = 0.15
"""Share of a tile that both sides must have seen."""
_PARTS = 4
"""Along each axis of a window, parts that take turns in giving tiles."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a window.

    Attributes:
        rows: Which rows.
        cols: Which columns.
        weight: Share of its pixels that both sides saw.
        promise: How much there is to compare: `weight` times the fainter structure of both sides.
    """

    rows: slice
    cols: slice
    weight: float
    promise: float

    @property
    def middle(self) -> tuple[float, float]:
        """Row and col of its middle [px]."""
        return tuple((s.start + s.stop - 1) / 2 for s in (self.rows, self.cols))  # type: ignore

    def of(self, view: View) -> View:
        """Return this part of one side."""
        return View(view.values[:, self.rows, self.cols], view.valid[self.rows, self.cols])


def cut(image: View, reference: View, limit: int) -> list[Tile]:
    """Return the tiles worth comparing, at most `limit`, from north to south and west to east.

    Where there are more, the most promising of each part of the window come first.
    """
    shared = image.valid & reference.valid
    height, width = shared.shape
    if min(height, width) < SMALLEST:
        return []
    edge = USUAL if (height // USUAL) * (width // USUAL) <= limit else LARGEST
    found = []
    for rows, cols in product(pieces(height, edge), pieces(width, edge)):
        weight = float(shared[rows, cols].mean())
        if weight >= LEAST_SHARED:
            sides = (side.values[:, rows, cols] for side in (image, reference))
            promise = weight * min(_texture(side, shared[rows, cols]) for side in sides)
            found.append(Tile(rows, cols, weight, promise))
    kept = found if len(found) <= limit else _spread(found, (height, width))[:limit]
    return sorted(kept, key=lambda tile: tile.middle)


def pieces(length: int, edge: int) -> list[slice]:
    """Return slices of about equal length that cover an axis, none longer than 1.5 edges."""
    count = max(1, round(length / edge)) if length < 2 * LARGEST else ceil(length / LARGEST)
    if edge == USUAL:
        count = max(1, round(length / edge))
    ends = [round(i * length / count) for i in range(count + 1)]
    return [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]


def _texture(values: Numbers, valid: Valid) -> float:
    """Return how rough the valid ground of a tile is, its bands in the mean."""
    both = valid[:, 1:] & valid[:, :-1]
    if not both.any():
        return 0.0
    return float(np.abs(np.diff(values, axis=2))[:, both].mean())


def _spread(tiles: list[Tile], shape: tuple[int, int]) -> list[Tile]:
    """Order tiles so that parts of the window take turns, each giving its most promising first."""
    parts: dict[tuple[int, ...], list[Tile]] = {}
    for tile in sorted(tiles, key=lambda tile: (-tile.promise, tile.middle)):
        part = tuple(int(_PARTS * at // size) for at, size in zip(tile.middle, shape, strict=True))
        parts.setdefault(part, []).append(tile)
    turns: Iterator[tuple[Tile | None, ...]] = zip_longest(*parts.values())
    return [tile for turn in turns for tile in turn if tile is not None]
