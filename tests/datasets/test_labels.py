"""Labels of whole samples in items and batches, whoever reads them."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader

from eodata.core.errors import RecipeError, StoreError
from eodata.datasets.opening import open_dataset
from tests.datasets.conftest import PLACES

CLASSES = ((2, "wood", "00ff00"), (5, "water", "0000ff"), (9, "ice", "ffffff"))
ROWS = sorted(PLACES)
SINGLE = [5, 2, None, 9, 9, 2, 5, 2]
MULTI = [[2, 5], [], None, [9], [2, 5, 9], [2], [5, 9], [2]]
UNKNOWN = 2  # in row 2 nothing is known


def fractions() -> np.ndarray:
    numbers = np.random.default_rng(5).random((len(ROWS), 3)).astype(np.float32)
    return numbers / numbers.sum(axis=1, keepdims=True)


def write_labels(root: Path, **changes: object) -> None:
    unknown = np.array([row == UNKNOWN for row in ROWS])
    columns = {
        "id": [f"a_r{row:03d}" for row in ROWS],
        "row": pa.array(ROWS),
        "single": pa.array(SINGLE, pa.uint8()),
        "multi": pa.array(MULTI, pa.list_(pa.uint8())),
        "valid": np.where(unknown, 0.0, 0.5),
    }
    for i, (_, name, _) in enumerate(CLASSES):
        columns[f"fraction:{name}"] = pa.array(fractions()[:, i], mask=unknown)
    told = {"classes": [{"value": v, "name": n, "colour": c} for v, n, c in CLASSES]}
    table = pa.table({k: v for k, v in {**columns, **changes}.items() if v is not None})
    (root / "labels").mkdir(exist_ok=True)
    table = table.replace_schema_metadata({"eodata:labels": json.dumps(told)})
    pq.write_table(table, root / "labels/scene.parquet")


@pytest.fixture(scope="module")
def store(source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(source.path, tmp_path_factory.mktemp("labels") / "tiny"))
    write_labels(root)
    return root


@pytest.fixture
def spoilt(store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(store, tmp_path / "tiny"))


def test_items_have_labels_only_when_asked_for(store, source):
    assert "labels" not in open_dataset(store)[0]
    assert open_dataset(store).labels == ()
    dataset = open_dataset(store, labels="scene")
    assert dataset.labels == ("scene",)
    assert list(dataset[0]["labels"]) == ["scene"]


def test_labels_are_those_of_the_sample(store):
    dataset = open_dataset(store, status=("done", "rejected"), labels=["scene"])
    assert dataset.rows.tolist() == ROWS
    values = [value for value, _, _ in CLASSES]
    for i, item in enumerate(dataset):
        told = item["labels"]["scene"]
        known = ROWS[i] != UNKNOWN
        assert told["single"].item() == (values.index(SINGLE[i]) if known else -1)
        assert told["multi"].tolist() == [float(value in (MULTI[i] or [])) for value in values]
        assert told["fractions"].tolist() == (fractions()[i].tolist() if known else [0, 0, 0])


def test_labels_follow_the_samples_that_are_kept(store):
    dataset = open_dataset(store, "val", labels=["scene"])
    assert dataset.rows.tolist() == [6, 8]
    assert [item["labels"]["scene"]["single"].item() for item in dataset] == [0, 1]


def test_a_batch_of_labels_is_what_losses_take(store):
    dataset = open_dataset(store, modalities=["lc"], labels=["scene"])
    batch = next(iter(DataLoader(dataset, batch_size=6)))["labels"]["scene"]
    assert batch["single"].dtype == torch.int64
    assert batch["multi"].dtype == batch["fractions"].dtype == torch.float32
    assert batch["single"].shape == (6,)
    assert batch["multi"].shape == batch["fractions"].shape == (6, 3)
    loss = torch.nn.functional.cross_entropy(torch.zeros(6, 3), batch["single"], ignore_index=-1)
    assert loss.item() == pytest.approx(np.log(3))


def test_an_item_may_be_changed_without_changing_the_dataset(store):
    dataset = open_dataset(store, labels=["scene"])
    for tensor in dataset[0]["labels"]["scene"].values():
        tensor += 7
    assert dataset[0]["labels"]["scene"]["single"].item() == 1
    assert dataset[0]["labels"]["scene"]["multi"].tolist() == [1, 1, 0]
    assert dataset[0]["labels"]["scene"]["fractions"].sum() == pytest.approx(1)


@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_deliver_the_same_labels(store, method):
    dataset = open_dataset(store, modalities=["lc"], labels=["scene"])
    serial = [item["labels"]["scene"] for item in dataset]
    loader = DataLoader(dataset, batch_size=None, num_workers=1, multiprocessing_context=method)
    parallel = [item["labels"]["scene"] for item in loader]
    assert len(parallel) == len(serial) == 6
    for a, b in zip(serial, parallel, strict=True):
        assert all(torch.equal(a[key], b[key]) for key in ("single", "multi", "fractions"))


def test_the_legend_of_labels_has_the_order_of_the_tensors(store):
    dataset = open_dataset(store, labels=["scene"])
    assert dataset.classes("scene") == CLASSES
    assert dataset.classes("lc")[0] == (0, "water", "0000ff")
    with pytest.raises(RecipeError, match=r'no labels "scen"\n.*Did you mean "scene"'):
        dataset.classes("scen")


def test_unknown_labels_are_refused_with_the_nearest(store, source):
    with pytest.raises(RecipeError, match=r'no labels "scenes"\n.*Did you mean "scene"'):
        open_dataset(store, labels=["scenes"])
    with pytest.raises(RecipeError, match="There are none"):
        open_dataset(source.path, labels=["scene"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"row": pa.array([0, 1, 2, 4, 5, 6, 7, 9])}, "no line for row 8"),
        ({"row": pa.array([0, 1, 2, 4, 5, 6, 8, 8])}, "stands there twice"),
        ({"fraction:ice": None}, "no column fraction:ice"),
        ({"single": pa.array([3] * 8, pa.uint8())}, "class 3 stands in no legend"),
        ({"multi": pa.array([[2, 10]] * 8)}, "class 10 stands in no legend"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(spoilt, changes, told):
    write_labels(spoilt, **changes)
    with pytest.raises(StoreError, match=told):
        open_dataset(spoilt, labels=["scene"])
