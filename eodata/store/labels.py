"""Count the labels of all samples from the pixels of a store, and write them as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from eodata.core.label_plan import LabelPlan
from eodata.core.labels import SampleLabels, class_counts, label_samples
from eodata.core.outcome import Status
from eodata.core.plan import Plan
from eodata.store.files import write_bytes
from eodata.store.label_files import FRACTION, META, label_file, label_meaning
from eodata.store.outcome_grid import OutcomeGrid
from eodata.store.reader import StoreReader

ROWS_PER_GROUP = 65_536


def write_labels(root: Path, plan: Plan, grid: OutcomeGrid) -> None:
    """Write `labels/NAME.parquet` for all labels of a plan, but those that stand there soundly.

    To count, pixels are read. Whoever writes pixels removes the tables first.

    Args:
        root: The store, with all pixels that there will be.
        plan: Says which labels there are.
        grid: How every step ended; only pixels of done steps are counted.

    Raises:
        StoreError: A shard is damaged, or the disk refuses.
    """
    for label in plan.labels:
        if _is_sound(root / label_file(label.name), plan, label):
            continue
        data = BytesIO()
        pq.write_table(
            label_table(root, plan, grid, label),
            data,
            compression="zstd",
            row_group_size=ROWS_PER_GROUP,
        )
        write_bytes(root / label_file(label.name), data.getvalue())


def label_table(root: Path, plan: Plan, grid: OutcomeGrid, label: LabelPlan) -> pa.Table:
    """Return the table, one line per sample by row, with its meaning in the schema's metadata.

    Pixels are held one block at a time. Samples without a pixel that counts have nulls.

    Raises:
        StoreError: A shard is damaged.
    """
    counts = np.zeros((len(plan.patches), len(label.legend)), np.int64)
    for rows, found in _counted_blocks(root, plan, grid, label):
        counts[rows] = found
    edge = plan.layout(label.modality).shape[-1]
    labels = label_samples(label, counts, edge * edge)
    table = pa.table({**identity(plan), **_columns(label, labels)})
    return table.replace_schema_metadata({META: _meaning(label)})


def _is_sound(path: Path, plan: Plan, label: LabelPlan) -> bool:
    """Return True for a readable table of these labels of all samples."""
    try:
        table = pq.read_table(path)
    except (OSError, ValueError, pa.ArrowException):
        return False
    stated = (table.schema.metadata or {}).get(META, b"")
    return bool(table.num_rows == len(plan.patches) and stated == _meaning(label))


def _meaning(label: LabelPlan) -> bytes:
    return json.dumps(label_meaning(label), separators=(",", ":")).encode()


def identity(plan: Plan) -> dict[str, Any]:
    """Return the columns that say which sample a line is about."""
    return {
        "id": pa.array([patch.id for patch in plan.patches], pa.string()),
        "row": pa.array(range(len(plan.patches)), pa.int64()),
    }


def _counted_blocks(
    root: Path, plan: Plan, grid: OutcomeGrid, label: LabelPlan
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Yield rows and counts of the blocks that have a done step; counts of other rows are 0."""
    done = grid.is_status(Status.DONE)[:, grid.slots[label.modality].start]
    reader = StoreReader(root) if done.any() else None
    for block in plan.blocks:
        rows = slice(block.first_row, block.first_row + len(block.patches))
        if reader is not None and done[rows].any():
            values, valid = reader.read_block(label.modality, rows, slice(0, 1))
            usable = valid[:, 0] & done[rows, None, None]
            yield rows, class_counts(label, values[:, 0, label.band], usable)


def _columns(label: LabelPlan, labels: SampleLabels) -> dict[str, Any]:
    class_values = np.array([value for value, _, _ in label.legend], np.uint8)
    unknown = labels.valid == 0
    present = [
        None if nothing else class_values[chosen]
        for nothing, chosen in zip(unknown, labels.multi, strict=True)
    ]
    columns: dict[str, Any] = {
        "single": pa.array(class_values[labels.single], mask=unknown),
        "multi": pa.array(present, pa.list_(pa.uint8())),
        "valid": pa.array(labels.valid, pa.float64()),
    }
    for i, (_, name, _) in enumerate(label.legend):
        fraction = labels.fractions[:, i].astype(np.float32)
        columns[f"{FRACTION}{name}"] = pa.array(fraction, pa.float32(), mask=unknown)
    return columns
