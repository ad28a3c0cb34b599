"""The model of s2cloudless as arrays, and a walk through it that leads many pixels together. Pure.

A square of 16 × 16 neighbours goes through a tree together, as 256 bits:

1. For each threshold of the model (at most 255 per band) a row of `above` says which pixels exceed
   it: a small table, made once a square.
2. At a node, `here & above[row]` go right, the others left. Neighbours look alike, so most nodes
   send all of them one way.
3. At a leaf its value is added to the score of the pixels that came, tree after tree: the order in
   which LightGBM adds, so that sums are equal to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import RecipeError

BANDS = 10
"""Numbers that the model reads of a pixel."""
SIDE = 16
"""Pixels along a square."""
_WORDS, _BITS = 4, 64
"""Words that hold a bit for each pixel of a square; bits of a word."""
_ROWS = _BITS // SIDE
"""Rows of a square in a word."""
_ROOM = 256
"""Thresholds of a band, and infinity at the end."""
_CELLS = 4096
"""Parts of [0, 1] with a known first threshold. A power of two: the product is exact."""
_DEEPEST = 1024
"""Splits of a tree, at most: as many groups of pixels can wait."""
_SHIFT, _STEP = np.uint64(12), np.uint64(4095)
_LEAF = 0xFFFFF
"""A node is one number: its row in `above`, or this; and in the low bits the way to its right."""
_ONE, _NONE = np.uint64(1), np.uint64(0)
_KIND = {"objective": {"binary", "sigmoid:1"}, "decision_type": {"2"}}
"""2: a value <= threshold goes left, and not-a-number counts as 0."""

Words = NDArray[np.uint64]


class Forest(NamedTuple):
    """The trees as arrays; what lies left of a node follows it, what lies right is a step away.

    Attributes:
        edges: `(10, 256)` thresholds of a band, rising, padded with infinity.
        first: `(10, 4097)` number of edges below each cell of [0, 1].
        nodes: `(n,)` nodes and leaves: row in `above` and step to the right.
        leaves: `(n,)` what a leaf adds to the score, 0 for nodes.
        roots: `(trees,)` where in `nodes` each tree begins.
    """

    edges: NDArray[np.float32]
    first: NDArray[np.uint8]
    nodes: NDArray[np.uint32]
    leaves: NDArray[np.float64]
    roots: NDArray[np.int64]


def read_forest(model: str) -> Forest:
    """Turn LightGBM's text form of a model into arrays.

    Raises:
        RecipeError: Objective, decisions or sizes are not those that the walk is made for.
    """
    lines = [line.partition("=") for line in model.split("\n")]

    def each(key: str, dtype: type) -> list[NDArray[Any]]:
        return [np.array(value.split(" "), dtype) for name, _, value in lines if name == key]

    bands, thresholds = each("split_feature", np.int64), each("threshold", np.float64)
    band, threshold = np.concatenate(bands), np.concatenate(thresholds)
    edges = [np.unique(threshold[band == b]) for b in range(BANDS)]
    kind = tuple({str(v) for words in each(key, str) for v in words} for key in _KIND)
    small = max(map(len, edges)) < _ROOM and max(map(len, bands)) < _DEEPEST
    if kind != tuple(_KIND.values()) or band.max() >= BANDS or not small:
        raise RecipeError(
            "s2cloudless",
            f"the installed model is of another kind: {kind}",
            "eodata reads the ten bands and the numerical splits of s2cloudless 1.7.",
            "Install it: pip install 's2cloudless>=1.7,<2'.",
        )
    rows = [
        [int(b * _ROOM + np.searchsorted(edges[b], t)) for b, t in zip(*tree, strict=True)]
        for tree in zip(bands, thresholds, strict=True)
    ]
    children = zip(each("left_child", np.int64), each("right_child", np.int64), strict=True)
    trees = [
        _in_order(row, left.tolist(), right.tolist(), leaf.tolist())
        for row, (left, right), leaf in zip(
            rows, children, each("leaf_value", np.float64), strict=True
        )
    ]
    nodes, leaves = (np.concatenate(parts) for parts in zip(*trees, strict=True))
    roots = np.cumsum([0, *(len(tree) for tree, _ in trees[:-1])])
    return Forest(*_edge_tables(edges), nodes, leaves, roots)


def _in_order(
    row: list[int], left: list[int], right: list[int], leaf: list[float]
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Return `nodes` and `leaves` of a tree; a child is a split, or a leaf that is written `~i`."""
    nodes: list[int] = []
    leaves: list[float] = []
    waiting = [(0, -1)]
    while waiting:
        child, came_from = waiting.pop()
        if came_from >= 0:
            nodes[came_from] += len(nodes) - came_from
        if child >= 0:
            waiting += [(right[child], len(nodes)), (left[child], -1)]
        nodes.append((row[child] if child >= 0 else _LEAF) << int(_SHIFT))
        leaves.append(0.0 if child >= 0 else leaf[~child])
    return np.array(nodes, np.uint32), np.array(leaves)


