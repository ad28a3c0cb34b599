"""Simulated datasets, from the command line: built when asked for, and never without saying so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
import zarr

from tests.e2e.building import Cli, array_bytes

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture
def workplace(one_folder: Path) -> Path:
    """All tests work in one folder, so that the store is built once."""
    return one_folder


@pytest.fixture
def store(run: Cli, workplace: Path) -> Path:
    """One sample of the recipe sandbox-mini; later tests find it built."""
    ran = run("build", "sandbox-mini", "--limit", 1)
    assert ran.code == 0, ran.err
    assert "SYNTHETIC" in ran.err
    return workplace / "sandbox-mini"


def test_simulated_pixels_say_so_everywhere(run: Cli, store: Path) -> None:
    assert json.loads((store / "plan/plan.json").read_text())["synthetic"] is True
    assert yaml.safe_load((store / "card.yaml").read_text())["synthetic"] is True
    assert zarr.open_group(store / "data.zarr", mode="r").attrs["synthetic"] is True
    (found,) = json.loads(run("catalog", "search", "sandbox", "--json").out)
    assert found["synthetic"] is True
    assert "SYNTHETIC" in run("catalog", "search", "sandbox").out
    assert json.loads(run("build", "sandbox-mini", "--limit", 1, "--json").out)["synthetic"] is True


def test_a_simulated_store_verifies(run: Cli, store: Path) -> None:
    verdict = json.loads(run("verify", store, "--json").out)
    assert verdict["ok"]


def test_the_same_world_gives_the_same_bytes(run: Cli, store: Path, workplace: Path) -> None:
    assert run("build", "sandbox-mini", "--limit", 1, "--out", "again").code == 0
    assert array_bytes(workplace / "again") == array_bytes(store)


def test_another_seed_is_another_dataset(run: Cli, store: Path) -> None:
    ran = run("build", "sandbox-mini", "--limit", 1, "--sandbox", "seed=2")
    assert ran.code == 7
    assert "another" in ran.err or "digest" in ran.err


def test_a_locked_build_in_another_world_is_refused(run: Cli, store: Path) -> None:
    ran = run("build", "sandbox-mini", "--locked", "--force", "--sandbox", "seed=2")
    assert ran.code != 0
    assert "seed=1" in ran.err
    assert "seed=2" in ran.err


def test_recipes_of_other_providers_can_be_tried_in_the_sandbox(run: Cli, workplace: Path) -> None:
    recipe = workplace / "mine.yaml"
    recipe.write_text(
        """\
name: mine
title: A recipe for a real archive
licence: CC0-1.0
area: {bbox: [3.02, 50.81, 3.03, 50.82], patch: 320}
time: {start: 2018-06-01, end: 2018-07-01}
modalities:
  igbp: {product: modis-mcd12q1, bands: [LC_Type1], gsd: 320}
"""
    )
    refused = run("plan", recipe)
    assert refused.code == 4
    assert "--provider sandbox" in refused.err
    assert run("plan", recipe, "--provider", "sandbox").code == 0


def test_what_the_sandbox_does_not_keep_is_refused(run: Cli) -> None:
    ran = run("plan", "demo", "--provider", "sandbox")
    assert ran.code == 2
    assert "worldcereal" in ran.err


def test_a_wrong_world_is_refused(run: Cli) -> None:
    ran = run("plan", "sandbox-mini", "--sandbox", "sed=2")
    assert ran.code == 2
    assert 'Did you mean "seed"?' in ran.err


def test_a_world_that_nothing_is_read_from_is_refused(run: Cli) -> None:
    ran = run("plan", "demo", "--sandbox", "seed=2")
    assert ran.code == 2
    assert "--provider sandbox" in ran.err


def test_serving_ends_by_itself_and_says_what_it_serves(run: Cli) -> None:
    ran = run("sandbox", "serve", "--port", 0, "--seconds", 0.2, "--flavour", "earth-search")
    assert ran.code == 0
    assert "SYNTHETIC" in ran.err
    assert "/v1" in ran.err


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [("--flavour", "erth-search", "earth-search"), ("--faults", "42=1", "429")],
)
def test_serving_refuses_what_it_does_not_know(run: Cli, option, value, told) -> None:
    ran = run("sandbox", "serve", "--port", 0, "--seconds", 0.2, option, value)
    assert ran.code == 2
    assert told in ran.err
