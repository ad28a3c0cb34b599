"""Where the pixel centres of one grid lie on another: exactly at knots, and straight between.

Knots are close enough together for 0.001 px; where none are, every centre is transformed by itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyproj
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

Floats = NDArray[np.float64]
KNOT_PX = 32
TOLERANCE_PX = 1e-3


class Places(NamedTuple):
    """Places on a grid [px from its corner]; they broadcast to the output's shape."""

    col: Floats
    row: Floats


def locate(source: GeoBox, output: GeoBox) -> Places:
    """Return where an output's pixel centres lie on a source grid, to 0.001 px."""
    if source.crs == output.crs:
        return _straight(~source.affine @ output.affine, output)
    step = KNOT_PX
    while step > 1:
        found = _by_knots(source, output, step)
        if found is not None:
            return found
        step //= 4
    return exact(source, output)


def lonlat(output: GeoBox) -> Places:
    """Return longitudes and latitudes of an output's pixel centres [degrees]."""
    return locate(GeoBox((1, 1), Affine.identity(), "EPSG:4326"), output)


def _straight(to_source: Affine, output: GeoBox) -> Places:
    """Return places by an affine; a row and a column of them when axes are parallel."""
    height, width = output.shape
    cols, rows = _centres(width), _centres(height)[:, np.newaxis]
    if abs(to_source.b) < 1e-12 and abs(to_source.d) < 1e-12:
        return Places(
            (to_source.a * cols + to_source.c)[np.newaxis, :], to_source.e * rows + to_source.f
        )
    return Places(*_apply(to_source, cols[np.newaxis, :], rows))


def _apply(affine: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return (
        affine.a * x + affine.b * y + affine.c,
        affine.d * x + affine.e * y + affine.f,
    )


def exact(source: GeoBox, output: GeoBox) -> Places:
    """Return places by transforming every pixel centre."""
    height, width = output.shape
    cols, rows = _centres(width), _centres(height)
    return _transformed(source, output, cols, rows)


def _transformed(source: GeoBox, output: GeoBox, cols: Floats, rows: Floats) -> Places:
    """Return where a lattice of places on the output lies on the source, `(rows, cols)`."""
    x, y = _apply(output.affine, cols[np.newaxis, :], rows[:, np.newaxis])
    shape = rows.size, cols.size
    x, y = np.broadcast_to(x, shape), np.broadcast_to(y, shape)
    if source.crs != output.crs:
        x, y = _transformer(_name(output), _name(source)).transform(x, y)
    with np.errstate(invalid="ignore"):  # places that the projection does not have are infinite
        return Places(*_apply(~source.affine, np.asarray(x), np.asarray(y)))


def _by_knots(source: GeoBox, output: GeoBox, step: int) -> Places | None:
    """Return places straight between knots; None when that is off by too much somewhere.

    It is looked at in the middle of the cells' edges: in their centres, errors along and across
    would cancel out, as they do between conformal projections.
    """
    height, width = output.shape
    cols, rows = (np.arange(0, n + step, step, dtype=np.float64) for n in (width, height))
    knots = _transformed(source, output, cols, rows)
    across = _transformed(source, output, cols[:-1] + step / 2, rows)
    down = _transformed(source, output, cols, rows[:-1] + step / 2)
    for known, beside, below in zip(knots, across, down, strict=True):
        with np.errstate(invalid="ignore"):
            off = np.abs((known[:, :-1] + known[:, 1:]) / 2 - beside).max()
            off += np.abs((known[:-1] + known[1:]) / 2 - below).max()
        if not off < TOLERANCE_PX:  # also when something is not finite
            return None
    at = _centres(width) / step, _centres(height) / step
    return Places(*(_between(_between(part, at[0], 1), at[1], 0) for part in knots))


def _between(knots: Floats, at: Floats, axis: int) -> Floats:
    """Return values straight between knots along one axis; `at` counts knots."""
    low = np.floor(at).astype(np.intp)
    weight = at - low
    weight = weight[np.newaxis, :] if axis else weight[:, np.newaxis]
    first, second = np.take(knots, low, axis), np.take(knots, low + 1, axis)
    return np.asarray(first + (second - first) * weight)


def _name(grid: GeoBox) -> str:
    return str(grid.crs)


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def _centres(count: int) -> Floats:
    return np.arange(count, dtype=np.float64) + 0.5
