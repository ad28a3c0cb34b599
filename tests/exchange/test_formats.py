"""COGs, folders of arrays and tar shards hold what the store holds, and say what it is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from eodata.core.errors import RecipeError
from eodata.exchange.export import ExportReport, plan_export, run_export
from eodata.exchange.formats import FormatOptions
from eodata.exchange.source import Selection
from eodata.store.arrays import band_from_json
from tests.exchange.conftest import BANDS, SERIES, STEPS, Store

DONE = (0, 1, 2, 3, 4, 6, 7, 8)
REJECTED = {("s1", 1, 2), ("s2", 1, 2), ("s2", 4, 1)}


def export(
    store: Store,
    folder: Path,
    name: str,
    selection: Selection | None = None,
    options: FormatOptions | None = None,
    workers: int = 2,
) -> ExportReport:
    return run_export(plan_export(store.path, folder, name, selection, options), workers)


def ids(store: Store) -> dict[str, int]:
    """Rows of samples by their ids."""
    return {patch.id: row for row, patch in enumerate(store.plan.patches)}


def hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and ".export" not in p.parts
    }


@pytest.fixture(scope="module")
def cogs(series: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cogs")
    report = export(series, folder, "geotiff")
    assert report.steps_left_out == {"s2: dark": 2, "s1: min_valid": 1}
    return folder


def test_cogs_hold_every_done_step(cogs: Path, series: Store) -> None:
    seen = set()
    for path in cogs.rglob("*.tif"):
        with rasterio.open(path) as file:
            tags = file.tags()
            row, name = ids(series)[tags["EODATA_SAMPLE"]], tags["EODATA_MODALITY"]
            step = int(tags["EODATA_STEP"])
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            np.testing.assert_array_equal(file.read(), series.values[name, row][step])
            np.testing.assert_array_equal(file.read_masks(1) > 0, series.valid[name, row][step])
            patch = series.plan.patches[row]
            assert file.transform == patch.geobox(20 if name == "dem" else 10).affine
            assert file.crs == rasterio.CRS.from_string(patch.crs)
        seen.add((name, row, step))
    wanted = {(n, r, t) for n in SERIES for r in DONE for t in range(1 if n == "dem" else STEPS)}
    assert seen == wanted - REJECTED


def test_cogs_say_what_their_numbers_are(cogs: Path) -> None:
    path = cogs / "ROIs1868_73/ROIs1868_73_r000_c001"
    with rasterio.open(path / "ROIs1868_73_r000_c001_s2_t00_2018-01-05.tif") as file:
        assert file.descriptions == tuple(band.name for band in BANDS["s2"])
        assert set(file.scales) == {1e-4}
        assert set(file.offsets) == {0.0}
        tags = file.tags()
    assert tuple(band_from_json(b) for b in json.loads(tags["EODATA_BANDS"])) == BANDS["s2"]
    assert tags["EODATA_RADIOMETRY"] == "toa-reflectance"
    assert tags["TIFFTAG_COPYRIGHT"] == "CC-BY-4.0"
    with rasterio.open(path / "ROIs1868_73_r000_c001_dem.tif") as file:
        assert file.units == ("m",)
        assert file.tags()["EODATA_STATIC"] == "True"


def test_rejected_samples_and_steps_leave_with_a_flag(series: Store, tmp_path: Path) -> None:
    report = export(series, tmp_path, "geotiff", Selection(rejected=True))
    assert report.tally.files == len(DONE) * (3 * STEPS + 1)
    assert report.samples_left_out == {"failed: s1 step 0: HTTP 500": 1}


def test_numbers_that_geotiff_cannot_hold_are_refused(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    bands = {"s1": tuple(replace(band, dtype="float16") for band in BANDS["s1"])}
    with pytest.raises(RecipeError, match="s1 is float16"):
        export(make(bands=bands), tmp_path / "out", "geotiff")


def check_arrays(arrays: dict[str, np.ndarray], store: Store, row: int) -> None:
    """Arrays are the store's; steps that were refused are fill and not valid."""
    assert set(arrays) == {key for name in SERIES for key in (name, f"{name}_valid")}
    for name in SERIES:
        values, valid = store.values[name, row].copy(), store.valid[name, row].copy()
        for step in range(len(values)):
            if (name, row, step) in REJECTED:
                values[step] = np.nan if values.dtype == np.float32 else 0
                valid[step] = False
        assert arrays[name].dtype == values.dtype
        np.testing.assert_array_equal(arrays[name], values)
        np.testing.assert_array_equal(arrays[f"{name}_valid"], valid)


def check_document(document: dict[str, Any], store: Store, row: int) -> None:
    patch = store.plan.patches[row]
    assert (document["id"], document["row"], document["crs"]) == (patch.id, row, patch.crs)
    for name in SERIES:
        told = document["modalities"][name]
        assert tuple(band_from_json(b) for b in told["bands"]) == BANDS[name]
        assert told["transform"][2::3] == [patch.left, patch.top]
        for step in told["steps"]:
            assert step["present"] is ((name, row, step["step"]) not in REJECTED)
    times = [step["datetime"] for step in document["modalities"]["s1"]["steps"]]
    assert times == [f"{store.when('s1', t):%Y-%m-%dT%H:%M:%S.%f}Z" for t in range(STEPS)]


