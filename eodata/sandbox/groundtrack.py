"""Motion of a satellite over the turning Earth: where it is when, and when it is abeam of a place.

The orbit is a circle. Places on the ground are seen from the satellite in the direction in which
the point straight above them, at the satellite's height, lies from the centre of the Earth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SEMI_MAJOR_M, ECCENTRICITY2 = 6378137.0, 0.0066943799901413165
"""Of the ellipsoid WGS 84."""
FIXED_POINTS, NEWTONS = 2, 2
"""Steps that find the moment abeam: to some seconds, then to nanoseconds."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """Motion along one track, by the argument of latitude `u` [radians].

    Attributes:
        node: Longitude of the ascending node at `u = 0` [radians].
        turn: How far the Earth turns under the orbit while `u` grows by 1 [radians].
        rate: Growth of `u` [radians/s].
        middle: `u` half-way: 0 ascending, π descending.
        cos: Of the inclination.
        sin: Likewise.
        height: Above the ellipsoid [m].
    """

    node: float
    turn: float
    rate: float
    middle: float
    cos: float
    sin: float
    height: float

    def abeam(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, tuple[Floats, ...]]:
        """Return when unit vectors are abeam, and the vectors seen from the node of that time.

        First each is taken for fixed among the stars, at the latest estimate of the time; that
        converges quickly because the Earth turns fourteen times slower than the satellite. Newton
        then finds where the ground track comes nearest.
        """
        u = np.full(x.shape, self.middle)
        for _ in range(FIXED_POINTS):
            px, py, pz = self._from_node(u, x, y, z)
            found = np.arctan2(py * self.cos + pz * self.sin, px) - self.middle
            u = self.middle + np.mod(found + pi, 2 * pi) - pi
        for _ in range(NEWTONS):
            point = self._from_node(u, x, y, z)
            (vx, vy, vz), (ax, ay, az) = self._motion(u)
            slope = np.minimum(dot(point, (ax, ay, az)), -0.05)  # far off the track it vanishes
            u = u - np.clip(dot(point, (vx, vy, vz)) / slope, -0.2, 0.2)
        return u, self._from_node(u, x, y, z)

    def frame(self, u: Floats) -> tuple[tuple[Floats, ...], tuple[Floats, ...], Floats]:
        """Return the satellite's direction, that to its right, and the longitude of the node.

        Both are unit vectors seen from the node; the right is that of flight over the ground.
        """
        sx, sy, sz = np.cos(u), np.sin(u) * self.cos, np.sin(u) * self.sin
        (vx, vy, vz), _ = self._motion(u)
        speed = np.sqrt(vx * vx + vy * vy + vz * vz)
        right = vy * sz - vz * sy, vz * sx - vx * sz, vx * sy - vy * sx
        x, y, z = (part / speed for part in right)
        return (sx, sy, sz), (x, y, z), self.node - self.turn * u

    def _from_node(
        self, u: Floats, x: Floats, y: Floats, z: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return vectors of the Earth in axes whose first points to the node at that time."""
        angle = self.node - self.turn * u
        cos, sin = np.cos(angle), np.sin(angle)
        return x * cos + y * sin, y * cos - x * sin, z

    def _motion(self, u: Floats) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
        """Return velocity and acceleration over the turning Earth, per unit of `u`."""
        cos, sin, turn = np.cos(u), np.sin(u), self.turn
        vx, vy, vz = sin * (turn * self.cos - 1.0), cos * (self.cos - turn), cos * self.sin
        ax = cos * (turn * self.cos - 1.0) + turn * vy
        ay = sin * (turn - self.cos) - turn * vx
        return (vx, vy, vz), (ax, ay, -sin * self.sin)


def dot(one: tuple[Floats, ...], other: tuple[Floats, ...]) -> Floats:
    """Return the sum of three products, always summed in this order."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def shell(lon: ArrayLike, lat: ArrayLike, height: float) -> tuple[Floats, Floats, Floats]:
    """Return the directions from the centre of the Earth to points straight above places.

    That is where a satellite is whose nadir the place is: the vertical misses the centre.
    """
    # Contiguous copies, so that numpy takes the same way through its loops for every input.
    lam, phi = (np.radians(np.array(axis, np.float64, order="C")) for axis in (lon, lat))
    sin_phi = np.sin(phi)
    curvature = SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY2 * sin_phi * sin_phi)
    out = (curvature + height) * np.cos(phi)
    up = (curvature * (1.0 - ECCENTRICITY2) + height) * sin_phi
    length = np.sqrt(out * out + up * up)
    out, up = out / length, up / length
    return out * np.cos(lam), out * np.sin(lam), up


def latitude(x: Floats, y: Floats, z: Floats, height: float) -> Floats:
    """Return the latitude [degrees] of the ground straight below directions from the centre."""
    out = np.sqrt(x * x + y * y)
    phi = np.arctan2(z, out)
    for _ in range(5):  # each step gains more than two digits
        sin_phi = np.sin(phi)
        curvature = SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY2 * sin_phi * sin_phi)
        tall, wide = curvature * (1.0 - ECCENTRICITY2) + height, curvature + height
        phi = np.arctan2(z * wide, out * tall)
    return np.asarray(np.degrees(phi))
