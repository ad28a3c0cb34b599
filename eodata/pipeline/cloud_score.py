"""How cloudy a pixel of Sentinel-2 Level-1C is, by rules on its reflectance. Pure.

The rules are those of Schmitt et al. 2019, "Aggregating cloud-free Sentinel-2 images with Google
Earth Engine" (ISPRS Annals IV-2/W7, 145-152), and their descendants in the cloud-removal
literature. Clouds are bright in the blue, the aerosol, the cirrus and all visible bands, they are
moist, and they are not snow. Each of these is a ramp from 0 to 1; the weakest one decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from eodata.core.errors import GridError, RecipeError

FLOOR = 0.001
"""The least cloud score: a pixel that was measured is never 0."""

Ramp = tuple[tuple[str, ...], float, float]
"""Bands, the value that scores 0, the value that scores 1."""

SUMS: tuple[Ramp, ...] = (
    (("B02",), 0.1, 0.5),
    (("B01",), 0.1, 0.3),
    (("B01", "B10"), 0.15, 0.2),
    (("B04", "B03", "B02"), 0.2, 0.8),
)
CONTRASTS: tuple[Ramp, ...] = (
    (("B08", "B11"), -0.1, 0.1),  # NDMI: clouds are moist
    (("B03", "B11"), 0.8, 0.6),  # NDSI: and not snow, so it falls
)
SCORE_BANDS: tuple[str, ...] = ("B01", "B02", "B03", "B04", "B08", "B10", "B11")

# The variant of the cloud-removal datasets has a later cirrus ramp and no test of moisture.
RULE_SUMS: tuple[Ramp, ...] = (
    (("B02",), 0.1, 0.5),
    (("B01",), 0.1, 0.3),
    (("B01", "B10"), 0.4, 0.9),
    (("B04", "B03", "B02"), 0.2, 0.8),
)
RULE_CONTRASTS: tuple[Ramp, ...] = ((("B03", "B11"), 0.8, 0.6),)
RULE_BANDS: tuple[str, ...] = SCORE_BANDS
_CLOSING = 5
_BOX_RADIUS = 3
_MAJORITY_RADIUS = 2
_DARK_INFRARED = 3 / 4
_DARK_BLUE = 5 / 6

SCORE_RADIUS_M = 50.0
"""Half width of the mean filter of the cloud score: 5 px of 10 m."""
Reflectance = Mapping[str, NDArray[np.floating[Any]]]


def cloud_score(reflectance: Reflectance, radius: int = 5) -> NDArray[np.float32]:
    """Return how cloudy each pixel is: the least of all ramps, then a mean over a square.

    Where both bands of a normalised difference sum to 0, it is 0.

    Args:
        reflectance: (H, W) top-of-atmosphere reflectance (1 = all light) of each of `SCORE_BANDS`,
            all on one grid. NaN: not measured.
        radius: Half width of the square of the mean filter [px]; its edge is 2 × radius + 1.
            0: no filter.

    Returns:
        (H, W), 0.001 (clear) to 1 (cloud); NaN where one of the bands was not measured. Such
        pixels take no part in the mean of their neighbours.

    Raises:
        RecipeError: A band is missing.
        GridError: The bands differ in shape.
    """
    bands = take_bands(reflectance, SCORE_BANDS)
    return mean_filter(np.maximum(_least(bands, SUMS, CONTRASTS), FLOOR), radius)


def cloud_shadow_rules(reflectance: Reflectance, threshold: float = 0.2) -> NDArray[np.uint8]:
    """Return the rule-based mask of clouds and shadows of the cloud-removal datasets.

    It is the `cloud_cloudshadow_mask` of UnCRtainTS (Ebel et al. 2023), after DSen2-CR (Meraner
    et al. 2020). Cloud: the least ramp, closed over 5 × 5 px, averaged over 7 × 7 px, is at least
    `threshold`; the ramps may be negative in that mean, as in the original. Shadow: (B08 + B11) / 2
    and B02 both lie low between the least and the mean value *of this array*, in most pixels of
    5 × 5. So the answer depends on the ground that is given: the original gives 256 × 256 px.

    Unlike the original, which pads with zeros, means and majorities near the edge of the array
    count the pixels that are there: the two can differ in the outermost 3 px.

    Args:
        reflectance: (H, W) top-of-atmosphere reflectance of each of `RULE_BANDS` (blue B02,
            aerosol B01, cirrus B10, visible B02 to B04, near infrared B08, short-wave infrared
            B11), all on one grid. NaN: not measured.
        threshold: The least score of a cloud.

    Returns:
        (H, W), 1 = cloud or shadow, 0 = clear or not measured.

    Raises:
        RecipeError: A band is missing.
        GridError: The bands differ in shape.
    """
    bands = take_bands(reflectance, RULE_BANDS)
    measured = ~np.isnan(sum(bands.values()))
    if not measured.any():
        return measured.astype(np.uint8)
    score = np.where(measured, _least(bands, RULE_SUMS, RULE_CONTRASTS), np.nan)
    cloud = mean_filter(_close(score, _CLOSING), _BOX_RADIUS) >= threshold
    infrared = (bands["B08"] + bands["B11"]) / 2
    dark = _is_low(infrared, measured, _DARK_INFRARED) & _is_low(bands["B02"], measured, _DARK_BLUE)
    shadow = mean_filter(np.where(measured, dark, np.nan), _MAJORITY_RADIUS) > 0.5
    return (cloud | shadow).astype(np.uint8)


def mean_filter(image: NDArray[np.floating[Any]], radius: int) -> NDArray[np.float32]:
    """Average each pixel with the measured pixels of the square around it.

    What lies beyond the edge of the array counts as not measured, as in Earth Engine. Repeating the
    outermost pixels instead would weigh them up to six times at a radius of 5.

    Args:
        image: (H, W). NaN: not measured.
        radius: Half width of the square [px].

    Returns:
        (H, W); NaN where `image` is.
    """
    measured = ~np.isnan(image)
    size = 2 * radius + 1
    total = _box_mean(np.where(measured, image, 0.0), size)
    # Both running sums err in the 16th digit; the quotient is exact enough for float32.
    share = _box_mean(measured, size)
    out = np.full(image.shape, np.nan, np.float32)
    np.divide(total, share, out=out, where=measured, casting="same_kind")
    return out


def take_bands(reflectance: Reflectance, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the named bands as float32.

    Raises:
        RecipeError: One is missing.
        GridError: They differ in shape.
    """
    missing = [name for name in names if name not in reflectance]
    if missing:
        raise RecipeError(
            "bands",
            f"{', '.join(missing)} missing; there are {', '.join(sorted(reflectance)) or 'none'}",
            f"the score of clouds and shadows reads {', '.join(names)} of Level-1C.",
            "Read these bands too; Level-2A has no B10.",
        )
    bands = {name: np.asarray(reflectance[name], np.float32) for name in names}
    shapes = {name: band.shape for name, band in bands.items()}
    if len(set(shapes.values())) > 1:
        raise GridError(
            "bands",
            f"shapes {shapes}",
            "pixels of different grids cannot be compared.",
            "Resample all bands to one grid first.",
        )
    return bands