def test_folders_of_arrays(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path, "npy")
    with (tmp_path / "index.csv").open(newline="") as file:
        index = list(csv.DictReader(file))
    assert [int(line["row"]) for line in index] == list(DONE)
    for line in index:
        row, folder = int(line["row"]), tmp_path / line["path"]
        arrays = {path.stem: np.load(path) for path in folder.glob("*.npy")}
        check_arrays(arrays, series, row)
        check_document(json.loads((folder / "sample.json").read_text()), series, row)
        assert line["id"] == folder.name
        assert float(line["top"]) == series.plan.patches[row].top


def read_shards(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Group members by what stands before the first dot, as readers of such shards do."""
    shards = {}
    for path in sorted(folder.glob("*.tar")):
        records: list[dict[str, Any]] = []
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, kind = member.name.partition(".")
                if not records or records[-1]["__key__"] != key:
                    records.append({"__key__": key})
                file = tar.extractfile(member)
                assert file is not None
                data = file.read()
                is_array = kind.endswith(".npy")
                records[-1][kind] = np.load(io.BytesIO(data)) if is_array else json.loads(data)
                assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
        shards[path.name] = records
    return shards


def test_shards_hold_one_record_per_sample(series: Store, tmp_path: Path) -> None:
    options = FormatOptions(shard_mb=0.1)
    report = export(series, tmp_path, "webdataset", options=options)
    shards = read_shards(tmp_path)
    assert len(shards) == report.tally.files > 3
    assert {name.partition("-")[0] for name in shards} == {"train", "test"}
    for path in tmp_path.glob("*.tar"):
        assert path.stat().st_size <= 0.1e6
    records = [record for records in shards.values() for record in records]
    assert [r["json"]["row"] for r in records] == [0, 1, 2, 3, 4, 6, 7, 8]
    for record in records:
        row = record["json"]["row"]
        arrays = {k.removesuffix(".npy"): v for k, v in record.items() if k.endswith(".npy")}
        check_arrays(arrays, series, row)
        check_document(record["json"], series, row)
        assert record["__key__"] == record["json"]["__key__"]


def test_a_shard_holds_as_many_records_as_fit(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path / "one", "webdataset")
    sizes = {name: len(records) for name, records in read_shards(tmp_path / "one").items()}
    assert sizes == {"test-000000.tar": 5, "train-000000.tar": 3}
    whole = (tmp_path / "one" / "test-000000.tar").stat().st_size
    for name, limit, shards in (("fits", whole, 1), ("short", whole - 1, 2)):
        options = FormatOptions(shard_mb=limit / 1e6)
        export(series, tmp_path / name, "webdataset", Selection("test"), options)
        assert len(read_shards(tmp_path / name)) == shards


def test_a_sample_larger_than_a_shard_has_one_of_its_own(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path, "webdataset", Selection(limit=3), FormatOptions(shard_mb=0.001))
    assert [len(records) for records in read_shards(tmp_path).values()] == [1, 1, 1]


@pytest.mark.parametrize("name", ["sen12ms-cr-ts", "geotiff", "webdataset", "npy"])
def test_bytes_do_not_depend_on_the_run(series: Store, tmp_path: Path, name: str) -> None:
    for folder, workers in (("a", 1), ("b", 4)):
        export(series, tmp_path / folder, name, workers=workers)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_the_store_is_only_read(make: Callable[..., Store], tmp_path: Path) -> None:
    store = make()
    before = hashes(store.path)
    export(store, tmp_path / "out", "npy")
    assert hashes(store.path) == before


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sen12ms-cr-tz", FormatOptions(), 'no format "sen12ms-cr-tz"'),
        ("npy", FormatOptions(complete=True), "--complete: it says nothing to format npy"),
        ("geotiff", FormatOptions(dtype="float32"), "--dtype: it says nothing"),
        ("geotiff", FormatOptions(shard_mb=3), "--shard-mb: it says nothing"),
        ("geotiff", FormatOptions(compress="defalte"), 'Did you mean "deflate"'),
        ("sen12ms", FormatOptions(dtype="float"), "--dtype"),
    ],
)
def test_wrong_words_are_named(
    series: Store, tmp_path: Path, name: str, options: FormatOptions, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        export(series, tmp_path / "out", name, options=options)


def test_the_nearest_format_is_told(series: Store, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match='Did you mean "webdataset"'):
        export(series, tmp_path, "webdatset")


def test_an_unknown_split_is_refused(series: Store, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match='no split "tset"') as error:
        export(series, tmp_path, "npy", Selection("tset"))
    assert "test" in error.value.fix
