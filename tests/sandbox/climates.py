"""A climate that is the same everywhere, to stand in for a planet's."""

from __future__ import annotations

import numpy as np

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.sites import Floats


class Even:
    def __init__(self, warmth: float = 10.0, wetness: float = 0.6) -> None:
        self._warmth, self._wetness = warmth, wetness

    def warmth(self, lon: Floats, lat: Floats, elevation: Field) -> Field:
        return np.full(np.shape(lon), self._warmth, np.float32)

    def wetness(self, lon: Floats, lat: Floats) -> Field:
        return np.full(np.shape(lon), self._wetness, np.float32)

    def swing(self, lon: Floats, lat: Floats) -> Field:
        return np.full(np.shape(lon), 8.0, np.float32)
