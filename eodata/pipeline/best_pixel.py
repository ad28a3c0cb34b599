"""Which of many images of one place gives each pixel of a composite, and their median. Pure.

The merging is that of Schmitt et al. 2019 (ISPRS Annals IV-2/W7, 145-152): images that are all but
free of clouds cover everything, the least cloudy on top; elsewhere each pixel comes from the image
of the best quality.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from eodata.pipeline.cloud_score import mean_filter

_STRIP_BYTES = 1 << 20
"""Values of one band and all images that are sorted at once: they should stay in the cache."""

T = TypeVar("T", bound=np.generic)


def quality_score(
    cloud: NDArray[np.floating[Any]], shadow: NDArray[np.floating[Any]], radius: int = 5
) -> NDArray[np.float32]:
    """Return minus the mean over a square of the worse of cloud and shadow.

    Args:
        cloud: (H, W) from `cloud_score`. NaN: not measured.
        shadow: (H, W) from `shadow_score`. NaN: not measured.
        radius: Half width of the square [px]; Schmitt et al. take 5 px of 20 m.

    Returns:
        (H, W), -1 (worst) to 0; NaN where one of both is not measured. Such pixels take no part
        in the mean of their neighbours.
    """
    return -mean_filter(np.maximum(cloud, shadow), radius)


def cloudy_fraction(cloud: NDArray[np.floating[Any]], above: float = 0.2) -> float:
    """Return the share of the measured pixels whose cloud score is above `above`.

    Args:
        cloud: (H, W) from `cloud_score`. NaN: not measured.
        above: A higher score is a cloud.

    Returns:
        0 to 1; nan when nothing was measured.
    """
    measured = int(np.count_nonzero(~np.isnan(cloud)))
    return int(np.count_nonzero(cloud > above)) / measured if measured else float("nan")


def kept_on_top(cloudy: Sequence[float], keep_below: float = 0.05) -> list[int]:
    """Return the images that lie on top of all others wherever they were measured, topmost first.

    Args:
        cloudy: Cloudy fraction of each image; one of nan is never kept.
        keep_below: Bound of the cloudy fraction; 0 keeps none.

    Returns:
        Indices of the images below the bound, the least cloudy first, of equal ones the smaller.
    """
    kept = [i for i, fraction in enumerate(cloudy) if fraction < keep_below]
    return sorted(kept, key=lambda i: cloudy[i])


def best_of(quality: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """Return which image has the best quality in each pixel; of equal ones the smaller index.

    Args:
        quality: (N, H, W) from `quality_score`. NaN: not measured.

    Returns:
        (H, W) index into the images; -1 where none was measured.
    """
    index = np.full(quality.shape[1:], -1, np.int16)
    best = np.full(quality.shape[1:], -np.inf, quality.dtype)
    for i, layer in enumerate(quality):
        better = layer > best
        index[better] = i
        best[better] = layer[better]
    return index


def median_of(values: NDArray[T], valid: NDArray[np.bool_]) -> tuple[NDArray[T], NDArray[np.bool_]]:
    """Return the median over the valid images, per pixel and band.

    An even count gives the mean of the two middle values, as Earth Engine's median does; integers
    are rounded, halves to the even neighbour. A NaN in a valid pixel of a float band counts as not
    valid in that band.

    Args:
        values: (N, C, H, W), integer or float.
        valid: (N, H, W).

    Returns:
        (C, H, W) of the type of `values`, and (H, W), whether any image was valid there. Where
        none was, integers are 0 and floats NaN.
    """
    count, bands, height, width = values.shape
    out = _blank(values)
    if count:
        rows = max(1, _STRIP_BYTES // (count * width * values.itemsize or 1))
        for top in range(0, height, rows):
            strip = slice(top, top + rows)
            for band in range(bands):
                _median(values[:, band, strip], valid[:, strip], out[band, strip])
    return out, np.asarray(valid.any(axis=0))


def _blank(values: NDArray[T]) -> NDArray[T]:
    """Return (C, H, W) of NaN for floats, of 0 for integers."""
    fill = np.nan if np.issubdtype(values.dtype, np.floating) else 0
    return np.full(values.shape[1:], fill, values.dtype)


def _median(values: NDArray[Any], valid: NDArray[np.bool_], out: NDArray[Any]) -> None:
    """Write the median of (N, h, W) values to `out` (h, W), where there is one."""
    floating = np.issubdtype(values.dtype, np.floating)
    # What is not valid sorts to the end; a valid value as large as that does no harm.
    last = np.nan if floating else np.iinfo(values.dtype).max
    known = np.where(valid, values, values.dtype.type(last))
    used = ~np.isnan(known) if floating else valid
    count = used.sum(axis=0, dtype=np.int32)[..., np.newaxis]
    # Numpy sorts short contiguous rows twice as fast as columns across the images.
    ranked = np.sort(np.ascontiguousarray(np.moveaxis(known, 0, -1)), axis=-1)
    low = np.take_along_axis(ranked, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ranked, np.minimum(count // 2, len(values) - 1), axis=-1)
    np.copyto(out, _middle(low, high)[..., 0], where=count[..., 0] > 0)


def _middle(low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of both; of integers half to even, without leaving their type."""
    middle: NDArray[Any]
    if np.issubdtype(low.dtype, np.floating):
        middle = ((low.astype(np.float64) + high) / 2).astype(low.dtype)
    else:
        differ = low ^ high
        floor = (low & high) + (differ >> 1)
        middle = floor + (differ & floor & 1)
    return middle
