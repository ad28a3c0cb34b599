"""A planet of square fields by simple formulas, for tests of radar, maps and lidar alone."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import SandboxItem
from eodata.sandbox.planet.cover import BUILT, FOREST, Cover
from eodata.sandbox.planet.displacement import STILL
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.lattice import hash01
from eodata.sandbox.planet.sites import cut, paint, to_lonlat

NAMES = [field.name for field in fields(Ground)]


@dataclass
class CheckerPlanet:
    """Square fields of `size` metres whose cover is drawn from `covers`; all else is level.

    Forests are 20 m high, houses 5 to 35 m, field by field.
    """

    covers: tuple[Cover, ...] = (Cover.GRASS, Cover.BROADLEAF_FOREST, Cover.SUMMER_CROP)
    size: float = 300.0
    green: float = 0.6
    snow: float = 0.0
    moisture: float = 0.5
    height: float = 20.0
    built: float = 0.4
    warmth: float = 12.0
    wetness: float = 0.5
    slope: float = 0.0
    seed: int = 1

    def ground_at(self, sites) -> Ground:
        i, j = (np.floor(axis / self.size).astype(np.int64) for axis in (sites.x, sites.y))
        luck = np.broadcast_to(hash01(3, i, j), sites.shape)
        cover = np.array([int(c) for c in self.covers], np.uint8)[
            (luck * np.float32(len(self.covers))).astype(np.int64)
        ]
        flat = np.zeros(sites.shape, np.float32)
        forest, house = np.isin(cover, FOREST), np.isin(cover, BUILT[1:])
        return Ground(
            cover=cover,
            elevation=flat + np.float32(100),
            slope_x=flat + np.float32(self.slope),
            slope_y=flat,
            vigour=flat + np.float32(0.8),
            phase=luck * np.float32(20),
            texture=flat + np.float32(1),
            wetness=flat + np.float32(self.wetness),
            warmth=flat + np.float32(self.warmth),
            height=forest * np.float32(self.height) + house * (5 + 30 * luck),
            built=flat + np.float32(self.built),
            lat=to_lonlat(sites)[1].astype(np.float32),
        )

    def ground(self, geobox, displacement=STILL) -> Ground:
        height, width = geobox.shape
        made = paint(
            cut(geobox, displacement),
            (height, width),
            lambda sites: tuple(getattr(self.ground_at(sites), name) for name in NAMES),
        )
        return Ground(*made)

    def season(self, ground, time) -> Season:
        one = np.ones(ground.cover.shape, np.float32)
        return Season(one * self.green, one * self.snow, one * self.moisture)


def part(item: SandboxItem, row: int, col: int, height: int, width: int, factor: int = 1) -> GeoBox:
    """Return a part of an item's base grid, in pixels made coarser by a factor."""
    place = Affine.scale(factor) @ Affine.translation(col, row)
    return GeoBox((height, width), item.base.affine @ place, item.base.crs)


def part_at(item: SandboxItem, lon: float, lat: float, size: int) -> GeoBox:
    """Return a square of the item's base grid around a place."""
    x, y = CRS("EPSG:4326").transformer_to_crs(item.base.crs)(lon, lat)
    col, row = ~item.base.affine @ (x, y)
    return part(item, int(row) - size // 2, int(col) - size // 2, size, size)
