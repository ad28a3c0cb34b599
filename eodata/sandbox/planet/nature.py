"""What would grow where: margins between kinds of cover, known every 50 m.

A margin is a smooth field that is positive where something is. Margins are made from the region and
from fractal noise, so that borders are rough down to the nodes; pixels only look at their sign.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from eodata.sandbox.planet.climate import LAPSE, Climate
from eodata.sandbox.planet.fields import BEND, Districts
from eodata.sandbox.planet.lattice import Field, Fractal, Mesh, Net, fractals, ramp, salt
from eodata.sandbox.planet.margins import NatureMesh
from eodata.sandbox.planet.region import Region, Regions, Setting
from eodata.sandbox.planet.relief import Relief
from eodata.sandbox.planet.rivers import brook_line, river_depth
from eodata.sandbox.planet.sites import Sites
from eodata.sandbox.planet.towns import Towns, sealed

SPACING = 50.0
"""Distance of the nodes [m]."""
SPREAD = 0.26
"""Standard deviation of a fractal noise of many octaves."""
TREELINE = 10.0
"""Mean temperature of the warmest month where trees end [degrees C]."""
_ONE, _HALF = np.float32(1.0), np.float32(0.5)
_KEPT = len(fields(Setting))


@dataclass(frozen=True, slots=True, eq=False)
class _Rough:
    """The fractals that fray margins; all in [-1, 1]."""

    bend_x: Field
    bend_y: Field
    town: Field
    river: Field
    brook: Field
    shore: Field
    relish: Field
    patch: Field
    pond: Field
    trees: Field
    kind: Field
    marsh: Field


_SIZES = {
    "town": (1400.0, 5),
    "river": (1400.0, 4),
    "brook": (700.0, 3),
    "shore": (1400.0, 5),
    "relish": (700.0, 4),
    "patch": (350.0, 3),
    "pond": (700.0, 4),
    "trees": (1400.0, 5),
    "kind": (1400.0, 3),
    "marsh": (1400.0, 4),
}
"""Size of the largest features [m] and number of octaves of the fractals, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class _Spots:
    """What the margins at some nodes are made from."""

    region: Region
    rough: _Rough
    steep: Field
    warm: Field
    damp: Field

    @property
    def summer(self) -> Field:
        """Mean temperature of the warmest month [degrees C]."""
        return self.warm + self.region.swing


class NatureMap:
    """The margins of one world. Threads may share it."""

    def __init__(self, seed: int, climate: Climate, relief: Relief) -> None:
        self._relief = relief
        self._regions = Regions(seed, climate)
        self._towns = Towns(seed)
        first = salt(seed, "nature")
        sizes = enumerate(_SIZES.values())
        self._fractals = [
            *Districts(seed).bends,
            *(Fractal(size, first + 10 * k, octaves) for k, (size, octaves) in sizes),
        ]

    def around(self, sites: Sites) -> NatureMesh:
        """Evaluate margins at the nodes around sites."""
        net = Net.around(sites, SPACING)
        nodes = Sites.nodes(sites.zone, net.i, net.j, SPACING)
        regions = self._regions.around(nodes)
        margins = self._margins(nodes, Region(*regions.at(nodes)))
        return NatureMesh.of(net, margins, Mesh(regions.net, regions.values[:_KEPT]))

    def _margins(self, nodes: Sites, region: Region) -> Field:
        """Return the fields of `Margins`, in their order."""
        rough = _Rough(*fractals(nodes, self._fractals))
        elevation, slope_x, slope_y = self._relief.surface(nodes)
        relish = region.relish + _HALF * rough.relish
        damp = region.wetness + np.float32(0.08) * (region.damp + relish)
        warm = region.warmth - np.float32(LAPSE) * elevation
        steep: Field = np.hypot(slope_x, slope_y)
        spots = _Spots(region, rough, steep, warm, damp + np.float32(0.06) * rough.patch)
        bend = rough.bend_x * np.float32(BEND), rough.bend_y * np.float32(BEND)
        town = self._town(nodes, spots, bend)
        return np.stack(
            [
                rough.shore * np.float32(600.0) - region.coast,
                _fresh(spots, elevation, town),
                *brook_line(rough.river, rough.brook, region.brook, region.brook_width),
                *_woods(spots),
                _marsh(spots),
                spots.damp,
                relish,
                np.float32(TREELINE) - spots.summer - np.float32(2.5) * rough.patch,
                steep + np.float32(0.25) * rough.patch - np.float32(0.75),
                town,
                _cleared(spots),
                *bend,
                rough.patch,
                sealed(town),
                _pasture(spots),
                _late(spots),
            ]
        )

    def _town(self, nodes: Sites, spots: _Spots, bend: tuple[Field, Field]) -> Field:
        """Return the distance into towns [m]; cities stop where it is steep."""
        cliffs = np.float32(9000.0) * ramp(spots.steep, 0.1, 0.4)
        urban = spots.region.urban - cliffs
        return self._towns.reach(nodes, bend, spots.rough.town, urban, _settled(spots))


