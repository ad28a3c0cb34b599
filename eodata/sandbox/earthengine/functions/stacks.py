"""Reductions of stacks of pixels: from `(N, H, W)` to `(H, W)`, masked ones left out."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.earthengine.values import Valid

Array: TypeAlias = NDArray[Any]
Stack: TypeAlias = tuple[Array, Valid]
"""Numbers, and where they are valid."""


def median(values: Array, valid: Valid) -> Stack:
    """Return the median of valid numbers, by sorting the others to the end."""
    number = valid.sum(axis=0)
    kept = np.where(valid, values.astype(np.float64), np.inf)
    kept.sort(axis=0)
    low = np.maximum(number - 1, 0) // 2
    high = np.minimum(number // 2, len(kept) - 1)
    pair = np.take_along_axis(kept, np.stack([low, high]), axis=0)
    return np.where(number > 0, pair.mean(axis=0), 0.0), number > 0


def mean(values: Array, valid: Valid) -> Stack:
    """Return the mean."""
    number = valid.sum(axis=0)
    added = np.where(valid, values, 0).sum(axis=0, dtype=np.float64)
    return added / np.maximum(number, 1), number > 0


def variance(values: Array, valid: Valid) -> Stack:
    """Return the variance of the population."""
    middle, some = mean(values, valid)
    return mean(np.where(valid, (values - middle) ** 2, 0.0), valid)[0], some


def deviation(values: Array, valid: Valid) -> Stack:
    """Return the standard deviation of the population."""
    squared, some = variance(values, valid)
    return np.sqrt(squared), some


def least(values: Array, valid: Valid) -> Stack:
    """Return the smallest number."""
    return np.where(valid, values, _end(values, "max")).min(axis=0), _some(valid)


def most(values: Array, valid: Valid) -> Stack:
    """Return the largest number."""
    return np.where(valid, values, _end(values, "min")).max(axis=0), _some(valid)


def count(values: Array, valid: Valid) -> Stack:
    """Return the number of valid ones."""
    return valid.sum(axis=0), np.ones(values.shape[1:], bool)


def total(values: Array, valid: Valid) -> Stack:
    """Return the sum."""
    return np.where(valid, values, 0).sum(axis=0, dtype=np.float64), _some(valid)


def product(values: Array, valid: Valid) -> Stack:
    """Return the product."""
    return np.where(valid, values, 1).prod(axis=0, dtype=np.float64), _some(valid)


def first(values: Array, valid: Valid) -> Stack:
    """Return the first number, masked or not."""
    return values[0], valid[0]


def last(values: Array, valid: Valid) -> Stack:
    """Return the last number, masked or not."""
    return values[-1], valid[-1]


def first_valid(values: Array, valid: Valid) -> Stack:
    """Return the first valid number."""
    at = valid.argmax(axis=0)[np.newaxis]
    return np.take_along_axis(values, at, axis=0)[0], _some(valid)


def last_valid(values: Array, valid: Valid) -> Stack:
    """Return the last valid number of each pixel: what a mosaic shows."""
    return first_valid(values[::-1], valid[::-1])


def any_true(values: Array, valid: Valid) -> Stack:
    """Return the truth that one is not zero."""
    return (valid & (values != 0)).any(axis=0), _some(valid)


def all_true(values: Array, valid: Valid) -> Stack:
    """Return the truth that none is zero."""
    return (~valid | (values != 0)).all(axis=0), _some(valid)


def mode(values: Array, valid: Valid) -> Stack:
    """Return the most frequent number: the start of the longest run once they are sorted."""
    kept = np.where(valid, values.astype(np.float64), np.inf)
    kept.sort(axis=0)
    best, most = kept[0].copy(), np.zeros(kept.shape[1:], int)
    run = np.zeros_like(most)
    for k in range(len(kept)):
        run = np.where((kept[k] == kept[k - 1]) & (k > 0), run + 1, 1)
        longer = (run > most) & np.isfinite(kept[k])
        best, most = np.where(longer, kept[k], best), np.where(longer, run, most)
    return np.where(most > 0, best, 0.0), most > 0


def _some(valid: Valid) -> Valid:
    return np.asarray(valid.any(axis=0))


def _end(values: Array, which: str) -> Any:
    limits = np.finfo(values.dtype) if values.dtype.kind == "f" else np.iinfo(values.dtype)
    return getattr(limits, which)
