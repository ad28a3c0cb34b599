"""Grids and types of pixels, as the REST API writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox
from pyproj.exceptions import CRSError

from eodata.sandbox.earthengine.errors import invalid
from eodata.sandbox.earthengine.images import PixelGrid, code_of

TERMS = ("scaleX", "shearX", "translateX", "shearY", "scaleY", "translateY")
"""Of an affine transform, in the order of `PixelGrid.affine`."""
PRECISIONS = {"float32": "FLOAT", "float64": "DOUBLE"}


def native(grid: GeoBox) -> PixelGrid:
    """Return a band's own grid as a request would state it."""
    affine, (height, width) = grid.affine, grid.shape
    terms = (affine.a, affine.b, affine.c, affine.d, affine.e, affine.f)
    return PixelGrid(width, height, terms, code_of(grid))


def grid_json(grid: GeoBox) -> dict[str, Any]:
    """Return a grid as assets state it; terms that are zero are left out, as everywhere there."""
    own = native(grid)
    affine = {name: term for name, term in zip(TERMS, own.affine, strict=True) if term}
    return {
        "crsCode": own.crs,
        "dimensions": {"width": own.width, "height": own.height},
        "affineTransform": affine,
    }


def type_json(dtype: str) -> dict[str, Any]:
    """Return a type of pixels as assets state it; a least value of 0 is left out."""
    if dtype in PRECISIONS:
        return {"precision": PRECISIONS[dtype]}
    limits = np.iinfo(dtype)
    least, most = int(limits.min), int(limits.max)
    return {"precision": "INT", "range": {"min": least, "max": most} if least else {"max": most}}


def read_grid(said: Mapping[str, Any] | None, own: GeoBox | None) -> PixelGrid:
    """Return the grid that a request asks for.

    Args:
        said: Its `grid`; what that leaves out is the image's.
        own: The grid of the image's first band, None where there is no such thing.

    Raises:
        EngineError: 400; it is no grid.
    """
    if own is None and not said:
        raise invalid("Unable to compute pixels of an unbounded image: a grid is required.")
    said, default = said or {}, None if own is None else native(own)
    try:
        size, terms = said.get("dimensions"), said.get("affineTransform")
        crs = said.get("crsCode") or said.get("crsWkt") or (default.crs if default else "")
        if default and not (size or terms):
            return _checked(PixelGrid(default.width, default.height, default.affine, crs))
        if not (size and terms and crs):
            raise invalid("A grid needs dimensions, affineTransform and a crsCode or crsWkt.")
        return _checked(
            PixelGrid(int(size["width"]), int(size["height"]), _affine(terms), str(crs))
        )
    except (KeyError, TypeError, ValueError) as error:
        raise invalid(f"Invalid pixel grid: {error!r}.") from error


def _affine(terms: Mapping[str, Any]) -> tuple[float, float, float, float, float, float]:
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise ValueError(f"unknown terms {sorted(unknown)}")
    a, b, c, d, e, f = (float(terms.get(name, 0)) for name in TERMS)
    if not a * e - b * d:
        raise ValueError("the affine transform cannot be inverted")
    return a, b, c, d, e, f


def _checked(grid: PixelGrid) -> PixelGrid:
    """Return the grid once its CRS is known to be one."""
    try:
        _ = grid.geobox.crs
    except CRSError as error:
        raise invalid(f"The CRS of a map projection could not be parsed: {grid.crs}") from error
    return grid
