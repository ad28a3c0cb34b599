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

SIGMA = 1.2
"""Width of the Gaussian whose derivatives are the gradients [px]: enough against speckle."""
MARGIN = math.ceil(3 * SIGMA)
"""How far beyond a pixel its gradient looks [px]."""
_SLOPE = 6
"""Half width of the slope of the weights along borders of the usable ground [px]."""
_FLAT = 1e-6
"""A band whose gradients are smaller than this share of its values is constant."""

Kernel = NDArray[np.complex64]


def structure(view: View) -> tuple[Numbers, Numbers]:
    """Return the features of a tile and how much each of its pixels counts.

    Args:
        view: The tile.

    Returns:
        `(3, H, W)`, weighted and without mean: how far the edges run along rows rather than along
        columns, along one diagonal rather than the other, and how strong they are; the root of
        the tensor, so that no single border outweighs all others. Then `(H, W)`, the weights, 0 to
        1: 0 where a gradient would look at what is not valid or beyond the tile. Both all 0 when
        there is no usable ground or nothing on it.
    """
    weights = usable(view.valid)
    tensor = _tensor(view, weights)
    strength = np.sqrt(tensor[2])
    features = tensor / np.maximum(strength, np.float32(1e-6))
    total = max(float(weights.sum()), 1.0)
    means = np.einsum("chw,hw->c", features, weights) / np.float32(total)
    return (features - means[:, np.newaxis, np.newaxis]) * weights, weights


def usable(valid: Valid) -> Numbers:
    """Return smooth weights, `(H, W)`, that vanish within `MARGIN` of what is not valid."""
    if valid.all():
        return _usable_whole(*valid.shape)
    return _usable(valid)


@lru_cache(maxsize=8)
def _usable_whole(height: int, width: int) -> Numbers:
    weights = _usable(np.ones((height, width), np.bool_))
    weights.flags.writeable = False
    return weights


def _usable(valid: Valid) -> Numbers:
    inner = _share(valid, MARGIN) > np.float32(1 - 1e-4)
    slope = min(_SLOPE, min(valid.shape) // 8)
    ramp = np.clip(2 * _share(inner, slope) - 1, 0, 1)
    weights: Numbers = np.square(np.sin(ramp * np.float32(np.pi / 2)))
    return weights


def _share(chosen: Valid, radius: int) -> Numbers:
    """Return which share of the square around each pixel is chosen; beyond the tile nothing is."""
    share: Numbers = ndimage.uniform_filter(
        chosen.astype(np.float32), 2 * radius + 1, mode="constant"
    )
    return share


def _tensor(view: View, weights: Numbers) -> Numbers:
    """Return `(3, H, W)`: yy - xx, 2 xy and yy + xx of the gradients, bands of like strength."""
    tensor = np.zeros((3, *weights.shape), np.float32)
    total = float(weights.sum())
    if total <= 0:
        return tensor
    for band in view.values:
        rows, cols = _gradients(band, view.valid)
        squares = np.stack([rows * rows - cols * cols, 2 * rows * cols, rows * rows + cols * cols])
        power = float(np.vdot(squares[2], weights)) / total
        if power > (_FLAT * float(np.abs(band).max())) ** 2:
            tensor += squares / np.float32(power)
    return tensor


def _gradients(band: Numbers, valid: Valid) -> NDArray[np.float32]:
    """Return the derivatives of the smoothed band along rows and columns, `(2, H, W)`."""
    known = np.where(valid, band - band[valid].mean(), np.float32(0))
    spectrum = fft.rfft2(known) * _derivatives(*valid.shape)
    gradients: NDArray[np.float32] = fft.irfft2(spectrum, s=valid.shape)
    return gradients


@lru_cache(maxsize=8)
def _derivatives(height: int, width: int) -> Kernel:
    """Return the spectra of both derivatives of a Gaussian, `(2, H, W // 2 + 1)`."""
    rows, cols = np.meshgrid(fft.fftfreq(height), fft.rfftfreq(width), indexing="ij")
    smooth = np.exp(-2 * (np.pi * SIGMA) ** 2 * (rows**2 + cols**2))
    kernel: Kernel = (2j * np.pi * np.stack([rows, cols]) * smooth).astype(np.complex64)
    return kernel
