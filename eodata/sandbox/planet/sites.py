"""Where the planet is asked: points in metric frames, and the frame that every place belongs to.

Structures with straight edges need flat metres. Each place on Earth belongs to the frame of its
own UTM zone (six degrees, no exceptions, both hemispheres in one plane, y = 0 on the equator), and
all that is finer than a few kilometres is a function of the frame's x and y. A Sentinel-2 tile
lies almost always in its own frame: its pixels are then a lattice whose columns share x and whose
rows share y, and fields are evaluated along the axes. Anywhere else points are transformed one by
one. Both ways give the same numbers to the last bit: all operations are element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
from numpy.typing import NDArray
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from eodata.core.errors import GridError
from eodata.sandbox.planet.displacement import STILL, Displacement

Floats = NDArray[np.float64]
Part = tuple[slice, slice] | tuple[NDArray[np.integer], ...]
"""Some of the sites, as an index of their fields: a window of a lattice, or places one by one."""
SOUTH_M = 10_000_000.0
"""False northing of the southern UTM zones [m]."""
ZONE_DEG = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Points of one frame, at which fields are evaluated.

    Attributes:
        zone: UTM zone of the frame, 1 to 60.
        x: Easting [m]: `(1, W)` on a lattice, else `(N,)`.
        y: Northing [m], negative in the south: `(H, 1)` on a lattice, else `(N,)`.
    """

    zone: int
    x: Floats
    y: Floats

    @classmethod
    def nodes(cls, zone: int, i: NDArray[np.int64], j: NDArray[np.int64], spacing: float) -> Sites:
        """Return the nodes `(i, j)` of a square lattice, `spacing` metres apart."""
        return cls(zone, np.asarray(i * spacing, np.float64), np.asarray(j * spacing, np.float64))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a field at these sites: `(H, W)` or `(N,)`."""
        return np.broadcast_shapes(self.x.shape, self.y.shape)

    @property
    def is_lattice(self) -> bool:
        """True when columns share x and rows share y."""
        return self.x.ndim == 2

    def moved(self, dx: Floats | float, dy: Floats | float) -> Sites:
        """Return the sites displaced by metres; scalars keep a lattice a lattice."""
        x: Floats = np.asarray(self.x + dx, np.float64)
        y: Floats = np.asarray(self.y + dy, np.float64)
        if np.ndim(dx) == 0 and np.ndim(dy) == 0:
            return Sites(self.zone, x, y)
        x, y = np.broadcast_arrays(x, y)
        return Sites(self.zone, x.ravel(), y.ravel())

    def part(self, where: Part) -> Sites:
        """Return some of the sites; places taken one by one are scattered points."""
        if not self.is_lattice:
            return Sites(self.zone, self.x[where], self.y[where])
        rows, cols = where
        if isinstance(rows, slice):
            return Sites(self.zone, self.x[:, cols], self.y[rows])
        return Sites(self.zone, self.x[0, cols], self.y[rows, 0])


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The part of a grid that lies in one frame.

    Attributes:
        sites: Where it lies.
        where: `(H, W)` bool, the pixels that the sites belong to; None when they cover the grid.
            With a mask, lattice sites cover the whole grid and count only where it is True; point
            sites are the masked pixels in row order.
    """

    sites: Sites
    where: NDArray[np.bool_] | None


