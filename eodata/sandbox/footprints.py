"""Footprints: brought within ±180 degrees, and asked whether they may hold land."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.sites import Floats

KM_PER_DEG = 111.2
COAST_SLACK_KM = 3.0
"""How far the fine shape of a simulated coast may stray from the coarse one."""


def within_180(footprint: BaseGeometry) -> BaseGeometry:
    """Return a footprint with the parts beyond ±180 degrees brought back."""
    west, _, east, _ = footprint.bounds
    if west >= -180 and east <= 180:
        return footprint
    worlds = [(turn, box(turn - 180, -90, turn + 180, 90)) for turn in (-360, 0, 360)]
    return shapely.union_all(
        [translate(footprint.intersection(world), -turn) for turn, world in worlds]
    )


def near_land(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    """Return False far off the coast: whole boxes of a degree without land within 60 km."""
    col = np.floor(np.asarray(lon) + 180.0).astype(np.int64) % 360
    row = np.clip(np.floor(np.asarray(lat) + 90.0).astype(np.int64), 0, 179)
    return np.asarray(_land_boxes()[row, col])


@lru_cache(maxsize=1)
def _land_boxes() -> NDArray[np.bool_]:
    return globe().land_share() > 0


@lru_cache(maxsize=100_000)
def may_hold_land(bounds: tuple[float, float, float, float]) -> bool:
    """Return False when a box of degrees is all sea, True when it holds land or may do so.

    The coast is asked at points so close together that no island falls between them; a cell just
    off a coast may pass.
    """
    west, south, east, north = bounds
    step = min(0.25, (north - south) / 5)
    lon, lat = np.meshgrid(
        np.linspace(west, east, ceil((east - west) / step) + 1),
        np.clip(np.linspace(south, north, ceil((north - south) / step) + 1), -89.99, 89.99),
    )
    near = near_land(lon, lat)
    reach = 0.71 * step * KM_PER_DEG + COAST_SLACK_KM
    lon, lat = (lon[near] + 180) % 360 - 180, lat[near]
    return bool((globe().coast_km(lon, lat) > -reach).any())
