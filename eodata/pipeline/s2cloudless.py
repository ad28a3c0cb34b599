"""Cloud probability of Sentinel-2 Level-1C: the model of s2cloudless, read many pixels at a time.

The library spends 99 % of its time in LightGBM, which leads each pixel alone through 170 trees of
770 leaves and waits for memory at every node. Here a square of 8 × 8 neighbours goes through a tree
together, as the 64 bits of one word:

1. For each threshold of the model (at most 255 per band) a word `above` says which pixels exceed
   it: a small table, made once a square.
2. At a node, `pixels & above[node]` go right, the others left. Neighbours look alike, so most nodes
   send all of them one way.
3. At a leaf its value is added to the score of the pixels that came, tree after tree: the order in
   which LightGBM adds, so that sums are equal to the last bit.

The model is read from the installed library when it is first needed. Pure: arrays in, arrays out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import RecipeError

BANDS: tuple[str, ...] = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
"""What the model reads, in its order."""
PACKAGE = "s2cloudless"

_SIDE = 8
"""Pixels along a square: 8 × 8 bits fill a word."""
_ROOM = 256
"""Thresholds of a band, and infinity at the end."""
_CELLS = 4096
"""Parts of [0, 1] with a known first threshold. A power of two: the product is exact."""
_ONE, _NONE = np.uint64(1), np.uint64(0)
_DEEPEST = 1024
"""Splits of a tree, at most: as many groups of pixels can wait."""
_KIND = ([["binary", "sigmoid:1"]], {"2"})
"""Objective, and decision "value <= threshold goes left, not-a-number counts as 0"."""
_LOADING = Lock()

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Forest:
    """The trees as arrays; `n` inner nodes come first, leaf `i` has the address `n + i`.

    Attributes:
        edges: `(10, 256)` float32 thresholds of a band, rising, padded with infinity.
        first: `(10, 4097)` number of edges below each cell of [0, 1].
        nodes: `(n, 4)` row in the table `above`, address left, address right, unused.
        leaves: `(leaves,)` what a leaf adds to the score.
        roots: `(trees,)` addresses.
    """

    edges: NDArray[np.float32]
    first: NDArray[np.uint8]
    nodes: NDArray[np.uint32]
    leaves: NDArray[np.float64]
    roots: NDArray[np.uint32]


def cloud_probability(reflectance: NDArray[np.float32], *, threads: int = 1) -> NDArray[np.float32]:
    """Return how probable cloud is, as `S2PixelCloudDetector.get_cloud_probability_maps` does.

    Values are equal to those of the library, bit for bit on the machines where it was tried; only
    another exponential function could make a difference, of one unit in the last place.

    Args:
        reflectance: `(N, 10, H, W)` top of atmosphere, of `BANDS`, without offset; clipped to
            [0, 1], as published. Not-a-number counts as 0. C order and float32 save a copy.
        threads: How many run at once. 1 is best where several tasks run side by side in threads
            already: the work holds no lock of the interpreter. Else the number of cores.

    Returns:
        `(N, H, W)` in [0, 1].

    Raises:
        RecipeError: The extra `cloudmask` is not installed, its model is of another kind, or the
            input is not of ten bands.
    """
    if reflectance.ndim != 4 or reflectance.shape[1] != len(BANDS):
        raise RecipeError(
            PACKAGE,
            f"reflectance has the shape {reflectance.shape}",
            "the model reads (N, 10, H, W).",
            f"Give the bands {', '.join(BANDS)}, in this order.",
        )
    check_installed()
    with _LOADING:
        walk, forest = _kernel(), astuple(_forest())
    pixels = np.ascontiguousarray(reflectance, np.float32)
    n, _, height, width = pixels.shape
    out = np.empty((n, height, width), np.float32)
    rows = n * -(-height // _SIDE)
    # Cloudy squares take longer than clear ones: small parts keep all threads busy.
    cuts = np.linspace(0, rows, 1 + (4 * threads if threads > 1 else 1)).astype(int).tolist()
    parts = [(pixels, *part, *forest, out) for part in pairwise(cuts)]
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(walk, *zip(*parts, strict=True)))
    else:
        walk(*parts[0])
    return out


def check_installed() -> None:
    """Refuse to go on without the packages of the extra `cloudmask`; imports none of them.

    Raises:
        RecipeError: One is missing.
    """
    missing = [package for package in (PACKAGE, "numba") if find_spec(package) is None]
    if missing:
        raise RecipeError(
            PACKAGE,
            f"{', '.join(missing)} is not installed",
            "the cloud mask is made with it.",
            "Install the extra: pip install 'eodata[cloudmask]'.",
        )


@cache
def _forest() -> _Forest:
    """Read the model of the installed library."""
    detector = import_module(PACKAGE).S2PixelCloudDetector()
    return _parsed(detector.classifier.classifier.model_to_string())


def _parsed(model: str) -> _Forest:
    """Turn LightGBM's text form of a model into arrays."""
    lines = [line.partition("=") for line in model.split("\n")]

    def all_of(key: str) -> list[list[str]]:
        return [value.split(" ") for name, _, value in lines if name == key]

    def joined(key: str, dtype: type) -> NDArray[Any]:
        return np.array([word for words in all_of(key) for word in words], dtype)

    band, threshold = joined("split_feature", np.int64), joined("threshold", np.float64)
    edges = [np.unique(threshold[band == b]) for b in range(len(BANDS))]
    splits = np.array([len(words) for words in all_of("split_feature")])
    kind = (all_of("objective"), {word for words in all_of("decision_type") for word in words})
    small = max(map(len, edges)) < _ROOM and splits.max() < _DEEPEST and band.max() < len(BANDS)
    if kind != _KIND or not small:
        raise RecipeError(
            PACKAGE,
            f"the installed model is of another kind: {kind}",
            "eodata reads the ten bands and the numerical splits of s2cloudless 1.7.",
            "Install it: pip install 's2cloudless>=1.7,<2'.",
        )
    table, first = _edge_tables(edges)
    row = np.empty(len(band), np.int64)
    for b, rising in enumerate(edges):
        row[band == b] = b * _ROOM + np.searchsorted(rising, threshold[band == b])
    roots = np.concatenate([[0], np.cumsum(splits)])[:-1]
    left, right = (
        _addresses(joined(key, np.int64), splits, roots) for key in ("left_child", "right_child")
    )
    nodes = np.stack([row, left, right, row], axis=1).astype(np.uint32)
    leaves = joined("leaf_value", np.float64)
    return _Forest(table, first, nodes, leaves, roots.astype(np.uint32))


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


