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
from scipy import fft, ndimage

from eodata.pipeline.coregister.evidence import Numbers, Valid, View
from eodata.pipeline.coregister.frequencies import gaussian

SIGMA = 0.9
"""Width of the Gaussian that an image is smoothed with [px]: enough against speckle."""
_PAD = math.ceil(3 * SIGMA)
"""Pixels between opposite borders of a tile, which Fourier transforms think to be neighbours."""
_SLOPE = 3
"""Half width of the slope of the weights along borders of the usable ground [px]."""
_FLAT = 1e-6
"""A band whose gradients are smaller than this share of its values is constant."""


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
    tensor /= np.sqrt(np.maximum(tensor[2], np.float32(1e-12)))
    means = tensor.reshape(3, -1) @ weights.ravel() / np.float32(max(float(weights.sum()), 1.0))
    tensor -= means[:, np.newaxis, np.newaxis]
    tensor *= weights
    return tensor, weights


def usable(valid: Valid) -> Numbers:
    """Return how much each pixel counts, `(H, W)`: less along borders of the tile and of holes."""
    return _usable(valid) if not valid.all() else _usable_whole(*valid.shape)


@lru_cache(maxsize=8)
def _usable_whole(height: int, width: int) -> Numbers:
    return _usable(np.ones((height, width), np.bool_))


def _usable(valid: Valid) -> Numbers:
    # Beside a hole gradients are noisiest, which would mark a hole that both sides have.
    inner = _share(valid, 1, "nearest") > np.float32(1 - 1e-4)
    ramp = np.clip(2 * _share(inner, _SLOPE, "constant") - 1, 0, 1) * inner
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
        squares = _squares(*_gradients(_mean_around(band, view.valid, seen)))
        power = float(np.vdot(squares[2], weights)) / total
        if power > (_FLAT * float(np.abs(band).max())) ** 2:
            for part, square in zip(tensor, squares, strict=True):
                square *= np.float32(1 / power)
                part += square
    return tensor


def _squares(rows: Numbers, cols: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return yy - xx, 2 xy and yy + xx of the gradients, which are used up: memory is slow."""
    both = rows * cols
    both += both
    np.square(rows, out=rows)
    np.square(cols, out=cols)
    strength = rows + cols
    rows -= cols
    return rows, both, strength


def _gradients(field: Numbers) -> tuple[Numbers, Numbers]:
    """Return the differences of both neighbours along rows and along columns."""
    rows, cols = np.zeros_like(field), np.zeros_like(field)
    np.subtract(field[2:], field[:-2], out=rows[1:-1])
    np.subtract(field[:, 2:], field[:, :-2], out=cols[:, 1:-1])
    return rows, cols


def _mean_around(band: Numbers, valid: Valid, seen: Numbers) -> Numbers:
    """Return the Gaussian mean of the valid pixels around each pixel.

    Of the valid ones alone (normalised convolution, Knutsson and Westin 1993), so that neither
    holes nor the borders of the tile make edges of their own.
    """
    known = np.where(valid, band, np.float32(0))
    # Small numbers leave the transforms in single precision most of their digits.
    known -= valid * np.float32(known.sum(dtype=np.float64) / max(np.count_nonzero(valid), 1))
    return _smooth(known) / seen


@lru_cache(maxsize=8)
def _seen_whole(height: int, width: int) -> Numbers:
    return _seen(np.ones((height, width), np.bool_))


def _seen(valid: Valid) -> Numbers:
    """Return the share of valid ground around each pixel, at least a little."""
    return np.maximum(_smooth(valid.astype(np.float32)), np.float32(0.05))


def _smooth(field: Numbers) -> Numbers:
    height, width = field.shape
    padded = tuple(fft.next_fast_len(n + _PAD, real=True) for n in field.shape)
    spectrum = fft.rfft2(field, s=padded) * gaussian(*padded, SIGMA)
    smooth: Numbers = fft.irfft2(spectrum, s=padded)[:height, :width]
    return smooth