def cut(geobox: GeoBox, displacement: Displacement = STILL) -> list[Piece]:
    """Cut a grid into pieces by frame.

    Args:
        geobox: Any CRS. Pixels are asked at their centres.
        displacement: Of the world on this grid. A bend leaves no lattice, which makes pixels
            two to three times as slow.

    Returns:
        At least one piece; masks are disjoint and cover the grid.
    """
    crs = geobox.crs
    if crs is None:
        raise GridError(
            "a grid of the simulated Earth",
            "no coordinate system",
            "every pixel needs a place on Earth.",
            "Give the GeoBox a CRS.",
        )
    zone, straight = _zone_of_crs(crs), geobox.affine.b == 0 == geobox.affine.d
    false_north = SOUTH_M if _is_south(crs) else 0.0
    if zone and straight and displacement.bend is None:
        return _on_lattice(_lattice(geobox, zone, displacement, false_north))
    col, row = np.meshgrid(np.arange(geobox.shape[1]) + 0.5, np.arange(geobox.shape[0]) + 0.5)
    a, b, c, d, e, f = geobox.affine[:6]
    east, north = displacement.undone(a * col + b * row + c, d * col + e * row + f)
    if zone and straight:
        sites = Sites(zone, np.ravel(east), np.ravel(north) - false_north)
        return _scattered_in_frame(sites, (geobox.shape[0], geobox.shape[1]))
    lon, lat = crs.transformer_to_crs("EPSG:4326")(east, north)
    return _by_zone(np.asarray(lon).ravel(), np.asarray(lat).ravel(), np.ones(geobox.shape, bool))


def scattered(
    geobox: GeoBox,
    row: NDArray[np.floating],
    col: NDArray[np.floating],
    displacement: Displacement = STILL,
) -> list[tuple[Sites, NDArray[np.intp]]]:
    """Return what lies at places of a grid, by frame, and which of the places lie in each.

    Args:
        geobox: A grid with a CRS.
        row: `(N,)` rows, 0.5 in the middle of the first.
        col: `(N,)` columns likewise.
        displacement: As for `cut`.
    """
    a, b, c, d, e, f = geobox.affine[:6]
    east, north = displacement.undone(a * col + b * row + c, d * col + e * row + f)
    to_degrees = CRS(geobox.crs).transformer_to_crs("EPSG:4326")
    lon, lat = (np.asarray(axis) for axis in to_degrees(east, north))
    zones = zone_at(lon)
    groups = [(int(zone), np.flatnonzero(zones == zone)) for zone in np.unique(zones)]
    return [(from_lonlat(zone, lon[some], lat[some]), some) for zone, some in groups]


def paint(
    pieces: list[Piece],
    shape: tuple[int, int],
    evaluate: Callable[[Sites], tuple[NDArray[np.generic], ...]],
) -> tuple[NDArray[np.generic], ...]:
    """Evaluate fields piece by piece and put them together, each `(H, W)`."""
    if pieces[0].where is None:
        return evaluate(pieces[0].sites)
    whole: list[NDArray[np.generic]] = []
    for piece in pieces:
        fields = evaluate(piece.sites)
        whole = whole or [np.zeros(shape, field.dtype) for field in fields]
        for target, field in zip(whole, fields, strict=True):
            target[piece.where] = field[piece.where] if piece.sites.is_lattice else field
    return tuple(whole)


def to_lonlat(sites: Sites) -> tuple[Floats, Floats]:
    """Return longitude and latitude [degrees] of every site, each of `sites.shape`."""
    x, y = np.broadcast_arrays(sites.x, sites.y)
    return _frame(sites.zone).transform(x, y, direction="INVERSE")


def from_lonlat(zone: int, lon: Floats, lat: Floats) -> Sites:
    """Return point sites in one frame; longitudes and latitudes are `(N,)` degrees."""
    x, y = _frame(zone).transform(lon, lat)
    return Sites(zone, np.asarray(x, np.float64), np.asarray(y, np.float64))


def zone_at(lon: Floats) -> NDArray[np.int64]:
    """Return the zone of the frame that longitudes belong to."""
    return (np.floor((np.asarray(lon) + 180.0) / ZONE_DEG).astype(np.int64) % 60) + 1


def _lattice(geobox: GeoBox, zone: int, shift: Displacement, false_north: float) -> Sites:
    affine, (height, width) = geobox.affine, geobox.shape
    x: Floats = np.arange(width, dtype=np.float64) + 0.5
    y: Floats = np.arange(height, dtype=np.float64) + 0.5
    x = x * affine.a + affine.c - shift.x
    y = y * affine.e + affine.f - shift.y - false_north
    return Sites(zone, x[np.newaxis, :], y[:, np.newaxis])


