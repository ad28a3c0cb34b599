"""What other legends call the planet's cover: WorldCover point by point, MODIS by mixture.

A MODIS pixel of half a kilometre is a mixture, and its classes are defined by shares: forest is
more than 60 % trees, a savanna 10 to 30 %, a town at least 30 % sealed. The rules follow the
definitions of MCD12Q1 (IGBP and the three LCCS layers). Where the definitions leave gaps, climate
decides what is sensible: larch needs a cold continent, savanna needs warmth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.cover import BUILT, CROP, WATER, Cover
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.lattice import Field

Classes = NDArray[np.uint8]
N_COVERS = len(Cover)
LARCH_C = -6.0
"""Mean temperature of the year below which needle-leaved trees shed their needles [degrees C]."""
SAVANNA_C = 14.0
"""Mean temperature of the year above which grass with some trees is called savanna."""
MANGROVE_C, MANGROVE_M = 21.0, 4.0
"""Wetland is called mangrove where it is this warm and this close to the level of the sea."""

WORLDCOVER = {
    Cover.SEA: 80, Cover.LAKE: 80, Cover.EVERGREEN_FOREST: 10, Cover.BROADLEAF_FOREST: 10,
    Cover.NEEDLELEAF_FOREST: 10, Cover.SHRUB: 20, Cover.GRASS: 30, Cover.SUMMER_CROP: 40,
    Cover.WINTER_CROP: 40, Cover.WETLAND: 90, Cover.BARE: 60, Cover.SAND: 60, Cover.ROCK: 60,
    Cover.ICE: 70, Cover.TUNDRA: 100, Cover.STREET: 50, Cover.DARK_ROOF: 50,
    Cover.BRIGHT_ROOF: 50, Cover.GARDEN: 30,
}  # fmt: skip
"""10 tree, 20 shrub, 30 grass, 40 crop, 50 built, 60 bare, 70 snow and ice, 80 water, 90 herbaceous
wetland, 95 mangrove, 100 moss and lichen."""
_WORLDCOVER = np.array([WORLDCOVER[cover] for cover in Cover], np.uint8)


def worldcover(ground: Ground) -> Classes:
    """Return ESA WorldCover classes, of the ground's shape."""
    classes = _WORLDCOVER[ground.cover]
    coastal = (ground.warmth > MANGROVE_C) & (ground.elevation < MANGROVE_M)
    return np.where((ground.cover == Cover.WETLAND) & coastal, np.uint8(95), classes)


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """What a coarse pixel is made of; all arrays share one shape.

    Attributes:
        shares: `(19, ...)` float32, share of the pixel per `Cover`; they add up to 1.
        warmth: Mean temperature of the year [degrees C].
        wetness: Moisture of the climate, 0 to 1.
    """

    shares: Field
    warmth: Field
    wetness: Field

    def of(self, *covers: Cover) -> Field:
        """Return the share of some covers together."""
        total: Field = self.shares[list(covers)].sum(axis=0)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Shares of the kinds of ground that the MODIS legends tell apart, float32 of one shape."""

    water: Field
    ice: Field
    built: Field
    barren: Field
    wet: Field
    crop: Field
    needle: Field
    evergreen: Field
    broad: Field
    shrub: Field
    grass: Field
    tundra: Field

    @property
    def trees(self) -> Field:
        """Trees of any kind."""
        return self.needle + self.evergreen + self.broad


def kinds(mixture: Mixture) -> Kinds:
    """Return the shares by kind. Gardens are part of a town: half sealed, half grass."""
    garden = mixture.of(Cover.GARDEN) / np.float32(2)
    return Kinds(
        water=mixture.of(*WATER),
        ice=mixture.of(Cover.ICE),
        built=mixture.of(*BUILT) + garden,
        barren=mixture.of(Cover.BARE, Cover.SAND, Cover.ROCK),
        wet=mixture.of(Cover.WETLAND),
        crop=mixture.of(*CROP),
        needle=mixture.of(Cover.NEEDLELEAF_FOREST),
        evergreen=mixture.of(Cover.EVERGREEN_FOREST),
        broad=mixture.of(Cover.BROADLEAF_FOREST),
        shrub=mixture.of(Cover.SHRUB),
        grass=mixture.of(Cover.GRASS) + garden,
        tundra=mixture.of(Cover.TUNDRA),
    )


def igbp(mixture: Mixture) -> Classes:
    """Return `LC_Type1`: the 17 classes of the IGBP, of the mixture's shape."""
    k = kinds(mixture)
    forest = _forest(k, mixture.warmth, mixed=5, broad_mixed=5)
    return _first(
        (k.water >= 0.6, 17),
        (k.ice >= 0.6, 15),
        (k.built >= 0.3, 13),
        ((k.wet >= 0.4) | ((k.wet >= 0.15) & (k.water >= 0.3)), 11),
        (k.barren >= 0.6, 16),
        (k.crop >= 0.6, 12),
        (k.trees >= 0.6, forest),
        (k.crop >= 0.4, 14),
        (k.trees >= 0.3, 8),
        ((k.shrub >= 0.6) & (mixture.wetness >= 0.5), 6),
        (k.shrub + k.tundra >= 0.35, 7),
        ((k.trees >= 0.1) & (mixture.warmth >= SAVANNA_C), 9),
        (k.crop >= 0.25, 14),
        (k.water + k.ice >= 0.5, np.where(k.ice > k.water, 15, 17)),
        otherwise=10,
    )


