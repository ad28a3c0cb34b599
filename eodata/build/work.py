"""What a worker does: read one task, or derive it, and write its shards.

The same function runs in a thread here and in a process on another machine: it gets names and
paths, and opens plan, providers and sink itself, once per process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eodata.build.acquire import ContradictedError, read_acquisition
from eodata.core.errors import ProviderError, StoreError
from eodata.core.grid import place_in, window_of
from eodata.core.outcome import FREE, Cost, Outcome, Status, TaskResult
from eodata.core.plan import ModalityPlan, Plan, Task
from eodata.core.protocols import Provider
from eodata.pipeline.derive import class_mask
from eodata.providers.registry import open_provider
from eodata.store.files import read_plan
from eodata.store.reader import StoreReader
from eodata.store.sink import ZarrSink


@dataclass(frozen=True, slots=True)
class Job:
    """What every task of a build has in common; small, so that it travels with each task.

    Attributes:
        root: The store, on a path that all workers see.
        digest: Of the plan in the store.
        locations: Where each provider is found, as sorted pairs.
    """

    root: str
    digest: str
    locations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one task.

    Attributes:
        task: What to do.
        attempt: 1 for the first.
        last_chance: Retryable errors become failed outcomes instead of another attempt.
        source: Outcomes of the tasks that a derived one needs, those that are not done.
    """

    task: Task
    attempt: int = 1
    last_chance: bool = False
    source: tuple[Outcome, ...] = ()


def work(job: Job, assignment: Assignment) -> TaskResult:
    """Run one task to the end: its shards are on disk when this returns.

    Raises:
        ProviderError: A retryable error, unless this is the last chance.
        StoreError: The disk refuses, or the store holds another plan.
    """
    bench = _workbench(job)
    started = time.monotonic()
    task = assignment.task
    shard = _Shard(bench.plan, task)
    if bench.plan.modalities[task.modality].derive:
        _derive(bench, shard, assignment.source)
    else:
        _read(bench, shard, assignment.last_chance)
    files = bench.sink.write(task, shard.values, shard.valid)
    seconds = time.monotonic() - started
    return TaskResult(task.id, tuple(shard.outcomes), files, seconds, shard.cost)


@dataclass(frozen=True, slots=True)
class _Workbench:
    plan: Plan
    providers: dict[str, Provider]
    sink: ZarrSink
    store: StoreReader


_opening = threading.Lock()


def _workbench(job: Job) -> _Workbench:
    """Return a job's workbench, the same one for all threads, also when they begin at once."""
    with _opening:  # a cache alone would let two of them open everything
        return _open_workbench(job)


@lru_cache(maxsize=4)
def _open_workbench(job: Job) -> _Workbench:
    plan = read_plan(Path(job.root))
    if plan.digest != job.digest:
        raise StoreError(
            job.root,
            f"it holds the plan {plan.digest[:12]}, this build has {job.digest[:12]}",
            "one store holds one plan.",
            "Give the build another --out.",
        )
    names = {m.provider for m in plan.modalities.values() if m.provider}
    providers = {name: open_provider(name, dict(job.locations)) for name in sorted(names)}
    root = Path(job.root)
    return _Workbench(plan, providers, ZarrSink(root, plan), StoreReader(root))


