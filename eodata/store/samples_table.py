"""`samples.parquet`: one row per sample, with its ground, its split, and how it ended."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eodata.core.outcome import Status
from eodata.core.plan import Plan
from eodata.core.recipe_modality import SourceModality
from eodata.store.arrays import authority_code
from eodata.store.outcome_grid import NOT_BUILT, OutcomeGrid
from eodata.store.steps_table import acquisitions, whole_span

TEXT = pd.StringDtype(na_value=np.nan)
TIME = "datetime64[us, UTC]"


def samples_frame(plan: Plan, grid: OutcomeGrid) -> gpd.GeoDataFrame:
    """Return the table, ordered by row."""
    verdicts = _verdicts(plan, grid)
    columns: dict[str, Any] = {
        **_identity(plan),
        "status": pd.array([status for status, _ in verdicts], TEXT),
        "reason": pd.array([reason for _, reason in verdicts], TEXT),
        **_time(plan),
        "licence": pd.array([plan.recipe.licence] * len(plan.patches), TEXT),
        **_ground(plan),
        "eo:cloud_cover": _cloud_cover(plan, grid),
        **_quality(plan, grid),
    }
    footprints = [patch.footprint for patch in plan.patches]
    return gpd.GeoDataFrame(columns, geometry=footprints, crs="EPSG:4326")


def _identity(plan: Plan) -> dict[str, Any]:
    patches, placed = plan.patches, plan.placed
    return {
        "id": pd.array([p.id for p in patches], TEXT),
        "row": np.arange(len(patches), dtype=np.int64),
        "area": pd.array([p.area for p in patches], TEXT),
        "season": pd.array([plan.areas[p.area].season for p in patches], TEXT),
        "scene": pd.array([plan.areas[p.area].scene for p in patches], TEXT),
        "region": pd.array([plan.areas[p.area].region for p in patches], TEXT),
        "split": pd.array([p.split for p in placed], TEXT),
        "cell": pd.array([p.cell for p in placed], TEXT),
    }


def _time(plan: Plan) -> dict[str, Any]:
    spans = [whole_span(plan, patch.area) for patch in plan.patches]
    return {
        "start_datetime": pd.DatetimeIndex([s.start for s in spans]).astype(TIME),
        "end_datetime": pd.DatetimeIndex([s.end for s in spans]).astype(TIME),
    }


def _ground(plan: Plan) -> dict[str, Any]:
    patches = plan.patches
    code = lru_cache(authority_code)
    return {
        "crs": pd.array([p.crs for p in patches], TEXT),
        "proj:code": pd.array([code(p.crs) for p in patches], TEXT),
        "proj:bbox": [[p.left, p.top - p.size, p.left + p.size, p.top] for p in patches],
        "left": np.array([p.left for p in patches], np.float64),
        "top": np.array([p.top for p in patches], np.float64),
        "size": np.array([p.size for p in patches], np.float64),
    }


def _verdicts(plan: Plan, grid: OutcomeGrid) -> list[tuple[str, str]]:
    """Return status and reason of each sample: failed comes before rejected before done."""
    failed = grid.is_status(Status.FAILED)
    built: NDArray[np.bool_] = np.any(grid.seen > 0, axis=1)
    found = []
    for row, refused in enumerate(_refusals(plan, grid)):
        if not built[row]:
            found.append((Status.FAILED.value, NOT_BUILT))
        elif failed[row].any():
            found.append((Status.FAILED.value, _told(grid, row, int(failed[row].argmax()))))
        else:
            found.append(((Status.REJECTED if refused else Status.DONE).value, refused))
    return found


def _refusals(plan: Plan, grid: OutcomeGrid) -> list[str]:
    """Return for each sample why a rule leaves it out, `""` when none does."""
    rejected, done = grid.is_status(Status.REJECTED), grid.is_status(Status.DONE)
    static = [grid.slots[m.name].start for m in plan.modalities.values() if m.static]
    leading = _leading(plan, grid)
    slots = [slot for _, s in leading for slot in range(s.start, s.stop)]
    barren: NDArray[np.bool_] = ~np.any(done[:, slots], axis=1) & bool(slots)
    names = ", ".join(name for name, _ in leading)
    found = []
    for row, placed in enumerate(plan.placed):
        reasons = [placed.rejected]
        reasons += [_told(grid, row, slot) for slot in static if rejected[row, slot]]
        if barren[row]:
            reasons.append(f"no step of {names} is done, {_told(grid, row, slots[0])}")
        found.append(next((reason for reason in reasons if reason), ""))
    return found


def _leading(plan: Plan, grid: OutcomeGrid) -> list[tuple[str, slice]]:
    """Return the modalities of which one must have a step: the anchor, or else all series."""
    series = [name for name, modality in plan.modalities.items() if not modality.static]
    anchor = anchor_of(plan)
    return [(name, grid.slots[name]) for name in ([anchor] if anchor in series else series)]


def anchor_of(plan: Plan) -> str:
    """Return the modality that leads the dates, `""` without one."""
    for name, modality in plan.recipe.modalities.items():
        if isinstance(modality, SourceModality) and modality.anchor:
            return name
    return ""


def _told(grid: OutcomeGrid, row: int, slot: int) -> str:
    name = next(n for n, s in grid.slots.items() if s.start <= slot < s.stop)
    slots = grid.slots[name]
    step = f" step {slot - slots.start}" if slots.stop - slots.start > 1 else ""
    return f"{name}{step}: {grid.reason_at(row, slot)}"


def _quality(plan: Plan, grid: OutcomeGrid) -> dict[str, Any]:
    """Return per modality how many steps are done, their mean fractions, the largest misfit."""
    columns: dict[str, Any] = {}
    for name, slots in grid.slots.items():
        done = grid.is_status(Status.DONE)[:, slots]
        columns[f"{name}:done"] = done.sum(axis=1, dtype=np.int64)
        columns[f"{name}:valid"] = _mean(grid.valid[:, slots], done)
        if plan.modalities[name].is_mask:
            columns[f"{name}:marked"] = _mean(grid.marked[:, slots], done)
        if plan.modalities[name].alignment:
            columns[f"{name}:shift"] = _largest_shift(grid, slots, done)
    return columns


def _largest_shift(grid: OutcomeGrid, slots: slice, done: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the largest measured misfit of the done steps [px], NaN where none is measured."""
    lengths = np.hypot(grid.shifts[:, slots, 0], grid.shifts[:, slots, 1]).astype(np.float64)
    found = np.where(done & ~np.isnan(lengths), lengths, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(found), found, np.nan)


