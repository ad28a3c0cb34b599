"""The conductor: from a plan to a finished store, with tables, card and report.

A task counts as done when its shards are on disk, synced and renamed, and its row is in the ledger;
whatever a crash leaves between the two is done again.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from eodata import resources
from eodata.build.executor import DaskExecutor, Executor, ThreadExecutor
from eodata.build.loop import Progress, Settings, TaskLoop, tasks_left
from eodata.build.prepare import Prepared
from eodata.build.report import BuildReport, count_failures, count_outcomes
from eodata.build.target import check_target, lay_out, lock_target, remove_store
from eodata.build.work import Job
from eodata.catalog.describe import make_card, write_card
from eodata.catalog.index import register
from eodata.core.errors import InterruptedBuildError, StoreError
from eodata.core.outcome import Cost
from eodata.core.plan import Plan
from eodata.store import files
from eodata.store.label_files import LABELS
from eodata.store.ledger import SqliteLedger
from eodata.store.tables import write_tables


def build(prepared: Prepared, root: Path, settings: Settings) -> BuildReport:
    """Build a plan into a store, going on where an earlier run stopped.

    Raises:
        StoreError: The folder holds something else, or the disk refuses.
        InterruptedBuildError: Ctrl-C; everything finished is kept.
    """
    started = time.monotonic()
    root = root.resolve()
    plan = prepared.plan
    check_target(root, plan, force=settings.force)
    with lock_target(root):
        if settings.force:
            remove_store(root)
        lay_out(root, plan)
        used = {modality.provider for modality in plan.modalities.values()}
        locations = {k: v for k, v in prepared.locations.items() if k in used}
        job = Job(str(root), plan.digest, tuple(sorted(locations.items())))
        with SqliteLedger(root) as ledger:
            n_run = _run_all(job, plan, ledger, settings)
            write_tables(root, plan, ledger.outcomes())
            write_card(root, make_card(root, plan, resources.products(), datetime.now(UTC)))
            ended = _Ended(
                *count_outcomes(outcome for _, outcome in ledger.outcomes()),
                *count_failures(ledger.failures()),
                ledger.cost(),
            )
        return _report(root, plan, ended, n_run, started, _register(root))


class _Ended(NamedTuple):
    """What the ledger says at the end: outcomes by status and reason, tasks with failures."""

    by_status: dict[str, int]
    by_reason: dict[str, int]
    retryable: int
    permanent: int
    cost: Cost


def _register(root: Path) -> str:
    """Put the store on the list of built stores, and return what went wrong: nothing, mostly."""
    try:
        register(root)
    except StoreError as error:
        return f"the store is complete, but not on the list of stores: {error}"
    return ""


def _run_all(job: Job, plan: Plan, ledger: SqliteLedger, settings: Settings) -> int:
    todo = tasks_left(plan, ledger, Path(job.root))
    settings.on_progress(Progress(len(plan.tasks) - len(todo), len(plan.tasks), 0, ""))
    if not todo:
        return 0
    files.remove_tree(Path(job.root) / LABELS)  # counted from pixels that may change now
    executor: Executor
    if settings.scheduler:
        executor = DaskExecutor.connect(job, settings.scheduler)
    else:
        executor = ThreadExecutor(job, settings.workers)
    run = TaskLoop(plan, ledger, executor, settings, deque(todo), done=len(plan.tasks) - len(todo))
    try:
        run.to_the_end()
    except KeyboardInterrupt:
        run.drain()
        raise InterruptedBuildError(
            job.root,
            f"stopped by Ctrl-C, {run.done} of {len(plan.tasks)} tasks are done",
            "everything finished is kept.",
            f"Run the same command again{' without --force' if settings.force else ''} to go on.",
        ) from None
    finally:
        run.drain()
    return len(todo)


def _report(
    root: Path,
    plan: Plan,
    ended: _Ended,
    n_run: int,
    started: float,
    warning: str,
) -> BuildReport:
    on_disk = [path for path in root.rglob("*") if path.is_file() and path.name != files.LOCK]
    return BuildReport(
        store=str(root),
        digest=plan.digest,
        samples=len(plan.patches),
        tasks=len(plan.tasks),
        tasks_run=n_run,
        outcomes=ended.by_status,
        reasons=ended.by_reason,
        retryable=ended.retryable,
        permanent=ended.permanent,
        max_failed=plan.recipe.checks.max_failed,
        files=len(on_disk),
        bytes=sum(path.stat().st_size for path in on_disk),
        seconds=round(time.monotonic() - started, 3),
        requests=ended.cost.requests,
        retried=ended.cost.retried,
        warning=warning,
        synthetic=plan.synthetic,
    )
