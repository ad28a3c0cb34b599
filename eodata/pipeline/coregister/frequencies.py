"""What both kinds of comparison do with frequencies and shifts. Pure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from eodata.pipeline.coregister.evidence import Numbers

LEAST = 24
"""Edge of the smallest tile that can be compared [px]."""
LEAST_GROUND = 64
"""Weights that both tiles must have in common, summed over pixels."""

Spectrum = NDArray[np.complex64]


@lru_cache(maxsize=16)
def gaussian(height: int, width: int, sigma: float) -> Numbers:
    """Return the spectrum of a Gaussian of `sigma` px, `(H, W // 2 + 1)`."""
    squared = np.add.outer(fft.fftfreq(height) ** 2, fft.rfftfreq(width) ** 2)
    made: Numbers = np.exp(-2 * (np.pi * sigma) ** 2 * squared).astype(np.float32)
    made.flags.writeable = False
    return made


@lru_cache(maxsize=16)
def gaussian_without_mean(height: int, width: int, sigma: float) -> Numbers:
    """Return the same, with 0 for the mean of the image."""
    made = gaussian(height, width, sigma).copy()
    made[0, 0] = 0
    made.flags.writeable = False
    return made


def within_reach(field: Numbers, reach: int) -> Numbers:
    """Return the entries of all shifts within reach of a field whose shift 0 is at `[0, 0]`."""
    steps = np.arange(-reach, reach + 1)
    middle: Numbers = field[np.ix_(steps, steps)]
    return middle


def is_too_small(shape: tuple[int, ...], reach: int) -> bool:
    """Return True for tiles with an edge below `LEAST`, or below thrice the reach."""
    return min(shape) < max(LEAST, 3 * reach)
