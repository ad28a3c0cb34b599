"""What a store says of its own co-registration: limits kept, and misfits in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from eodata.core.outcome import Status
from eodata.core.plan import Plan
from eodata.core.shift import IS_REFERENCE
from eodata.store.outcome_grid import OutcomeGrid

ROUNDING_PX = 1e-4
"""Single precision keeps this of a few pixels."""


def shift_problems(plan: Plan, grid: OutcomeGrid) -> Iterator[str]:
    """Yield a sentence for each done step that lies further off than the recipe allows."""
    limit = plan.recipe.checks.max_shift_px
    if limit is None or plan.recipe.checks.beyond_shift == "flag":
        return
    lengths, names = _lengths(grid), grid.slot_names()
    far = grid.is_status(Status.DONE) & (lengths > limit + ROUNDING_PX)
    for row, slot in np.argwhere(far):
        name, step = names[slot]
        yield (
            f"row {row}, {name} step {step}: {lengths[row, slot]:.2f} px from its reference, "
            f"the recipe allows {limit:g}"
        )


def shift_summary(plan: Plan, grid: OutcomeGrid) -> str:
    """Return per compared modality the misfit of its steps, `""` where none is compared.

    Rejected ones count too: their pixels are in the store.
    """
    done = grid.is_status(Status.DONE) | grid.is_status(Status.REJECTED)
    lengths = _lengths(grid)
    told = []
    for name, slots in grid.slots.items():
        if plan.modalities[name].alignment is None:
            continue
        asked = done[:, slots] & ~_is_reference(grid)[:, slots]
        known = lengths[:, slots][asked & ~np.isnan(lengths[:, slots])]
        if known.size:
            text = f"{np.median(known):.2f} px (largest {known.max():.2f})"
            unknown = int(asked.sum()) - known.size
            told.append(f"{name} {text}" + (f", {unknown} not measurable" if unknown else ""))
        elif asked.any():
            told.append(f"{name} not measurable")
    return "; ".join(told)


def _is_reference(grid: OutcomeGrid) -> NDArray[np.bool_]:
    """Return which steps the others are compared with."""
    code = grid.told.index(IS_REFERENCE) if IS_REFERENCE in grid.told else -1
    where: NDArray[np.bool_] = np.equal(grid.shift_texts[..., 1], code)
    return where


def _lengths(grid: OutcomeGrid) -> NDArray[np.float64]:
    """Return the misfit of every step [px], NaN where it is not known."""
    found: NDArray[np.float64] = np.hypot(grid.shifts[..., 0], grid.shifts[..., 1], dtype=float)
    return found