def normalised_difference(
    left: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (left - right) / (left + right); 0 where both sum to 0."""
    total = left + right
    out = np.zeros_like(total)
    np.divide(left - right, total, out=out, where=total != 0)
    return out


def _least(
    bands: Mapping[str, NDArray[np.float32]], sums: Sequence[Ramp], contrasts: Sequence[Ramp]
) -> NDArray[np.float32]:
    """Return the least ramp of each pixel, at most 1, with no lower bound; NaN spreads."""
    least = np.ones_like(next(iter(bands.values())))
    for names, zero, one in sums:
        value = bands[names[0]].copy()
        for name in names[1:]:
            value += bands[name]
        _lower(least, value, zero, one)
    for (left, right), zero, one in contrasts:
        _lower(least, normalised_difference(bands[left], bands[right]), zero, one)
    return least


def _lower(least: NDArray[np.float32], value: NDArray[np.float32], zero: float, one: float) -> None:
    """Lower `least` to the ramp of `value`, both in place."""
    value -= zero
    value /= one - zero
    np.minimum(least, value, out=least)


def _close(image: NDArray[np.floating[Any]], size: int) -> NDArray[np.floating[Any]]:
    """Close dark gaps: the maximum over a square, then the minimum; NaN takes no part."""
    gap = np.isnan(image)
    # A repeated edge adds no value that is not in the square anyway.
    high = ndimage.maximum_filter(np.where(gap, -np.inf, image), size, mode="nearest")
    low = ndimage.minimum_filter(np.where(gap, np.inf, high), size, mode="nearest")
    return np.where(gap, np.nan, low)


def _is_low(
    values: NDArray[np.floating[Any]], measured: NDArray[np.bool_], share: float
) -> NDArray[np.bool_]:
    """Mark what lies below that share of the way from the least value to the mean."""
    known = values[measured]
    least, mean = float(known.min()), float(known.mean(dtype=np.float64))
    return values < least + share * (mean - least)


def _box_mean(image: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Average over a square, with 0 beyond the edge."""
    out: NDArray[np.float64] = ndimage.uniform_filter(
        image, size, output=np.float64, mode="constant"
    )
    return out
