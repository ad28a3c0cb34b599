"""Night lights by month, as the VIIRS day/night band composites: six large tiles at 15 arc seconds.

Radiance follows the sealed ground of the planet. Where nothing shines there is the noise of the
instrument and what is left of airglow, which is below zero about half of the time, as in the real
composites. Where the night never gets dark there is no observation at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import COARSE_CELL, Layer
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.lattice import Field, hash01, salt, sphere_noise
from eodata.sandbox.planet.sites import Floats
from eodata.sandbox.sensors.gridded import (
    DegreeGrid,
    Edition,
    GridCell,
    Gridded,
    by_key,
    degree_box,
    months,
)

STEP_DEG = 1 / 240
"""15 arc seconds; pixel centres lie on the degree lines."""
COLS, ROWS = 28_800, 18_000
BRIGHTEST = 60.0
"""Radiance of ground that is all sealed, before its country's habits [nW/cm²/sr]."""
DARK_DEG = 18.0
"""The sun must be this far below the horizon at midnight [degrees]."""
QUANTUM = 0.01
"""The composites are written in steps of this [nW/cm²/sr]."""


def _name(west: int, south: int) -> str:
    return f"{south + 75:02d}N{abs(west):03d}{'EW'[west < 0]}"


def _pixels(west: int, south: int) -> GeoBox:
    half = STEP_DEG / 2
    return degree_box(west - half, south + 75 + half, (STEP_DEG, STEP_DEG), (ROWS, COLS))


class NightLights(Gridded):
    """Monthly composites: mean radiance, and how many cloud-free nights went into it."""

    id = "viirs-dnb-monthly"
    title = "Simulated VIIRS day/night band, monthly"
    description = (
        "Night lights of the simulated Earth on the tiles of the VIIRS monthly composites "
        "(vcmcfg): avg_rad and cf_cvg."
    )
    grid = DegreeGrid((120, 75), -75, 75, _name, _pixels)
    square = COARSE_CELL
    editions = months((2012, 4), (2024, 12))
    layers = by_key(
        Layer("avg_rad", 1, "float32", unit="nW cm-2 sr-1"), Layer("cf_cvg", 1, "uint16")
    )
    pattern = re.compile(
        r"SVDNB_npp_(?P<edition>\d{6})01-\d{8}_(?P<cell>\d\dN\d{3}[EW])_vcmcfg_v10_c\d{12}"
    )

    def item_id(self, cell: GridCell, edition: Edition, /) -> str:
        """Return an id such as `SVDNB_npp_20180101-20180131_75N060W_vcmcfg_v10_c201802…`."""
        end = edition.end or edition.start
        last = end - timedelta(days=1)
        stem = f"SVDNB_npp_{edition.start:%Y%m%d}-{last:%Y%m%d}_{cell.name}_vcmcfg_v10"
        made = end + timedelta(seconds=int(float(hash01(salt(self.seed, stem), 0)) * 2e6))
        return f"{stem}_c{made:%Y%m%d%H%M}"

    def properties(self, _: GridCell, edition: Edition, /) -> dict[str, Any]:  # noqa: ARG002
        """Return platform and instrument."""
        return {"platform": "suomi-npp", "instruments": ["viirs"]}

    def exists(self, _: GridCell, /) -> bool:
        """Return True: each of the six tiles holds land."""
        return True

    def paint(
        self, base: GeoBox, keys: Sequence[str], edition: Edition, /
    ) -> dict[str, NDArray[np.generic]]:
        """Return radiance [nW/cm²/sr] and number of nights; both 0 where it never gets dark."""
        ground = self.planet.ground(base)
        lon, lat = _places(base)
        nights = self._nights(ground, lon, lat, edition)
        made: dict[str, NDArray[np.generic]] = {"cf_cvg": nights}
        if "avg_rad" in keys:
            light = self._lights(ground, lon, lat, edition.start) + self._dark(
                lon, lat, edition, nights
            )
            steps = np.rint(light / np.float32(QUANTUM)) * np.float32(QUANTUM)
            made["avg_rad"] = np.where(nights > 0, steps, np.float32(0))
        return {key: made[key] for key in keys}

    def behind(self, base: GeoBox, edition: Edition, /) -> dict[str, NDArray[np.generic]]:
        """Return `built`, the share of sealed ground, and `radiance` without noise."""
        ground = self.planet.ground(base)
        return {
            "built": ground.built,
            "radiance": self._lights(ground, *_places(base), edition.start),
        }

    def _lights(self, ground: Ground, lon: Floats, lat: Floats, month: datetime) -> Field:
        """Return what shines [nW/cm²/sr]: more in winter, when trees are bare and snow lies."""
        habits = sphere_noise(lon, lat, 1500.0, salt(self.seed, "habits"))
        winter = np.cos(2 * np.pi * (month.month - 1) / 12) * np.tanh(lat / 30)
        scale = BRIGHTEST * np.exp2(habits) * (1 + 0.15 * winter)
        lights: Field = ground.built * ground.built * scale.astype(np.float32)
        return lights

    def _dark(
        self, lon: Floats, lat: Floats, edition: Edition, nights: NDArray[np.uint16]
    ) -> Field:
        """Return airglow and noise: the fewer nights, the more noise."""
        seed = salt(self.seed, f"lights:{edition.name}")
        glow = sphere_noise(lon, lat, 700.0, seed)
        col, row = np.rint(lon / STEP_DEG), np.rint(lat / STEP_DEG)
        dice = [hash01(seed + n, col, row) for n in (1, 2, 3)]
        noise: Field = (dice[0] + dice[1] + dice[2] - np.float32(1.5)) * np.float32(0.5)
        noise /= np.sqrt(np.maximum(nights, 1).astype(np.float32))
        return np.float32(0.12) * glow + noise

    def _nights(
        self, ground: Ground, lon: Floats, lat: Floats, edition: Edition
    ) -> NDArray[np.uint16]:
        """Return the number of cloud-free dark nights."""
        clouds = sphere_noise(lon, lat, 250.0, salt(self.seed, f"nights:{edition.name}"))
        clear = np.float32(14) * (np.float32(1.1) - ground.wetness) + np.float32(4) * clouds
        dark = 90 - np.abs(lat) - _declination(edition.start) * np.sign(lat) > DARK_DEG
        return np.where(dark, np.rint(np.maximum(clear, 1)), 0).astype(np.uint16)


def _places(base: GeoBox) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes of pixel centres [degrees], each of the base's shape."""
    affine, (height, width) = base.affine, base.shape
    lon, lat = np.meshgrid(
        affine.c + affine.a * (np.arange(width) + 0.5),
        affine.f + affine.e * (np.arange(height) + 0.5),
    )
    return lon, lat


def _declination(month: datetime) -> float:
    """Return the declination of the sun in the middle of a month [degrees]."""
    day = month.timetuple().tm_yday + 14
    return float(-23.44 * np.cos(2 * np.pi * (day + 10) / 365.25))
