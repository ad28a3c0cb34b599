import sqlite3
import sys

import pytest

from eodata.core.errors import StoreError
from eodata.core.outcome import Cost, Outcome, ShardFile, Status, TaskResult
from eodata.core.protocols import Ledger
from eodata.store.files import LEDGER
from eodata.store.ledger import SqliteLedger

DONE = Outcome(0, 0, Status.DONE, "", 0.5, 0.25, 3)
FAILED = Outcome(1, 0, Status.FAILED, "HTTP 500", retryable=True)
SHARD = ShardFile("data.zarr/s2/c/0/0/0/0/0", "ab" * 32, 10)

KILLED = """
import os, sys
from pathlib import Path
from eodata.core.outcome import Outcome, Status, TaskResult
from eodata.store.ledger import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
ledger.start("t1", 1)
ledger.finish(TaskResult("t1", (Outcome(0, 0, Status.DONE),), ()), 1)
ledger.start("t2", 1)
os.kill(os.getpid(), 9)
"""

DISK_FULL = """
import resource, signal, sys
from pathlib import Path
from eodata.core.errors import StoreError
from eodata.core.outcome import Outcome, Status, TaskResult
from eodata.store.ledger import SqliteLedger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with SqliteLedger(Path(sys.argv[1])) as ledger:
    ledger.finish(TaskResult("t1", (Outcome(0, 0, Status.DONE),), ()), 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    many = tuple(Outcome(row, 0, Status.DONE, "x" * 100) for row in range(10_000))
    try:
        ledger.finish(TaskResult("t2", many, ()), 1)
    except StoreError as error:
        print(error)
"""


def test_finish_when_reopened_then_everything_is_there(tmp_path):
    with SqliteLedger(tmp_path) as ledger:
        protocol: Ledger = ledger
        protocol.start("t1", 1)
        protocol.finish(TaskResult("t1", (DONE,), (SHARD,), 1.5, Cost(99, 7, 2)), 1)
        protocol.start("t2", 1)
        protocol.finish(TaskResult("t2", (DONE, FAILED), ()), 1)
        protocol.start("t3", 1)
        protocol.fail("t3", 1, "no route", retryable=True)
        protocol.start("t4", 1)
    with SqliteLedger(tmp_path, readonly=True) as ledger:
        assert ledger.finished() == {"t1": True, "t2": False, "t3": False}
        assert list(ledger.outcomes()) == [("t1", DONE), ("t2", DONE), ("t2", FAILED)]
        assert ledger.shards() == [SHARD]
        assert ledger.counts() == {"done": 1, "partial": 1, "failed": 1}
        assert ledger.failures() == [("t2", "HTTP 500", True), ("t3", "no route", True)]
    assert [p.name for p in tmp_path.iterdir()] == [LEDGER]


def test_finish_when_a_task_runs_again_then_its_rows_are_replaced(tmp_path):
    with SqliteLedger(tmp_path) as ledger:
        for attempt, outcomes in ((1, (DONE, FAILED)), (2, (DONE,))):
            ledger.start("t1", attempt)
            shard = ShardFile(SHARD.path, str(attempt), attempt)
            ledger.finish(TaskResult("t1", outcomes, (shard,)), attempt)
        assert list(ledger.outcomes()) == [("t1", DONE)]
        assert ledger.shards() == [ShardFile(SHARD.path, "2", 2)]
        assert ledger.finished() == {"t1": True}
        assert ledger.attempts("t1") == 2
        assert ledger.attempts("t9") == 0
    rows = sqlite3.connect(tmp_path / LEDGER).execute("SELECT kind, attempt FROM events")
    assert rows.fetchall() == [("started", 1), ("partial", 1), ("started", 2), ("done", 2)]


def test_finish_when_an_outcome_comes_twice_then_the_whole_task_is_refused(tmp_path):
    with SqliteLedger(tmp_path) as ledger:
        ledger.finish(TaskResult("t1", (FAILED,), (SHARD,)), 1)
        with pytest.raises(StoreError, match="UNIQUE"):
            ledger.finish(TaskResult("t1", (DONE, DONE), ()), 2)
        assert list(ledger.outcomes()) == [("t1", FAILED)]
        assert ledger.shards() == [SHARD]
        assert ledger.finished() == {"t1": False}


