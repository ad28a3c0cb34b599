"""The surfaces of all tiles as one body: how they are weighed, added and grouped. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from eodata.pipeline.coregister.evidence import Evidence, Numbers
from eodata.pipeline.coregister.peaks import Peaks, find_peaks

Floats = NDArray[np.float64]
CLEAR = 4.0
"""How far above its rival a peak must rise to be believed by itself, in units of the noise."""
_LOUDEST = 2.0
"""A tile counts no more than this many times what the tile of median height does."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The evidence of T tiles of one window.

    Attributes:
        surfaces: `(T, n, n)`, each in units of its noise.
        places: `(T, 2)` (row, col) of the middles of the tiles [px].
        weights: `(T,)` how much each counts.
    """

    surfaces: Numbers
    places: Floats
    weights: Floats

    @property
    def total(self) -> Numbers:
        """The weighted sum of all surfaces, again in units of the noise, `(n, n)`."""
        total = np.tensordot(self.weights, self.surfaces, 1) / np.linalg.norm(self.weights)
        made: Numbers = total.astype(np.float32)
        return made

    @property
    def middle(self) -> Floats:
        """Row and col of the weighted middle of the tiles [px]."""
        middle: Floats = np.average(self.places, axis=0, weights=self.weights)
        return middle

    def peak(self) -> Peaks:
        """Return the peak of the total: T is 1."""
        return find_peaks(self.total[np.newaxis])

    def of(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Pool:
        """Return some of the tiles."""
        return Pool(self.surfaces[chosen], self.places[chosen], self.weights[chosen])

    def moved(self, shifts: Floats) -> Pool:
        """Return the pool with the shift `(T, 2)` of each tile taken out of its surface [px]."""
        pairs = zip(self.surfaces, shifts, strict=True)
        return replace(
            self, surfaces=np.stack([ndimage.shift(one, -shift) for one, shift in pairs])
        )


def pool_of(evidence: Sequence[Evidence]) -> Pool:
    """Return the evidence as one body, in which no tile shouts the others down."""
    surfaces = np.stack([one.surface for one in evidence])
    ground = np.sqrt([one.weight for one in evidence])
    heights = np.maximum(surfaces.max(axis=(1, 2)).astype(np.float64), 1e-6)
    weights = ground * np.minimum(1, _LOUDEST * np.median(heights) / heights)
    return Pool(surfaces, np.array([[one.row, one.col] for one in evidence]), weights)


def groups(pool: Pool, size: int) -> list[Pool]:
    """Split a pool into groups of neighbours with `size` tiles or up to twice as many.

    The longer side of each group is halved at its median tile, again and again.
    """
    if len(pool.places) < 2 * size:
        return [pool]
    axis = int(np.ptp(pool.places, axis=0).argmax())
    order = np.lexsort((pool.places[:, 1 - axis], pool.places[:, axis]))
    half = len(order) // 2
    return [part for side in (order[:half], order[half:]) for part in groups(pool.of(side), size)]


def jackknife(pool: Pool, parts: int = 16) -> Floats:
    """Return where the peak of the total lies without each of some parts, `(parts, 2)` [px].

    Parts are groups of neighbours, since neighbours err alike; NaN where there is no peak left.
    """
    bodies = groups(pool, max(1, -(-len(pool.places) // parts)))
    sums = np.stack([np.tensordot(body.weights, body.surfaces, 1) for body in bodies])
    without = sums.sum(axis=0) - sums
    places: Floats = find_peaks(without.astype(np.float32)).places
    return places