def _edge_tables(
    edges: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return `edges` and `first` of the forest."""
    exact = np.full((len(edges), _ROOM), np.inf)
    for table, rising in zip(exact, edges, strict=True):
        table[: len(rising)] = rising
    # A float32 exceeds a float64 where it exceeds the next float32 that is not larger.
    near = exact.astype(np.float32)
    near = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
    cells = np.arange(_CELLS + 1) / _CELLS
    first = np.stack([np.searchsorted(rising, cells) for rising in near])
    return near, first.astype(np.uint8)


@cache
def walker() -> Callable[..., None]:
    """Compile the walk; takes one to two seconds, once per process."""
    jit = import_module("numba").njit(nogil=True)
    mark, climb = jit(_mark), jit(_climb)

    def walk(pixels, start, stop, edges, first, nodes, leaves, roots, out):  # type: ignore[no-untyped-def]
        height, width = pixels.shape[2:]
        per_image = -(-height // SIDE)
        above = np.empty((pixels.shape[1] * _ROOM, _WORDS), np.uint64)
        everyone = np.empty(_WORDS, np.uint64)
        score = np.empty((_WORDS, _BITS), np.float64)
        for row in range(start, stop):
            top = row % per_image * SIDE
            for west in range(0, width, SIDE):
                square = pixels[row // per_image, :, top : top + SIDE, west : west + SIDE]
                mark(square, edges, first, above, everyone)
                climb(everyone, above, nodes, leaves, roots, score)
                target = out[row // per_image, top : top + SIDE, west : west + SIDE]
                for y in range(target.shape[0]):
                    for x in range(target.shape[1]):
                        logit = score[y // _ROWS, y % _ROWS * SIDE + x]
                        target[y, x] = 1.0 / (1.0 + math.exp(-logit))

    compiled: Callable[..., None] = jit(walk)
    return compiled


def _mark(
    square: NDArray[np.float32],
    edges: NDArray[np.float32],
    first: NDArray[np.uint8],
    above: Words,
    everyone: Words,
) -> None:
    """Fill `above` for a square of `(10, <= 16, <= 16)`, and set the bits of all its pixels."""
    everyone[:] = _NONE
    above[:] = _NONE
    for band in range(square.shape[0]):
        for y in range(square.shape[1]):
            for x in range(square.shape[2]):
                value = square[band, y, x]
                value = min(value, np.float32(1)) if value > 0 else np.float32(0)
                below = np.int64(first[band, np.int64(value * _CELLS)])
                while edges[band, below] < value:
                    below += 1
                bit = _ONE << np.uint64(y % _ROWS * SIDE + x)
                everyone[y // _ROWS] |= bit
                if below > 0:
                    above[band * _ROOM + below - 1, y // _ROWS] |= bit
        for edge in range((band + 1) * _ROOM - 2, band * _ROOM - 1, -1):
            for w in range(_WORDS):
                above[edge, w] |= above[edge + 1, w]


def _climb(
    everyone: Words,
    above: Words,
    nodes: NDArray[np.uint32],
    leaves: NDArray[np.float64],
    roots: NDArray[np.int64],
    score: NDArray[np.float64],
) -> None:
    """Lead the pixels of a square through all trees and add up what the leaves say.

    Loops over words and bits stand where array expressions could: the compiler makes vectors of
    them. All integers are unsigned 64-bit ones, or it would turn their sums into floats.
    """
    here = np.empty(_WORDS, np.uint64)
    waiting = np.empty((_DEEPEST, _WORDS), np.uint64)
    waiting_at = np.empty(_DEEPEST, np.uint64)
    score[:] = 0.0
    for root in roots:
        node, depth = np.uint64(root), _NONE
        for w in range(_WORDS):
            here[w] = everyone[w]
        while True:
            while True:
                row, step = np.uint64(nodes[node]) >> _SHIFT, np.uint64(nodes[node]) & _STEP
                if row == _LEAF:
                    break
                any_right, any_left = _NONE, _NONE
                for w in range(_WORDS):
                    right = here[w] & above[row, w]
                    any_right |= right
                    any_left |= here[w] ^ right
                if any_right == _NONE:
                    node += _ONE
                elif any_left == _NONE:
                    node += step
                else:
                    waiting_at[depth] = node + step
                    for w in range(_WORDS):
                        waiting[depth, w] = here[w] & above[row, w]
                        here[w] ^= waiting[depth, w]
                    depth += _ONE
                    node += _ONE
            value = leaves[node]
            for w in range(_WORDS):
                if here[w] != _NONE:
                    word = here[w]
                    for i in range(_BITS):
                        score[w, i] += value if (word >> np.uint64(i)) & _ONE else 0.0
            if depth == _NONE:
                break
            depth -= _ONE
            node = waiting_at[depth]
            for w in range(_WORDS):
                here[w] = waiting[depth, w]