def _cloud_cover(plan: Plan, grid: OutcomeGrid) -> NDArray[np.float64]:
    """Return the mean cloud cover of the done steps [%], NaN where nothing tells.

    A mask over time that marks clouds measures it on the patch itself; without one it is
    what the archive states for the items of the anchor.
    """
    done = grid.is_status(Status.DONE)
    for name, modality in plan.modalities.items():
        if modality.marks_cloud and not modality.static:
            slots = grid.slots[name]
            return 100.0 * _mean(grid.marked[:, slots], done[:, slots])
    anchor = anchor_of(plan)
    if not anchor:
        return np.full(len(plan.patches), np.nan)
    by_area = {area: _stated_cloud(plan, anchor, area) for area in {p.area for p in plan.patches}}
    stated = np.array([by_area[p.area] for p in plan.patches], np.float64)
    return _mean(stated, done[:, grid.slots[anchor]])


def _stated_cloud(plan: Plan, name: str, area: str) -> list[float]:
    """Return the cloud cover per step that the archive states [%], NaN where it does not."""
    if plan.is_composite(name):  # what its images state is no cloud cover of the composite
        return [np.nan] * plan.n_steps(name)
    found = [acquisitions(plan, name, area, step) for step in range(plan.n_steps(name))]
    clouds = [one[0].cloud if one else None for one in found]
    return [np.nan if cloud is None else cloud for cloud in clouds]


def _mean(numbers: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean of each row over the known numbers where `where` is True, NaN for none."""
    used = where & ~np.isnan(numbers)
    count = used.sum(axis=1)
    total = np.where(used, numbers, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
