"""The tiles that Sentinel-2 products are cut into: by name, and by the ground they show.

A tile is called by its UTM zone, the letter of latitude at its centre, and the two letters of its
100 km square: 31UDS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.affinity import translate
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.sandbox.footprints import within_180
from eodata.sandbox.groundtrack import Floats
from eodata.sandbox.squares import (
    FIRST_COLUMN,
    FIRST_ROW,
    LAST_ROW,
    SOUTH_END,
    TILE_M,
    ZONES,
    Mask,
    Squares,
    centre_of,
    corner,
    have_tiles,
    land_squares,
    meridian,
    outline,
    show_land,
    to_degrees,
    turned,
)

PIXEL_M = 10
PIXELS = TILE_M // PIXEL_M
SOUTH_M = 10_000_000
BAND_DEG, BANDS = 8, "CDEFGHJKLMNPQRSTUVWX"
"""Letters of latitude from 80 S; the last has twelve degrees."""
COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
"""Letters of squares eastwards from 100 km, by the remainder of the zone divided by 3."""
ROWS = ("FGHJKLMNPQRSTUVABCDE", "ABCDEFGHJKLMNPQRSTUV")
"""Letters of squares northwards from the equator, for even and odd zones."""
_NAME = re.compile(r"(\d{2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile.

    Attributes:
        name: As in `31UDS`.
        zone: UTM zone.
        column: Easting of its square's west edge [100 km].
        row: Northing of its square's south edge [100 km], negative in the south.
    """

    name: str
    zone: int
    column: int
    row: int

    @property
    def epsg(self) -> int:
        """Code of its coordinate system."""
        return (32700 if self.row < 0 else 32600) + self.zone

    @property
    def geobox(self) -> GeoBox:
        """Its pixels of 10 m."""
        left, top = corner(self.column, self.row)
        top += SOUTH_M if self.row < 0 else 0
        place = Affine(PIXEL_M, 0, left, 0, -PIXEL_M, top)
        return GeoBox((PIXELS, PIXELS), place, f"EPSG:{self.epsg}")

    @property
    def footprint(self) -> BaseGeometry:
        """Its ground, EPSG:4326; in two parts where it crosses the date line."""
        return to_ground(self.zone, outline(self.column, self.row))

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of its middle [degrees]."""
        lon, lat = centre_of(self.column, self.row)
        return float(turned(lon + meridian(self.zone))), lat


@dataclass(frozen=True, slots=True, eq=False)
class TilesNear:
    """Tiles that may share ground with a footprint.

    Attributes:
        ground: The footprint, prepared.
        squares: Those of the tiles.
    """

    ground: BaseGeometry
    squares: Squares

    @classmethod
    def of(cls, footprint: BaseGeometry) -> TilesNear:
        """Find the tiles that show land and whose centre is near the box around a part of it.

        Args:
            footprint: EPSG:4326. Longitudes beyond ±180 are those beyond the date line.
        """
        ground = footprint if footprint.is_empty else within_180(footprint)
        shapely.prepare(ground)
        squares = land_squares()
        near = np.zeros(len(squares), bool)
        for part in shapely.get_parts(ground):
            near |= squares.in_reach(part.bounds)
        return cls(ground, squares.where(near))

    def confirmed(self, some: Mask) -> list[Tile]:
        """Return those among some `(N,)` that do share ground, in the order of the squares."""
        found = self.squares.where(some)
        places = zip(found.zone.tolist(), found.column.tolist(), found.row.tolist(), strict=True)
        tiles = (_tile(*place) for place in places)
        return [tile for tile in tiles if shares_ground(self.ground, tile.footprint)]


def tile(name: str) -> Tile:
    """Return one tile by its name.

    Raises:
        LookupError: There is no such tile, or it shows nothing but open sea.
    """
    square = _square(name)
    if square is not None:
        zone, column, row = (np.array([number]) for number in square)
        if have_tiles(zone, column, row)[0] and show_land(zone, column, row)[0]:
            return _tile(*square)
    raise LookupError(f'there is no tile "{name}"')


def tiles_over(footprint: BaseGeometry) -> list[Tile]:
    """Return the tiles that share ground with a footprint, sorted by name.

    Near the border of two zones these are tiles of both. Beyond 84 N and 80 S, and on the open sea,
    there are none.

    Args:
        footprint: EPSG:4326. Longitudes beyond ±180 are those beyond the date line.
    """
    near = TilesNear.of(footprint)
    return sorted(near.confirmed(np.ones(len(near.squares), bool)))


def to_ground(zone: int, ring: Floats) -> BaseGeometry:
    """Return a polygon in EPSG:4326, in two parts where it crosses the date line.

    Args:
        zone: UTM zone.
        ring: `(N, 2)` metres in the zone, northings counted from the equator.
    """
    lon, lat = to_degrees(ring[:, 0], ring[:, 1])
    ground = Polygon(np.column_stack([lon + meridian(zone), lat]))
    west, _, east, _ = ground.bounds
    if west >= -180 and east <= 180:
        return ground
    world, turn = box(-180, -90, 180, 90), -360 if east > 180 else 360
    parts = [ground.intersection(world), translate(ground, turn).intersection(world)]
    return shapely.union_all(parts)


@lru_cache(maxsize=4096)
def _tile(zone: int, column: int, row: int) -> Tile:
    _, lat = centre_of(column, row)
    band = BANDS[min(max(int((lat - SOUTH_END) // BAND_DEG), 0), len(BANDS) - 1)]
    letters = COLUMNS[zone % 3][column - FIRST_COLUMN] + ROWS[zone % 2][row % len(ROWS[0])]
    return Tile(f"{zone:02d}{band}{letters}", zone, column, row)


def _square(name: str) -> tuple[int, int, int] | None:
    """Return zone, column and row of the square that a name means, None when it means none."""
    said = _NAME.fullmatch(name)
    zone = int(said[1]) if said else 0
    if said is None or not 1 <= zone <= ZONES or said[3] not in COLUMNS[zone % 3]:
        return None
    column = FIRST_COLUMN + COLUMNS[zone % 3].index(said[3])
    cycle = len(ROWS[0])
    lowest = FIRST_ROW + (ROWS[zone % 2].index(said[4]) - FIRST_ROW) % cycle
    for row in range(lowest, LAST_ROW + 1, cycle):
        if _tile(zone, column, row).name == name:
            return zone, column, row
    return None
