"""Which pixels of a source a target grid needs, and how. Pure geometry: no file is opened.

Pixel coordinates are continuous: pixel `(row, col)` covers `[col, col + 1) x [row, row + 1)`, its
centre is at `(col + 0.5, row + 0.5)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.providers.ground_control import GroundControl

KNOTS = 33
"""Target points per side at which the source position is computed."""
REACH_PX = 3
"""Source pixels around the window: a cubic kernel reaches 2, one more for the map's curvature."""
SAME_GRID_PX = 0.01
"""Grids that differ by less count as one: half of the mean error that we allow ourselves."""
SHRINK_SLACK = 0.1
"""A target pixel up to this much larger than a source pixel is not worth a second sample."""


@dataclass(frozen=True, slots=True)
class SourceWindow:
    """The part of a source that a target grid needs.

    Attributes:
        rows: `(first, last + 1)` source rows; may reach past the source's edges.
        cols: `(first, last + 1)` source columns; may reach past the source's edges.
        shrink: `(rows, cols)` source pixels per target pixel, rounded up, at least 1.
        exact: True when target pixels *are* source pixels; the window then has the target's shape.
    """

    rows: tuple[int, int]
    cols: tuple[int, int]
    shrink: tuple[int, int]
    exact: bool


def source_window(source: GeoBox | GroundControl, target: GeoBox) -> SourceWindow | None:
    """Return what to read of `source` to fill `target`, None when the two do not meet."""
    col, row = _knots(target)
    x, y = source_positions(source, target, col, row)
    if _is_same_grid(x - col, y - row):
        left, top = round(float((x - col)[0, 0])), round(float((y - row)[0, 0]))
        rows, cols = (top, top + target.shape[0]), (left, left + target.shape[1])
        window = SourceWindow(rows, cols, (1, 1), exact=True)
    else:
        rows, cols = _reach(y, source.shape[0]), _reach(x, source.shape[1])
        window = SourceWindow(rows, cols, _shrink(x, y, target), exact=False)
    return (
        window
        if _meets(window.rows, source.shape[0]) and _meets(window.cols, source.shape[1])
        else None
    )


def source_positions(
    source: GeoBox | GroundControl,
    target: GeoBox,
    col: NDArray[np.floating],
    row: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where points of `target` lie in `source`.

    Args:
        source: The grid, or the points, that answer.
        target: The grid that asks.
        col: Pixel coordinates in `target`, along x.
        row: Pixel coordinates in `target`, along y; same shape.

    Returns:
        `(col, row)` pixel coordinates in `source`, NaN where the CRS has no such place.
    """
    x, y = target.affine @ (np.asarray(col, np.float64), np.asarray(row, np.float64))
    if source.crs != target.crs:
        x, y = target.crs.transformer_to_crs(source.crs)(x, y)
    finite = np.isfinite(x) & np.isfinite(y)
    places = np.where(finite, x, np.nan), np.where(finite, y, np.nan)
    if isinstance(source, GroundControl):
        return source.pixels(*places)
    u, v = ~source.affine @ places
    return u, v


def _knots(target: GeoBox) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    height, width = target.shape
    col, row = np.meshgrid(np.linspace(0, width, KNOTS), np.linspace(0, height, KNOTS))
    return col, row


def _is_same_grid(dx: NDArray[np.float64], dy: NDArray[np.float64]) -> bool:
    """Return True when the offset is the same whole number of pixels everywhere."""
    return all(
        bool(np.isfinite(d).all()) and float(np.abs(d - np.round(d[0, 0])).max()) < SAME_GRID_PX
        for d in (dx, dy)
    )


def _reach(position: NDArray[np.float64], size: int) -> tuple[int, int]:
    """Return `(first, last + 1)` along one axis, with room for kernels, inside the source's rim.

    Between two knots a curved line strays from the straight one by an eighth of the second
    difference at most. Where some knots have no place in the source's CRS, everything is read.
    """
    if not np.isfinite(position).all():
        found = np.isfinite(position).any()
        return (-REACH_PX, size + REACH_PX) if found else (0, 0)
    bends = [np.abs(np.diff(position, 2, axis=axis)).max() / 8 for axis in (0, 1)]
    room = REACH_PX + max(bends)
    first = math.floor(max(float(position.min()) - room, -REACH_PX))
    last = math.ceil(min(float(position.max()) + room, size + REACH_PX))
    return first, last


def _shrink(x: NDArray[np.float64], y: NDArray[np.float64], target: GeoBox) -> tuple[int, int]:
    """Return how many source pixels one target pixel spans, `(along rows, along columns)`."""
    spans = []
    for axis, n_pixels in ((0, target.shape[0]), (1, target.shape[1])):
        step = np.hypot(np.diff(x, axis=axis), np.diff(y, axis=axis)) * (KNOTS - 1) / n_pixels
        typical = float(np.median(step[np.isfinite(step)])) if np.isfinite(step).any() else 1.0
        spans.append(max(1, math.ceil(typical - SHRINK_SLACK)))
    return spans[0], spans[1]


def _meets(span: tuple[int, int], size: int) -> bool:
    return max(span[0], 0) < min(span[1], size)
