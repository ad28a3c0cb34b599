"""How well two tiles of different kinds of sensor match under small shifts: their edges. Pure.

Radar against optics, images against class maps, fine against coarse. Which features and weights is
measured by `benchmarks/coregister/unlike.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from eodata.pipeline.coregister.evidence import Numbers, Valid, View
from eodata.pipeline.coregister.frequencies import (
    LEAST_GROUND,
    Spectrum,
    gaussian_without_mean,
    is_too_small,
    within_reach,
)
from eodata.pipeline.coregister.structure import structure

_LEAST_SHARE = 0.25
"""Noise is measured under shifts that leave at least this share of the common ground."""
_EVERY = 3
"""Of the rows of the match, as many suffice for its noise, since neighbours hardly differ."""
_MEDIAN = 0.6745
"""Median of the size of normal numbers of variance 1."""
_BLUR = 0.8
"""Width of the Gaussian that the match is smoothed with [px]."""
_MOST_CLASSES = 6
"""So many have a band of their own, for each takes memory."""
_LEAST_CLASS = 0.01
"""Classes that cover a smaller share of the ground are taken together."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """What is worked out of one tile, whatever it is compared with.

    Attributes:
        spectra: Of its structure, `(3, H, W // 2 + 1)`.
        weights: How much each pixel counts, `(H, W)`.
        has_any: False when nothing is on the usable ground.
    """

    spectra: Spectrum
    weights: Numbers
    has_any: bool


def edges_of(view: View) -> Edges:
    """Return the edges of a tile."""
    features, weights = structure(view)
    return Edges(fft.rfft2(features), weights, bool(features.any()))


def surface_unlike(image: View, reference: View, reach: int) -> Numbers | None:
    """Return the match of two tiles under every whole shift, in units of the noise.

    Args:
        image: The tile whose shift is asked for, `(C, H, W)`.
        reference: The same ground seen by another kind of sensor, with bands of its own.
        reach: Largest shift along each axis [px].

    Returns:
        As `match_unlike`.
    """
    if is_too_small(image.valid.shape, reach):
        return None
    return match_unlike(edges_of(image), edges_of(reference), reach)


def match_unlike(image: Edges, reference: Edges, reach: int) -> Numbers | None:
    """Return the match of two tiles under every whole shift, in units of the noise.

    The match is the correlation of the structure tensors' roots, each frequency divided by the
    root of the strength that it has in both: between plain correlation, which follows the large
    forms, and that of phases, which follows the noise.

    Returns:
        As `Evidence.surface`; None when the tiles are smaller than `LEAST` or than thrice the
        reach, or when they share no usable ground with edges in both.
    """
    shape = image.weights.shape
    if is_too_small(shape, reach) or not (image.has_any and reference.has_any):
        return None
    shared = _shared(image.weights, reference.weights)
    if shared[0, 0] < LEAST_GROUND:
        return None
    return _in_noise(_match(image.spectra, reference.spectra, shape), shared, reach)


def class_edges(classes: NDArray[Any], valid: Valid) -> Numbers:
    """Return a class map as an image whose edges are the borders between classes.

    Args:
        classes: `(H, W)`, one class per pixel; whole numbers without order.
        valid: `(H, W)`, True where the class is known.

    Returns:
        `(C, H, W)`: 1 where the pixel is of a class and 0 elsewhere, one band per class in rising
        order. Rare classes have one band together, the last, so that a few pixels do not count as
        much as whole forests. One band of 0 when nothing is valid.
    """
    names, counts = np.unique(classes[valid], return_counts=True)
    often = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    frequent = names[np.sort(often[counts[often] >= _LEAST_CLASS * counts.sum()])]
    bands = [classes == name for name in frequent]
    if len(frequent) < len(names):
        bands.append(~np.isin(classes, frequent))
    shown = np.stack(bands or [np.zeros_like(valid)])
    return (shown & valid).astype(np.float32)


def _match(image: Spectrum, reference: Spectrum, shape: tuple[int, int]) -> Numbers:
    """Return the match under every shift, `(H, W)`, shift 0 at `[0, 0]`."""
    cross = (image * reference.conj()).sum(axis=0)
    strength = np.sqrt(_power(image) * _power(reference))
    floor = np.float32(1e-3) * strength.mean()
    weighted = cross * gaussian_without_mean(*shape, _BLUR) / np.sqrt(strength + floor)
    match: Numbers = fft.irfft2(weighted, s=shape)
    return match


def _power(spectrum: Spectrum) -> Numbers:
    power: Numbers = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    return power


def _shared(image: Numbers, reference: Numbers) -> Numbers:
    """Return how much ground both tiles share under every shift: the sum of squared weights."""
    spectra = fft.rfft2(np.stack([image, reference]) ** 2)
    shared: Numbers = fft.irfft2(spectra[0] * spectra[1].conj(), s=image.shape)
    return shared


def _in_noise(match: Numbers, shared: Numbers, reach: int) -> Numbers:
    """Return the match within reach, divided by its standard deviation without common structure.

    What little ground is shared adds up to little noise. The factor is found where no shift can be,
    by the median, since forms that repeat match there too.
    """
    least = np.float32(_LEAST_SHARE) * shared[0, 0]
    level = match / np.sqrt(np.maximum(shared, least))
    some = np.s_[reach + 1 : -reach : _EVERY]
    away = np.abs(level[some])[shared[some] >= least]
    noise = np.median(away) / _MEDIAN if away.size else 0.0
    return within_reach(level, reach) / np.float32(noise or 1.0)
