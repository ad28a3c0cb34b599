"""What many tiles say together: one shift or a smooth field of shifts, and how sure that is. Pure.

Surfaces are in units of their noise, so they may be added: tiles that are too weak alone speak
together, and no tile has to be right by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eodata.pipeline.coregister.evidence import Evidence, Numbers
from eodata.pipeline.coregister.field import Field, Finding
from eodata.pipeline.coregister.peaks import Peaks, find_peaks

Floats = NDArray[np.float64]
CLEAR_PEAK = 6.0
"""Height above which a surface speaks for itself, in units of its noise."""
LEAST_CONFIDENCE = 0.5
_LOUDEST = 2.0
"""A tile counts no more than this many times what the tile of median height does."""
_AGREE = 1.0
"""Tiles agree whose peaks lie this near [px]."""


def consensus(evidence: Sequence[Evidence]) -> Finding:
    """Return the shift that tiles agree on.

    Args:
        evidence: Of the tiles of one window, all of the same reach, in any order.

    Returns:
        A field, or why there is none.
    """
    if not evidence:
        return Finding(None, "no texture")
    surfaces = np.stack([one.surface for one in evidence])
    places = np.array([[one.row, one.col] for one in evidence])
    weights = _weights(evidence, surfaces)
    pooled = pool(surfaces, weights)
    peak = find_peaks(pooled[np.newaxis])
    if np.isnan(peak.places).any():
        return Finding(None, "no peak within reach")
    chosen = _constant(surfaces, weights, places, peak)
    if chosen.confidence < LEAST_CONFIDENCE:
        return Finding(None, "no agreement")
    return Finding(chosen)


def pool(surfaces: Numbers, weights: Floats) -> Numbers:
    """Return the weighted sum of surfaces `(T, n, n)`, again in units of the noise."""
    total: Numbers = np.tensordot(weights, surfaces, 1) / np.linalg.norm(weights)
    return total.astype(np.float32)


def _weights(evidence: Sequence[Evidence], surfaces: Numbers) -> Floats:
    """Return how much each tile counts: by its ground, but none shouts the others down."""
    ground = np.sqrt([one.weight for one in evidence])
    heights = np.maximum(surfaces.max(axis=(1, 2)), 1e-6)
    loudest = _LOUDEST * np.median(heights)
    weights: Floats = ground * np.minimum(1, loudest / heights)
    return weights


def _constant(surfaces: Numbers, weights: Floats, places: Floats, peak: Peaks) -> Field:
    place = peak.places[0]
    tiles = find_peaks(surfaces)
    near = np.hypot(*(tiles.places - place).T) <= _AGREE
    error = _jackknife(surfaces, weights, peak)
    middle = np.average(places, axis=0, weights=weights)
    confidence = _confidence(peak.heights[0], peak.rivals[0], error)
    return Field(
        place[np.newaxis],
        (float(middle[0]), float(middle[1])),
        1.0,
        (float(place[0]), float(place[1])),
        error,
        confidence,
        int(near.sum()),
    )


def _jackknife(surfaces: Numbers, weights: Floats, peak: Peaks) -> float:
    """Return the standard error of the place of the pooled peak [px]."""
    floor = float(peak.widths[0] / peak.heights[0])
    count = len(surfaces)
    if count < 2:
        return max(floor, 0.02)
    groups = np.arange(count) % min(count, 16)
    left = [groups != group for group in range(groups.max() + 1)]
    without = find_peaks(np.stack([pool(surfaces[kept], weights[kept]) for kept in left]))
    off = without.places - peak.places
    off = np.nan_to_num(off, nan=float(len(surfaces[0]) // 2))
    variance = (len(left) - 1) / len(left) * np.square(off).sum(axis=0)
    return float(np.sqrt(variance.mean() + floor**2))


def _confidence(height: float, rival: float, error: float) -> float:
    return float(1 / (1 + np.exp(-(height - rival - 3) * 1.0))) * float(error < 1)
