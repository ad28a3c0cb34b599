"""How well two tiles of one kind of sensor match under small shifts: phase correlation. Pure.

Frequencies count by their phases (Kuglin and Hines 1975), so that neither light nor season moves
the peak. Not quite alone: each is divided by the strength around it rather than by its own, so that
those in which the noise happens to cancel the ground do not shout. A Gaussian weight gives the peak
of a perfect match a known width, at which whole pixels show where its middle lies between them.
What filters and weights are worth is measured by `benchmarks/coregister/alike.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft, ndimage

from eodata.pipeline.coregister.evidence import Numbers, Valid, View
from eodata.pipeline.coregister.frequencies import (
    LEAST_GROUND,
    Spectrum,
    gaussian_without_mean,
    is_too_small,
    within_reach,
)

PEAK_SIGMA = 0.85
"""Standard deviation of the peak of a perfect match [px]."""
_SMOOTH = 9
"""Edge of the square whose mean is taken out first [px]."""
_EDGE = 8
"""Width of the slope of the weights along borders of the valid ground [px]."""
_LOUD = 4.0
"""Structure is held down from about this many times its median on: clouds that nobody told."""
_AROUND = 5
"""Edge of the square of frequencies whose strength is one [bins]."""
_SHOULDER = 4
"""Shifts that much beyond reach are no shoulder of a peak within [px]."""
_HIGHEST = 5.0
"""How high noise rises among all shifts, in units of its standard deviation."""
_FLAT = 1e-6
"""A band whose structure is smaller than this share of its values is constant."""


@dataclass(frozen=True, slots=True, eq=False)
class Fine:
    """What is worked out of one tile, whatever it is compared with.

    Attributes:
        spectra: Of the fine structure of all bands, `(C, H, W // 2 + 1)`.
        slope: How much each pixel counts, `(H, W)`.
        is_whole: True when every pixel is valid.
    """

    spectra: Spectrum
    slope: Numbers
    is_whole: bool


def fine_of(view: View) -> Fine:
    """Return the fine structure of a tile."""
    slope = taper(view.valid)
    return Fine(_spectra(view, slope), slope, bool(view.valid.all()))


def surface_alike(image: View, reference: View, reach: int) -> Numbers | None:
    """Return the match of two tiles under every whole shift, in units of the noise.

    Args:
        image: The tile whose shift is asked for, `(C, H, W)`; bands count alike.
        reference: The same bands on the same grid.
        reach: Largest shift along each axis [px].

    Returns:
        As `match_alike`.
    """
    if is_too_small(image.valid.shape, reach):
        return None
    return match_alike(fine_of(image), fine_of(reference), reach)


def match_alike(image: Fine, reference: Fine, reach: int) -> Numbers | None:
    """Return the match of two tiles under every whole shift, in units of the noise.

    Returns:
        As `Evidence.surface`; None when the tiles are smaller than `LEAST` or than thrice the
        reach, or when they share no valid ground with any structure.
    """
    shape = image.slope.shape
    if is_too_small(shape, reach):
        return None
    seen = _shared(image, reference)
    if seen[0, 0] < LEAST_GROUND:
        return None
    cross = _cross(image.spectra, reference.spectra)
    if not cross.any():
        return None
    weights = gaussian_without_mean(*shape, PEAK_SIGMA)
    match: Numbers = fft.irfft2(cross * weights, s=shape)
    # A shift leaves less ground in common, which lowers the match and pulls the peak inwards.
    shared = np.maximum(within_reach(seen, reach) / seen[0, 0], np.float32(0.2))
    surface: Numbers = within_reach(match, reach) / (shared * _noise(match, reach))
    return surface


def taper(valid: Valid) -> Numbers:
    """Return smooth weights of the valid pixels, `(H, W)`, 0 along all borders of valid ground."""
    if valid.all():
        return _whole(*valid.shape)
    depth = ndimage.distance_transform_cdt(np.pad(valid, 1), "chessboard")[1:-1, 1:-1]
    return _slope(depth.astype(np.float32) - np.float32(0.5))


@lru_cache(maxsize=8)
def _whole(height: int, width: int) -> Numbers:
    rows, cols = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (height, width))
    weights = _slope(np.minimum.outer(rows, cols).astype(np.float32) + np.float32(0.5))
    weights.flags.writeable = False
    return weights


def _slope(depth: Numbers) -> Numbers:
    """Return weights that rise from 0 to 1 with the distance from what is not valid [px]."""
    slope: Numbers = np.sin(np.clip(depth / np.float32(_EDGE), 0, 1) * np.float32(np.pi / 2)) ** 2
    return slope


def _shared(image: Fine, reference: Fine) -> Numbers:
    """Return how much weight is in common under every shift, `(H, W)`, shift 0 at `[0, 0]`."""
    shape = image.slope.shape
    if image.is_whole and reference.is_whole:
        return _all_shared(*shape)
    one, other = fft.rfft2(np.stack([image.slope, reference.slope]))
    shared: Numbers = fft.irfft2(one * other.conj(), s=shape)
    return shared


@lru_cache(maxsize=8)
def _all_shared(height: int, width: int) -> Numbers:
    power = np.abs(fft.rfft2(_whole(height, width))) ** 2
    shared: Numbers = fft.irfft2(power, s=(height, width))
    return shared


def _spectra(view: View, slope: Numbers) -> Spectrum:
    """Return the spectra of the fine structure of all bands, `(C, H, W // 2 + 1)`."""
    share = _ground(view.valid)
    bands = []
    for band in view.values:
        known = np.where(view.valid, band, np.float32(0))
        bands.append(_held_down(known - _smooth(known) / share, band, slope))
    spectra: Spectrum = fft.rfft2(np.stack(bands))
    return spectra


def _ground(valid: Valid) -> Numbers:
    """Return how many pixels around each are valid, at least 1."""
    if valid.all():
        return _all_ground(*valid.shape)
    return np.maximum(_smooth(valid.astype(np.float32)), np.float32(1))


@lru_cache(maxsize=8)
def _all_ground(height: int, width: int) -> Numbers:
    return _smooth(np.ones((height, width), np.float32))


def _smooth(field: Numbers) -> Numbers:
    """Return sums over squares of `_SMOOTH`; beyond the tile lies nothing."""
    return _box_sum(np.pad(field, _SMOOTH // 2), _SMOOTH)


def _box_sum(field: Numbers, edge: int) -> Numbers:
    """Return sums over all squares within a field; `edge` is a power of two and one more.

    Sums of sums take four additions for a row of nine, a sixth of the time of a filter of scipy.
    """
    for _ in range(2):
        total, span = field, 1
        while span < edge - 1:
            total = total[:-span] + total[span:]
            span *= 2
        field = (total[:-1] + field[edge - 1 :]).T
    return field


def _held_down(fine: Numbers, band: Numbers, slope: Numbers) -> Numbers:
    """Return the fine structure of a band, weighted, with what is far above the usual held down."""
    sample = np.abs(fine[::3, ::3])[slope[::3, ::3] > 0]
    usual = np.float32(_LOUD) * np.median(sample) if sample.size else np.float32(0)
    if usual <= _FLAT * np.abs(band).max():
        return np.zeros_like(fine)
    held = fine * slope / np.sqrt(1 + np.square(fine / usual))
    made: Numbers = held / np.sqrt(np.mean(np.square(held)))
    return made


def _cross(image: Spectrum, reference: Spectrum) -> Spectrum:
    """Return the sum over bands of what the two have in common, by frequency."""
    strength = np.sqrt(_power(image) * _power(reference))
    cross: Spectrum = (image * reference.conj()).sum(axis=0)
    if strength.all():
        cross /= strength
    return cross


def _power(spectra: Spectrum) -> Numbers:
    """Return the power of all bands in the frequencies around each, `(H, W // 2 + 1)`."""
    power = (np.square(spectra.real) + np.square(spectra.imag)).sum(axis=0)
    margin = _AROUND // 2
    whole = np.pad(
        np.pad(power, ((margin,) * 2, (0, 0)), "wrap"), ((0, 0), (margin,) * 2), "reflect"
    )
    around = _box_sum(whole, _AROUND)
    made: Numbers = np.maximum(around, np.float32(1e-6) * around.max())
    return made


def _noise(match: Numbers, reach: int) -> np.float32:
    """Return the standard deviation of the match under shifts that are not asked for.

    One far above all others there is where the images do match. Then what is within reach, be it
    the next row of houses, is noise.
    """
    near = reach + _SHOULDER
    away = [match[near:-near], match[:near, near:-near], match[1 - near :, near:-near]]
    noise = np.sqrt(np.mean(np.square(away[0])))
    most = max(part.max(initial=0) for part in away)
    return max(noise, most / np.float32(_HIGHEST)) or np.float32(1)
