"""Compare the tables of a store with what its plan and its ledger say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from shapely import equals_exact, from_wkb

from eodata.core.plan import Plan
from eodata.store.label_files import META, label_file, label_meaning, label_names
from eodata.store.labels import identity, label_table
from eodata.store.outcome_grid import OutcomeGrid
from eodata.store.tables import table_bytes

DEGREE_TOLERANCE = 1e-7  # 1 cm: what another version of PROJ may move a footprint


def table_problems(root: Path, plan: Plan, grid: OutcomeGrid) -> Iterator[str]:
    """Yield a sentence for each cell that differs; columns that others added are left alone."""
    for name, data in table_bytes(plan, grid).items():
        try:
            found = pq.read_table(root / name)
        except (OSError, pa.ArrowException) as error:
            yield f"{name} cannot be read: {error}"
            continue
        yield from _column_problems(name, found, pq.read_table(BytesIO(data)))


def label_problems(root: Path, plan: Plan, grid: OutcomeGrid, *, quick: bool) -> Iterator[str]:
    """Yield a sentence for each cell of the labels that differs from what the pixels give.

    Args:
        root: The store.
        plan: Says which labels there are.
        grid: How every step ended.
        quick: Compare samples and legends only, and read no pixel.

    Raises:
        StoreError: A shard is damaged.
    """
    planned = {label.name for label in plan.labels}
    for name in label_names(root):
        if name not in planned:
            yield f"{label_file(name)}: the plan has no labels of this name"
    for label in plan.labels:
        name = label_file(label.name)
        try:
            found = pq.read_table(root / name)
        except (OSError, pa.ArrowException) as error:
            yield f"{name} cannot be read: {error}"
            continue
        if _meaning(found) != label_meaning(label):
            yield f"{name} states another legend or rule than the plan"
        lines = pa.table(identity(plan)) if quick else label_table(root, plan, grid, label)
        yield from _column_problems(name, found, lines, "plan and pixels")


def _meaning(table: pa.Table) -> object:
    try:
        return json.loads((table.schema.metadata or {}).get(META, b""))
    except ValueError:
        return None


def _column_problems(
    name: str, found: pa.Table, expected: pa.Table, told: str = "plan and ledger"
) -> Iterator[str]:
    if found.num_rows != expected.num_rows:
        yield f"{name} has {found.num_rows} rows, {told} have {expected.num_rows}"
        return
    for column in expected.column_names:
        if column not in found.column_names:
            yield f"{name} has no column {column}"
        elif not found[column].equals(expected[column]):
            pairs = zip(found[column].to_pylist(), expected[column].to_pylist(), strict=True)
            for line, (is_, should) in enumerate(pairs):
                if not _same(is_, should):
                    yield f"{name}, line {line}, {column}: {is_!r}, {told} say {should!r}"


def _same(a: object, b: object) -> bool:
    """Return True for equal cells; numbers may differ in the last digits, ground by 1 cm."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=DEGREE_TOLERANCE)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, bytes) and isinstance(b, bytes):
        return bool(equals_exact(from_wkb(a), from_wkb(b), DEGREE_TOLERANCE))
    return a == b
