"""Geometries: constructed, measured, combined. Everything is in EPSG:4326 in the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from shapely import union_all
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import WGS84
from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.ground import area_m2, around, bounds, from_geojson, length_m, plain
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import (
    COMPOSITE,
    Collection,
    Feature,
    Geometry,
    Image,
    Projection,
)


def _made(
    kind: str, coordinates: Any, crs: Projection | None, geodesic: bool | None, even_odd: bool
) -> Geometry:
    code = WGS84 if crs is None else crs.crs
    told = {"type": kind, "coordinates": _paired(coordinates, kind)}
    return from_geojson(told, code, geodesic, even_odd=even_odd)


def _paired(coordinates: list[Any], kind: str) -> Any:
    """Return coordinates as GeoJSON has them: rings closed, flat lists in pairs."""
    if kind in ("Polygon", "MultiLineString") and _is_ring(coordinates):
        coordinates = [coordinates]
    if kind == "MultiPolygon" and coordinates and _is_ring(coordinates[0]):
        coordinates = [coordinates]
    if kind == "Polygon":
        return [_closed(ring) for ring in coordinates]
    if kind == "MultiPolygon":
        return [[_closed(ring) for ring in polygon] for polygon in coordinates]
    return coordinates


def _is_ring(coordinates: Any) -> bool:
    if not isinstance(coordinates, list) or not coordinates:
        raise ExpressionError("A geometry has no coordinates.")
    first = coordinates[0]
    return isinstance(first, list) and bool(first) and isinstance(first[0], int | float)


def _closed(ring: Any) -> Any:
    if not isinstance(ring, list) or len(ring) < 3:
        raise ExpressionError("A ring has at least three points.")
    return ring if ring[0] == ring[-1] else [*ring, ring[0]]


@function("GeometryConstructors.Point")
def point(coordinates: list[float], crs: Projection | None = None) -> Geometry:
    """Return a point."""
    return _made("Point", coordinates, crs, None, True)


@function("GeometryConstructors.MultiPoint")
def multi_point(coordinates: list[Any], crs: Projection | None = None) -> Geometry:
    """Return points."""
    return _made("MultiPoint", coordinates, crs, None, True)


@function("GeometryConstructors.LineString")
def line(
    coordinates: list[Any],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    max_error: Any = None,
) -> Geometry:
    """Return a line."""
    del max_error  # edges are exact
    return _made("LineString", coordinates, crs, geodesic, True)


@function("GeometryConstructors.LinearRing")
def ring(
    coordinates: list[Any],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    max_error: Any = None,
) -> Geometry:
    """Return a closed line."""
    del max_error
    return _made("LinearRing", _closed(coordinates), crs, geodesic, True)


@function("GeometryConstructors.MultiLineString")
def multi_line(
    coordinates: list[Any],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    max_error: Any = None,
) -> Geometry:
    """Return lines."""
    del max_error
    return _made("MultiLineString", coordinates, crs, geodesic, True)


@function("GeometryConstructors.Polygon")
def polygon(
    coordinates: list[Any],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    max_error: Any = None,
    even_odd: bool = True,
) -> Geometry:
    """Return a polygon."""
    del max_error
    return _made("Polygon", coordinates, crs, geodesic, even_odd)


@function("GeometryConstructors.MultiPolygon")
def multi_polygon(
    coordinates: list[Any],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    max_error: Any = None,
    even_odd: bool = True,
) -> Geometry:
    """Return polygons."""
    del max_error
    return _made("MultiPolygon", coordinates, crs, geodesic, even_odd)


@function("GeometryConstructors.Rectangle")
def rectangle(
    coordinates: list[Any],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    even_odd: bool = True,
) -> Geometry:
    """Return a rectangle from `[west, south, east, north]` or two corners."""
    flat = [n for part in coordinates for n in (part if isinstance(part, list) else [part])]
    if len(flat) != 4:
        raise ExpressionError("GeometryConstructors.Rectangle: two corners are four numbers.")
    west, south, east, north = flat
    corners = [[west, south], [east, south], [east, north], [west, north]]
    return _made("Polygon", [corners], crs, geodesic, even_odd)


@function("GeometryConstructors.BBox")
def degrees_box(west: float, south: float, east: float, north: float) -> Geometry:
    """Return a box whose edges are meridians and parallels."""
    if not (east - west < 360 and math.isfinite(north - south)):
        raise UnsupportedError("GeometryConstructors.BBox", "boxes around the Earth")
    corners = [[west, south], [east, south], [east, north], [west, north]]
    return _made("Polygon", [corners], None, False, True)


@function("GeometryConstructors.MultiGeometry")
def several(
    geometries: list[Geometry],
    crs: Projection | None = None,
    geodesic: bool | None = None,
    max_error: Any = None,
) -> Geometry:
    """Return geometries as one."""
    del geodesic, max_error
    if crs is not None and crs.crs != WGS84:
        raise UnsupportedError("GeometryConstructors.MultiGeometry", "a CRS")
    told = {"type": "GeometryCollection", "geometries": [mapping(g.shape) for g in geometries]}
    return from_geojson(told, geodesic=False)


@function("Geometry.bounds")
def bounds_of(
    geometry: Geometry, max_error: Any = None, proj: Projection | None = None
) -> Geometry:
    """Return the smallest box of degrees around a geometry."""
    del max_error
    _only_degrees("Geometry.bounds", proj)
    return plain(bounds(geometry.shape))


@function("Geometry.area")
def area(geometry: Geometry, max_error: Any = None, proj: Projection | None = None) -> float:
    """Return the area on the sphere [m2]."""
    del max_error
    _only_degrees("Geometry.area", proj)
    return area_m2(geometry.shape)


@function("Geometry.length", "Geometry.perimeter")
def length(geometry: Geometry, max_error: Any = None, proj: Projection | None = None) -> float:
    """Return the length of all edges on the sphere [m]."""
    del max_error
    _only_degrees("Geometry.length", proj)
    return length_m(geometry.shape)


@function("Geometry.buffer")
def buffer(
    geometry: Geometry, distance: float, max_error: Any = None, proj: Projection | None = None
) -> Geometry:
    """Return what lies within some metres of a geometry."""
    del max_error
    _only_degrees("Geometry.buffer", proj)
    return plain(around(geometry.shape, distance))


@function("Geometry.centroid")
def centroid(geometry: Geometry, max_error: Any = None, proj: Projection | None = None) -> Geometry:
    """Return the middle, in degrees; not for what is wider than a few."""
    del max_error
    _only_degrees("Geometry.centroid", proj)
    west, south, east, north = geometry.shape.bounds
    if max(east - west, north - south) > 2:
        raise UnsupportedError("Geometry.centroid", "of what is wider than two degrees")
    return plain(geometry.shape.centroid)


@function("Geometry.coordinates")
def coordinates_of(geometry: Geometry) -> list[Any]:
    """Return the coordinates as they were written."""
    found: list[Any] = _lists(geometry.told.get("coordinates", []))
    return found


@function("Geometry.type")
def type_of(geometry: Geometry) -> str:
    """Return the type as GeoJSON names it."""
    return str(geometry.told["type"])


@function("Element.geometry", "Feature.geometry", "Image.geometry")
def geometry_of(
    feature: Feature | Image,
    max_error: Any = None,
    proj: Projection | None = None,
    geodesics: bool | None = None,
) -> Geometry | None:
    """Return where an element is; None where it has no end."""
    del max_error, geodesics
    _only_degrees("Element.geometry", proj)
    return feature.ground


@function("Collection.geometry")
def geometry_of_all(collection: Collection, max_error: Any = None) -> Geometry:
    """Return what all elements cover together."""
    del max_error
    grounds = [element.ground.shape for element in collection.elements if element.ground]
    if not grounds:
        raise ExpressionError("Collection.geometry: no element has a geometry.")
    return plain(union_all(grounds))


def _only_degrees(who: str, proj: Projection | None) -> None:
    if proj is not None and proj.crs != COMPOSITE.crs:
        raise UnsupportedError(who, f"in {proj.crs}")


def _lists(told: Any) -> Any:
    return [_lists(part) for part in told] if isinstance(told, list | tuple) else told


def _register(name: str, ask: Callable[[BaseGeometry, BaseGeometry], bool]) -> None:
    @function(f"Geometry.{name}")
    def relation(
        left: Geometry, right: Geometry, max_error: Any = None, proj: Projection | None = None
    ) -> bool:
        del max_error
        _only_degrees(f"Geometry.{name}", proj)
        return bool(ask(left.shape, right.shape))


def _register_set(name: str) -> None:
    @function(f"Geometry.{name}")
    def combined(
        left: Geometry, right: Geometry, max_error: Any = None, proj: Projection | None = None
    ) -> Geometry:
        del max_error
        _only_degrees(f"Geometry.{name}", proj)
        return plain(getattr(left.shape, name)(right.shape))


_register("intersects", lambda a, b: a.intersects(b))
_register("contains", lambda a, b: a.contains(b))
_register("disjoint", lambda a, b: a.disjoint(b))
_register_set("intersection")
_register_set("union")
_register_set("difference")
