"""The sinusoidal grid of the MODIS land products: 36 by 18 tiles of ten degrees at the equator."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.sandbox.footprints import near_land, within_180
from eodata.sandbox.planet.sites import Floats
from eodata.sandbox.sensors.gridded import GridCell

RADIUS_M = 6_371_007.181
"""Of the sphere of the grid [m]."""
CRS = f"+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R={RADIUS_M} +units=m +no_defs"
COLS, ROWS = 36, 18
EDGE_M = math.pi * RADIUS_M / ROWS
"""Edge of a tile [m]: 1,111,950.5 m."""
TILE_PX = 2400
PIXEL_M = EDGE_M / TILE_PX
"""463.3127 m."""
_NAME = re.compile(r"h(\d\d)v(\d\d)")


def to_lonlat(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return longitude and latitude [degrees]; longitudes beyond ±180 are off the Earth."""
    lat = y / RADIUS_M
    cos = np.maximum(np.cos(lat), 1e-9)
    return np.degrees(x / (RADIUS_M * cos)), np.degrees(lat)


class SinusoidalGrid:
    """The tiles that hold land, or may do so."""

    def over(self, footprint: BaseGeometry) -> Iterator[GridCell]:
        """Yield the tiles that share ground with a footprint, ordered by name."""
        ground = within_180(footprint)
        shapely.prepare(ground)
        places = {p for part in shapely.get_parts(ground) for p in _places(part.bounds)}
        for col, row in sorted(places):
            tile = _tile(col, row)
            if tile is not None and shares_ground(ground, tile.footprint):
                yield tile

    def cell(self, name: str) -> GridCell:
        """Return one tile.

        Raises:
            LookupError: The grid has no such tile.
        """
        said = _NAME.fullmatch(name)
        tile = _tile(int(said[1]), int(said[2])) if said else None
        if tile is None:
            raise LookupError(f'the sinusoidal grid has no tile "{name}"')
        return tile


def place_of(name: str) -> tuple[int, int]:
    """Return the column and row of a tile by its name."""
    return int(name[1:3]), int(name[4:6])


@lru_cache(maxsize=COLS * ROWS)
def tile_may_hold_land(name: str) -> bool:
    """Return False when a tile is all sea or off the Earth."""
    col, row = place_of(name)
    at = (np.arange(20) + 0.5) / 20
    x, y = np.meshgrid((col - COLS / 2 + at) * EDGE_M, (ROWS / 2 - row - at) * EDGE_M)
    lon, lat = to_lonlat(x.ravel(), y.ravel())
    on_earth = np.abs(lon) <= 180
    return bool(near_land(lon[on_earth], lat[on_earth]).any())


def _places(bounds: tuple[float, float, float, float]) -> Iterator[tuple[int, int]]:
    """Yield columns and rows of the tiles that may touch a box of degrees."""
    west, south, east, north = bounds
    first, last = math.floor((90 - north) / 10), math.floor((90 - south) / 10)
    for row in range(max(0, first), min(ROWS - 1, last) + 1):
        lats = [min(max(lat, 80 - 10 * row), 90 - 10 * row) for lat in (south, north, 0)]
        cosines = [math.cos(math.radians(lat)) for lat in lats]
        left = min(west * cos for cos in cosines)
        right = max(east * cos for cos in cosines)
        for col in range(math.floor((left + 180) / 10), math.floor((right + 180) / 10) + 1):
            if 0 <= col < COLS:
                yield col, row


@lru_cache(maxsize=COLS * ROWS)
def _tile(col: int, row: int) -> GridCell | None:
    """Return a tile; None where the grid ends or the whole tile is off the Earth."""
    if not (0 <= col < COLS and 0 <= row < ROWS):
        return None
    left, top = (col - COLS / 2) * EDGE_M, (ROWS / 2 - row) * EDGE_M
    outline = _outline(left, top)
    if outline.is_empty:
        return None
    base = GeoBox((TILE_PX, TILE_PX), Affine(PIXEL_M, 0, left, 0, -PIXEL_M, top), CRS)
    return GridCell(f"h{col:02d}v{row:02d}", base, outline, outline.bounds)


def _outline(left: float, top: float) -> BaseGeometry:
    """Return the part of a tile that is on the Earth; its sides are curves in degrees."""
    y = np.linspace(top, top - EDGE_M, 41)
    sides = [to_lonlat(np.full_like(y, x), y) for x in (left, left + EDGE_M)]
    (west, lat), (east, _) = [(np.clip(lon, -360.0, 360.0), lat) for lon, lat in sides]
    ring = [*zip(west, lat, strict=True), *zip(east[::-1], lat[::-1], strict=True)]
    return Polygon(ring).buffer(0).intersection(box(-180, -90, 180, 90))
