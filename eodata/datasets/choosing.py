"""From what was asked for and the tables of the store to a choice of steps for each sample."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import RecipeError, nearest
from eodata.datasets.coverage import choose_cloud_source, coverage_of, usable_steps
from eodata.datasets.index import SampleIndex
from eodata.datasets.steps import RandomSteps, StepChoice, Steps, TargetSteps, check_steps
from eodata.store.reader import StoreReader

CHOICE_KEYS = frozenset({"steps", "target", "coverage", "matched"})
"""Keys that items have besides those of every item when steps are chosen."""


def choose_steps(
    reader: StoreReader, names: Sequence[str], index: SampleIndex, frame: Any, steps: Steps | None
) -> StepChoice | None:
    """Work out which steps of each sample may be chosen.

    Args:
        reader: The store.
        names: Modalities of the items.
        index: The samples.
        frame: `steps.parquet` of the whole store.
        steps: What was asked for; None for all steps.

    Raises:
        RecipeError: It cannot be had from this store.
    """
    if steps is None:
        return None
    if not isinstance(steps, RandomSteps | TargetSteps):
        steps = _positions(steps)
    dated = [name for name in names if not reader.is_static(name)]
    _check_names(names, dated)
    length = reader.shape(dated[0])[1]
    check_steps(steps, length)
    usable = usable_steps(index.present, dated)
    if not isinstance(steps, TargetSteps):
        return StepChoice(steps, np.where(usable, 0.0, np.nan), ())
    coverage = np.where(usable, _coverage(reader, index, frame, steps), np.nan)
    return StepChoice(steps, coverage, _targets(steps, dated))


def _positions(steps: Iterable[int]) -> tuple[int, ...]:
    """Return a list of steps as plain integers, whatever sequence or array it was."""
    try:
        return tuple(operator.index(step) for step in steps)
    except TypeError:
        raise RecipeError(
            "steps",
            f"{steps!r} is no list of steps",
            "steps are positions on the time axis, or a rule that chooses them.",
            "Write steps=[0, 3, 5], steps=RandomSteps(3) or steps=TargetSteps(…).",
        ) from None


def _check_names(names: Sequence[str], dated: Sequence[str]) -> None:
    if not dated:
        raise RecipeError(
            "steps",
            f"none of {', '.join(names)} has a time axis",
            "steps are chosen along it.",
            "Leave steps out, or open a modality with dates.",
        )
    for name in names:
        if name in CHOICE_KEYS:
            raise RecipeError(
                "steps",
                f'"{name}" is also the name of something else in each item',
                f"with chosen steps, items use {', '.join(sorted(CHOICE_KEYS))} themselves.",
                "Rename the modality in the recipe, or name the modalities to leave it out.",
            )


def _coverage(
    reader: StoreReader, index: SampleIndex, frame: Any, steps: TargetSteps
) -> NDArray[np.float64]:
    dated = [name for name in reader.names if not reader.is_static(name)]
    masks = [name for name in dated if reader.attrs(name).get("marks")]
    name, column = choose_cloud_source(steps.cloud, dated, masks, frame)
    return coverage_of(frame, name, column, index.rows, reader.shape(name)[1])


def _targets(steps: TargetSteps, dated: Sequence[str]) -> tuple[str, ...]:
    wanted = steps.modalities
    chosen = dated if wanted is None else [wanted] if isinstance(wanted, str) else wanted
    for name in chosen:
        if name not in dated:
            raise RecipeError(
                "steps: modalities",
                f'"{name}" is not opened, or has no steps',
                "a target is read from the modalities of the items.",
                nearest(name, dated),
            )
    return tuple(chosen)
