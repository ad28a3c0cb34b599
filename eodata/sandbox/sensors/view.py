"""What a satellite has before it at one instant: ground, light and air over one square.

All bands of a square share a view, so it is made once and kept for a while.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.planet.corners import Corners
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.displacement import STILL, Displacement
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.planet.season import Land
from eodata.sandbox.sensors.atmosphere import (
    AIR_HEIGHT_M,
    FREEZING_M,
    ICE_BACK,
    VAPOUR_HEIGHT_M,
    WATER_BACK,
    Air,
    Look,
    cloud_reflectance,
    haze_effect,
    observed,
    skylight,
    vapour_root,
)
from eodata.sandbox.sensors.optical import (
    Surface,
    blurred,
    mottle_of,
    pooled,
    reflectance,
    spread,
    surface_of,
)
from eodata.sandbox.sensors.spectra import LEVELS
from eodata.sandbox.weather import Sky, Weather

Array = NDArray[Any]
FINEST_M = 10.0
CORE = 0.33
"""Light that a 10 m pixel takes from its centre; the rest comes from its four corners, so that
borders which run between pixels do not alias."""
BLUR = 0.125
"""Light that it then takes from either neighbour, by axis. At Nyquist, where corners cancel out,
the modulation transfer is `CORE (1 - 4 BLUR)` = 0.165; asked of the instrument are 0.15 to 0.3
(Sentinel-2 User Handbook)."""
REACH = 2
"""Pixels on each side that the light of a 10 m pixel comes from."""
AMBIENT = 0.12
"""Light within a cloud shadow that comes from clouds and air beside it."""
SAMPLES = {6: (0, 2, 3, 5)}
"""Which of the base pixels along an axis a coarse pixel averages, where not all: symmetrical
about its centre."""
Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where, when and under which sun to look.

    Attributes:
        base: The pixels.
        time: Of the look.
        zenith: Of the sun [degrees].
        azimuth: Of the sun, clockwise from north [degrees].
        frozen: When the clouds stopped moving: the tiles of one pass share it, and so their clouds.
        displacement: Of the world.
    """

    base: GeoBox
    time: datetime
    zenith: float
    azimuth: float
    frozen: datetime
    displacement: Displacement = STILL

    def __hash__(self) -> int:
        return hash((self.base.affine, self.time, self.displacement))  # that of a CRS takes long


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """A surface and the direct sunlight that reaches it, relative to level ground in full sun."""

    surface: Surface
    direct: Field

    def each(self, change: Callable[[Array], Array]) -> Lit:
        """Return the result of changing every field, for example by cutting it."""
        return Lit(self.surface.each(change), change(self.direct))


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is there on the pixels of a spot; arrays share its shape."""

    ground: Ground
    season: Season
    sky: Sky


class View:
    """A spot ready to be seen in any band. Threads may share it."""

    def __init__(self, spot: Spot, planet: Planet, weather: Weather, seed: int) -> None:
        pad = REACH if abs(spot.base.affine.a) <= FINEST_M else 0
        self._inner = slice(pad, -pad or None)
        wide = padded(spot.base, pad)
        facts = facts_at(spot, wide, planet, weather, corners=pad > 0)
        ground, season = facts.ground, facts.season
        masks = ground.corners if isinstance(ground, Land) else None
        self._corners = Corners.of(np.zeros_like(ground.cover) if masks is None else masks)
        mottle = mottle_of(wide, spot.displacement, ground, season, seed)
        surface = surface_of(ground, season, mottle, spot.zenith, spot.azimuth)
        self._wide = Lit(surface, surface.tilt * shaded(facts.sky.sunlit))
        self._skylight = skylight(spot.zenith)
        self._looks = {1: look_of(facts).each(self._crop)}
        self._lit: dict[int, Lit] = {}

    def ground(self, band: int, ratio: int, *, clear: bool = False) -> Field:
        """Return the reflectance of the ground in one band, `(H / ratio, W / ratio)`.

        Args:
            band: Place in `BANDS`.
            ratio: Base pixels per pixel along an axis.
            clear: Without the shadows of clouds.
        """
        if ratio == 1 and self._inner.start:
            seen = self._seen(self._wide, band, clear=clear)
            return blurred(spread(seen, self._corners, CORE), BLUR)
        return pooled(self._seen(self._part(ratio), band, clear=clear), len(_steps(ratio)))

    def sharp(self, band: int) -> Field:
        """Return the clear reflectance of the ground of every base pixel by itself."""
        return self._crop(self._seen(self._wide, band, clear=True))

    def observed(self, air: Air, band: int, ratio: int) -> Field:
        """Return the reflectance that a noise-free sensor sees, `(H / ratio, W / ratio)`."""
        return observed(self.ground(band, ratio), self.look(ratio), air, band)

    def look(self, ratio: int) -> Look:
        """Return what hangs over pixels of `ratio` base pixels along an axis."""
        if ratio not in self._looks:
            self._looks[ratio] = self._looks[1].each(lambda field: pooled(field, ratio))
        return self._looks[ratio]

    def sunlight(self, ratio: int) -> Field:
        """Return the share of direct sunlight that clouds let through to the ground."""
        wide = self._wide
        return pooled(self._crop(unshaded(wide.direct / wide.surface.tilt)), ratio)

    def share(self, covers: Collection[Cover], ratio: int) -> Field:
        """Return the share of pixels of `ratio` base pixels that some covers have."""
        kind = self._crop(self._wide.surface.kind) // LEVELS
        return pooled(np.isin(kind, [int(c) for c in covers]).astype(np.float32), ratio)

    def _seen(self, lit: Lit, band: int, *, clear: bool) -> Field:
        direct = lit.surface.tilt if clear else lit.direct
        return reflectance(lit.surface, band, self._skylight[band], direct)

    def _part(self, ratio: int) -> Lit:
        """Return the pixels that coarse pixels average, kept for the next band."""
        if ratio not in self._lit:
            self._lit[ratio] = self._wide.each(lambda field: _sampled(self._crop(field), ratio))
        return self._lit[ratio]

    def _crop(self, field: Array) -> Array:
        return field[self._inner, self._inner]


class Kept(Generic[Key, Made]):
    """The most recent results of a slow function; each is made once. Threads may share it.

    Args:
        make: The function; pure.
        most: How many results to keep.
    """

    def __init__(self, make: Callable[[Key], Made], most: int) -> None:
        self._make, self._most = make, most
        self._slots: OrderedDict[Key, tuple[threading.Lock, list[Made]]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, key: Key) -> Made:
        """Return the result for a key, made now or before."""
        with self._lock:
            lock, made = self._slots.setdefault(key, (threading.Lock(), []))
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
        with lock:
            if not made:
                made.append(self._make(key))
        return made[0]


def padded(base: GeoBox, pad: int) -> GeoBox:
    """Return a grid with `pad` more pixels on each side."""
    height, width = base.shape
    shape = height + 2 * pad, width + 2 * pad
    return GeoBox(shape, base.affine @ Affine.translation(-pad, -pad), base.crs)


def facts_at(
    spot: Spot, grid: GeoBox, planet: Planet, weather: Weather, *, corners: bool = False
) -> Facts:
    """Return ground, season and sky of a grid at the time and displacement of a spot."""
    ground = planet.ground(grid, spot.displacement, corners=corners)
    season = planet.season(ground, spot.time)
    sky = weather.sky(grid, spot.time, ground.elevation, spot.displacement, frozen=spot.frozen)
    return Facts(ground, season, sky)


def look_of(facts: Facts) -> Look:
    """Return what the air over a ground does to light."""
    sky, elevation = facts.sky, facts.ground.elevation
    above = np.maximum(sky.top - elevation, np.float32(0.0))
    column = sky.vapour * np.exp(above * np.float32(-1.0 / VAPOUR_HEIGHT_M))
    low, high = FREEZING_M
    ice = np.clip((sky.top - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return Look(
        pressure=np.exp(elevation * np.float32(-1.0 / AIR_HEIGHT_M)),
        haze=haze_effect(sky.haze),
        vapour=vapour_root(sky.vapour),
        vapour_top=vapour_root(column),
        cloud=cloud_reflectance(sky.thick, WATER_BACK) if sky.thick.any() else None,
        ice=ice.astype(np.float32),
        cirrus=cloud_reflectance(sky.thin, ICE_BACK) if sky.thin.any() else None,
    )


def shaded(sunlit: Field) -> Field:
    """Return the light in the shadow of clouds, where some comes from beside them."""
    return sunlit * np.float32(1.0 - AMBIENT) + np.float32(AMBIENT)


def unshaded(light: Field) -> Field:
    """Return the direct sunlight by the light, undoing `shaded`."""
    return (light - np.float32(AMBIENT)) * np.float32(1.0 / (1.0 - AMBIENT))


def _steps(ratio: int) -> tuple[int, ...]:
    return SAMPLES.get(ratio, tuple(range(ratio)))


def _sampled(field: Array, ratio: int) -> Array:
    """Return the base pixels that pixels of `ratio` average, in squares side by side."""
    steps = _steps(ratio)
    if len(steps) == ratio:
        return field
    rows, cols = (
        (np.arange(0, n, ratio)[:, np.newaxis] + np.array(steps)).ravel() for n in field.shape
    )
    return field[np.ix_(rows, cols)]
