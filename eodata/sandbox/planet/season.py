"""What the time of year makes of the ground: leaves, crops, snow and the water in the soil.

The temperature of the day is the climate's mean plus its yearly swing; plants of every class wait
for their own temperatures, crops keep a calendar, and what lives on rain follows the rainy season.
Weeks are wetter or drier, warmer or colder than usual; neighbouring places have the same week.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.cover import CROP, WATER, Cover
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.lattice import Field, hash01, ramp, salt

YEAR = 365.25
MIDSUMMER, RAINS = 201.0, 215.0
"""Warmest day of the north and middle of the rains of the tropics [day of the year]."""
SNOW_LAG = 8.0
"""Days by which snow follows the cold."""
SPELL_DAYS, SPELL_SPREAD = 6.0, 2.5
"""Length of a spell of weather, and how many spells apart distant places are."""
STRIP = 40_000
"""Sites worked on at once, so that the arrays stay in the processor's cache."""
_ONE = np.float32(1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Land(Ground):
    """A ground that also knows what its seasons and its finest borders need.

    Attributes:
        swing: Half the yearly range of temperature [K].
        spells: Noise in [-1, 1] that tells neighbouring weather from distant weather.
        corners: Which of the four pixels around it the lower right corner of each pixel belongs to,
            see `planet.corners`; those of the last row and column are not known. None where nobody
            asked.
    """

    swing: Field
    spells: Field
    corners: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Habit:
    """How the plants of one class live through the year.

    Attributes:
        rest: Share of the green that stays in winter and drought.
        starts: Temperature at which leaves come [degrees C].
        full: Temperature at which they are all out.
        thirst: Share of the green that needs rain.
        buried: Share of the ground that snow can cover as seen from above.
        late_snow: How much colder than other ground it must be for snow to stay [K].
    """

    rest: float
    starts: float
    full: float
    thirst: float = 0.0
    buried: float = 1.0
    late_snow: float = 0.0


_IDLE = Habit(1.0, -99.0, -98.0)
HABITS = {
    **dict.fromkeys(Cover, _IDLE),
    Cover.SEA: Habit(1.0, -99.0, -98.0, buried=0.0),
    Cover.LAKE: Habit(1.0, -99.0, -98.0, buried=0.95, late_snow=4.0),
    Cover.EVERGREEN_FOREST: Habit(0.9, 8.0, 16.0, thirst=0.15, buried=0.3),
    Cover.BROADLEAF_FOREST: Habit(0.1, 7.5, 13.0, thirst=0.45, buried=0.6),
    Cover.NEEDLELEAF_FOREST: Habit(0.85, 3.0, 10.0, thirst=0.1, buried=0.35),
    Cover.SHRUB: Habit(0.4, 3.0, 11.0, thirst=0.6, buried=0.8),
    Cover.GRASS: Habit(0.22, 1.5, 10.0, thirst=0.9),
    Cover.SUMMER_CROP: Habit(0.02, -99.0, -98.0, thirst=0.15),
    Cover.WINTER_CROP: Habit(0.02, -99.0, -98.0, thirst=0.15),
    Cover.WETLAND: Habit(0.25, 4.0, 13.0, thirst=0.1),
    Cover.BARE: Habit(0.3, 2.0, 10.0, thirst=0.9),
    Cover.TUNDRA: Habit(0.15, 1.0, 7.0, thirst=0.1),
    Cover.STREET: Habit(0.5, 2.0, 10.0, buried=0.35),
    Cover.DARK_ROOF: Habit(0.5, 2.0, 10.0, buried=0.75),
    Cover.BRIGHT_ROOF: Habit(0.5, 2.0, 10.0, buried=0.75),
    Cover.GARDEN: Habit(0.35, 3.0, 11.0, thirst=0.4, buried=0.85),
}
_CALENDARS = {
    Cover.SUMMER_CROP: ((0, 0.0), (132, 0.02), (190, 1.0), (238, 0.95), (268, 0.25), (272, 0.03)),
    Cover.WINTER_CROP: (
        *((0, 0.3), (60, 0.32), (118, 1.0), (160, 0.95), (188, 0.2), (205, 0.08), (212, 0.04)),
        *((285, 0.03), (330, 0.3)),
    ),
}
"""Share of the green by day of a northern year where the mean temperature is 10 degrees C."""


def season(land: Land, time: datetime, seed: int) -> Season:
    """Return what the time of year makes of a ground.

    Args:
        land: Any shape.
        time: When; without zone it is UTC.
        seed: Of the world.
    """
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    days = (time - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() / 86400.0
    whole = Season(*np.empty((3, *land.cover.shape), np.float32))
    step = max(1, STRIP // max(1, land.cover[:1].size))
    for first in range(0, len(land.cover), step):
        some = slice(first, first + step)
        part = _season(_part(land, some), days, seed)
        whole.green[some], whole.snow[some] = part.green, part.snow
        whole.moisture[some] = part.moisture
    return whole


def _part(land: Land, some: slice) -> Land:
    """Return some rows of a ground without its corners."""
    names = [item.name for item in fields(Land) if item.name != "corners"]
    return Land(**{name: getattr(land, name)[some] for name in names})


def _season(land: Land, days: float, seed: int) -> Season:
    kind = land.cover.astype(np.intp)
    habit = {name: table.take(kind) for name, table in _habits().items()}
    half = np.clip(land.lat * np.float32(0.25), -1.0, 1.0)
    swing, spell = land.swing * half, _spell(land.spells, days, seed)
    water = _water(land, half, spell, days)
    wave, change = _wave(days, MIDSUMMER)
    felt = land.warmth + swing * (wave - change * land.phase)
    leaves = ramp((felt - habit["starts"]) * habit["per_degree"], 0.0, 1.0)
    leaves *= _ONE - habit["thirst"] * (_ONE - ramp(water, 0.2, 0.55))
    green = (habit["rest"] + (_ONE - habit["rest"]) * leaves) * _calendar(land, kind, days)
    cold = land.warmth + swing * _wave(days, MIDSUMMER + SNOW_LAG)[0] + habit["late_snow"]
    cold += np.float32(2.5) * spell + np.float32(0.08) * land.phase
    snow = ramp(cold, 0.0, -4.5) * ramp(land.wetness, 0.02, 0.2) * habit["buried"]
    wet = np.float32(0.72) * water + np.float32(0.14) * spell + np.float32(0.03)
    return Season(
        green=land.vigour * green,
        snow=np.maximum(snow, habit["frozen"]),
        moisture=np.maximum(np.clip(wet, 0.02, 1.0), habit["drowned"]),
    )


def as_land(ground: Ground) -> Land:
    """Return a ground with what seasons need; typical of its latitude where it does not know."""
    if isinstance(ground, Land):
        return ground
    known = {item.name: getattr(ground, item.name) for item in fields(Ground)}
    swing = np.float32(2.0) + np.minimum(np.abs(ground.lat), np.float32(60.0)) * np.float32(0.2)
    return Land(**known, swing=swing, spells=np.zeros_like(swing))


def _water(land: Land, half: Field, spell: Field, days: float) -> Field:
    """Return how much water there is for plants, 0 to 1: by climate, rainy season and weather.

    Rain comes in the warm half of the year in the tropics and inside continents, in the cold half
    around seas like the Mediterranean; farther north summers are a little drier than winters.
    """
    away = np.abs(land.lat)
    maritime = ramp(land.swing, 14.0, 10.0) * ramp(land.wetness, 0.7, 0.5)
    winter_rain = ramp(away, 28.0, 34.0) * ramp(away, 48.0, 43.0) * maritime
    sense = _ONE - np.float32(2.0) * winter_rain - np.float32(1.3) * ramp(away, 44.0, 52.0)
    strength = np.float32(0.42) - np.float32(0.32) * land.wetness
    rain = strength * sense * half * _wave(days, RAINS)[0]
    water = np.float32(0.12) + np.float32(1.15) * land.wetness + rain + np.float32(0.1) * spell
    some: Field = np.clip(water, 0.0, 1.0)
    return some


def _spell(spells: Field, days: float, seed: int) -> Field:
    """Return whether the week is wetter and colder or drier than usual, -1 to 1."""
    first = int(days // SPELL_DAYS)
    reach = int(np.ceil(SPELL_SPREAD)) + 1
    nodes = hash01(salt(seed, "spells"), first + np.arange(-reach, reach + 2))
    nodes = nodes * np.float32(2.0) - _ONE
    way = spells * np.float32(SPELL_SPREAD) + np.float32(days / SPELL_DAYS - first + reach)
    node = way.astype(np.intp)
    start = nodes.take(node)
    spell: Field = start + (nodes.take(node + 1) - start) * (way - np.floor(way))
    return spell


def _calendar(land: Land, kind: NDArray[np.intp], days: float) -> Field:
    """Return the share of green that the farmers' calendar leaves; 1 for all but crops."""
    early = np.clip((np.float32(10.0) - land.warmth) * np.float32(3.5), -60.0, 35.0)
    rains = np.float32(30.0) * ramp(land.warmth, 17.0, 24.0)
    cool = np.float32(15.0) * ramp(land.warmth, 9.0, 3.0)
    winter = (land.cover == Cover.WINTER_CROP).astype(np.float32)
    south = (land.lat < 0).astype(np.float32) * np.float32(YEAR / 2)
    delay = land.phase + winter * early + (_ONE - winter) * (rains + cool)
    day = np.float32(days % YEAR + YEAR) + south - delay
    table, rows = _calendars()
    day -= np.floor(day * np.float32(1 / YEAR)) * np.float32(YEAR)
    share: Field = table.take(rows.take(kind) + day.astype(np.intp))
    return share


def _wave(days: float, peak: float) -> tuple[np.float32, np.float32]:
    """Return where the northern year stands, 1 at its peak, and the change per day."""
    angle = 2.0 * np.pi * (days % YEAR - peak) / YEAR
    return np.float32(np.cos(angle)), np.float32(-np.sin(angle) * 2.0 * np.pi / YEAR)


@lru_cache(maxsize=1)
def _habits() -> dict[str, Field]:
    """Return the habits as tables by class; `frozen` and `drowned` are floors of snow and water."""
    tables = {
        item.name: np.array([getattr(HABITS[kind], item.name) for kind in Cover], np.float32)
        for item in fields(Habit)
    }
    tables["per_degree"] = _ONE / (tables.pop("full") - tables["starts"])
    tables["frozen"] = np.array([kind == Cover.ICE for kind in Cover], np.float32)
    tables["drowned"] = np.array([kind in WATER for kind in Cover], np.float32)
    return tables


@lru_cache(maxsize=1)
def _calendars() -> tuple[Field, NDArray[np.intp]]:
    """Return the calendars one behind the other, and where that of each class starts."""
    days = np.arange(int(YEAR) + 1)
    lines = [np.ones(len(days))]
    for crop in CROP:
        when, share = zip(*_CALENDARS[crop], strict=True)
        lines.append(np.interp(days, when, share, period=YEAR))
    rows = [CROP.index(kind) + 1 if kind in CROP else 0 for kind in Cover]
    return np.concatenate(lines).astype(np.float32), np.array(rows, np.intp) * len(days)
