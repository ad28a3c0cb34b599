"""The 100 km squares of the military grid: where they lie, and which have a Sentinel-2 tile.

A tile begins at the north-west corner of its square, moved outwards to whole 60 m from the equator
and from the zone's origin, and is 109.8 km wide. A UTM zone has the tiles whose centre or western
edge lies in it, which is what lists of the real tiles show: those in the east reach over the
border, so that the next zone needs none whose centre lies before the border.

Counted from the central meridian all zones are alike, so places are computed once. Squares are
known by zone, column (easting of the west edge) and row (northing of the south edge, negative in
the south), both in 100 km; arrays of them are `(N,)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from eodata.sandbox.groundtrack import Floats

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

SQUARE_M, TILE_M, SNAP_M = 100_000, 109_800, 60
ZONES, ZONE_DEG = 60, 6
SOUTH_END, NORTH_END = -80.0, 84.0
FIRST_COLUMN, LAST_COLUMN, FIRST_ROW, LAST_ROW = 1, 8, -89, 93
WIDE_ZONES = (
    (31, 56, 64, 0, 3), (32, 56, 64, 3, 12),
    (31, 72, 84, 0, 9), (32, 72, 84, 0, 0), (33, 72, 84, 9, 21), (34, 72, 84, 0, 0),
    (35, 72, 84, 21, 33), (36, 72, 84, 0, 0), (37, 72, 84, 33, 42),
)  # fmt: skip
"""Norway and Svalbard: zone, latitudes from and to, longitudes from and to [degrees]."""
LAND_FILE = Path(__file__).parent / "data" / "sentinel2_tiles.npz"
LAND_KM = 20.0
"""How far off the coast there still are tiles."""
STEPS, MIDDLE = 5, 2
"""Places along a tile's edge at which it is asked for land: no land lies 20 km from all of them."""
EDGE_PARTS = 8
REACH_DEG = 0.75
"""More than the distance from a tile's centre to its corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """Some squares, and the centres of their tiles; arrays `(N,)`.

    Attributes:
        zone: UTM zones.
        column: Columns.
        row: Rows.
        lon: Longitudes [degrees].
        lat: Latitudes [degrees].
    """

    zone: Ints
    column: Ints
    row: Ints
    lon: Floats
    lat: Floats

    def __len__(self) -> int:
        return len(self.zone)

    def where(self, some: Mask) -> Squares:
        """Return those that a mask selects."""
        return Squares(
            self.zone[some], self.column[some], self.row[some], self.lon[some], self.lat[some]
        )

    def in_reach(self, bounds: tuple[float, float, float, float]) -> Mask:
        """Return which ones have a tile that may touch a box [degrees]."""
        west, south, east, north = bounds
        highest = np.minimum(np.abs(self.lat) + REACH_DEG, 89.0)
        reach = REACH_DEG / np.cos(np.radians(highest))
        off = np.abs(turned(self.lon - (west + east) / 2))
        level = (self.lat > south - REACH_DEG) & (self.lat < north + REACH_DEG)
        return np.asarray(level & (off < (east - west) / 2 + reach))


@lru_cache(maxsize=1)
def all_squares() -> Squares:
    """Return the squares that have a tile, on land or not: 56,461 (the real grid has 56,686)."""
    rows, columns = slice(FIRST_ROW, LAST_ROW + 1), slice(FIRST_COLUMN, LAST_COLUMN + 1)
    zone, row, column = (axis.ravel() for axis in np.mgrid[1 : ZONES + 1, rows, columns])
    there = have_tiles(zone, column, row)
    zone, column, row = zone[there], column[there], row[there]
    centre = lattice()[_index(column, row), MIDDLE, MIDDLE]
    return Squares(zone, column, row, turned(centre[:, 0] + meridian(zone)), centre[:, 1])


@lru_cache(maxsize=1)
def land_squares() -> Squares:
    """Return the squares that have a tile and land in it or near it."""
    squares = all_squares()
    return squares.where(show_land(squares.zone, squares.column, squares.row))


def have_tiles(zone: Ints, column: Ints, row: Ints) -> Mask:
    """Return which squares have tiles: by where the tile's centre and western edge would lie."""
    places = lattice()[_index(column, row)]
    tested = np.concatenate([places[:, MIDDLE, MIDDLE, np.newaxis], places[:, :, 0]], axis=1)
    in_zone = _in_zone(zone[:, np.newaxis], tested[..., 0], tested[..., 1])
    south, north = places[:, 0, MIDDLE, 1], places[:, -1, MIDDLE, 1]
    return np.asarray(in_zone.any(axis=1) & (south < NORTH_END) & (north > SOUTH_END))


