"""Find samples inside a built store: a question to two tables, no pixel is read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shapely.geometry import box

from eodata.catalog.criteria import BBox, Limit
from eodata.catalog.shifts import SUFFIX as SHIFT_SUFFIX
from eodata.catalog.shifts import compared_modalities
from eodata.core.errors import RecipeError, StoreError, nearest
from eodata.core.outcome import Status
from eodata.core.span import Span
from eodata.store.files import SAMPLES, STEPS
from eodata.store.reader import StoreReader

CLOUD = "eo:cloud_cover"
VALID_SUFFIX = ":valid"


def search_samples(
    root: Path,
    *,
    bbox: BBox | None = None,
    span: Span | None = None,
    split: str | None = None,
    status: str | None = Status.DONE.value,
    cloud: Limit | None = None,
    valid: Limit | None = None,
    shift: Limit | None = None,
    modality: str | None = None,
    near: tuple[float, float] | None = None,
    limit: int | None = None,
) -> geopandas.GeoDataFrame:
    """Return the samples of a store that meet every criterion given.

    Args:
        root: The store.
        bbox: Ground that the sample must touch [degrees].
        span: At least one done step was acquired in it; static layers have no date and never
            count.
        split: Name of a split.
        status: How the sample ended; None for all.
        cloud: On the sample's cloud cover [%]; samples without one are left out.
        valid: On the fraction of valid pixels in [0, 1], of `modality`; without it, of the
            modality that has fewest, so that `>=0.9` means every one.
        shift: On the largest measured misfit [px of its modality], of `modality`; without it, of
            all that are compared. Samples of which none is measured are left out: the unknown is
            never below a limit.
        modality: The one that `span`, `valid` and `shift` ask about; must have a done step either
            way.
        near: `(longitude, latitude)` in degrees; the nearest come first, by great circle.
        limit: At most so many rows.

    Returns:
        Rows of the sample table with all its columns, in store order unless `near` is given.

    Raises:
        RecipeError: There is no such split, status or modality, or `shift` asks about what is
            compared with nothing.
        StoreError: `root` is no store with finished tables, or they are older than `shift`.
    """
    reader = StoreReader(root)
    path, names = _table(root, SAMPLES), list(reader.names)
    _check_name("modality", modality, names)
    _check_name("status", status, [s.value for s in Status])
    if split is not None:
        _check_name("split", split, _distinct(path, "split"))
    frame = _read(path, bbox)
    keep = np.ones(len(frame), dtype=bool)
    if split is not None:
        keep &= (frame["split"] == split).to_numpy(dtype=bool)
    if status is not None:
        keep &= (frame["status"] == status).to_numpy(dtype=bool)
    if cloud is not None:
        keep &= cloud.test(_numbers(frame, [CLOUD])[:, 0])
    if valid is not None:
        asked = [modality] if modality is not None else names
        keep &= valid.test(_smallest(_numbers(frame, [f"{m}{VALID_SUFFIX}" for m in asked])))
    if shift is not None:
        asked = _compared(root, modality)
        keep &= shift.test(_largest(_numbers(frame, [f"{m}{SHIFT_SUFFIX}" for m in asked])))
    if span is not None or modality is not None:
        asked = [modality] if modality is not None else names
        if span is not None:
            asked = [name for name in asked if not reader.is_static(name)]
        rows = _rows_with_steps(_table(root, STEPS), asked, span)
        keep &= np.isin(frame["row"].to_numpy(), rows)
    found = frame[keep].sort_values("row", kind="stable")
    if near is not None:
        found = found.iloc[np.argsort(_distances(found, near), kind="stable")]
    return found.head(limit) if limit is not None else found


def _table(root: Path, name: str) -> Path:
    path = root / name
    if not path.is_file():
        raise StoreError(
            str(root),
            f"there is no {name}",
            "samples are searched in the tables that a build writes at its end.",
            "Run the build again; it goes on where it stopped.",
        )
    return path


def _distinct(path: Path, column: str) -> list[str]:
    values = pq.read_table(path, columns=[column])[column]
    return [str(v) for v in pc.unique(values).to_pylist() if v is not None]


def _check_name(key: str, name: str | None, known: Iterable[str]) -> None:
    known = list(known)
    if name is not None and name not in known:
        raise RecipeError(key, f'there is no {key} "{name}"', "", nearest(name, known))


def _compared(root: Path, modality: str | None) -> list[str]:
    """Return the modalities whose misfit is asked for."""
    _table(root, STEPS)
    known = compared_modalities(root)
    if modality is None:
        return known
    if modality not in known:
        raise RecipeError(
            "modality",
            f"{modality} is compared with nothing",
            "heights, masks and what follows another modality have no misfit of their own.",
            f"Use one of {', '.join(known)}, or leave --modality out for all of them.",
        )
    return [modality]


def _read(path: Path, bbox: BBox | None) -> geopandas.GeoDataFrame:
    if bbox is None:
        return geopandas.read_parquet(path)
    # Only files with the covering of GeoParquet 1.1 can skip row groups; the answer is the same.
    geo = json.loads((pq.read_schema(path).metadata or {}).get(b"geo", b"{}"))
    column = geo.get("columns", {}).get(geo.get("primary_column"), {})
    frame = geopandas.read_parquet(path, bbox=bbox if "covering" in column else None)
    return frame[frame.geometry.intersects(box(*bbox))]


def _numbers(frame: geopandas.GeoDataFrame, columns: list[str]) -> NDArray[np.float64]:
    """Return `(rows, columns)`, NaN where the table has no number or no such column."""
    numbers = frame.reindex(columns=columns).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(numbers)


def _smallest(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest number of each row, NaN where any is unknown."""
    return np.asarray(numbers.min(axis=1, initial=np.inf))


def _largest(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest known number of each row, NaN where none is known."""
    return np.asarray(np.fmax.reduce(numbers, axis=1))


def _rows_with_steps(path: Path, names: list[str], span: Span | None) -> NDArray[np.int64]:
    """Return the rows with at least one done step of these modalities, acquired in a span."""
    wanted = pc.field("modality").isin(pa.array(names, pa.string()))
    wanted &= pc.field("status") == Status.DONE.value
    if span is not None:
        unit = pa.timestamp("us", tz="UTC")
        wanted &= pc.field("datetime") >= pa.scalar(span.start, unit)
        wanted &= pc.field("datetime") < pa.scalar(span.end, unit)
    return np.asarray(pq.read_table(path, columns=["row"], filters=wanted)["row"])


def _distances(frame: geopandas.GeoDataFrame, place: tuple[float, float]) -> NDArray[np.float64]:
    """Return the angle between each sample's middle and a place [radians]; inf without a place."""
    bounds = np.radians(frame.geometry.bounds.to_numpy())
    lon, lat = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    lon0, lat0 = np.radians(place)
    a = np.sin((lat - lat0) / 2) ** 2 + np.cos(lat) * np.cos(lat0) * np.sin((lon - lon0) / 2) ** 2
    return np.asarray(np.nan_to_num(2 * np.arcsin(np.sqrt(np.clip(a, 0, 1))), nan=np.inf))