def _addresses(
    child: NDArray[np.int64], splits: NDArray[np.int64], roots: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number nodes and leaves through all trees; LightGBM writes leaf `i` of a tree as `~i`."""
    node = child + np.repeat(roots, splits)
    # A tree has one leaf more than splits.
    leaf = ~child + np.repeat(roots + np.arange(len(roots)), splits) + len(child)
    return np.where(child < 0, leaf, node)


@cache
def _kernel() -> Callable[..., None]:
    """Compile the walk; takes one to two seconds, once per process."""
    jit = import_module("numba").njit(nogil=True)
    mark, climb = jit(_mark), jit(_climb)

    def walk(pixels, start, stop, edges, first, nodes, leaves, roots, out):  # type: ignore[no-untyped-def]
        height, width = pixels.shape[2:]
        per_image = -(-height // _SIDE)
        above = np.empty(pixels.shape[1] * _ROOM, np.uint64)
        score = np.empty(_SIDE * _SIDE, np.float64)
        for row in range(start, stop):
            top = row % per_image * _SIDE
            for west in range(0, width, _SIDE):
                square = pixels[row // per_image, :, top : top + _SIDE, west : west + _SIDE]
                climb(mark(square, edges, first, above), above, nodes, leaves, roots, score)
                target = out[row // per_image, top : top + _SIDE, west : west + _SIDE]
                for y in range(target.shape[0]):
                    for x in range(target.shape[1]):
                        target[y, x] = 1.0 / (1.0 + math.exp(-score[_SIDE * y + x]))

    compiled: Callable[..., None] = jit(walk)
    return compiled


def _mark(
    square: NDArray[np.float32],
    edges: NDArray[np.float32],
    first: NDArray[np.uint8],
    above: Words,
) -> np.uint64:
    """Fill `above` for a square of `(10, <= 8, <= 8)`; return the word of all its pixels."""
    everyone = _NONE
    above[:] = _NONE
    for band in range(square.shape[0]):
        for y in range(square.shape[1]):
            for x in range(square.shape[2]):
                value = square[band, y, x]
                value = min(value, np.float32(1)) if value > 0 else np.float32(0)
                below = np.int64(first[band, np.int64(value * _CELLS)])
                while edges[band, below] < value:
                    below += 1
                bit = _ONE << np.uint64(_SIDE * y + x)
                everyone |= bit
                if below > 0:
                    above[band * _ROOM + below - 1] |= bit
        for edge in range((band + 1) * _ROOM - 2, band * _ROOM - 1, -1):
            above[edge] |= above[edge + 1]
    return everyone


def _climb(
    everyone: np.uint64,
    above: Words,
    nodes: NDArray[np.uint32],
    leaves: NDArray[np.float64],
    roots: NDArray[np.uint32],
    score: NDArray[np.float64],
) -> None:
    """Lead the pixels of a square through all trees and add up what the leaves say."""
    inner = np.uint64(len(nodes))
    waiting = np.empty((_DEEPEST, 2), np.uint64)
    score[:] = 0.0
    for tree in range(len(roots)):
        node, here, depth = np.uint64(roots[tree]), everyone, 0
        while True:
            while node < inner:
                right = here & above[nodes[node, 0]]
                left = here ^ right
                if right != _NONE and left != _NONE:
                    waiting[depth, 0] = nodes[node, 2]
                    waiting[depth, 1] = right
                    depth += 1
                    here = left
                    node = np.uint64(nodes[node, 1])
                else:
                    node = np.uint64(nodes[node, 2] if right != _NONE else nodes[node, 1])
            value = leaves[node - inner]
            # Without a branch per pixel the compiler adds eight at a time.
            for i in range(_SIDE * _SIDE):
                score[i] += value if (here >> np.uint64(i)) & _ONE else 0.0
            if depth == 0:
                break
            depth -= 1
            node, here = waiting[depth, 0], waiting[depth, 1]
