"""All outcomes of a plan as arrays: a row per sample, a slot per step of each modality. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import StoreError
from eodata.core.outcome import Outcome, Status
from eodata.core.plan import Plan
from eodata.core.shift import Shift

STATUSES = tuple(status.value for status in Status)
CODE = {status: code for code, status in enumerate(Status)}
NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeGrid:
    """What happened to every (sample, modality, step) of a plan; arrays are `(rows, slots)`.

    Attributes:
        slots: Slots of each modality, in the plan's order.
        status: Position in `STATUSES`.
        reason: Position in `reasons`.
        reasons: Texts, each once.
        valid: Fraction of valid pixels.
        marked: Fraction of valid pixels that a mask marks, NaN where there is none.
        clipped: Number of clipped DN.
        measured: Position in `told` of what was measured.
        told: Texts, each once; the first is empty.
        shifts: `(rows, slots, 6)`: row, col, error, confidence, moved row, moved col of each shift,
            NaN where there is none.
        shift_texts: `(rows, slots, 2)`: positions in `told` of the reference, and of why.
        seen: Number of outcomes that told it; 0 means `not built`, which counts as failed.
    """

    slots: dict[str, slice]
    status: NDArray[np.int8]
    reason: NDArray[np.int32]
    reasons: list[str]
    valid: NDArray[np.float64]
    marked: NDArray[np.float64]
    clipped: NDArray[np.int64]
    measured: NDArray[np.int32]
    told: list[str]
    shifts: NDArray[np.float32]
    shift_texts: NDArray[np.int32]
    seen: NDArray[np.int64]

    def is_status(self, status: Status) -> NDArray[np.bool_]:
        """Return where a status stands."""
        where: NDArray[np.bool_] = np.equal(self.status, CODE[status])
        return where

    def reason_at(self, row: int, slot: int) -> str:
        """Return why a slot is not done."""
        return self.reasons[int(self.reason[row, slot])]

    def slot_names(self) -> list[tuple[str, int]]:
        """Return `(modality, step)` of each slot."""
        return [(name, i) for name, s in self.slots.items() for i in range(s.stop - s.start)]


def slots_of(plan: Plan) -> dict[str, slice]:
    """Return the slots of each modality, one after the other in the plan's order."""
    slots: dict[str, slice] = {}
    start = 0
    for name in plan.modalities:
        slots[name] = slice(start, start + plan.n_steps(name))
        start = slots[name].stop
    return slots


def outcome_grid(plan: Plan, outcomes: Iterable[tuple[str, Outcome]]) -> OutcomeGrid:
    """Sort outcomes into a grid; what has none is failed as `not built`.

    Args:
        plan: Says which rows, modalities and steps there are.
        outcomes: `(task id, outcome)`, in any order.

    Raises:
        StoreError: An outcome belongs to no task, row or step of the plan.
    """
    grid = _nothing_built(plan)
    places = _places(plan, grid.slots)
    known = {text: number for number, text in enumerate(grid.reasons)}
    told = {text: number for number, text in enumerate(grid.told)}
    for task, outcome in outcomes:
        at = _place(places, task, outcome)
        grid.status[at] = CODE[outcome.status]
        grid.reason[at] = known.setdefault(outcome.reason, len(known))
        grid.valid[at] = outcome.valid
        if outcome.marked is not None:
            grid.marked[at] = outcome.marked
        grid.clipped[at] = outcome.clipped
        grid.measured[at] = told.setdefault(outcome.measured, len(told))
        if outcome.shift is not None:
            grid.shifts[at] = _numbers(outcome.shift)
            for k, text in enumerate((outcome.shift.to, outcome.shift.why)):
                grid.shift_texts[(*at, k)] = told.setdefault(text, len(told))
        grid.seen[at] += 1
    grid.reasons[:], grid.told[:] = known, told
    return grid


def _nothing_built(plan: Plan) -> OutcomeGrid:
    slots = slots_of(plan)
    shape = (len(plan.patches), max(s.stop for s in slots.values()))
    return OutcomeGrid(
        slots=slots,
        status=np.full(shape, CODE[Status.FAILED], np.int8),
        reason=np.zeros(shape, np.int32),
        reasons=[NOT_BUILT],
        valid=np.zeros(shape),
        marked=np.full(shape, np.nan),
        clipped=np.zeros(shape, np.int64),
        measured=np.zeros(shape, np.int32),
        told=[""],
        shifts=np.full((*shape, 6), np.nan, np.float32),
        shift_texts=np.zeros((*shape, 2), np.int32),
        seen=np.zeros(shape, np.int64),
    )


def _numbers(shift: Shift) -> tuple[float, ...]:
    found = (shift.row, shift.col, shift.error, shift.confidence, shift.moved_row, shift.moved_col)
    return tuple(np.nan if number is None else number for number in found)


def _places(plan: Plan, slots: dict[str, slice]) -> dict[str, tuple[range, range, int]]:
    """Return `(rows, steps, slot of step 0)` of each task."""
    rows = {b.number: range(b.first_row, b.first_row + len(b.patches)) for b in plan.blocks}
    return {
        task.id: (rows[task.block], range(task.first, task.last), slots[task.modality].start)
        for task in plan.tasks
    }


def _place(
    places: dict[str, tuple[range, range, int]], task: str, outcome: Outcome
) -> tuple[int, int]:
    rows, steps, start = places.get(task, (range(0), range(0), 0))
    if outcome.row not in rows or outcome.step not in steps:
        raise StoreError(
            f"task {task}",
            f"an outcome of row {outcome.row}, step {outcome.step}",
            "the plan has no such task, or the task no such row or step.",
            "The ledger belongs to another plan: build into another folder.",
        )
    return outcome.row, start + outcome.step
