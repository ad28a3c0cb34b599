"""The command line: results on stdout, light at start, JSON that parses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest
import yaml

from eodata import resources
from eodata.cli.app import main
from eodata.cli.output import human_bytes, put_table
from eodata.core.recipe import Recipe

HEAVY = ("torch", "ee", "rasterio", "zarr", "dask", "distributed", "geopandas", "pandas", "odc.geo")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_help_when_asked_then_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['eodata', '--help']\n"
        "from eodata.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands" in done.stdout
    assert done.stderr.strip() == "[]"


def test_version_then_that_of_the_package(run: Run) -> None:
    assert run("--version") == (0, f"eodata {version('eodata')}\n", "")


def test_schema_when_printed_then_accepts_every_shipped_recipe(run: Run) -> None:
    code, out, _ = run("recipe", "show", "--schema")
    assert code == 0
    schema = json.loads(out)
    for path in resources.recipe_files().values():
        recipe = json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))
        jsonschema.validate(recipe, schema)
        recipe["modalites"] = {}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(recipe, schema)


def test_show_when_a_recipe_then_yaml_that_says_the_same(run: Run) -> None:
    code, out, _ = run("recipe", "show", "demo")
    assert code == 0
    shown = Recipe.parse(yaml.safe_load(out), "shown")
    assert shown == Recipe.parse(resources.read_yaml(resources.recipe_files()["demo"]), "demo")
    assert shown.to_json() == json.loads(run("recipe", "show", "demo", "--json")[1])
    assert "B8A" in run("recipe", "show", "--product", "sentinel-2-l2a")[1]


def test_new_recipe_when_checked_then_fine_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    assert run("recipe", "new", "mine.yaml")[0] == 0
    assert run("recipe", "check", "mine.yaml")[0] == 0
    text = Path("mine.yaml").read_text()
    code, _, err = run("recipe", "new", "mine.yaml")
    assert code == 2
    assert "the file exists" in err
    assert Path("mine.yaml").read_text() == text


def test_new_recipe_when_built_over_the_demos_archive_then_complete(run: Run) -> None:
    run("recipe", "new", "mine.yaml")
    archive = resources.shipped("recipes") / "archives/demo"
    code, out, err = run("build", "mine.yaml", "--archive", archive, "--json")
    assert code == 0, err
    assert json.loads(out)["outcomes"]["done"] > 0


def test_plan_when_json_then_the_whole_plan_on_stdout_alone(run: Run) -> None:
    code, out, err = run("plan", "demo", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["recipe"]["name"] == "demo"
    code, out, err = run("plan", "demo")
    assert out.splitlines()[0].split("\t") == ["modality", "step", "start", "area", "items", "gap"]
    assert "24 tasks" in err


def test_dry_run_then_prices_the_build_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("build", "demo", "--dry-run", "--json")
    assert code == 0
    price = json.loads(out)
    assert price["samples"] == 16
    assert price["tasks"] == 24
    assert price["shard_files"] == 48
    assert price["reads"] > 1000
    assert not (tmp_path / "demo").exists()


def test_build_and_search_then_stdout_is_json_and_the_store_is_found(run: Run) -> None:
    code, out, _ = run("build", "demo", "--limit", 4, "--json")
    assert code == 0
    assert json.loads(out)["samples"] == 4
    code, out, _ = run("catalog", "search", "--task", "cloud-removal", "--sensor", "s1", "--json")
    stores = {card["name"]: card["store"] for card in json.loads(out)}
    assert Path(stores["demo"]).name == "demo"
    code, out, _ = run("catalog", "samples", "demo", "--json", "--limit", 1)
    (sample,) = json.loads(out)
    assert sample["id"] == "flanders_r000_c000"
    assert run("catalog", "samples", "demo", "--cloud", ">100", "--json")[1] == "[]\n"
    code, out, _ = run("verify", "demo", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, out, _ = run("show", "demo", "flanders_r000_c001", "--out", "x.png")
    assert (code, out) == (0, "x.png\n")
    assert Path("x.png").read_bytes().startswith(b"\x89PNG")


def test_verify_when_a_byte_is_flipped_then_exit_7_and_names_the_file(run: Run) -> None:
    run("build", "demo", "--limit", 1)
    shard = Path("demo/data.zarr/s1/c/0/0/0/0/0")
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    code, out, _ = run("verify", "demo")
    assert code == 7
    assert "s1/c/0/0/0/0/0" in out


def test_locked_when_the_archive_has_changed_then_builds_the_stores_plan(
    run: Run, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(resources.shipped("recipes"), tmp_path / "recipes")
    recipe = tmp_path / "recipes/demo.yaml"
    assert run("build", recipe, "--limit", 1, "--out", "store")[0] == 0
    item = tmp_path / "recipes/archives/demo/sentinel-2-l2a/S2B_31UDS_20180715_0_L2A"
    record = next(item.glob("*.json"))
    record.write_text(record.read_text().replace("sentinel-2b", "sentinel-2a"))
    code, _, err = run("build", recipe, "--limit", 1, "--out", "store")
    assert code == 7
    assert "--locked" in err
    code, out, _ = run("build", recipe, "--out", "store", "--locked", "--json")
    assert (code, json.loads(out)["tasks_run"]) == (0, 0)


def test_doctor_then_lists_packages_and_providers(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    assert code == 0
    facts = json.loads(out)
    assert facts["providers"][0]["name"] == "archive"
    assert facts["providers"][0]["usable"] is True
    assert facts["packages"]["zarr"] == version("zarr")
    assert "demo" in facts["recipes"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (5_200_000, "5.2 MB"), (2e13, "20.0 TB")]
)
def test_human_bytes_then_decimal_units(count: float, text: str) -> None:
    assert human_bytes(count) == text


def test_plan_when_the_reader_goes_away_then_no_error() -> None:
    command = f"{sys.executable} -m eodata plan demo | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "bug" not in done.stderr


def test_table_when_at_a_terminal_then_brackets_are_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    put_table(("name", "where"), [("crops [s2]", "/a/rather/long/path/to/x[/b]/demo")])
    out = capsys.readouterr().out
    assert "crops [s2]" in out
    lines = [line.replace("crops [s2]", "").strip() for line in out.splitlines()[1:]]
    assert "".join(lines) == "/a/rather/long/path/to/x[/b]/demo"


def test_add_and_forget_then_the_search_follows(run: Run, tmp_path: Path) -> None:
    run("build", "demo", "--limit", 1)
    (tmp_path / "demo").rename(tmp_path / "moved")
    assert "moved" not in run("catalog", "search", "flanders")[1]
    assert run("catalog", "add", "moved")[0] == 0
    assert "moved" in run("catalog", "search", "flanders")[1]
    assert run("catalog", "forget", "moved")[0] == 0
    assert "moved" not in run("catalog", "search", "flanders")[1]
    assert run("catalog", "add", "nowhere")[0] == 7


def test_locked_when_beside_limit_then_refused(run: Run) -> None:
    run("build", "demo", "--limit", 1)
    code, _, err = run("build", "demo", "--locked", "--limit", 1)
    assert code == 2
    assert "--limit" in err


@pytest.mark.parametrize("name", ["2018", "yes", "_my", "2018-07-01", "Ünïcode"])
def test_new_recipe_whatever_its_name_then_passes_its_own_check(name: str, run: Run) -> None:
    run("recipe", "new", f"{name}.yaml")
    assert run("recipe", "check", f"{name}.yaml")[0] == 0
