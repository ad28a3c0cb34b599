"""Margins: fields that are positive where something is, and what sites take from them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from eodata.sandbox.planet.lattice import Field, Mesh, Net
from eodata.sandbox.planet.region import Setting
from eodata.sandbox.planet.sites import Sites

NOWHERE = {
    "sea": -60.0,
    "fresh": -5.0,
    "brook_width": 0.0,
    "needle": -0.1,
    "tropic": -0.1,
    "marsh": -0.1,
    "frost": -9.0,
    "rock": -0.1,
    "town": -1.0,
}
"""A margin that stays below this around all sites is not interpolated; the sites take this."""


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """What is finer than a region; all fields have the shape of the sites.

    Attributes:
        sea: Distance into the sea [m], negative on land.
        fresh: Distance into lakes and rivers [m], negative on land.
        brook: Signed distance to the middle of the nearest brook [m].
        brook_width: Half its width [m]; 0 where there is none.
        forest: Margin of forest where nobody cleared it [standard deviations].
        needle: Margin of needleleaf against broadleaf forest.
        tropic: Margin of evergreen broadleaf forest against the others.
        marsh: Margin of wetland.
        damp: Moisture of the ground, 0 (desert) to 1, by climate and patch.
        relish: Noise that chooses between kinds of cover at the same moisture, about ±0.5.
        frost: By how much the warmest month is colder than trees can bear, by patch [K].
        rock: Margin of bare rock by steepness.
        town: Distance into a town [m], negative in the country.
        cleared: Margin of cleared land [standard deviations].
        bend_x: Displacement of the lines of districts [districts].
        bend_y: The same towards the north.
        patch: Noise by patch of some 100 m, about ±0.5.
        built: Share of sealed ground in the neighbourhood.
        pasture: Share of fields under grass.
        late: Share of crops that are sown in spring.
    """

    sea: Field
    fresh: Field
    brook: Field
    brook_width: Field
    forest: Field
    needle: Field
    tropic: Field
    marsh: Field
    damp: Field
    relish: Field
    frost: Field
    rock: Field
    town: Field
    cleared: Field
    bend_x: Field
    bend_y: Field
    patch: Field
    built: Field
    pasture: Field
    late: Field


@dataclass(frozen=True, slots=True, eq=False)
class NatureMesh:
    """Margins and setting around some sites, ready to be interpolated at any of them."""

    near: Mesh
    wide: Mesh
    present: tuple[str, ...]

    @classmethod
    def of(cls, net: Net, margins: Field, wide: Mesh) -> NatureMesh:
        """Keep of all margins, in the order of `Margins`, what can matter at the nodes' sites."""
        names = [item.name for item in fields(Margins)]
        lows = [NOWHERE.get(name, -np.inf) for name in names]
        here = [number for number, low in enumerate(lows) if margins[number].max() > low]
        return cls(net.carry(margins[here]), wide, tuple(names[number] for number in here))

    def at(self, sites: Sites) -> tuple[Margins, Setting]:
        """Return what holds at sites."""
        found = dict(zip(self.present, self.near.at(sites), strict=True))
        for name, low in NOWHERE.items():
            if name not in found:
                found[name] = np.broadcast_to(np.float32(low), sites.shape)
        return Margins(**found), Setting(*self.wide.at(sites))