def _on_lattice(sites: Sites) -> list[Piece]:
    """Cut a lattice in its own frame from what belongs to other frames."""
    foreign = _foreign(sites)
    if foreign is None:
        return [Piece(sites, None)]
    rows, cols = np.nonzero(foreign)
    lon, lat = to_lonlat(Sites(sites.zone, sites.x[0, cols], sites.y[rows, 0]))
    own = [] if foreign.all() else [Piece(sites, ~foreign)]
    return [*own, *_by_zone(lon, lat, foreign)]


def _scattered_in_frame(sites: Sites, shape: tuple[int, int]) -> list[Piece]:
    """Cut scattered sites, one for each pixel in row order, from what belongs to other frames.

    At one x, longitude lies the further from the central meridian the further north or south, so
    the corners of a box around the sites are enough to know that no pixel is foreign.
    """
    ends = [np.array([axis.min(), axis.max()]) for axis in (sites.x, sites.y)]
    around = Sites(sites.zone, ends[0][np.newaxis, :], ends[1][:, np.newaxis])
    if (zone_at(to_lonlat(around)[0]) == sites.zone).all():
        return [Piece(sites, np.ones(shape, np.bool_))]
    lon, lat = to_lonlat(sites)
    foreign = zone_at(lon) != sites.zone
    where = foreign.reshape(shape)
    own = [] if foreign.all() else [Piece(sites.part((~foreign,)), ~where)]
    return [*own, *_by_zone(lon[foreign], lat[foreign], where)]


def _by_zone(lon: Floats, lat: Floats, where: NDArray[np.bool_]) -> list[Piece]:
    """Cut the pixels of a mask, given in row order, by the zone they lie in.

    Pixels off the map, as in the corners of a sinusoidal grid, show the sea at 0 N, 0 E.
    """
    on_map = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = np.where(on_map, lon, 0.0), np.where(on_map, lat, 0.0)
    zones = zone_at(lon)
    found = np.zeros(where.shape, np.int64)
    found[where] = zones
    pieces = []
    for zone in np.unique(zones):
        inside = zones == zone
        sites = from_lonlat(int(zone), lon[inside], lat[inside])
        pieces.append(Piece(sites, where & (found == zone)))
    return pieces


def _foreign(sites: Sites) -> NDArray[np.bool_] | None:
    """Return which sites of a lattice belong to another frame, None when none does.

    Along a row longitude grows with x, so a look at both ends of every row is enough to know that
    no pixel is foreign; only a lattice across a border is transformed pixel by pixel.
    """
    ends = Sites(sites.zone, sites.x[:, [0, -1]], sites.y)
    if (zone_at(to_lonlat(ends)[0]) == sites.zone).all():
        return None
    foreign: NDArray[np.bool_] = zone_at(to_lonlat(sites)[0]) != sites.zone
    return foreign


def _zone_of_crs(crs: CRS) -> int | None:
    code = crs.epsg or 0
    return code % 100 if code // 100 in (326, 327) and 1 <= code % 100 <= 60 else None


def _is_south(crs: CRS) -> bool:
    return (crs.epsg or 0) // 100 == 327


@lru_cache(maxsize=64)
def _frame(zone: int) -> pyproj.Transformer:
    """Return the transformer from degrees to the frame of a zone."""
    central = zone * ZONE_DEG - 183.0
    frame = pyproj.CRS.from_proj4(
        f"+proj=tmerc +lat_0=0 +lon_0={central} +k=0.9996 +x_0=500000 +y_0=0 +datum=WGS84 +units=m"
    )
    return pyproj.Transformer.from_crs("EPSG:4326", frame, always_xy=True)
