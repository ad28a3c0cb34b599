"""Which tiles of a window are compared. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product, zip_longest

import numpy as np

from eodata.pipeline.coregister.evidence import Valid, View
from eodata.pipeline.coregister.frequencies import LEAST

LARGEST = 256
"""Edge of the largest tile [px]."""
USUAL = 128
"""Edge of tiles where there are few [px]: four tell more than one, and are as exact together."""
LEAST_SHARED = 0.15
"""Share of a tile that both sides must have seen."""
Place = tuple[int, int, int, int]
"""First and last row, first and last column, the last ones excluded."""
_EVERY = 8
"""Of the rows of a tile, as many tell how rough it is."""
_PARTS = 4
"""Along each axis of a window, parts that take turns in giving tiles."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a window.

    Attributes:
        rows: Which rows.
        cols: Which columns.
        weight: Share of its pixels that both sides saw.
    """

    rows: slice
    cols: slice
    weight: float

    @property
    def place(self) -> Place:
        """Where it lies in the window."""
        return self.rows.start, self.rows.stop, self.cols.start, self.cols.stop

    @property
    def middle(self) -> tuple[float, float]:
        """Row and col of its middle [px]."""
        rows, cols = self.rows, self.cols
        return (rows.start + rows.stop - 1) / 2, (cols.start + cols.stop - 1) / 2

    def of(self, view: View) -> View:
        """Return this part of one side."""
        return View(view.values[:, self.rows, self.cols], view.valid[self.rows, self.cols])


def cut(image: View, reference: View, limit: int) -> list[Tile]:
    """Return the tiles worth comparing, at most `limit`, from north to south and west to east.

    Tiles have about `USUAL` px, or up to `LARGEST` where those were more than `limit`. Where there
    are still too many, the most promising of each part of the window come first.
    """
    shared = image.valid & reference.valid
    height, width = shared.shape
    if min(height, width) < LEAST:
        return []
    few = round(height / USUAL) * round(width / USUAL) <= limit
    axes = [_pieces(length, few) for length in (height, width)]
    tiles = [Tile(rows, cols, float(shared[rows, cols].mean())) for rows, cols in product(*axes)]
    kept = [tile for tile in tiles if tile.weight >= LEAST_SHARED]
    if len(kept) > limit:
        promise = [_promise(tile, image, reference, shared) for tile in kept]
        kept = _spread(kept, promise, shared.shape)[:limit]
    return sorted(kept, key=lambda tile: tile.middle)


def _pieces(length: int, few: bool) -> list[slice]:
    """Return slices of about equal length that cover an axis."""
    count = max(1, round(length / USUAL)) if few else -(-length // LARGEST)
    return [slice(*pair) for pair in pairwise(round(i * length / count) for i in range(count + 1))]


def _promise(tile: Tile, image: View, reference: View, shared: Valid) -> float:
    """Return how much there is to compare: ground times the fainter structure of both sides.

    Some rows tell as much as all. Of the bands of a side the roughest counts.
    """
    some = slice(tile.rows.start, tile.rows.stop, _EVERY)
    valid = shared[some, tile.cols]
    both = (valid[:, 1:] & valid[:, :-1]).astype(np.float32).ravel()
    rough = []
    for side in (image, reference):
        steps = np.abs(np.diff(side.values[:, some, tile.cols], axis=2))
        rough.append(float((steps.reshape(len(steps), -1) @ both).max()))
    return tile.weight * min(rough) / max(float(both.sum()), 1.0)


def _spread(tiles: list[Tile], promise: list[float], shape: tuple[int, ...]) -> list[Tile]:
    """Order tiles so that parts of the window take turns, each giving its most promising first."""
    parts: dict[tuple[int, ...], list[Tile]] = {}
    for _, tile in sorted(zip(promise, tiles, strict=True), key=lambda one: -one[0]):
        part = tuple(int(_PARTS * at // size) for at, size in zip(tile.middle, shape, strict=True))
        parts.setdefault(part, []).append(tile)
    return [tile for turn in zip_longest(*parts.values()) for tile in turn if tile is not None]
