"""The sky over any place at any time: clouds, their shadows, haze and vapour.

A pure function of seed, place and time. Each day has its own weather, in which the clouds drift
with their winds; two days, however near, have nothing in common. Clouds are seen from straight
above. A layer has one height per day and UTM zone, so its shadow is the layer itself, looked up
where the sun's ray meets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.cloudiness import ClimateLike
from eodata.sandbox.clouds import (
    CIRRUS,
    DETAIL_M,
    LAYERS,
    THICK_CLOUD,
    THICKEST,
    THIN_CLOUD,
    Aloft,
    cirrus_texture,
    optical_thickness,
    texture,
    thin_thickness,
)
from eodata.sandbox.planet.displacement import STILL, Displacement
from eodata.sandbox.planet.lattice import Field, Ints, between_nodes, noise, salt
from eodata.sandbox.planet.sites import Floats, Sites, cut, paint
from eodata.sandbox.shadows import SUN_CELL_M, SunRays, cut_by_sun
from eodata.sandbox.systems import Moment, Region, Systems

COARSE_M = 600.0
"""Structure finer than this is left out where only statistics count [m]."""
BAND_M = 600_000.0
"""Points further apart than this along y are worked on apart [m]."""
BEYOND_M = 1_000.0
"""Reach beyond the sites for the nodes around them [m]."""
ROUNDING = 1e-3
"""Far more than interpolation can add to the highest of its nodes by rounding."""
DEGREE_M = 111_195.0
DIMMING, THIN_DIMMING = np.float32(0.075), np.float32(0.25)
"""Quarter of the optical thickness that counts for direct light, most being scattered forward."""


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """What stands between the sun, the ground and a satellite; float32 arrays of one shape.

    Attributes:
        thick: Optical thickness of water clouds at 550 nm, 0 (none) to 60.
        thin: Optical thickness of cirrus, 0 to 1; its top is near 10 km.
        top: Height of the cloud top above the sea [m] where `thick` > 0, else 0.
        haze: Optical thickness of aerosol at 550 nm.
        vapour: Water vapour in the column [cm].
        sunlit: Share of direct sunlight that reaches the ground: 1 clear, less under clouds and
            in their shadow.
    """

    thick: Field
    thin: Field
    top: Field
    haze: Field
    vapour: Field
    sunlit: Field


class Weather:
    """The weather of one world. Threads may share it.

    Args:
        seed: Of the world.
        climate: What is usual where; the planet's own or a stand-in.
    """

    def __init__(self, seed: int, climate: ClimateLike) -> None:
        self._seed = seed
        self._systems = Systems(seed, climate)

    def sky(
        self,
        geobox: GeoBox,
        time: datetime,
        elevation: Field | float,
        displacement: Displacement = STILL,
        *,
        frozen: datetime | None = None,
    ) -> Sky:
        """Return the sky over a grid, without structure finer than its pixels.

        Args:
            geobox: Any CRS; pixels are asked at their centres.
            time: Aware.
            elevation: Of the ground [m], `(H, W)` or one number.
            displacement: Of the world, as in `sites.cut`.
            frozen: When the clouds stopped moving, by default at `time`, which is the sun's. Clouds
                drift hundreds of metres while a satellite passes: the squares of one pass agree
                where they overlap only when all of them froze at once.
        """
        moment, finest = Moment.of(frozen or time), _pixel_m(geobox)
        fields = paint(
            cut(geobox, displacement),
            (geobox.height, geobox.width),
            lambda sites: self._fields(sites, time, moment, finest),
        )
        return _lifted(fields, np.asarray(elevation, np.float32))

    def sky_at(self, sites: Sites, time: datetime, elevation: Field | float) -> Sky:
        """Return the sky over sites, with all its structure; elevation as `sites.shape`."""
        fields = self._fields(sites, time, Moment.of(time), 0.0)
        return _lifted(fields, np.asarray(elevation, np.float32))

    def thickness(self, sites: Sites, time: datetime) -> tuple[Field, Field]:
        """Return `Sky.thick` and `Sky.thin` without structure finer than 600 m, for statistics."""
        moment = Moment.of(time)
        region = Region(self._systems, sites, 0.0, moment)
        layers = self._layers(sites.zone, moment)
        return Look(region, layers, COARSE_M).clouds(sites)[:2]

    def cloud_cover(
        self, geobox: GeoBox, time: datetime, seen: NDArray[np.bool_] | None = None
    ) -> float:
        """Return the share of a grid under clouds [percent].

        A pixel is cloudy where `thick` > `THICK_CLOUD` or `thin` > `THIN_CLOUD`, at its centre and
        without structure finer than 600 m. Pixels of 2 km do for a tile of 110 km: the cover of
        its full grid then differs by less than a percent, mostly.

        Args:
            geobox: Coarse grid, any CRS.
            time: Aware.
            seen: `(H, W)`, the pixels that count; all by default. None True gives 0.
        """
        shape = geobox.height, geobox.width
        thick, thin = paint(cut(geobox), shape, lambda sites: self.thickness(sites, time))
        cloudy = np.greater(thick, THICK_CLOUD) | np.greater(thin, THIN_CLOUD)
        if seen is not None:
            cloudy = cloudy[seen]
        return 100.0 * float(cloudy.mean()) if cloudy.size else 0.0

    def _fields(
        self, sites: Sites, time: datetime, moment: Moment, finest: float
    ) -> tuple[Field, ...]:
        """Return thick, thin, top over the ground, haze, vapour and sunlit."""
        if sites.is_lattice or _is_compact(sites):
            return self._compact(sites, time, moment, finest)
        parts = list(_bands(sites))
        found = [
            self._compact(Sites(sites.zone, sites.x[band], sites.y[band]), time, moment, finest)
            for band in parts
        ]
        order = np.argsort(np.concatenate(parts))
        return tuple(np.concatenate(field)[order] for field in zip(*found, strict=True))

    def _compact(
        self, sites: Sites, time: datetime, moment: Moment, finest: float
    ) -> tuple[Field, ...]:
        suns = cut_by_sun(sites, time, SUN_CELL_M * max(1.0, finest / 20.0))
        layers = self._layers(sites.zone, moment)
        reach = max(aloft.top for aloft in layers) * max(sun.slant for sun in suns)
        region = Region(self._systems, sites, reach + BEYOND_M, moment)
        look = Look(region, layers, finest)
        thick, thin, top = look.clouds(sites)
        sunlit = np.ones(sites.shape, np.float32)
        for sun in suns:
            sunlit[sun.where] = look.sunlit(sun)
        return thick, thin, top, region.air("haze", sites), region.air("vapour", sites), sunlit

    def _layers(self, zone: int, moment: Moment) -> tuple[Aloft, ...]:
        return tuple(
            Aloft.of(layer, salt(self._seed, f"{layer.name}:{moment.day}"), zone, moment.seconds)
            for layer in (*LAYERS, CIRRUS)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is needed to look at clouds from above or from the ground."""

    region: Region
    layers: tuple[Aloft, ...]
    finest: float

    def clouds(self, sites: Sites) -> tuple[Field, Field, Field]:
        """Return thick, thin and the top over the ground as seen from above."""
        thick, thin, top = (np.zeros(sites.shape, np.float32) for _ in range(3))
        *water, cirrus = self.layers
        detail: Field | None = None
        for aloft in water:
            excess = self._excess(sites, aloft)
            if excess is None:
                continue
            if self.finest < DETAIL_M:
                detail = noise(sites, DETAIL_M, cirrus.seed) if detail is None else detail
                excess += detail * np.float32(aloft.layer.detail)
            part = optical_thickness(aloft.layer, excess)
            thick += part
            np.maximum(top, (part > 0) * np.float32(aloft.top), out=top)
        veil = self._excess(sites, cirrus)
        if veil is not None:
            thin = thin_thickness(veil)
        return np.minimum(thick, THICKEST, out=thick), thin, top

    def sunlit(self, sun: SunRays) -> Field:
        """Return the share of direct light that passes the layers, each where the ray meets it."""
        depth = np.ones(sun.sites.shape, np.float32)
        for aloft in self.layers:
            pierced = sun.sites.moved(aloft.top * sun.east, aloft.top * sun.north)
            excess = self._excess(pierced, aloft)
            if excess is None:
                continue
            if aloft.layer is CIRRUS:
                depth += thin_thickness(excess) * (THIN_DIMMING * sun.airmass)
            else:
                depth += optical_thickness(aloft.layer, excess) * (DIMMING * sun.airmass)
        depth *= depth
        depth *= depth
        return np.float32(1.0) / depth

    def _excess(self, sites: Sites, aloft: Aloft) -> Field | None:
        """Return how far the texture of a layer exceeds what it must; None if nowhere."""
        node = aloft.layer.node
        if self.region.is_clear_of(aloft.layer.name, sites):
            return None
        if self.finest >= node:
            return self._excess_at(sites, aloft)

        def at_nodes(i: Ints, j: Ints) -> Field:
            x, y = (np.multiply(number, node, dtype=np.float64) for number in (i, j))
            return self._excess_at(Sites(sites.zone, x, y), aloft)

        if not sites.is_lattice:
            return between_nodes(sites, node, at_nodes)
        i, j = (_numbers(axis, node) for axis in (sites.x[0], sites.y[:, 0]))
        block = at_nodes(i[np.newaxis, :], j[:, np.newaxis])
        if block.max() < -aloft.layer.detail - ROUNDING:
            return None
        return between_nodes(sites, node, lambda col, row: block[row - j[0], col - i[0]])

    def _excess_at(self, sites: Sites, aloft: Aloft) -> Field:
        layer, source = aloft.layer, aloft.at_start(sites)
        finest = max(self.finest, 2.0 * layer.node) / aloft.size
        if layer is CIRRUS:
            pattern = cirrus_texture(source, aloft.heading, aloft.seed, finest)
        else:
            pattern = texture(source, layer, aloft.seed, finest)
        pattern -= self.region.level(layer.name, sites)
        pattern += np.float32(layer.skirt)
        return pattern