def show_land(zone: Ints, column: Ints, row: Ints) -> Mask:
    """Return which squares have land in their tile or within some 20 km of it."""
    return np.asarray(_land()[zone, _index(column, row)])


def corner(column: Any, row: Any) -> tuple[Any, Any]:
    """Return the north-west corner of tiles: easting, and northing from the equator [m]."""
    left, top = SQUARE_M * column, SQUARE_M * (row + 1)
    return left - left % SNAP_M, top + -top % SNAP_M


def centre_of(column: int, row: int) -> tuple[float, float]:
    """Return degrees east of the meridian, and latitude, of the middle of a tile."""
    lon, lat = lattice()[_index(column, row), MIDDLE, MIDDLE]
    return float(lon), float(lat)


@lru_cache(maxsize=2048)
def outline(column: int, row: int) -> Floats:
    """Return the corners of a tile and places between them, `(N, 2)` metres in its zone."""
    left, top = corner(column, row)
    there, back = np.arange(EDGE_PARTS) / EDGE_PARTS, 1 - np.arange(EDGE_PARTS) / EDGE_PARTS
    x = np.concatenate([there, np.ones(EDGE_PARTS), back, np.zeros(EDGE_PARTS)])
    y = np.concatenate([np.zeros(EDGE_PARTS), there, np.ones(EDGE_PARTS), back])
    return np.column_stack([left + TILE_M * x, top - TILE_M + TILE_M * y])


@lru_cache(maxsize=1)
def lattice() -> Floats:
    """Return places all over every tile of one zone, `(places, STEPS, STEPS, 2)` from south-west.

    Degrees east of the meridian, and latitude.
    """
    rows, columns = np.mgrid[FIRST_ROW : LAST_ROW + 1, FIRST_COLUMN : LAST_COLUMN + 1]
    steps = np.linspace(0.0, TILE_M, STEPS)
    left, top = corner(columns.ravel(), rows.ravel())
    x = left[:, np.newaxis, np.newaxis] + steps
    y = top[:, np.newaxis, np.newaxis] - steps[::-1, np.newaxis]
    return np.stack(to_degrees(*np.broadcast_arrays(x, y)), axis=-1)


def meridian(zone: Any) -> Any:
    """Return the central meridian of zones [degrees]."""
    return ZONE_DEG * zone - 183.0


def turned(lon: Any) -> Any:
    """Return longitudes within ±180 degrees."""
    return (lon + 180.0) % 360.0 - 180.0


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return degrees east of a zone's meridian, and latitude, of metres in the zone."""
    lon, lat = _transverse_mercator().transform(x, y, direction="INVERSE")
    return np.asarray(lon), np.asarray(lat)


def to_metres(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return metres in a zone, northings counted from the equator; turns `to_degrees` round."""
    x, y = _transverse_mercator().transform(lon, lat)
    return np.asarray(x), np.asarray(y)


def _in_zone(zone: Ints, from_meridian: Floats, lat: Floats) -> Mask:
    """Return whether places, by degrees from a zone's meridian, lie in that zone."""
    lon = turned(from_meridian + meridian(zone))
    inside = np.asarray(np.abs(from_meridian) < ZONE_DEG / 2)
    for number, south, north, west, east in WIDE_ZONES:
        here = (zone == number) & (lat >= south) & (lat < north)
        inside = np.where(here, (lon >= west) & (lon < east), inside)
    return inside


def _index(column: Any, row: Any) -> Any:
    """Return where a square is among the places of a zone."""
    return (row - FIRST_ROW) * (LAST_COLUMN - FIRST_COLUMN + 1) + column - FIRST_COLUMN


@lru_cache(maxsize=1)
def _land() -> Mask:
    """Return by zone and place whether there is land; `data/make_tiles.py` has found it out."""
    with np.load(LAND_FILE) as arrays:
        return np.unpackbits(arrays["land"], axis=1, count=len(lattice())).astype(bool)


@lru_cache(maxsize=1)
def _transverse_mercator() -> pyproj.Transformer:
    crs = pyproj.CRS.from_proj4(
        "+proj=tmerc +lat_0=0 +lon_0=0 +k=0.9996 +x_0=500000 +y_0=0 +datum=WGS84 +units=m"
    )
    return pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
