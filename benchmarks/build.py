"""How fast a dataset is built, and where the time goes: a miniature of sen12ms-cr-ts.

Usage: python -m benchmarks.build [--scale TEXT] [--recipe NAME]

The sandbox's STAC server runs in a process of its own and has made every tile before the clock
starts, so what is measured is the build: read, warp, mask, compress, write. Rates are those of
local threads and of a Dask cluster of two processes. The stages are those of one worker, each
without what it calls of the others; its sum is the time of all tasks.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import LocalCluster

from eodata.build.conductor import build
from eodata.build.locations import Wish
from eodata.build.loop import Settings
from eodata.build.prepare import Prepared, prepare
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.serve.assembly import ArchiveServer

STAGES = {
    "task": ("eodata.build.executor", "work"),
    "fetch and wait": ("eodata.providers.stac", "StacProvider.read"),
    "warp": ("eodata.providers.raster_read", "read_onto"),
    "decode": ("eodata.providers.warp", "_read_window"),
    "harmonise": ("eodata.build.acquire", "harmonise"),
    "offset guard": ("eodata.build.acquire", "judge_offset"),
    "cloud score": ("eodata.build.best_pixels", "cloud_score"),
    "shadows": ("eodata.build.best_pixels", "shadow_score"),
    "quality": ("eodata.build.best_pixels", "quality_score"),
    "best of": ("eodata.build.best_pixels", "best_of"),
    "reference of shifts": ("eodata.build.comparing", "reference_of"),
    "shifts": ("eodata.build.reference", "measure_shift"),
    "mask": ("eodata.build.deriving", "derive"),
    "compress": ("eodata.store.sink", "encode_shard"),
    "write and sync": ("eodata.store.sink", "write_bytes"),
}
"""Where each stage is called, so that it can be timed there."""


class Stopwatch:
    """Adds up the time of stages, each without the stages inside it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside = threading.local()

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same function, timed."""

        def timed(*args: Any, **more: Any) -> Any:
            stack: list[float] = self._inside.__dict__.setdefault("stack", [])
            started = time.perf_counter()
            stack.append(0.0)
            try:
                return work(*args, **more)
            finally:
                spent = time.perf_counter() - started
                self.seconds[stage] += spent - stack.pop()
                if stack:
                    stack[-1] += spent

        return timed


@contextmanager
def stages_timed() -> Iterator[Stopwatch]:
    """Time the stages of everything that runs in this process meanwhile."""
    watch, before = Stopwatch(), []
    for stage, (module, path) in STAGES.items():
        holder: Any = importlib.import_module(module)
        *owners, name = path.split(".")
        for owner in owners:
            holder = getattr(holder, owner)
        before.append((holder, name, getattr(holder, name)))
        setattr(holder, name, watch.timed(stage, getattr(holder, name)))
    try:
        yield watch
    finally:
        for holder, name, work in before:
            setattr(holder, name, work)


def seconds_of(prepared: Prepared, folder: Path, **settings: Any) -> float:
    """Build once into an empty folder and return the wall time [s]."""
    root = folder / "store"
    shutil.rmtree(root, ignore_errors=True)
    started = time.perf_counter()
    report = build(prepared, root, Settings(**settings))
    spent = time.perf_counter() - started
    assert report.exit_code in (0, 9), report.reasons
    return spent


def rates(prepared: Prepared, seconds: float) -> str:
    """Return samples of one step per second, and MB of numbers per second."""
    plan = prepared.plan
    images = len(plan.patches) * plan.recipe.time.steps
    size = sum(
        plan.layout(name).shard_bytes * plan.layout(name).n_shards for name in plan.modalities
    )
    rows = len(plan.blocks) * plan.recipe.store.block
    return f"{images / seconds:.1f} | {size * len(plan.patches) / rows / seconds / 1e6:.0f}"


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="sen12ms-cr-ts")
    parser.add_argument("--scale", default="areas=2 side=20480 steps=2")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as text, ArchiveServer(SandboxSettings(seed=1)) as server:
        folder = Path(text)
        os.environ["EODATA_HOME"] = str(folder / "home")
        wish = Wish(asked.recipe, "stac", endpoints=(f"stac={server.api}",), scale=asked.scale)
        prepared = prepare(wish)
        first = seconds_of(prepared, folder, workers=2)
        print(f"{len(prepared.plan.patches)} samples; with the server's making: {first:.1f} s\n")
        print("| how | s | samples x steps per s | MB/s |\n|---|---|---|---|")
        for workers in (1, 2, 4):
            spent = seconds_of(prepared, folder, workers=workers)
            print(f"| {workers} threads | {spent:.1f} | {rates(prepared, spent)} |")
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            spent = seconds_of(prepared, folder, workers=1, scheduler=cluster.scheduler_address)
        print(f"| Dask, 2 processes | {spent:.1f} | {rates(prepared, spent)} |")
        with stages_timed() as watch:
            seconds_of(prepared, folder, workers=1)
        total = sum(watch.seconds.values())
        print("\n| stage of one worker | s | share |\n|---|---|---|")
        for stage, spent in watch.seconds.most_common():
            print(f"| {stage} | {spent:.2f} | {spent / total:.0%} |")


if __name__ == "__main__":
    main()
