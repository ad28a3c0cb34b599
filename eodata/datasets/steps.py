"""What a person writes to choose the steps of an item, and what that means for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import RecipeError
from eodata.datasets import step_rules
from eodata.datasets.draws import draw
from eodata.datasets.step_rules import CLEAR, NO_STEP, Pick

Rule = Literal["fixed", "fixedsubset", "random"]


@dataclass(frozen=True, slots=True)
class RandomSteps:
    """`count` steps at random, in order of time, others in each epoch.

    Attributes:
        count: How many steps each item holds.
    """

    count: int


@dataclass(frozen=True, slots=True)
class TargetSteps:
    """Some input steps and one clear target step, by a rule of the SEN12MS-CR-TS loaders.

    Attributes:
        rule: `fixed`: the least cloudy step is the target, the inputs are the first `count` whose
            coverage is in the limits. `fixedsubset`: the same within `subset`, and within the whole
            series where that is unmatched. `random`: any clear step is the target, others in each
            epoch, and the inputs are its neighbours.
        count: How many input steps; published are 3, 4 and 5.
        min_cov: Least cloud coverage of an input, 0 to 1, included; not for `random`.
        max_cov: Largest, included.
        exclude_target: Never take the target as an input. As published, `fixed` may.
        subset: Steps `[first, end)` of `fixedsubset`.
        clear: Coverage up to which a target is clear (`random`: below which); 0.001 as published.
        cloud: Modality whose steps tell the coverage: for a class mask the fraction of valid pixels
            that it marks, else the cloud cover that the archive states. `""` takes the one class
            mask of the store, or else the first modality with a stated cloud cover.
        modalities: What is read of the target; None for all that have steps.
    """

    rule: Rule = "fixed"
    count: int = 3
    min_cov: float = 0.0
    max_cov: float = 1.0
    exclude_target: bool = False
    subset: tuple[int, int] | None = None
    clear: float = CLEAR
    cloud: str = ""
    modalities: Sequence[str] | None = None


Steps = Sequence[int] | RandomSteps | TargetSteps


@dataclass(frozen=True, slots=True, eq=False)
class StepChoice:
    """A choice of steps for N samples.

    Attributes:
        steps: What was asked for.
        coverage: `(N, T)` cloud coverage, 0 to 1; NaN for steps that must not be chosen. Zeros
            when clouds play no part.
        targets: Modalities that are read at the target; none without a target.
    """

    steps: Steps
    coverage: NDArray[np.float64]
    targets: tuple[str, ...]

    @property
    def count(self) -> int:
        """Length of the time axis of an item."""
        return len(self.steps) if isinstance(self.steps, Sequence) else self.steps.count

    def pick(self, i: int, seed: int, epoch: int, sample: str) -> Pick:
        """Return the steps of the i-th sample; random ones depend on the other arguments alone."""
        wanted, coverage = self.steps, self.coverage[i]
        if isinstance(wanted, Sequence):
            return step_rules.listed(wanted)
        if isinstance(wanted, TargetSteps) and wanted.rule != "random":
            return _fixed(wanted, coverage)
        draws = draw(len(coverage), "steps", seed, epoch, sample)
        if isinstance(wanted, RandomSteps):
            return step_rules.some(coverage, wanted.count, draws)
        return step_rules.random_target(coverage, wanted.count, draws, clear=wanted.clear)

    def coverage_at(self, i: int, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the coverage of some steps of the i-th sample; NaN for -1."""
        found = np.where(steps >= 0, self.coverage[i][steps], np.nan)
        return found.astype(np.float32)

    def padded(self, pick: Pick) -> NDArray[np.int64]:
        """Return `(count,)` input steps; what is missing is -1, at the end."""
        out = np.full(self.count, NO_STEP, np.int64)
        out[: len(pick.inputs)] = pick.inputs
        return out


def _fixed(wanted: TargetSteps, coverage: NDArray[np.float64]) -> Pick:
    limits = (wanted.min_cov, wanted.max_cov)
    if wanted.rule == "fixedsubset" and wanted.subset is not None:
        return step_rules.fixed_subset(
            coverage,
            wanted.count,
            wanted.subset,
            *limits,
            clear=wanted.clear,
            exclude_target=wanted.exclude_target,
        )
    return step_rules.fixed(
        coverage, wanted.count, *limits, clear=wanted.clear, exclude_target=wanted.exclude_target
    )


def check_steps(steps: Steps, length: int) -> None:
    """Check what can be checked without the samples.

    Args:
        steps: What was asked for.
        length: Length of the time axis of the store.

    Raises:
        RecipeError: A number is out of its range, or a rule is unknown.
    """
    if isinstance(steps, Sequence):
        outside = [step for step in steps if not 0 <= step < length]
        if outside or not steps:
            found = f"there is no step {outside[0]}" if outside else "the list is empty"
            raise RecipeError("steps", found, "", f"Name steps from 0 to {length - 1}.")
        return
    if not 1 <= steps.count <= length:
        raise RecipeError(
            "steps",
            f"count is {steps.count}",
            f"the store has {length} steps.",
            f"Ask for 1 to {length}.",
        )
    if isinstance(steps, TargetSteps):
        _check_rule(steps, length)


def _check_rule(steps: TargetSteps, length: int) -> None:
    if steps.rule not in ("fixed", "fixedsubset", "random"):
        raise RecipeError(
            "steps: rule",
            f'there is no rule "{steps.rule}"',
            "",
            "Known: fixed, fixedsubset, random.",
        )
    if not 0 <= steps.min_cov <= steps.max_cov <= 1:
        raise RecipeError(
            "steps",
            f"min_cov={steps.min_cov}, max_cov={steps.max_cov}",
            "coverage is a fraction, and the limits must leave room.",
            "Give 0 <= min_cov <= max_cov <= 1.",
        )
    if steps.rule == "random" and (steps.min_cov, steps.max_cov) != (0, 1):
        raise RecipeError(
            "steps",
            f"min_cov={steps.min_cov}, max_cov={steps.max_cov}",
            'the rule "random" takes the neighbours of the target, however cloudy they are.',
            'Leave the limits out, or use "fixed".',
        )
    if (steps.rule == "fixedsubset") != (steps.subset is not None):
        raise RecipeError(
            "steps",
            f'rule "{steps.rule}", subset={steps.subset}',
            'a subset belongs to the rule "fixedsubset", and to no other.',
            f"Give subset=(first, end) with 0 <= first < end <= {length}.",
        )
    if steps.subset is not None and not 0 <= steps.subset[0] < steps.subset[1] <= length:
        raise RecipeError(
            "steps: subset",
            f"{steps.subset}",
            f"the store has the steps 0 to {length - 1}.",
            f"Give (first, end) with 0 <= first < end <= {length}.",
        )
