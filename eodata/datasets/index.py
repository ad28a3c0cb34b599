"""The tables of a store as a few NumPy arrays: who is there, when, and which steps may be used.

Arrays, because a table of Python objects is copied page by page into every forked worker as soon as
its reference counts are touched, and pickled object by object for every spawned one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import StoreError
from eodata.core.outcome import Status

NO_DATE = -1
WGS84 = 4326


@dataclass(frozen=True, slots=True, eq=False)
class SampleIndex:
    """N samples in row order; T is the length of a modality's time axis.

    Attributes:
        ids: `(N,)` UTF-8 bytes.
        rows: `(N,)` positions on the sample axis of the store, strictly increasing.
        splits: `(N,)` UTF-8 bytes.
        bbox: `(N, 4)` west, south, east, north [degrees]; NaN without georeference.
        present: Per modality `(N, T)`, True where the step ended `done`.
        dates: Per modality `(N, T)` POSIX seconds UTC of the acquisition [s], -1 without one.
    """

    ids: NDArray[np.bytes_]
    rows: NDArray[np.int64]
    splits: NDArray[np.bytes_]
    bbox: NDArray[np.float64]
    present: dict[str, NDArray[np.bool_]]
    dates: dict[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.rows)


def build_index(samples: Any, steps: Any, n_steps: Mapping[str, int]) -> SampleIndex:
    """Turn the chosen rows of `samples.parquet`, in any order, and `steps.parquet` into arrays.

    Args:
        samples: GeoDataFrame, one line per sample to keep.
        steps: DataFrame of the whole store; lines of other samples and modalities are left out.
        n_steps: Length of the time axis per modality to keep.

    Raises:
        StoreError: Two samples share a row, or a step lies beyond the time axis.
    """
    ordered = samples.sort_values("row", kind="stable")
    rows = ordered["row"].to_numpy(dtype=np.int64)
    _check_unique(rows)
    present, dates = {}, {}
    for name, length in n_steps.items():
        mine = steps[(steps["modality"] == name) & steps["row"].isin(rows)]
        present[name], dates[name] = _steps_of(name, mine, rows, length)
    return SampleIndex(
        ids=_utf8(ordered["id"]),
        rows=rows,
        splits=_utf8(ordered["split"]),
        bbox=_bounds(ordered),
        present=present,
        dates=dates,
    )


def _check_unique(rows: NDArray[np.int64]) -> None:
    twice = rows[1:][rows[1:] == rows[:-1]]
    if len(twice):
        raise StoreError(
            "samples.parquet",
            f"row {twice[0]} stands there twice",
            "each row of the sample axis belongs to one sample.",
            "Verify the store; the table does not fit the pixels.",
        )


def _steps_of(
    name: str, steps: Any, rows: NDArray[np.int64], length: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    present = np.zeros((len(rows), length), np.bool_)
    dates = np.full((len(rows), length), NO_DATE, np.int64)
    step = steps["step"].to_numpy(dtype=np.int64)
    if len(step) and not 0 <= step.min() <= step.max() < length:
        raise StoreError(
            "steps.parquet",
            f"{name} has steps {step.min()} to {step.max()}",
            f"its time axis has the steps 0 to {length - 1}.",
            "Verify the store; the table does not fit the pixels.",
        )
    sample = np.searchsorted(rows, steps["row"].to_numpy(dtype=np.int64))
    present[sample, step] = (steps["status"] == Status.DONE.value).to_numpy()
    dates[sample, step] = _posix(steps["datetime"])
    return present, dates


def _posix(column: Any) -> NDArray[np.int64]:
    """Return seconds since 1970 UTC, rounded down; a column without zone is UTC already."""
    zone = getattr(column.dtype, "tz", None)
    utc = column if zone is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    instants = utc.to_numpy(dtype="datetime64[s]")
    return np.where(np.isnat(instants), NO_DATE, instants.astype(np.int64))


def _utf8(column: Any) -> NDArray[np.bytes_]:
    return np.array([str(value).encode() for value in column], dtype=np.bytes_)


def _bounds(samples: Any) -> NDArray[np.float64]:
    geometry = samples.geometry
    if geometry.crs is not None and geometry.crs.to_epsg() != WGS84:
        geometry = geometry.to_crs(WGS84)
    # Missing geometries have NaN bounds, which is what the caller is promised.
    bounds: NDArray[np.float64] = geometry.bounds.to_numpy(dtype=np.float64)
    return bounds
