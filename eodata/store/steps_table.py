"""`steps.parquet`: one row per (sample, modality, step), as columns, never row by row.

All patches of an area share dates and items, so these are worked out once per area and slot and
then spread over the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eodata.core.item import Acquisition
from eodata.core.plan import Plan
from eodata.core.span import Span
from eodata.store.outcome_grid import STATUSES, OutcomeGrid

UTC_TIME = pa.timestamp("us", tz="UTC")

# Column, type, and the property of the first item that fills it.
_STATED = (
    ("platform", pa.string(), "platform"),
    ("relative_orbit", pa.int64(), "sat:relative_orbit"),
    ("orbit_state", pa.string(), "sat:orbit_state"),
    ("incidence_angle", pa.float64(), "view:incidence_angle"),
    ("sun_elevation", pa.float64(), "view:sun_elevation"),
    ("sun_azimuth", pa.float64(), "view:sun_azimuth"),
)
_CHOSEN = pa.schema(
    [
        ("start", UTC_TIME),
        ("end", UTC_TIME),
        ("datetime", UTC_TIME),
        ("items", pa.list_(pa.string())),
        *((column, kind) for column, kind, _ in _STATED),
        ("cloud_cover", pa.float64()),
    ]
)


def steps_table(plan: Plan, grid: OutcomeGrid) -> pa.Table:
    """Return the table, ordered by row, then modality in the plan's order, then step."""
    rows, slots = grid.status.shape
    names, steps = zip(*grid.slot_names(), strict=True)
    chosen, first = _chosen(plan, grid)
    columns = {
        "id": _text(np.repeat(np.arange(rows), slots), [p.id for p in plan.patches]),
        "row": pa.array(np.repeat(np.arange(rows), slots)),
        "modality": _text(np.tile(np.arange(slots), rows), names),
        "step": pa.array(np.tile(np.asarray(steps, np.int64), rows)),
        **_columns(chosen.take(pa.array((first[:, None] + np.arange(slots)).ravel()))),
        "status": _text(grid.status.ravel(), STATUSES),
        "reason": _text(grid.reason.ravel(), grid.reasons),
        "valid": pa.array(grid.valid.ravel()),
        "marked": pa.array(grid.marked.ravel(), mask=np.isnan(grid.marked.ravel())),
        "clipped": pa.array(grid.clipped.ravel()),
        "measured": _told(grid, grid.measured),
        **_shifts(grid),
    }
    return pa.table(columns)


def _shifts(grid: OutcomeGrid) -> dict[str, pa.Array]:
    """Return how far pixels lie from their reference, in pixels; null where nothing tells."""
    row, col, error, confidence, moved_row, moved_col = np.moveaxis(grid.shifts, -1, 0)
    numbers = {
        "shift": np.hypot(row, col),
        "shift_row": row,
        "shift_col": col,
        "shift_error": error,
        "shift_confidence": confidence,
        "moved_row": moved_row,
        "moved_col": moved_col,
    }
    return {
        **{key: pa.array(n.ravel(), mask=np.isnan(n).ravel()) for key, n in numbers.items()},
        "shift_to": _told(grid, grid.shift_texts[..., 0]),
        "shift_why": _told(grid, grid.shift_texts[..., 1]),
    }


def _told(grid: OutcomeGrid, codes: NDArray[np.int32]) -> pa.Array:
    """Return texts by their positions in `grid.told`, null for the empty one."""
    where = pa.array(codes.ravel(), mask=codes.ravel() == 0)
    return pa.DictionaryArray.from_arrays(where, pa.array(grid.told)).dictionary_decode()


def acquisitions(plan: Plan, modality: str, area: str, step: int) -> tuple[Acquisition, ...]:
    """Return what fills a step of an area: none for a gap, several for a composite."""
    chosen = plan.choice(modality, area, step)
    return tuple(Acquisition(tuple(plan.items[i] for i in one)) for one in chosen.acquisitions)


def whole_span(plan: Plan, area: str) -> Span:
    """Return the time of an area."""
    return plan.areas[area].time or plan.recipe.time.span


def _chosen(plan: Plan, grid: OutcomeGrid) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the facts of each (area, slot), and for each patch the line where its area begins."""
    areas = list(dict.fromkeys(patch.area for patch in plan.patches))
    lines = [line for area in areas for line in _lines_of(plan, area, grid)]
    columns = zip(*lines, strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, _CHOSEN, strict=True)]
    begin = {area: number * grid.status.shape[1] for number, area in enumerate(areas)}
    first = np.array([begin[patch.area] for patch in plan.patches], np.int64)
    return pa.table(arrays, schema=_CHOSEN), first


def _lines_of(plan: Plan, area: str, grid: OutcomeGrid) -> Iterator[tuple[Any, ...]]:
    spans = plan.spans(area)
    for name, step in grid.slot_names():
        span = whole_span(plan, area) if plan.modalities[name].static else spans[step]
        found = acquisitions(plan, name, area, step)
        yield span.start, span.end, *_facts(found, composite=plan.is_composite(name))


def _facts(found: Sequence[Acquisition], *, composite: bool) -> tuple[Any, ...]:
    """Return date, items and facts; of a composite only the items, for it has no one date."""
    ids = [item.id for one in found for item in one.items]
    if not found or composite:
        return None, ids, *(None for _ in _STATED), None
    stated = found[0].items[0].properties
    when: datetime = found[0].datetime
    values = (_as(kind, stated.get(key)) for _, kind, key in _STATED)
    return when, ids, *values, found[0].cloud


def _as(kind: pa.DataType, value: object) -> object:
    """Return a property in the column's type; archives write numbers as text at times."""
    if value is None:
        return None
    if pa.types.is_string(kind):
        return str(value)
    try:
        number = float(str(value))
    except ValueError:
        return None
    return int(number) if pa.types.is_integer(kind) else number


def _text(codes: NDArray[np.integer], words: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(codes, pa.array(words, pa.string())).dictionary_decode()


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))
