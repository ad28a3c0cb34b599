"""Shifts in the ledger and in the tables: what is known stays, what is not stays empty."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from eodata.core.coregistration import Alignment
from eodata.core.errors import StoreError
from eodata.core.outcome import Outcome, Status, TaskResult
from eodata.core.plan import Plan
from eodata.core.shift import Shift
from eodata.store.files import LEDGER, SAMPLES, STEPS
from eodata.store.ledger import LEDGER_FORMAT, SqliteLedger
from eodata.store.outcome_grid import outcome_grid
from eodata.store.tables import write_tables

KNOWN = Shift("s2@3", 0.5, -1.25, 0.04, 0.98, 2.0, -0.5, "max_shift_px: 1.35 px")
UNKNOWN = Shift("s2@3", why="no texture")
MOVED = Shift("s2@3", moved_row=1.5, moved_col=0.25, why="no agreement")
IS_REFERENCE = Shift("s2@3", why="the reference")
NUMBERS = [
    "shift",
    "shift_row",
    "shift_col",
    "shift_error",
    "shift_confidence",
    "moved_row",
    "moved_col",
]
COLUMNS = [*NUMBERS, "shift_to", "shift_why"]

Shifts = Mapping[tuple[str, int, int], Shift]
Tables = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def done(row: int, shift: Shift | None, step: int = 0) -> Outcome:
    return Outcome(row, step, Status.DONE, shift=shift)


# --- ledger


@pytest.mark.parametrize("shift", [None, KNOWN, UNKNOWN, MOVED, IS_REFERENCE])
def test_shift_in_the_ledger_then_it_comes_back(tmp_path: Path, shift: Shift | None) -> None:
    outcome = done(0, shift)
    with SqliteLedger(tmp_path) as ledger:
        ledger.finish(TaskResult("t1", (outcome,), ()), 1)
    with SqliteLedger(tmp_path, readonly=True) as ledger:
        assert list(ledger.outcomes()) == [("t1", outcome)]
        assert ledger.outcomes_of("t1") == [outcome]


def test_numbers_of_numpy_then_plain_ones_come_back(tmp_path: Path) -> None:
    told = Shift(
        "s2@0", np.float32(0.5), np.float64(1), np.float32(0.25), np.float64(1), np.int64(2)
    )
    with SqliteLedger(tmp_path) as ledger:
        ledger.finish(TaskResult("t1", (done(0, told),), ()), 1)
        found = ledger.outcomes_of("t1")[0].shift
    assert found == Shift("s2@0", 0.5, 1.0, 0.25, 1.0, 2.0)
    assert found is not None
    assert {type(n) for n in (found.row, found.col, found.error, found.moved_row)} == {float}


def test_outcomes_with_and_without_shifts_then_each_keeps_its_own(tmp_path: Path) -> None:
    outcomes = (done(0, KNOWN), done(0, None, 1), done(1, UNKNOWN), done(2, None))
    other = (done(0, MOVED), done(2, KNOWN))  # the same rows in another task
    with SqliteLedger(tmp_path) as ledger:
        ledger.finish(TaskResult("t1", outcomes, ()), 1)
        ledger.finish(TaskResult("t2", other, ()), 1)
        assert ledger.outcomes_of("t1") == list(outcomes)
        assert ledger.outcomes_of("t2") == list(other)
        assert list(ledger.outcomes()) == [
            *(("t1", outcome) for outcome in outcomes),
            *(("t2", outcome) for outcome in other),
        ]


def test_task_that_runs_again_then_its_shifts_are_replaced(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path) as ledger:
        ledger.finish(TaskResult("t2", (done(0, UNKNOWN),), ()), 1)
        ledger.finish(TaskResult("t1", (done(0, KNOWN), done(1, KNOWN)), ()), 1)
        ledger.finish(TaskResult("t1", (done(0, None), done(1, MOVED)), ()), 2)
        assert [o.shift for o in ledger.outcomes_of("t1")] == [None, MOVED]
        assert [o.shift for o in ledger.outcomes_of("t2")] == [UNKNOWN]
    rows = sqlite3.connect(tmp_path / LEDGER).execute("SELECT count(*) FROM shifts")
    assert rows.fetchone() == (2,)


def test_ledger_of_an_older_format_then_it_is_refused(tmp_path: Path) -> None:
    SqliteLedger(tmp_path).close()
    with sqlite3.connect(tmp_path / LEDGER) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (LEDGER_FORMAT,)
        db.execute(f"PRAGMA user_version = {LEDGER_FORMAT - 1}")
    db.close()
    with pytest.raises(StoreError, match=f"has format {LEDGER_FORMAT - 1}"):
        SqliteLedger(tmp_path)


# --- tables


@pytest.fixture
def compared(plan: Plan) -> Plan:
    """The plan, with s2 compared with itself and sar with s2."""
    alignments = {
        "s2": Alignment("s2", (2,), (2,), "optical", "optical", alike=True, moves=True),
        "sar": Alignment("s2", (0,), (2,), "radar", "optical", alike=False),
    }
    modalities = {
        name: replace(modality, alignment=alignments.get(name))
        for name, modality in plan.modalities.items()
    }
    return replace(plan, modalities=modalities)


@pytest.fixture
def written(tmp_path: Path, compared: Plan, truth) -> Tables:
    """Write the tables with some shifts, and read them back: samples, steps."""

    def write(shifts: Shifts) -> tuple[pd.DataFrame, pd.DataFrame]:
        write_tables(tmp_path, compared, with_shifts(compared, truth, shifts))
        return gpd.read_parquet(tmp_path / SAMPLES), pd.read_parquet(tmp_path / STEPS)

    return write


def with_shifts(plan: Plan, truth, shifts: Shifts) -> Iterable[tuple[str, Outcome]]:
    for task in plan.tasks:
        for o in truth(plan, task).outcomes:
            yield task.id, replace(o, shift=shifts.get((task.modality, o.row, o.step)))


def line(steps: pd.DataFrame, modality: str, row: int, step: int) -> pd.Series:
    chosen = steps[(steps["modality"] == modality) & (steps["row"] == row)]
    return chosen[chosen["step"] == step].iloc[0][COLUMNS]


def test_steps_then_every_number_has_its_column(written: Tables) -> None:
    _, steps = written({("s2", 1, 3): KNOWN})
    found = line(steps, "s2", 1, 3)
    assert found[NUMBERS].tolist() == pytest.approx(
        [np.hypot(0.5, 1.25), 0.5, -1.25, 0.04, 0.98, 2.0, -0.5], abs=1e-6
    )
    assert found[["shift_to", "shift_why"]].tolist() == ["s2@3", "max_shift_px: 1.35 px"]
    assert steps[COLUMNS].notna().sum().tolist() == [1] * len(COLUMNS)


def test_steps_when_nothing_is_compared_then_all_columns_are_null(
    written: Tables, tmp_path: Path
) -> None:
    _, steps = written({})
    assert steps[COLUMNS].isna().all(axis=None)
    assert "measured" in steps
    schema = pq.read_schema(tmp_path / STEPS)
    assert {str(schema.field(key).type) for key in NUMBERS} == {"float"}
    table = pq.read_table(tmp_path / STEPS)
    assert [table[key].null_count for key in COLUMNS] == [len(steps)] * len(COLUMNS)


def test_steps_when_it_cannot_be_measured_then_null_and_why(written: Tables) -> None:
    _, steps = written({("sar", 0, 1): UNKNOWN, ("sar", 2, 1): MOVED, ("s2", 0, 3): IS_REFERENCE})
    unknown = line(steps, "sar", 0, 1)
    assert unknown[NUMBERS[:5]].isna().all()
    assert unknown[["moved_row", "moved_col"]].tolist() == [0.0, 0.0]
    assert unknown[["shift_to", "shift_why"]].tolist() == ["s2@3", "no texture"]
    moved = line(steps, "sar", 2, 1)
    assert moved[NUMBERS[:5]].isna().all()
    assert moved[["moved_row", "moved_col"]].tolist() == [1.5, 0.25]
    assert line(steps, "s2", 0, 3)["shift_why"] == "the reference"
    assert steps["shift_to"].notna().sum() == 3


def test_steps_when_nothing_is_to_be_said_then_why_is_null(written: Tables) -> None:
    _, steps = written({("s2", 0, 0): replace(KNOWN, why="")})
    assert line(steps, "s2", 0, 0)[["shift_why"]].isna().all()
    assert line(steps, "s2", 0, 0)["shift_to"] == "s2@3"


def test_samples_then_the_largest_misfit_of_the_done_steps(written: Tables) -> None:
    samples, _ = written(
        {
            ("s2", 0, 0): Shift("s2@3", 0.3, 0.4, 0.1, 1.0),
            ("s2", 0, 1): Shift("s2@3", -3.0, 4.0, 0.1, 1.0),
            ("s2", 0, 2): UNKNOWN,
            ("s2", 0, 3): IS_REFERENCE,
            ("s2", 1, 0): Shift("s2@3", 0.0, 0.0, 0.1, 1.0),
            ("s2", 1, 2): Shift("s2@3", 9.0, 0.0, 0.1, 1.0),  # this step is rejected
            ("s2", 2, 0): UNKNOWN,
            ("sar", 0, 0): Shift("s2@3", 0.6, 0.8, 0.1, 1.0),
            ("sar", 4, 6): Shift("s2@3", 6.0, 8.0, 0.1, 1.0),  # this one failed
        }
    )
    nan = float("nan")
    expected = {"s2:shift": [5.0, 0.0, nan, nan, nan], "sar:shift": [1.0, nan, nan, nan, nan]}
    for name, numbers in expected.items():
        np.testing.assert_allclose(samples[name], numbers, atol=1e-6)
    assert [name for name in samples if name.endswith(":shift")] == list(expected)


def test_samples_when_nothing_is_compared_then_no_column(built_once: Path) -> None:
    samples = gpd.read_parquet(built_once / SAMPLES)
    assert not [name for name in samples if name.endswith(":shift")]


# --- grid


def test_grid_then_numbers_and_texts_stand_in_their_slots(compared: Plan, truth) -> None:
    grid = outcome_grid(compared, with_shifts(compared, truth, {("sar", 1, 2): KNOWN}))
    at = (1, grid.slots["sar"].start + 2)
    assert grid.shifts[at].tolist() == pytest.approx([0.5, -1.25, 0.04, 0.98, 2.0, -0.5])
    assert [grid.told[code] for code in grid.shift_texts[at]] == [KNOWN.to, KNOWN.why]
    assert np.isfinite(grid.shifts).any(axis=-1).sum() == 1
    assert (grid.shift_texts != 0).sum() == 2
    assert grid.told[0] == ""
