"""The labels of whole samples as arrays in item order, so that workers share them unopened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import StoreError
from eodata.core.labels import UNKNOWN
from eodata.store.label_files import FRACTION, Legend, label_file
from eodata.store.reader import StoreReader


@dataclass(frozen=True, slots=True, eq=False)
class LabelIndex:
    """One kind of labels of N samples; K is the size of the legend.

    Attributes:
        classes: `(value, name, "rrggbb")` of each class, by rising value.
        single: `(N,)` position in the legend, -1 where nothing is known.
        multi: `(N, K)` True for the classes that are present.
        fractions: `(N, K)` float32, 0 where nothing is known.
    """

    classes: Legend
    single: NDArray[np.int64]
    multi: NDArray[np.bool_]
    fractions: NDArray[np.float32]


def build_labels(reader: StoreReader, name: str, rows: NDArray[np.int64]) -> LabelIndex:
    """Read the labels of the samples at `rows`.

    Raises:
        StoreError: The table is missing or damaged, lacks a sample, or does not fit its legend.
    """
    path = reader.path / label_file(name)
    classes = reader.label_classes(name)
    values = np.array([value for value, _, _ in classes], np.int64)
    columns = [f"{FRACTION}{label}" for _, label, _ in classes]
    lines = _lines_of(path, reader.labels(name), rows, ("single", "multi", *columns))
    return LabelIndex(
        classes=classes,
        single=_single(path, lines["single"], values),
        multi=_multi(path, list(lines["multi"]), values),
        fractions=np.nan_to_num(lines[columns].to_numpy(np.float32)),
    )


def _lines_of(path: Path, frame: Any, rows: NDArray[np.int64], columns: Sequence[str]) -> Any:
    """Return the line of each row, in this order."""
    lacking = [column for column in columns if column not in frame]
    if lacking:
        raise _misfit(path, f"it has no column {lacking[0]}")
    lines = frame.set_index("row")
    missing = np.setdiff1d(rows, lines.index)
    if len(missing):
        raise _misfit(path, f"it has no line for row {missing[0]}")
    if not lines.index.is_unique:
        raise _misfit(path, "a row stands there twice")
    return lines.loc[rows]


def _single(path: Path, column: Any, values: NDArray[np.int64]) -> NDArray[np.int64]:
    known = column.notna().to_numpy()
    single = np.full(len(column), UNKNOWN, np.int64)
    single[known] = _positions(path, column[known].to_numpy(np.int64), values)
    return single


def _multi(path: Path, lists: list[Any], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    present = [() if one is None else one for one in lists]
    multi = np.zeros((len(lists), len(values)), np.bool_)
    sample = np.repeat(np.arange(len(lists)), [len(one) for one in present])
    found = np.concatenate([np.asarray(one, np.int64) for one in present])
    multi[sample, _positions(path, found, values)] = True
    return multi


def _positions(
    path: Path, found: NDArray[np.int64], values: NDArray[np.int64]
) -> NDArray[np.int64]:
    strange = np.setdiff1d(found, values)
    if len(strange):
        raise _misfit(path, f"class {strange[0]} stands in no legend")
    return np.searchsorted(values, found)


def _misfit(path: Path, found: str) -> StoreError:
    return StoreError(
        str(path),
        found,
        "the table does not fit the samples or its own legend.",
        "Run the build again; it writes the table anew.",
    )
