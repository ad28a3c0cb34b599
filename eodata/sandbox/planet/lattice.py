"""Repeatable randomness of places: hashes of lattice nodes, and smooth fields between nodes.

Every field is evaluated element by element from absolute coordinates, so a window read alone is
the same window cut from a larger read, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.sites import Floats, Sites

Field = NDArray[np.float32]
Ints = NDArray[np.int64]
Bits = NDArray[np.uint32]
Nodes = Callable[[Ints, Ints], Field]
"""From node numbers (broadcastable) to values at the nodes; leading axes stack several fields."""
DENSE = 4.0
"""A block of nodes is evaluated as a whole up to this many nodes per site, else one by one."""
LEAST_ROWS = 3
"""Rows of sites between two rows of nodes from which they are interpolated together."""
_ROW = np.int64(1 << 32)
"""Step from row to row in the keys of scattered nodes."""
_EVEN, _ODD = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_X, _Y, _Z = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)


def salt(seed: int, name: str) -> int:
    """Return the seed of one named field of one world, 32 bits."""
    return crc32(f"{seed}:{name}".encode())


def hash_bits(seed: int | Ints, *numbers: NDArray[np.integer] | int) -> Bits:
    """Return 32 well-mixed bits per combination of whole numbers (broadcast)."""
    bits = np.asarray(seed & 0xFFFFFFFF).astype(np.uint32)
    with np.errstate(over="ignore"):  # of single numbers; arrays wrap silently
        for number, factor in zip(numbers, (_X, _Y, _Z, _EVEN), strict=False):
            bits = _mix(bits ^ (np.asarray(number).astype(np.uint32) * factor))
    return bits


def stir(bits: Bits, *numbers: NDArray[np.integer]) -> Bits:
    """Return other well-mixed bits per combination of mixed bits and small whole numbers."""
    for number, factor in zip(numbers, (_X, _Y), strict=False):
        bits = bits ^ (number.astype(np.uint32) * factor)
    return _mix(bits)


def hash01(seed: int | Ints, *numbers: NDArray[np.integer] | int) -> Field:
    """Return a uniform number in [0, 1) per combination of whole numbers (broadcast)."""
    return (hash_bits(seed, *numbers) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """The nodes of a square lattice that lie around some sites, each once.

    Attributes:
        spacing: Distance of nodes [m]; node `(i, j)` lies at `x = i * spacing, y = j * spacing`.
        columns: Numbers `i` of the nodes, rising; of scattered nodes the keys.
        rows: Numbers `j` of the nodes, rising; None when the nodes are scattered.
    """

    spacing: float
    columns: Ints
    rows: Ints | None

    @classmethod
    def around(cls, sites: Sites, spacing: float) -> Net:
        """Find the nodes in reach of sites."""
        ix, iy = (_node(axis, spacing) for axis in (sites.x, sites.y))
        if sites.is_lattice:
            return cls(spacing, _with_next(ix.ravel()), _with_next(iy.ravel()))
        columns, rows = (np.arange(i.min(), i.max() + 2) for i in (ix, iy))
        if len(columns) * len(rows) <= DENSE * ix.size + 64:
            return cls(spacing, columns, rows)
        return cls(spacing, _with_next(_with_next(iy * _ROW + ix, _ROW)), None)

    @property
    def i(self) -> Ints:
        """Numbers of the nodes along x: `(1, columns)`, or `(N,)` when scattered."""
        if self.rows is None:
            return (self.columns + _ROW // 2) % _ROW - _ROW // 2
        return self.columns[np.newaxis, :]

    @property
    def j(self) -> Ints:
        """Numbers of the nodes along y: `(rows, 1)`, or `(N,)` when scattered."""
        if self.rows is None:
            return (self.columns - self.i) // _ROW
        return self.rows[:, np.newaxis]

    def carry(self, values: Field) -> Mesh:
        """Return the mesh of fields whose values at the nodes are known; leading axes stack."""
        nodes = np.broadcast_shapes(self.i.shape, self.j.shape)
        shape = *values.shape[: max(0, values.ndim - len(nodes))], *nodes
        return Mesh(self, np.broadcast_to(values, shape).astype(np.float32, copy=False))


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Fields that are known at the nodes around some sites.

    Attributes:
        net: The nodes.
        values: `(..., rows, columns)`, or `(..., N)` when the nodes are scattered.
    """

    net: Net
    values: Field

    @classmethod
    def around(cls, sites: Sites, spacing: float, nodes: Nodes) -> Mesh:
        """Evaluate fields at the nodes in reach of sites."""
        net = Net.around(sites, spacing)
        return net.carry(nodes(net.i, net.j))

    def at(self, sites: Sites, *, fade: bool = False) -> Field:
        """Interpolate between the nodes.

        Args:
            sites: Any of those that the mesh was made around.
            fade: Ease in and out of nodes, for values that are independent from node to node.

        Returns:
            float32, `(..., *sites.shape)`.
        """
        net = self.net
        ix, iy = (_node(axis, net.spacing) for axis in (sites.x, sites.y))
        fx, fy = (
            _part(axis, net.spacing, node, fade=fade)
            for axis, node in ((sites.x, ix), (sites.y, iy))
        )
        if sites.is_lattice and net.rows is not None:
            col = np.searchsorted(net.columns, ix[0])
            return _along_axes(self.values, col, fx, np.searchsorted(net.rows, iy[:, 0]), fy)
        low, high = _corners(net, ix, iy)
        flat = self.values.reshape(*self.values.shape[: -1 if net.rows is None else -2], -1)
        return _at_corners(flat, low, high, fx, fy)


