"""Sentinel-1 over the simulated planet: backscatter with speckle, noise and edges, and its truth.

`sentinel-1-grd` is what Earth Engine serves: sigma nought in decibels, terrain corrected.
`sentinel-1-rtc` is what the Planetary Computer serves: gamma nought as power, terrain flattened.
Both kinds of one acquisition share their speckle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.items import SandboxItem
from eodata.sandbox.planet.lattice import Field, Ints, salt
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.sensors import speckle
from eodata.sandbox.sensors.backscatter import Look, sigma0
from eodata.sandbox.sensors.listed import Listed
from eodata.sandbox.sensors.sentinel1_items import NODATA_RTC, S1Origin, Sentinel1Items
from eodata.sandbox.sensors.sentinel1_swath import Strip, strip_over

NAMES = {
    "grd": (
        "Simulated Sentinel-1 GRD, sigma nought",
        "Interferometric wide swath, VV and VH, sigma nought [dB], terrain corrected, 10 m.",
    ),
    "rtc": (
        "Simulated Sentinel-1 RTC, gamma nought",
        "Interferometric wide swath, VV and VH, gamma nought [power], terrain flattened, 10 m.",
    ),
}
BORDER_DB = (-25.0, -35.0)
"""What old processors left beyond the edge: close to it, and at its outer end."""
_PER_DB = np.float32(np.log(10) / 10)


class Sentinel1(Listed):
    """The collection `sentinel-1-grd` or `sentinel-1-rtc`. Threads may share it."""

    def __init__(
        self, kind: Literal["grd", "rtc"], settings: SandboxSettings, planet: Planet
    ) -> None:
        super().__init__(Sentinel1Items(kind, settings))
        self._kind, self._seed, self._planet = kind, settings.seed, planet
        self.title, self.description = NAMES[kind]

    def render(
        self, item: SandboxItem, keys: Sequence[str], base: GeoBox
    ) -> dict[str, NDArray[np.generic]]:
        """Return the numbers of some layers; see `items.Collection`."""
        origin: S1Origin = item.origin
        missing = np.float32(np.nan if self._kind == "grd" else NODATA_RTC)
        strip = strip_over(origin, base, self._seed)
        if origin.all_nodata or not (strip.inside | strip.border | strip.zeros).any():
            return {key: np.full(base.shape, missing) for key in keys}
        power = self._power(item, keys, base, strip)
        looks, cols, rows = _pixels(item, base)
        dice = speckle.dice(salt(self._seed, origin.stem), cols, rows)
        made: dict[str, NDArray[np.generic]] = {}
        for key in keys:
            if self._kind == "grd":
                numbers = np.log(power[key])
                numbers /= _PER_DB
                numbers += speckle.quantiles_db(looks)[dice[key]]
                kept = strip.inside | strip.border
            else:
                numbers = power[key] * speckle.quantiles(looks)[dice[key]]
                numbers[strip.zeros] = 0
                kept = strip.inside | strip.border | strip.zeros
            made[key] = np.where(kept, numbers, missing)
        return made

    def truth(self, item: SandboxItem, base: GeoBox) -> dict[str, NDArray[np.generic]]:
        """Return what is behind the numbers, on the base's own pixels `(H, W)`.

        Returns:
            `sigma0_vv`, `sigma0_vh`: backscatter without speckle, noise and edges [dB].
            `incidence`: angle of incidence on the ellipsoid [degrees]. `moisture`: of the top
            soil, 0 to 1. `cover`: `Cover` values. `swath`: bool, measured. `border`: bool, noise
            that an old processor left at the edge. Everything is displaced as the item is.
        """
        origin: S1Origin = item.origin
        strip = strip_over(origin, base, self._seed)
        ground = self._planet.ground(base, origin.displacement())
        season = self._planet.season(ground, item.datetime)
        sigma = sigma0(ground, season, _look(origin, strip))
        return {
            "sigma0_vv": sigma["vv"],
            "sigma0_vh": sigma["vh"],
            "incidence": strip.incidence,
            "moisture": season.moisture,
            "cover": ground.cover,
            "swath": strip.inside,
            "border": strip.border,
        }

    def _power(
        self, item: SandboxItem, keys: Sequence[str], base: GeoBox, strip: Strip
    ) -> dict[str, Field]:
        """Return what is measured but for speckle, as power."""
        origin: S1Origin = item.origin
        ground = self._planet.ground(base, origin.displacement())
        season = self._planet.season(ground, item.datetime)
        flat = self._kind == "rtc"
        sigma = sigma0(ground, season, _look(origin, strip), keys, relief=not flat)
        made = {}
        for key, level in sigma.items():
            power: Field = np.exp(level * _PER_DB) + strip.noise
            if flat:
                power /= np.cos(np.radians(strip.incidence))
            border = strip.border
            if border.any():
                power[border] = np.exp(_left_over(strip.depth[border], key) * _PER_DB)
            made[key] = power
        return made


def _look(origin: S1Origin, strip: Strip) -> Look:
    return Look(strip.incidence, origin.frame.azimuth, strip.wind, strip.dew)


def _left_over(depth: Field, key: str) -> Field:
    """Return the level of border noise [dB] by its depth; it is lower in VH."""
    near, far = BORDER_DB
    level: Field = np.float32(near) + depth * np.float32(far - near)
    return level - np.float32(3) if key == "vh" else level


def _pixels(item: SandboxItem, base: GeoBox) -> tuple[float, Ints, Ints]:
    """Return the number of looks of a grid, and its absolute columns `(1, W)` and rows `(H, 1)`.

    A pixel of an overview is the mean of many, so its speckle is weaker.
    """
    affine, corner = base.affine, item.base.affine
    factor = max(1, round(affine.a / corner.a))
    col = round((affine.c - corner.c) / affine.a) + np.arange(base.shape[1])
    row = round((affine.f - corner.f) / affine.e) + np.arange(base.shape[0])
    return speckle.LOOKS * factor**2, col[np.newaxis, :], row[:, np.newaxis]
