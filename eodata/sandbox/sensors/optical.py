"""What the ground makes of sunlight: surface reflectance by band, before any air.

A band of a pixel is read from a table by cover and greenness, darkened by water in the soil, mixed
with snow, and lit by the sun on its slope and by the sky. All is element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.planet.corners import Corners
from eodata.sandbox.planet.cover import WATER
from eodata.sandbox.planet.displacement import Displacement
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.lattice import Field, fractal, salt
from eodata.sandbox.planet.sites import cut, paint
from eodata.sandbox.sensors.spectra import (
    LEVELS,
    bareness,
    buried,
    mixtures,
    self_shade,
    spectra,
)

MOST_TILT = 0.9
"""Slopes lose or gain at most this share of their direct light: seen mixed at 10 m, no slope is
wholly without sun, and grazing sun would otherwise multiply noise."""
LOWEST_SUN_DEG = 72.0
"""Zenith angle beyond which slopes are lit as at this one."""
HIGH_SUN_DEG = 30.0
"""Zenith angle from which crowns shade each other."""
SNOW_EVENS = 0.75
"""Share of the ground's texture that a closed snow cover hides."""
PLUMES_M, SOILS_M, DRIFTS_M = 6_000.0, 2_500.0, 400.0
"""Sizes of the largest plumes of turbid water, spots of one soil and patches of snow [m]."""
_CRUST = np.float32(0.4)
"""Moisture up to which the very surface of the soil is dry."""
DRIFT_EDGE = 8.0
"""How sharply patches of snow end."""


