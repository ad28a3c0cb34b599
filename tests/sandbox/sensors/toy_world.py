"""A planet, a weather and items of Sentinel-2 by simple formulas, for tests of the optics alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.displacement import STILL, Bend
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.lattice import fractal, hash01
from eodata.sandbox.planet.sites import cut
from eodata.sandbox.sensors.sentinel2_items import S2Origin
from eodata.sandbox.sensors.spectra import BANDS
from eodata.sandbox.weather import Sky

TILE = GeoBox((10980, 10980), Affine(10, 0, 399_960, 0, -10, 5_700_000), "EPSG:32631")
SENSED = datetime(2020, 6, 1, 10, 50, tzinfo=UTC)
RATIOS = dict.fromkeys(("B02", "B03", "B04", "B08"), 1) | dict.fromkeys(("B01", "B09", "B10"), 6)
LAYERS = {b: Layer(b, RATIOS.get(b, 2), "uint16", nodata=0) for b in BANDS} | {
    "SCL": Layer("SCL", 2, "uint8", nodata=0)
}


def full(shape, value) -> np.ndarray:
    return np.full(shape, value, np.float32)


@dataclass
class ToyPlanet:
    """Square fields of 300 m whose cover is drawn from `covers`."""

    covers: tuple[Cover, ...] = tuple(Cover)
    green: float = 0.6
    snow: float = 0.0
    moisture: float = 0.0
    rough: float = 0.05
    calls: int = 0

    def ground(self, geobox, displacement=STILL, *, corners=False) -> Ground:
        self.calls += 1
        (piece,) = cut(geobox, displacement)
        sites = piece.sites
        x, y = (np.floor(axis / 300.0).astype(np.int64) for axis in (sites.x, sites.y))
        pick = (hash01(3, x, y) * np.float32(len(self.covers))).astype(np.int64)
        grain = hash01(4, np.floor(sites.x).astype(np.int64), np.floor(sites.y).astype(np.int64))
        texture = np.float32(1) + np.float32(self.rough) * (grain - np.float32(0.5))
        flat = np.zeros(sites.shape, np.float32)
        ones = flat + np.float32(1)
        return Ground(
            cover=np.array([int(c) for c in self.covers], np.uint8)[pick],
            elevation=flat,
            slope_x=flat,
            slope_y=flat,
            vigour=ones,
            phase=flat,
            texture=texture,
            wetness=ones,
            warmth=ones,
            height=flat,
            built=flat,
            lat=ones * np.float32(50),
        )

    def season(self, ground, time) -> Season:
        shape = ground.cover.shape
        return Season(full(shape, self.green), full(shape, self.snow), full(shape, self.moisture))


@dataclass
class ToyWeather:
    """Clouds of one thickness where a noise is high; nothing where `thick` is 0."""

    thick: float = 0.0
    thin: float = 0.0
    haze: float = 0.1
    sunlit: float = 1.0
    top: float = 2000.0

    def sky(self, geobox, time, elevation, displacement=STILL, *, frozen=None) -> Sky:
        (piece,) = cut(geobox, displacement)
        there = fractal(piece.sites, 2000.0, 7, 3) > 0.1 if self.thick else False
        shape = elevation.shape
        return Sky(
            thick=np.where(there, full(shape, self.thick), full(shape, 0)),
            thin=full(shape, self.thin),
            top=full(shape, self.top),
            haze=full(shape, self.haze),
            vapour=full(shape, 2.0),
            sunlit=full(shape, self.sunlit),
        )


@dataclass(frozen=True)
class ToyPass:
    """A satellite that flies along the meridian `lon`."""

    lon: float = 2.0
    start: datetime = SENSED

    def locate(self, lon, lat):
        return (np.asarray(lon) - self.lon) * 70.0, np.zeros(np.shape(lon))


@dataclass
class ToyOrigin:
    crossing: ToyPass = field(default_factory=ToyPass)
    level: str = "l1c"
    offset_dn: int = 0
    sensed: datetime = SENSED
    sun_zenith: float = 35.0
    sun_azimuth: float = 150.0
    shift: tuple[float, float] = (0.0, 0.0)
    bend: Bend | None = None
    band_shifts: dict = field(default_factory=dict)
    all_nodata: bool = False
    tile: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="31UDS"))

    displacement = S2Origin.displacement


def toy_item(day: int = 0, **origin) -> SandboxItem:
    made = ToyOrigin(**origin)
    made.sensed = SENSED + timedelta(days=day)
    return SandboxItem(
        id=f"toy-{day}",
        collection=f"sentinel-2-{made.level}",
        datetime=made.sensed,
        footprint=box(1.5, 50, 3, 51.5),
        properties={},
        base=TILE,
        layers=LAYERS,
        origin=made,
    )


def window(row: int, col: int, height: int, width: int, factor: int = 1) -> GeoBox:
    """Return a part of the tile, in base pixels made coarser by a factor."""
    place = Affine.scale(factor) @ Affine.translation(col, row)
    return GeoBox((height, width), TILE.affine @ place, TILE.crs)