def between_nodes(sites: Sites, spacing: float, nodes: Nodes, *, fade: bool = False) -> Field:
    """Interpolate a field that is known at the nodes of a square lattice.

    Args:
        sites: Where the field is wanted.
        spacing: Distance of nodes [m]; node `(i, j)` lies at `x = i * spacing, y = j * spacing`.
        nodes: Values at nodes; evaluated once for each node in reach.
        fade: Ease in and out of nodes, for values that are independent from node to node.

    Returns:
        float32 of `sites.shape`, behind the leading axes of the nodes' values.
    """
    return Mesh.around(sites, spacing, nodes).at(sites, fade=fade)


def noise(sites: Sites, spacing: float, seed: int, *, fade: bool = True) -> Field:
    """Return value noise in [-1, 1] with features of the size of `spacing` [m]."""
    field: Field = noises(sites, spacing, [seed], fade=fade)[0]
    return field


def noises(sites: Sites, spacing: float, seeds: Sequence[int], *, fade: bool = True) -> Field:
    """Return one `noise` per seed, `(K, *sites.shape)`."""

    def nodes(i: Ints, j: Ints) -> Field:
        each = np.array(seeds).reshape((-1,) + (1,) * i.ndim)
        return hash01(each, i, j, sites.zone) * np.float32(2.0) - np.float32(1.0)

    return between_nodes(sites, spacing, nodes, fade=fade)


class Fractal(NamedTuple):
    """A sum of noises, each half as large as the one before and `gain` times as strong.

    Attributes:
        spacing: Size of the largest features [m].
        seed: Of the largest; the others count on.
        octaves: Number of noises.
        gain: Strength from one to the next.
    """

    spacing: float
    seed: int
    octaves: int
    gain: float = 0.5


def fractal(sites: Sites, spacing: float, seed: int, octaves: int, gain: float = 0.5) -> Field:
    """Return a sum of noises in [-1, 1], each half as large and `gain` times as strong."""
    return fractals(sites, [Fractal(spacing, seed, octaves, gain)])[0]


def fractals(sites: Sites, wanted: Sequence[Fractal]) -> list[Field]:
    """Return several fractals; noises of the same size are made in one go."""
    parts: dict[float, list[tuple[int, int, np.float32]]] = {}
    for number, (spacing, seed, octaves, gain) in enumerate(wanted):
        weights = gain ** np.arange(octaves)
        for octave, weight in enumerate(weights / weights.sum()):
            part = number, seed + octave, np.float32(weight)
            parts.setdefault(spacing / 2**octave, []).append(part)
    totals = [np.zeros(sites.shape, np.float32) for _ in wanted]
    for spacing in sorted(parts, reverse=True):
        numbers, seeds, shares = zip(*parts[spacing], strict=True)
        for number, field, share in zip(
            numbers, noises(sites, spacing, seeds), shares, strict=True
        ):
            totals[number] += field * share
    return totals


def sphere_noise(lon: Floats, lat: Floats, length_km: float | Floats, seed: int | Ints) -> Field:
    """Return smooth noise in [-1, 1] on the sphere, without seams.

    Args:
        lon: Longitude [degrees], any shape.
        lat: Latitude [degrees], same shape.
        length_km: Size of the features [km]; an array broadcasts against the places.
        seed: Of this field, or of each of several fields.
    """
    scale = 6371.0 / length_km
    lam, phi = np.radians(lon), np.radians(lat)
    point = (
        np.cos(phi) * np.cos(lam) * scale,
        np.cos(phi) * np.sin(lam) * scale,
        np.sin(phi) * scale,
    )
    base = [np.floor(p).astype(np.int64) for p in point]
    fx, fy, fz = (_ease((p - b).astype(np.float32)) for p, b in zip(point, base, strict=True))
    x, y, z = (np.stack([node, node + 1]) for node in base)
    corners = hash01(seed, x[:, np.newaxis, np.newaxis], y[:, np.newaxis], z)
    planes = _lerp(corners[0], corners[1], fx)
    lines = _lerp(planes[0], planes[1], fy)
    return _lerp(lines[0], lines[1], fz) * np.float32(2.0) - np.float32(1.0)


