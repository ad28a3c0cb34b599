"""The planet asked at scattered places, whatever frames they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.planet.sites import Floats, from_lonlat, zone_at


def sample(
    planet: Planet, lon: Floats, lat: Floats, fields: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    """Return properties of the ground at places.

    Args:
        planet: Which planet.
        lon: `(N,)` longitudes [degrees], -180 to 180.
        lat: `(N,)` latitudes [degrees].
        fields: Names of fields of `Ground`.

    Returns:
        By name, `(N,)` in the order of the places.
    """
    zones = zone_at(lon)
    found: dict[str, NDArray[np.generic]] = {}
    for zone in np.unique(zones):
        inside = zones == zone
        ground = planet.ground_at(from_lonlat(int(zone), lon[inside], lat[inside]))
        for name in fields:
            values = getattr(ground, name)
            found.setdefault(name, np.zeros(lon.shape, values.dtype))[inside] = values
    return found
