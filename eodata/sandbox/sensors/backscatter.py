"""What C-band radar sees of the ground: sigma nought by class, season, angle, slope and wind.

An empirical model in decibels. Each class has its level at 38 degrees of incidence, a fall with
the angle, and what leaves, water in the soil and texture add. The levels are those of Sentinel-1
over ground of known class (fields, meadows and villages in Belgium by month, forest, rangeland and
crops in Chile and Tanzania, arable land in Austria and Ireland); where there was no such ground,
they are the usual ones of the literature, rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.cover import BUILT, CROP, FOREST, WATER, Cover
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.lattice import Field

KEYS = ("vv", "vh")
REFERENCE_DEG = 38.0
"""Incidence angle that the levels hold for [degrees]."""
DRY_SNOW_DB, WET_SNOW_DB = -0.6, -2.5
"""What a closed dry cover, and a melting one that is half gone, do to open ground."""
SLOPE_LIMIT = 0.35
"""Steeper slopes count as this [m/m]: beyond, real radar folds over."""
BRIGHT_DB = 9.0
"""How far the walls that face the sensor exceed the roofs."""
ROUGH_PER_DAY = 5.3
"""Phase of a field's roughness by its lateness, which every field has its own of [rad/d]."""
LUCK_PER_M = 1.9
"""Phase of a building's luck by its height [rad/m]."""


@dataclass(frozen=True, slots=True)
class Response:
    """How one class answers in one polarisation [dB].

    Attributes:
        level: At 38 degrees, bare of leaves, half wet, without wind.
        fall: Per degree of incidence.
        green: Under full leaf.
        moist: From dry to saturated soil.
        wind: From calm to rough water.
    """

    level: float
    fall: float = -0.13
    green: float = 0.0
    moist: float = 0.0
    wind: float = 0.0


RESPONSES: dict[Cover, tuple[Response, Response]] = {
    Cover.SEA: (Response(-25.5, -0.32, wind=10.0), Response(-33.0, -0.12, wind=7.0)),
    Cover.LAKE: (Response(-25.5, -0.32, wind=7.0), Response(-33.0, -0.12, wind=5.0)),
    Cover.EVERGREEN_FOREST: (Response(-8.6, -0.06, 0.3, 0.8), Response(-14.4, -0.06, 0.4, 0.8)),
    Cover.BROADLEAF_FOREST: (Response(-10.8, -0.08, -0.6, 1.2), Response(-16.8, -0.07, 0.6, 1.2)),
    Cover.NEEDLELEAF_FOREST: (Response(-10.4, -0.08, 0.0, 1.0), Response(-16.3, -0.07, 0.0, 1.0)),
    Cover.SHRUB: (Response(-12.4, -0.11, 0.6, 4.0), Response(-19.0, -0.09, 1.6, 3.5)),
    Cover.GRASS: (Response(-12.9, -0.14, 0.2, 5.0), Response(-19.5, -0.10, 1.6, 3.8)),
    Cover.SUMMER_CROP: (Response(-11.9, -0.14, 2.8, 5.5), Response(-19.9, -0.10, 4.4, 5.0)),
    Cover.WINTER_CROP: (Response(-11.5, -0.15, -2.4, 5.0), Response(-19.5, -0.10, 1.2, 4.5)),
    Cover.WETLAND: (Response(-11.0, -0.13, 0.5, 3.0), Response(-17.8, -0.09, 1.2, 2.0)),
    Cover.BARE: (Response(-13.0, -0.17, 1.0, 7.5), Response(-22.3, -0.11, 3.0, 6.0)),
    Cover.SAND: (Response(-18.0, -0.24, 1.0, 7.0), Response(-27.0, -0.12, 3.0, 5.0)),
    Cover.ROCK: (Response(-10.8, -0.14, 0.5, 1.5), Response(-19.0, -0.09, 1.5, 1.0)),
    Cover.ICE: (Response(-9.5, -0.13), Response(-15.5, -0.08)),
    Cover.TUNDRA: (Response(-13.0, -0.13, 0.5, 4.5), Response(-20.2, -0.09, 1.5, 3.0)),
    Cover.STREET: (Response(-12.0, -0.10, 0.0, 1.0), Response(-19.8, -0.06, 0.0, 0.5)),
    Cover.DARK_ROOF: (Response(-6.6, -0.06), Response(-15.6, -0.05)),
    Cover.BRIGHT_ROOF: (Response(-5.8, -0.06), Response(-15.2, -0.05)),
    Cover.GARDEN: (Response(-11.3, -0.09, 0.0, 2.0), Response(-18.4, -0.07, 0.8, 1.5)),
}
"""VV and VH by class."""
_TABLES = {
    key: np.array([astuple(RESPONSES[cover][n]) for cover in Cover], np.float32).T.copy()
    for n, key in enumerate(KEYS)
}


def _by_cover(values: dict[tuple[Cover, ...], float], otherwise: float) -> Field:
    table = np.full(len(Cover), otherwise, np.float32)
    for covers, value in values.items():
        table[list(covers)] = value
    return table


