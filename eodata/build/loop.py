"""The loop over tasks: bounded in flight, retried by class of error, journaled as they end."""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from eodata.build.executor import Ended, Executor
from eodata.build.work import Assignment
from eodata.core.errors import ProviderError
from eodata.core.outcome import FREE, Status, TaskResult
from eodata.core.plan import Plan, Task
from eodata.core.retry import RetryPolicy
from eodata.providers.remote.loop import give_up
from eodata.store.ledger import SqliteLedger


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


def tasks_left(plan: Plan, ledger: SqliteLedger, root: Path) -> list[Task]:
    """Return the tasks to run: unfinished ones, and those that such will give other pixels."""
    finished = _still_there(root, ledger)
    left: dict[str, Task] = {}
    differing: set[str] = set()
    for task in plan.tasks:
        again = [need for need in task.needs if need in left]
        if again and (not differing.isdisjoint(again) or _will_differ(plan, ledger, task, again)):
            differing.add(task.id)
        if task.id in differing or not finished.get(task.id, False):
            left[task.id] = task
    return list(left.values())


def _will_differ(plan: Plan, ledger: SqliteLedger, task: Task, again: Sequence[str]) -> bool:
    """Return whether a task will give other pixels when some that it needs are run again.

    A derived one will. One that was compared with a reference will not, unless that step was
    missing: what was read once is read as it was.
    """
    if plan.modalities[task.modality].derive:
        return True
    mover = plan.mover(task.modality).name
    areas = dict.fromkeys(patch.area for patch in plan.blocks[task.block].patches)
    steps = {plan.reference_step(mover, area) for area in areas}
    told = [o for need in again for o in ledger.outcomes_of(need) if o.step in steps]
    return not told or any(o.status is Status.FAILED for o in told)


def _still_there(root: Path, ledger: SqliteLedger) -> dict[str, bool]:
    """Return the finished tasks whose files are still on disk with their size."""
    finished = dict(ledger.finished())
    lost = {
        task
        for task, shard in ledger.shards_by_task()
        if shard.size and _size(root / shard.path) != shard.size
    }
    return {task: clean and task not in lost for task, clean in finished.items()}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


@dataclass(slots=True)
class TaskLoop:
    """One run over tasks.

    Attributes:
        plan: Whose tasks they are.
        ledger: Hears of every start and end; this loop is its only writer.
        executor: Runs the tasks.
        settings: Retries, and whom to tell.
        waiting: Tasks that were not handed out yet.
        done: Finished tasks of the plan, earlier runs included.
        bytes_read: Bytes read from providers in this run.
        in_flight: Attempts that were handed out and have not ended.
        delayed: Attempts that wait for their time, as `(time, tie-breaker, attempt)`.
        open_tasks: Tasks of this run that have not ended.
        closed: True once nothing is handed out any more.
    """

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
        could begin beside them. Another Ctrl-C gives up what is still asked of archives.
        """
        if self.closed:
            return
        self.closed = True
        with _interrupts_give_up():
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
        cost = error.cost if isinstance(error, ProviderError) else FREE
        self.ledger.fail(task, attempt, str(error), retryable=retryable, cost=cost)
        if not isinstance(error, ProviderError) or not retryable or assignment.last_chance:
            raise error if error is not None else RuntimeError(f"{task} ended without a result")
        again = self._assignment(assignment.task, assignment.attempt + 1)
        at = time.monotonic() + self.settings.retry.delay(error, assignment.attempt)
        heapq.heappush(self.delayed, (at, id(again), again))

    def _finish(self, assignment: Assignment, result: TaskResult) -> None:
        self.ledger.finish(result, assignment.attempt)
        self.open_tasks.discard(result.task)
        self.done += 1
        self.bytes_read += result.cost.bytes_read
        self.settings.on_progress(
            Progress(self.done, len(self.plan.tasks), self.bytes_read, result.task)
        )


@contextmanager
def _interrupts_give_up() -> Iterator[None]:
    """Let another Ctrl-C end waiting for archives, but nothing else, for a while.

    Only the main thread hears it in the first place.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: give_up())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
