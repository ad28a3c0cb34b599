"""Sentinel-2 over the simulated planet: the numbers of Level-1C and Level-2A, and their truth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.clouds import THICK_CLOUD, THIN_CLOUD
from eodata.sandbox.items import SandboxItem, coarser
from eodata.sandbox.orbits import SENTINEL2_HALF_SWATH_KM, Pass
from eodata.sandbox.planet.cover import WATER
from eodata.sandbox.planet.lattice import Field, between_nodes, hash_bits, salt
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.planet.sites import Sites, cut, paint, to_lonlat
from eodata.sandbox.sensors.atmosphere import Air, air_of, corrected_air
from eodata.sandbox.sensors.classify import BANDS_USED, Evidence, classify
from eodata.sandbox.sensors.listed import Listed
from eodata.sandbox.sensors.sentinel2_items import S2Origin, Sentinel2Items
from eodata.sandbox.sensors.spectra import BANDS, INDEX
from eodata.sandbox.sensors.view import Kept, Spot, View, facts_at
from eodata.sandbox.weather import Weather

SCALE = 10_000.0
"""DN per unit of reflectance."""
HIGHEST = 65_534
NOISE = (5e-4, 5e-4, 5e-4, 5e-4, 6e-4, 6e-4, 6e-4, 7e-4, 7e-4, 8e-4, 3e-4, 5e-4, 5e-4)
"""Standard deviation of the detectors by band (reflectance)."""
VIEWS = 12
"""Squares that stay ready for their next band, about 12 MB each."""
SWATH_NODE_M = 5000.0


class Sentinel2(Listed):
    """The collection `sentinel-2-l1c` or `sentinel-2-l2a`. Threads may share it."""

    def __init__(
        self,
        level: Literal["l1c", "l2a"],
        settings: SandboxSettings,
        planet: Planet,
        weather: Weather,
    ) -> None:
        listing = Sentinel2Items(level, settings, weather)
        super().__init__(listing)
        self._level, self._seed = level, settings.seed
        self._planet, self._weather = planet, weather
        self._views = Kept[Spot, View](
            lambda spot: View(spot, planet, weather, settings.seed), VIEWS
        )
        self.title, self.description = listing.title, listing.description

    def render(
        self, item: SandboxItem, keys: Sequence[str], base: GeoBox
    ) -> dict[str, NDArray[np.generic]]:
        """Return the numbers of some layers; see `items.Collection`."""
        return {key: self._layer(item, key, base) for key in keys}

    def truth(self, item: SandboxItem, base: GeoBox) -> dict[str, NDArray[np.generic]]:
        """Return what is behind the numbers, on the base's own pixels `(H, W)`.

        Returns:
            `clear`: `(13, H, W)` float32, the reflectance of the ground by band as a perfect
            Level-2A without clouds and shadows has it: blurred where the band has 10 m, not yet
            averaged where it is coarser. `thick`, `thin`, `haze`: optical thickness at 550 nm.
            `cloud`: bool, thick or thin cloud that counts. `shadow`: bool, less than half of the
            direct sunlight. `sunlight`: that share. `cloud_top`: height [m] where `thick > 0`.
            `cover`: `Cover` values. `green`, `snow`: shares of the ground, 0 to 1. `swath`: bool,
            inside the swath. Everything is displaced as the item is; displacements between bands
            are in `clear` too.
        """
        origin: S2Origin = item.origin
        spot = _spot(origin, base, "")
        facts = facts_at(spot, base, self._planet, self._weather)
        sky = facts.sky
        return {
            "clear": np.stack([self._clear(item, band, base) for band in BANDS]),
            "thick": sky.thick,
            "thin": sky.thin,
            "haze": sky.haze,
            "cloud": (sky.thick > THICK_CLOUD) | (sky.thin > THIN_CLOUD),
            "shadow": sky.sunlit < 0.5,
            "sunlight": sky.sunlit,
            "cloud_top": sky.top,
            "cover": facts.ground.cover,
            "green": facts.season.green,
            "snow": facts.season.snow,
            "swath": swath(origin.crossing, base),
        }

    def _layer(self, item: SandboxItem, key: str, base: GeoBox) -> NDArray[np.generic]:
        origin: S2Origin = item.origin
        layer = item.layers[key]
        grid = coarser(base, layer.ratio)
        if origin.all_nodata:
            return np.zeros(grid.shape, layer.dtype)
        inside = swath(origin.crossing, grid)
        if not inside.any():
            return np.zeros(grid.shape, layer.dtype)
        numbers = self._numbers(item, key, base)
        numbers[~inside] = 0
        return numbers

    def _numbers(self, item: SandboxItem, key: str, base: GeoBox) -> NDArray[np.generic]:
        """Return the numbers of one layer as if the swath had no edge."""
        origin: S2Origin = item.origin
        view, ratio = self._views(_spot(origin, base, key)), item.layers[key].ratio
        air = self._air(origin)
        if key == "SCL":
            return classify(evidence(view, air, ratio))
        rho = view.observed(air, INDEX[key], ratio)
        rho += noise(item, key, coarser(base, ratio))
        return digital(rho, origin.offset_dn)

    def _clear(self, item: SandboxItem, band: str, base: GeoBox) -> Field:
        view = self._views(_spot(item.origin, base, band))
        finest = band in item.layers and item.layers[band].ratio == 1
        return view.ground(INDEX[band], 1, clear=True) if finest else view.sharp(INDEX[band])

    def _air(self, origin: S2Origin) -> Air:
        make = air_of if self._level == "l1c" else corrected_air
        return make(origin.sun_zenith)


def digital(rho: Field, offset_dn: int) -> NDArray[np.uint16]:
    """Return the numbers of reflectances, which are overwritten; never 0, which is nodata."""
    rho *= np.float32(SCALE)
    rho += np.float32(0.5 - offset_dn)
    return np.clip(rho, np.float32(1), np.float32(HIGHEST)).astype(np.uint16)


def noise(item: SandboxItem, key: str, grid: GeoBox) -> Field:
    """Return the noise of the detectors in one band, by item and absolute pixel.

    One hash per pixel serves four bands of the same resolution, a byte for each.
    """
    origin: S2Origin = item.origin
    ratio = item.layers[key].ratio
    kin = [k for k in BANDS if k in item.layers and item.layers[k].ratio == ratio]
    word, byte = divmod(kin.index(key), 4)
    size = grid.affine.a
    name = f"{origin.sensed.isoformat()} {origin.tile.name} {origin.level} {size:g} m {word}"
    col = round((grid.affine.c - item.base.affine.c) / size) + np.arange(grid.shape[1])
    row = round((grid.affine.f - item.base.affine.f) / grid.affine.e) + np.arange(grid.shape[0])
    bits = hash_bits(salt(0, name), col[np.newaxis, :], row[:, np.newaxis])
    level = ((bits >> np.uint32(8 * byte)) & np.uint32(255)).astype(np.float32)
    level -= np.float32(127.5)
    level *= np.float32(NOISE[INDEX[key]] * np.sqrt(3.0) / 127.5)
    return level


def evidence(view: View, air: Air, ratio: int) -> Evidence:
    """Return what the SCL layer follows from."""
    look = view.look(ratio)
    nothing = np.zeros_like(look.haze)
    return Evidence(
        rho={band: view.observed(air, INDEX[band], ratio) for band in BANDS_USED},
        cloud=nothing if look.cloud is None else look.cloud,
        cirrus=nothing if look.cirrus is None else look.cirrus,
        sunlight=view.sunlight(ratio),
        water=view.share(WATER, ratio),
    )


@lru_cache(maxsize=64)
def swath(crossing: Pass, grid: GeoBox) -> NDArray[np.bool_]:
    """Return which pixels the instrument sees: within half a swath of the ground track."""
    (across,) = paint(
        cut(grid), (grid.shape[0], grid.shape[1]), lambda sites: (_across(crossing, sites),)
    )
    inside = np.asarray(np.abs(across) <= np.float32(SENTINEL2_HALF_SWATH_KM))
    inside.flags.writeable = False
    return inside


def _across(crossing: Pass, sites: Sites) -> Field:
    """Return the distance from the ground track [km], known at nodes and straight between."""

    def at_nodes(i: NDArray[np.int64], j: NDArray[np.int64]) -> Field:
        nodes = Sites(
            sites.zone, i.astype(np.float64) * SWATH_NODE_M, j.astype(np.float64) * SWATH_NODE_M
        )
        across, _ = crossing.locate(*to_lonlat(nodes))
        return across.astype(np.float32)

    return between_nodes(sites, SWATH_NODE_M, at_nodes)


def _spot(origin: S2Origin, base: GeoBox, band: str) -> Spot:
    return Spot(
        base=base,
        time=origin.sensed,
        frozen=origin.crossing.start,
        zenith=origin.sun_zenith,
        azimuth=origin.sun_azimuth,
        displacement=origin.displacement(band),
    )
