import json
from dataclasses import replace

import numpy as np
import pytest
import zarr
from pyproj import CRS

from eodata.core.band import Band
from eodata.core.errors import StoreError
from eodata.store.arrays import authority_code, band_from_json, band_to_json, create_arrays
from eodata.store.files import DATA, GROUP_METADATA

NO_CODE = "+proj=laea +lat_0=12.3 +lon_0=45.6 +datum=WGS84 +units=m"


def _strict_json(path):
    def refuse(word):
        raise AssertionError(f"{path} holds {word}, which is no JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_create_arrays_when_opened_with_zarr_alone_then_everything_is_explained(tmp_path, plan):
    create_arrays(tmp_path, plan)
    group = zarr.open_group(tmp_path / DATA, mode="r")
    assert group.attrs["plan_digest"] == plan.digest
    assert group.attrs["licence"] == "CC-BY-4.0"
    assert group.attrs["synthetic"] is False
    assert group.attrs["modalities"] == ["s2", "sar", "scl", "lc", "cloud"]
    s2, sar, valid = group["s2"], group["sar"], group["s2_valid"]
    assert (s2.shape, s2.chunks, s2.shards) == (
        (8, 7, 3, 16, 16),
        (1, 2, 3, 16, 16),
        (4, 2, 3, 16, 16),
    )
    assert s2.metadata.dimension_names == ("sample", "time", "band", "y", "x")
    assert (valid.shape, valid.shards, valid.dtype) == ((8, 7, 16, 16), (4, 2, 16, 16), bool)
    assert valid.metadata.dimension_names == ("sample", "time", "y", "x")
    assert s2.fill_value == 0
    assert np.isnan(sar.fill_value)
    assert s2.attrs["bands"][2]["common_name"] == "red"
    assert s2.attrs["bands"][2]["scale"] == 1e-4
    assert s2.attrs["proj:code"] == "EPSG:32632"
    assert CRS.from_wkt(s2.attrs["crs_wkt"]) == CRS("EPSG:32632")
    assert group["scl"].attrs["bands"][0]["classes"][1] == {
        "value": 8,
        "name": "cloud",
        "colour": "c0c0c0",
    }


def test_create_arrays_when_files_are_read_by_strict_json_then_no_nan(tmp_path, plan):
    create_arrays(tmp_path, plan)
    documents = list((tmp_path / DATA).rglob("zarr.json"))
    assert len(documents) == 11
    for path in documents:
        _strict_json(path)


def test_create_arrays_when_areas_differ_in_crs_then_the_table_is_named(tmp_path, make_plan):
    create_arrays(tmp_path, make_plan(crs=("EPSG:32632", "EPSG:32633")))
    attrs = zarr.open_array(tmp_path / DATA / "s2", mode="r").attrs
    assert "samples.parquet" in attrs["crs"]
    assert "crs_wkt" not in attrs


def test_create_arrays_when_crs_has_no_code_then_wkt_alone(tmp_path, make_plan):
    create_arrays(tmp_path, make_plan(crs=(NO_CODE, NO_CODE)))
    attrs = zarr.open_array(tmp_path / DATA / "s2", mode="r").attrs
    assert CRS.from_wkt(attrs["crs_wkt"]) == CRS(NO_CODE)
    assert "proj:code" not in attrs
    assert authority_code(NO_CODE) is None


def test_create_arrays_when_done_twice_then_nothing_changes(tmp_path, plan):
    create_arrays(tmp_path, plan)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    create_arrays(tmp_path, plan)
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}


def test_create_arrays_when_stopped_half_way_then_no_group_and_the_next_run_completes(
    tmp_path, plan
):
    (tmp_path / DATA).mkdir()
    (tmp_path / DATA / "sar").write_bytes(b"in the way")
    with pytest.raises(StoreError, match="File exists"):
        create_arrays(tmp_path, plan)
    assert (tmp_path / DATA / "s2").is_dir()
    assert not (tmp_path / GROUP_METADATA).exists()
    (tmp_path / DATA / "sar").unlink()
    create_arrays(tmp_path, plan)
    assert len(list(zarr.open_group(tmp_path / DATA, mode="r").array_keys())) == 10


def test_create_arrays_when_store_follows_another_plan_then_store_error(tmp_path, plan, make_plan):
    create_arrays(tmp_path, plan)
    with pytest.raises(StoreError, match="follows plan"):
        create_arrays(tmp_path, make_plan(distance=8000))


def test_create_arrays_when_a_foreign_group_is_there_then_store_error(tmp_path, plan):
    zarr.create_group(tmp_path / DATA, attributes={"mine": 1})
    with pytest.raises(StoreError, match="not made by eodata"):
        create_arrays(tmp_path, plan)


@pytest.mark.parametrize("nodata", [None, 0.0, -9999.0, float("-inf")])
def test_band_from_json_when_written_by_band_to_json_then_same_band(nodata):
    classes = ((1, "water", "0000ff"),)
    band = Band("b", "categorical", "uint8", 10.0, "K", 0.5, -1.0, nodata, "nir", classes)
    text = json.dumps(band_to_json(band), allow_nan=False)
    back = band_from_json(json.loads(text))
    np.testing.assert_equal(back.nodata, nodata)
    assert replace(back, nodata=None) == replace(band, nodata=None)
