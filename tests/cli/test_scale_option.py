"""`--scale`: a miniature is another plan, says what it is, and resumes like any other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from eodata import resources
from eodata.cli.app import main

Run = Callable[..., tuple[int, str, str]]
SCALE = "side=320 steps=6"
TOLD = "(miniature: side=320 steps=6)"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def plan(run: Run, *arguments: str) -> dict[str, Any]:
    code, out, err = run("plan", "demo", "--json", *arguments)
    assert code == 0, err
    return dict(json.loads(out))


def said(scale: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in scale.items() if value is not None}


def build(run: Run, *arguments: str) -> dict[str, Any]:
    code, out, err = run("build", "demo", "--json", *arguments)
    assert code in (0, 9), err
    return dict(json.loads(out))


def test_plan_when_scaled_then_another_digest_and_recipe_and_title_say_so(run: Run) -> None:
    whole, small = plan(run), plan(run, "--scale", SCALE)
    assert whole["digest"] != small["digest"]
    assert small["digest"] == plan(run, "--scale", "steps=6,side=320")["digest"]
    assert whole["recipe"]["scale"] is None
    assert said(small["recipe"]["scale"]) == {"side": 320.0, "steps": 6}
    assert small["recipe"]["title"] == f"{whole['recipe']['title']} {TOLD}"
    assert (len(whole["patches"]), len(small["patches"])) == (16, 4)
    assert (small["recipe"]["time"]["start"], small["recipe"]["time"]["steps"]) == ("2018-01-01", 6)


def test_build_when_scaled_then_the_store_says_so_and_resumes_and_no_other_scale_gets_in(
    run: Run,
) -> None:
    first = build(run, "--scale", SCALE)
    assert (first["samples"], first["tasks_run"]) == (4, first["tasks"])
    card = yaml.safe_load(Path("demo/card.yaml").read_text(encoding="utf-8"))
    assert card["title"].endswith(TOLD)
    group = json.loads(Path("demo/data.zarr/zarr.json").read_text(encoding="utf-8"))
    assert group["attributes"]["title"].endswith(TOLD)
    kept = json.loads(Path("demo/plan/plan.json").read_text(encoding="utf-8"))
    assert said(kept["recipe"]["scale"]) == {"side": 320.0, "steps": 6}
    steps = pd.read_parquet("demo/steps.parquet")
    assert sorted(steps.loc[steps["modality"] == "s2", "step"].unique()) == list(range(6))
    assert run("verify", "demo")[0] == 0

    assert build(run, "--scale", SCALE)["tasks_run"] == 0
    for other in (["--scale", "side=320 steps=5"], []):
        code, _, err = run("build", "demo", *other)
        assert code != 0
        assert "another plan" in err or "digest" in err
    assert build(run, "--locked")["tasks_run"] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("areas=x", "areas: 'x'"),
        ("foo=2", "Known: areas, "),
        ("areas", '"areas" has no value'),
        ("side=100", "shorter than area.patch = 160 m"),
    ],
)
def test_plan_when_the_scale_is_wrong_then_exit_2_and_what_would_be_right(
    run: Run, text: str, told: str
) -> None:
    code, _, err = run("plan", "demo", "--scale", text)
    assert code == 2
    assert told in err


def test_build_when_locked_and_scaled_then_refused(run: Run) -> None:
    code, _, err = run("build", "demo", "--locked", "--scale", "steps=1")
    assert code == 2
    assert "--scale" in err


def test_check_when_a_recipe_has_a_scale_then_what_is_left_is_counted(
    run: Run, tmp_path: Path
) -> None:
    source = resources.recipe_files()["sen12ms-cr-ts"]
    shutil.copytree(source.parent / "areas", tmp_path / "areas")
    small = tmp_path / source.name
    text = source.read_text(encoding="utf-8")
    small.write_text(f"{text}scale: {{side: 5120, areas: 5}}\n", encoding="utf-8")
    code, out, err = run("recipe", "check", small, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["areas"], told["patches"]) == (5, 20)
    assert told["splits"] == {"train": 8, "val": 8, "test": 4}
