"""Which steps of a series an item holds, as functions of how cloudy the steps are.

The rules `fixed`, `fixedsubset` and `random` are those of the SEN12MS-CR-TS loaders (UnCRtainTS,
2023): some input steps, and one clear step as target. Coverage is an array `(T,)` of fractions; NaN
marks the steps that must never be chosen, gaps among them, and the rules see the others as if they
were the whole series.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NO_STEP = -1
CLEAR = 1e-3

Coverage = NDArray[np.float64]


class Pick(NamedTuple):
    """What a rule chose.

    Attributes:
        inputs: Steps in order of time; fewer than asked for when the series has no more.
        target: The step to be predicted, -1 for none.
        matched: False when the limits could not be kept or there are too few steps.
    """

    inputs: tuple[int, ...]
    target: int
    matched: bool


def listed(steps: Sequence[int]) -> Pick:
    """Take the steps as they are written, gaps too."""
    return Pick(tuple(steps), NO_STEP, matched=True)


def some(coverage: Coverage, count: int, draws: NDArray[np.uint64]) -> Pick:
    """Take `count` steps at random, each set of them as likely as any other.

    Args:
        coverage: `(T,)`; the numbers do not matter.
        count: How many.
        draws: `(T,)` random numbers, which decide.
    """
    known = _known(coverage)
    chosen = np.sort(known[np.argsort(draws[known], kind="stable")][:count])
    return Pick(_ints(chosen), NO_STEP, matched=len(chosen) == count)


def fixed(
    coverage: Coverage,
    count: int,
    min_cov: float = 0.0,
    max_cov: float = 1.0,
    *,
    clear: float = CLEAR,
    exclude_target: bool = False,
) -> Pick:
    """Take the least cloudy step as target, and the first `count` whose coverage is in the limits.

    Among equally cloudy steps the earliest is the target. When fewer than `count` are in the
    limits, the inputs are the first `count` that are not the target, whatever their coverage, and
    the pick is unmatched; so it is when the target is cloudier than `clear`.

    Args:
        coverage: `(T,)`.
        count: How many inputs.
        min_cov: Least coverage of an input, included.
        max_cov: Largest coverage, included.
        clear: Largest coverage of a target that counts as clear, included.
        exclude_target: Never take the target as input. As published, inputs within the limits may
            be the target itself, which is what happens with the default limits whenever the least
            cloudy step is among the first `count`.
    """
    known = _known(coverage)
    if len(known) == 0:
        return Pick((), NO_STEP, matched=False)
    target = known[np.argmin(coverage[known])]
    others = known[known != target]
    pool = others if exclude_target else known
    inside = (coverage[pool] >= min_cov) & (coverage[pool] <= max_cov)
    inputs = pool[inside][:count]
    enough = len(inputs) == count
    if not enough:
        inputs = others[:count]
    return Pick(_ints(inputs), int(target), matched=enough and bool(coverage[target] <= clear))


def fixed_subset(
    coverage: Coverage,
    count: int,
    subset: tuple[int, int],
    min_cov: float = 0.0,
    max_cov: float = 1.0,
    *,
    clear: float = CLEAR,
    exclude_target: bool = False,
) -> Pick:
    """Do as `fixed` within the steps `subset` [first, end); unmatched there, do it with all."""
    part = np.full_like(coverage, np.nan)
    part[slice(*subset)] = coverage[slice(*subset)]
    pick = fixed(part, count, min_cov, max_cov, clear=clear, exclude_target=exclude_target)
    if pick.matched:
        return pick
    return fixed(coverage, count, min_cov, max_cov, clear=clear, exclude_target=exclude_target)


def random_target(
    coverage: Coverage, count: int, draws: NDArray[np.uint64], *, clear: float = CLEAR
) -> Pick:
    """Take any clear step as target and the `count` steps around it.

    The target is drawn from the steps whose coverage is below `clear`; without any it is the
    earliest of the least cloudy. Of all runs of `count` + 1 neighbours that hold the target, the
    middle one (of an even number the later) is taken, without the target. Coverage limits play no
    part, so the pick is matched unless there are too few steps.

    Args:
        coverage: `(T,)`.
        count: How many inputs.
        draws: `(T,)` random numbers, which decide.
        clear: Coverage below which a step counts as clear.
    """
    known = _known(coverage)
    if len(known) == 0:
        return Pick((), NO_STEP, matched=False)
    bright = np.flatnonzero(coverage[known] < clear)
    if len(bright):
        place = int(bright[np.argmin(draws[known[bright]])])
    else:
        place = int(np.argmin(coverage[known]))
    window = known[_central(place, len(known), count + 1)]
    inputs = window[window != known[place]]
    return Pick(_ints(inputs), int(known[place]), matched=len(inputs) == count)


def _central(place: int, length: int, width: int) -> slice:
    """Return the middle one of all runs of `width` that hold `place`, the whole when too short."""
    earliest, latest = max(0, place - width + 1), min(place, length - width)
    start = max(0, earliest + (latest - earliest + 1) // 2)
    return slice(start, start + width)


def _known(coverage: Coverage) -> NDArray[np.int64]:
    return np.flatnonzero(~np.isnan(coverage)).astype(np.int64)


def _ints(steps: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(step) for step in steps)
