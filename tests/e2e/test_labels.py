"""Labels of whole samples from the command line to a batch, on simulated ground."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from torch.utils.data import DataLoader

import eodata
from eodata import resources
from eodata.store.reader import StoreReader
from tests.e2e.building import Cli

pytestmark = pytest.mark.e2e

RECIPE = """\
name: labelled
title: Land cover of a simulated Earth, and what each sample shows
licence: CC0-1.0
area: {bbox: [10.90, 48.30, 10.96, 48.33], patch: 640, cover: 0.9}
time: {start: 2018-04-01, end: 2018-08-01}
modalities:
  igbp: {product: modis-mcd12q1, provider: sandbox, bands: [LC_Type1], gsd: 20}
labels:
  scene: {from: igbp, scheme: igbp-simplified, least: 0.1}
  bare: {from: igbp, scheme: igbp-no-savanna, least: 0.6}
store: {block: 4}
"""


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


@pytest.fixture
def workplace(one_folder: Path) -> Path:
    """All tests work in one folder, so that the store is built once."""
    return one_folder


@pytest.fixture
def store(run: Cli, workplace: Path) -> Path:
    """A store of 25 samples; later tests find it built."""
    recipe = workplace / "labelled.yaml"
    recipe.write_text(RECIPE)
    ran = run("build", recipe, "--out", "labelled")
    assert ran.code == 0, ran.err
    return workplace / "labelled"


def test_labels_are_those_of_the_pixels_in_the_store(store: Path) -> None:
    reader = StoreReader(store)
    recode = resources.schemes()["igbp-simplified"].recode
    frame = reader.labels("scene")
    assert frame["single"].nunique() > 2  # the ground is worth the test
    for line in frame.itertuples():
        values, valid = reader.read("igbp", line.row)
        seen = np.array([recode[v] for v in values[0, 0][valid[0]].tolist()])
        shares = np.bincount(seen, minlength=11)[1:] / len(seen)
        assert line.single == shares.argmax() + 1
        assert list(line.multi) == list(np.flatnonzero(shares >= 0.1) + 1)
        names = [f"fraction:{name}" for _, name, _ in reader.label_classes("scene")]
        assert frame.loc[line.Index, names].to_list() == shares.astype(np.float32).tolist()


def test_pixels_of_a_dropped_class_do_not_count(store: Path) -> None:
    reader = StoreReader(store)
    savanna = reader.labels("scene")["fraction:savanna"]
    assert savanna.max() > 0.2
    np.testing.assert_allclose(reader.labels("bare")["valid"], 1 - savanna, atol=1e-6)


def test_the_same_build_again_gives_the_same_tables(run: Cli, store: Path) -> None:
    files = sorted((store / "labels").iterdir())
    assert [path.name for path in files] == ["bare.parquet", "scene.parquet"]
    before = [path.read_bytes() for path in files]
    assert run("build", "labelled.yaml", "--out", "other").code == 0
    files[0].unlink()
    assert run("build", "labelled.yaml", "--out", "labelled").code == 0
    for root in (store, store.with_name("other")):
        assert [(root / "labels" / path.name).read_bytes() for path in files] == before


def test_a_store_with_labels_verifies_until_one_is_gone(run: Cli, store: Path) -> None:
    assert run("verify", store).code == 0
    (store / "labels/scene.parquet").unlink()
    ran = run("verify", store, "--json")
    assert ran.code == 7
    told = {check["name"]: check["detail"] for check in json.loads(ran.out)["checks"]}
    assert "labels/scene.parquet cannot be read" in told["labels"]


def test_card_and_plan_name_the_labels(store: Path) -> None:
    card = yaml.safe_load((store / "card.yaml").read_text())
    assert [labels["name"] for labels in card["labels"]] == ["scene", "bare"]
    assert card["labels"][0]["modality"] == "igbp"
    assert card["labels"][1]["classes"][2] == "grassland"
    plan = json.loads((store / "plan/plan.json").read_text())
    assert plan["labels"][0]["legend"][2] == [3, "savanna", "fbff13"]


def test_a_batch_has_the_labels_of_its_samples(store: Path) -> None:
    dataset = eodata.open_dataset(store, labels=["scene", "bare"])
    frame = StoreReader(store).labels("scene").set_index("row")
    values = [value for value, _, _ in dataset.classes("scene")]
    for batch in DataLoader(dataset, batch_size=10):
        told = batch["labels"]["scene"]
        single = [values[i] for i in told["single"].tolist()]
        assert single == frame.loc[batch["row"].tolist(), "single"].to_list()
        assert told["fractions"].sum(dim=1).tolist() == pytest.approx([1.0] * len(single))
        assert batch["labels"]["bare"]["multi"].shape == (len(single), 9)
