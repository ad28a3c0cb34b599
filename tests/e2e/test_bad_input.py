"""Bad input: a clear message, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
import yaml
import zarr

from tests.e2e.building import Cli, array_bytes, run_command

RECIPES = Path(__file__).parents[2] / "recipes"
BROKEN_ITEM = "S2B_31UDS_20180715_0_L2A"

Edit = Callable[[dict], object]


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A folder with a recipe of one's own: the demo with its archive, to be spoilt."""
    folder = tmp_path / "kitchen"
    shutil.copytree(RECIPES, folder)
    return folder


def spoil(kitchen: Path, edit: Edit) -> Path:
    path = kitchen / "demo.yaml"
    recipe = yaml.safe_load(path.read_text())
    edit(recipe)
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


def edit_modality(name: str, **changes: object) -> Edit:
    return lambda recipe: recipe["modalities"][name].update(changes)


BAD_RECIPES: dict[str, tuple[Edit, int, tuple[str, ...]]] = {
    "unknown key": (
        lambda r: r.update(modalites={}),
        2,
        ("demo.yaml: modalites", 'Did you mean "modalities"?'),
    ),
    "unknown key inside": (
        edit_modality("s2", anker=True),
        2,
        ("modalities.s2.anker", 'Did you mean "anchor"?'),
    ),
    "gsd that does not divide the patch": (
        edit_modality("dem", gsd=60),
        2,
        ("modalities.dem.gsd", "60 m does not divide area.patch = 160 m", "120 or 180"),
    ),
    "end before start": (
        lambda r: r["time"].update(end="2017-12-01"),
        2,
        ("demo.yaml: time", "is not after the start"),
    ),
    "unknown band": (
        edit_modality("s2", bands=["B02", "nri"]),
        2,
        ('there is no band "nri"', 'Did you mean "nir"?'),
    ),
    "unknown product": (
        edit_modality("s2", product="sentinel-2-l2b"),
        2,
        ("modalities.s2.product", 'Did you mean "sentinel-2-l2a"?'),
    ),
    "nearest for classes that get coarser": (
        edit_modality("landcover", gsd=20, resampling="nearest"),
        2,
        ("modalities.landcover.resampling", "Use mode"),
    ),
    "choice beside a pair": (
        edit_modality("s1", choose={"by": "nearest", "max_cloud": 20}),
        2,
        ("modalities.s1", "a pair is chosen by time"),
    ),
    "choice for a static layer": (
        edit_modality("dem", choose={"by": "nearest"}),
        2,
        ("modalities.dem.choose", "static layer"),
    ),
    "area outside the archive": (
        lambda r: r.update(area={"bbox": [10.0, 50.0, 10.05, 50.05], "patch": 160}),
        6,
        ("provider archive has 0 items", "no item touches an area"),
    ),
    "time outside the archive": (
        lambda r: r["time"].update(start="2021-01-01", end="2021-02-01"),
        6,
        ("0 items of sentinel-2-l2a",),
    ),
    "area file that leaves the folder": (
        lambda r: r["area"].update(file="../../../../etc/passwd"),
        2,
        ("area.file", "leaves the folder of the recipe"),
    ),
    "absolute area file": (
        lambda r: r["area"].update(file="/etc/passwd"),
        2,
        ("area.file", "leaves the folder of the recipe"),
    ),
    "archive that leaves the folder": (
        lambda r: r["archive"].update(catalog="../catalog.json"),
        2,
        ("archive.catalog", "leaves the folder"),
    ),
    "no archive at all": (
        lambda r: r.pop("archive"),
        4,
        ("no provider of sentinel-1-grd can be used here", "--archive PATH"),
    ),
    "provider that does not keep the product": (
        edit_modality("landcover", provider="earthengine"),
        2,
        ("earthengine does not keep worldcereal-labels", "archive"),
    ),
}


@pytest.mark.e2e
@pytest.mark.parametrize("name", BAD_RECIPES)
def test_build_when_the_recipe_is_bad_then_says_where_why_and_what_to_do(
    name: str, run: Cli, kitchen: Path, tmp_path: Path
) -> None:
    edit, code, parts = BAD_RECIPES[name]
    out = tmp_path / "out"
    ran = run("build", spoil(kitchen, edit), "--out", out)
    assert ran.code == code, ran.err
    for part in parts:
        assert part in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert not out.exists()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("name: !!python/object/apply:os.system ['touch hacked']\n", "this is no plain YAML"),
        ("name: a\nname: b\n", 'the key "name" stands twice'),
        ("name: [a\n", "this is no plain YAML"),
        ("- just\n- a list\n", "not a mapping"),
        ("", "not a mapping"),
    ],
)
def test_build_when_the_file_is_no_recipe_then_exit_2(
    text: str, part: str, run: Cli, tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    ran = run("build", path)
    assert ran.code == 2
    assert part in ran.err
    assert not (tmp_path / "hacked").exists()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (("build", "demmo"), 2, 'Did you mean "demo"?'),
        (("build", "nowhere/demo.yaml"), 2, "there is no file nowhere/demo.yaml"),
        (("build", "demo", "--archive", "nowhere"), 3, "catalog.json"),
        (("build", "demo", "--provider", "archiv"), 2, 'there is no provider "archiv"'),
        (("build", "demo", "--wokers", "2"), 2, "--workers"),
        (("verify", "nowhere"), 7, "nowhere"),
        (("show", "nowhere", "x"), 7, "nowhere"),
        (("catalog", "samples", "nowhere"), 7, "nowhere is no store"),
        (("catalog", "search", "--bbox", "1,2,3"), 2, "1,2,3"),
        (("recipe", "show", "--product", "sentinel-1"), 2, "sentinel-1-grd"),
    ],
)
def test_command_when_an_argument_is_wrong_then_names_it(
    arguments: tuple[str, ...], code: int, part: str, run: Cli
) -> None:
    ran = run(*arguments)
    assert ran.code == code, ran.err
    assert part in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.e2e
