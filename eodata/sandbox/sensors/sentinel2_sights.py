"""Which part of a tile one track of Sentinel-2 shows; the same in every cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.sandbox.groundtrack import Floats
from eodata.sandbox.items import coarser
from eodata.sandbox.orbits import SENTINEL2_HALF_SWATH_KM, Track
from eodata.sandbox.squares import corner, meridian, outline, to_degrees, to_metres, turned
from eodata.sandbox.tiles import Tile, TilesNear, to_ground

LEAST_SHARE = 0.01
"""Of a tile; less is not made into a product."""
COARSE = 183
"""Base pixels per pixel of the grid on which cloud cover is counted: 1.83 km, 60 by tile."""
REACH_S, STEPS = 25.0, 21
"""Swath edges are drawn for twice this time of flight; a tile takes 23 s from corner to corner."""
SEGMENT_M = 15_000.0
REACH_KM = 80.0
"""From a tile's centre to its corners."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A tile from one track.

    Attributes:
        tile: The tile.
        footprint: The part inside of the swath, EPSG:4326.
        share: Of the tile, 0 to 1.
        along: When the middle of the tile is abeam [s after the start of the pass], to the
            millisecond.
        coarse: The tile's grid at 1.83 km.
        seen: `(H, W)` bool, which of these pixels lie inside of the swath.
    """

    tile: Tile
    footprint: BaseGeometry
    share: float
    along: float
    coarse: GeoBox
    seen: NDArray[np.bool_]


class Searched:
    """Some ground, ready to be asked which tiles over it a track shows."""

    def __init__(self, footprint: BaseGeometry) -> None:
        self._near = TilesNear.of(footprint)
        self._known: dict[Track, tuple[Tile, ...]] = {}

    def on(self, track: Track) -> tuple[Tile, ...]:
        """Return the tiles over the ground that may lie in the swath of a track."""
        if track not in self._known:
            across, along = track.locate(self._near.squares.lon, self._near.squares.lat)
            flown = (along >= 0) & (along < track.length_s)
            near = flown & (np.abs(across) < SENTINEL2_HALF_SWATH_KM + REACH_KM)
            self._known[track] = tuple(self._near.confirmed(near))
        return self._known[track]

    def shares(self, footprint: BaseGeometry) -> bool:
        """Return True when a footprint shares ground with what is searched."""
        return shares_ground(self._near.ground, footprint)


def along_of(tile: Tile, track: Track) -> float:
    """Return when the middle of a tile is abeam [s after the start], to the millisecond."""
    lon, lat = tile.centre
    return round(float(track.locate(lon, lat)[1]), 3)


@lru_cache(maxsize=30_000)
def sight(tile: Tile, track: Track) -> Sight | None:
    """Return the part of a tile that a track shows, None when it is too small for a product."""
    along = along_of(tile, track)
    if not 0 <= along < track.length_s:
        return None  # seen from the far side of a turning point
    whole = Polygon(outline(tile.column, tile.row))
    part = whole.intersection(_swath(tile, track, along))
    share = part.area / whole.area
    if share < LEAST_SHARE:
        return None
    ring = shapely.get_coordinates(shapely.segmentize(part, SEGMENT_M).exterior)
    coarse = coarser(tile.geobox, COARSE)
    across, _ = track.locate(*_pixel_centres(tile, coarse))
    seen = np.abs(across) <= SENTINEL2_HALF_SWATH_KM
    return Sight(tile, to_ground(tile.zone, ring), share, along, coarse, seen)


def _swath(tile: Tile, track: Track, along: float) -> Polygon:
    """Return the swath around a tile, in metres of its zone counted from the equator."""
    times = np.linspace(along - REACH_S, along + REACH_S, STEPS)
    around = np.concatenate([times, times[::-1]])
    side = np.repeat([-SENTINEL2_HALF_SWATH_KM, SENTINEL2_HALF_SWATH_KM], STEPS)
    lon, lat = track.place(side, around)
    return Polygon(np.column_stack(to_metres(turned(lon - meridian(tile.zone)), lat)))


def _pixel_centres(tile: Tile, grid: GeoBox) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes [degrees] of a grid of the tile, `(H, W)`."""
    left, top = corner(tile.column, tile.row)
    x, y = ((np.arange(size) + 0.5) * grid.affine.a for size in (grid.shape[1], grid.shape[0]))
    lon, lat = to_degrees(*np.meshgrid(left + x, top - y))
    return lon + meridian(tile.zone), lat
