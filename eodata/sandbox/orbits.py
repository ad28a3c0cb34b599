"""When satellites fly where: Sentinel-1 and Sentinel-2 on circular orbits that repeat exactly.

A pass is half a revolution from one turning point to the other. A satellite of a repeating, sun-
synchronous orbit follows one of a fixed set of tracks on the turning Earth, so all geometry belongs
to a `Track` and only the times to a `Pass`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from math import cos, floor, pi, radians, sin

import numpy as np
from numpy.typing import ArrayLike

from eodata.core.span import Span
from eodata.sandbox.groundtrack import Floats, Orbit, dot, latitude, shell
from eodata.sandbox.missions import DAY_S, MISSIONS, MissionName, Unit

SENTINEL2_HALF_SWATH_KM = 147.0
"""From the ground track to either edge."""
SENTINEL1_NEAR_KM, SENTINEL1_FAR_KM = 363.0, 615.5
"""From the ground track to the edges of the IW swath, always on the right."""
SENTINEL1_HEIGHT_KM = 693.0
EARTH_KM = 6371.0
"""Radius of the sphere on which distances from the track are measured."""
GRACE_S, SPEED_KM_S = 60.0, 6.8
"""Beyond the ends of a pass by more than this, distances grow as the satellite flies on."""


@dataclass(frozen=True, slots=True)
class Track:
    """One of the half revolutions that a mission repeats, fixed on the ground.

    Attributes:
        mission: Key of `MISSIONS`.
        relative_orbit: Number of the revolution in the cycle, from 1, counted from the ascending
            node that lies in this half or, when descending, before it.
        ascending: Flown northwards.
    """

    mission: MissionName
    relative_orbit: int
    ascending: bool

    @property
    def length_s(self) -> float:
        """Time from the first turning point to the last [s]."""
        return MISSIONS[self.mission].revolution_s / 2

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Return where places are relative to the track, each by itself.

        Args:
            lon: Longitude [degrees], any shape.
            lat: Geodetic latitude [degrees], same shape.

        Returns:
            Distance from the nearest point of the ground track along the sphere [km], positive to
            the right of flight, and when the satellite is there [s after the start of the pass].
            Places past the ends of the track get times below 0 or beyond `length_s`; a minute on,
            their distances grow until nothing there can be taken for near.
        """
        orbit = _orbit(self)
        u, point = orbit.abeam(*shell(lon, lat, orbit.height))
        position, right, _ = orbit.frame(u)
        across = EARTH_KM * np.arctan2(dot(point, right), dot(point, position))
        along = (u - orbit.middle + pi / 2) / orbit.rate
        past = np.maximum(np.maximum(-along, along - self.length_s) - GRACE_S, 0.0)
        return across + np.copysign(past * SPEED_KM_S, across), along

    def place(self, across_km: ArrayLike, along_s: ArrayLike) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes [degrees] by where they are relative to the track.

        The inverse of `locate` up to the ends of the track and near it; arguments broadcast.
        """
        orbit = _orbit(self)
        u = np.asarray(along_s, np.float64) * orbit.rate + orbit.middle - pi / 2
        angle = np.asarray(across_km, np.float64) / EARTH_KM
        position, right, node = orbit.frame(u)
        x, y, z = (
            np.cos(angle) * p + np.sin(angle) * r for p, r in zip(position, right, strict=True)
        )
        lon = np.degrees(np.arctan2(y, x) + node)
        return np.mod(lon + 180.0, 360.0) - 180.0, latitude(x, y, z, orbit.height)


@dataclass(frozen=True, slots=True)
class Pass:
    """One flight along a track.

    Attributes:
        mission: `sentinel-1` or `sentinel-2`.
        platform: `sentinel-2b` and the like.
        relative_orbit: That of the track.
        absolute_orbit: Revolutions since launch, counted as `relative_orbit` is.
        start: When the satellite is at the track's first turning point.
        ascending: Flown northwards.
    """

    mission: MissionName
    platform: str
    relative_orbit: int
    absolute_orbit: int
    start: datetime
    ascending: bool

    @property
    def track(self) -> Track:
        """Where it leads; equal for all passes of one track."""
        return Track(self.mission, self.relative_orbit, self.ascending)

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Return distances from the ground track [km] and times after `start` [s].

        See `Track.locate`.
        """
        return self.track.locate(lon, lat)

    def place(self, across_km: ArrayLike, along_s: ArrayLike) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes [degrees]; see `Track.place`."""
        return self.track.place(across_km, along_s)

    def at(self, along_s: float) -> datetime:
        """Return the moment so many seconds after the start."""
        return self.start + timedelta(seconds=along_s)

    def numbers_at(self, along_s: float) -> tuple[int, int]:
        """Return the absolute and the relative orbit as products of that moment state them.

        The count goes up at the ascending node, so south of the equator an ascending pass still
        belongs to the revolution before.
        """
        if not self.ascending or along_s >= self.track.length_s / 2:
            return self.absolute_orbit, self.relative_orbit
        cycle = MISSIONS[self.mission].orbits
        return self.absolute_orbit - 1, (self.relative_orbit - 2) % cycle + 1


def passes(mission: MissionName, span: Span, newest_first: bool = False) -> Iterator[Pass]:
    """Yield the passes that start in a span, lazily, in the order of their starts.

    Args:
        mission: Sentinel-2 has the descending halves alone, which are flown by day.
        span: Half-open; a pass that is under way at its start does not count.
        newest_first: Yield the latest first.
    """
    flown = [
        _flown(mission, unit, ascending, span, newest_first)
        for unit in MISSIONS[mission].units
        for ascending in ((True, False) if MISSIONS[mission].by_night else (False,))
    ]
    return heapq.merge(*flown, key=_in_order, reverse=newest_first)


def incidence_deg(across_km: ArrayLike, height_km: float = SENTINEL1_HEIGHT_KM) -> Floats:
    """Return the angle between a line of sight and the vertical on the ground [degrees].

    Args:
        across_km: Distance from the ground track [km].
        height_km: Of the satellite [km].
    """
    central = np.asarray(across_km, np.float64) / EARTH_KM
    look = np.arctan2(np.sin(central), 1.0 + height_km / EARTH_KM - np.cos(central))
    return np.asarray(np.degrees(look + central))


def _in_order(crossing: Pass) -> tuple[datetime, str]:
    return crossing.start, crossing.platform


def _flown(
    mission: MissionName, unit: Unit, ascending: bool, span: Span, newest_first: bool
) -> Iterator[Pass]:
    """Yield the passes of one satellite in one direction that start in a span."""
    orbit = MISSIONS[mission]
    first, end = max(span.start, unit.flying.start), min(span.end, unit.flying.end)
    since = (end if newest_first else first) - orbit.first_node - unit.lag
    near = floor(since.total_seconds() / orbit.revolution_s)
    for number in count(near + 1, -1) if newest_first else count(near - 1):
        crossing = _pass(mission, unit, number, ascending)
        if crossing.start < first if newest_first else crossing.start >= end:
            return
        if first <= crossing.start < end:
            yield crossing


def _pass(mission: MissionName, unit: Unit, number: int, ascending: bool) -> Pass:
    """Return the pass of a satellite by the revolutions since its first node."""
    orbit = MISSIONS[mission]
    start = orbit.first_node + unit.lag + orbit.after_node(number, -1 if ascending else 1)
    relative = number % orbit.orbits + 1
    return Pass(mission, unit.platform, relative, unit.orbit + number, start, ascending)


@lru_cache(maxsize=1024)
def _orbit(track: Track) -> Orbit:
    mission = MISSIONS[track.mission]
    step = 360.0 * mission.days / mission.orbits
    rate = 2 * pi / mission.revolution_s
    return Orbit(
        node=radians(mission.node - step * (track.relative_orbit - 1)),
        turn=2 * pi / DAY_S / rate,
        rate=rate,
        middle=0.0 if track.ascending else pi,
        cos=cos(radians(mission.inclination)),
        sin=sin(radians(mission.inclination)),
        height=mission.height,
    )