_TOWN = (*BUILT, Cover.GARDEN)
_TEXTURE_DB = _by_cover({WATER: 0.0}, 6.0)
"""Per unit of texture."""
_ROUGH_DB = _by_cover({(*CROP, Cover.BARE): 1.8, (Cover.GRASS, Cover.SHRUB): 1.2, FOREST: 0.5}, 0.0)
"""How much the fields of one class differ, by tillage and rows."""
_TOWN_DB = _by_cover({(Cover.STREET,): 6.5, (Cover.GARDEN,): 5.0, BUILT[1:]: 2.0}, 0.0)
"""What the walls around add where all ground is sealed; the beam does not resolve single lots."""
_OPEN = _by_cover({(*WATER, *_TOWN, Cover.ICE): 0.0, FOREST: 0.15}, 1.0)
"""How much of the ground the snow can hide from the radar."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a radar looks at a grid, and what the day does to the surface.

    Attributes:
        incidence: Angle between the beam and the vertical [degrees], of the ground's shape.
        azimuth: Where the beam goes on the ground [degrees clockwise from grid north].
        wind: On water, 0 (calm) to 1 (rough), of the ground's shape.
        dew: Water on leaves and on the topmost soil, about -0.15 to 0.15; as moisture.
    """

    incidence: Field
    azimuth: float
    wind: Field
    dew: Field


def sigma0(
    ground: Ground, season: Season, look: Look, keys: Sequence[str] = KEYS, *, relief: bool = True
) -> dict[str, Field]:
    """Return sigma nought without speckle and noise [dB], by polarisation.

    Args:
        ground: What is there.
        season: What the time of year makes of it.
        look: How it is looked at.
        keys: `vv`, `vh`.
        relief: False leaves slopes out, as terrain flattening does.

    Returns:
        float32 of the ground's shape.
    """
    cover = ground.cover.astype(np.intp)
    angle = look.incidence - np.float32(REFERENCE_DEG)
    damp = season.moisture - np.float32(0.5) + look.dew
    shared = _TEXTURE_DB[cover] * (ground.texture - np.float32(1))
    shared += _ROUGH_DB[cover] * np.sin(ground.phase * np.float32(ROUGH_PER_DAY))
    shared += _TOWN_DB[cover] * np.sqrt(ground.built)
    shared += _snow(season.snow) * _OPEN[cover]
    shared += _walls(ground, cover, look.azimuth)
    if relief:
        shared += slope_gain(ground, look)
    return {
        key: _answer(_TABLES[key], cover, angle, season.green, damp, look.wind) + shared
        for key in keys
    }


def slope_gain(ground: Ground, look: Look) -> Field:
    """Return how much brighter slopes that face the sensor are [dB].

    Without terrain flattening a pixel on a slope collects the echo of more ground, in inverse
    proportion to the sine of its local incidence angle; here to first order.
    """
    east, north = np.sin(np.radians(look.azimuth)), np.cos(np.radians(look.azimuth))
    facing = ground.slope_x * np.float32(east) + ground.slope_y * np.float32(north)
    facing = np.clip(facing, -SLOPE_LIMIT, SLOPE_LIMIT)
    gain: Field = facing * np.float32(10 / np.log(10))
    gain /= np.tan(look.incidence * np.float32(np.pi / 180))
    return gain


def _answer(
    table: NDArray[np.float32],
    cover: NDArray[np.intp],
    angle: Field,
    green: Field,
    damp: Field,
    wind: Field,
) -> Field:
    """Return what one polarisation sees of flat ground [dB]."""
    total: Field = table[0].take(cover)
    for row, factor in zip(table[1:], (angle, green, damp, wind), strict=True):
        total += row.take(cover) * factor
    return total


def _snow(snow: Field) -> Field:
    """Return what snow does to open ground [dB]; it is wettest when half of it is gone."""
    melting = snow * (np.float32(1) - snow) * np.float32(4 * WET_SNOW_DB)
    return melting + snow * np.float32(DRY_SNOW_DB)


def _walls(ground: Ground, cover: NDArray[np.intp], azimuth: float) -> Field:
    """Return how much brighter buildings are than their roofs [dB].

    A wall and the street before it send the beam straight back when the wall faces the sensor. A
    building keeps its luck from date to date, but not from one direction to the other. The luck is
    a wave in the building's height, so that one building has one luck and its neighbour another.
    """
    built = (cover == Cover.DARK_ROOF) | (cover == Cover.BRIGHT_ROOF)
    gain = np.zeros(cover.shape, np.float32)
    luck = np.sin(ground.height[built] * np.float32(LUCK_PER_M) + np.float32(np.radians(azimuth)))
    # A tail: most buildings are dull, a few are very bright.
    luck *= luck
    luck *= luck
    luck *= luck
    gain[built] = (luck - np.float32(0.15)) * np.float32(BRIGHT_DB)
    return gain
