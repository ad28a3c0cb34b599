"""How far the world lies from its place in an item: a shift of all of it, and a gentle bend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

Metres = NDArray[np.float64] | float
WAVE_M = 120_000.0
"""Length of a wave of a bend, about that of a tile: within a patch of 2.56 km the displacement
changes by 13 % of its largest at most."""


@dataclass(frozen=True, slots=True)
class Bend:
    """A displacement that swings from place to place, in one wave for each axis.

    Attributes:
        reach: Largest displacement along each axis [m].
        headings: Where the waves of the displacements along x and y run [degrees clockwise from
            grid north].
        phases: Of these waves at x = y = 0, as shares of a wave.
    """

    reach: float
    headings: tuple[float, float]
    phases: tuple[float, float]

    @classmethod
    def drawn(cls, reach: float, draws: Sequence[float]) -> Bend:
        """Return the bend that four numbers from 0 to 1 stand for."""
        first, second, *phases = draws
        return cls(reach, (360.0 * first, 360.0 * second), (phases[0], phases[1]))

    def told(self) -> dict[str, Any]:
        """Return what defines the bend; JSON values."""
        return {
            "reach_m": self.reach,
            "wave_m": WAVE_M,
            "headings_deg": list(self.headings),
            "phases": list(self.phases),
        }

    def at(self, x: Metres, y: Metres) -> tuple[Metres, Metres]:
        """Return the displacement along x and y [m] at places; see `Displacement.at`."""
        along_x, along_y = (
            self.reach * _wave((x * sin(radians(h)) + y * cos(radians(h))) / WAVE_M + phase)
            for h, phase in zip(self.headings, self.phases, strict=True)
        )
        return along_x, along_y


@dataclass(frozen=True, slots=True)
class Displacement:
    """How far the world is displaced on a grid.

    The pixel at `p` shows what is at `p - at(p)`.

    Attributes:
        x: Shift of everything to the east [m of the grid's CRS].
        y: To the north.
        bend: Beside the shift, None for nothing.
    """

    x: float = 0.0
    y: float = 0.0
    bend: Bend | None = None

    def at(self, x: Metres, y: Metres) -> tuple[Metres, Metres]:
        """Return the displacement along x and y [m] of what is seen at places.

        Args:
            x: Easting in the grid's CRS [m].
            y: Northing; both are broadcast.
        """
        if self.bend is None:
            nothing = 0.0 * (x + y)
            return nothing + self.x, nothing + self.y
        dx, dy = self.bend.at(x, y)
        return self.x + dx, self.y + dy

    def undone(self, x: Metres, y: Metres) -> tuple[Metres, Metres]:
        """Return the true places of what is seen at places: `p - at(p)`."""
        if self.bend is None:
            return x - self.x, y - self.y
        dx, dy = self.at(x, y)
        return x - dx, y - dy


STILL = Displacement()


def _wave(place: Metres) -> NDArray[np.float64]:
    """Return a smooth wave of period 1 from -1 to 1, -1 at whole numbers.

    Two cubics joined with two continuous derivatives; it differs from a cosine by 0.02 at most, is
    nowhere steeper than 6 per period, and, unlike a cosine, its bits do not depend on how many
    places are asked at once.
    """
    rising = 1.0 - 4.0 * np.abs(place - np.floor(place) - 0.5)
    return np.asarray(rising * (3.0 - rising * rising) / 2.0)