def test_fail_when_an_earlier_attempt_left_pixels_then_they_stay_known(tmp_path):
    with SqliteLedger(tmp_path) as ledger:
        ledger.finish(TaskResult("t1", (DONE, FAILED), (SHARD,)), 1)
        ledger.fail("t1", 2, "bad login", retryable=False)
        assert ledger.shards() == [SHARD]
        assert ledger.failures() == [("t1", "bad login", False)]


class Interrupting:
    """A connection in which Ctrl-C comes right after one statement, once."""

    def __init__(self, db, statement):
        self._db, self._statement = db, statement

    def __getattr__(self, name):
        return getattr(self._db, name)

    def execute(self, statement, *values):
        done = self._db.execute(statement, *values)
        if self._statement and statement.startswith(self._statement):
            self._statement = ""
            raise KeyboardInterrupt
        return done


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_start_when_interrupted_at_any_statement_then_the_next_one_works(tmp_path, statement):
    with SqliteLedger(tmp_path) as ledger:
        ledger._db = Interrupting(ledger._db, statement)
        with pytest.raises(KeyboardInterrupt):
            ledger.start("one", 1)
        ledger.fail("two", 1, "no pixels", retryable=True)
        assert not ledger._db.in_transaction
        assert "two" in ledger.finished()


def test_start_when_a_transaction_was_left_open_then_it_is_given_up(tmp_path):
    with SqliteLedger(tmp_path) as ledger:
        ledger._db.execute("BEGIN IMMEDIATE")
        ledger.fail("two", 1, "no pixels", retryable=True)
        assert "two" in ledger.finished()


def test_ledger_when_killed_then_finished_tasks_are_kept(tmp_path, run_code):
    ran = run_code(KILLED, tmp_path)
    assert ran.returncode == -9
    with SqliteLedger(tmp_path) as ledger:
        assert ledger.finished() == {"t1": True}
        assert ledger.attempts("t2") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE")
def test_finish_when_disk_is_full_then_store_error_and_earlier_tasks_stay(tmp_path, run_code):
    ran = run_code(DISK_FULL, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "SQLite says" in ran.stdout
    assert "Free space" in ran.stdout
    with SqliteLedger(tmp_path) as ledger:
        assert ledger.finished() == {"t1": True}
        assert len(list(ledger.outcomes())) == 1


def test_ledger_when_a_reader_looks_on_then_both_work(tmp_path):
    with SqliteLedger(tmp_path) as writer, SqliteLedger(tmp_path, readonly=True) as reader:
        writer.finish(TaskResult("t1", (DONE,), ()), 1)
        assert reader.finished() == {"t1": True}
        with pytest.raises(StoreError, match="readonly"):
            reader.start("t2", 1)


@pytest.mark.parametrize("readonly", [True, False])
def test_ledger_when_file_is_no_database_then_store_error(tmp_path, readonly):
    (tmp_path / LEDGER).write_bytes(b"this is no database, but long enough to look at" * 50)
    with pytest.raises(StoreError, match="not a database"):
        SqliteLedger(tmp_path, readonly=readonly)


def test_ledger_when_database_is_foreign_then_store_error(tmp_path):
    db = sqlite3.connect(tmp_path / LEDGER)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(StoreError, match="format 0"):
        SqliteLedger(tmp_path)


def test_ledger_when_there_is_none_to_read_then_store_error(tmp_path):
    with pytest.raises(StoreError, match="no ledger"):
        SqliteLedger(tmp_path, readonly=True)


def test_cost_then_requests_of_all_attempts_and_bytes_of_the_last(tmp_path):
    with SqliteLedger(tmp_path) as ledger:
        ledger.fail("t1", 1, "HTTP 500", retryable=True, cost=Cost(0, 6, 5))
        ledger.finish(TaskResult("t1", (DONE,), (), 1.0, Cost(99, 3, 1)), 2)
        ledger.finish(TaskResult("t2", (DONE,), (), 1.0, Cost(1, 2, 0)), 1)
        assert ledger.cost() == Cost(100, 11, 6)
