"""`eodata export`: a table, JSON, notes on stderr, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eodata.cli.app import main
from tests.exchange.conftest import ENDINGS, SERIES, build_store, make_plan

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exported") / "store"
    return build_store(root, make_plan(SERIES, 3), ENDINGS).path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["export", *(str(a) for a in arguments)])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_a_table_on_stdout_and_losses_on_stderr(run: Run, store: Path, tmp_path: Path) -> None:
    code, out, err = run(store, "--format", "sen12ms-cr-ts", tmp_path / "tree", "--workers", 2)
    head, row = (line.split("\t") for line in out.splitlines())
    told = dict(zip(head, row, strict=True))
    assert code == 0
    assert (told["format"], told["samples"], told["files"]) == ("sen12ms-cr-ts", "7", "38")
    assert "2 samples left out\n  1 x failed: s1 step 0: HTTP 500\n" in err
    assert "2 steps left out\n  1 x s1: min_valid\n" in err
    assert "note: 1 of 2 areas, ROIs1868_73 first, lack patches" in err
    assert "7/7" in err


def test_json_says_everything(run: Run, store: Path, tmp_path: Path) -> None:
    words = (store, tmp_path / "out", "--format", "webdataset", "--shard-mb", 0.1, "--json")
    first, again = (json.loads(run(*words)[1]) for _ in range(2))
    assert first["files"] == first["written"] == len(list((tmp_path / "out").glob("*.tar")))
    assert first["bytes"] == sum(p.stat().st_size for p in (tmp_path / "out").glob("*.tar"))
    assert first["samples_left_out"] == {"failed: s1 step 0: HTTP 500": 1}
    assert (again["files"], again["written"]) == (first["files"], 0)


def test_options_reach_the_export(run: Run, store: Path, tmp_path: Path) -> None:
    words = ("--format", "sen12ms-cr-ts", "--split", "test", "--complete", "--limit", 2)
    more = ("--dtype", "float64", "--compress", "none", "--rejected", "--json")
    code, out, _ = run(store, tmp_path / "out", *words, *more)
    assert code == 0
    assert json.loads(out)["samples"] == 2
    head = json.loads((tmp_path / "out/.export/journal.jsonl").read_text().splitlines()[0])
    told = {key: head[key] for key in ("complete", "dtype", "compress", "rejected")}
    assert told == {"complete": True, "dtype": "float64", "compress": "none", "rejected": True}
    code, *_ = run(store, tmp_path / "out", "--format", "npy", "--force")
    assert code == 0
    assert (tmp_path / "out" / "index.csv").is_file()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--format", "geotif"), 2, 'Did you mean "geotiff"?'),
        (("--format", "sen12ms-cr"), 2, "s1 has 3 steps"),
        (("--format", "npy", "--split", "trian"), 2, 'no split "trian"'),
        (("--format", "npy", "--complete"), 2, "--complete"),
        ((), 2, "--format"),
    ],
)
def test_errors_are_clear_and_leave_no_folder(
    run: Run, store: Path, tmp_path: Path, words: tuple[object, ...], code: int, message: str
) -> None:
    found, out, err = run(store, tmp_path / "out", *words)
    assert (found, out) == (code, "")
    assert message in err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_others_is_refused(run: Run, store: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    code, _, err = run(store, tmp_path, "--format", "npy")
    assert code == 7
    assert "not empty and holds no export" in err


def test_no_store_is_told(run: Run, tmp_path: Path) -> None:
    code, _, err = run(tmp_path / "nothing", tmp_path / "out", "--format", "npy")
    assert code == 7
    assert "is no store" in err
