"""Outlines: from one CRS to another, cut at the date line, compared. Pure geometry."""

from __future__ import annotations

from functools import lru_cache

import pyproj
import shapely
from shapely.affinity import translate
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

WGS84 = "EPSG:4326"
INTERIORS_MEET = "T********"
"""DE-9IM. Touching edges share no ground."""


def reproject(geometry: BaseGeometry, source: str, target: str, segment: float) -> BaseGeometry:
    """Return `geometry` in the CRS `target`; world order (x, y) on both sides.

    Args:
        geometry: In the CRS `source`.
        source: As `resolve_crs` returns it.
        target: As `resolve_crs` returns it.
        segment: Edges are cut to at most this length first, so that they bend [unit of `source`].

    Returns:
        The outline; coordinates that `target` does not have are infinite.
    """
    if source == target:
        return geometry
    transformer = _transformer(source, target)
    return shapely.transform(
        shapely.segmentize(geometry, segment), transformer.transform, interleaved=False
    )


def split_at_date_line(outline: BaseGeometry) -> BaseGeometry:
    """Return an outline in EPSG:4326 cut in two where it crosses the date line.

    An outline wider than half the Earth is one whose longitudes jump from 180 to -180. Outlines
    around a pole are not handled: they come back with the jump cut out.
    """
    west, _, east, _ = outline.bounds
    if east - west <= 180.0:
        return outline
    unrolled = shapely.transform(outline, lambda x, y: ((x + 360.0) % 360.0, y), interleaved=False)
    eastern = unrolled.intersection(box(0, -90, 180, 90))
    western = unrolled.intersection(box(180, -90, 360, 90))
    return shapely.union_all([eastern, translate(western, -360.0)])


def shares_ground(prepared: BaseGeometry, other: BaseGeometry) -> bool:
    """Return True when the interiors of two outlines meet; prepare the one asked more often."""
    return bool(prepared.intersects(other) and prepared.relate_pattern(other, INTERIORS_MEET))


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)
