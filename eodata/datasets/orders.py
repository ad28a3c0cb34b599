"""In which order an epoch goes through the samples, and how well that is shuffled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.datasets.draws import draw, shuffled

Positions = NDArray[np.int64]


def full_order(n: int, seed: int, epoch: int) -> Positions:
    """Return the positions 0 to n - 1, every order as likely as any other."""
    return shuffled(n, "samples", seed, epoch)


def block_order(blocks: Positions, seed: int, epoch: int, buffer: int) -> Positions:
    """Return the positions of the samples so that few blocks are read at a time.

    The blocks are shuffled, cut into groups of `buffer`, and the samples of each group shuffled
    together. With one group this is `full_order`.

    Args:
        blocks: `(N,)` the block of each sample.
        seed: Of the whole training.
        epoch: Counted from 0.
        buffer: Blocks per group.
    """
    names, block = np.unique(blocks, return_inverse=True)
    place = np.empty(len(names), np.int64)
    place[shuffled(len(names), "blocks", seed, epoch)] = np.arange(len(names))
    group = place[block] // buffer
    return np.lexsort((draw(len(blocks), "samples", seed, epoch), group)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class ShuffleQuality:
    """How an order spreads the samples of a block, against a full shuffle of the same samples.

    Attributes:
        neighbours: Share of neighbours in the order that come from one block; 1 for reading in
            store order from one large block.
        neighbours_full: What a full shuffle has on average.
        spread: Mean distance in the order between two samples of one block, divided by what a full
            shuffle has on average, (N + 1) / 3: 1 for a full shuffle, near 0 when each block is
            read at one go. About the share of all blocks that are shuffled together.
    """

    neighbours: float
    neighbours_full: float
    spread: float


def shuffle_quality(order: Positions, blocks: Positions) -> ShuffleQuality:
    """Measure an order of N samples, given the `(N,)` block of each.

    Where no block has two samples, nothing can lie together: shares are 0 and the spread is 1.
    """
    n, met = len(order), blocks[order]
    _, counts = np.unique(blocks, return_counts=True)
    pairs = int((counts * (counts - 1)).sum()) // 2
    if pairs == 0:
        return ShuffleQuality(0.0, 0.0, 1.0)
    return ShuffleQuality(
        neighbours=float((met[1:] == met[:-1]).mean()),
        neighbours_full=2 * pairs / (n * (n - 1)),
        spread=_total_distance(met) / pairs / ((n + 1) / 3),
    )


def _total_distance(met: Positions) -> float:
    """Return the sum of the distances between all two samples of one block, in order of reading."""
    by_block = np.argsort(met, kind="stable")
    _, first, counts = np.unique(met[by_block], return_index=True, return_counts=True)
    rank = np.arange(len(met)) - np.repeat(first, counts)
    # The k-th of m samples in rising order stands behind k others and before m - 1 - k.
    return float(((2 * rank - np.repeat(counts, counts) + 1) * by_block).sum())
