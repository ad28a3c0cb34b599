"""A shift that changes smoothly over a window: whether it does, and how. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.pipeline.coregister.field import TERMS, basis
from eodata.pipeline.coregister.peaks import find_peaks
from eodata.pipeline.coregister.pooling import Pool, groups

Floats = NDArray[np.float64]
_CLEAR = 4.0
"""How far above its rival the peak of a group must rise to be believed, in units of the noise."""
_MOST = 0.7
"""Share of the groups that must be clear."""
_PER_TERM = 2
"""Groups that a model must have for each of its terms."""
_BETTER = 0.7
"""A model must leave less than this share of what the simpler one leaves, squared, unexplained."""
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

    Tiles that are too weak alone are taken together with their neighbours. Each model is judged by
    how well it foretells the groups that were left out when it was fitted.
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
    clear = (peaks.heights - peaks.rivals >= _CLEAR) & ~np.isnan(peaks.places).any(axis=1)
    if clear.mean() < _MOST:
        clear[:] = False
    middles = np.stack([body.middle for body in bodies])
    # Above some height it is the ground that differs, not the noise.
    weights = np.minimum(peaks.heights, np.median(peaks.heights))
    return middles[clear], peaks.places[clear], weights[clear]


def _best(places: Floats, shifts: Floats, weights: Floats) -> Model | None:
    """Return the model that foretells best, None for one shift everywhere."""
    origin = places.mean(axis=0)
    scale = max(float(np.abs(places - origin).max()), 1.0)
    chosen, (_, left) = None, _fit(np.ones((len(places), 1)), shifts, weights)
    for terms in (TERMS["affine"], TERMS["quadratic"]):
        if len(places) < _PER_TERM * terms:
            break
        rows = basis(places[:, 0], places[:, 1], (origin[0], origin[1]), scale, terms)
        found, off = _fit(rows, shifts, weights)
        usual = 3 * np.median(off)
        better = _mean_square(off, usual) < _BETTER * _mean_square(left, usual)
        departs = rows @ found - (rows @ found).mean(axis=0)
        if better and np.sqrt(np.square(departs).mean()) > _WORTH:
            error = np.sqrt(_mean_square(off, usual) / 2 * terms / len(places))
            chosen = Model(found, (float(origin[0]), float(origin[1])), scale, float(error))
            left = off
    return chosen


def _mean_square(off: Floats, usual: float) -> float:
    return float(np.square(np.minimum(off, usual)).mean())


def _fit(rows: Floats, shifts: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Fit by least squares in which the far-off count less and less (Tukey's biweight).

    Returns:
        Terms `(k, 2)`, and `(n,)` how far each shift lies from what the others foretell [px].
    """
    trust = weights / weights.max()
    for _ in range(10):
        root = np.sqrt(trust)[:, np.newaxis]
        terms = np.linalg.lstsq(root * rows, root * shifts, rcond=None)[0]
        off = np.hypot(*(shifts - rows @ terms).T)
        limit = max(6 * float(np.median(off)), 0.1)
        trust = weights / weights.max() * np.square(np.maximum(1 - np.square(off / limit), 0))
    q, _ = np.linalg.qr(root * rows)
    lever = np.minimum(np.square(q).sum(axis=1), 0.9)
    return terms, off / (1 - lever)
