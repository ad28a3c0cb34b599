"""Where the sun's rays come from over ground: the geometry of cloud shadows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.sites import Floats, Sites, to_lonlat
from eodata.sandbox.sun import sun_at

SUN_CELL_M = 20_000.0
"""Edge of the squares in which the sun stands still [m]; shadows of cumulus are then right to 10 m
up to a zenith of 60 degrees."""
LOWEST_SUN_DEG = 80.0
"""Shadows are cast as if the sun stood no lower than this zenith angle."""


@dataclass(frozen=True, slots=True, eq=False)
class SunRays:
    """Sites that share a sun, or points that each have their own.

    Attributes:
        where: Index of the sites among all.
        sites: The sites.
        east: Towards the sun per metre of height [m]: a number, or one per point.
        north: Likewise.
        airmass: Length of the ray over height.
    """

    where: tuple[slice, ...]
    sites: Sites
    east: Floats
    north: Floats
    airmass: Field

    @property
    def slant(self) -> float:
        """Furthest step towards the sun per metre of height along either axis."""
        return float(max(np.abs(self.east).max(), np.abs(self.north).max()))


def cut_by_sun(sites: Sites, time: datetime, cell: float) -> list[SunRays]:
    """Cut sites by the squares in which the sun stands still; points keep a sun each."""
    col, row = (np.floor(axis / cell) for axis in (sites.x, sites.y))
    if not sites.is_lattice:
        return [SunRays((slice(None),), sites, *_rays(sites.zone, col, row, cell, time))]
    suns = []
    for rows in _runs(row[:, 0]):
        for cols in _runs(col[0]):
            part = Sites(sites.zone, sites.x[:, cols], sites.y[rows])
            rays = _rays(sites.zone, col[:1, cols.start], row[rows.start, :1], cell, time)
            east, north, airmass = (ray[0] for ray in rays)
            suns.append(SunRays((rows, cols), part, east, north, airmass))
    return suns


def _rays(
    zone: int, col: Floats, row: Floats, cell: float, time: datetime
) -> tuple[Floats, Floats, Field]:
    """Return `SunRays.east`, `north` and `airmass` of squares, in the axes of their frame."""
    lon, lat = to_lonlat(Sites(zone, (col + 0.5) * cell, (row + 0.5) * cell))
    zenith, azimuth = sun_at(lon, lat, time)
    turn = np.arctan(np.tan(np.radians(lon - (zone * 6.0 - 183.0))) * np.sin(np.radians(lat)))
    zenith, azimuth = np.radians(np.minimum(zenith, LOWEST_SUN_DEG)), np.radians(azimuth) - turn
    slant = np.tan(zenith)
    east, north = np.round(slant * np.sin(azimuth), 6), np.round(slant * np.cos(azimuth), 6)
    return east, north, (1.0 / np.cos(zenith)).astype(np.float32)


def _runs(cells: Floats) -> Iterator[slice]:
    """Yield the slices in which a sorted row of cells stays the same."""
    borders = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), cells.size]
    for start, end in pairwise(borders):
        yield slice(start, end)
