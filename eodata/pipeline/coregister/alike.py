"""How well two tiles of one kind of sensor match under small shifts: phase correlation. Pure.

Every frequency counts by its phase alone (Kuglin and Hines 1975), so that neither a change of
contrast nor the seasons move the peak; a Gaussian weight makes that peak a Gaussian of known width,
which whole pixels sample finely enough to find its middle between them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from eodata.pipeline.coregister.evidence import Numbers, Valid, View

LEAST = 24
"""Edge of the smallest tile that can be compared [px]."""
PEAK_SIGMA = 0.8
"""Standard deviation of the peak of a perfect match [px]."""
_SMOOTH = 15
"""Edge of the square whose mean is taken out first [px]."""
_EDGE = 12
"""Width of the slope of the weights along borders of the valid ground [px]."""

Spectrum = NDArray[np.complex64]


def surface_alike(image: View, reference: View, reach: int) -> Numbers | None:
    """Return the match of two tiles under every whole shift, in units of the noise.

    Args:
        image: The tile whose shift is asked for, `(C, H, W)`; bands count alike.
        reference: The same bands on the same grid.
        reach: Largest shift along each axis [px].

    Returns:
        As `Evidence.surface`; None when the tiles are smaller than `LEAST` or than thrice the
        reach, or when they share no valid ground with any structure.
    """
    height, width = image.valid.shape
    if min(height, width) < max(LEAST, 3 * reach):
        return None
    slopes = taper(image.valid), taper(reference.valid)
    seen = _correlation(*(fft.rfft2(slope) for slope in slopes), (height, width))
    if seen[0, 0] <= 0:
        return None
    spectra = (_spectrum(view, slope) for view, slope in zip((image, reference), slopes, strict=True))
    cross = _phases(*spectra)
    if not cross.any():
        return None
    match = fft.irfft2(cross * _weights(height, width), s=(height, width))
    # A shift leaves less ground in common, which lowers the match and pulls the peak inwards.
    shared = np.maximum(_middle(seen, reach) / seen[0, 0], np.float32(0.2))
    surface: Numbers = _middle(match, reach) / shared / _noise(match, reach)
    return surface


def taper(valid: Valid) -> Numbers:
    """Return smooth weights of the valid pixels, `(H, W)`, 0 along all borders of valid ground."""
    depth = _depth(*valid.shape)
    if not valid.all():
        grown = ndimage.distance_transform_edt(valid, return_indices=False)
        depth = np.minimum(depth, grown.astype(np.float32))
    ramp: Numbers = np.clip(depth / np.float32(_EDGE), 0, 1)
    return np.square(np.sin(ramp * np.float32(np.pi / 2)))


@lru_cache(maxsize=8)
def _depth(height: int, width: int) -> Numbers:
    """Return how far each pixel lies from the outside of the tile [px]."""
    rows, cols = (np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5 for n in (height, width))
    return np.minimum.outer(rows, cols).astype(np.float32)


def _spectrum(view: View, slope: Numbers) -> Spectrum:
    """Return the spectra of all bands without their slow changes, `(C, H, W // 2 + 1)`."""
    share = _smooth(view.valid.astype(np.float32))
    bands = []
    for band in view.values:
        known = np.where(view.valid, band, np.float32(0))
        slow = _smooth(known) / np.maximum(share, np.float32(1e-6))
        bands.append((known - slow) * slope)
    spectrum: Spectrum = fft.rfft2(np.stack(bands))
    return spectrum


def _smooth(field: Numbers) -> Numbers:
    smooth: Numbers = ndimage.uniform_filter(field, _SMOOTH, mode="constant")
    return smooth


def _phases(image: Spectrum, reference: Spectrum) -> Spectrum:
    """Return the sum over bands of the phases between two images."""
    cross = image * reference.conj()
    size = np.abs(cross)
    floor = np.float32(1e-6) * size.max(axis=(1, 2), keepdims=True)
    phases: Spectrum = np.divide(cross, size, out=np.zeros_like(cross), where=size > floor)
    return phases.sum(axis=0)


@lru_cache(maxsize=8)
def _weights(height: int, width: int) -> Numbers:
    """Return the weight of each frequency, `(H, W // 2 + 1)`."""
    squared = np.add.outer(fft.fftfreq(height) ** 2, fft.rfftfreq(width) ** 2)
    weights = np.exp(-2 * (np.pi * PEAK_SIGMA) ** 2 * squared)
    weights[0, 0] = 0
    return weights.astype(np.float32)


def _correlation(image: Spectrum, reference: Spectrum, shape: tuple[int, int]) -> Numbers:
    correlation: Numbers = fft.irfft2(image * reference.conj(), s=shape)
    return correlation


def _middle(field: Numbers, reach: int) -> Numbers:
    """Return the entries of all shifts within reach of a field whose shift 0 is at `[0, 0]`."""
    steps = np.arange(-reach, reach + 1)
    middle: Numbers = field[np.ix_(steps, steps)]
    return middle


def _noise(match: Numbers, reach: int) -> float:
    """Return the standard deviation of the match under shifts that are not possible."""
    away = match[reach + 1 : -reach]
    return float(np.sqrt(np.mean(np.square(away)))) or 1.0
