"""Land cover maps: MODIS MCD12Q1 at half a kilometre, by year, and ESA WorldCover at 10 m.

Both say what the planet's cover is in their own legends, without errors of their own: a map that
disagrees with the planet disagrees because of its pixel size or its legend. The planet's cover
does not change, so all years agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import COARSE_CELL, Layer
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.lattice import Field, hash01, salt
from eodata.sandbox.sensors import legends, sinusoidal
from eodata.sandbox.sensors.gridded import (
    DegreeGrid,
    Edition,
    GridCell,
    Gridded,
    by_key,
    degree_box,
    years,
)
from eodata.sandbox.sensors.legends import Classes, Mixture
from eodata.sandbox.sensors.sampling import sample

PER_AXIS = 5
"""Samples along each axis of a MODIS pixel, 93 m apart: 25 in all."""
BLOCK = 24
"""MODIS pixels sampled at once are a square of this edge: what is close together costs less."""
WATER_REACH_KM = 20.0
"""WorldCover maps the sea up to this distance from the coast, and has no data beyond."""
COAST_DEG = 0.02
"""The distance from the coast is asked once per square of this size [degrees]."""


class ModisLandCover(Gridded):
    """MCD12Q1 by year: IGBP and the three LCCS layers on the sinusoidal grid."""

    id = "modis-mcd12q1"
    title = "Simulated MODIS land cover, yearly, 500 m"
    description = (
        "Land cover of the simulated Earth in the legends and on the grid of MCD12Q1: "
        "LC_Type1 (IGBP) and LC_Prop1 to LC_Prop3 (LCCS)."
    )
    grid = sinusoidal.SinusoidalGrid()
    square = COARSE_CELL
    editions = years(2001, 2023)
    layers = by_key(
        *(
            Layer(key, 1, "uint8", nodata=255)
            for key in ("LC_Type1", "LC_Prop1", "LC_Prop2", "LC_Prop3")
        )
    )
    pattern = re.compile(r"MCD12Q1\.A(?P<edition>\d{4})001\.(?P<cell>h\d\dv\d\d)\.061\.\d{13}")

    def exists(self, cell: GridCell) -> bool:
        """Return True when a tile holds land, or may do so."""
        return sinusoidal.tile_may_hold_land(cell.name)

    def item_id(self, cell: GridCell, edition: Edition, /) -> str:
        """Return an id such as `MCD12Q1.A2018001.h18v03.061.2022168154427`."""
        stem = f"MCD12Q1.A{edition.name}001.{cell.name}.061"
        made = edition.start.replace(year=edition.start.year + 1) + timedelta(
            seconds=int(float(hash01(salt(self.seed, stem), 0)) * 2e7)
        )
        return f"{stem}.{made:%Y%j%H%M%S}"

    def properties(self, cell: GridCell, _: Edition, /) -> dict[str, Any]:
        """Return platform and place on the grid."""
        col, row = sinusoidal.place_of(cell.name)
        return {
            "instruments": ["modis"],
            "modis:horizontal-tile": col,
            "modis:vertical-tile": row,
        }

    def paint(
        self, base: GeoBox, keys: Sequence[str], _: Edition, /
    ) -> dict[str, NDArray[np.generic]]:
        """Return classes, 255 off the Earth."""
        mixture, on_earth = self._mixture(base)
        return {
            key: np.where(on_earth, _MODIS_LEGENDS[key](mixture), np.uint8(255)) for key in keys
        }

    def behind(self, base: GeoBox, _: Edition, /) -> dict[str, NDArray[np.generic]]:
        """Return `cover`, the planet's commonest class per pixel, and `purity`, its share."""
        shares = self._mixture(base)[0].shares
        return {"cover": shares.argmax(axis=0).astype(np.uint8), "purity": shares.max(axis=0)}

    def _mixture(self, base: GeoBox) -> tuple[Mixture, NDArray[np.bool_]]:
        """Return what pixels are made of, and which lie on the Earth."""
        height, width = base.shape
        shares = np.zeros((legends.N_COVERS, height, width), np.float32)
        warmth, wetness = np.zeros((2, height, width), np.float32)
        on_earth = np.zeros((height, width), bool)
        for here in _blocks(height, width):
            found, inside = self._sampled(base[here])
            if not inside.any():
                continue
            shares[:, *here] = _shares(found["cover"])
            warmth[here], wetness[here] = found["warmth"][_MIDDLE], found["wetness"][_MIDDLE]
            on_earth[here] = inside[_MIDDLE]
        return Mixture(shares, warmth, wetness), on_earth

    def _sampled(self, grid: GeoBox) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
        """Return properties of the ground at all samples of a grid, and which are on Earth.

        There are no properties where nothing is on Earth.
        """
        affine, (height, width) = grid.affine, grid.shape
        x, y = np.meshgrid(
            affine.c + affine.a * (np.arange(width * PER_AXIS) + 0.5) / PER_AXIS,
            affine.f + affine.e * (np.arange(height * PER_AXIS) + 0.5) / PER_AXIS,
        )
        lon, lat = sinusoidal.to_lonlat(x, y)
        inside = np.abs(lon) <= 180
        found = sample(self.planet, lon[inside], lat[inside], _SAMPLED)
        return {name: _spread(values, inside) for name, values in found.items()}, inside


