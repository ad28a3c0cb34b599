"""How the classes of cover vary from place to place, and which class wild land carries."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.lattice import Field

LEVELS, TASTES = 32, 16
"""Steps of moisture and of relish in the table of wild cover."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the sites of one class vary.

    Attributes:
        vigour: Green share at its best on dry ground.
        gain: How much of that moisture adds.
        patchy: Change of vigour by patch, field or lot.
        tone: Change of brightness by patch, field or lot.
        grain: Change of brightness by pixel.
        height: Of the plants [m].
    """

    vigour: float
    gain: float
    patchy: float
    tone: float
    grain: float
    height: float


LOOKS = {
    Cover.SEA: Look(0.0, 0.0, 0.0, 0.0, 0.02, 0.0),
    Cover.LAKE: Look(0.0, 0.0, 0.0, 0.05, 0.02, 0.0),
    Cover.EVERGREEN_FOREST: Look(0.8, 0.2, 0.06, 0.08, 0.2, 30.0),
    Cover.BROADLEAF_FOREST: Look(0.65, 0.4, 0.08, 0.07, 0.18, 23.0),
    Cover.NEEDLELEAF_FOREST: Look(0.65, 0.4, 0.08, 0.08, 0.17, 20.0),
    Cover.SHRUB: Look(0.15, 1.0, 0.18, 0.09, 0.1, 1.8),
    Cover.GRASS: Look(0.2, 1.0, 0.2, 0.1, 0.06, 0.4),
    Cover.SUMMER_CROP: Look(0.7, 0.3, 0.14, 0.08, 0.045, 0.9),
    Cover.WINTER_CROP: Look(0.7, 0.3, 0.14, 0.08, 0.045, 0.6),
    Cover.WETLAND: Look(0.6, 0.3, 0.12, 0.12, 0.05, 1.0),
    Cover.BARE: Look(0.02, 0.3, 0.05, 0.1, 0.06, 0.0),
    Cover.SAND: Look(0.0, 0.05, 0.01, 0.08, 0.025, 0.0),
    Cover.ROCK: Look(0.02, 0.1, 0.03, 0.12, 0.12, 0.0),
    Cover.ICE: Look(0.0, 0.0, 0.0, 0.03, 0.02, 0.0),
    Cover.TUNDRA: Look(0.4, 0.6, 0.12, 0.12, 0.04, 0.2),
    Cover.STREET: Look(0.02, 0.02, 0.02, 0.08, 0.05, 0.0),
    Cover.DARK_ROOF: Look(0.02, 0.0, 0.02, 0.18, 0.1, 0.0),
    Cover.BRIGHT_ROOF: Look(0.0, 0.0, 0.0, 0.22, 0.1, 0.0),
    Cover.GARDEN: Look(0.55, 0.4, 0.15, 0.12, 0.12, 3.0),
}


def look_tables() -> dict[str, Field]:
    """Return the values of every attribute of `Look`, by name, in the order of the classes."""
    return {
        item.name: np.array([getattr(LOOKS[kind], item.name) for kind in Cover], np.float32)
        for item in fields(Look)
    }


def wild_table() -> NDArray[np.uint8]:
    """Return the cover of open wild land, `(LEVELS, TASTES)`, by moisture and relish.

    Moisture goes from 0 to 1; relish, from -0.5 to 0.5, chooses between rock, shrub and what is
    smoother.
    """
    moist = (np.arange(LEVELS) + 0.5)[:, np.newaxis] / LEVELS
    relish = (np.arange(TASTES) + 0.5)[np.newaxis, :] / TASTES - 0.5
    stony = np.select([relish < -0.2, relish > 0.12], [Cover.ROCK, Cover.SAND], Cover.BARE)
    cases: list[tuple[float, NDArray[np.integer]]] = [
        (0.07, stony),
        (0.11, np.where(relish < -0.25, Cover.ROCK, Cover.BARE)),
        (0.2, np.where(relish < 0.12, Cover.SHRUB, Cover.BARE)),
        (0.33, np.where(relish < 0.0, Cover.SHRUB, Cover.GRASS)),
    ]
    table = np.broadcast_to(np.where(relish < -0.22, Cover.SHRUB, Cover.GRASS), (LEVELS, TASTES))
    for limit, kinds in reversed(cases):
        table = np.where(moist < limit, kinds, table)
    return table.astype(np.uint8)
