"""Geometry as Earth Engine has it: GeoJSON whose edges are great circles or straight lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry import box, mapping, shape
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import WGS84, reproject
from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.values import Geometry

EARTH_M = 6_371_007.18
"""Radius of the sphere that has the Earth's surface."""
EDGE_DEG = 0.2
"""Great circles become straight edges of at most this length; a chord at 60 degrees north is then
off by less than 3 m."""
MOST_POINTS = 10_000
STRAIGHT_PARTS = 64
"""Edges in another CRS are cut into this many."""


def from_geojson(
    told: Mapping[str, Any],
    crs: str = WGS84,
    geodesic: bool | None = None,
    *,
    even_odd: bool = True,
) -> Geometry:
    """Return a geometry from GeoJSON in a CRS.

    Args:
        told: `type` and `coordinates`, or `geometries`.
        crs: Of the coordinates.
        geodesic: Whether edges are great circles; None: when the CRS is EPSG:4326.
        even_odd: Whether nesting alone says what is inside. Otherwise orientation does, and only
            the usual one is known: counter-clockwise outlines.

    Raises:
        ExpressionError: It is no geometry.
    """
    try:
        outline = shape(told)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, shapely.GEOSException):
        raise ExpressionError(f"These are no coordinates of a {told.get('type')}.") from None
    _check(outline, even_odd)
    if crs != WGS84:
        outline = reproject(outline, crs, WGS84, _segment(outline))
    elif geodesic is None or geodesic:
        outline = great_circles(outline)
    return Geometry(
        _repaired(outline), dict(told) | ({"geodesic": False} if geodesic is False else {})
    )


def plain(outline: BaseGeometry) -> Geometry:
    """Return a geometry whose edges are as they are, in EPSG:4326."""
    return Geometry(outline, mapping(outline))


def great_circles(outline: BaseGeometry) -> BaseGeometry:
    """Return an outline in degrees whose long edges follow great circles."""
    west, south, east, north = outline.bounds if not outline.is_empty else (0, 0, 0, 0)
    if max(east - west, north - south) <= EDGE_DEG or outline.geom_type.endswith("Point"):
        return outline
    return _bent(outline)


def _bent(outline: BaseGeometry) -> BaseGeometry:
    if hasattr(outline, "geoms"):
        return type(outline)([great_circles(part) for part in outline.geoms])
    if outline.geom_type == "Polygon":
        rings = [_curved(np.asarray(ring.coords)) for ring in outline.interiors]
        return shapely.Polygon(_curved(np.asarray(outline.exterior.coords)), rings)
    return type(outline)(_curved(np.asarray(outline.coords)))


def _curved(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points with more of them along the great circles between."""
    parts = [_arc(points[k], points[k + 1]) for k in range(len(points) - 1)]
    return np.concatenate([*parts, points[-1:, :2]])


def _arc(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the start of an edge and what lies on its great circle before the end."""
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    count = min(math.ceil(length / EDGE_DEG), 1000)
    # Meridians are great circles; an edge of half the Earth or more means the other way round.
    if count < 2 or start[0] == end[0] or abs(end[0] - start[0]) >= 180:
        return start[np.newaxis, :2]
    between = _sphere().npts(start[0], start[1], end[0], end[1], count - 1)
    return np.concatenate([start[np.newaxis, :2], np.asarray(between)])


@lru_cache(maxsize=1)
def _sphere() -> pyproj.Geod:
    return pyproj.Geod(a=EARTH_M, b=EARTH_M)


def _check(outline: BaseGeometry, even_odd: bool) -> None:
    points = shapely.get_coordinates(outline)
    if len(points) > MOST_POINTS:
        raise ExpressionError(f"A geometry has more than {MOST_POINTS} points.")
    if not np.isfinite(points).all():
        raise ExpressionError("A geometry has coordinates that are not finite.")
    if not even_odd and outline.geom_type == "Polygon" and not outline.exterior.is_ccw:
        raise ExpressionError("A clockwise polygon without evenOdd means the rest of the Earth.")


def _segment(outline: BaseGeometry) -> float:
    west, south, east, north = outline.bounds
    return float(max(east - west, north - south, 1e-9)) / STRAIGHT_PARTS


def _repaired(outline: BaseGeometry) -> BaseGeometry:
    return outline if outline.is_valid else shapely.make_valid(outline)


def area_m2(outline: BaseGeometry) -> float:
    """Return the area of an outline on the sphere [m2].

    It is exact for edges straight in longitude and the sine of latitude, as short ones nearly are.
    """
    flat = shapely.transform(
        outline,
        lambda xy: np.column_stack([np.radians(xy[:, 0]), np.sin(np.radians(xy[:, 1]))]),
    )
    flat_area: float = shapely.area(flat)
    return flat_area * EARTH_M**2


def length_m(outline: BaseGeometry) -> float:
    """Return the length of all edges on the sphere [m]."""
    return float(_sphere().geometry_length(outline))


def around(outline: BaseGeometry, distance: float) -> BaseGeometry:
    """Return an outline widened by a distance [m], in a plane centred on it.

    Raises:
        ExpressionError: It is too wide for a plane to be right to 1 %.
    """
    west, south, east, north = outline.bounds
    if max(east - west, north - south) * 111_320 + 2 * abs(distance) > 500_000:
        raise ExpressionError("Geometry.buffer: more than 500 km cannot be buffered in a plane.")
    centre = outline.centroid
    plane = f"+proj=laea +lat_0={centre.y} +lon_0={centre.x} +R={EARTH_M} +units=m"
    flat = reproject(outline, WGS84, plane, EDGE_DEG)
    return reproject(flat.buffer(distance, quad_segs=16), plane, WGS84, 10_000.0)


def bounds(outline: BaseGeometry) -> BaseGeometry:
    """Return the smallest box of degrees around an outline."""
    return box(*outline.bounds)
