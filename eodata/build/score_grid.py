"""The coarser grid on which clouds are told apart: its lattice, its margin, its place."""

from __future__ import annotations

from math import atan2, ceil, cos, degrees, floor, radians, sin
from typing import TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from eodata.core.grid import EDGE_TOLERANCE_PX
from eodata.core.reproject import WGS84, reproject

T = TypeVar("T", bound=np.generic)
MERIDIAN_DEG = 1e-3
"""Length of the piece of a meridian that tells where north is [degrees]."""


def lattice_over(window: GeoBox, gsd: float) -> GeoBox:
    """Return the smallest grid over a window whose corners are multiples of `gsd` [m]."""
    a, (rows, cols) = window.affine, window.shape
    left, bottom = (floor(edge / gsd + EDGE_TOLERANCE_PX) for edge in (a.c, a.f + rows * a.e))
    right, top = (ceil(edge / gsd - EDGE_TOLERANCE_PX) for edge in (a.c + cols * a.a, a.f))
    corner = Affine(gsd, 0, left * gsd, 0, -gsd, top * gsd)
    return GeoBox((top - bottom, right - left), corner, window.crs)


def widened(
    coarse: GeoBox, margin: int, azimuth: float, reach: float
) -> tuple[GeoBox, tuple[slice, slice]]:
    """Return a grid that reaches beyond another, and where that one lies in it.

    Args:
        coarse: The grid.
        margin: How far on all sides [px].
        azimuth: Towards the sun, clockwise from grid north [degrees].
        reach: How much further towards the sun [m].
    """
    gsd = coarse.affine.a
    east, north = (f(radians(azimuth)) * reach / gsd for f in (sin, cos))
    above, below, left, right = (
        margin + ceil(max(0.0, towards)) for towards in (north, -north, -east, east)
    )
    a, (rows, cols) = coarse.affine, coarse.shape
    corner = Affine(gsd, 0, a.c - left * gsd, 0, -gsd, a.f + above * gsd)
    wide = GeoBox((above + rows + below, left + cols + right), corner, coarse.crs)
    return wide, (slice(above, above + rows), slice(left, left + cols))


def grid_azimuth(azimuth: float, outline: BaseGeometry, crs: str) -> float:
    """Return a direction clockwise from grid north [degrees]; 3 degrees off in UTM, any elsewhere.

    Args:
        azimuth: Clockwise from true north [degrees].
        outline: Where, EPSG:4326: the middle of its largest part counts, so that all windows on
            one item agree.
        crs: Of the grid.
    """
    middle = max(getattr(outline, "geoms", [outline]), key=lambda part: part.area).centroid
    meridian = LineString([(middle.x, middle.y - MERIDIAN_DEG), (middle.x, middle.y)])
    (x0, y0), (x1, y1) = reproject(meridian, WGS84, crs, 1.0).coords
    return azimuth + degrees(atan2(x1 - x0, y1 - y0))


def under(values: NDArray[T], window: GeoBox, coarse: GeoBox) -> NDArray[T]:
    """Return the value of the coarse pixel `(h, w)` under the centre of each pixel of a window."""
    own, a = window.affine, coarse.affine
    height, width = window.shape
    down = (own.f + (np.arange(height) + 0.5) * own.e - a.f) / a.e
    right = (own.c + (np.arange(width) + 0.5) * own.a - a.c) / a.a
    rows, cols = ((at + EDGE_TOLERANCE_PX).astype(np.intp) for at in (down, right))
    return values[rows[:, np.newaxis], cols]
