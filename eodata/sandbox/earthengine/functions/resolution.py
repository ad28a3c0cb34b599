"""Larger pixels of smaller ones: `reduceResolution`, and the grid that it starts from.

Each pixel of the output takes the pixels of the image's own grid that it covers. As Earth Engine
documents it, a weight is the share of the output pixel that an input pixel covers, and masked
pixels have none. How shares are found between projections is documented nowhere, so here both grids
have one CRS and parallel axes; anything else is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions import stacks
from eodata.sandbox.earthengine.functions.projections import forced_by
from eodata.sandbox.earthengine.functions.reducers import Reducer
from eodata.sandbox.earthengine.images import PixelGrid
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import (
    COMPOSITE,
    Band,
    Canvas,
    Image,
    Pixels,
    Projection,
    Source,
)

WHO = "Image.reduceResolution"
MOST_PIXELS = 65_536
"""Of the input, per pixel of the output: nothing above is accepted."""
MOST_VALUES = 1_000
"""Different numbers among which the commonest is looked for."""
NEAR = 1e-6
"""Edges that lie closer are the same edge [input px]."""
Floats = NDArray[np.float64]
Combine = Callable[[Pixels, "Shares", "Shares"], Pixels]


@function("Image.setDefaultProjection")
def with_default(
    image: Image,
    crs: Projection,
    crs_transform: list[Any] | None = None,
    scale: float | None = None,
) -> Image:
    """Return the image with another grid of its own; no pixel changes before one is resampled."""
    told = forced_by("Image.setDefaultProjection", crs, crs_transform, scale)
    bands = (Band(b.name, replace(b.source, projection=told, leaf=None)) for b in image.bands)
    return replace(image, bands=tuple(bands))


@function(WHO)
def reduce_resolution(
    image: Image, reducer: Reducer, best_effort: bool = False, max_pixels: int = 64
) -> Image:
    """Return the image whose larger pixels are what a reducer makes of its own."""
    if best_effort:
        raise UnsupportedError(WHO, "bestEffort")
    if max_pixels > MOST_PIXELS:
        raise ExpressionError(f"{WHO}: maxPixels is {MOST_PIXELS} at most, not {max_pixels}.")
    combine = {stacks.mean: _mean, stacks.mode: _mode}.get(reducer.of_stack)  # type: ignore[arg-type]
    if combine is None or reducer.inputs != 1 or reducer.repeats:
        raise UnsupportedError(WHO, f"Reducer.{reducer.name}")
    bands = [Band(b.name, _reduced(b.source, reducer, combine, max_pixels)) for b in image.bands]
    return replace(image, bands=tuple(bands))


def _reduced(source: Source, reducer: Reducer, combine: Combine, most: int) -> Source:
    if source.projection == COMPOSITE:
        raise UnsupportedError(WHO, "of a composite or a constant, which has no grid")

    def make(canvas: Canvas) -> Pixels:
        own = _own_grid(source.projection)
        onto = _parallel(own, canvas.grid)
        rows = Shares(onto.f, onto.e, canvas.grid.height)
        cols = Shares(onto.c, onto.a, canvas.grid.width)
        if rows.most * cols.most > most:
            count = rows.most * cols.most
            raise ExpressionError(f"{WHO}: Too many input pixels per output pixel: {count}.")
        moved = own.geobox.affine @ Affine.translation(cols.first, rows.first)
        terms = moved.a, moved.b, moved.c, moved.d, moved.e, moved.f
        needed = PixelGrid(cols.last - cols.first, rows.last - rows.first, terms, own.crs)
        return combine(canvas.beside(needed).pixels(source), rows, cols)

    return replace(source, kind=reducer.widen([source.kind]), make=make, leaf=None, shape=None)


class Shares:
    """Along one axis: how much of each output pixel every input pixel covers.

    Args:
        start: Edge of the first output pixel [input px].
        size: Of an output pixel [input px].
        count: Output pixels.
    """

    def __init__(self, start: float, size: float, count: int) -> None:
        low = start + size * np.arange(count)
        high = low + size
        at = np.floor(low + NEAR).astype(np.intp)
        self.most = int((np.ceil(high - NEAR) - at).max())
        """Input pixels under one output pixel."""
        self.first = int(at[0])
        self.last = int(at[-1]) + self.most
        at = at[:, np.newaxis] + np.arange(self.most)
        shared = np.minimum(at + 1, high[:, np.newaxis]) - np.maximum(at, low[:, np.newaxis])
        self._at = at - self.first
        self._shares = np.where(shared > NEAR, shared, 0.0) / size

    def summed(self, values: Floats, axis: int) -> Floats:
        """Return weighted sums along an axis of a `(H, W)` array."""
        taken = np.moveaxis(values, axis, 0)[self._at]
        return np.moveaxis(np.einsum("ok,ok...->o...", self._shares, taken), 0, axis)


def _covered(values: Floats, rows: Shares, cols: Shares) -> Floats:
    return cols.summed(rows.summed(values, 0), 1)


def _mean(pixels: Pixels, rows: Shares, cols: Shares) -> Pixels:
    """Return the mean of valid numbers by area."""
    shown = pixels.valid.astype(np.float64)
    numbers = np.where(pixels.valid, pixels.values, 0).astype(np.float64)
    total, weight = _covered(numbers, rows, cols), _covered(shown, rows, cols)
    valid = weight > 0
    return Pixels(np.divide(total, weight, out=np.zeros_like(total), where=valid), valid)


def _mode(pixels: Pixels, rows: Shares, cols: Shares) -> Pixels:
    """Return the number with the largest area; of several the smallest, as `Reducer.mode` here."""
    found = np.unique(pixels.values[pixels.valid])
    if len(found) > MOST_VALUES:
        raise UnsupportedError(WHO, f"the commonest of more than {MOST_VALUES} numbers")
    weight = _covered(pixels.valid.astype(np.float64), rows, cols)
    best, most = np.zeros(weight.shape, pixels.values.dtype), np.zeros(weight.shape)
    for value in found:
        same = (pixels.valid & (pixels.values == value)).astype(np.float64)
        area = _covered(same, rows, cols)
        wins = area > most + NEAR
        best[wins], most[wins] = value, area[wins]
    return Pixels(best, weight > 0)


def _own_grid(projection: Projection) -> PixelGrid:
    return PixelGrid(1, 1, projection.transform, projection.crs)


def _parallel(own: PixelGrid, output: PixelGrid) -> Affine:
    """Return from output pixels to own ones.

    Raises:
        UnsupportedError: The grids are turned or in two CRS, or the output's pixels are smaller.
    """
    if own.geobox.crs != output.geobox.crs:
        raise UnsupportedError(WHO, "onto another CRS than the image's own")
    onto: Affine = ~own.geobox.affine @ output.geobox.affine
    if max(abs(onto.b) * output.height, abs(onto.d) * output.width) > NEAR:
        raise UnsupportedError(WHO, "onto a grid that is turned")
    if min(onto.a, onto.e) < 1 - NEAR or not math.isfinite(onto.a * onto.e):
        raise UnsupportedError(WHO, "onto smaller pixels than the image's own")
    return onto
