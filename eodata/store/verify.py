"""Prove that a store is what its plan and its ledger say, down to the last pixel."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import StoreError
from eodata.core.outcome import ShardFile, Status
from eodata.core.patch import Patch
from eodata.core.plan import Plan, Task
from eodata.core.split import smallest_distance
from eodata.store.arrays import group_attributes, metadata
from eodata.store.compare_tables import label_problems, table_problems
from eodata.store.files import DATA, PARTIAL, is_store, read_json, read_plan
from eodata.store.ledger import SqliteLedger
from eodata.store.outcome_grid import NOT_BUILT, STATUSES, OutcomeGrid, outcome_grid
from eodata.store.reader import StoreReader
from eodata.store.shift_check import shift_problems, shift_summary
from eodata.store.sink import shard_paths

FRACTION_TOLERANCE = 1e-9
DISTANCE_TOLERANCE_M = 0.01
OVERLAP_TOLERANCE = 1e-6  # of a patch's edge
COPY = "Copy the store again, or remove the file and run the build again."


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: True when nothing was wrong.
        detail: The first problem with its place, and how many more there are; when ok, what was
            found, mostly `""`.
    """

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        checks: In the order in which they ran.
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True when every check passed."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class _Evidence:
    root: Path
    quick: bool
    plan: Plan
    grid: OutcomeGrid
    shards: dict[str, ShardFile]


def verify(root: Path, *, quick: bool = False) -> Verdict:
    """Check a store against its plan and its ledger. Nothing is changed.

    Args:
        root: The store.
        quick: Look at sizes only: neither checksums nor pixels.

    Raises:
        StoreError: The folder is no store at all.
    """
    if not is_store(root):
        raise StoreError(
            str(root), "this is no eodata store", "", "Give a folder that `eodata build` has made."
        )
    try:
        plan = read_plan(root)
    except StoreError as error:
        return Verdict((Check("plan", False, str(error)),))
    first = Check("plan", True)
    try:
        with SqliteLedger(root, readonly=True) as ledger:
            grid = outcome_grid(plan, ledger.outcomes())
            shards = {shard.path: shard for shard in ledger.shards()}
    except StoreError as error:
        return Verdict((first, Check("ledger", False, str(error))))
    evidence = _Evidence(root, quick, plan, grid, shards)
    checks = (_run(name, check, evidence) for name, check in _CHECKS)
    summary = shift_summary(plan, grid)
    return Verdict((first, *checks, _run("shifts", _shifts, evidence, summary)))


def _run(
    name: str,
    check: Callable[[_Evidence], Iterator[str]],
    evidence: _Evidence,
    summary: str = "",
) -> Check:
    problems: list[str] = []
    try:
        problems.extend(check(evidence))
    except StoreError as error:
        problems.append(str(error))
    if not problems:
        return Check(name, True, summary)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Check(name, False, problems[0] + more)


def _arrays(evidence: _Evidence) -> Iterator[str]:
    """The group follows the plan, and the arrays mean what the plan says."""
    stated = group_attributes(evidence.root).get("plan_digest")
    if stated != evidence.plan.digest:
        yield f"{DATA} states plan {stated}, plan.json is {evidence.plan.digest}"
    for key, expected in metadata(evidence.plan).items():
        found = read_json(evidence.root / DATA / key, COPY)
        if _meaning(found) != _meaning(json.loads(expected)):
            yield f"{DATA}/{key} is not what the plan says"


def _meaning(document: object) -> object:
    """Return what counts in a metadata document; the text of WKT changes with PROJ."""
    if not isinstance(document, dict):
        return document
    attributes = {k: v for k, v in document["attributes"].items() if k != "crs_wkt"}
    keys = ("node_type", "shape", "data_type", "fill_value", "chunk_grid", "dimension_names")
    return attributes, [document.get(key) for key in keys]


def _outcomes(evidence: _Evidence) -> Iterator[str]:
    """Every (sample, modality, step) has exactly one outcome, and done means pixels."""
    grid, names = evidence.grid, evidence.grid.slot_names()
    for row, slot in np.argwhere(grid.seen != 1):
        yield f"{_at(names, row, slot)}: {grid.seen[row, slot]} outcomes instead of 1"
    hollow = grid.is_status(Status.DONE) & (grid.valid == 0)
    for row, slot in np.argwhere(hollow):
        yield f"{_at(names, row, slot)}: done without a valid pixel"
    ghosts = (grid.is_status(Status.FAILED) | grid.is_status(Status.EMPTY)) & (grid.valid > 0)
    for row, slot in np.argwhere(ghosts):
        yield f"{_at(names, row, slot)}: {STATUSES[grid.status[row, slot]]}, with valid pixels"


def _shards(evidence: _Evidence) -> Iterator[str]:
    """Every shard of the plan is known to the ledger, and is the file that the ledger knows."""
    for task in evidence.plan.tasks:
        for path in shard_paths(task, evidence.plan.layout(task.modality)):
            if path not in evidence.shards:
                yield f"{path}: task {task.id} has not written it ({NOT_BUILT})"
    for path, shard in evidence.shards.items():
        problem = _shard_problem(evidence.root / path, shard, evidence.quick)
        if problem:
            yield f"{path}: {problem}. {COPY}"


