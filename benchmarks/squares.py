"""Squares of ground in the sandbox, found as a user would: by place, time and stated clouds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import WGS84, reproject
from eodata.core.span import Span
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import CELL, SandboxItem, coarser
from eodata.sandbox.planet.globe import globe
from eodata.sandbox.sensors.spectra import BANDS

Floats = NDArray[np.float32]

L1C_BANDS = BANDS
L2A_BANDS = tuple(band for band in BANDS if band != "B10")
DARK_DEG = 70.0
"""Sentinel-2 is not processed, and s2cloudless not trained, for a lower sun."""
PIXEL_M = 10
GLANCE = 8
"""A truth this many times as coarse tells whether a square is clear."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place and about when to look at it.

    Attributes:
        lon: Degrees east.
        lat: Degrees north.
        start: First day to look at.
        days: How many days to look at.
    """

    lon: float
    lat: float
    start: datetime
    days: int = 30

    @property
    def span(self) -> Span:
        """The days to look at."""
        return Span(self.start, self.start + timedelta(days=self.days))

    @property
    def ground(self) -> BaseGeometry:
        """A hundred metres around it, EPSG:4326."""
        return box(self.lon - 5e-4, self.lat - 5e-4, self.lon + 5e-4, self.lat + 5e-4)


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """One aligned square of an item: what the archive makes in one go.

    Attributes:
        item: The record.
        row: First row, in base pixels, a multiple of `CELL`.
        col: First column, likewise.
        size: Edge [base px], a multiple of 6.
    """

    item: SandboxItem
    row: int
    col: int
    size: int = CELL

    @property
    def grid(self) -> GeoBox:
        """Its pixels of 10 m."""
        return self.item.base[self.row : self.row + self.size, self.col : self.col + self.size]

    @property
    def ground(self) -> BaseGeometry:
        """Its ground, EPSG:4326."""
        return reproject(box(*self.grid.boundingbox.bbox), str(self.grid.crs), WGS84, 1000)

    def window(self, key: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return rows and columns of one layer."""
        ratio = self.item.layers[key].ratio
        row, col, size = self.row // ratio, self.col // ratio, self.size // ratio
        return (row, row + size), (col, col + size)


def square_at(item: SandboxItem, place: Place, size: int = CELL) -> Square | None:
    """Return the aligned square of an item around a place, None when the item ends within it."""
    to_item = Transformer.from_crs(4326, str(item.base.crs), always_xy=True)
    x, y = to_item.transform(place.lon, place.lat)
    affine, (height, width) = item.base.affine, item.base.shape
    row = int((y - affine.f) / affine.e // CELL) * CELL
    col = int((x - affine.c) / affine.a // CELL) * CELL
    inside = min(row, col) >= 0 and row + CELL <= height and col + CELL <= width
    return Square(item, row, col, size) if inside else None


def squares(archive: SandboxArchive, collection: str, place: Place) -> Iterator[Square]:
    """Yield whole squares in the sun and the swath, by time and id."""
    for item in archive.collections[collection].find(place.ground, place.span):
        square = square_at(item, place)
        lit = item.origin.sun_zenith < DARK_DEG
        if square and lit and item.footprint.contains(square.ground):
            yield square


def clear_squares(
    archive: SandboxArchive, place: Place, collection: str = "sentinel-2-l1c"
) -> Iterator[Square]:
    """Yield squares without any cloud or shadow among the eight least cloudy items."""
    found = sorted(squares(archive, collection, place), key=_stated_clouds)
    for square in found[:8]:
        truth = glance(archive, square)
        if not (truth["cloud"] | truth["shadow"]).any():
            yield square


def _stated_clouds(square: Square) -> tuple[float, str]:
    return float(square.item.properties["eo:cloud_cover"]), square.item.id


def clear_pair(archive: SandboxArchive, place: Place) -> tuple[Square, Square] | None:
    """Return the same clear square on two dates, None when there are none."""
    seen: dict[GeoBox, Square] = {}
    for square in clear_squares(archive, place):
        if square.grid in seen:
            return seen[square.grid], square
        seen[square.grid] = square
    return None


def glance(archive: SandboxArchive, square: Square) -> dict[str, NDArray[Any]]:
    """Return the truth behind a square on a coarse grid."""
    return archive.truth(square.item, coarser(square.grid, GLANCE))


def reflectance(
    archive: SandboxArchive, square: Square, bands: Sequence[str], ratio: int = 1
) -> Floats:
    """Return reflectances `(bands, H, W)` as the metadata state them.

    Args:
        archive: Where to read.
        square: Where on the ground.
        bands: Which.
        ratio: Edge of a pixel [base px]: finer bands are averaged, coarser ones repeated.
    """
    numbers = archive.read_many(square.item, {band: square.window(band) for band in bands})
    made = []
    for band in bands:
        layer = square.item.layers[band]
        rho = numbers[band].astype(np.float32) * np.float32(layer.scale or 1)
        made.append(at_ratio(rho + np.float32(layer.offset or 0), layer.ratio, ratio))
    return np.stack(made)


def at_ratio(field: Floats, have: int, want: int) -> Floats:
    """Return a field `(H, W)` with pixels of `want` base pixels instead of `have`."""
    times = max(have // want, 1)
    fine = field.repeat(times, 0).repeat(times, 1)
    if have >= want:
        return fine
    step = want // have
    height, width = (size // step for size in fine.shape)
    mean: Floats = fine.reshape(height, step, width, step).mean(axis=(1, 3))
    return mean


def land_places(count: int, seed: int, days: int = 12) -> list[Place]:
    """Return random places on land, evenly by area from 53 S to 67 N, at random times."""
    rng = np.random.default_rng(seed)
    places: list[Place] = []
    while len(places) < count:
        lon = float(rng.uniform(-180, 180))
        lat = float(np.degrees(np.arcsin(rng.uniform(-0.8, 0.92))))
        start = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(days=int(rng.integers(4 * 365)))
        if globe().coast_km(np.array([lon]), np.array([lat]))[0] > 5:
            places.append(Place(lon, lat, start, days))
    return places


def radar(archive: SandboxArchive, square: Square, days: int = 12) -> Floats | None:
    """Return VV and VH `(2, H, W)` [dB] on the pixels of an optical square, of about its date."""
    lon, lat = square.ground.centroid.coords[0]
    around = square.item.datetime - timedelta(days=days / 2)
    place = Place(lon, lat, around, days)
    for item in archive.collections["sentinel-1-grd"].find(place.ground, place.span):
        affine, (height, width) = item.base.affine, item.base.shape
        row = round((square.grid.affine.f - affine.f) / affine.e)
        col = round((square.grid.affine.c - affine.c) / affine.a)
        inside = row >= 0 and row + square.size <= height
        inside &= col >= 0 and col + square.size <= width
        if item.base.crs == square.grid.crs and inside:
            window = (row, row + square.size), (col, col + square.size)
            found = archive.read_many(item, {"vv": window, "vh": window})
            pair = np.stack([found["vv"], found["vh"]]).astype(np.float32)
            if np.isfinite(pair).all():
                return pair
    return None
