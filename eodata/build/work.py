"""What a worker does: read one task, or derive it, and write its shards.

The same function runs in a thread here and in a process on another machine: it gets names and
paths, and opens plan, providers and sink itself, once per process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, read_acquisition
from eodata.build.best_pixels import Survey, Surveys, best_image, survey
from eodata.build.comparing import compare_step
from eodata.build.composing import Image, Pass, highest_image, median_image, top_image
from eodata.build.deriving import fill_derived
from eodata.build.server_composite import ServerComposite, server_image
from eodata.build.shard import Shard
from eodata.core.choice import Choice
from eodata.core.composite import HighestComposite, MedianComposite, SchmittComposite
from eodata.core.errors import ProviderError, StoreError
from eodata.core.grid import covering, place_in, window_of
from eodata.core.modality_plan import band_position
from eodata.core.outcome import Outcome, Status, TaskResult
from eodata.core.plan import Plan, Task
from eodata.core.protocols import Provider
from eodata.core.recipe_modality import SourceModality
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
    shard = Shard(bench.plan, task)
    if bench.plan.modalities[task.modality].derive:
        fill_derived(bench.plan, bench.store, shard, assignment.source)
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
    surveys: Surveys = field(default_factory=Surveys)


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


def _read(bench: _Workbench, shard: Shard, last_chance: bool) -> None:
    block = bench.plan.blocks[shard.task.block]
    for area, positions in block.groups():
        for step in _in_order(bench.plan, shard.task, area):
            choice = bench.plan.choice(shard.task.modality, area, step)
            if not choice.items:
                shard.note(positions, step, Status.EMPTY, choice.reason)
                continue
            try:
                _read_step(bench, shard, area, positions, step, choice)
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


def _in_order(plan: Plan, task: Task, area: str) -> list[int]:
    """Return the steps of a task, that which the others of an area are compared with first."""
    steps = range(task.first, task.last)
    alignment = plan.modalities[task.modality].alignment
    if alignment is None or alignment.to != task.modality:
        return list(steps)
    reference = plan.reference_step(task.modality, area)
    return sorted(steps, key=lambda step: step != reference)


def _read_step(
    bench: _Workbench, shard: Shard, area: str, positions: Sequence[int], step: int, choice: Choice
) -> None:
    modality = shard.modality
    patches = [bench.plan.blocks[shard.task.block].patches[p] for p in positions]
    window = window_of(patches, modality.gsd)
    passes = [[bench.plan.items[i] for i in one] for one in choice.acquisitions]
    provider = bench.providers[modality.provider]
    comparison = compare_step(bench.plan, bench.store, provider, shard, positions, step)
    moves = comparison.moves(provider, passes)
    shard.cost += moves.cost
    provider = moves.applied(provider)
    if modality.composite:
        image = _compose(bench, provider, shard, area, step, passes, window)
    else:
        leader = bench.plan.modalities[modality.leader] if modality.leader else None
        image = Image(read_acquisition(provider, passes[0], modality, window, leader), None)
    layer = image.layer
    shard.cost += layer.cost
    shifts = comparison.misfits(image, window, moves, passes)
    for position, patch, shift in zip(positions, patches, shifts, strict=True):
        rows, cols = place_in(window, patch, modality.gsd)
        clipped = int(layer.clipped[rows, cols].sum())
        values, valid = layer.values[:, rows, cols], layer.valid[rows, cols]
        measured = image.told(passes, rows, cols) or comparison.told(moves)
        shard.put(position, step, values, valid, clipped, measured=measured, shift=shift)


def _compose(
    bench: _Workbench,
    provider: Provider,
    shard: Shard,
    area: str,
    step: int,
    passes: Sequence[Pass],
    window: GeoBox,
) -> Image:
    modality = shard.modality
    recipe = bench.plan.recipe.modalities[modality.name]
    spec = recipe.composite if isinstance(recipe, SourceModality) else None
    if isinstance(spec, ServerComposite) and spec.made_by == "server":
        image = server_image(provider, passes, modality, window, spec)
        if image is not None:
            return image
    if isinstance(spec, MedianComposite):
        return median_image(provider, passes, modality, window)
    if isinstance(spec, HighestComposite):
        band = band_position(modality.bands, spec.band, "continuous")
        return highest_image(provider, passes, modality, window, band)
    if not isinstance(spec, SchmittComposite):
        return top_image(provider, passes, modality, window)

    def survey_area() -> Survey:
        patches = [patch for patch in bench.plan.patches if patch.area == area]
        reader = bench.providers[modality.provider]
        return survey(reader, passes, modality, spec, covering(patches, spec.survey_gsd))

    known, cost = bench.surveys.get((modality.name, area, step), survey_area)
    shard.cost += cost
    return best_image(provider, passes, modality, spec, window, known.cloudy)
