"""Satellites and their orbits as numbers: how often round, how inclined, where and when.

Inclinations, node longitudes and times are those that fit catalogue entries of the real missions
(footprints with swath edges, sensing times, orbit numbers, 2017 to 2025). Real times drift by up to
a minute over the years, real tracks by a few hundred metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from eodata.core.span import Span

MissionName = Literal["sentinel-1", "sentinel-2"]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One satellite of a mission.

    Attributes:
        platform: As STAC items name it.
        lag: How much later than the mission's first satellite it flies the same track.
        orbit: Its absolute orbit when it crosses the mission's `first_node`, `lag` later.
        flying: When it observes.
    """

    platform: str
    lag: timedelta
    orbit: int
    flying: Span


@dataclass(frozen=True, slots=True)
class Mission:
    """Satellites on one repeating orbit.

    Attributes:
        orbits: Revolutions in one cycle.
        days: Length of the cycle.
        inclination: Of the orbit [degrees].
        height: Above the ellipsoid [m].
        node: Longitude at which relative orbit 1 crosses the equator northwards [degrees].
        first_node: When the first satellite does so, once.
        by_night: Whether ascending halves, which see no sun, count as passes.
        units: The satellites.
    """

    orbits: int
    days: int
    inclination: float
    height: float
    node: float
    first_node: datetime
    by_night: bool
    units: tuple[Unit, ...]

    @property
    def revolution_s(self) -> float:
        """Time from node to node [s]."""
        return self.days * DAY_S / self.orbits

    def after_node(self, revolutions: int, quarters: int) -> timedelta:
        """Return the time from a node to a quarter of a later revolution, to the microsecond."""
        quarters += 4 * revolutions
        return timedelta(microseconds=quarters * self.days * 86_400_000_000 // (4 * self.orbits))


END = datetime(2026, 1, 1, tzinfo=UTC)
"""The simulated archives end here."""
MISSIONS: Mapping[str, Mission] = {
    "sentinel-1": Mission(
        orbits=175,
        days=12,
        inclination=98.18,
        height=693_000.0,
        node=0.085,
        first_node=datetime(2018, 7, 4, 18, 0, 25, tzinfo=UTC),
        by_night=True,
        units=(
            Unit("sentinel-1a", timedelta(0), 22_648, Span(datetime(2014, 10, 3, tzinfo=UTC), END)),
            Unit(
                "sentinel-1b",
                timedelta(days=6),
                11_752,
                Span(datetime(2016, 4, 26, tzinfo=UTC), datetime(2021, 12, 23, tzinfo=UTC)),
            ),
        ),
    ),
    "sentinel-2": Mission(
        orbits=143,
        days=10,
        inclination=98.56,
        height=786_000.0,
        node=1.0214,
        first_node=datetime(2023, 8, 9, 22, 26, 0, tzinfo=UTC),
        by_night=False,
        units=(
            Unit("sentinel-2a", timedelta(0), 42_469, Span(datetime(2015, 7, 4, tzinfo=UTC), END)),
            Unit(
                "sentinel-2b",
                timedelta(days=-5),
                33_489,
                Span(datetime(2017, 3, 15, tzinfo=UTC), END),
            ),
        ),
    ),
}
