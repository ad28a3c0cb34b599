"""How well two tiles of different kinds of sensor match under small shifts: their edges. Pure.

Radar against optics, images against class maps, fine against coarse. Which features and weights is
measured by `benchmarks/coregister/unlike.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from eodata.pipeline.coregister.evidence import Numbers, Valid, View
from eodata.pipeline.coregister.structure import structure

LEAST = 24
"""Edge of the smallest tile that can be compared [px]."""
_LEAST_GROUND = 64
"""Weights that both tiles must have in common, summed over pixels."""
_LEAST_SHARE = 0.25
"""Noise is measured under shifts that leave at least this share of the common ground."""
_EVERY = 3
"""Of the rows of the match, as many suffice for its noise, since neighbours hardly differ."""
_MEDIAN = 0.6745
"""Median of the size of normal numbers of variance 1."""
_BLUR = 0.8
"""Width of the Gaussian that the match is smoothed with [px]."""
_LEAST_CLASS = 0.01
"""Classes that cover a smaller share of the ground are taken together."""

Spectrum = NDArray[np.complex64]


def surface_unlike(image: View, reference: View, reach: int) -> Numbers | None:
    """Return the match of two tiles under every whole shift, in units of the noise.

    The match is the correlation of the structure tensors' roots, each frequency divided by the
    root of the strength that it has in both: between plain correlation, which follows the large
    forms, and that of phases, which follows the noise.

    Args:
        image: The tile whose shift is asked for, `(C, H, W)`.
        reference: The same ground seen by another kind of sensor, with bands of its own.
        reach: Largest shift along each axis [px].

    Returns:
        As `Evidence.surface`; None when the tiles are smaller than `LEAST` or than thrice the
        reach, or when they share no usable ground with edges in both.
    """
    shape = image.valid.shape
    if min(shape) < max(LEAST, 3 * reach):
        return None
    sides = structure(image), structure(reference)
    if not all(features.any() for features, _ in sides):
        return None
    shared = _shared(*(weights for _, weights in sides))
    if shared[0, 0] < _LEAST_GROUND:
        return None
    image_spectrum, reference_spectrum = (fft.rfft2(features) for features, _ in sides)
    match = _match(image_spectrum, reference_spectrum, shape)
    return _in_noise(match, shared, reach)


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
    common = names[counts >= _LEAST_CLASS * counts.sum()]
    bands = [classes == name for name in common]
    if len(common) < len(names):
        bands.append(~np.isin(classes, common))
    shown = np.stack(bands or [np.zeros_like(valid)])
    return (shown & valid).astype(np.float32)


def _match(image: Spectrum, reference: Spectrum, shape: tuple[int, ...]) -> Numbers:
    """Return the match under every shift, `(H, W)`, shift 0 at `[0, 0]`."""
    cross = (image * reference.conj()).sum(axis=0)
    strength = np.sqrt(_power(image) * _power(reference))
    floor = np.float32(1e-3) * strength.mean()
    weighted = cross * _weights(*shape) / np.sqrt(strength + floor)
    match: Numbers = fft.irfft2(weighted, s=shape)
    return match


def _power(spectrum: Spectrum) -> Numbers:
    power: Numbers = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    return power


@lru_cache(maxsize=8)
def _weights(height: int, width: int) -> Numbers:
    """Return the weight of each frequency, `(H, W // 2 + 1)`."""
    squared = np.add.outer(fft.fftfreq(height) ** 2, fft.rfftfreq(width) ** 2)
    weights = np.exp(-2 * (np.pi * _BLUR) ** 2 * squared)
    weights[0, 0] = 0
    made: Numbers = weights.astype(np.float32)
    return made


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
    steps = np.arange(-reach, reach + 1)
    middle: Numbers = level[np.ix_(steps, steps)]
    return middle / np.float32(noise or 1.0)
