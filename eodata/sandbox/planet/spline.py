"""Smooth surfaces between lattice nodes, with their slopes: quadratic B-splines.

A height between nodes is a weighted mean of the nine nodes around, with weights that fade in and
out: surface and slopes are continuous, so shading shows no facets. The surface passes near its
nodes, not through them. Element by element, so a window computed alone is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eodata.sandbox.planet.lattice import DENSE, Field, Ints
from eodata.sandbox.planet.sites import Floats, Sites

Stack = Callable[[Ints, Ints], Field]
"""From node numbers, `(1, w)` and `(h, 1)` or `(n,)` and `(n,)`, to fields at the nodes,
`(k, h, w)` or `(k, n)`."""
_TAPS = 3
_ROW = 1 << 32
"""Nodes per row in the keys of scattered nodes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """Where sites lie between nodes along one axis.

    Attributes:
        first: Lowest of the three nodes of each site.
        weights: `(3, *first.shape)`, of the nodes.
        slopes: `(3, *first.shape)`, of the nodes in the derivative [1/m].
    """

    first: Ints
    weights: Field
    slopes: Field


def spline(sites: Sites, spacing: float, nodes: Stack) -> Field:
    """Return smooth fields, `(k, *sites.shape)`, from their values at nodes.

    Args:
        sites: Where the fields are wanted.
        spacing: Distance of nodes [m]; node `(i, j)` lies at `x = i * spacing, y = j * spacing`.
        nodes: Values at nodes.
    """
    return _evaluate(sites, spacing, nodes, slopes=False)[0]


def spline_slopes(sites: Sites, spacing: float, nodes: Stack) -> tuple[Field, Field, Field]:
    """Return smooth fields and their derivatives along x and y [1/m], each `(k, *shape)`."""
    value, along, up = _evaluate(sites, spacing, nodes, slopes=True)
    return value, along, up


def _evaluate(sites: Sites, spacing: float, nodes: Stack, *, slopes: bool) -> list[Field]:
    x, y = (_place(axis, spacing) for axis in (sites.x, sites.y))
    if sites.is_lattice:
        return _lattice(x, y, nodes, slopes=slopes)
    corners = _dense(x, y, nodes) or _sparse(x, y, nodes)
    return _points(x, y, corners, slopes=slopes)


def _lattice(x: _Axis, y: _Axis, nodes: Stack, *, slopes: bool) -> list[Field]:
    """Evaluate along the axes: first every line of nodes, then between the lines."""
    (columns, col), (rows, row) = (_needed(axis) for axis in (x, y))
    block = nodes(columns[np.newaxis, :], rows[:, np.newaxis]).astype(np.float32, copy=False)
    ends = [block.take(at, -1) for at in col]
    lines = _mean(ends, x.weights[:, 0])
    found = [_mean([lines.take(at, -2) for at in row], y.weights)]
    if slopes:
        tilted = _mean(ends, x.slopes[:, 0])
        found.append(_mean([tilted.take(at, -2) for at in row], y.weights))
        found.append(_mean([lines.take(at, -2) for at in row], y.slopes))
    return found


def _needed(axis: _Axis) -> tuple[Ints, list[Ints]]:
    """Return the nodes that sites of a lattice use, and where among them their three lie."""
    first = axis.first.ravel()
    taps = [first + tap for tap in range(_TAPS)]
    needed = np.unique(np.concatenate(taps))
    return needed, [np.searchsorted(needed, tap) for tap in taps]


def _points(x: _Axis, y: _Axis, corners: list[list[Field]], *, slopes: bool) -> list[Field]:
    """Evaluate one by one, in the order of operations of the lattice."""
    lines = [_mean(line, x.weights) for line in corners]
    found = [_mean(lines, y.weights)]
    if slopes:
        found.append(_mean([_mean(line, x.slopes) for line in corners], y.weights))
        found.append(_mean(lines, y.slopes))
    return found


def _dense(x: _Axis, y: _Axis, nodes: Stack) -> list[list[Field]] | None:
    """Return the nine nodes around scattered sites from a full block, None if that is too large."""
    left, low = int(x.first.min()), int(y.first.min())
    width, height = (int(axis.first.max() - axis.first.min()) + _TAPS for axis in (x, y))
    if width * height > DENSE * x.first.size + 64:
        return None
    block = nodes(left + np.arange(width)[np.newaxis, :], low + np.arange(height)[:, np.newaxis])
    flat = block.reshape(len(block), -1).astype(np.float32, copy=False)
    start = (y.first - low) * width + x.first - left
    return [[flat.take(start + (j * width + i), -1) for i in range(_TAPS)] for j in range(_TAPS)]


def _sparse(x: _Axis, y: _Axis, nodes: Stack) -> list[list[Field]]:
    """Return the nine nodes around scattered sites, each evaluated once."""
    taps = range(_TAPS)
    keys = np.stack([(y.first + j) * _ROW + x.first + i for j in taps for i in taps])
    unique, place = np.unique(keys, return_inverse=True)
    column = (unique + _ROW // 2) % _ROW - _ROW // 2
    values = nodes(column, (unique - column) // _ROW).astype(np.float32, copy=False)
    around = place.reshape(_TAPS, _TAPS, -1)
    return [[values.take(at, -1) for at in line] for line in around]


def _place(axis: Floats, spacing: float) -> _Axis:
    scaled = axis / spacing
    middle = np.rint(scaled)
    part = (scaled - middle).astype(np.float32)
    half, per_m = np.float32(0.5), np.float32(1.0 / spacing)
    low, high = half - part, half + part
    weights = np.stack([half * low * low, np.float32(0.75) - part * part, half * high * high])
    slopes = np.stack([-low * per_m, np.float32(-2.0) * part * per_m, high * per_m])
    return _Axis(middle.astype(np.int64) - 1, weights, slopes)


def _mean(values: list[Field], weights: Field) -> Field:
    """Return the weighted sum of three fields, always added in the same order."""
    total = values[0] * weights[0]
    total += values[1] * weights[1]
    total += values[2] * weights[2]
    return np.asarray(total)
