"""What many tiles say together: one shift or a smooth field of shifts, and how sure that is. Pure.

Surfaces are in units of their noise, so they may be added: tiles that are too weak alone speak
together, and no tile has to be right by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eodata.pipeline.coregister.evidence import Evidence
from eodata.pipeline.coregister.field import Field, Finding
from eodata.pipeline.coregister.peaks import find_peaks
from eodata.pipeline.coregister.pooling import CLEAR, Pool, jackknife, pool_of
from eodata.pipeline.coregister.smooth import Model, smooth_model
from eodata.pipeline.coregister.tiles import LARGEST

Floats = NDArray[np.float64]
LEAST_CONFIDENCE = 0.5
"""What is less sure than this is no finding."""
_EVEN = 2.0
"""How far above its rival a peak must rise to be as likely right as wrong."""
_STEP = 1.6
"""Logarithm of how much likelier it gets with each further unit."""
_LEAST_ERROR = 0.01
"""What all tiles have in common, their jackknife cannot tell [px]."""
_HALF = LARGEST / 2
"""Tiles reach no further from their middles [px]."""
_NEAR = 1.5
"""Clear peaks of tiles agree with a model when they lie this near [px]."""


def consensus(evidence: Sequence[Evidence]) -> Finding:
    """Return the shift that tiles agree on.

    Args:
        evidence: Of the tiles of one window, all of the same reach, in any order.

    Returns:
        A field, or why there is none.
    """
    if not evidence:
        return Finding(None, "no texture")
    pool = pool_of(evidence)
    model = smooth_model(pool)
    found = _constant(pool) if model is None else _judged(pool, model)
    if found is None:
        return Finding(None, "no peak within reach")
    if found.confidence < LEAST_CONFIDENCE:
        return Finding(None, "no agreement")
    return Finding(found)


def _constant(pool: Pool) -> Field | None:
    """Return the shift that is the same everywhere, None when no peak lies within reach."""
    peak = pool.peak()
    if np.isnan(peak.places).any():
        return None
    model = Model(peak.places, tuple(pool.middle.tolist()), 1.0, _spread(pool, peak.places[0]))
    return _judged(pool, model)


def _spread(pool: Pool, place: Floats) -> float:
    """Return the standard error of the place of the pooled peak, by the jackknife [px]."""
    off = jackknife(pool) - place
    count = len(off)
    if count < 2:
        return 0.0
    off = np.nan_to_num(off, nan=float(pool.surfaces.shape[-1] // 2))
    return float(np.sqrt((count - 1) / count * np.square(off).sum(axis=0).mean()))


def _judged(pool: Pool, model: Model) -> Field:
    """Return a model as a field, with how sure it is."""
    shifts = model.at(pool.places)
    mean = np.average(shifts, axis=0, weights=pool.weights)
    peak = pool.moved(shifts - mean).peak() if len(model.terms) > 1 else pool.peak()
    height, rival, width = (float(one[0]) for one in (peak.heights, peak.rivals, peak.widths))
    error = math.hypot(model.error, width / max(height, 1.0), _LEAST_ERROR)
    agree, share = _agreement(pool, shifts)
    likely = 1 / (1 + math.exp(-_STEP * (height - rival - _EVEN)))
    exact = math.erf(1 / (math.sqrt(2) * error)) ** 2
    return Field(
        terms=model.terms,
        origin=model.origin,
        scale=model.scale,
        mean=(float(mean[0]), float(mean[1])),
        error=error,
        confidence=likely * exact * share,
        n_tiles=agree,
        ground=_ground(pool),
    )


def _ground(pool: Pool) -> tuple[float, float, float, float]:
    """Return first and last row, first and last col of the ground under the tiles [px]."""
    (north, west), (south, east) = pool.places.min(axis=0), pool.places.max(axis=0)
    return north - _HALF, south + _HALF, west - _HALF, east + _HALF


def _agreement(pool: Pool, shifts: Floats) -> tuple[int, float]:
    """Return how many tiles agree with a model, and a factor below 1 where clear ones do not."""
    peaks = find_peaks(pool.surfaces)
    near = np.hypot(*(peaks.places - shifts).T) <= _NEAR
    clear = peaks.heights - peaks.rivals >= CLEAR
    if not clear.any():
        return int(near.sum()), 1.0
    share = float(np.average(near[clear], weights=pool.weights[clear]))
    # Two thirds are as good as all: clouds and their shadows are clear, and move. Half are not.
    return int(near.sum()), min(max(4 * share - 5 / 3, 0.0), 1.0)
