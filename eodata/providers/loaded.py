"""Sources of which the needed window is already in memory, however it came there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from odc.geo.geobox import GeoBox

from eodata.providers.source import Valid, Values, measured
from eodata.providers.source_window import source_window

Window = tuple[tuple[int, int], tuple[int, int]]
"""Rows and columns, each half-open, in pixels of a raster, inside of it."""
NOWHERE: Window = ((0, 0), (0, 0))


@dataclass(frozen=True, slots=True)
class Loaded:
    """One band of which a window is in memory, as a source of the warp.

    Attributes:
        grid: Where the whole raster lies.
        dtype: Of its numbers.
        window: What of it is in memory.
        dn: `(rows, cols)` of the window.
        known: `(rows, cols)` bool, True = measured, as the archive says it; None when it does not.
        nodata: DN of a missing value, or None.
    """

    grid: GeoBox
    dtype: np.dtype[np.generic]
    window: Window
    dn: Values
    known: Valid | None = None
    nodata: float | None = None

    @classmethod
    def empty(cls, grid: GeoBox, dtype: np.dtype[np.generic]) -> Loaded:
        """Return a source of which nothing is needed."""
        return cls(grid, dtype, NOWHERE, np.empty((0, 0), dtype))

    def read(self, rows: slice, cols: slice) -> tuple[Values, Valid]:
        """Return a part of the window: DN, and where they were measured."""
        (top, _), (left, _) = self.window
        part = (
            slice(rows.start - top, rows.stop - top),
            slice(cols.start - left, cols.stop - left),
        )
        dn = self.dn[part]
        valid = measured(dn, self.nodata)
        return dn, valid if self.known is None else valid & self.known[part]


def needed_window(grid: GeoBox, geobox: GeoBox) -> Window | None:
    """Return what the warp will read of a raster, None when the two do not meet."""
    window = source_window(grid, geobox)
    if window is None:
        return None
    (top, bottom), (left, right) = window.rows, window.cols
    height, width = grid.shape
    return (max(top, 0), min(bottom, height)), (max(left, 0), min(right, width))
