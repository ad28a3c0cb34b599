"""Where surfaces of evidence are highest, between their whole pixels. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.pipeline.coregister.evidence import Numbers

Floats = NDArray[np.float64]
_LEAST = 0.02
"""Of the height: what is lower counts as this much, so that it has a logarithm."""
_WIDE = (1.4, 2.2)
"""Peaks with a standard deviation above these [px] are fitted over 5 x 5 or 7 x 7 entries."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The highest place of each of T surfaces.

    Attributes:
        places: `(T, 2)` (row, col) shifts [px], NaN at a rim, which is no peak.
        heights: `(T,)` height in units of the noise.
        rivals: `(T,)` height of the highest entry that is no part of the peak.
        widths: `(T,)` standard deviation of the peak [px], the mean of both axes.
    """

    places: Floats
    heights: Floats
    rivals: Floats
    widths: Floats


def find_peaks(surfaces: Numbers) -> Peaks:
    """Return the peaks of surfaces `(T, 2 reach + 1, 2 reach + 1)`."""
    count, size = surfaces.shape[0], surfaces.shape[-1]
    top = surfaces.reshape(count, -1).argmax(axis=1)
    rows, cols = np.divmod(top, size)
    heights = surfaces[np.arange(count), rows, cols].astype(np.float64)
    inside = (np.minimum(rows, cols) > 0) & (np.maximum(rows, cols) < size - 1) & (heights > 0)
    offsets, widths = _fit(surfaces, rows, cols, 1)
    for radius, width in enumerate(_WIDE, start=2):
        room = np.minimum(np.minimum(rows, cols), size - 1 - np.maximum(rows, cols)) >= radius
        broad = (widths > width) & room
        if broad.any():
            again = _fit(surfaces[broad], rows[broad], cols[broad], radius)
            offsets[broad], widths[broad] = again
    places = np.stack([rows, cols], axis=1) - size // 2 + offsets
    places[~inside] = np.nan
    return Peaks(places, heights, _rivals(surfaces, rows, cols, widths), widths)


def _fit(
    surfaces: Numbers, rows: NDArray[np.intp], cols: NDArray[np.intp], radius: int
) -> tuple[Floats, Floats]:
    """Fit a Gaussian of any width and slant to the entries around the highest ones.

    Returns:
        `(T, 2)` where its middle lies from there, no further than one pixel, and `(T,)` its
        standard deviation [px].
    """
    steps = np.arange(-radius, radius + 1)
    last = surfaces.shape[-1] - 1
    r = np.clip(rows[:, np.newaxis, np.newaxis] + steps[:, np.newaxis], 0, last)
    c = np.clip(cols[:, np.newaxis, np.newaxis] + steps, 0, last)
    near = surfaces[np.arange(len(surfaces))[:, np.newaxis, np.newaxis], r, c].astype(np.float64)
    height = np.maximum(near[:, radius, radius], 1e-9)[:, np.newaxis, np.newaxis]
    logs = np.log(np.maximum(near / height, _LEAST)).reshape(len(near), -1)
    _, slope_r, slope_c, rr, rc, cc = (logs @ _solver(radius).T).T
    bend = 4 * rr * cc - rc * rc
    sound = (rr < 0) & (cc < 0) & (bend > 0)
    bend = np.where(sound, bend, 1.0)
    row = np.where(sound, (rc * slope_c - 2 * cc * slope_r) / bend, 0.0)
    col = np.where(sound, (rc * slope_r - 2 * rr * slope_c) / bend, 0.0)
    width = np.sqrt(-1 / np.where(sound, rr + cc, -0.1))
    return np.clip(np.stack([row, col], axis=1), -1, 1), width


@lru_cache(maxsize=4)
def _solver(radius: int) -> Floats:
    """Return what turns entries into 1, r, c, r², rc, c² of their least-squares paraboloid."""
    steps = np.arange(-radius, radius + 1, dtype=np.float64)
    r, c = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    terms = np.stack([np.ones_like(r), r, c, r * r, r * c, c * c], axis=1)
    # What is low has the noisiest logarithm.
    weight = np.exp(-(r * r + c * c) / (2 * radius * radius))[:, np.newaxis]
    solver: Floats = np.linalg.pinv(terms * weight) * weight.T
    return solver


def _rivals(
    surfaces: Numbers, rows: NDArray[np.intp], cols: NDArray[np.intp], widths: Floats
) -> Floats:
    """Return the highest entries beyond three standard deviations of the peaks."""
    axis = np.arange(surfaces.shape[-1])
    away_r = axis[np.newaxis, :, np.newaxis] - rows[:, np.newaxis, np.newaxis]
    away_c = axis[np.newaxis, np.newaxis, :] - cols[:, np.newaxis, np.newaxis]
    lobe = np.clip(3 * widths, 2.5, 5)[:, np.newaxis, np.newaxis]
    outside = away_r**2 + away_c**2 > lobe**2
    found: Floats = np.where(outside, np.abs(surfaces), 0).max(axis=(1, 2)).astype(np.float64)
    return found
