"""Copernicus DEM GLO-30: the surface of the ground with what stands on it, tiles of one degree.

Pixel centres lie on whole arc seconds, as in the real product, so that tiles begin half a pixel
north-west of the degree lines. Towards the poles pixels grow wider in longitude.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import Layer
from eodata.sandbox.planet.cover import FOREST, WATER, Cover
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.lattice import Field, hash01, salt
from eodata.sandbox.sensors.gridded import (
    DegreeGrid,
    Edition,
    GridCell,
    Gridded,
    by_key,
    degree_box,
)

ROWS = 3600
ARCSEC = 1 / 3600
BELTS = ((50, 1.0), (60, 1.5), (70, 2.0), (80, 3.0), (85, 5.0), (90, 10.0))
"""Up to which latitude [degrees] pixels are how many arc seconds wide."""
SEEN_OF_TREES, SEEN_OF_HOUSES = 0.75, 0.6
"""How much of their height radar sees of trees, and 30 m pixels of houses with yards between."""
NOISE_M = 0.8
"""Largest random error on land [m]."""


def width_of(south: int) -> float:
    """Return the width of pixels [arc seconds] of a tile by its southern edge [degrees]."""
    nearest = south if south >= 0 else -south - 1
    return next(width for limit, width in BELTS if nearest < limit)


def _name(west: int, south: int) -> str:
    return f"{'NS'[south < 0]}{abs(south):02d}_00_{'EW'[west < 0]}{abs(west):03d}_00"


def _pixels(west: int, south: int) -> GeoBox:
    wide = width_of(south)
    step = (wide * ARCSEC, ARCSEC)
    return degree_box(west - step[0] / 2, south + 1 + step[1] / 2, step, (ROWS, round(ROWS / wide)))


class Elevation(Gridded):
    """The digital surface model, one edition."""

    id = "cop-dem-glo-30"
    title = "Simulated Copernicus DEM GLO-30"
    description = (
        "Surface of the simulated Earth, with forests and houses, on the tiles of Copernicus DEM "
        "GLO-30. Tiles that are all sea do not exist."
    )
    grid = DegreeGrid((1, 1), -90, 90, _name, _pixels)
    editions = (Edition("10", datetime(2021, 4, 22, tzinfo=UTC)),)
    layers = by_key(Layer("data", 1, "float32", unit="m"))
    pattern = re.compile(
        r"Copernicus_DSM_COG_(?P<edition>10)_(?P<cell>[NS]\d\d_00_[EW]\d{3}_00)_DEM"
    )

    def item_id(self, cell: GridCell, edition: Edition, /) -> str:
        """Return an id such as `Copernicus_DSM_COG_10_N48_00_E003_00_DEM`."""
        return f"Copernicus_DSM_COG_{edition.name}_{cell.name}_DEM"

    def properties(self, _: GridCell, edition: Edition, /) -> dict[str, Any]:  # noqa: ARG002
        """Return platform and pixel size."""
        return {"platform": "TanDEM-X", "gsd": 30}

    def paint(
        self, base: GeoBox, keys: Sequence[str], _: Edition, /
    ) -> dict[str, NDArray[np.generic]]:
        """Return the height of the surface [m]; 0 on the sea."""
        ground = self.planet.ground(base)
        surface = ground.elevation + _standing(ground) + self._noise(ground, base)
        return dict.fromkeys(keys, np.where(ground.cover == Cover.SEA, np.float32(0), surface))

    def behind(self, base: GeoBox, _: Edition, /) -> dict[str, NDArray[np.generic]]:
        """Return `elevation` of the bare ground [m], `height` of what stands on it, `cover`."""
        ground = self.planet.ground(base)
        return {"elevation": ground.elevation, "height": ground.height, "cover": ground.cover}

    def _noise(self, ground: Ground, base: GeoBox) -> Field:
        """Return the random error [m], by pixel; water is flattened in the real product."""
        affine, (height, width) = base.affine, base.shape
        col = np.rint((affine.c + affine.a * (np.arange(width) + 0.5)) / affine.a)
        row = np.rint((affine.f + affine.e * (np.arange(height) + 0.5)) / affine.e)
        dice = hash01(salt(self.seed, "dem"), col[np.newaxis, :], row[:, np.newaxis])
        noise = (dice - np.float32(0.5)) * np.float32(2 * NOISE_M)
        return np.where(np.isin(ground.cover, WATER), np.float32(0), noise)


_SEEN = np.array([SEEN_OF_TREES if c in FOREST else SEEN_OF_HOUSES for c in Cover], np.float32)


def _standing(ground: Ground) -> Field:
    """Return how far the surface lies above the ground [m]."""
    return ground.height * _SEEN[ground.cover]