_SAMPLED = ("cover", "warmth", "wetness")
_MIDDLE = (slice(PER_AXIS // 2, None, PER_AXIS),) * 2
_MODIS_LEGENDS: dict[str, Callable[[Mixture], Classes]] = {
    "LC_Type1": legends.igbp,
    "LC_Prop1": legends.lccs_cover,
    "LC_Prop2": legends.lccs_use,
    "LC_Prop3": legends.lccs_water,
}


def _blocks(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Cut a grid into squares, smaller at its lower and right end."""
    for row in range(0, height, BLOCK):
        for col in range(0, width, BLOCK):
            yield slice(row, min(row + BLOCK, height)), slice(col, min(col + BLOCK, width))


def _spread(values: NDArray[np.generic], where: NDArray[np.bool_]) -> NDArray[Any]:
    whole = np.zeros(where.shape, values.dtype)
    whole[where] = values
    return whole


def _shares(cover: Classes) -> Field:
    """Return the share of each class per pixel, `(19, H, W)`, from samples `(5 H, 5 W)`."""
    height, width = (size // PER_AXIS for size in cover.shape)
    pixel = np.arange(height * width).reshape(height, 1, width, 1) * legends.N_COVERS
    samples = cover.reshape(height, PER_AXIS, width, PER_AXIS)
    counts = np.bincount((pixel + samples).ravel(), minlength=height * width * legends.N_COVERS)
    shares = counts.astype(np.float32) / np.float32(PER_AXIS**2)
    return np.moveaxis(shares.reshape(height, width, legends.N_COVERS), -1, 0)


def _worldcover_name(west: int, south: int) -> str:
    return f"{'NS'[south < 0]}{abs(south):02d}{'EW'[west < 0]}{abs(west):03d}"


def _worldcover_box(west: int, south: int) -> GeoBox:
    return degree_box(west, south + 3, (3 / 36000, 3 / 36000), (36000, 36000))


class WorldCover(Gridded):
    """ESA WorldCover: 10 m, editions 2020 and 2021, tiles of three degrees."""

    id = "esa-worldcover"
    title = "Simulated ESA WorldCover, 10 m"
    description = (
        "Land cover of the simulated Earth in the legend and on the tiles of ESA WorldCover, "
        "v100 for 2020 and v200 for 2021."
    )
    grid = DegreeGrid((3, 3), -60, 84, _worldcover_name, _worldcover_box)
    editions = years(2020, 2021)
    layers = by_key(Layer("map", 1, "uint8", nodata=0))
    pattern = re.compile(r"ESA_WorldCover_10m_(?P<edition>\d{4})_v\d00_(?P<cell>[NS]\d\d[EW]\d{3})")

    def item_id(self, cell: GridCell, edition: Edition, /) -> str:
        """Return an id such as `ESA_WorldCover_10m_2021_v200_N48E003`."""
        return f"ESA_WorldCover_10m_{edition.name}_{_version(edition.start)}_{cell.name}"

    def properties(self, cell: GridCell, edition: Edition, /) -> dict[str, Any]:
        """Return tile and version."""
        return {
            "esa_worldcover:product_tile": cell.name,
            "esa_worldcover:product_version": f"{_version(edition.start)[1]}.0.0",
        }

    def paint(
        self, base: GeoBox, keys: Sequence[str], _: Edition, /
    ) -> dict[str, NDArray[np.generic]]:
        """Return classes, 0 on the open sea."""
        ground = self.planet.ground(base)
        classes = legends.worldcover(ground)
        classes[_open_sea(ground, base)] = 0
        return dict.fromkeys(keys, classes)

    def behind(self, base: GeoBox, _: Edition, /) -> dict[str, NDArray[np.generic]]:
        """Return `cover`, the planet's class per pixel."""
        return {"cover": self.planet.ground(base).cover}


def _version(start: datetime) -> str:
    return f"v{start.year - 2019}00"


def _open_sea(ground: Ground, base: GeoBox) -> NDArray[np.bool_]:
    """Return where the sea is too far from the coast to be mapped."""
    sea: NDArray[np.bool_] = ground.cover == Cover.SEA
    if not sea.any():
        return sea
    affine, (height, width) = base.affine, base.shape
    cols = np.floor((affine.c + affine.a * (np.arange(width) + 0.5)) / COAST_DEG)
    rows = np.floor((affine.f + affine.e * (np.arange(height) + 0.5)) / COAST_DEG)
    (lon, col), (lat, row) = (np.unique(at, return_inverse=True) for at in (cols, rows))
    coast = globe().coast_km(*np.meshgrid((lon + 0.5) * COAST_DEG, (lat + 0.5) * COAST_DEG))
    far: NDArray[np.bool_] = coast < -WATER_REACH_KM
    sea &= far[np.ix_(row, col)]
    return sea
