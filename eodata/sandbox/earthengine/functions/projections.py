"""Projections, and images that are computed in one before they reach the output.

`reproject` computes its input on the pixels of a projection, whatever the output is, and the output
takes the nearest of those. `resample` sets how a band is looked up; a computed band is computed on
its own pixels first, at the level of its pyramid that serves the output, and then interpolated.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyproj
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj.exceptions import CRSError

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.images import of_leaf
from eodata.sandbox.earthengine.images import PixelGrid
from eodata.sandbox.earthengine.places import locate
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.sampling import REACH, level, look_up
from eodata.sandbox.earthengine.values import (
    COMPOSITE,
    Band,
    Canvas,
    Image,
    Numbers,
    Pixels,
    Projection,
    Source,
    Valid,
)

DEGREE_M = 111_319.49079327358
"""Of the equator, WGS84."""
Terms = tuple[float, float, float, float, float, float]


@function("Projection", "Proj")
def projection(
    crs: Any, transform: list[Any] | None = None, transform_wkt: str | None = None
) -> Projection:
    """Return a CRS with a transform from pixel corners."""
    if transform_wkt is not None:
        raise UnsupportedError("Projection", "transformWkt")
    if isinstance(crs, Projection):
        return crs if transform is None else Projection(crs.crs, _terms(transform))
    if not isinstance(crs, str):
        raise ExpressionError("Projection: the CRS is no string.")
    _crs(crs)
    return Projection(crs) if transform is None else Projection(crs, _terms(transform))


@function("Projection.crs")
def crs_of(projection: Projection) -> str:
    """Return the code of the CRS."""
    return projection.crs


@function("Projection.wkt")
def wkt_of(projection: Projection) -> str:
    """Return the CRS as WKT."""
    return str(_crs(projection.crs).to_wkt())


@function("Projection.nominalScale")
def nominal_scale(proj: Projection) -> float:
    """Return the metres that a pixel is wide where the CRS is true, degrees at the equator."""
    a, _, _, d, _, _ = proj.transform
    return math.hypot(a, d) * _metres(proj.crs)


@function("Projection.atScale")
def at_scale(projection: Projection, meters: float) -> Projection:
    """Return the projection with square pixels of some metres, corners at the CRS's origin."""
    size = meters / _metres(projection.crs)
    return Projection(projection.crs, (size, 0.0, 0.0, 0.0, size, 0.0))


@function("Projection.scale")
def scaled(projection: Projection, x: float, y: float) -> Projection:
    """Return the projection with pixels `x` and `y` times as large."""
    a, b, c, d, e, f = projection.transform
    return Projection(projection.crs, (a * x, b * y, c, d * x, e * y, f))


@function("Image.projection")
def of_image(image: Image) -> Projection:
    """Return what all bands share."""
    if not image.bands:
        raise ExpressionError("Image.projection: the image has no bands.")
    known = {band.source.projection for band in image.bands}
    if len(known) > 1:
        raise ExpressionError("Image.projection: the bands have different projections.")
    return image.bands[0].source.projection


@function("Image.resample")
def resample(image: Image, mode: str = "bilinear") -> Image:
    """Return the image whose pixels are interpolated wherever they are not its own."""
    if mode not in ("bilinear", "bicubic"):
        raise ExpressionError(f"Image.resample: the mode is bilinear or bicubic, not {mode!r}.")
    bands = tuple(Band(band.name, _resampled(band.source, mode)) for band in image.bands)
    return replace(image, bands=bands)


@function("Image.reproject")
def reproject(
    image: Image,
    crs: Projection,
    crs_transform: list[Any] | None = None,
    scale: float | None = None,
) -> Image:
    """Return the image computed on the pixels of a projection."""
    forced = forced_by("Image.reproject", crs, crs_transform, scale)
    bands = tuple(Band(b.name, _reprojected(b.source, forced)) for b in image.bands)
    return replace(image, bands=bands)


