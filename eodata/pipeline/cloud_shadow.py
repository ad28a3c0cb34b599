"""Where clouds can have cast their shadow, from the position of the sun. Pure.

Step "shadow score" of the cloud-free mosaics of Schmitt et al. 2019 (ISPRS Annals IV-2/W7,
145-152): the height of a cloud is not known, so its score is cast for many heights, and what is
dark along the way is taken for its shadow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import cos, floor, isfinite, radians, sin, tan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from eodata.core.errors import RecipeError
from eodata.pipeline.cloud_score import Reflectance, normalised_difference, take_bands

SHADOW_BANDS: tuple[str, ...] = ("B04", "B08", "B11", "B12")
_EROSION_RADIUS = 30.0
"""1.5 px at 20 m [m]."""
_DILATION_RADIUS = 60.0
"""3 px at 20 m [m]."""
_ITERATIONS = 3
_GROWTH = 20.0
"""Half width of the square of the last maximum filter, 1 px at 20 m [m]."""
FILTER_REACH = _ITERATIONS * (_EROSION_RADIUS + _DILATION_RADIUS) + _GROWTH
"""How far the opening and the growth look around, on top of `shadow_reach` [m]."""

Image = NDArray[np.float32]
Filter = Callable[..., Image]


def shadow_score(
    reflectance: Reflectance,
    cloud: NDArray[np.floating[Any]],
    sun_azimuth: float,
    sun_zenith: float,
    gsd: float,
    *,
    cloud_above: float = 0.2,
    dark_below: float = 0.3,
    water_ndvi_below: float = -0.1,
    heights: tuple[float, float, float] = (200.0, 10_000.0, 250.0),
) -> Image:
    """Return how likely each pixel lies in the shadow of a cloud.

    A cloud of height h casts its shadow h × tan(zenith) away from the sun. The cloud score is
    shifted there, by whole pixels, for every height; the mean of the shifted scores, 0 where the
    pixel is not dark, is the score. So its level tells over how many heights a cloud may stand: a
    small cloud gives a small score. That grey image is opened: three times the minimum over a disc
    of 30 m, which drops dark spots, then three times the maximum over one of 60 m; and the maximum
    over a square of 20 m to each side makes the shadow wider. All radii are lengths on the ground,
    1.5, 3 and 1 px at the 20 m of the original.

    Dark: B08 + B11 + B12 below `dark_below`, neither water (NDVI below `water_ndvi_below`) nor
    cloud. Clouds beyond the edge of the array are not seen and count as clear, as do pixels whose
    cloud score is NaN: read `shadow_reach` plus `FILTER_REACH` more on each side.

    Args:
        reflectance: (H, W) top-of-atmosphere reflectance of each of `SHADOW_BANDS` on one grid;
            row 0 is north, pixels are square. NaN: not measured.
        cloud: (H, W) from `cloud_score`.
        sun_azimuth: Towards the sun, clockwise from north [degrees].
        sun_zenith: Of the sun, 0 to below 90 [degrees].
        gsd: Pixel size [m].
        cloud_above: A higher cloud score is a cloud.
        dark_below: A lower sum of the infrared bands is dark.
        water_ndvi_below: A lower NDVI is water.
        heights: First, last (inclusive) and step of the heights of clouds [m].

    Returns:
        (H, W), 0 (no shadow) to 1; NaN where a band or the cloud score is not measured.

    Raises:
        RecipeError: A band is missing, the sun is not above the horizon, or there is no height.
        GridError: The bands or the cloud score differ in shape.
    """
    names = (*SHADOW_BANDS, "cloud")
    bands = take_bands({**reflectance, "cloud": cloud}, names)
    measured = ~np.isnan(sum(bands.values()))
    infrared = bands["B08"] + bands["B11"] + bands["B12"]
    water = normalised_difference(bands["B08"], bands["B04"]) < water_ndvi_below
    dark = (infrared < dark_below) & ~water & (bands["cloud"] <= cloud_above)
    shifts = _shifts(sun_azimuth, sun_zenith, gsd, heights)
    shadow = np.where(dark, _mean_shifted(bands["cloud"], shifts), np.float32(0))
    least, greatest = ndimage.minimum_filter, ndimage.maximum_filter
    shadow = _repeat(shadow, measured, _EROSION_RADIUS / gsd, least, np.inf)
    shadow = _repeat(shadow, measured, _DILATION_RADIUS / gsd, greatest, 0.0)
    known = np.where(measured, shadow, np.float32(0))
    grown = greatest(known, 2 * round(_GROWTH / gsd) + 1, mode="nearest")
    return np.where(measured, grown, np.float32(np.nan))


def shadow_reach(sun_zenith: float, highest: float = 10_000.0) -> float:
    """Return how far a shadow can lie from its cloud [m].

    >>> round(shadow_reach(60.0))
    17321

    Args:
        sun_zenith: Of the sun, 0 to below 90 [degrees].
        highest: Height of the highest cloud [m].

    Raises:
        RecipeError: The sun is not above the horizon.
    """
    if not 0.0 <= sun_zenith < 90.0:
        raise RecipeError(
            "sun_zenith",
            f"{sun_zenith:g} degrees",
            "only a sun above the horizon, at 0 to below 90 degrees, casts shadows.",
            "Leave out acquisitions of the night, or give the zenith angle, not the elevation.",
        )
    return highest * tan(radians(sun_zenith))


def _shifts(
    azimuth: float, zenith: float, gsd: float, heights: tuple[float, float, float]
) -> Counter[tuple[int, int]]:
    """Return how far the shadow lies from its cloud (rows down, columns right) [px].

    Several heights can fall on one shift: the count tells how many.
    """
    first, last, step = heights
    if not (step > 0 and last >= first) or not isfinite(azimuth):
        raise RecipeError(
            "heights",
            f"heights {heights}, azimuth {azimuth:g}",
            "a shadow needs at least one height of a cloud and the direction of the sun.",
            "Give first <= last, a step above 0 and an azimuth in degrees.",
        )
    # Away from the sun: east is -sin, north is -cos, and rows count to the south.
    down, right = cos(radians(azimuth)), -sin(radians(azimuth))
    count = floor((last - first) / step + 1e-9) + 1
    reach = (shadow_reach(zenith, first + step * i) / gsd for i in range(count))
    return Counter((round(down * d), round(right * d)) for d in reach)


def _mean_shifted(cloud: Image, shifts: Counter[tuple[int, int]]) -> Image:
    """Return the mean of the cloud score over all shifts, with 0 from beyond the edge."""
    known = np.nan_to_num(cloud, nan=0.0)
    total = np.zeros_like(known)
    for (down, right), count in shifts.items():
        to_rows, from_rows = _overlap(down, cloud.shape[0])
        to_columns, from_columns = _overlap(right, cloud.shape[1])
        part = known[from_rows, from_columns]
        total[to_rows, to_columns] += part if count == 1 else count * part
    total /= shifts.total()
    return total


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Return where pixels arrive and where they come from on one axis; both may be empty."""
    by = min(abs(shift), size)
    near, far = slice(0, size - by), slice(by, size)
    return (far, near) if shift > 0 else (near, far)


def _repeat(
    image: Image, measured: NDArray[np.bool_], radius: float, filtered: Filter, neutral: float
) -> Image:
    """Take the extreme over a disc [px], three times; what was not measured takes no part."""
    disc = _disc(radius)
    for _ in range(_ITERATIONS):
        # A repeated edge adds no value that is not in the disc anyway.
        known = np.where(measured, image, np.float32(neutral))
        image = filtered(known, footprint=disc, mode="nearest")
    return image


def _disc(radius: float) -> NDArray[np.bool_]:
    """Mark the pixels whose centres lie within `radius` of the middle one [px]."""
    reach = floor(radius + 1e-9)
    row, column = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    within: NDArray[np.bool_] = row**2 + column**2 <= radius**2 + 1e-9
    return within
