"""Towns: real urban areas with rough edges, villages at the corners of districts, and streets.

A town is cut into quarters; each has its own direction, blocks and use. Blocks are cut into lots,
and every lot carries a roof, a yard or a garden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.fields import DISTRICT_M, Lay, directions, share
from eodata.sandbox.planet.lattice import Bits, Field, hash_bits, ramp, salt, stir
from eodata.sandbox.planet.sites import Sites

QUARTERS = 3
"""Quarters of a town along the side of a district."""
AVENUE_M, EVERY = 28.0, 4
"""Every so many streets one is as wide as this [m]."""
INDUSTRY, PARK = 0.14, 0.19
"""Shares of quarters: up to the first are industry, from there to the second parks."""
CORE_M = 2500.0
"""Distance from the edge at which a town is half as dense as it can get [m]."""
_ONE, _HALF = np.float32(1.0), np.float32(0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Fabric:
    """What stands in a town; all of the sites' shape.

    Attributes:
        cover: `Cover` values of streets, roofs and gardens.
        height: Of the buildings [m]; 0 elsewhere.
        tone: Noise in [-1, 1), one value per lot.
    """

    cover: NDArray[np.uint8]
    height: Field
    tone: Field


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Blocks along one axis: their numbers, and the way into them from the street [m]."""

    block: Field
    street: NDArray[np.bool_]
    lot: Field


class Towns:
    """The towns of one world. Threads may share it."""

    def __init__(self, seed: int) -> None:
        self._seed = salt(seed, "towns")

    def reach(
        self,
        sites: Sites,
        bend: tuple[Field, Field],
        rough: Field,
        urban: Field,
        settled: Field,
    ) -> Field:
        """Return how far inside a town sites are [m], negative in the country.

        Args:
            sites: Where.
            bend: Displacement of the lines of districts.
            rough: Noise in [-1, 1] that frays the edges of towns.
            urban: Distance to the edge of real urban areas [m], positive inside.
            settled: Share of the corners of districts that carry a village.
        """
        edge = rough * np.float32(900.0)
        village = self._villages(sites, bend, settled) + edge * np.float32(0.15)
        inside: Field = np.maximum(urban + edge, village)
        return inside

    def _villages(self, sites: Sites, bend: tuple[Field, Field], settled: Field) -> Field:
        lay = Lay.of(sites, bend, offset=0.5)
        bits = hash_bits(self._seed, lay.zone, lay.cells.i, lay.cells.j)
        size = share(bits, 0)
        radius = np.float32(120.0) + np.float32(450.0) * size * size
        radius += as_float(share(bits, 8) > 0.94) * np.float32(650.0)
        away = np.hypot(lay.across - _HALF, lay.along - _HALF) * np.float32(DISTRICT_M)
        rare = lay.cells.spread(share(bits, 16)) + np.float32(0.1) - np.float32(1.1) * settled
        absent = np.maximum(rare, np.float32(0.0)) * np.float32(14_000.0)
        inside: Field = lay.cells.spread(radius) - away - absent
        return inside

    def fabric(self, sites: Sites, bend: tuple[Field, Field], reach: Field) -> Fabric:
        """Build streets and lots.

        Args:
            sites: Where; what comes out counts only inside towns.
            bend: Displacement of the lines of districts.
            reach: How far inside the town a site is [m].
        """
        lay = Lay.of(sites, bend, QUARTERS)
        spread = lay.cells.spread
        bits = hash_bits(self._seed + 1, lay.zone, lay.cells.i, lay.cells.j)
        cos, sin = (spread(part) for part in directions(share(bits, 0)))
        u = _grid(lay.x * cos + lay.y * sin, lay, bits, 110.0)
        v = _grid(lay.y * cos - lay.x * sin, lay, bits >> np.uint32(4), 70.0)
        block = stir(spread(bits), _whole(u.block), _whole(v.block))
        lot = stir(block, _whole(u.lot), _whole(v.lot))
        use, street = spread(share(bits, 24)), u.street | v.street
        return _furnish(use, street, block, lot, reach)


def density(reach: Field) -> Field:
    """Return the share of lots that carry a roof, by the distance from the town's edge [m]."""
    inside: Field = np.maximum(reach, np.float32(0.0))
    return np.float32(0.3) + np.float32(0.45) * inside / (inside + np.float32(CORE_M))


def sealed(reach: Field) -> Field:
    """Return the share of sealed ground in the neighbourhood of a site."""
    return ramp(reach, -300.0, 300.0) * (np.float32(0.25) + np.float32(0.75) * density(reach))


def _grid(way: Field, lay: Lay, bits: Bits, shortest: float) -> _Grid:
    """Cut one axis of quarters [m] into blocks, each with a street at its low end."""
    size = np.float32(shortest) * (_ONE + share(bits, 8))
    width = np.float32(9.0) + np.float32(6.0) * share(bits, 16)
    scaled = way * lay.cells.spread(_ONE / size)
    block = np.floor(scaled)
    into = (scaled - block) * lay.cells.spread(size)
    avenue = block * np.float32(1 / EVERY)
    wide = lay.cells.spread(width) + as_float(avenue == np.floor(avenue)) * np.float32(
        AVENUE_M - 12.0
    )
    lot_size = np.float32(20.0) + np.float32(22.0) * share(bits, 4)
    lot = np.floor((into - wide) * lay.cells.spread(_ONE / lot_size))
    return _Grid(block, into < wide, lot)


def _furnish(use: Field, street: NDArray[np.bool_], block: Bits, lot: Bits, reach: Field) -> Fabric:
    """Put roofs, yards and gardens on lots."""
    works = as_float(use < INDUSTRY)
    grounds = (use >= INDUSTRY) & (use < PARK)
    park = grounds | (share(block, 0) < 0.06)
    roofs = density(reach) + works * np.float32(0.2) + (share(block, 8) - _HALF) * np.float32(0.4)
    roofs = np.minimum(roofs, np.float32(0.95))
    draw = share(lot, 0)
    roof, yard = draw < roofs, draw > np.float32(1.03) - roofs * np.float32(0.15)
    pale = np.float32(0.7) * share(block, 16) + np.float32(0.3) * share(lot, 8)
    bright = pale > np.float32(0.8) - works * np.float32(0.3)
    cover = np.full(reach.shape, Cover.GARDEN, np.uint8)
    lay_over(cover, roof & ~park, Cover.DARK_ROOF)
    lay_over(cover, roof & bright & ~park, Cover.BRIGHT_ROOF)
    lay_over(cover, (yard & ~park) | (street & ~grounds), Cover.STREET)
    storeys = roofs * roofs * share(lot, 16) * np.float32(42.0) + np.float32(4.5)
    built = (cover == Cover.DARK_ROOF) | (cover == Cover.BRIGHT_ROOF)
    tone = share(lot, 24) * np.float32(2.0) - _ONE
    return Fabric(cover, storeys * as_float(built), tone * as_float(~street))


def lay_over(cover: NDArray[np.uint8], where: NDArray[np.bool_], kind: Cover) -> None:
    """Set some sites to a class, in place; by arithmetic, which is faster than a masked copy."""
    cover += (np.uint8(kind) - cover) * where


def as_float(flag: NDArray[np.bool_]) -> Field:
    """Return 1 where true, else 0."""
    return flag.astype(np.float32)


def _whole(number: Field) -> NDArray[np.int32]:
    return number.astype(np.int32)
