"""Which samples, modalities and bands `open_dataset` picks, and what it says when it cannot."""

from __future__ import annotations

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import zarr

from eodata.core.errors import RecipeError, StoreError
from eodata.datasets.index import build_index
from eodata.datasets.opening import open_dataset


@pytest.mark.parametrize(
    ("split", "status", "rows"),
    [
        (None, ("done",), [0, 1, 2, 5, 6, 8]),
        ("train", ("done",), [0, 1, 2, 5]),
        ("val", ("done",), [6, 8]),
        ("train", ("done", "rejected"), [0, 1, 2, 4, 5]),
        ("test", "rejected", [9]),
    ],
)
def test_split_and_status_choose_the_samples(source, split, status, rows):
    dataset = open_dataset(source.path, split, status=status)
    assert dataset.rows.tolist() == rows
    assert [dataset[i]["row"] for i in range(len(dataset))] == rows


def test_modalities_keep_the_order_asked_for(source):
    assert open_dataset(source.path).modalities == ("s2", "s1", "lc", "qa")
    dataset = open_dataset(source.path, modalities=["lc", "s2"])
    assert dataset.modalities == ("lc", "s2")
    assert "s1" not in dataset[0]


@pytest.mark.parametrize("names", [["red", "blue"], ["b04", "B02"], ["B04", "blue"]])
def test_bands_are_found_by_name_or_common_name_in_the_order_asked_for(source, names):
    dataset = open_dataset(source.path, bands={"s2": names}, decode=False)
    assert [band.name for band in dataset.bands["s2"]] == ["B04", "B02"]
    assert dataset[0]["s1"].shape[1] == 2
    for item in dataset:
        assert np.array_equal(item["s2"].numpy(), source.values["s2"][item["row"]][:, [1, 0]])


def test_classes_are_the_legend(source):
    dataset = open_dataset(source.path)
    assert dataset.classes("lc") == ((0, "water", "0000ff"), (1, "land", "00ff00"))
    assert dataset.classes("s2") == ()
    with pytest.raises(RecipeError, match='Did you mean "lc"'):
        dataset.classes("lcc")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"split": "tran"}, ['no split "tran"', 'Did you mean "train"']),
        ({"split": "zzz"}, ["Known: test, train, val."]),
        ({"split": "test"}, ["no sample is done in test", "4 done in train", "1 rejected in test"]),
        ({"status": ("dun",)}, ['nothing ends "dun"']),
        ({"status": ("failed",)}, ["no sample is failed in any split", "2 done in val"]),
        ({"modalities": ["s3"]}, ['no modality "s3"', "s2"]),
        ({"modalities": []}, ["names none", "Known: s2, s1, lc, qa."]),
        ({"modalities": ["s2", "s2"]}, ["names one twice"]),
        ({"bands": {"s9": ["red"]}}, ["'s9'", "not opened"]),
        ({"modalities": ["s1"], "bands": {"s2": ["red"]}}, ["'s2'", "not opened"]),
        ({"bands": {"s2": ["rad"]}}, ['no band "rad"', 'Did you mean "red"']),
        ({"bands": {"s2": ["rededge"]}}, ["common name of 2 bands", "Use B05 or B06."]),
        ({"bands": {"s2": []}}, ["the list is empty", "B02, B04, B05, B06"]),
        ({"bands": {"lc": [""]}}, ['no band ""']),
    ],
)
def test_what_cannot_be_opened_is_said_with_a_way_out(source, arguments, parts):
    with pytest.raises(RecipeError) as caught:
        open_dataset(source.path, **arguments)
    for part in parts:
        assert part in str(caught.value)


def test_one_name_alone_counts_as_a_list(source):
    dataset = open_dataset(source.path, modalities="s2", bands={"s2": "red"})
    assert dataset.modalities == ("s2",)
    assert [band.name for band in dataset.bands["s2"]] == ["B04"]


def test_a_folder_without_a_store_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match=str(tmp_path / "nowhere")):
        open_dataset(tmp_path / "nowhere")


def test_the_folder_may_be_left_after_opening(source, monkeypatch, tmp_path):
    monkeypatch.chdir(source.path.parent)
    dataset = open_dataset(source.path.name)
    monkeypatch.chdir(tmp_path)
    assert dataset[0]["row"] == 0


def test_a_table_that_does_not_fit_the_pixels_is_refused(source):
    samples = gpd.read_parquet(source.path / "samples.parquet")
    steps = pd.read_parquet(source.path / "steps.parquet")
    with pytest.raises(StoreError, match="s2 has steps 0 to 3"):
        build_index(samples, steps, {"s2": 3})
    with pytest.raises(StoreError, match="row 5 stands there twice"):
        build_index(samples.assign(row=5), steps, {"s2": 4})


def test_places_are_in_degrees_and_nan_without_georeference(source):
    samples = gpd.read_parquet(source.path / "samples.parquet").sort_values("row")
    steps = pd.read_parquet(source.path / "steps.parquet")
    expected = samples.geometry.bounds.to_numpy()
    projected = build_index(samples.to_crs(3857), steps, {}).bbox
    assert np.allclose(projected, expected, atol=1e-9)
    nowhere = samples.set_geometry(gpd.GeoSeries([None] * len(samples), index=samples.index))
    assert np.isnan(build_index(nowhere, steps, {}).bbox).all()


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_dates_are_utc_whatever_the_zone_of_the_column(zone):
    instants = pd.Series(pd.to_datetime(["1969-07-20T20:17:40.9Z", None, "2020-01-01T00:00:00.0Z"]))
    column = instants.dt.tz_convert(zone) if zone else instants.dt.tz_localize(None)
    rows = {"id": "a", "row": [0], "split": "all"}
    sample = gpd.GeoDataFrame(rows, geometry=[None], crs=4326)
    steps = {"row": 0, "modality": "s2", "step": range(3), "status": "done", "datetime": column}
    dates = build_index(sample, pd.DataFrame(steps), {"s2": 3}).dates["s2"]
    assert dates.tolist() == [[-14182940, -1, 1577836800]]


def test_a_modality_that_would_hide_a_key_of_the_items_is_refused(source, tmp_path):
    shutil.copytree(source.path, tmp_path / "odd")
    (tmp_path / "odd/data.zarr/lc").rename(tmp_path / "odd/data.zarr/split")
    group = zarr.open_group(tmp_path / "odd/data.zarr")
    group.attrs["modalities"] = ["split", "s2"]
    with pytest.raises(RecipeError, match='"split" is also the name of something else'):
        open_dataset(tmp_path / "odd")
    assert open_dataset(tmp_path / "odd", modalities=["s2"]).modalities == ("s2",)
