"""A build survives being killed, and two builds are the same."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas
import pytest

from tests.e2e.building import Cli, array_bytes

N_KILLS = 12
LONGEST_RUN_S = 60.0


def build_command(store: Path) -> list[str]:
    return [sys.executable, "-m", "eodata", "build", "demo", "--out", str(store), "--workers", "2"]


def kill_amid(store: Path, environment: dict[str, str], n_tasks: int, delay: float) -> bool:
    """Start a build and SIGKILL it `delay` seconds after it has finished one more task.

    When no task is left it dies `delay` seconds after its start, on the way to the tables.

    Returns:
        True when it was killed, False when it ended before.
    """
    n_before = len(done_tasks(store))
    process = subprocess.Popen(
        build_command(store),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + LONGEST_RUN_S
    while process.poll() is None and time.monotonic() < deadline:
        if len(done_tasks(store)) >= min(n_before + 1, n_tasks):
            break
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    return process.wait(timeout=10) == -signal.SIGKILL


def interrupt_amid(store: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a build and press Ctrl-C once its first task is done."""
    process = subprocess.Popen(
        build_command(store), env=environment, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not done_tasks(store):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    return process


def done_tasks(store: Path) -> list[str]:
    ledger = store / "ledger.sqlite"
    if not ledger.exists():
        return []
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5) as db:
        try:
            return [row[0] for row in db.execute("SELECT id FROM tasks WHERE status = 'done'")]
        except sqlite3.OperationalError:  # killed before the tables were there
            return []


def events(store: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(store / "ledger.sqlite") as db:
        return list(db.execute("SELECT task, kind FROM events ORDER BY number"))


@pytest.mark.e2e
def test_build_when_run_twice_then_same_digest_and_same_bytes(
    cli: Cli, demo: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    ran = cli("build", "demo", "--out", again, "--workers", "1", "--json")
    assert ran.code == 0, ran.err
    first = json.loads((demo / "plan/plan.json").read_text())
    assert json.loads(ran.out)["digest"] == first["digest"]
    assert array_bytes(again) == array_bytes(demo)
    for table in ("samples.parquet", "steps.parquet"):
        pandas.testing.assert_frame_equal(
            pandas.read_parquet(again / table), pandas.read_parquet(demo / table)
        )


@pytest.mark.e2e
def test_build_when_finished_then_a_second_run_does_nothing(cli: Cli, demo: Path) -> None:
    before = events(demo)
    ran = cli("build", "demo", "--out", demo, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["tasks_run"] == 0
    assert events(demo) == before


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_build_when_killed_at_many_instants_then_same_bytes_and_no_task_done_twice(
    cli: Cli, demo: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    rng = random.Random(20180101)
    store = tmp_path / "killed"
    n_tasks = len(done_tasks(demo))
    assert n_tasks >= 20
    delays = [rng.uniform(0.0, 0.1) for _ in range(N_KILLS)]
    killed = sum(kill_amid(store, environment, n_tasks, delay) for delay in delays)
    assert killed >= 10
    cut_short = [kind for _, kind in events(store)].count("started") - len(done_tasks(store))
    assert cut_short >= 5
    ran = cli("build", "demo", "--out", store)
    assert ran.code == 0, ran.err
    assert array_bytes(store) == array_bytes(demo)
    assert cli("verify", store).code == 0
    finished: set[str] = set()
    for task, kind in events(store):
        assert not (kind == "started" and task in finished), f"{task} ran again after it was done"
        if kind == "done":
            finished.add(task)
    assert len(finished) == n_tasks


@pytest.mark.e2e
def test_build_when_interrupted_then_exit_130_and_resumes(
    cli: Cli, demo: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    store = tmp_path / "stopped"
    process = interrupt_amid(store, environment)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Run the same command again" in err
    assert cli("build", "demo", "--out", store).code == 0
    assert array_bytes(store) == array_bytes(demo)


@pytest.mark.e2e
def test_build_when_interrupted_twice_then_still_waits_and_resumes(
    cli: Cli, demo: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    store = tmp_path / "stopped"
    process = interrupt_amid(store, environment)
    assert process.stderr is not None
    err = ""
    while "waiting for" not in err and process.poll() is None:
        err += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    err += process.communicate(timeout=60)[1]
    assert process.returncode == 130, err
    assert "everything finished is kept" in err
    assert "Traceback" not in err
    assert cli("build", "demo", "--out", store).code == 0
    assert array_bytes(store) == array_bytes(demo)
