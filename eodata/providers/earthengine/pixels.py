"""Which requests a window of an image takes. Pure: nobody is asked.

Pixels are asked for on the bands' own grid, so the server resamples nothing and our warp sees what
a file would hold. Only a target that is much coarser gets the grid of a level of the server's
pyramid, and only a recipe that says so the target's pixels themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from eodata.providers.loaded import Window
from eodata.providers.source_window import source_positions

MOST_BYTES = 48 * 2**20
"""Of the pixels of one answer, not compressed."""
MOST_PX = 32_768
"""Along one side."""
MOST_BANDS = 1024
"""Of one answer; every band comes with its validity."""
COARSE = 4
"""From so many pixels per target pixel on, along each axis, the pyramid is read."""
FINER = 0.8
"""A target pixel over fewer of the grid's: fewer bytes travel as the grid's own pixels."""
LEAST_PX = 16
"""A tile is not halved below this edge: a server that cannot compute that will compute nothing."""
VALIDITY_BYTES = 1
KNOTS = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """One request: a window of some bands of one grid.

    Attributes:
        bands: Earth Engine's names.
        window: Rows and columns on the grid.
    """

    bands: tuple[str, ...]
    window: Window

    @property
    def shape(self) -> tuple[int, int]:
        """`(height, width)` [px]."""
        (top, bottom), (left, right) = self.window
        return bottom - top, right - left


def tiles(
    window: Window, bands: Sequence[str], dtypes: Sequence[np.dtype[np.generic]]
) -> list[Tile]:
    """Return the fewest equal tiles whose answers stay under the limits, row by row.

    Args:
        window: Not empty.
        bands: Of one grid.
        dtypes: Of each band.
    """
    found: list[Tile] = []
    sizes = [dtype.itemsize + VALIDITY_BYTES for dtype in dtypes]
    for part in _batches(len(bands), MOST_BANDS // 2):
        names = tuple(bands[part])
        found += [Tile(names, cut) for cut in _cuts(window, sum(sizes[part]))]
    return found


def halves(tile: Tile) -> tuple[Tile, Tile] | None:
    """Return the two halves of a tile along its longer side, None when it is small enough."""
    (top, bottom), (left, right) = tile.window
    height, width = tile.shape
    if max(height, width) <= LEAST_PX:
        return None
    if height >= width:
        middle = (top + bottom) // 2
        rows = (top, middle), (middle, bottom)
        return replace(tile, window=(rows[0], (left, right))), replace(
            tile, window=(rows[1], (left, right))
        )
    middle = (left + right) // 2
    return replace(tile, window=((top, bottom), (left, middle))), replace(
        tile, window=((top, bottom), (middle, right))
    )


def place_of(grid: GeoBox, window: Window) -> Affine:
    """Return from pixel corners of a window to the CRS."""
    (top, _), (left, _) = window
    return grid.affine @ Affine.translation(left, top)


def pyramid_factor(grid: GeoBox, geobox: GeoBox) -> int:
    """Return the largest power of two by which the grid may be coarser and still be fine enough.

    Returns:
        1 for the pixels themselves: where the target is less than `COARSE` times as coarse.
    """
    ratio = min(_pixels_per_target(grid, geobox))
    if not ratio >= COARSE:
        return 1
    most = max(1, min(grid.shape))
    return int(2 ** min(np.floor(np.log2(ratio)), np.floor(np.log2(most))))


def coarser(grid: GeoBox, factor: int) -> GeoBox:
    """Return the grid of the same corner whose pixels are `factor` times as large.

    The last row and column may hang over the edge by less than one pixel.
    """
    if factor == 1:
        return grid
    height, width = grid.shape
    shape = -(-height // factor), -(-width // factor)
    return GeoBox(shape, grid.affine @ Affine.scale(factor), grid.crs)


def is_finer(grid: GeoBox, geobox: GeoBox) -> bool:
    """Return True when the target has notably more pixels than the grid for the same ground."""
    rows, cols = _pixels_per_target(grid, geobox)
    return rows * cols < FINER


def _pixels_per_target(grid: GeoBox, geobox: GeoBox) -> tuple[float, float]:
    """Return how many pixels one target pixel spans where it spans fewest; NaN when nowhere.

    Along the target's rows, and along its columns.
    """
    height, width = geobox.shape
    col, row = np.meshgrid(np.linspace(0, width, KNOTS), np.linspace(0, height, KNOTS))
    x, y = source_positions(grid, geobox, col, row)
    spans = []
    for axis, size in ((0, height), (1, width)):
        step = np.hypot(np.diff(x, axis=axis), np.diff(y, axis=axis)) * (KNOTS - 1) / size
        finite = step[np.isfinite(step)]
        # A hair of slack: transformed corners are off by rounding.
        spans.append(float(finite.min()) * (1 + 1e-6) if finite.size else float("nan"))
    return spans[0], spans[1]


def _cuts(window: Window, pixel_bytes: int) -> Iterator[Window]:
    (top, bottom), (left, right) = window
    n_rows, n_cols = _pieces(bottom - top, right - left, pixel_bytes)
    yield from product(_spans(top, bottom, n_rows), _spans(left, right, n_cols))


def _pieces(height: int, width: int, pixel_bytes: int) -> tuple[int, int]:
    """Return in how many pieces each side is cut; the longer one first."""
    n_rows, n_cols = -(-height // MOST_PX), -(-width // MOST_PX)
    while True:
        rows, cols = -(-height // n_rows), -(-width // n_cols)
        if rows * cols * pixel_bytes <= MOST_BYTES:
            return n_rows, n_cols
        if rows >= cols:
            n_rows += 1
        else:
            n_cols += 1


def _spans(first: int, last: int, pieces: int) -> list[tuple[int, int]]:
    size = last - first
    edges = [first + size * k // pieces for k in range(pieces + 1)]
    return list(pairwise(edges))


def _batches(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