@dataclass(frozen=True, slots=True, eq=False)
class Mottle:
    """What varies within a class without changing it; arrays of one shape.

    Attributes:
        plume: How turbid the water is, 0 to 1.
        hue: Of the soil, -1 (grey) to 1 (red).
        drift: Share of snow from which this very place is white, 0 to 1.
    """

    plume: Field
    hue: Field
    drift: Field


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A ground at one date under one sun, ready for any band; all arrays share one shape.

    Attributes:
        kind: Row of `mixtures()`: cover and greenness, as numpy wants an index.
        tone: Brightness relative to the class, less 1.
        tilt: Direct sunlight relative to that on level open ground.
        damp: Share of the soil's darkening by water that applies here, 0 to 1.
        tint: Share of the soil's reddening that applies here, -1 to 1.
        snow: Share of the ground that is white, 0 to 1.
    """

    kind: NDArray[np.intp]
    tone: Field
    tilt: Field
    damp: Field
    tint: Field
    snow: Field

    def each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Surface:
        """Return the result of changing every field, for example by cutting it."""
        fields = (self.kind, self.tone, self.tilt, self.damp, self.tint, self.snow)
        return Surface(*(change(field) for field in fields))


def mottle_of(
    geobox: GeoBox, displacement: Displacement, ground: Ground, season: Season, seed: int
) -> Mottle:
    """Return the variety within classes on a grid; what nothing on it needs is left at zero."""
    nothing = np.zeros(ground.cover.shape, np.float32)
    pieces, shape = cut(geobox, displacement), (geobox.shape[0], geobox.shape[1])

    def spots(name: str, size: float, octaves: int) -> Field:
        own = salt(seed, name)
        (field,) = paint(pieces, shape, lambda s: (fractal(s, size, own, octaves),))
        return field.astype(np.float32, copy=False)

    wet = np.isin(ground.cover, WATER)
    partial = (season.snow > 0) & (season.snow < 1)
    plume, hue, drift = nothing, nothing, nothing
    if wet.any():
        plume = spots("turbid water", PLUMES_M, 4) * np.float32(1.2) + np.float32(0.35)
    if not wet.all():
        hue = spots("soil colour", SOILS_M, 4) * np.float32(1.6)
    if partial.any():
        drift = spots("snow drifts", DRIFTS_M, 4) * np.float32(1.25) + np.float32(0.5)
    return Mottle(_within(plume, 0.0), _within(hue, -1.0), _within(drift, 0.0))


def surface_of(
    ground: Ground, season: Season, mottle: Mottle, zenith: float, azimuth: float
) -> Surface:
    """Return what a date and a sun make of a ground.

    Args:
        ground: Of any shape.
        season: Of the same shape.
        mottle: Likewise.
        zenith: Of the sun [degrees].
        azimuth: Of the sun, clockwise from north [degrees].
    """
    water = np.isin(ground.cover, WATER)
    level = np.where(water, mottle.plume, season.green) * np.float32(LEVELS - 1) + np.float32(0.5)
    kind = ground.cover.astype(np.intp) * LEVELS + level.astype(np.intp)
    snow = snow_seen(ground, season, mottle)
    tone = ground.texture - np.float32(1.0)
    low = min(max((zenith - HIGH_SUN_DEG) / (LOWEST_SUN_DEG - HIGH_SUN_DEG), 0.0), 1.0)
    shadow = np.float32(1.0) - self_shade().take(ground.cover) * np.float32(low)
    bare = bareness().take(ground.cover) * (np.float32(1.0) - season.green)
    return Surface(
        kind=kind,
        tone=tone - tone * snow * np.float32(SNOW_EVENS),
        tilt=tilt(ground.slope_x, ground.slope_y, zenith, azimuth) * shadow,
        damp=bare * _within((season.moisture - _CRUST) / (np.float32(1.0) - _CRUST), 0.0),
        tint=mottle.hue * bare,
        snow=snow,
    )


def snow_seen(ground: Ground, season: Season, mottle: Mottle) -> Field:
    """Return the share of the ground that is white: patches as white as the cover ever gets.

    The patches cover the season's share of the ground.
    """
    most = buried().take(ground.cover)
    part: Field = season.snow / (most + (most == 0).astype(np.float32))
    sharp: Field = (part - mottle.drift) * np.float32(DRIFT_EDGE) + part
    patches = np.where((part > 0) & (part < 1), _within(sharp, 0.0), part)
    seen: Field = (patches * most).astype(np.float32, copy=False)
    return seen


def tilt(slope_x: Field, slope_y: Field, zenith: float, azimuth: float) -> Field:
    """Return the direct sunlight on slopes relative to level ground (cosine law).

    cos(i) / cos(z) = (1 - tan(z) (sx sin(a) + sy cos(a))) / sqrt(1 + sx² + sy²), softened
    towards its bounds so that it stays within `1 ± MOST_TILT`.
    """
    slant = np.tan(np.radians(min(zenith, LOWEST_SUN_DEG)))
    east = np.float32(slant * np.sin(np.radians(azimuth)))
    north = np.float32(slant * np.cos(np.radians(azimuth)))
    steep: Field = np.sqrt(np.float32(1.0) + slope_x * slope_x + slope_y * slope_y)
    facing: Field = np.float32(1.0) - slope_x * east - slope_y * north
    excess: Field = facing / steep - np.float32(1.0)
    most = np.float32(MOST_TILT)
    light: Field = np.float32(1.0) + excess / np.sqrt(np.float32(1.0) + (excess / most) ** 2)
    return light


def reflectance(surface: Surface, band: int, skylight: float, direct: Field) -> Field:
    """Return the reflectance of the ground in one band, relative to level ground in full sun.

    Args:
        surface: What lies there.
        band: Place in `BANDS`.
        skylight: Share of the light on level ground that comes from the sky, 0 to 1.
        direct: Direct sunlight that reaches the ground relative to level ground in full sun:
            `surface.tilt` when the sky is clear.
    """
    rho: Field = mixtures()[band].take(surface.kind)
    known = spectra()
    rho *= np.float32(1.0) - surface.damp * known.wet[band]
    rho *= np.float32(1.0) + surface.tint * known.hue[band]
    rho += surface.snow * (known.snow[band] - rho)
    light = direct * np.float32(1.0 - skylight)
    light += np.float32(skylight)
    light *= np.float32(1.0) + surface.tone * known.tone[band]
    rho *= light
    return rho


def pooled(field: Field, ratio: int) -> Field:
    """Return the means of squares of `ratio` pixels; the shape must be a multiple of it."""
    if ratio == 1:
        return field
    rows = np.zeros((field.shape[0] // ratio, field.shape[1]), np.float32)
    means = np.zeros((rows.shape[0], field.shape[1] // ratio), np.float32)
    for k in range(ratio):
        rows += field[k::ratio]
    for k in range(ratio):
        means += rows[:, k::ratio]
    means *= np.float32(1.0 / ratio**2)
    return means


def spread(field: Field, corners: Corners, core: float) -> Field:
    """Return what pixels and their corners show; the result lacks one pixel on each side.

    Args:
        field: Of pixels, `(H, W)`.
        corners: Between these.
        core: Share of the pixel's centre; the corners have the rest.
    """
    corner = corners.seen(field)
    rows = corner[:-1] + corner[1:]
    seen: Field = rows[:, :-1] + rows[:, 1:]
    seen *= np.float32((1.0 - core) / 4)
    seen += field[1:-1, 1:-1] * np.float32(core)
    return seen


def blurred(field: Field, share: float) -> Field:
    """Return a field seen through a sensor that gives `share` to either neighbour, by axis.

    The result lacks one pixel on each side.
    """
    side, core = np.float32(share), np.float32(1.0 - 2.0 * share)
    rows: Field = core * field[1:-1] + side * (field[:-2] + field[2:])
    spread: Field = core * rows[:, 1:-1] + side * (rows[:, :-2] + rows[:, 2:])
    return spread


def _within(field: Field, low: float) -> Field:
    clipped: Field = np.clip(field, np.float32(low), np.float32(1.0))
    return clipped
