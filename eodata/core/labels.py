"""Labels of whole samples from a class layer: fractions, the largest class, all present. Pure.

The rules of the SEN12MS scene labels (2021): the fraction of each class over the pixels of the
layer, classes joined first; the single label is the largest fraction; the multi label holds every
class from `least` on. Where a layer has gaps, fractions are those of the pixels that count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.core.label_plan import LabelPlan
from eodata.core.scheme import LARGEST_CLASS

UNKNOWN = -1
"""Position of the single label where no pixel counts."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleLabels:
    """Labels of N samples; K is the size of the legend.

    Attributes:
        single: `(N,)` position in the legend of the largest class, `UNKNOWN` where no pixel counts.
            Of classes with equally many pixels it is the one with the smallest value.
        multi: `(N, K)` True for the classes that reach `least`; there may be none.
        fractions: `(N, K)` of the pixels that count, adding up to 1; NaN where none does.
        valid: `(N,)` fraction of all pixels that count.
    """

    single: NDArray[np.int64]
    multi: NDArray[np.bool_]
    fractions: NDArray[np.float64]
    valid: NDArray[np.float64]


def class_counts(
    plan: LabelPlan, values: NDArray[np.generic], valid: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Count the pixels of each class.

    Args:
        plan: Says which classes there are, and which are joined first.
        values: `(N, H, W)` class ids.
        valid: `(N, H, W)`, True = usable.

    Returns:
        `(N, K)` in the order of the legend. Pixels that are not valid, that the recoding drops, or
        that stand in no legend count nowhere.
    """
    position, n_classes = _positions(plan), len(plan.legend)
    counts = np.zeros((len(values), n_classes), np.int64)
    # Sample by sample: counting takes 8 bytes per pixel, which a block of samples need not afford.
    for i, (image, usable) in enumerate(zip(values, valid, strict=True)):
        index = image.astype(np.uint8)
        seen = position[index[usable & (index == image)]]
        counts[i] = np.bincount(seen, minlength=n_classes + 1)[:n_classes]
    return counts


def label_samples(plan: LabelPlan, counts: NDArray[np.int64], n_pixels: int) -> SampleLabels:
    """Turn counted pixels into labels.

    Args:
        plan: Says from which fraction on a class is present.
        counts: `(N, K)` as `class_counts` returns them.
        n_pixels: Pixels of one sample, whether they count or not.
    """
    total = counts.sum(axis=1)
    known = total > 0
    # A quotient of integers that equals `least` is the same double: the edge belongs to the class.
    fractions = np.where(known[:, None], counts / np.maximum(total, 1)[:, None], np.nan)
    # argmax takes the first of equals, and the legend rises by value.
    single = np.where(known, counts.argmax(axis=1), UNKNOWN)
    return SampleLabels(single, fractions >= plan.least, fractions, total / n_pixels)


def _positions(plan: LabelPlan) -> NDArray[np.intp]:
    """Return the position in the legend of each class id 0..255; K for those that do not count."""
    place = {value: i for i, (value, _, _) in enumerate(plan.legend)}
    pairs = plan.recode or tuple((value, value) for value in place)
    table = np.full(LARGEST_CLASS + 1, len(place), np.intp)
    for old, new in pairs:
        if 0 <= old <= LARGEST_CLASS:
            table[old] = place.get(new, len(place))
    return table