def sphere_noises(lon: Floats, lat: Floats, lengths_km: Sequence[float], seed: int) -> Field:
    """Return one noise per length, `(K, *lon.shape)`; each is the `sphere_noise` of `seed + k`."""
    along = (-1,) + (1,) * lon.ndim
    lengths = np.array(lengths_km, np.float64).reshape(along)
    return sphere_noise(lon, lat, lengths, seed + np.arange(len(lengths_km)).reshape(along))


def ramp(value: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high` (or the other way round), easing in between."""
    scale = np.float32(1.0 / (high - low))
    return _ease(np.clip((value - np.float32(low)) * scale, 0.0, 1.0))


def _node(axis: Floats, spacing: float) -> Ints:
    return np.floor(axis / spacing).astype(np.int64)


def _part(axis: Floats, spacing: float, node: Ints, *, fade: bool) -> Field:
    part = (axis / spacing - node).astype(np.float32)
    return _ease(part) if fade else part


def _with_next(numbers: Ints, step: np.int64 | int = 1) -> Ints:
    """Return the numbers and those one step on, each once, rising."""
    both = np.concatenate([numbers, numbers + step])
    both.sort()  # numpy sorts much faster than it finds unique numbers
    each: Ints = both[np.concatenate([[True], both[1:] != both[:-1]])]
    return each


def _corners(net: Net, ix: Ints, iy: Ints) -> tuple[Ints, Ints]:
    """Return the flat places of the lower and of the upper left node around each site."""
    if net.rows is None:
        key = iy * _ROW + ix
        return np.searchsorted(net.columns, key), np.searchsorted(net.columns, key + _ROW)
    low = (iy - net.rows[0]) * len(net.columns) + (ix - net.columns[0])
    return low, low + len(net.columns)


def _along_axes(block: Field, col: Ints, fx: Field, row: Ints, fy: Field) -> Field:
    """Interpolate along x, then along y; neighbours are adjacent among the nodes kept."""
    block, row = block[..., row.min() : row.max() + 2, :], row - row.min()
    fields = np.empty((*block.shape[:-2], len(row), len(col)), np.float32)
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    if len(starts) * LEAST_ROWS > len(row):
        return _row_by_row(block, col, fx, row, fy, fields)
    lines = _lerp(block.take(col, -1), block.take(col + 1, -1), fx)
    rises = lines[..., 1:, :] - lines[..., :-1, :]
    for start, stop in zip(starts, [*starts[1:], len(row)], strict=True):
        node, some = row[start], fields[..., start:stop, :]
        np.multiply(rises[..., node : node + 1, :], fy[start:stop], out=some)
        some += lines[..., node : node + 1, :]
    return fields


def _row_by_row(block: Field, col: Ints, fx: Field, row: Ints, fy: Field, fields: Field) -> Field:
    """Do the same where few rows share their nodes.

    Stacked fields take their turns: arrays of one field stay in the processor's cache.
    """
    for place in np.ndindex(block.shape[:-2]):
        nodes, field = block[place], fields[place]
        lines = _lerp(nodes.take(col, 1), nodes.take(col + 1, 1), fx)
        np.multiply((lines[1:] - lines[:-1]).take(row, 0), fy, out=field)
        field += lines.take(row, 0)
    return fields


def _at_corners(flat: Field, low: Ints, high: Ints, fx: Field, fy: Field) -> Field:
    """Interpolate one by one, in the order of operations of the lattice."""
    fields = np.empty((*flat.shape[:-1], len(low)), np.float32)
    next_low, next_high = low + 1, high + 1
    for place in np.ndindex(flat.shape[:-1]):
        nodes = flat[place]
        south = _lerp(nodes.take(low), nodes.take(next_low), fx)
        fields[place] = _lerp(south, _lerp(nodes.take(high), nodes.take(next_high), fx), fy)
    return fields


def _lerp(start: Field, end: Field, part: Field) -> Field:
    return start + (end - start) * part


def _ease(part: Field) -> Field:
    return part * part * (np.float32(3.0) - np.float32(2.0) * part)


def _mix(bits: Bits) -> Bits:
    bits = (bits ^ (bits >> np.uint32(16))) * _EVEN
    bits = (bits ^ (bits >> np.uint32(15))) * _ODD
    return np.asarray(bits ^ (bits >> np.uint32(16)))
