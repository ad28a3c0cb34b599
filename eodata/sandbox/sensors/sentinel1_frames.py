"""How Sentinel-1 cuts the Earth: frames of 25 seconds along every pass, fixed on the ground.

The ground track repeats every twelve days, and frames are counted from the start of the pass, so
the same frame comes back with every cycle. Only frames that may hold land exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.sandbox.footprints import (
    KM_PER_DEG,
    near_land,
    within_180,
)
from eodata.sandbox.items import CELL
from eodata.sandbox.orbits import (
    SENTINEL1_FAR_KM,
    SENTINEL1_NEAR_KM,
    SPEED_KM_S,
    Pass,
    Track,
)
from eodata.sandbox.planet.sites import SOUTH_M, Floats, from_lonlat, zone_at

FRAME_S = 25.0
FRAMES = 118
"""Frames of one pass, from pole to pole."""
PIXEL_M = 10.0
SNAP_M = CELL * PIXEL_M
"""Corners are multiples of this in UTM, so that the squares of neighbouring frames coincide."""
EDGE_KM = 1.6
"""Ground kept beyond the swath, for what older processors left there."""
UTM_LIMIT_DEG = 83.5
_RING = np.linspace(0.0, 1.0, 6)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Ground that is seen again and again.

    Attributes:
        number: Along its pass, from 0.
        footprint: Where there are data, EPSG:4326.
        base: Pixels of 10 m in the UTM zone of the frame's centre.
        azimuth: Direction of the beam on the ground [degrees clockwise from grid north].
    """

    number: int
    footprint: BaseGeometry
    base: GeoBox
    azimuth: float


def frames_over(crossing: Pass, ground: BaseGeometry) -> Iterator[Frame]:
    """Yield the frames of a pass that share ground with a prepared footprint, in flight order."""
    for number in _candidates(crossing, ground):
        frame = frame_of(crossing, number)
        if frame is not None and shares_ground(ground, frame.footprint):
            yield frame


def frame_of(crossing: Pass, number: int) -> Frame | None:
    """Return a frame of a pass, None where there is none: beyond the ends, or all sea."""
    known = _frames(crossing.track)
    return known[number] if 0 <= number < len(known) else None


def _candidates(crossing: Pass, ground: BaseGeometry) -> list[int]:
    """Return the numbers of the frames that may touch a footprint."""
    numbers: set[int] = set()
    for part in shapely.get_parts(ground):
        lon, lat, reach_km = _scatter(part.bounds)
        across, along = crossing.locate(lon, lat)
        near = (across > SENTINEL1_NEAR_KM - reach_km) & (across < SENTINEL1_FAR_KM + reach_km)
        reach_s = reach_km / SPEED_KM_S
        first = np.floor((along[near] - reach_s) / FRAME_S)
        last = np.floor((along[near] + reach_s) / FRAME_S)
        for low, high in {*zip(first.astype(int).tolist(), last.astype(int).tolist(), strict=True)}:
            numbers.update(range(max(low, 0), min(high, FRAMES - 1) + 1))
    return sorted(numbers)


def _scatter(bounds: tuple[float, float, float, float]) -> tuple[Floats, Floats, float]:
    """Return places all over a box, and how far any place of it is from the nearest [km]."""
    west, south, east, north = bounds
    cols, rows = (max(2, ceil(length) + 1) for length in (east - west, north - south))
    lon, lat = np.meshgrid(np.linspace(west, east, cols), np.linspace(south, north, rows))
    spacing = max((east - west) / (cols - 1), (north - south) / (rows - 1))
    return lon.ravel(), lat.ravel(), 0.75 * spacing * KM_PER_DEG + 1.0


@lru_cache(maxsize=400)
def _frames(track: Track) -> tuple[Frame | None, ...]:
    """Return all frames of a pass."""
    numbers = np.arange(FRAMES, dtype=np.float64)
    middle = np.full(FRAMES, (SENTINEL1_NEAR_KM + SENTINEL1_FAR_KM) / 2)
    centre_lon, centre_lat = track.place(middle, (numbers + 0.5) * FRAME_S)
    across, along = _outline()
    lon, lat = track.place(
        np.broadcast_to(across, (FRAMES, len(across))),
        (numbers[:, np.newaxis] + along) * FRAME_S,
    )
    centres = zip(centre_lon.tolist(), centre_lat.tolist(), strict=True)
    return tuple(_frame(n, centre, lon[n], lat[n]) for n, centre in enumerate(centres))


def _outline() -> tuple[Floats, Floats]:
    """Return the outline of a frame: across the track [km], along it as a share of its length."""
    width = SENTINEL1_FAR_KM - SENTINEL1_NEAR_KM
    sides = [
        (np.zeros(5), _RING[:-1]), (_RING[:-1], np.ones(5)),
        (np.ones(5), _RING[:0:-1]), (_RING[:0:-1], np.zeros(5)),
    ]  # fmt: skip
    across, along = (np.concatenate(axis) for axis in zip(*sides, strict=True))
    return SENTINEL1_NEAR_KM + across * width, along


def _frame(number: int, centre: tuple[float, float], lon: Floats, lat: Floats) -> Frame | None:
    if np.abs(lat).max() > UTM_LIMIT_DEG:
        return None
    lon = centre[0] + (lon - centre[0] + 180) % 360 - 180  # in one piece over the date line
    if not _may_hold_land(lon, lat):
        return None
    zone = int(zone_at(np.array([centre[0]]))[0])
    south = SOUTH_M if centre[1] < 0 else 0.0
    sites = from_lonlat(zone, lon, lat)
    x, y = sites.x, sites.y + south
    azimuth = np.degrees(np.arctan2(x[10] - x[5], y[10] - y[5]))
    base = _base(x, y, 32700 + zone if south else 32600 + zone)
    footprint = within_180(Polygon(np.column_stack([lon, lat])))
    return Frame(number, footprint, base, float(azimuth) % 360)


def _base(x: Floats, y: Floats, epsg: int) -> GeoBox:
    edge = EDGE_KM * 1000
    left, bottom = (floor((axis.min() - edge) / SNAP_M) * SNAP_M for axis in (x, y))
    right, top = (ceil((axis.max() + edge) / SNAP_M) * SNAP_M for axis in (x, y))
    shape = round((top - bottom) / PIXEL_M), round((right - left) / PIXEL_M)
    return GeoBox(shape, Affine(PIXEL_M, 0, left, 0, -PIXEL_M, top), f"EPSG:{epsg}")


def _may_hold_land(lon: Floats, lat: Floats) -> bool:
    """Return False for a frame over the open sea; asked on a lattice between two of its sides."""
    near, far = slice(0, 6), np.arange(15, 9, -1)
    share = _RING[:, np.newaxis]
    inner_lon = lon[near] + (lon[far] - lon[near]) * share
    inner_lat = lat[near] + (lat[far] - lat[near]) * share
    return bool(near_land(inner_lon, inner_lat).any())