def lccs_cover(mixture: Mixture) -> Classes:
    """Return `LC_Prop1`: what covers the surface (LCCS1). Crops count as herbs."""
    k = kinds(mixture)
    forest = _forest(k, mixture.warmth, mixed=15, broad_mixed=16)
    herbs = k.grass + k.crop + k.wet
    shrubs = k.shrub + k.tundra
    return _first(
        (k.water >= 0.5, 3),
        (k.ice >= 0.5, 2),
        (k.trees + herbs + shrubs < 0.1, 1),
        (k.trees >= 0.6, forest),
        (k.trees >= 0.3, 21),
        (shrubs >= 0.6, np.where(k.shrub > k.tundra, 41, 43)),
        (herbs >= 0.6, 31),
        (k.trees >= 0.1, 22),
        ((shrubs >= 0.1) & (herbs >= 0.1), 42),
        (shrubs > herbs, 43),
        otherwise=32,
    )


def lccs_use(mixture: Mixture) -> Classes:
    """Return `LC_Prop2`: what the surface is used for (LCCS2)."""
    k = kinds(mixture)
    natural = k.grass + k.wet
    return _first(
        (k.water >= 0.5, 3),
        (k.ice >= 0.5, 2),
        (k.built >= 0.3, 9),
        (k.trees + k.crop + natural + k.shrub + k.tundra < 0.1, 1),
        (k.crop >= 0.6, 36),
        (k.trees >= 0.6, 10),
        ((k.trees >= 0.3) & (k.crop >= 0.2), 25),
        (k.trees >= 0.3, 20),
        (k.crop >= 0.3, 35),
        (k.shrub + k.tundra > natural, 40),
        ((k.trees >= 0.1) & (natural < 0.6), 20),
        otherwise=30,
    )


def lccs_water(mixture: Mixture) -> Classes:
    """Return `LC_Prop3`: how water meets the surface (LCCS3)."""
    k = kinds(mixture)
    herbs = k.grass + k.crop
    return _first(
        (k.water >= 0.5, 3),
        (k.ice >= 0.5, 2),
        (k.trees + herbs + k.wet + k.shrub + k.tundra < 0.1, 1),
        ((k.wet >= 0.3) & (k.trees >= 0.3), 27),
        (k.wet >= 0.3, 50),
        (k.tundra >= 0.5, 51),
        (k.trees >= 0.6, 10),
        (k.trees >= 0.3, 20),
        (k.shrub + k.tundra > herbs, 40),
        otherwise=30,
    )


def _forest(k: Kinds, warmth: Field, *, mixed: int, broad_mixed: int) -> NDArray[np.int64]:
    """Return the class of a forest: one kind if it holds 60 % of the trees, else a mixture.

    The IGBP numbers 1 to 4 are evergreen needle, evergreen broad, deciduous needle, deciduous
    broad; LCCS1 has the same ones plus ten.
    """
    ten = 0 if mixed == 5 else 10
    most = np.float32(0.6) * k.trees
    needle = np.where(warmth < LARCH_C, 3, 1) + ten
    return np.select(
        [k.needle >= most, k.evergreen >= most, k.broad >= most, k.needle < 0.1 * k.trees],
        [needle, np.full_like(needle, 2 + ten), np.full_like(needle, 4 + ten), broad_mixed],
        mixed,
    )


def _first(*rules: tuple[NDArray[np.bool_], int | NDArray[np.int64]], otherwise: int) -> Classes:
    """Return the class of the first rule that holds."""
    return np.select([holds for holds, _ in rules], [c for _, c in rules], otherwise).astype(
        np.uint8
    )
