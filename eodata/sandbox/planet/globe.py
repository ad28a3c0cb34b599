"""The real coasts, lakes and urban areas: how far a place lies from them.

The shapes are those of Natural Earth at 1:50 million (public domain), rounded to 0.001 degrees.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.shapes import Shapes
from eodata.sandbox.planet.sites import Floats


class Globe:
    """Signed distances to real shapes. Threads may share it.

    All methods take longitudes and latitudes [degrees] of one shape and return float32 of it.
    """

    def __init__(self) -> None:
        self._land = Shapes("land", reach_km=60.0)
        self._lakes = Shapes("lakes", reach_km=20.0)
        self._urban = Shapes("urban_areas", reach_km=20.0)

    def coast_km(self, lon: Floats, lat: Floats) -> Field:
        """Return the distance to the sea coast [km], positive on land, clipped to ±60."""
        return self._land.distance(lon, lat)

    def lake_km(self, lon: Floats, lat: Floats) -> Field:
        """Return the distance to the shore of lakes [km], positive inside, clipped to ±20."""
        return self._lakes.distance(lon, lat)

    def lake(self, lon: Floats, lat: Floats) -> NDArray[np.int32]:
        """Return the number of the lake whose shore is nearest, -1 far from all lakes."""
        return self._lakes.owner(lon, lat)

    def lake_shore(self, number: int) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes of the corners around a lake [degrees]."""
        return self._lakes.outline(number)

    def urban_km(self, lon: Floats, lat: Floats) -> Field:
        """Return the distance to the edge of urban areas [km], positive inside, up to ±20."""
        return self._urban.distance(lon, lat)

    def land_share(self) -> Floats:
        """Return the share of land in boxes of a degree, `(180, 360)` from -90, -180.

        It is rough: 0.5 wherever the coast is within reach.
        """
        return np.asarray(0.5 + 0.5 * self._land.boxes, np.float64)


@lru_cache(maxsize=1)
def globe() -> Globe:
    """Return the one globe; reading its shapes takes about a fifth of a second."""
    return Globe()
