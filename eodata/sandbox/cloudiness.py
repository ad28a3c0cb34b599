"""Which sky is usual where: long-term means that the weather of single days varies about."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.sites import Floats


class ClimateLike(Protocol):
    """What the weather asks of a climate."""

    def warmth(self, lon: Floats, lat: Floats, elevation: Field) -> Field:
        """Return the mean temperature of the year [degrees C]."""
        ...

    def wetness(self, lon: Floats, lat: Floats) -> Field:
        """Return the moisture of the climate, 0 to 1."""
        ...

    def swing(self, lon: Floats, lat: Floats) -> Field:
        """Return half the yearly range of temperature [K]."""
        ...


class Means:
    """What is usual at a place: maps of one degree, made once from the climate."""

    def __init__(self, climate: ClimateLike) -> None:
        lat, lon = np.meshgrid(np.arange(180) - 89.5, np.arange(360) - 179.5, indexing="ij")
        wetness = climate.wetness(lon, lat)
        land = globe().land_share().astype(np.float32)
        self._maps = np.stack(
            [
                _mean_cover(lat, wetness, land),
                _wet_season(lat, wetness, land),
                climate.warmth(lon, lat, np.zeros(lat.shape, np.float32)),
                climate.swing(lon, lat),
                wetness,
                land,
            ]
        ).astype(np.float32)

    def at(self, lon: Floats, lat: Floats) -> tuple[Field, ...]:
        """Return cover, its gain in local summer, warmth, swing, wetness, land; any shape."""
        col, row = (lon + 179.5) % 360.0, np.clip(lat + 89.5, 0.0, 178.999)
        i, j = col.astype(np.int64), row.astype(np.int64)
        fx, fy = (col - i).astype(np.float32), (row - j).astype(np.float32)
        i, right = i % 360, (i + 1) % 360
        low = self._maps[:, j, i] * (1 - fx) + self._maps[:, j, right] * fx
        high = self._maps[:, j + 1, i] * (1 - fx) + self._maps[:, j + 1, right] * fx
        return tuple(low * (1 - fy) + high * fy)


def _mean_cover(lat: Floats, wetness: Field, land: Field) -> Field:
    """Return the share of ground under clouds over the year, roughly as satellites see it.

    Dry land 0.15, wet land 0.65; more in the storm tracks, less in the dry belts of the sea.
    """
    far = np.abs(lat)
    storms = np.exp(-(((far - 60.0) / 16.0) ** 2))
    ground = 0.12 + 0.54 * wetness**0.8
    ground += np.maximum(0.62 - ground, 0.0) * 0.7 * storms
    sea = 0.62 + 0.16 * storms - 0.1 * np.exp(-(((far - 20.0) / 9.0) ** 2))
    return np.asarray(sea + (ground - sea) * land, np.float32)


def _wet_season(lat: Floats, wetness: Field, land: Field) -> Field:
    """Return what summer adds to the cover: monsoons in the tropics, drought around 37 degrees."""
    far = np.abs(lat)
    monsoon = 0.34 * np.exp(-(((far - 13.0) / 8.0) ** 2)) * np.sqrt(wetness)
    drought = 0.13 * np.exp(-(((far - 37.0) / 7.0) ** 2))
    return np.asarray((monsoon - drought) * land, np.float32)
