"""The conductor: retries by class of error, honest ends, bounds."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest

from eodata.build.conductor import build
from eodata.build.loop import Progress, Settings
from eodata.build.prepare import Prepared
from eodata.core.errors import ProviderError, QuotaError, StoreError
from eodata.core.item import Item
from eodata.core.retry import RetryPolicy
from tests.build.conftest import TroubledArchive

Install = Callable[[Callable[[Item, int], ProviderError | None]], list[TroubledArchive]]
UNLUCKY = "S2B_31UDS_20180715_0_L2A"
QUICK = RetryPolicy(attempts=3, first_delay=0.01)


def busy(item: Item, number: int, until: int) -> ProviderError | None:
    if item.id == UNLUCKY and number <= until:
        return ProviderError(item.id, "503", "the archive is busy.", "Wait.", retryable=True)
    return None


def events(store: Path, task: str) -> list[str]:
    with sqlite3.connect(store / "ledger.sqlite") as db:
        return [kind for (kind,) in db.execute("SELECT kind FROM events WHERE task = ?", (task,))]


def test_build_when_an_archive_is_busy_twice_then_tried_again_and_complete(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    troubled(lambda item, number: busy(item, number, until=2))
    report = build(prepared, home / "store", Settings(workers=1, retry=QUICK))
    assert (report.verdict, report.exit_code) == ("complete", 0)
    # s2 and scl read the unlucky item by turns, so each meets one of the two errors.
    for task in ("s2-b0000-t000", "scl-b0000-t000"):
        assert events(home / "store", task) == ["started", "failed", "started", "done"]


def test_build_when_an_archive_stays_busy_then_failed_steps_and_exit_8(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    archives = troubled(lambda item, number: busy(item, number, until=99))
    report = build(prepared, home / "store", Settings(workers=1, retry=QUICK))
    assert report.exit_code == 8
    # s2 and scl of one step fail for both samples; cloud follows scl.
    assert report.outcomes["failed"] == 6
    assert archives[0].calls[UNLUCKY] == 2 * QUICK.attempts
    # cloud has its failure from scl: mending that mends it too.
    assert (report.retryable, report.permanent) == (3, 0)
    steps = pandas.read_parquet(home / "store/steps.parquet")
    failed = steps[steps["status"] == "failed"]
    assert set(failed["modality"]) == {"s2", "scl", "cloud"}
    assert failed["reason"].str.contains("the archive is busy").all()

    troubled(lambda item, number: None)
    archives[0].trouble = lambda item, number: None  # this process keeps its open providers
    mended = build(prepared, home / "store", Settings(workers=1, retry=QUICK))
    assert (mended.exit_code, mended.tasks_run) == (0, 3)


def test_build_when_the_reference_was_missing_then_what_waits_for_it_is_compared_again(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    plan, store = prepared.plan, home / "store"
    area = plan.patches[0].area
    reference = plan.choice("s2", area, plan.reference_step("s1", area)).items[0]
    lost = plan.items[reference].id
    archives = troubled(
        lambda item, _: ProviderError(item.id, "away", retryable=True) if item.id == lost else None
    )
    assert build(prepared, store, Settings(workers=1, retry=QUICK)).exit_code == 8
    steps = pandas.read_parquet(store / "steps.parquet")
    waiting = steps[steps["modality"].isin(["s1", "landcover"]) & (steps["status"] == "done")]
    assert len(waiting) > 0
    assert waiting["shift"].isna().all()

    archives[0].trouble = lambda item, number: None
    mended = build(prepared, store, Settings(workers=1, retry=QUICK))
    # s2, scl and cloud; and s1 and landcover, for they had nothing to be compared with
    assert (mended.exit_code, mended.tasks_run) == (0, 5)


def test_build_when_an_error_is_permanent_then_not_tried_again(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    archives = troubled(
        lambda item, number: ProviderError(item.id, "damaged") if item.id == UNLUCKY else None
    )
    report = build(prepared, home / "store", Settings(workers=1, retry=QUICK))
    assert report.exit_code == 8
    assert archives[0].calls[UNLUCKY] == 2  # once for s2, once for scl
    assert (report.retryable, report.permanent) == (0, 3)


def test_build_when_failures_are_allowed_then_exit_9(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    troubled(lambda item, number: ProviderError("x", "gone") if item.id == UNLUCKY else None)
    recipe = prepared.plan.recipe
    allowed = recipe.model_copy(
        update={"checks": recipe.checks.model_copy(update={"max_failed": 0.1})}
    )
    plan = type(prepared.plan)(
        **{**{f: getattr(prepared.plan, f) for f in FIELDS}, "recipe": allowed}
    )
    report = build(Prepared(plan, prepared.locations), home / "store", Settings(workers=1))
    assert report.exit_code == 9
    assert report.verdict == "complete with losses that the recipe allows"


FIELDS = ("modalities", "areas", "items", "choices", "patches", "placed", "synthetic", "provenance")


def test_build_when_asked_to_wait_then_waits_as_long(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    def quota(item: Item, number: int) -> ProviderError | None:
        if item.id == UNLUCKY and number == 1:
            return QuotaError("archive", "429", retryable=True, retry_after=0.6)
        return None

    troubled(quota)
    patient = RetryPolicy(attempts=2, first_delay=60.0)
    started = time.monotonic()
    report = build(prepared, home / "store", Settings(workers=2, retry=patient))
    assert report.exit_code == 0
    assert 0.6 <= time.monotonic() - started < 30


def test_build_when_workers_are_two_then_two_at_once_and_no_more(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    archives = troubled(lambda item, number: time.sleep(0.002))
    build(prepared, home / "store", Settings(workers=2))
    assert archives[0].most_at_once == 2


def test_build_when_a_bug_appears_then_it_is_raised_and_finished_tasks_are_kept(
    prepared: Prepared, home: Path, troubled: Install
) -> None:
    def bug(item: Item, number: int) -> ProviderError | None:
        if item.id == UNLUCKY:
            raise ZeroDivisionError("a bug")
        return None

    troubled(bug)
    with pytest.raises(ZeroDivisionError):
        build(prepared, home / "store", Settings(workers=1))
    kept = events(home / "store", "s2-b0000-t000")
    assert kept == ["started", "failed"]


def test_build_when_progress_is_watched_then_every_task_is_told_once(
    prepared: Prepared, home: Path
) -> None:
    seen: list[Progress] = []
    build(prepared, home / "store", Settings(workers=2, on_progress=seen.append))
    assert [p.done for p in seen] == list(range(len(prepared.plan.tasks) + 1))
    assert seen[0].task == ""
    assert {p.task for p in seen[1:]} == {task.id for task in prepared.plan.tasks}


def test_build_when_a_shard_vanished_then_its_task_runs_again(
    prepared: Prepared, home: Path
) -> None:
    store = home / "store"
    build(prepared, store, Settings(workers=2))
    shard = store / "data.zarr/s2/c/0/0/0/0/0"
    before = shard.read_bytes()
    shard.unlink()
    report = build(prepared, store, Settings(workers=2))
    assert report.tasks_run == 1  # what was compared with it need not be read again
    assert shard.read_bytes() == before


def test_build_when_the_target_is_a_file_then_refused(prepared: Prepared, home: Path) -> None:
    (home / "store").write_text("a file")
    with pytest.raises(StoreError, match="this is a file"):
        build(prepared, home / "store", Settings())


@pytest.mark.parametrize(
    ("attempt", "retry_after", "expected"),
    [(1, None, 1), (3, None, 4), (9, None, 60), (1, 7, 7), (1, 900, 60)],
)
def test_delay_when_retrying_then_doubles_obeys_and_is_bounded(
    attempt: int, retry_after: float | None, expected: float
) -> None:
    error = ProviderError("x", "y", retryable=True, retry_after=retry_after)
    assert RetryPolicy(first_delay=1, longest_delay=60).delay(error, attempt) == expected


def test_build_when_the_list_of_stores_cannot_be_written_then_complete_with_a_warning(
    prepared: Prepared, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "a-file").write_text("no folder")
    monkeypatch.setenv("EODATA_HOME", str(home / "a-file"))
    report = build(prepared, home / "store", Settings(workers=2))
    assert report.exit_code == 0
    assert "not on the list of stores" in report.warning


def test_report_then_counts_the_files_that_stay(prepared: Prepared, home: Path) -> None:
    report = build(prepared, home / "store", Settings(workers=2))
    files = [p for p in (home / "store").rglob("*") if p.is_file() and p.name != "build.lock"]
    assert report.files == len(files)
    assert report.bytes == sum(p.stat().st_size for p in files)


def test_build_when_a_source_must_be_read_again_then_what_derives_from_it_too(
    prepared: Prepared, home: Path
) -> None:
    store = home / "store"
    build(prepared, store, Settings(workers=2))
    (store / "data.zarr/scl/c/0/0/0/0/0").unlink()
    assert build(prepared, store, Settings(workers=2)).tasks_run == 2  # scl and cloud


def test_force_then_removes_what_eodata_wrote_and_nothing_else(
    prepared: Prepared, home: Path
) -> None:
    store = home / "store"
    build(prepared, store, Settings(workers=2))
    mine = [store / "card.yaml.orig", store / "samples.parquet_old" / "x", store / "my.partial"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    report = build(prepared, store, Settings(workers=2, force=True))
    assert report.tasks_run == len(prepared.plan.tasks)
    assert all(path.read_text() == "mine" for path in mine)
