"""`eodata split audit`: a table of leaks, JSON with everything, an exit code that tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas
import pytest
import typer
from shapely.geometry import box

from eodata.catalog.split_sources import published_lists
from eodata.cli import split_commands
from eodata.cli.app import app, main

if not any(group.name == "split" for group in app.registered_groups):
    split_commands.register(app)

HEAD = "season,scene,split,region,source\n"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    cr = "summer,100,train,asiaWest,b\nsummer,73,test,,b\nfall,35,train,,b\nfall,,train,,b\n"
    (tmp_path / "cr.csv").write_text(HEAD + cr)
    (tmp_path / "ts.csv").write_text(HEAD + "summer,100,test,asiaWest,c\nsummer,73,test,,c\n")
    (tmp_path / "base.csv").write_text(HEAD + "fall,35,test,,a\nsummer,100,test,,a\n")

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["split", "audit", *(str(a) for a in arguments)])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def write_store(root: Path, split: str, west: float, count: int = 1) -> None:
    """Write squares of one degree side by side; the last one has no footprint."""
    squares = [box(west + n, 0, west + n + 1, 1) for n in range(count)]
    table = {
        "id": [f"{split}_{n}" for n in range(count + 1)],
        "area": "here",
        "split": split,
        "status": "done",
    }
    root.mkdir()
    geopandas.GeoDataFrame(table, geometry=[*squares, None], crs="EPSG:4326").to_parquet(
        root / "samples.parquet"
    )


def table(out: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in out.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_leak_then_a_row_says_what_to_leave_out_and_the_code_is_9(run: Run) -> None:
    code, out, err = run("cr.csv", "ts.csv")
    assert code == 9
    assert table(out) == [
        {
            "kind": "key",
            "place": "summer_100",
            "split in A": "train",
            "samples in A": "-",
            "split in B": "test",
            "samples in B": "-",
            "leave out": "train of A",
            "severity": "leak",
        }
    ]
    assert "A is cr.csv, a list: 4 areas listed (1 test, 3 train)" in err
    assert "1 of 4 areas of A have no attested key" in err
    assert "ground was not compared" in err
    assert "1 place is shared" in err
    assert "1 leak (1 by key)" in err


def test_no_leak_then_code_0_and_no_promise_beyond_what_was_compared(run: Run) -> None:
    code, out, err = run("ts.csv", "base.csv")
    assert (code, table(out)) == (0, [])
    assert "no leak among what was compared" in err


def test_one_dataset_then_it_is_audited_alone(run: Run) -> None:
    code, _, err = run("cr.csv")
    assert code == 0
    assert "B is" not in err


def test_limit_then_the_rest_is_counted(run: Run) -> None:
    code, out, err = run("cr.csv", "base.csv", "--limit", 1)
    assert (code, [row["place"] for row in table(out)]) == (9, ["fall_35"])
    assert "1 more: --limit 2" in err
    document = json.loads(run("cr.csv", "base.csv", "--limit", 1, "--json")[1])
    assert (document["leaks"], len(document["findings"])) == (2, 1)


def test_json_then_everything_that_is_shared(run: Run) -> None:
    code, out, _ = run("cr.csv", "ts.csv", "--json")
    document = json.loads(out)
    assert code == 9
    assert document["a"] == {
        "name": "cr.csv",
        "kind": "list",
        "areas": 4,
        "areas_without_key": 1,
        "samples": None,
        "samples_without_footprint": None,
        "samples_not_done": 0,
    }
    assert document["compared"] == {"key": True, "ground": False}
    assert (document["leaks"], document["shared"]) == (1, 1)
    leak, shared = document["findings"]
    assert leak == {
        "kind": "key",
        "place": "summer_100",
        "severity": "leak",
        "leave_out": "a",
        "share": None,
        "same_time": None,
        "a": {"areas": ["summer_100"], "split": "train", "samples": None, "ids": []},
        "b": {"areas": ["summer_100"], "split": "test", "samples": None, "ids": []},
    }
    assert (shared["place"], shared["severity"], shared["leave_out"]) == (
        *("summer_73", "shared", None),
    )
    assert json.loads(run("cr.csv", "--json")[1])["b"] is None


def test_stores_then_ground_is_compared_and_gaps_are_said(run: Run, tmp_path: Path) -> None:
    write_store(tmp_path / "one", "train", 0.0, 3)
    write_store(tmp_path / "two", "test", 1.5, 1)
    code, out, err = run("one", "two")
    assert code == 9
    (row,) = table(out)
    assert (row["kind"], row["place"]) == ("ground", "here / here")
    assert (row["samples in A"], row["samples in B"]) == ("2", "1")
    assert "A is one, a store: 4 samples in 1 areas (4 train)" in err
    assert "keys were not compared" in err
    assert "1 of 4 samples of A have no footprint" in err
    (found,) = json.loads(run("one", "two", "--json")[1])["findings"]
    assert found["a"]["ids"] == ["train_1", "train_2"]
    assert found["share"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sen12"], 2, "there is no dataset"),
        (["gone.csv"], 2, "cannot be read"),
        (["home"], 2, "there is no dataset"),
        (["."], 7, "no such table"),
        ([], 2, "Missing argument"),
    ],
)
def test_wrong_arguments_then_their_code(
    run: Run, arguments: list[str], code: int, words: str
) -> None:
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert words in err


@pytest.mark.skipif(not published_lists(), reason="no list travels with this copy")
def test_example_of_the_help_then_it_runs_and_finds_the_known_leak(
    run: Run, tmp_path: Path
) -> None:
    command = typer.main.get_command(app).commands["split"].commands["audit"]  # type: ignore[attr-defined]
    example = command.help.split("Example: eodata split audit ")[1].split()
    (tmp_path / example[1]).mkdir()
    code, out, err = run(*example)
    assert code == 9
    assert "summer_100" in [row["place"] for row in table(out)]
    assert f"./{example[1]}" in err
