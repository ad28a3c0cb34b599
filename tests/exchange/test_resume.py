"""An export goes on where it stopped, mends what is damaged, and touches no foreign file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import eodata
from eodata.core.errors import InterruptedBuildError, RecipeError, StoreError
from eodata.exchange.export import ExportReport, Planned, Progress, plan_export, run_export
from eodata.exchange.formats import FormatOptions
from eodata.exchange.journal import open_journal
from eodata.exchange.source import Selection
from eodata.exchange.task import Job, Task
from tests.exchange.conftest import Store, build_store

TREE = "sen12ms-cr-ts"
FILES, TASKS = 38, 7


def export(store: Store, folder: Path, name: str = TREE, *, force: bool = False) -> ExportReport:
    return run_export(plan_export(store.path, folder, name, force=force), workers=2)


def written(folder: Path) -> dict[Path, tuple[int, int]]:
    """Inode and time of every file in the tree: both differ when it was written again."""
    found = [p for p in folder.rglob("*.tif") if p.is_file()]
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def contents(folder: Path) -> dict[str, bytes]:
    found = [p for p in folder.rglob("*") if p.is_file() and ".export" not in p.parts]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


@pytest.fixture(scope="module")
def whole(series: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    export(series, folder)
    return contents(folder)


def test_a_second_run_writes_nothing(series: Store, tmp_path: Path) -> None:
    first = export(series, tmp_path)
    before = written(tmp_path)
    second = export(series, tmp_path)
    assert (first.tally.files, first.tally.written) == (FILES, FILES)
    assert (second.tally.files, second.tally.written) == (FILES, 0)
    assert second.tally.bytes == first.tally.bytes == sum(p.stat().st_size for p in before)
    assert written(tmp_path) == before


def test_damaged_and_missing_files_are_written_again(
    series: Store, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    export(series, tmp_path)
    torn, gone, *rest = sorted(tmp_path.rglob("*.tif"))
    torn.write_bytes(torn.read_bytes()[:-1])
    gone.unlink()
    (tmp_path / ".export" / "0123456789abcdef.partial").write_bytes(b"half")
    assert export(series, tmp_path).tally.written == 2
    assert contents(tmp_path) == whole
    assert len(rest) == FILES - 2
    assert not list(tmp_path.rglob("*.partial"))
    assert export(series, tmp_path).tally.written == 0


def test_a_torn_line_costs_one_file_once(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path)
    journal = tmp_path / ".export" / "journal.jsonl"
    os.truncate(journal, journal.stat().st_size - 10)
    assert [export(series, tmp_path).tally.written for _ in range(2)] == [1, 0]


def test_a_file_that_no_line_notes_is_not_trusted(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path)
    journal = tmp_path / ".export" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]) + b"no line\n")
    assert export(series, tmp_path).tally.written == 3


KILLED = """
import os, signal, sys
from pathlib import Path
from eodata.exchange.export import plan_export, run_export

def die(progress):
    if progress.done == 3:
        os.kill(os.getpid(), signal.SIGKILL)

