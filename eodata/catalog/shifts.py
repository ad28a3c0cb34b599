"""Shifts as the tables of a store hold them: read for a picture, summed up for the card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from eodata.catalog.card import CardShift
from eodata.core.errors import RecipeError, StoreError
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import Status
from eodata.core.shift import Shift
from eodata.store.files import SAMPLES, STEPS

SUFFIX = ":shift"
DIGITS = 4
COLUMNS = [
    *("shift_to", "shift_row", "shift_col", "shift_error", "shift_confidence"),
    *("moved_row", "moved_col", "shift_why"),
]
"""Columns of the table of steps, in the order of the fields of `Shift`."""


def compared_modalities(root: Path) -> list[str]:
    """Return the modalities of a store whose place is compared with another.

    Raises:
        StoreError: The tables are older than shifts.
        RecipeError: Nothing is compared in this store.
    """
    if "shift_to" not in pq.read_schema(root / STEPS).names:
        raise StoreError(
            str(root),
            f"{STEPS} has no column for shifts",
            "the store was built before eodata measured them.",
            "Build the recipe again, into another folder.",
        )
    columns = pq.read_schema(root / SAMPLES).names
    found = [name.removesuffix(SUFFIX) for name in columns if name.endswith(SUFFIX)]
    if not found:
        raise RecipeError(
            "shift",
            f"nothing is compared in {root}",
            "its recipe has checks.measure_shifts off, or no two modalities that can be compared.",
            "Leave the option out, or build with checks.measure_shifts on, into another folder.",
        )
    return found


def read_shifts(root: Path, row: int) -> dict[tuple[str, int], Shift]:
    """Return the shifts of one sample by modality and step; none where nothing was compared.

    Raises:
        StoreError: The tables are older than shifts.
        RecipeError: Nothing is compared in this store.
    """
    compared_modalities(root)
    table = pq.read_table(
        root / STEPS, columns=["modality", "step", *COLUMNS], filters=[("row", "==", row)]
    )
    return {
        (line["modality"], line["step"]): _shift(line)
        for line in table.to_pylist()
        if line["shift_to"] is not None or line["shift_why"] is not None
    }


def _shift(line: dict[str, Any]) -> Shift:
    to, row, col, error, confidence, moved_row, moved_col, why = (line[key] for key in COLUMNS)
    moved = moved_row or 0.0, moved_col or 0.0
    return Shift(to or "", row, col, error, confidence, *moved, why or "")


def sum_up(modality: ModalityPlan, steps: pd.DataFrame, limit: float | None) -> CardShift | None:
    """Return what the card says of a modality's shifts, None for one that is not compared.

    The reference step itself is compared with nothing, so it is neither measured nor not.

    Args:
        modality: As planned.
        steps: `steps.parquet`, of all modalities.
        limit: Largest misfit that the recipe allows [px], None for any.
    """
    if modality.alignment is None:
        return None
    mine = steps[steps["modality"] == modality.name]
    itself = mine["shift_to"] == mine["modality"] + "@" + mine["step"].astype(str)
    compared = mine[(mine["shift_to"].notna() | mine["shift_why"].notna()) & ~itself]
    done = compared[compared["status"] == Status.DONE.value]
    lengths = done["shift"].dropna().to_numpy(np.float64)
    moved = np.hypot(done["moved_row"].fillna(0.0), done["moved_col"].fillna(0.0))
    median, p95, largest = np.percentile(lengths, (50, 95, 100)) if len(lengths) else (None,) * 3
    built = compared["status"].isin([Status.DONE.value, Status.REJECTED.value])
    return CardShift(
        to=modality.alignment.to,
        measured=len(lengths),
        not_measured=len(done) - len(lengths),
        moved=int((moved > 0).sum()),
        median_px=_rounded(median),
        p95_px=_rounded(p95),
        largest_px=_rounded(largest),
        limit_px=limit,
        beyond=None if limit is None else int((compared["shift"][built] > limit).sum()),
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(float(number), DIGITS)
