"""The land and the towns of the Earth, from the arrays that eodata ships. Pure.

The shapes are those of Natural Earth at 1:50 million (public domain), rounded to 0.001 degrees.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon

STEP_DEG = 0.001
"""Unit of the stored coordinates [degrees]."""
LAND, URBAN = "land", "urban_areas"


def polygons_from(
    arrays: Mapping[str, NDArray[np.int32]],
) -> tuple[MultiPolygon, MultiPolygon]:
    """Return land with its lakes, and urban areas, in degrees (EPSG:4326), cut at the date line.

    Args:
        arrays: Per layer `{layer}_steps` (2, N), the differences from one vertex to the next in x
            and y [0.001 degrees]; `{layer}_rings` (R + 1,), where rings begin and end;
            `{layer}_parts` (R,), the polygon of each ring, the outer ring first. An open
            `numpy.load` is such a mapping.

    Raises:
        KeyError: An array of a layer is missing.
    """
    return _layer(arrays, LAND), _layer(arrays, URBAN)


def _layer(arrays: Mapping[str, NDArray[np.int32]], name: str) -> MultiPolygon:
    steps, ends, owner = (arrays[f"{name}_{part}"] for part in ("steps", "rings", "parts"))
    # Whole steps are summed, so that every machine gets the same coordinates.
    points = steps.cumsum(axis=1, dtype=np.int64).T * STEP_DEG
    rings = shapely.linearrings(points, indices=np.repeat(np.arange(owner.size), np.diff(ends)))
    return MultiPolygon(list(shapely.polygons(rings, indices=owner)))
