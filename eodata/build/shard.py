"""The arrays of one task while they fill, and what became of each sample and step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost, Outcome, Status
from eodata.core.plan import Plan, Task
from eodata.core.shift import IS_REFERENCE, Shift
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.measure import Kept


@dataclass(slots=True)
class Shard:
    """The arrays of one task while they fill."""

    plan: Plan
    task: Task
    values: NDArray[np.generic] = field(init=False)
    valid: NDArray[np.bool_] = field(init=False)
    outcomes: list[Outcome] = field(default_factory=list)
    cost: Cost = FREE
    references: dict[int, tuple[View, Kept]] = field(default_factory=dict)
    """By the first row of a window, what all its steps are compared with."""

    def __post_init__(self) -> None:
        n, _, c, h, w = self.plan.layout(self.task.modality).shard
        t = self.task.last - self.task.first
        self.values = np.full((n, t, c, h, w), self.modality.fill, self.modality.dtype)
        self.valid = np.zeros((n, t, h, w), np.bool_)

    @property
    def modality(self) -> ModalityPlan:
        """The modality of the task."""
        return self.plan.modalities[self.task.modality]

    def note(
        self,
        positions: Iterable[int],
        step: int,
        status: Status,
        reason: str,
        *,
        retryable: bool = False,
    ) -> None:
        """Record one outcome without pixels for several samples."""
        first = self.plan.blocks[self.task.block].first_row
        self.outcomes += [
            Outcome(first + p, step, status, reason, retryable=retryable) for p in positions
        ]

    def put(
        self,
        position: int,
        step: int,
        values: NDArray[np.generic],
        valid: NDArray[np.bool_],
        clipped: int = 0,
        marked: float | None = None,
        measured: str = "",
        shift: Shift | None = None,
    ) -> None:
        """Place one sample's step `(C, H, W)` and `(H, W)`, and judge it."""
        at = (position, step - self.task.first)
        self.values[at], self.valid[at] = values, valid
        fraction = float(valid.mean())
        problem, rule = self._shift_problem(shift)
        if shift is not None and problem:
            shift = replace(shift, why="; ".join(filter(None, (problem, shift.why))))
        status, reason = self._judge(fraction, problem if rule == "reject" else "")
        row = self.plan.blocks[self.task.block].first_row + position
        told = (row, step, status, reason, fraction, marked, clipped)
        self.outcomes.append(Outcome(*told, measured=measured, shift=shift))

    def _judge(self, fraction: float, beyond: str) -> tuple[Status, str]:
        limit = self.plan.recipe.checks.min_valid
        if fraction == 0.0:
            return Status.REJECTED, "no valid pixel"
        if fraction < limit:
            return Status.REJECTED, f"min_valid: {fraction:.4f} of the pixels, limit {limit:g}"
        return (Status.REJECTED, beyond) if beyond else (Status.DONE, "")

    def _shift_problem(self, shift: Shift | None) -> tuple[str, str]:
        """Say what is wrong with a misfit, and what the recipe does about it; `""` for nothing."""
        checks = self.plan.recipe.checks
        limit = checks.max_shift_px
        if shift is None or limit is None or shift.why == IS_REFERENCE:
            return "", "pass"
        if shift.length is None:
            told = "max_shift_px: it cannot be measured"
            return (told if checks.unmeasured_shift != "pass" else "", checks.unmeasured_shift)
        if shift.length <= limit:
            return "", "pass"
        told = f"max_shift_px: {shift.length:.2f} px from {shift.to}, limit {limit:g}"
        return told, checks.beyond_shift
