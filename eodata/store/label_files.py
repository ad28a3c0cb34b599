"""The tables under `labels/`: where they lie, what they mean, and how they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from eodata.core.errors import StoreError, nearest
from eodata.core.label_plan import LabelPlan

if TYPE_CHECKING:
    import pandas

LABELS = "labels"
META = b"eodata:labels"
"""Key of the Arrow schema's metadata under which JSON says what the labels mean."""
FRACTION = "fraction:"
"""Columns of fractions are called so, and then as the class."""
Legend = tuple[tuple[int, str, str], ...]


def label_file(name: str) -> str:
    """Return the place of a table in its store, with a forward slash."""
    return f"{LABELS}/{name}.parquet"


def label_names(root: Path) -> tuple[str, ...]:
    """Return the names of the tables that a store has, in alphabetical order."""
    return tuple(sorted(path.stem for path in (root / LABELS).glob("*.parquet")))


def label_meaning(label: LabelPlan) -> dict[str, Any]:
    """Return what the schema's metadata says of labels, as plain JSON values."""
    return {
        "name": label.name,
        "from": label.modality,
        "least": label.least,
        "classes": [{"value": v, "name": n, "colour": c} for v, n, c in label.legend],
    }


def read_legend(root: Path, name: str) -> Legend:
    """Return `(value, name, "rrggbb")` of each class, by rising value.

    Raises:
        StoreError: There are no such labels, or the file is damaged or foreign.
    """
    path = _existing(root, name)
    try:
        stated = (pq.read_schema(path).metadata or {})[META]
        classes = json.loads(stated)["classes"]
        return tuple((c["value"], c["name"], c["colour"]) for c in classes)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"it states no legend: {error!r}") from error


def read_labels(root: Path, name: str) -> pandas.DataFrame:
    """Return one line per sample, by row: id, row, single, multi, valid and the fractions.

    Raises:
        StoreError: There are no such labels, or the file is damaged.
    """
    import pandas

    path = _existing(root, name)
    try:
        # Without the type, one sample without a label makes floats of all classes.
        return pandas.read_parquet(path).astype({"single": "UInt8"})
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(path, f"it cannot be read: {error}") from error


def _existing(root: Path, name: str) -> Path:
    known = label_names(root)
    if name not in known:
        raise StoreError(str(root), f'it has no labels "{name}"', "", nearest(name, known))
    return root / label_file(name)


def _damaged(path: Path, found: str) -> StoreError:
    return StoreError(
        str(path),
        found,
        "the file is damaged or foreign.",
        "Run the build again; it writes the table anew.",
    )
