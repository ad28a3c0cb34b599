"""The tables of a store, written at the end of a build, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq

from eodata.core.outcome import Outcome
from eodata.core.plan import Plan
from eodata.store.files import SAMPLES, STEPS, write_bytes
from eodata.store.labels import write_labels
from eodata.store.outcome_grid import OutcomeGrid, outcome_grid
from eodata.store.samples_table import samples_frame
from eodata.store.steps_table import steps_table

ROWS_PER_GROUP = 65_536


def write_tables(root: Path, plan: Plan, outcomes: Iterable[tuple[str, Outcome]]) -> None:
    """Write `samples.parquet` (GeoParquet 1.1), `steps.parquet` and the tables of labels.

    What was there is replaced, but for sound tables of labels. Labels come first, because they need
    every pixel to be there.

    Args:
        root: The store; for labels with the pixels of all done steps.
        plan: What was to be built.
        outcomes: `(task id, outcome)` from the ledger. What has none is failed: not built.

    Raises:
        StoreError: An outcome is foreign to the plan, a shard that labels are counted from is
            damaged, or the disk refuses.
    """
    grid = outcome_grid(plan, outcomes)
    write_labels(root, plan, grid)
    for name, data in table_bytes(plan, grid).items():
        write_bytes(root / name, data)


def table_bytes(plan: Plan, grid: OutcomeGrid) -> dict[str, bytes]:
    """Return the bytes of each table by file name, steps first."""
    steps, samples = BytesIO(), BytesIO()
    pq.write_table(
        steps_table(plan, grid), steps, compression="zstd", row_group_size=ROWS_PER_GROUP
    )
    samples_frame(plan, grid).to_parquet(
        samples,
        index=False,
        compression="zstd",
        schema_version="1.1.0",
        write_covering_bbox=True,
        row_group_size=ROWS_PER_GROUP,
    )
    return {STEPS: steps.getvalue(), SAMPLES: samples.getvalue()}