def forced_by(
    who: str, crs: Projection, crs_transform: list[Any] | None, scale: float | None
) -> Projection:
    """Return the projection that three arguments state together.

    Raises:
        ExpressionError: There are a transform and a scale, or there is no such CRS.
    """
    if crs_transform is not None and scale is not None:
        raise ExpressionError(f"{who}: either a transform or a scale.")
    forced = crs if crs_transform is None else Projection(crs.crs, _terms(crs_transform))
    if scale is not None:
        forced = at_scale(crs, scale)
    _crs(forced.crs)
    return forced


def _resampled(source: Source, method: str) -> Source:
    if source.leaf is not None:
        # Still a leaf no more: another `resample` then interpolates what this one gives.
        return replace(of_leaf(source.leaf, method), leaf=None)
    if source.projection == COMPOSITE:
        raise UnsupportedError("Image.resample", "of a composite or a constant, which has no grid")

    def make(canvas: Canvas) -> Pixels:
        output = canvas.grid.geobox
        base = _endless(source.projection)
        factor = level(base, output)
        return _through(source, canvas, source.projection, method, factor)

    return replace(source, make=make)


def _reprojected(source: Source, projection: Projection) -> Source:
    def make(canvas: Canvas) -> Pixels:
        return _through(source, canvas, projection, "nearest", 1)

    return replace(source, make=make, projection=projection, leaf=None, shape=None)


def _through(
    source: Source, canvas: Canvas, projection: Projection, method: str, factor: int
) -> Pixels:
    """Return pixels that are computed on another grid first, just where they are needed."""
    output = canvas.grid.geobox
    base = _endless(projection)
    affine = base.affine @ Affine.scale(factor)
    window = _window(GeoBox((1, 1), affine, base.crs), output, REACH[method])
    if window is None:
        shape = output.shape[0], output.shape[1]
        return Pixels(np.zeros(shape, source.kind.dtype), np.zeros(shape, bool))
    (top, bottom), (left, right) = window
    moved = affine @ Affine.translation(left, top)
    grid = PixelGrid(right - left, bottom - top, _six(moved), projection.crs)
    made = canvas.beside(grid).pixels(source)

    def read(rows: tuple[int, int], cols: tuple[int, int]) -> tuple[Numbers, Valid]:
        return made.values[slice(*rows), slice(*cols)], made.valid[slice(*rows), slice(*cols)]

    return Pixels(*look_up(grid.geobox, output, read, source.kind.dtype, method))


def _window(
    source: GeoBox, output: GeoBox, reach: int
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the rows and columns of an endless grid that an output needs."""
    spans = []
    for place in reversed(locate(source, output)):
        known = place[np.isfinite(place)]
        if not known.size:
            return None
        low, high = math.floor(known.min()), math.floor(known.max())
        spans.append((low - reach - 1, high + reach + 2))
    return spans[0], spans[1]


def _endless(projection: Projection) -> GeoBox:
    """Return a projection as a grid; its shape says nothing but how many levels it has."""
    grid = PixelGrid(1 << 20, 1 << 20, projection.transform, projection.crs)
    return grid.geobox


def _six(affine: Affine) -> Terms:
    return affine.a, affine.b, affine.c, affine.d, affine.e, affine.f


def _terms(told: list[Any]) -> Terms:
    if len(told) != 6 or not all(isinstance(term, int | float) for term in told):
        raise ExpressionError("A transform is a list of six numbers.")
    a, b, c, d, e, f = (float(term) for term in told)
    if a * e == b * d:
        raise ExpressionError("The transform cannot be inverted.")
    return a, b, c, d, e, f


def _crs(code: str) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(
            str(PixelGrid(1, 1, COMPOSITE.transform, code).geobox.crs)
        )
    except CRSError:
        raise ExpressionError(f"The CRS of a map projection could not be parsed: {code}") from None


def _metres(code: str) -> float:
    """Return the metres of one unit of a CRS, degrees at the equator."""
    known = _crs(code)
    if known.is_geographic:
        return DEGREE_M
    return float(known.axis_info[0].unit_conversion_factor) if known.axis_info else 1.0
