"""What the materials of the simulated ground and sky reflect in the bands of Sentinel-2.

Every cover has two end members, `dry` (bare, leafless, senescent) and `leafy` (its whole ground
under green leaves); a pixel lies between them by its season. Values are surface reflectances in
the style of the ECOSTRESS and USGS libraries, adjusted to medians of Sentinel-2 over known covers.
Snow is of grains of about half a millimetre, a little dirty (Warren and Wiscombe 1980).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.season import HABITS

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""In the order of the instrument (Level-1C); Level-2A has no B10."""
INDEX = {band: place for place, band in enumerate(BANDS)}
LEVELS = 256
"""Steps between the two end members of a cover; the step is below the noise of a pixel."""
_BARENESS = {
    Cover.SHRUB: 0.6,
    Cover.GRASS: 0.5,
    Cover.SUMMER_CROP: 1.0,
    Cover.WINTER_CROP: 0.9,
    Cover.BARE: 1.0,
    Cover.SAND: 0.7,
    Cover.ROCK: 0.3,
    Cover.TUNDRA: 0.3,
    Cover.STREET: 0.25,
    Cover.DARK_ROOF: 0.2,
    Cover.BRIGHT_ROOF: 0.1,
    Cover.GARDEN: 0.5,
}
_SELF_SHADE = {
    Cover.EVERGREEN_FOREST: 0.3,
    Cover.BROADLEAF_FOREST: 0.25,
    Cover.NEEDLELEAF_FOREST: 0.35,
    Cover.SHRUB: 0.15,
    Cover.WETLAND: 0.1,
}


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Reflectances; the last axis is `BANDS`, the first of a cover is its value.

    Attributes:
        dry: `(covers, 13)` end member without green leaves; of water: clear.
        leafy: `(covers, 13)` end member under leaves; of water: turbid.
        snow: `(13,)`
        water_cloud: `(13,)` cloud of droplets without end, above the vapour.
        ice_cloud: `(13,)` cloud of crystals without end.
        cirrus: `(13,)` of a thin cirrus, relative to its visible reflectance.
        wet: `(13,)` share of its light that a soil loses when it is saturated with water.
        hue: `(13,)` relative change from a usual to a red soil; of a grey soil the opposite.
        tone: `(13,)` relative change by a unit of texture: more in the visible.
    """

    dry: Field
    leafy: Field
    snow: Field
    water_cloud: Field
    ice_cloud: Field
    cirrus: Field
    wet: Field
    hue: Field
    tone: Field


@lru_cache(maxsize=1)
def spectra() -> Spectra:
    """Return the table that ships with the package."""
    table = _read()
    return Spectra(
        dry=np.stack([table[cover.name, "dry"] for cover in Cover]),
        leafy=np.stack([table[cover.name, "leafy"] for cover in Cover]),
        snow=table["SNOW", "settled"],
        water_cloud=table["CLOUD", "water"],
        ice_cloud=table["CLOUD", "ice"],
        cirrus=table["CLOUD", "cirrus"],
        wet=table["WET", "soil"],
        hue=table["HUE", "soil"],
        tone=table["TONE", "any"],
    )


@lru_cache(maxsize=1)
def mixtures() -> Field:
    """Return reflectance by band, then by cover and level: `(13, covers * LEVELS)`.

    Entry `cover * LEVELS + level` lies `level / (LEVELS - 1)` of the way from dry to leafy.
    """
    known = spectra()
    level = np.linspace(0.0, 1.0, LEVELS, dtype=np.float32)[:, np.newaxis]
    mixed = known.dry[:, np.newaxis] + level * (known.leafy - known.dry)[:, np.newaxis]
    return np.ascontiguousarray(mixed.reshape(-1, len(BANDS)).T)


@lru_cache(maxsize=1)
def bareness() -> Field:
    """Return by cover how much of its leafless ground shows the soil, 0 to 1."""
    return _by_cover(_BARENESS)


@lru_cache(maxsize=1)
def self_shade() -> Field:
    """Return by cover how much of its direct light is lost to its own shadows under a low sun."""
    return _by_cover(_SELF_SHADE)


@lru_cache(maxsize=1)
def buried() -> Field:
    """Return by cover the largest share of snow that shows, see `planet.season`."""
    return _by_cover({cover: habit.buried for cover, habit in HABITS.items()})


def _by_cover(values: dict[Cover, float]) -> NDArray[np.float32]:
    return np.array([values.get(cover, 0.0) for cover in Cover], np.float32)


def _read() -> dict[tuple[str, str], Field]:
    text = files("eodata.sandbox").joinpath("data", "spectra.csv").read_text("utf-8")
    return {
        (row["material"], row["state"]): np.array([row[band] for band in BANDS], np.float32)
        for row in csv.DictReader(text.splitlines())
    }
