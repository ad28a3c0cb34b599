"""Rivers: bands along the zero lines of smooth noise, winding, wider in wet lowlands."""

from __future__ import annotations

import numpy as np

from eodata.sandbox.planet.lattice import Field, salt, sphere_noise, sphere_noises
from eodata.sandbox.planet.sites import Floats

RIVER_KM, BROOK_KM = 30.0, 8.0
"""Size of the features of the noises; lines lie about twice as far apart."""
RIVER_M, BROOK_M = 150.0, 18.0
"""Half of the largest widths [m]."""
LEAST_RIVER_M = 20.0
"""Half the width below which a river is none [m]."""
FAR_M = 3000.0
"""So far off is a river that does not exist [m]."""
PROBE_DEG = 0.01
"""Step over which the slope of the noise is taken [degrees]."""
STEEPEST = 0.3
"""Slopes of the noise below this part of its typical slope count as that: no lakes on saddles."""
FINER, WEAKER = 2.3, 0.45
"""Size and strength of the noise that bends the lines."""


class Rivers:
    """The rivers of one world. Threads may share it."""

    def __init__(self, seed: int) -> None:
        self._seed = salt(seed, "rivers")

    def nodes(self, lon: Floats, lat: Floats, wetness: Field) -> tuple[Field, Field, Field, Field]:
        """Return what is smooth about rivers, to be interpolated.

        Args:
            lon: Longitude [degrees], any shape; the others have it too.
            lat: Latitude [degrees].
            wetness: Of the climate, 0 to 1.

        Returns:
            Signed distance to the middle of the nearest river and half its width [m], then the
            same of brooks. Negative widths mean that there is none; so do narrow brooks.
        """
        water = np.clip((wetness - np.float32(0.2)) * np.float32(2.0), -1.0, 1.0)
        change = sphere_noise(lon, lat, RIVER_KM / 3, self._seed + 7) * np.float32(0.4)
        river, brook = self._distances(lon, lat)
        return (
            river,
            np.float32(RIVER_M) * (water + change),
            brook,
            np.float32(BROOK_M) * (water * np.float32(0.9) + change + np.float32(0.1)),
        )

    def _distances(self, lon: Floats, lat: Floats) -> tuple[Field, Field]:
        """Return the signed distances to the zero lines of two noises, to first order [m]."""
        east = PROBE_DEG / np.maximum(np.cos(np.radians(lat)), 0.05)
        lons, lats = np.stack([lon, lon + east, lon]), np.stack([lat, lat, lat + PROBE_DEG])
        sizes = [length / part for length in (RIVER_KM, BROOK_KM) for part in (1.0, FINER)]
        noises = sphere_noises(lons, lats, sizes, self._seed)
        values = noises[0::2] + noises[1::2] * np.float32(WEAKER)
        return _zero_line(values[0], RIVER_KM), _zero_line(values[1], BROOK_KM)


def river_depth(bends: Field, river: Field, width: Field) -> Field:
    """Return how far inside a river sites are [m], negative on the banks.

    Args:
        bends: Noise of a kilometre in [-1, 1], by which rivers wind.
        river: Signed distance as from `Rivers.nodes`, interpolated to the sites.
        width: Half the width of the river [m].
    """
    dry = (width <= LEAST_RIVER_M).astype(np.float32) * np.float32(FAR_M)
    depth: Field = width - np.abs(river + bends * np.float32(420.0)) - dry
    return depth


def brook_line(bends: Field, twigs: Field, brook: Field, width: Field) -> tuple[Field, Field]:
    """Return the signed distance to the nearest brook and half its width [m].

    Brooks are narrower than the distance of nodes: distances must be interpolated with their sign.

    Args:
        bends: Noise of a kilometre in [-1, 1].
        twigs: Noise of some 100 m in [-1, 1].
        brook: Signed distance as from `Rivers.nodes`, interpolated to the sites.
        width: Half the width; what is narrow is no brook.
    """
    kept = width * (width > BROOK_M / 4).astype(np.float32)
    return brook + (bends + twigs) * np.float32(150.0), kept


def _zero_line(value: Field, length_km: float) -> Field:
    """Return the distance to where a noise is zero [m] from its values here, east and north."""
    step_m = np.float32(PROBE_DEG * 111_195.0)
    slope = np.hypot(value[1] - value[0], value[2] - value[0]) / step_m
    least = np.float32(STEEPEST / (length_km * 1000.0))
    away: Field = value[0] / np.maximum(slope, least).astype(np.float32)
    return away