def _shard_problem(path: Path, shard: ShardFile, quick: bool) -> str:
    if not path.is_file():
        return "the file is missing" if shard.sha256 else ""
    if not shard.sha256:
        return "there is a file, the ledger knows of fill only"
    size = path.stat().st_size
    if size != shard.size:
        return f"{size} bytes, the ledger says {shard.size}"
    if quick:
        return ""
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    return "" if found == shard.sha256 else f"sha256 {found[:12]}, ledger {shard.sha256[:12]}"


def _strays(evidence: _Evidence) -> Iterator[str]:
    """No file among the shards that nobody accounts for, and none half-written."""
    known = {f"{DATA}/{key}" for key in metadata(evidence.plan)} | set(evidence.shards)
    for path in sorted(evidence.root.rglob("*")):
        place = path.relative_to(evidence.root).as_posix()
        if path.is_dir():
            continue
        if place.endswith(PARTIAL):
            yield f"{place}: left by a killed run; run the build again to sweep it away"
        elif place.startswith(f"{DATA}/") and place not in known:
            yield f"{place}: no task of the plan writes this file"


def _tables(evidence: _Evidence) -> Iterator[str]:
    """The tables say what plan and ledger say, row by row."""
    return table_problems(evidence.root, evidence.plan, evidence.grid)


def _labels(evidence: _Evidence) -> Iterator[str]:
    """The labels of whole samples are those that the pixels give."""
    return label_problems(evidence.root, evidence.plan, evidence.grid, quick=evidence.quick)


def _pixels(evidence: _Evidence) -> Iterator[str]:
    """Every shard decodes, and its valid pixels are those that the tables count."""
    if evidence.quick:
        return
    reader = StoreReader(evidence.root)
    for task in evidence.plan.tasks:
        try:
            yield from _task_pixels(evidence, reader, task)
        except StoreError as error:
            yield f"task {task.id}: {error}"


def _task_pixels(evidence: _Evidence, reader: StoreReader, task: Task) -> Iterator[str]:
    block = evidence.plan.blocks[task.block]
    rows = slice(block.first_row, block.first_row + block.size)
    values, valid = reader.read_block(task.modality, rows, slice(task.first, task.last))
    n, start = len(block.patches), evidence.grid.slots[task.modality].start
    stated = evidence.grid.valid[rows, start + task.first : start + task.last]
    counted = valid.mean(axis=(2, 3))
    where = f"of {task.modality} in the store"
    for i, t in np.argwhere(np.abs(counted[:n] - stated) > FRACTION_TOLERANCE):
        row, step = block.first_row + i, task.first + t
        yield (
            f"row {row}, step {step}: {counted[i, t]:.6f} of the pixels {where} are valid, "
            f"the tables say {stated[i, t]:.6f}"
        )
    if counted[n:].any():
        yield f"rows from {block.first_row + n}: valid pixels {where} where no patch is"
    if _has_nan(values, valid):
        yield f"rows from {block.first_row}: valid pixels {where} that are NaN"


def _has_nan(values: NDArray[np.generic], valid: NDArray[np.bool_]) -> bool:
    if not np.issubdtype(values.dtype, np.floating):
        return False
    return bool((np.isnan(values).any(axis=2) & valid).any())


def _splits(evidence: _Evidence) -> Iterator[str]:
    """No two patches of different splits overlap, or lie nearer than the recipe allows."""
    spec = evidence.plan.recipe.split
    if spec is None:
        return
    kept = [
        (patch, placed.split)
        for patch, placed in zip(evidence.plan.patches, evidence.plan.placed, strict=True)
        if not placed.rejected
    ]
    patches, splits = [patch for patch, _ in kept], [split for _, split in kept]
    found = smallest_distance(patches, splits)
    if found is not None and found < spec.min_distance - DISTANCE_TOLERANCE_M:
        near = _first_offender(patches, splits, found)
        yield (
            f"patch {patches[near].id}: too near to another split; the smallest distance is "
            f"{found:.0f} m, the recipe wants {spec.min_distance:.0f} m"
        )
    # Patches that only touch are 0 m apart as well: a hair smaller, only those that overlap are.
    shrunken = [_shrunken(patch) for patch in patches] if found == 0.0 else []
    if smallest_distance(shrunken, splits[: len(shrunken)]) == 0.0:
        overlap = _first_offender(shrunken, splits, 0.0)
        yield f"patch {patches[overlap].id} overlaps a patch of another split"


def _shifts(evidence: _Evidence) -> Iterator[str]:
    """No done step lies further from its reference than the recipe allows."""
    return shift_problems(evidence.plan, evidence.grid)


def _first_offender(patches: list[Patch], splits: list[str], smallest: float) -> int:
    """Return the first patch that, with those before it, brings about the smallest distance."""

    def reached(n: int) -> bool:
        found = smallest_distance(patches[:n], splits[:n])
        return found is not None and found <= smallest

    return bisect_left(range(1, len(patches) + 1), True, key=reached)


def _shrunken(patch: Patch) -> Patch:
    hair = OVERLAP_TOLERANCE * patch.size
    return replace(patch, left=patch.left + hair, top=patch.top - hair, size=patch.size - 2 * hair)


def _at(names: list[tuple[str, int]], row: int, slot: int) -> str:
    modality, step = names[slot]
    return f"row {row}, {modality} step {step}"


_CHECKS: tuple[tuple[str, Callable[[_Evidence], Iterator[str]]], ...] = (
    ("arrays", _arrays),
    ("outcomes", _outcomes),
    ("shards", _shards),
    ("strays", _strays),
    ("tables", _tables),
    ("pixels", _pixels),
    ("labels", _labels),
    ("splits", _splits),
)
