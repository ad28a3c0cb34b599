"""The cut of the land: districts with winding borders, and fields with straight edges in them.

A district is a cell of a square lattice whose lines are bent by smooth displacements. Inside it
fields are laid like bricks along its own direction, with its own sizes. Roads follow the borders
of districts, villages lie at their corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import (
    Bits,
    Field,
    Fractal,
    Ints,
    fractals,
    hash01,
    hash_bits,
    salt,
    sphere_noise,
    stir,
)
from eodata.sandbox.planet.sites import Floats, Sites, to_lonlat

DISTRICT_M = 2800.0
"""Distance of the lines between districts [m]."""
LANE_M = 5.5
"""Half the width of a road [m]; a few are twice as wide."""
BEND = 0.38
"""Largest displacement of the lines [districts]."""
REGION_KM = 300.0
"""Over which distance the usual size of fields changes."""
T = TypeVar("T", bound=np.generic)
_ONE, _HALF = np.float32(1.0), np.float32(0.5)
_EAST, _NORTH = 1, 2
_FIELD = np.uint32(0xA511E9B3)
"""Tells the bits of fields from those of pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of a lattice that sites fall into, each listed once where that is cheaper.

    Attributes:
        i: Numbers of the cells listed, `(n,)`.
        j: The same towards the north.
        place: Which cell of the list a site is in, of the sites' shape; None when the list has
            one entry per site.
        shape: Of the sites.
    """

    i: Ints
    j: Ints
    place: NDArray[np.intp] | None
    shape: tuple[int, ...]

    @classmethod
    def of(cls, base_i: Ints, base_j: Ints, step_i: Field, step_j: Field) -> Cells:
        """List the cells `(base_i + step_i, base_j + step_j)`.

        Args:
            base_i: Whole numbers along x, `(1, W)` or `(N,)`.
            base_j: Whole numbers along y, `(H, 1)` or `(N,)`.
            step_i: Small whole numbers, of the sites' shape.
            step_j: The same.
        """
        left, low = int(base_i.min() + step_i.min()), int(base_j.min() + step_j.min())
        width = int(base_i.max() + step_i.max()) - left + 1
        height = int(base_j.max() + step_j.max()) - low + 1
        if width * height > max(64, step_i.size // 2):
            i, j = base_i + step_i.astype(np.int64), base_j + step_j.astype(np.int64)
            return cls(i.ravel(), j.ravel(), None, step_i.shape)
        row = step_j + (base_j - low).astype(np.float32)
        place = row * np.float32(width) + (step_i + (base_i - left).astype(np.float32))
        i, j = np.meshgrid(np.arange(left, left + width), np.arange(low, low + height))
        return cls(i.ravel(), j.ravel(), place.astype(np.intp), step_i.shape)

    def spread(self, values: NDArray[T]) -> NDArray[T]:
        """Return at every site the value of its cell."""
        return values.reshape(self.shape) if self.place is None else values.take(self.place)


@dataclass(frozen=True, slots=True, eq=False)
class Lay:
    """Where sites lie in the cells of the bent lattice; fields of the sites' shape.

    Attributes:
        zone: Frame of the sites.
        size: Distance of the lines [m].
        cells: The cells.
        x: Metres east of the cell's nominal corner, not bent: straight lines stay straight.
        y: Metres north of it.
        across: Way through the cell from its west side, bent, 0 to 1.
        along: Way through the cell from its south side.
    """

    zone: int
    size: float
    cells: Cells
    x: Field
    y: Field
    across: Field
    along: Field

    @classmethod
    def of(
        cls, sites: Sites, bend: tuple[Field, Field], parts: int = 1, offset: float = 0.0
    ) -> Lay:
        """Place sites in districts, in `parts` x `parts` parts of them, or around corners.

        Args:
            sites: Where.
            bend: Displacement of the lines along x and y [districts], as from `Districts.bend`.
            parts: How many cells there are along the side of a district.
            offset: 0.5 for cells that have the corners in their middle.
        """
        size = DISTRICT_M / parts
        (i, x), (j, y) = (_split(axis, size, offset) for axis in (sites.x, sites.y))
        east, north = x + bend[0] * np.float32(parts), y + bend[1] * np.float32(parts)
        step_i, step_j = np.floor(east), np.floor(north)
        metres = np.float32(size)
        return cls(
            zone=sites.zone,
            size=size,
            cells=Cells.of(i, j, step_i, step_j),
            x=(x - step_i) * metres,
            y=(y - step_j) * metres,
            across=east - step_i,
            along=north - step_j,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Plots:
    """What the fields are at some sites; all of the sites' shape.

    Attributes:
        bits: 32 random bits per field.
        district: 32 random bits per district.
        edge: Distance to the field's border [m].
    """

    bits: Bits
    district: Bits
    edge: Field


class Districts:
    """The districts of one world. Threads may share it."""

    def __init__(self, seed: int) -> None:
        self._seed = salt(seed, "districts")

    @property
    def bends(self) -> tuple[Fractal, Fractal]:
        """The noises that displace the lines along x and y, by up to `BEND` districts."""
        first = self._seed + 30
        return Fractal(DISTRICT_M, first, 3, 0.3), Fractal(DISTRICT_M, first + 10, 3, 0.3)

    def bend(self, sites: Sites) -> tuple[Field, Field]:
        """Return by how much the lines of districts are displaced here [districts]."""
        east, north = fractals(sites, self.bends)
        return east * np.float32(BEND), north * np.float32(BEND)

    def plots(self, lay: Lay) -> Plots:
        """Lay fields in districts."""
        cells = lay.cells
        bits = hash_bits(self._seed, lay.zone, cells.i, cells.j)
        long, wide = self._sizes(lay, bits)
        cos, sin = directions(share(bits, 8))
        u = lay.x * cells.spread(cos / long) + lay.y * cells.spread(sin / long)
        v = lay.y * cells.spread(cos / wide) - lay.x * cells.spread(sin / wide)
        column = np.floor(v)
        u += column * np.float32(0.37)  # bricks: a column's fields do not face its neighbour's
        district = cells.spread(bits)
        row, part, length = _paired(u, column, district)
        side = (_HALF - np.abs(v - column - _HALF)) * cells.spread(wide)
        end = (_HALF - np.abs(part - _HALF)) * length * cells.spread(long)
        key = stir(district ^ _FIELD, _whole(row), _whole(column))
        return Plots(key, district, np.minimum(side, end))

    def roads(self, lay: Lay) -> NDArray[np.bool_]:
        """Return which sites lie on a road between districts."""
        i, j, spread = lay.cells.i, lay.cells.j, lay.cells.spread
        west, east = (spread(self._road_width(lay, _EAST, i + step, j)) for step in (0, 1))
        south, north = (spread(self._road_width(lay, _NORTH, i, j + step)) for step in (0, 1))
        found = (lay.across < west) | (lay.across > _ONE - east)
        found |= (lay.along < south) | (lay.along > _ONE - north)
        return found

    def _road_width(self, lay: Lay, side: int, i: Ints, j: Ints) -> Field:
        """Return half the width of the road along one side of cells [cells]; 0 without road."""
        kind = hash01(self._seed + side, lay.zone, i, j)
        lanes = (kind < 0.7).astype(np.float32) + (kind < 0.08).astype(np.float32)
        return lanes * np.float32(LANE_M / lay.size)

    def _sizes(self, lay: Lay, bits: Bits) -> tuple[Field, Field]:
        """Return length and width of the fields of every cell [m]: 60 to 600."""
        corner = Sites.nodes(lay.zone, lay.cells.i, lay.cells.j, lay.size)
        usual = sphere_noise(*to_lonlat(corner), REGION_KM, self._seed + 50)
        width = np.float32(115.0) * np.exp2(np.float32(1.1) * usual + share(bits, 16) - _HALF)
        width = np.clip(width, 60.0, 300.0).astype(np.float32)
        return np.clip(width * (_ONE + share(bits, 24)), 60.0, 600.0).astype(np.float32), width


def share(bits: Bits, shift: int) -> Field:
    """Return eight of the bits as a number in [0, 1)."""
    return ((bits >> np.uint32(shift)) & np.uint32(255)).astype(np.float32) * np.float32(1 / 256)


def directions(turn: Field) -> tuple[Field, Field]:
    """Return cosine and sine of a direction, a share of the quarter circle."""
    angle = turn.astype(np.float64) * (np.pi / 2)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def _paired(u: Field, column: Field, district: Bits) -> tuple[Field, Field, Field]:
    """Join some neighbours in a column into one field of twice the length.

    Returns:
        Number of the field in its column, way along it 0 to 1, and its length [fields].
    """
    row, pair = np.floor(u), np.floor(u * _HALF)
    joined = (stir(district, _whole(pair), _whole(column)) & np.uint32(3)) == 0
    joined = joined.astype(np.float32)
    row -= (row - pair - pair) * joined
    return row, (u - row) * (_ONE - _HALF * joined), joined + _ONE


def _split(axis: Floats, size: float, offset: float) -> tuple[Ints, Field]:
    """Return the number of the cell and the way through it."""
    scaled = axis / size + offset
    cell = np.floor(scaled)
    return cell.astype(np.int64), (scaled - cell).astype(np.float32)


def _whole(number: Field) -> NDArray[np.int32]:
    return number.astype(np.int32)
