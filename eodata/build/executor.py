"""Where tasks run: threads on one machine, or an existing dask.distributed cluster.

Both hand out one attempt at a time and report each end; bounds, retries and the ledger are the
conductor's.
"""

from __future__ import annotations

from concurrent import futures
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from eodata.build.locations import most_processes, share_location
from eodata.build.work import Assignment, Job, work
from eodata.core.errors import RecipeError
from eodata.core.outcome import TaskResult


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt that ended: with a result or with an error."""

    assignment: Assignment
    result: TaskResult | None
    error: BaseException | None


class Executor(Protocol):
    """Runs assignments somewhere."""

    slots: int
    """How many run at once."""

    def submit(self, assignment: Assignment) -> None:
        """Hand out one attempt."""
        ...

    def collect(self, timeout: float | None) -> list[Ended]:
        """Wait until at least one attempt has ended, at most `timeout` seconds."""
        ...

    def close(self) -> list[Ended]:
        """Drop what has not begun, wait for what runs, and return what still ended."""
        ...


class ThreadExecutor:
    """Threads of this process: reading and codecs release the interpreter lock."""

    def __init__(self, job: Job, slots: int) -> None:
        self.slots = slots
        self._job = job
        self._pool = futures.ThreadPoolExecutor(slots, thread_name_prefix="eodata")
        self._running: dict[futures.Future[TaskResult], Assignment] = {}

    def submit(self, assignment: Assignment) -> None:
        """Hand out one attempt."""
        self._running[self._pool.submit(work, self._job, assignment)] = assignment

    def collect(self, timeout: float | None) -> list[Ended]:
        """Wait until at least one attempt has ended, at most `timeout` seconds."""
        done, _ = futures.wait(self._running, timeout, return_when=futures.FIRST_COMPLETED)
        return [self._ended(future) for future in done]

    def close(self) -> list[Ended]:
        """Drop what has not begun, wait for what runs, and return what still ended."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        return [self._ended(f) for f in list(self._running) if not f.cancelled()]

    def _ended(self, future: futures.Future[TaskResult]) -> Ended:
        assignment = self._running.pop(future)
        error = future.exception()
        return Ended(assignment, None if error else future.result(), error)


class DaskExecutor:
    """Workers of a running dask.distributed cluster that see the store under the same path."""

    def __init__(self, job: Job, client: Any, slots: int, workers: list[str] | None = None) -> None:
        self.slots = slots
        self._job = job
        self._client = client
        self._workers = workers
        self._running: dict[Any, Assignment] = {}

    @classmethod
    def connect(cls, job: Job, address: str) -> Self:
        """Join the cluster at `address`, for example `tcp://127.0.0.1:8786`.

        Raises:
            RecipeError: Nobody answers there, or the cluster has no worker.
        """
        from distributed import Client

        try:
            client = Client(address, timeout="10s")
        except (OSError, ValueError) as error:
            raise RecipeError(
                "--scheduler",
                f"no dask scheduler answers at {address}",
                str(error).splitlines()[0] if str(error) else "",
                "Start one with `dask scheduler`, and give its tcp:// address.",
            ) from None
        threads = client.nthreads()
        if not threads:
            client.close()
            raise RecipeError(
                "--scheduler",
                f"the scheduler at {address} has no workers",
                "",
                f"Start some: dask worker {address}",
            )
        chosen = _chosen(sorted(threads), job)
        slots = sum(threads[worker] for worker in chosen)
        # Tasks that are tied to workers wait for them when they die, so they are only if need be.
        tied = chosen if len(chosen) < len(threads) else None
        return cls(_shared(job, len(chosen)), client, slots, tied)

    def submit(self, assignment: Assignment) -> None:
        """Hand out one attempt."""
        future = self._client.submit(
            work, self._job, assignment, pure=False, retries=0, workers=self._workers
        )
        self._running[future] = assignment

    def collect(self, timeout: float | None) -> list[Ended]:
        """Wait until at least one attempt has ended, at most `timeout` seconds."""
        from distributed import wait

        try:
            wait(list(self._running), timeout=timeout, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return []
        return [self._ended(f) for f in list(self._running) if f.done()]

    def close(self) -> list[Ended]:
        """Drop what has not begun, and leave the cluster as it was."""
        ended = [self._ended(f) for f in list(self._running) if f.done()]
        self._client.cancel(list(self._running))
        self._running.clear()
        self._client.close()
        return ended

    def _ended(self, future: Any) -> Ended:
        assignment = self._running.pop(future)
        error = future.exception()
        return Ended(assignment, None if error else future.result(), error)


def _chosen(workers: list[str], job: Job) -> list[str]:
    """Return the workers that read: no more than an archive takes requests at once."""
    return workers[: most_processes(dict(job.locations))]


def _shared(job: Job, processes: int) -> Job:
    """Return the job for each of several processes: an archive's limit is for all of them."""
    locations = tuple(
        (name, share_location(name, location, processes)) for name, location in job.locations
    )
    return replace(job, locations=locations)
