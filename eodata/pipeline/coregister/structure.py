"""Where the edges of an image lie and which way they run, whatever its unit and contrast. Pure.

Sensors that measure different things still see the same borders of fields, roads and water. So an
image is reduced to its structure tensor, the sum over bands of the squared gradients (Di Zenzo
1986, Bigün and Granlund 1987): it neither knows which side of a border is the bright one nor in
what unit, and many bands are as quick to compare as one.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from eodata.pipeline.coregister.evidence import Numbers, Valid, View

SIGMA = 1.0
"""Width of the Gaussian that an image is smoothed with [px]: enough against speckle."""
_PAD = math.ceil(3 * SIGMA)
"""Pixels between opposite borders of a tile, which Fourier transforms think to be neighbours."""
_SLOPE = 3
"""Half width of the slope of the weights along borders of the usable ground [px]."""
_FLAT = 1e-6
"""A band whose gradients are smaller than this share of its values is constant."""

Kernels = NDArray[np.complex64]


def structure(view: View) -> tuple[Numbers, Numbers]:
    """Return the features of a tile and how much each of its pixels counts.

    Args:
        view: The tile.

    Returns:
        `(3, H, W)`, weighted and without mean: how far the edges run along columns rather than
        along rows, along one diagonal rather than the other, and how strong they are; the root of
        the tensor, so that no single border outweighs all others. Then `(H, W)`, the weights, 0 to
        1. Both are all 0 when there is no usable ground, the features when nothing is on it.
    """
    weights = usable(view.valid)
    tensor = _tensor(view, weights)
    features = tensor / np.sqrt(np.maximum(tensor[2], np.float32(1e-12)))
    total = np.float32(max(float(weights.sum()), 1.0))
    means = np.einsum("chw,hw->c", features, weights) / total
    return (features - means[:, np.newaxis, np.newaxis]) * weights, weights


def usable(valid: Valid) -> Numbers:
    """Return how much each pixel counts, `(H, W)`: less along borders of the tile and of holes."""
    return _usable(valid) if not valid.all() else _usable_whole(*valid.shape)


@lru_cache(maxsize=8)
def _usable_whole(height: int, width: int) -> Numbers:
    return _usable(np.ones((height, width), np.bool_))


def _usable(valid: Valid) -> Numbers:
    # Beside a hole gradients are noisiest, which would mark a hole that both sides have.
    inner = _share(valid, 1, "nearest") > np.float32(1 - 1e-4)
    ramp = np.clip(2 * _share(inner, _SLOPE, "constant") - 1, 0, 1)
    weights: Numbers = np.square(np.sin(ramp * np.float32(np.pi / 2)))
    return weights


def _share(chosen: Valid, radius: int, beyond: str) -> Numbers:
    """Return which share of the square around each pixel is chosen."""
    share: Numbers = ndimage.uniform_filter(chosen.astype(np.float32), 2 * radius + 1, mode=beyond)
    return share


def _tensor(view: View, weights: Numbers) -> Numbers:
    """Return `(3, H, W)`: yy - xx, 2 xy and yy + xx of the gradients, bands of like strength."""
    tensor = np.zeros((3, *weights.shape), np.float32)
    total = float(weights.sum())
    if total <= 0:
        return tensor
    seen = _seen(view.valid) if not view.valid.all() else _seen_whole(*view.valid.shape)
    for band in view.values:
        rows, cols = _gradients(band, view.valid, seen)
        along, across = rows * rows, cols * cols
        power = float(np.vdot(along + across, weights)) / total
        if power > (_FLAT * float(np.abs(band).max())) ** 2:
            scale = np.float32(1 / power)
            tensor[0] += (along - across) * scale
            tensor[1] += rows * cols * (2 * scale)
            tensor[2] += (along + across) * scale
    return tensor


def _gradients(band: Numbers, valid: Valid, seen: Numbers) -> tuple[Numbers, Numbers]:
    """Return the derivatives along rows and columns of a band that is smoothed where it is valid.

    A Gaussian mean of the valid pixels alone (normalised convolution, Knutsson and Westin 1993),
    so that neither holes nor the borders of the tile make edges of their own.
    """
    share, share_rows, share_cols = seen
    total, rows, cols = _filtered(np.where(valid, band - band[valid].mean(), np.float32(0)))
    mean = total / share
    return (rows - mean * share_rows) / share, (cols - mean * share_cols) / share


@lru_cache(maxsize=8)
def _seen_whole(height: int, width: int) -> Numbers:
    return _seen(np.ones((height, width), np.bool_))


def _seen(valid: Valid) -> Numbers:
    """Return the share of valid ground around each pixel, and its derivatives, `(3, H, W)`."""
    seen = _filtered(valid.astype(np.float32))
    np.maximum(seen[0], np.float32(0.05), out=seen[0])
    return seen


def _filtered(field: Numbers) -> Numbers:
    """Return a smoothed field and its derivatives along rows and columns, `(3, H, W)`."""
    height, width = field.shape
    padded = tuple(fft.next_fast_len(n + _PAD, real=True) for n in field.shape)
    spectra = fft.rfft2(field, s=padded) * _kernels(*padded)
    filtered: Numbers = fft.irfft2(spectra, s=padded)[:, :height, :width]
    return filtered


@lru_cache(maxsize=8)
def _kernels(height: int, width: int) -> Kernels:
    """Return the spectra of a Gaussian and its two derivatives, `(3, H, W // 2 + 1)`."""
    rows, cols = np.meshgrid(fft.fftfreq(height), fft.rfftfreq(width), indexing="ij")
    smooth = np.exp(-2 * (np.pi * SIGMA) ** 2 * (rows**2 + cols**2))
    slopes = [np.ones_like(smooth), 2j * np.pi * rows, 2j * np.pi * cols]
    kernels: Kernels = (np.stack(slopes) * smooth).astype(np.complex64)
    return kernels
