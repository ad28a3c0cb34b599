"""Shifts on the command line: a table, JSON, a picture. Here, because the store is made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eodata.cli.app import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(register_folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_shift_limit_then_only_what_is_measured_and_close(run: Run, compared) -> None:
    code, out, err = run("catalog", "samples", compared.root, "--shift", "<0.61px")
    assert code == 0
    head, *lines = (line.split("\t") for line in out.splitlines())
    assert [name for name in head if name.endswith(":shift")] == [
        *("s2:shift", "s1:shift", "landcover:shift")
    ]
    assert [line[1] for line in lines] == ["0", "3"]
    assert [line[head.index("s2:shift")] for line in lines] == ["0.6", "0.6"]
    assert err == "2 samples\n"
    assert run("catalog", "samples", compared.root, "--shift", ">0.61")[2] == "0 samples\n"


def test_shift_with_modality_then_of_that_alone(run: Run, compared) -> None:
    asked = ("catalog", "samples", compared.root, "--shift", "<0.2", "--json")
    assert run(*asked)[1] == "[]\n"
    found = json.loads(run(*asked, "--modality", "s1")[1])
    assert [sample["row"] for sample in found] == [0, 3]


def test_json_when_nothing_is_measured_then_null(run: Run, compared) -> None:
    found = json.loads(run("catalog", "samples", compared.root, "--json")[1])
    assert [sample["s1:shift"] is None for sample in found] == [False, True, False]
    table = run("catalog", "samples", compared.root)[1].splitlines()
    assert table[2].count("\t-\t") == 3


def test_table_when_nothing_is_compared_then_without_the_columns(run: Run, built) -> None:
    assert ":shift" not in run("catalog", "samples", built.root)[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--shift", "0.5"), 'Write for example "<30"'),
        (("--shift", "<1", "--modality", "dem"), "dem is compared with nothing"),
    ],
)
def test_shift_when_it_cannot_be_then_exit_2(run: Run, compared, options, words: str) -> None:
    code, out, err = run("catalog", "samples", compared.root, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_shift_when_the_store_compares_nothing_then_exit_2(run: Run, built) -> None:
    code, _, err = run("catalog", "samples", built.root, "--shift", "<1")
    assert code == 2
    assert "checks.measure_shifts" in err


def test_show_with_shifts_then_another_picture(run: Run, compared, tmp_path: Path) -> None:
    plain, arrows = tmp_path / "a.png", tmp_path / "b.png"
    assert run("show", compared.root, 0, "--out", plain)[0] == 0
    code, out, _ = run("show", compared.root, 0, "--shifts", "--out", arrows)
    assert (code, out) == (0, f"{arrows}\n")
    assert arrows.read_bytes() != plain.read_bytes()