@dataclass(slots=True)
class _Shard:
    """The arrays of one task while they fill."""

    plan: Plan
    task: Task
    values: NDArray[np.generic] = field(init=False)
    valid: NDArray[np.bool_] = field(init=False)
    outcomes: list[Outcome] = field(default_factory=list)
    cost: Cost = FREE

    def __post_init__(self) -> None:
        n, _, c, h, w = self.plan.layout(self.task.modality).shard
        t = self.task.last - self.task.first
        self.values = np.full((n, t, c, h, w), self.modality.fill, self.modality.dtype)
        self.valid = np.zeros((n, t, h, w), np.bool_)

    @property
    def modality(self) -> ModalityPlan:
        return self.plan.modalities[self.task.modality]

    def note(
        self,
        positions: Iterable[int],
        step: int,
        status: Status,
        reason: str,
        *,
        retryable: bool = False,
    ) -> None:
        """Record one outcome without pixels for several samples."""
        first = self.plan.blocks[self.task.block].first_row
        self.outcomes += [
            Outcome(first + p, step, status, reason, retryable=retryable) for p in positions
        ]

    def put(
        self,
        position: int,
        step: int,
        values: NDArray[np.generic],
        valid: NDArray[np.bool_],
        clipped: int = 0,
        marked: float | None = None,
    ) -> None:
        """Place one sample's step `(C, H, W)` and `(H, W)`, and judge it."""
        at = (position, step - self.task.first)
        self.values[at], self.valid[at] = values, valid
        fraction = float(valid.mean())
        status, reason = self._judge(fraction)
        row = self.plan.blocks[self.task.block].first_row + position
        self.outcomes.append(Outcome(row, step, status, reason, fraction, marked, clipped))

    def _judge(self, fraction: float) -> tuple[Status, str]:
        limit = self.plan.recipe.checks.min_valid
        if fraction == 0.0:
            return Status.REJECTED, "no valid pixel"
        if fraction < limit:
            return Status.REJECTED, f"min_valid: {fraction:.4f} of the pixels, limit {limit:g}"
        return Status.DONE, ""


def _read(bench: _Workbench, shard: _Shard, last_chance: bool) -> None:
    block = bench.plan.blocks[shard.task.block]
    for area, positions in block.groups():
        for step in range(shard.task.first, shard.task.last):
            choice = bench.plan.choice(shard.task.modality, area, step)
            if not choice.items:
                shard.note(positions, step, Status.EMPTY, choice.reason)
                continue
            try:
                _read_step(bench, shard, positions, step, choice.items)
            except ContradictedError as error:
                shard.cost += error.cost
                shard.note(positions, step, Status.REJECTED, str(error))
            except ProviderError as error:
                shard.cost += error.cost
                if error.retryable and not last_chance:
                    error.cost = shard.cost
                    raise
                # One line: it becomes a cell of a table.
                reason = "; ".join(line.strip().rstrip(".") for line in str(error).splitlines())
                shard.note(positions, step, Status.FAILED, reason, retryable=error.retryable)


def _read_step(
    bench: _Workbench, shard: _Shard, positions: Sequence[int], step: int, items: Sequence[int]
) -> None:
    modality = shard.modality
    patches = [bench.plan.blocks[shard.task.block].patches[p] for p in positions]
    window = window_of(patches, modality.gsd)
    provider = bench.providers[modality.provider]
    chosen = [bench.plan.items[i] for i in items]
    leader = bench.plan.modalities[modality.leader] if modality.leader else None
    layer = read_acquisition(provider, chosen, modality, window, leader)
    shard.cost += layer.cost
    for position, patch in zip(positions, patches, strict=True):
        rows, cols = place_in(window, patch, modality.gsd)
        clipped = int(layer.clipped[rows, cols].sum())
        shard.put(position, step, layer.values[:, rows, cols], layer.valid[rows, cols], clipped)


def _derive(bench: _Workbench, shard: _Shard, source: Sequence[Outcome]) -> None:
    missing = {(o.row, o.step): o for o in source}
    block, task, modality = bench.plan.blocks[shard.task.block], shard.task, shard.modality
    steps = range(task.first, task.last)
    for position in range(len(block.patches)):
        row = block.first_row + position
        values, valid = bench.store.read(modality.source, row, list(steps))
        mask = class_mask(values, modality.classes)
        for index, step in enumerate(steps):
            lost = missing.get((row, step))
            if lost is not None and not valid[index].any():
                shard.note([position], step, lost.status, lost.reason, retryable=lost.retryable)
                continue
            usable = valid[index]
            marked = float(mask[index, 0][usable].mean()) if usable.any() else None
            shard.put(position, step, mask[index], usable, marked=marked)