def _numbers(axis: Floats, node: float) -> Ints:
    """Return the numbers of the nodes around a row of sites."""
    low, high = np.floor(axis.min() / node), np.floor(axis.max() / node)
    return np.arange(int(low), int(high) + 2)


def _is_compact(sites: Sites) -> bool:
    return float(np.ptp(sites.y)) < BAND_M


def _bands(sites: Sites) -> Iterator[NDArray[np.intp]]:
    """Yield the indices of points that lie in one band of latitude; far ones share no work."""
    band = np.floor(sites.y / BAND_M)
    for number in np.unique(band):
        yield np.flatnonzero(band == number)


def _pixel_m(geobox: GeoBox) -> float:
    """Return the edge of a pixel [m], roughly."""
    edge = float(np.hypot(geobox.affine.a, geobox.affine.d))
    return edge * DEGREE_M if geobox.crs is not None and geobox.crs.geographic else edge


def _lifted(fields: tuple[NDArray[np.generic], ...], elevation: Field) -> Sky:
    """Return the sky over ground of some height.

    Clouds follow the ground; haze and vapour thin out with scale heights of 1.5 and 2 km, taken to
    the fourth power of a fraction because that is faster than an exponential.
    """
    thick, thin, top, haze, vapour, sunlit = (np.asarray(f, np.float32) for f in fields)
    top = np.where(top > 0, top + elevation, np.float32(0.0))
    haze = np.maximum(haze * _thinner(elevation, 6000.0), np.float32(0.02))
    vapour = np.maximum(vapour * _thinner(elevation, 8000.0), np.float32(0.05))
    return Sky(thick, thin, top, haze, vapour, sunlit)


def _thinner(elevation: Field, scale: float) -> Field:
    part = np.float32(1.0) + elevation * np.float32(1.0 / scale)
    part = part * part
    return np.asarray(np.float32(1.0) / (part * part), np.float32)
