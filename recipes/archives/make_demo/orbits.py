"""Derive the satellite and the relative orbit of a pass from its time alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Mission:
    """Two satellites that share one ground track and repeat it exactly.

    Attributes:
        cycle: Time after which the ground track repeats.
        orbits: Orbits in one cycle.
        known_orbit: Relative orbit of the reference passes.
        seen: Time of one reference pass of each satellite, by its letter.
        phase: Fraction of an orbit from the place of the reference passes to this patch.
        tolerance: Largest departure from ``phase`` that still counts as a match.
    """

    cycle: timedelta
    orbits: int
    known_orbit: int
    seen: Mapping[str, datetime]
    phase: float
    tolerance: float

    def identify(self, time: datetime) -> tuple[str, int]:
        """Tell which satellite passed here at a time, and on which relative orbit.

        Counted in orbits since its reference pass, a satellite is here after a whole number plus
        ``phase``. The twins are half an orbit apart in that count, so only one of them can fit.

        Args:
            time: When the pass was.

        Returns:
            The satellite's letter and the relative orbit.

        Raises:
            ValueError: If not exactly one satellite fits.
        """
        found = []
        for letter, seen in self.seen.items():
            flown = (time - seen) / self.cycle * self.orbits - self.phase
            if abs(flown - round(flown)) <= self.tolerance:
                found.append((letter, (self.known_orbit - 1 + round(flown)) % self.orbits + 1))
        if len(found) != 1:
            raise ValueError(f"{len(found)} satellites fit a pass at {time.isoformat()}")
        return found[0]


def twins(a: str, b: str) -> dict[str, datetime]:
    """Date the reference passes of satellites A and B from ISO 8601 text."""
    return {"a": datetime.fromisoformat(a), "b": datetime.fromisoformat(b)}


# S1A: absolute orbit 22812 is relative orbit (22812 - 73) % 175 + 1 = 165. S1B flies the same
# track half a cycle later.
S1_SEEN = twins("2018-07-16T00:40:42Z", "2018-07-22T00:40:42Z")
SENTINEL_1 = Mission(
    timedelta(days=12), orbits=175, known_orbit=165, seen=S1_SEEN, phase=-0.335, tolerance=0.02
)
S2_SEEN = twins("2023-08-15T09:56:30Z", "2023-08-10T09:56:51Z")
SENTINEL_2 = Mission(
    timedelta(days=10), orbits=143, known_orbit=79, seen=S2_SEEN, phase=-0.05, tolerance=0.1
)