run_export(plan_export(Path(sys.argv[1]), Path(sys.argv[2]), "sen12ms-cr-ts"), 1, die)
"""


def test_a_killed_run_is_gone_on_with(
    series: Store, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    command = [sys.executable, "-c", KILLED, str(series.path), str(tmp_path)]
    ended = subprocess.run(command, cwd=Path(eodata.__file__).parents[1], check=False)
    assert ended.returncode == -signal.SIGKILL
    before = written(tmp_path)
    assert 0 < len(before) < FILES
    report = export(series, tmp_path)
    # The file between its place and its line in the journal, if any, is written twice.
    assert FILES - len(before) <= report.tally.written <= FILES - len(before) + 1
    assert contents(tmp_path) == whole


def test_ctrl_c_keeps_what_is_in_place(
    series: Store, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(InterruptedBuildError, match=r"stopped after 2 of 7") as error:
        run_export(plan_export(series.path, tmp_path, TREE), 1, interrupt)
    assert error.value.exit_code == 130
    assert not any(thread.name.startswith("export") for thread in threading.enumerate())
    assert not list(tmp_path.rglob("*.partial"))
    before = written(tmp_path)
    assert 0 < len(before) < FILES
    report = export(series, tmp_path)
    assert report.tally.written == FILES - len(before)
    assert written(tmp_path).items() >= before.items()
    assert contents(tmp_path) == whole


def test_ctrl_c_gives_up_the_file_that_is_being_written(tmp_path: Path) -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(5000):
            time.sleep(0.001)
            yield b"."

    tasks = [
        Task({"quick": "1"}, lambda _: iter([("quick", [b"done"])])),
        Task({"slow": "1"}, lambda _: iter([("slow", slowly())])),
    ]
    job = Job(iter(tasks), 2, 2, Counter(), Counter())

    def interrupt(progress: Progress) -> None:
        if progress.done == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(InterruptedBuildError, match="stopped after 1 of 2"):
        run_export(Planned(tmp_path, "any", {}, job, force=False), 2, interrupt)
    assert contents(tmp_path) == {"quick": b"done"}


def test_a_damaged_store_ends_the_run_and_keeps_the_rest(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    store, folder = make(), tmp_path / "out"
    shard = store.path / "data.zarr" / "s2" / "c" / "1" / "0" / "0" / "0" / "0"
    sound = shard.read_bytes()
    shard.write_bytes(sound[:-1] + bytes([sound[-1] ^ 255]))
    with pytest.raises(StoreError, match="it cannot be read"):
        run_export(plan_export(store.path, folder, TREE), workers=1)
    before = written(folder)
    assert before
    shard.write_bytes(sound)
    report = export(store, folder)
    assert report.tally.written == report.tally.files - len(before)
    assert written(folder).items() >= before.items()


def test_a_full_disk_is_told_and_survived(series: Store, tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk without room."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))
    try:
        with pytest.raises(StoreError, match="it cannot be written") as error:
            export(series, tmp_path, "npy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert "finished files are kept" in error.value.fix
    assert not list(tmp_path.rglob("*.partial"))
    export(series, tmp_path, "npy")


def test_other_peoples_files_are_left_alone(series: Store, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(StoreError, match="not empty and holds no export"):
            export(series, tmp_path, force=force)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}
    with pytest.raises(StoreError, match="this is a file"):
        export(series, tmp_path / "thesis.txt")


def test_another_export_needs_force_which_takes_only_its_own_files(
    series: Store, tmp_path: Path
) -> None:
    export(series, tmp_path)
    own = tmp_path / "ROIs1868" / "73" / "notes.txt"
    own.write_text("mine")
    with pytest.raises(StoreError, match="format 'sen12ms-cr-ts', now 'npy'"):
        export(series, tmp_path, "npy")
    export(series, tmp_path, "npy", force=True)
    assert own.read_text() == "mine"
    assert not list(tmp_path.rglob("*.tif"))
    assert not (tmp_path / "ROIs1158").exists() or not (tmp_path / "ROIs1158" / "106").exists()


def test_what_a_mended_store_has_got_since_is_exported(series: Store, tmp_path: Path) -> None:
    mended = build_store(tmp_path / "mended", series.plan)
    for name, files in (("webdataset", 1), (TREE, 10)):
        export(series, tmp_path / name, name)
        report = export(mended, tmp_path / name, name)
        export(mended, tmp_path / f"{name}-anew", name)
        assert contents(tmp_path / name) == contents(tmp_path / f"{name}-anew")
        assert report.tally.written == files, name


def test_other_settings_are_another_export(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path)
    for options in (FormatOptions(compress="none"), FormatOptions(complete=True)):
        with pytest.raises(StoreError, match="another export"):
            plan_export(series.path, tmp_path, TREE, options=options)
    export(series, tmp_path / "npy", "npy")
    with pytest.raises(StoreError, match="limit None, now 1"):
        plan_export(series.path, tmp_path / "npy", "npy", Selection(limit=1))


def test_another_store_is_another_export(
    series: Store, make: Callable[..., Store], tmp_path: Path
) -> None:
    export(series, tmp_path / "out")
    with pytest.raises(StoreError, match="plan_digest"):
        export(make(), tmp_path / "out")


def test_a_journal_reaches_no_file_outside(series: Store, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.txt", tmp_path / "out"
    outside.write_text("mine")
    export(series, folder)
    with (folder / ".export" / "journal.jsonl").open("a") as journal:
        for path in ("../outside.txt", str(outside)):
            journal.write(json.dumps({"path": path, "size": 4, "mark": ""}) + "\n")
    export(series, folder, force=True)
    assert outside.read_text() == "mine"


def test_one_folder_has_one_writer(series: Store, tmp_path: Path) -> None:
    planned = plan_export(series.path, tmp_path, TREE)
    with (
        open_journal(tmp_path, planned.head, force=False),
        pytest.raises(StoreError, match="another export is writing"),
    ):
        run_export(planned)


def test_a_folder_in_the_store_is_refused(series: Store) -> None:
    with pytest.raises(RecipeError, match="lies in the store"):
        export(series, series.path / "export")
    assert not (series.path / "export").exists()


@pytest.mark.parametrize("name", ["npy", "webdataset"])
def test_arrays_are_resumed_too(series: Store, tmp_path: Path, name: str) -> None:
    export(series, tmp_path, name)
    before = contents(tmp_path)
    victim = sorted(before)[0]
    os.truncate(tmp_path / victim, 10)
    assert export(series, tmp_path, name).tally.written == 1
    assert contents(tmp_path) == before
