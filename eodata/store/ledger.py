"""What happened, in SQLite: every task, outcome, shard and event, through crashes.

One process writes. `finish` is one transaction that is on the disk when it returns, so a task that
the ledger calls done is done, also after a power cut: its shards were flushed before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eodata.core.errors import StoreError
from eodata.core.outcome import FREE, Cost, Outcome, ShardFile, Status, TaskResult
from eodata.core.shift import Shift
from eodata.core.span import format_utc
from eodata.store.files import LEDGER

LEDGER_FORMAT = 4
LOCK_SECONDS = 30.0

_SCHEMA = f"""
BEGIN;
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, status TEXT NOT NULL CHECK (status IN ('done', 'partial', 'failed')),
    attempts INTEGER NOT NULL, seconds REAL NOT NULL, bytes_read INTEGER NOT NULL,
    requests INTEGER NOT NULL, retried INTEGER NOT NULL,
    reason TEXT NOT NULL, retryable INTEGER NOT NULL, updated_utc TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outcomes (
    task TEXT NOT NULL, row INTEGER NOT NULL, step INTEGER NOT NULL, status TEXT NOT NULL,
    reason TEXT NOT NULL, valid REAL NOT NULL, marked REAL, clipped INTEGER NOT NULL,
    retryable INTEGER NOT NULL, measured TEXT NOT NULL,
    PRIMARY KEY (task, row, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE shifts (
    task TEXT NOT NULL, row INTEGER NOT NULL, step INTEGER NOT NULL, reference TEXT NOT NULL,
    shift_row REAL, shift_col REAL, error REAL, confidence REAL,
    moved_row REAL NOT NULL, moved_col REAL NOT NULL, why TEXT NOT NULL,
    PRIMARY KEY (task, row, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE shards (
    path TEXT PRIMARY KEY, task TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shards_by_task ON shards (task);
CREATE TABLE events (
    number INTEGER PRIMARY KEY, task TEXT NOT NULL, attempt INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('started', 'done', 'partial', 'failed')),
    at_utc TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_task ON events (task);
PRAGMA user_version = {LEDGER_FORMAT};
COMMIT;
"""
_OUTCOME = (
    "row, step, status, reason, valid, marked, clipped, retryable, measured, reference, "
    "shift_row, shift_col, error, confidence, moved_row, moved_col, why "
    "FROM outcomes LEFT JOIN shifts USING (task, row, step)"
)


class SqliteLedger:
    """The ledger of a store. Implements `eodata.core.protocols.Ledger`; a context manager.

    Use it from one thread of the one process that conducts the build. Readers may look on.

    Args:
        root: The store; the ledger is made when it has none.
        readonly: Only read; then there must be one.

    Raises:
        StoreError: There is none to read, or it is damaged or foreign, or the disk refuses. All
            methods raise it for the same causes.
    """

    def __init__(self, root: Path, *, readonly: bool = False) -> None:
        self._path = root / LEDGER
        self._readonly = readonly
        if readonly and not self._path.is_file():
            raise StoreError(
                str(self._path), "there is no ledger", "", "Give a folder that a build has made."
            )
        with self._guarded():
            self._db = self._connect()
        try:
            with self._guarded():
                self._prepare()
        except StoreError:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a clean end leaves one plain file, readable from read-only media too."""
        with suppress(sqlite3.Error):  # a reader that looks on keeps the journal open; no harm
            if not self._readonly:
                self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def start(self, task: str, attempt: int) -> None:
        """Note that a task was handed out."""
        with self._transaction():
            self._note(task, attempt, "started", "")

    def finish(self, result: TaskResult, attempt: int) -> None:
        """Note that a task ended; replaces what an earlier attempt left."""
        failed = result.failed
        status = "partial" if failed else "done"
        reason = failed[0].reason if failed else ""
        with self._transaction():
            self._note(result.task, attempt, status, reason)
            self._set_task(
                result.task,
                status,
                attempt,
                reason,
                any(outcome.retryable for outcome in failed),
                result.seconds,
                result.cost,
            )
            self._db.execute("DELETE FROM outcomes WHERE task = ?", (result.task,))
            self._db.execute("DELETE FROM shifts WHERE task = ?", (result.task,))
            self._db.execute("DELETE FROM shards WHERE task = ?", (result.task,))
            self._db.executemany(
                "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(result.task, *_outcome_row(o)) for o in result.outcomes],
            )
            self._db.executemany(
                "INSERT INTO shifts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (result.task, int(o.row), int(o.step), *_shift_row(o.shift))
                    for o in result.outcomes
                    if o.shift is not None
                ],
            )
            self._db.executemany(
                "INSERT INTO shards VALUES (?, ?, ?, ?)",
                [(s.path, result.task, s.sha256, s.size) for s in result.shards],
            )

    def fail(
        self, task: str, attempt: int, reason: str, *, retryable: bool, cost: Cost = FREE
    ) -> None:
        """Note that a task could not be run at all; outcomes of an earlier attempt stay."""
        with self._transaction():
            self._note(task, attempt, "failed", reason)
            self._set_task(task, "failed", attempt, reason, retryable, cost=cost)

    def finished(self) -> Mapping[str, bool]:
        """Return True per task that is done, False per task with failures; others are absent."""
        return {
            task: status == "done" for task, status in self._read("SELECT id, status FROM tasks")
        }

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """Yield `(task id, outcome)`, ordered by task, row and step."""
        for task, *row in self._read(f"SELECT task, {_OUTCOME} ORDER BY task, row, step"):
            yield task, _outcome(*row)

    def outcomes_of(self, task: str) -> list[Outcome]:
        """Return the outcomes of one task, ordered by row and step."""
        query = f"SELECT {_OUTCOME} WHERE task = ? ORDER BY row, step"
        return [_outcome(*row) for row in self._read(query, task)]

    def shards(self) -> list[ShardFile]:
        """Return all shard files, ordered by path."""
        rows = self._read("SELECT path, sha256, size FROM shards ORDER BY path")
        return [ShardFile(*row) for row in rows]

    def shards_by_task(self) -> Iterator[tuple[str, ShardFile]]:
        """Yield `(task id, shard file)`, ordered by task and path."""
        query = "SELECT task, path, sha256, size FROM shards ORDER BY task, path"
        for task, *shard in self._read(query):
            yield task, ShardFile(*shard)

    def counts(self) -> dict[str, int]:
        """Return the number of tasks per status: done, partial, failed."""
        query = "SELECT status, count(*) FROM tasks GROUP BY status"
        found = {status: int(n) for status, n in self._read(query)}
        return {status: found.get(status, 0) for status in ("done", "partial", "failed")}

    def failures(self) -> list[tuple[str, str, bool]]:
        """Return `(task, reason, retryable)` of each task with failures, ordered by task."""
        query = "SELECT id, reason, retryable FROM tasks WHERE status != 'done' ORDER BY id"
        return [(task, reason, bool(retryable)) for task, reason, retryable in self._read(query)]

    def cost(self) -> Cost:
        """Return what all tasks took: bytes of their last attempts, requests of all attempts."""
        sums = "total(bytes_read), total(requests), total(retried)"
        return Cost(*(int(n) for n in next(iter(self._read(f"SELECT {sums} FROM tasks")))))  # noqa: S608 (fixed words)

    def attempts(self, task: str) -> int:
        """Return how often a task was handed out, over all runs."""
        query = "SELECT count(*) FROM events WHERE task = ? AND kind = 'started'"
        return int(next(iter(self._read(query, task)))[0])

    def _connect(self) -> sqlite3.Connection:
        # Autocommit: transactions begin and end where the code says so.
        mode = "ro" if self._readonly else "rwc"
        uri = f"{self._path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version != LEDGER_FORMAT and (tables or self._readonly):
            raise StoreError(
                str(self._path),
                f"the ledger has format {version}",
                f"this eodata reads format {LEDGER_FORMAT}.",
                "Use the version of eodata that built the store.",
            )
        if self._readonly:
            return
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if not tables:
            self._db.executescript(_SCHEMA)

    def _set_task(
        self,
        task: str,
        status: str,
        attempt: int,
        reason: str,
        retryable: bool,
        seconds: float = 0.0,
        cost: Cost = FREE,
    ) -> None:
        known = "SELECT requests, retried FROM tasks WHERE id = ?"
        before = self._db.execute(known, (task,)).fetchone() or (0, 0)
        spent = (cost.bytes_read, before[0] + cost.requests, before[1] + cost.retried)
        self._db.execute(
            "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (task, status, attempt, seconds, *spent, reason, int(retryable), _now()),
        )

    def _note(self, task: str, attempt: int, kind: str, reason: str) -> None:
        self._db.execute(
            "INSERT INTO events (task, attempt, kind, at_utc, reason) VALUES (?, ?, ?, ?, ?)",
            (task, attempt, kind, _now(), reason),
        )

    def _read(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        with self._guarded():
            yield from self._db.execute(query, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guarded():
            if self._db.in_transaction:  # Ctrl-C came while the last one was being ended
                self._db.execute("ROLLBACK")
            try:
                # Inside, because Ctrl-C may come the moment it has begun.
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back already
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                str(self._path),
                f"SQLite says: {error}",
                "without its ledger a build cannot know what is finished.",
                "Free space, end other builds into this store, and run the build again; a damaged "
                "ledger must be removed.",
            ) from error


def _outcome_row(o: Outcome) -> tuple[object, ...]:
    return (
        int(o.row), int(o.step), o.status.value, o.reason,
        float(o.valid), None if o.marked is None else float(o.marked), int(o.clipped),
        int(o.retryable), o.measured,
    )  # fmt: skip


def _outcome(
    row: int,
    step: int,
    status: str,
    reason: str,
    valid: float,
    marked: float | None,
    clipped: int,
    retryable: int,
    measured: str,
    *shift: Any,
) -> Outcome:
    told = (row, step, Status(status), reason, valid, marked, clipped, bool(retryable), measured)
    return Outcome(*told, Shift(*shift) if shift[0] is not None else None)


def _shift_row(shift: Shift) -> tuple[object, ...]:
    measured = (shift.row, shift.col, shift.error, shift.confidence)
    numbers = (None if number is None else float(number) for number in measured)
    return shift.to, *numbers, float(shift.moved_row), float(shift.moved_col), shift.why


def _now() -> str:
    return format_utc(datetime.now(UTC))
