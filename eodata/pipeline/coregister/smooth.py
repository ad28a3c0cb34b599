"""A shift that changes smoothly over a window: whether it does, and how. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from eodata.pipeline.coregister.field import TERMS, basis
from eodata.pipeline.coregister.peaks import find_peaks
from eodata.pipeline.coregister.pooling import CLEAR, Pool, groups

Floats = NDArray[np.float64]
_MOST = 0.7
"""Share of the groups that must be clear."""
_PER_TERM = 2
"""Groups that a model must have for each of its terms."""
_CHANCE = 1e-3
"""How often a model may be taken for better than the simpler one when it is not."""
_WORTH = 0.05
"""A field that departs less than this from its mean is as good as constant [px]."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A shift over a window; terms, origin and scale as in `Field`.

    Attributes:
        error: Standard error of the shift along each axis [px].
    """

    terms: Floats
    origin: tuple[float, float]
    scale: float
    error: float

    def at(self, places: Floats) -> Floats:
        """Return the shift at some places, `(n, 2)` [px]."""
        rows, cols = places.T
        made: Floats = basis(rows, cols, self.origin, self.scale, len(self.terms)) @ self.terms
        return made


def smooth_model(pool: Pool) -> Model | None:
    """Return how the shift changes over the window, None when it is constant as far as one sees.

    Tiles that are too weak alone are taken together with their neighbours.
    """
    least = _PER_TERM * TERMS["affine"]
    for size in (1, 2, 4):
        if len(pool.places) >= least * size:
            places, shifts, weights = _clear_groups(pool, size)
            if len(places) >= least:
                return _best(places, shifts, weights)
    return None


def _clear_groups(pool: Pool, size: int) -> tuple[Floats, Floats, Floats]:
    """Return middles, shifts and weights of groups with a clear peak; none when those are few."""
    bodies = groups(pool, size)
    peaks = find_peaks(np.stack([body.total for body in bodies]))
    clear = (peaks.heights - peaks.rivals >= CLEAR) & ~np.isnan(peaks.places).any(axis=1)
    if clear.mean() < _MOST:
        clear[:] = False
    middles = np.stack([body.middle for body in bodies])
    # Above some height it is the ground that differs, not the noise.
    weights = np.minimum(peaks.heights, np.median(peaks.heights))
    return middles[clear], peaks.places[clear], weights[clear]


def _best(places: Floats, shifts: Floats, weights: Floats) -> Model | None:
    """Return the model that explains the shifts best, None for one shift everywhere."""
    origin = places.mean(axis=0)
    scale = max(float(np.abs(places - origin).max()), 1.0)
    count, chosen, terms_left = len(places), None, 1
    _, left = _fit(np.ones((count, 1)), shifts, weights)
    for terms in (TERMS["affine"], TERMS["quadratic"]):
        if count < _PER_TERM * terms:
            break
        rows = basis(places[:, 0], places[:, 1], (origin[0], origin[1]), scale, terms)
        found, off = _fit(rows, shifts, weights)
        departs = rows @ found - (rows @ found).mean(axis=0)
        worth = np.sqrt(np.square(departs).mean()) > _WORTH
        if worth and _is_better(off, terms, left, terms_left):
            error = np.sqrt(_square_sum(off, off) * terms / (2 * count * (count - terms)))
            chosen = Model(found, (float(origin[0]), float(origin[1])), scale, float(error))
            left, terms_left = off, terms
    return chosen


def _is_better(off: Floats, terms: int, left: Floats, terms_left: int) -> bool:
    """Tell whether a model explains more than its further terms would by chance: an F test."""
    further, free = 2 * (terms - terms_left), 2 * (len(off) - terms)
    unexplained = max(_square_sum(off, off), 1e-12)
    gain = (_square_sum(left, off) - unexplained) / further
    return bool(gain > special.fdtri(further, free, 1 - _CHANCE) * unexplained / free)


def _square_sum(off: Floats, usual: Floats) -> float:
    """Return the sum of squares, of which no single one counts for more than it should."""
    return float(np.square(np.minimum(off, 3 * np.median(usual))).sum())


def _fit(rows: Floats, shifts: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Fit by least squares in which the far-off count less and less (Tukey's biweight).

    Returns:
        Terms `(k, 2)`, and `(n,)` how far each shift lies from the model [px].
    """
    trust = weights
    for _ in range(10):
        root = np.sqrt(trust)[:, np.newaxis]
        terms = np.linalg.lstsq(root * rows, root * shifts, rcond=None)[0]
        off = np.hypot(*(shifts - rows @ terms).T)
        limit = max(6 * float(np.median(off)), 0.1)
        trust = weights * np.square(np.maximum(1 - np.square(off / limit), 0))
    return np.asarray(terms, np.float64), np.asarray(off, np.float64)
