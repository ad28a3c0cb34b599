"""Ways to compare tiles of unlike sensors, those that were tried beside the one that is used.

Each takes two views and a reach and returns the match of every shift in units of its noise. All
smooth alike, weigh borders of tile and holes alike and are correlated by Fourier transforms, so
that only what they compare differs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.structure import SIGMA, usable
from eodata.pipeline.coregister.unlike import surface_unlike

Floats = NDArray[np.float32]
Method = Callable[[View, View, int], "Floats | None"]
BINS = 8
ANGLES = 8
STEPS = ((2, 0), (0, 2), (2, 2), (2, -2), (-2, 0), (0, -2), (-2, -2), (-2, 2))


def in_noise(match: Floats, reach: int) -> Floats:
    """Return the match within reach, `[0, 0]` of which is shift 0, in units of what lies beyond."""
    away = match[reach + 1 : -reach]
    level = np.median(away)
    noise = np.median(np.abs(away - level)) / 0.6745
    steps = np.arange(-reach, reach + 1)
    return ((match - level) / (noise or 1))[np.ix_(steps, steps)]


def correlated(image: Floats, reference: Floats) -> Floats:
    """Return the correlation of features `(K, H, W)` under every shift, summed over them."""
    spectra = fft.rfft2(image) * fft.rfft2(reference).conj()
    return fft.irfft2(spectra.sum(axis=0), s=image.shape[1:])


def by_features(features_of: Callable[[View], Floats], looks: int = 0) -> Method:
    """Return the method that correlates some features, which look so many pixels around."""

    def surface(image: View, reference: View, reach: int) -> Floats:
        sides = []
        for view in (image, reference):
            seen = ndimage.minimum_filter(view.valid, 2 * looks + 1, mode="constant")
            features, weights = features_of(view), usable(seen)
            means = (features * weights).sum(axis=(1, 2)) / max(weights.sum(), 1)
            sides.append((features - means[:, np.newaxis, np.newaxis]) * weights)
        return in_noise(correlated(*sides), reach)

    return surface


def smooth(view: View) -> Floats:
    """Return all bands smoothed, each with variance 1 where it is valid, `(C, H, W)`."""
    if not view.valid.any():
        return np.zeros_like(view.values)
    seen = view.values[:, view.valid]
    middle, spread = seen.mean(axis=1), np.maximum(seen.std(axis=1), 1e-9)
    known = (view.values - middle[:, np.newaxis, np.newaxis]) / spread[:, np.newaxis, np.newaxis]
    share = np.maximum(ndimage.gaussian_filter(view.valid.astype(np.float32), SIGMA), 0.05)
    blurred = ndimage.gaussian_filter(np.where(view.valid, known, 0), (0, SIGMA, SIGMA))
    return (blurred / share).astype(np.float32)


def gradients(view: View) -> tuple[Floats, Floats]:
    """Return the differences along rows and columns, `(C, H, W)` each."""
    rows, cols = np.gradient(smooth(view), axis=(1, 2))
    return rows, cols


def gradient_magnitude(view: View) -> Floats:
    """Return how strong the edges are."""
    rows, cols = gradients(view)
    return np.sqrt((rows**2 + cols**2).sum(axis=0, keepdims=True))


def gradient_orientation(view: View) -> Floats:
    """Return the doubled angle of the edges, whatever their strength (Fitch et al. 2002)."""
    rows, cols = gradients(view)
    turned = np.stack([(rows**2 - cols**2).sum(axis=0), (2 * rows * cols).sum(axis=0)])
    return turned / np.maximum(np.hypot(*turned), 1e-9)


def oriented_gradients(view: View) -> Floats:
    """Return how strong edges are by angle, smoothed: CFOG (Ye et al. 2019, IEEE TGRS 57, 9059)."""
    rows, cols = gradients(view)
    angles = np.pi * np.arange(ANGLES) / ANGLES
    parts = [np.abs(rows * np.sin(a) + cols * np.cos(a)).sum(axis=0) for a in angles]
    blurred = ndimage.gaussian_filter(
        np.stack(parts), (0.8, 0.8, 0.8), mode=("wrap", "nearest", "nearest")
    )
    return blurred / (np.linalg.norm(blurred, axis=0) + np.float32(0.1))


def self_similarity(view: View) -> Floats:
    """Return how like its neighbours each place is: MIND (Heinrich et al. 2012)."""
    bands = smooth(view)
    apart = []
    for step in STEPS:
        squared = np.square(bands - np.roll(bands, step, (1, 2)))
        apart.append(
            ndimage.gaussian_filter((squared / squared.mean((1, 2), keepdims=True)).sum(0), 1.5)
        )
    distance = np.stack(apart)
    like = np.exp(-distance / (distance.mean(axis=0) + np.float32(0.02)))
    return like / like.max(axis=0)


def mutual_information(image: View, reference: View, reach: int) -> Floats:
    """Return the mutual information of the first bands, by joint histograms at every shift."""
    sides = [fft.rfft2(_levels(view)) for view in (image, reference)]
    shape = image.valid.shape
    counts = np.stack([fft.irfft2(level * sides[1].conj(), s=shape) for level in sides[0]])
    joint = np.maximum(counts, 1e-6)
    joint /= joint.sum(axis=(0, 1))
    apart = joint.sum(axis=0, keepdims=True) * joint.sum(axis=1, keepdims=True)
    found = (joint * np.log(joint / apart)).sum(axis=(0, 1))
    return in_noise(found.astype(np.float32), reach)


def _levels(view: View) -> Floats:
    """Return which of `BINS` levels of equal size the first band has, weighted, `(BINS, H, W)`."""
    band = smooth(view)[0]
    edges = np.quantile(band[view.valid], np.linspace(0, 1, BINS + 1)[1:-1])
    level = np.searchsorted(edges, band.ravel()).reshape(band.shape)
    return ((level == np.arange(BINS)[:, np.newaxis, np.newaxis]) * usable(view.valid)).astype(
        np.float32
    )


METHODS: dict[str, Method] = {
    "mutual information, first bands": mutual_information,
    "gradient magnitude": by_features(gradient_magnitude),
    "gradient orientation": by_features(gradient_orientation),
    "oriented gradients (CFOG)": by_features(oriented_gradients, looks=1),
    "self-similarity (MIND)": by_features(self_similarity, looks=4),
    "structure tensor, as used": surface_unlike,
}
"""By name."""