def _fresh(spots: _Spots, elevation: Field, town: Field) -> Field:
    """Return the distance into lakes, rivers and ponds [m]."""
    region, rough = spots.region, spots.rough
    lowland = np.float32(300.0) / (np.maximum(elevation, np.float32(0.0)) + np.float32(300.0))
    river = river_depth(rough.river, region.river, region.river_width * lowland)
    cold = ramp(region.warmth, 8.0, -2.0)
    share = (np.float32(0.01) + np.float32(0.06) * cold) * ramp(region.wetness, 0.25, 0.5)
    ponds = over(rough.pond, share * ramp(spots.steep, 0.15, 0.03)) - ramp(town, -100.0, 100.0)
    lake = region.lake + rough.shore * np.float32(250.0)
    water: Field = np.maximum(np.maximum(river, lake), ponds * np.float32(250.0))
    return water


def _woods(spots: _Spots) -> tuple[Field, Field, Field]:
    """Return the margins of forest, of needleleaf and of evergreen forest."""
    region, rough = spots.region, spots.rough
    cool = np.float32(0.16) * ramp(spots.warm, 9.0, -1.0)  # less evaporates
    grown = ramp(spots.damp + cool, 0.24, 0.6) * ramp(spots.summer, 8.5, 12.0)
    share = grown * (np.float32(0.8) + np.float32(0.25) * region.mixture)
    share = share * ramp(spots.steep, 1.1, 0.6)
    forest = over(region.woods + np.float32(0.45) * rough.trees, share)
    needle = (np.float32(8.0) - spots.warm) * np.float32(1 / 8) + np.float32(1.2) * rough.kind
    tropic = (spots.warm - np.float32(20.5)) * np.float32(0.25) + rough.kind
    tropic = tropic + (region.wetness - np.float32(0.58)) * np.float32(3.0)
    return forest, needle, tropic


def _marsh(spots: _Spots) -> Field:
    """Return the margin of wetland: most in cold, flat and wet country."""
    cold = ramp(spots.warm, 7.0, 0.0)
    share = (np.float32(0.03) + np.float32(0.1) * cold) * ramp(spots.damp, 0.4, 0.7)
    return over(spots.rough.marsh, share * ramp(spots.steep, 0.12, 0.03))


def _cleared(spots: _Spots) -> Field:
    """Return the margin of cleared land, by warmest month, moisture and the region's custom.

    Where nearly nothing is tilled, nothing is; what is steep stays wild.
    """
    wetness = spots.region.wetness
    wet = ramp(wetness, 0.14, 0.3) * (_ONE - np.float32(0.8) * ramp(wetness, 0.8, 0.95))
    usual = np.clip(np.float32(0.6) + np.float32(0.8) * spots.region.custom, 0.03, 0.95)
    tilled = ramp(spots.summer, 13.0, 17.0) * ramp(spots.warm, -3.0, 4.0) * wet * usual
    never = (tilled < 0.004).astype(np.float32) * np.float32(9.0)
    steep = np.float32(4.0) * ramp(spots.steep, 0.06, 0.3)
    margin: Field = over(spots.region.clearing, tilled) - never - steep
    return margin


def _settled(spots: _Spots) -> Field:
    """Return the share of places with a village; fewer in cold, dry and very wet climates."""
    wetness = spots.region.wetness
    wet = ramp(wetness, 0.06, 0.35) * (_ONE - np.float32(0.7) * ramp(wetness, 0.8, 1.0))
    usual = np.clip(np.float32(0.4) + _HALF * spots.region.custom, 0.02, 0.8)
    villages: Field = ramp(spots.summer, 9.0, 16.0) * wet * usual
    return villages


def over(noise: Field, share: Field) -> Field:
    """Return a margin that is positive on a share of the ground [standard deviations].

    The noise is taken as normal. Its quantiles are those of Tukey's lambda distribution with 1/8,
    which are within 0.04 of the normal ones from 0.001 to 0.999 and need nothing but square roots.
    """
    some = np.clip(share, 0.0005, 0.9995)
    quantile = np.float32(5.407) * (_eighth_root(some) - _eighth_root(_ONE - some))
    return noise / np.float32(SPREAD) + quantile


def _eighth_root(value: Field) -> Field:
    root: Field = np.sqrt(np.sqrt(np.sqrt(value)))
    return root


def _pasture(spots: _Spots) -> Field:
    """Return the share of cleared fields under grass: more where it is cool, wet or steep."""
    cool = np.float32(0.35) * ramp(spots.warm, 10.0, 4.0)
    wet = np.float32(0.35) * ramp(spots.damp, 0.6, 0.85)
    grass: Field = np.float32(0.12) + cool + wet + np.float32(0.4) * ramp(spots.steep, 0.04, 0.2)
    return grass


def _late(spots: _Spots) -> Field:
    """Return the share of crops sown in spring: more where winters are harsh or rain is warm."""
    harsh = np.float32(0.4) * ramp(spots.warm - spots.region.swing, -4.0, -14.0)
    late = np.float32(0.38) + np.float32(0.4) * ramp(spots.warm, 14.0, 20.0) + harsh
    share: Field = np.clip(late, 0.0, 0.9)
    return share