def test_build_when_the_folder_is_foreign_then_exit_7_and_untouched(
    run: Cli, tmp_path: Path
) -> None:
    thesis = tmp_path / "documents" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("three years")
    for force in ((), ("--force",)):
        ran = run("build", "demo", "--out", thesis.parent, *force)
        assert ran.code == 7
        assert "is no eodata store" in ran.err
    assert [p.name for p in thesis.parent.iterdir()] == ["thesis.txt"]


@pytest.mark.e2e
def test_build_when_the_folder_holds_somebody_elses_zarr_then_exit_7_and_untouched(
    run: Cli, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign"
    array = zarr.create_array(
        foreign / "data.zarr", name="s2", shape=(4, 4), chunks=(4, 4), dtype="uint8"
    )
    array[:] = 7
    before = array_bytes(foreign)
    assert "zarr.json" in before
    for force in ((), ("--force",)):
        ran = run("build", "demo", "--out", foreign, *force)
        assert ran.code == 7
        assert "is no eodata store" in ran.err
    assert array_bytes(foreign) == before


@pytest.mark.e2e
def test_build_when_the_store_holds_another_plan_then_exit_7_and_force_replaces_it(
    run: Cli, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    assert run("build", "demo", "--limit", 1, "--out", store).code == 0
    before = array_bytes(store)
    (store / "notes.txt").write_text("mine")
    ran = run("build", "demo", "--limit", 2, "--out", store)
    assert ran.code == 7
    assert "another plan" in ran.err
    assert "--force" in ran.err
    assert array_bytes(store) == before
    assert run("build", "demo", "--limit", 2, "--out", store, "--force").code == 0
    assert array_bytes(store) != before
    assert (store / "notes.txt").read_text() == "mine"


@pytest.mark.e2e
def test_build_when_a_file_is_truncated_then_incomplete_then_mended(
    run: Cli, kitchen: Path, demo: Path, tmp_path: Path
) -> None:
    recipe, store = kitchen / "demo.yaml", tmp_path / "store"
    file = kitchen / f"archives/demo/sentinel-2-l2a/{BROKEN_ITEM}/B08.tif"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    ran = run("build", recipe, "--out", store, "--json")
    assert ran.code == 8, ran.err
    report = json.loads(ran.out)
    assert report["verdict"] == "incomplete"
    assert report["outcomes"]["failed"] == 16
    assert any("B08" in reason for reason in report["reasons"])

    steps = pandas.read_parquet(store / "steps.parquet")
    failed = steps[steps["status"] == "failed"]
    assert set(failed["modality"]) == {"s2"}
    assert {item for items in failed["items"] for item in items} == {BROKEN_ITEM}
    assert failed["reason"].str.contains("B08.tif").all()
    group = zarr.open_group(store / "data.zarr", mode="r")
    for row, step in zip(failed["row"], failed["step"], strict=True):
        assert not group["s2_valid"][row, step].any()
    samples = pandas.read_parquet(store / "samples.parquet")
    assert set(samples["status"]) == {"failed"}
    assert run("verify", store).code == 0  # incomplete, and honest about it

    file.write_bytes(whole)
    ran = run("build", recipe, "--out", store, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["tasks_run"] == 4  # s2 of four blocks, and nothing else
    assert array_bytes(store) == array_bytes(demo)


@pytest.mark.e2e
def test_build_when_the_disk_is_full_then_exit_7_nothing_half_written_and_resumes(
    cli: Cli, demo: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    store = tmp_path / "store"
    largest = max(p.stat().st_size for p in (demo / "data.zarr").rglob("*") if p.is_file())

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest // 2, largest // 2))

    command = [sys.executable, "-m", "eodata", "build", "demo", "--out", store]
    full = run_command(command, environment, before=small_disk)
    assert full.code == 7, full.err
    assert "ree space" in full.err  # whichever file met the limit first
    assert not list(store.rglob("*.partial"))
    ran = cli("build", "demo", "--out", store)
    assert ran.code == 0, ran.err
    assert array_bytes(store) == array_bytes(demo)


@pytest.mark.e2e
def test_build_when_another_build_writes_there_then_exit_7(
    run: Cli, cli: Cli, tmp_path: Path
) -> None:
    from filelock import FileLock

    store = tmp_path / "store"
    store.mkdir()
    with FileLock(store / "build.lock"):
        ran = cli("build", "demo", "--out", store)
    assert ran.code == 7
    assert "another build is writing here" in ran.err
