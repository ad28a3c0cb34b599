"""Export a store: choose, plan, write in threads, and tell what came about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

from eodata.core.errors import InterruptedBuildError, RecipeError
from eodata.exchange.formats import FormatOptions, find_format
from eodata.exchange.journal import Head, Journal, check_folder, open_journal
from eodata.exchange.source import Selection, open_source
from eodata.exchange.task import Job, Part, Task


@dataclass(frozen=True, slots=True)
class Progress:
    """What the person sees while tasks finish.

    Attributes:
        done: Finished tasks; one sample each, or one shard.
        total: All tasks.
        bytes_read: Bytes written so far; named as the progress of builds names what they move.
    """

    done: int
    total: int
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Files and bytes, counted.

    Attributes:
        files: All files of the export that are in place.
        written: Those among them that this run wrote.
        bytes: Of all files.
        bytes_written: Of those that this run wrote.
    """

    files: int = 0
    written: int = 0
    bytes: int = 0
    bytes_written: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Return the sum."""
        return Tally(*(a + b for a, b in zip(_numbers(self), _numbers(other), strict=True)))


@dataclass(frozen=True, slots=True)
class ExportReport:
    """How an export ended.

    Attributes:
        folder: Where the files are.
        format: Name of the format.
        samples: Samples that left the store.
        tally: Files and bytes.
        seconds: Wall time [s].
        samples_left_out: Why samples stay, and how many; the commonest first.
        steps_left_out: Why steps of exported samples stay, and how many.
        notes: What a person should know before using the files.
    """

    folder: str
    format: str
    samples: int
    tally: Tally
    seconds: float
    samples_left_out: Mapping[str, int]
    steps_left_out: Mapping[str, int]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain dicts and lists."""
        found = asdict(self)
        return {**found, **found.pop("tally")}


@dataclass(frozen=True, slots=True)
class Planned:
    """An export that may begin.

    Attributes:
        folder: Where to.
        format: Name of the format.
        head: What the folder will state about itself.
        job: What there is to do; its tasks can be taken once.
        force: Remove what an earlier export wrote into the folder, and start over.
    """

    folder: Path
    format: str
    head: Head
    job: Job
    force: bool


def plan_export(
    store: Path,
    folder: Path,
    format_name: str,
    selection: Selection | None = None,
    options: FormatOptions | None = None,
    *,
    force: bool = False,
) -> Planned:
    """Decide what to write; reads tables only and changes nothing.

    Args:
        store: A built store.
        folder: New, empty, or of an earlier run of the same export.
        format_name: Key of `FORMATS`.
        selection: Which samples; default: all that are done.
        options: What the format may be told.
        force: Replace an earlier export, whatever it was.

    Raises:
        RecipeError: There is no such format, option or split, the store does not fit the format,
            or no sample is left.
        StoreError: The store is damaged, or the folder holds something else.
    """
    options = options or FormatOptions()
    chosen = find_format(format_name)
    chosen.check(options)
    _check_apart(store, folder)
    source = open_source(store, selection or Selection())
    head = chosen.head(source, options)
    check_folder(folder, head, force=force)  # before planning, which takes a minute at times
    job = chosen.job(source, options)
    if source.reader.meta["synthetic"]:
        job = replace(job, notes=("SYNTHETIC: these pixels are simulated", *job.notes))
    return Planned(folder, chosen.name, head, job, force)


def run_export(
    planned: Planned,
    workers: int = 4,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ExportReport:
    """Write what is not there yet.

    Args:
        planned: What to write.
        workers: Threads.
        on_progress: Called once at the start and after each finished task.

    Raises:
        StoreError: The store is damaged, another export writes into the folder, or the disk
            refuses.
        InterruptedBuildError: Ctrl-C; what is in place stays.
    """
    began, job = time.monotonic(), planned.job
    with open_journal(planned.folder, planned.head, force=planned.force) as journal:
        tally = _run(job, journal, workers, on_progress)
    return ExportReport(
        folder=str(planned.folder),
        format=planned.format,
        samples=job.samples,
        tally=tally,
        seconds=round(time.monotonic() - began, 3),
        samples_left_out=dict(job.samples_left_out.most_common()),
        steps_left_out=dict(job.steps_left_out.most_common()),
        notes=job.notes,
    )


def _check_apart(store: Path, folder: Path) -> None:
    if folder.resolve().is_relative_to(store.resolve()):
        raise RecipeError(
            str(folder),
            "it lies in the store itself",
            "a store holds its own files only.",
            "Give a folder elsewhere.",
        )


class _StoppedError(Exception):
    """A thread was told to leave its task."""


def _run(
    job: Job, journal: Journal, workers: int, on_progress: Callable[[Progress], None]
) -> Tally:
    """Run all tasks, at most two per thread in flight, and return what is in place.

    The first error ends the run; so does Ctrl-C. Files that are being written are given up.
    """
    tally, done, stop = Tally(), 0, Event()
    on_progress(Progress(0, job.total, 0))
    threads = ThreadPoolExecutor(workers, "export")
    waiting: set[Future[Tally]] = set()
    try:
        while True:
            more = islice(job.tasks, 2 * workers - len(waiting))
            waiting |= {threads.submit(_write, task, journal, stop) for task in more}
            if not waiting:
                return tally
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                tally, done = tally + future.result(), done + 1
                on_progress(Progress(done, job.total, tally.bytes_written))
    except KeyboardInterrupt:
        raise InterruptedBuildError(
            str(journal.root),
            f"stopped after {done} of {job.total} tasks",
            "every file that is in place is complete.",
            "Run the same command again to go on.",
        ) from None
    finally:
        stop.set()
        threads.shutdown(wait=True, cancel_futures=True)


def _write(task: Task, journal: Journal, stop: Event) -> Tally:
    """Write the files of a task that are not in place."""
    sizes = {path: journal.size(path, mark) for path, mark in task.files.items()}
    kept = [size for size in sizes.values() if size is not None]
    tally = Tally(len(kept), 0, sum(kept), 0)
    wanted = [path for path, size in sizes.items() if size is None]
    for path, parts in task.make(wanted) if wanted else ():
        size = journal.write(path, task.files[path], _until(stop, parts))
        tally += Tally(1, 1, size, size)
    return tally


def _until(stop: Event, parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if stop.is_set():
            raise _StoppedError
        yield part


def _numbers(tally: Tally) -> tuple[int, int, int, int]:
    return tally.files, tally.written, tally.bytes, tally.bytes_written
