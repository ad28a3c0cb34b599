"""The conductor: hands out tasks, keeps the ledger, ends with tables, card and report.

It is the only writer of the ledger. A task counts as done when its shards are on disk, synced and
renamed, and its row is in the ledger; whatever a crash leaves between the two is done again.
"""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from eodata import resources
from eodata.build.executor import DaskExecutor, Ended, Executor, ThreadExecutor
from eodata.build.prepare import Prepared
from eodata.build.report import BuildReport, count_outcomes
from eodata.build.retry import RetryPolicy
from eodata.build.work import Assignment, Job
from eodata.catalog.describe import make_card, write_card
from eodata.catalog.index import register
from eodata.core.errors import InterruptedBuildError, ProviderError, StoreError
from eodata.core.outcome import Status, TaskResult
from eodata.core.plan import Plan, Task
from eodata.store import files
from eodata.store.arrays import create_arrays
from eodata.store.ledger import SqliteLedger
from eodata.store.tables import write_tables


@dataclass(frozen=True, slots=True)
class Progress:
    """What the person sees while tasks finish; `task` is the last one, `""` at the start."""

    done: int
    total: int
    bytes_read: int
    task: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How to build, not what.

    Attributes:
        workers: Threads of this process; ignored with a scheduler.
        scheduler: Address of a dask scheduler; `""` uses threads.
        force: Remove a finished or half-finished build first.
        retry: When failed attempts are tried again.
        on_progress: Called once at the start and after each finished task.
        on_stop: Called with the number of running tasks when the build stops early.
    """

    workers: int = 4
    scheduler: str = ""
    force: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    on_progress: Callable[[Progress], None] = lambda _: None
    on_stop: Callable[[int], None] = lambda _: None


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
    with _lock(root):
        if settings.force:
            remove_store(root)
        _lay_out(root, plan)
        job = Job(str(root), plan.digest, tuple(sorted(prepared.locations.items())))
        with SqliteLedger(root) as ledger:
            n_run = _run_all(job, plan, ledger, settings)
            write_tables(root, plan, ledger.outcomes())
            write_card(root, make_card(root, plan, resources.products(), datetime.now(UTC)))
            counts = count_outcomes(outcome for _, outcome in ledger.outcomes())
        return _report(root, plan, counts, n_run, started, _register(root))


def _register(root: Path) -> str:
    """Put the store on the list of built stores, and return what went wrong: nothing, mostly."""
    try:
        register(root)
    except StoreError as error:
        return f"the store is complete, but not on the list of stores: {error}"
    return ""


def check_target(root: Path, plan: Plan, *, force: bool = False) -> None:
    """Refuse a folder that holds something else. Changes nothing.

    Raises:
        StoreError: The folder is no store, or a store of another plan.
    """
    if not root.exists() or (root.is_dir() and not _content(root)):
        return
    if not files.is_store(root):
        raise StoreError(
            str(root),
            "the folder exists and is no eodata store" if root.is_dir() else "this is a file",
            "a build never writes among other people's files.",
            "Give another --out.",
        )
    if force:
        return
    found = files.read_plan(root).digest
    if found != plan.digest:
        raise StoreError(
            str(root),
            f"it holds a build of another plan ({found[:12]}, now {plan.digest[:12]})",
            "the recipe, its limit, or what the archive answers has changed since.",
            "Give another --out, go on as planned with --locked, or start over with --force.",
        )


def remove_store(root: Path) -> None:
    """Remove what eodata wrote into a store, and nothing else.

    The group's metadata goes first and the plan last: whatever a crash leaves is still a store,
    and the next build lays its arrays out anew.
    """
    files.remove_file(root / files.GROUP_METADATA)
    files.remove_tree(root / files.DATA)
    for name in (files.SAMPLES, files.STEPS, files.CARD, *files.LEDGER_FILES, files.PLAN):
        files.remove_file(root / name)


def _content(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.name != files.LOCK]


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Keep other builds out of this folder; the system frees the lock when the process dies."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / files.LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            str(root), "another build is writing here", "one store, one writer.", "Wait for it."
        ) from None
    except OSError as error:
        raise StoreError(
            str(root), f"cannot be written: {error.strerror}", "", "Give another --out."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _lay_out(root: Path, plan: Plan) -> None:
    files.sweep_partials(root)
    files.write_plan(root, plan)
    create_arrays(root, plan)


def _run_all(job: Job, plan: Plan, ledger: SqliteLedger, settings: Settings) -> int:
    finished = _still_there(Path(job.root), ledger)
    todo = _left(plan, finished)
    settings.on_progress(Progress(len(plan.tasks) - len(todo), len(plan.tasks), 0, ""))
    if not todo:
        return 0
    executor: Executor
    if settings.scheduler:
        executor = DaskExecutor.connect(job, settings.scheduler)
    else:
        executor = ThreadExecutor(job, settings.workers)
    run = _Run(plan, ledger, executor, settings, deque(todo), done=len(plan.tasks) - len(todo))
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


def _left(plan: Plan, finished: Mapping[str, bool]) -> list[Task]:
    """Return the tasks to run: unfinished ones, and those that need the shards of such."""
    left: dict[str, Task] = {}
    for task in plan.tasks:
        if not finished.get(task.id, False) or any(need in left for need in task.needs):
            left[task.id] = task
    return list(left.values())


def _still_there(root: Path, ledger: SqliteLedger) -> dict[str, bool]:
    """Return the finished tasks whose files are still on disk with their size."""
    finished = dict(ledger.finished())
    lost = {
        task
        for task, shard in ledger.shards_by_task()
        if shard.size and _size(root / shard.path) != shard.size
    }
    return {task: clean and task not in lost for task, clean in finished.items()}


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C for a while; only the main thread hears it in the first place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


@dataclass(slots=True)
class _Run:
    """The loop over tasks: bounded in flight, retried by class of error, journaled as they end."""

    plan: Plan
    ledger: SqliteLedger
    executor: Executor
    settings: Settings
    waiting: deque[Task]
    done: int = 0
    bytes_read: int = 0
    in_flight: int = 0
    delayed: list[tuple[float, int, Assignment]] = field(default_factory=list)
    open_tasks: set[str] = field(default_factory=set)
    closed: bool = False

    def to_the_end(self) -> None:
        """Run until every task has ended."""
        self.open_tasks = {task.id for task in self.waiting}
        while self.open_tasks:
            self._fill()
            for ended in self._collect():
                self._settle(ended)

    def drain(self) -> None:
        """Stop handing out, wait for what runs, and keep what it brings.

        Ctrl-C waits too: were the store unlocked while threads still write into it, another build
        could begin beside them.
        """
        if self.closed:
            return
        self.closed = True
        with _deaf_to_interrupts():
            if self.in_flight:
                self.settings.on_stop(min(self.in_flight, self.executor.slots))
            for ended in self.executor.close():
                if ended.result is not None:
                    self._finish(ended.assignment, ended.result)

    def _fill(self) -> None:
        """Hand out tasks until twice the slots are taken, so that no slot waits for us."""
        while self.delayed and self.delayed[0][0] <= time.monotonic():
            self._hand_out(heapq.heappop(self.delayed)[2])
        for _ in range(len(self.waiting)):
            if self.in_flight >= 2 * self.executor.slots:
                return
            task = self.waiting.popleft()
            if self.open_tasks.isdisjoint(task.needs):
                self._hand_out(self._assignment(task, attempt=1))
            else:
                self.waiting.append(task)

    def _assignment(self, task: Task, attempt: int) -> Assignment:
        source = tuple(
            outcome
            for need in task.needs
            for outcome in self.ledger.outcomes_of(need)
            if outcome.status is not Status.DONE and task.first <= outcome.step < task.last
        )
        return Assignment(task, attempt, self.settings.retry.is_last(attempt), source)

    def _hand_out(self, assignment: Assignment) -> None:
        self.ledger.start(assignment.task.id, assignment.attempt)
        self.executor.submit(assignment)
        self.in_flight += 1

    def _collect(self) -> list[Ended]:
        if self.in_flight:
            soon = self.delayed[0][0] - time.monotonic() if self.delayed else None
            return self.executor.collect(None if soon is None else max(0.0, soon))
        time.sleep(max(0.0, self.delayed[0][0] - time.monotonic()))
        return []

    def _settle(self, ended: Ended) -> None:
        self.in_flight -= 1
        if ended.result is not None:
            self._finish(ended.assignment, ended.result)
            return
        error, assignment = ended.error, ended.assignment
        retryable = isinstance(error, ProviderError) and error.retryable
        task, attempt = assignment.task.id, assignment.attempt
        self.ledger.fail(task, attempt, str(error), retryable=retryable)
        if not isinstance(error, ProviderError) or not retryable or assignment.last_chance:
            raise error if error is not None else RuntimeError(f"{task} ended without a result")
        again = self._assignment(assignment.task, assignment.attempt + 1)
        at = time.monotonic() + self.settings.retry.delay(error, assignment.attempt)
        heapq.heappush(self.delayed, (at, id(again), again))

    def _finish(self, assignment: Assignment, result: TaskResult) -> None:
        self.ledger.finish(result, assignment.attempt)
        self.open_tasks.discard(result.task)
        self.done += 1
        self.bytes_read += result.bytes_read
        self.settings.on_progress(
            Progress(self.done, len(self.plan.tasks), self.bytes_read, result.task)
        )


def _report(
    root: Path,
    plan: Plan,
    counts: tuple[dict[str, int], dict[str, int]],
    n_run: int,
    started: float,
    warning: str,
) -> BuildReport:
    by_status, by_reason = counts
    on_disk = [path for path in root.rglob("*") if path.is_file() and path.name != files.LOCK]
    return BuildReport(
        store=str(root),
        digest=plan.digest,
        samples=len(plan.patches),
        tasks=len(plan.tasks),
        tasks_run=n_run,
        outcomes=by_status,
        reasons=by_reason,
        max_failed=plan.recipe.checks.max_failed,
        files=len(on_disk),
        bytes=sum(path.stat().st_size for path in on_disk),
        seconds=round(time.monotonic() - started, 3),
        warning=warning,
        synthetic=plan.synthetic,
    )
