"""From values in [0, 1] to a class: averaged, compared with a threshold, dilated. Pure.

Equal to `S2PixelCloudDetector.get_mask_from_prob` of s2cloudless where all pixels are valid: the
same discs (x² + y² <= r²), a mean that mirrors the image at its border with the edge pixel
repeated, a strict comparison, and a dilation that gets nothing from beyond the border.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from eodata.core.errors import RecipeError

Floats = NDArray[np.floating[Any]]


def threshold(
    probability: Floats,
    valid: NDArray[np.bool_],
    *,
    above: float | None = None,
    below: float | None = None,
    average_over: int = 0,
    dilation_size: int = 0,
) -> NDArray[np.uint8]:
    """Mark the pixels whose averaged value lies beyond a threshold, and their surroundings.

    The mean is rounded to the type of `probability` before it is compared. It can differ from that
    of OpenCV, which s2cloudless uses, by the rounding of sums in float32: about 1e-7. Only a pixel
    whose mean is that near to the threshold can be decided otherwise.

    Args:
        probability: `(N, H, W)`; may be anything where not valid, even not-a-number.
        valid: `(N, H, W)`, True = usable.
        above: Mark what is larger than this, in the unit of `probability`; or
        below: mark what is smaller. One of the two.
        average_over: Radius of the disc of the mean [px]; 0 takes the pixel alone.
        dilation_size: Radius of the disc of the dilation [px]; 0 leaves it out.

    Returns:
        `(N, H, W)` 1 or 0. A pixel that is not valid is 0, is left out of its neighbours' means,
        and marks none of them.

    Raises:
        RecipeError: Both thresholds are given or none, or a radius is negative.
    """
    _check(above, below, average_over, dilation_size)
    values = np.where(valid, probability, probability.dtype.type(0))
    if average_over:
        values = _mean(values, valid, average_over)
    marked = valid & (values > above if above is not None else values < below)
    if dilation_size:
        marked = valid & ndimage.binary_dilation(marked, _disc(dilation_size))
    return marked.astype(np.uint8)


def _check(above: float | None, below: float | None, average_over: int, dilation_size: int) -> None:
    """Refuse what has no meaning."""
    if (above is None) == (below is None):
        raise RecipeError(
            "threshold",
            f"above is {above} and below is {below}",
            "one of the two says which side of the threshold is marked.",
            "Give either above or below, such as above: 0.4.",
        )
    if min(average_over, dilation_size) < 0:
        raise RecipeError(
            "threshold",
            f"average_over is {average_over} and dilation_size is {dilation_size}",
            "both are radii in pixels.",
            "Give 0 to leave one out.",
        )


def _mean(values: Floats, valid: NDArray[np.bool_], radius: int) -> Floats:
    """Return the mean of the valid pixels of a disc around each pixel; 0 where there are none."""
    disc = _disc(radius).astype(np.float64)
    mean = ndimage.correlate(values, disc, output=np.float64, mode="reflect")
    if valid.all():
        mean /= disc.sum()
    else:
        count = ndimage.correlate(valid, disc, output=np.float64, mode="reflect")
        mean /= np.maximum(count, 1.0)
    rounded: Floats = mean.astype(values.dtype)
    return rounded


def _disc(radius: int) -> NDArray[np.bool_]:
    """Return the pixels of `(1, 2r + 1, 2r + 1)` that are at most `radius` from the centre."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    inside: NDArray[np.bool_] = (x**2 + y**2 <= radius**2)[np.newaxis]
    return inside
