"""Which part of a tile one track of Sentinel-2 shows; the same in every cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import split_at_date_line
from eodata.sandbox.items import coarser
from eodata.sandbox.orbits import SENTINEL2_HALF_SWATH_KM, Track
from eodata.sandbox.planet.sites import SOUTH_M, Floats, Sites, from_lonlat, to_lonlat
from eodata.sandbox.tiles import Tile, TilesNear, tile

LEAST_SHARE = 0.01
"""Of a tile; less is not made into a product."""
COARSE = 200
"""Base pixels per pixel of the grid on which cloud cover is counted: 2 km."""
REACH_S = 40.0
"""Flight over a tile takes 16 s; slanted, less than twice as much on either side."""
TILE_RADIUS_KM = 80.0


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A tile from one track.

    Attributes:
        footprint: The part inside of the swath, EPSG:4326.
        share: Of the tile, 0 to 1.
        along: When the middle of the tile is abeam [s after the start of the pass].
        centre: Longitude and latitude of the tile's middle [degrees].
        coarse: The tile's grid at 2 km.
        seen: `(H, W)` bool, which of these pixels lie inside of the swath.
    """

    footprint: BaseGeometry
    share: float
    along: float
    centre: tuple[float, float]
    coarse: GeoBox
    seen: NDArray[np.bool_]


class Searched:
    """The tiles over some ground, ready to be asked which of them a track may show.

    Tiles are made only when a track comes near: over the whole Earth there are 56,000.
    """

    def __init__(self, footprint: BaseGeometry) -> None:
        self._near = TilesNear.of(footprint)
        self._known: dict[Track, list[Tile]] = {}

    def on(self, track: Track) -> list[Tile]:
        """Return the tiles that may lie in the swath of a track."""
        if track not in self._known:
            across, _ = track.locate(self._near.squares.lon, self._near.squares.lat)
            near = np.abs(across) < SENTINEL2_HALF_SWATH_KM + TILE_RADIUS_KM
            self._known[track] = self._near.confirmed(near)
        return self._known[track]


@lru_cache(maxsize=30_000)
def sight(name: str, track: Track) -> Sight | None:
    """Return the part of a tile that a track shows, None when it is too small for a product."""
    found = tile(name)
    lon, lat = found.centre
    _, along = track.locate(np.array([lon]), np.array([lat]))
    footprint, share = _seen(found, track, float(along[0]))
    if share < LEAST_SHARE:
        return None
    coarse = coarser(found.geobox, COARSE)
    across, _ = track.locate(*_lonlat(found, *_pixel_centres(coarse)))
    return Sight(
        footprint=footprint,
        share=share,
        along=float(along[0]),
        centre=(lon, lat),
        coarse=coarse,
        seen=(np.abs(across) <= SENTINEL2_HALF_SWATH_KM).reshape(coarse.shape),
    )


def _seen(found: Tile, track: Track, along: float) -> tuple[BaseGeometry, float]:
    """Return the tile inside of the swath, EPSG:4326, and its share of the tile."""
    grid = found.geobox
    edge = float(SENTINEL2_HALF_SWATH_KM)
    times = np.linspace(along - REACH_S, along + REACH_S, 33)
    sides = [track.place(np.full(times.shape, side), times) for side in (-edge, edge)]
    left, right = (np.column_stack(_xy(found, lon, lat)) for lon, lat in sides)
    swath = Polygon(np.concatenate([left, right[::-1]])).buffer(0)
    whole = box(*grid.boundingbox.bbox)
    part = whole.intersection(swath)
    degrees = shapely.transform(
        shapely.segmentize(part, 20_000), lambda x, y: _lonlat(found, x, y), interleaved=False
    )
    return split_at_date_line(degrees), part.area / whole.area


def _pixel_centres(grid: GeoBox) -> tuple[Floats, Floats]:
    col, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    affine = grid.affine
    return affine.c + affine.a * col.ravel(), affine.f + affine.e * row.ravel()


def _xy(found: Tile, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    sites = from_lonlat(int(found.name[:2]), lon, lat)
    return sites.x, sites.y + _false_m(found)


def _lonlat(found: Tile, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return to_lonlat(Sites(int(found.name[:2]), x, y - _false_m(found)))


def _false_m(found: Tile) -> float:
    return SOUTH_M if found.name[2] < "N" else 0.0
