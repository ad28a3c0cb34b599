"""From metadata of images to items."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from affine import Affine
from shapely.geometry import Polygon, box, mapping

from eodata.core.item import Item
from eodata.providers.earthengine.images import EARTH, GRIDS, MALFORMED, grid_of, item_of
from tests.providers.earthengine.fake import SOMEWHERE, FakeImage

NOON = datetime(2018, 6, 1, 10, 30, 21, 24_000, tzinfo=UTC)
S2 = "COPERNICUS/S2_SR_HARMONIZED"
INDEX = "20180601T102024_20180601T102725_T32UPU"
FINE, COARSE = np.zeros((60, 60), "uint16"), np.zeros((10, 10), "uint8")


def layer(values):
    return values, np.ones(values.shape, bool)


def metadata(**changes):
    bands = {"B4": layer(FINE), "B8A": layer(FINE), "SCL": layer(COARSE)}
    image = FakeImage(f"{S2}/{INDEX}", bands, NOON, properties=SENTINEL_2)
    return image.metadata() | changes


def radar(**changes):
    bands = {"VV": layer(FINE.astype("float32")), "angle": layer(FINE.astype("float64"))}
    properties = {
        "familyName": "SENTINEL-1",
        "platform_number": "B",
        "instrumentMode": "IW",
        "transmitterReceiverPolarisation": ["VV", "VH"],
        "orbitProperties_pass": "ASCENDING",
        "relativeOrbitNumber_start": 44,
        "orbitNumber_start": 11_219,
        "resolution_meters": 10,
    }
    end = NOON + timedelta(seconds=25)
    image = FakeImage("COPERNICUS/S1_GRD/S1B_IW", bands, NOON, end, properties=properties)
    return image.metadata() | changes


SENTINEL_2 = {
    "CLOUDY_PIXEL_PERCENTAGE": 12.5,
    "SPACECRAFT_NAME": "Sentinel-2A",
    "SENSING_ORBIT_NUMBER": 65,
    "SENSING_ORBIT_DIRECTION": "DESCENDING",
    "PROCESSING_BASELINE": "05.10",
    "MGRS_TILE": "32UPU",
    "GENERATION_TIME": 1_527_884_749_000,
    "PRODUCT_ID": "S2A_MSIL2A",
    "DATATAKE_IDENTIFIER": "GS2A",
    "MEAN_SOLAR_ZENITH_ANGLE": 27.5,
    "REFLECTANCE_CONVERSION_CORRECTION": 0.97,
    "system:index": INDEX,
}


def test_sentinel_2_then_the_item_speaks_stac():
    item = item_of(metadata(), S2, "harmonised")
    assert (item.id, item.collection, item.datetime, item.end) == (INDEX, S2, NOON, None)
    grids = item.properties.pop(GRIDS)
    assert item.properties == {
        "eo:cloud_cover": 12.5,
        "grid:code": "MGRS-32UPU",
        "platform": "sentinel-2a",
        "s2:datatake_id": "GS2A",
        "s2:generation_time": "2018-06-01T20:25:49Z",
        "s2:processing_baseline": "05.10",
        "s2:product_uri": "S2A_MSIL2A",
        "sat:orbit_state": "descending",
        "sat:relative_orbit": 65,
        "view:sun_elevation": 62.5,
    }
    assert [(row["shape"], row["dtype"], row["bands"]) for row in grids] == [
        ([60, 60], "uint16", ["B4", "B8A"]),
        ([10, 10], "uint8", ["SCL"]),
    ]
    assert item.footprint.equals(SOMEWHERE)
    assert not item.is_synthetic


def test_sentinel_1_then_its_polarisations_and_orbit_are_told():
    item = item_of(radar(), "COPERNICUS/S1_GRD", "stated")
    assert item.properties["platform"] == "sentinel-1b"
    assert item.properties["sar:polarizations"] == ["VV", "VH"]
    assert item.properties["sar:instrument_mode"] == "IW"
    assert item.properties["sat:orbit_state"] == "ascending"
    assert item.properties["sat:relative_orbit"] == 44
    assert item.end is None, "25 seconds are one look at the ground"
    assert grid_of(item, "VV").dtype == np.float32
    assert grid_of(item, "angle").dtype == np.float64


def test_asset_then_it_is_a_band_whose_address_is_the_image():
    item = item_of(metadata(), S2, "harmonised")
    assert set(item.assets) == {"B4", "B8A", "SCL"}
    assert {asset.href for asset in item.assets.values()} == {f"{S2}/{INDEX}"}


@pytest.mark.parametrize(("band", "coding"), [("B4", (1e-4, 0.0)), ("SCL", (None, None))])
def test_asset_of_a_harmonised_collection_then_reflectance_has_no_offset(band, coding):
    asset = item_of(metadata(), S2, "harmonised").assets[band]
    assert (asset.scale, asset.offset) == coding
    told_nothing = item_of(metadata(), S2, "stated").assets[band]
    assert (told_nothing.scale, told_nothing.offset) == (None, None)


def test_grid_then_it_survives_the_plan():
    item = Item.from_json(item_of(metadata(), S2, "harmonised").to_json())
    found = grid_of(item, "SCL")
    assert found.grid.affine == Affine(10, 0, 600_000, 0, -10, 5_400_000)
    assert (found.grid.shape, found.crs, found.dtype) == ((10, 10), "EPSG:32632", np.uint8)
    with pytest.raises(KeyError):
        grid_of(item, "B99")


def test_grid_of_modis_then_its_projection_is_known_by_code():
    told = metadata()
    for band in told["bands"]:
        band["grid"]["crsCode"] = "SR-ORG:6974"
    found = grid_of(item_of(told, S2, "stated"), "B4")
    assert found.crs == "SR-ORG:6974"
    assert "sinu" in found.grid.crs.to_wkt().lower()


def test_grid_when_only_wkt_is_told_then_that_is_kept():
    told, wkt = metadata(), europe_wkt()
    for band in told["bands"]:
        band["grid"] = {**band["grid"], "crsWkt": wkt}
        del band["grid"]["crsCode"]
    assert grid_of(item_of(told, S2, "stated"), "B4").crs == wkt


def europe_wkt() -> str:
    from pyproj import CRS

    return str(CRS("EPSG:3035").to_wkt())


@pytest.mark.parametrize(
    ("told", "dtype"),
    [
        ({"precision": "INT", "range": {"max": 255}}, "uint8"),
        ({"precision": "INT", "range": {"max": 65_535}}, "uint16"),
        ({"precision": "INT", "range": {"min": -32_768, "max": 32_767}}, "int16"),
        ({"precision": "INT", "range": {"max": 4_294_967_295}}, "uint32"),
        ({"precision": "INT", "range": {"min": -1, "max": 200}}, "int16"),
        ({"precision": "FLOAT"}, "float32"),
        ({"precision": "DOUBLE"}, "float64"),
    ],
)
def test_type_then_it_is_the_smallest_that_holds_the_range(told, dtype):
    said = metadata()
    said["bands"][0]["dataType"] = told
    assert grid_of(item_of(said, S2, "stated"), "B4").dtype == np.dtype(dtype)


def test_period_then_the_item_has_an_end():
    item = item_of(metadata(endTime="2018-07-01T00:00:00Z"), S2, "stated")
    assert item.end == datetime(2018, 7, 1, tzinfo=UTC)


def test_time_when_only_the_property_tells_then_that_counts():
    said = metadata(startTime=None, endTime=None)
    said["properties"] = {"system:time_start": 1_527_849_021_024}
    assert item_of(said, S2, "stated").datetime == NOON


def test_simulated_image_then_the_item_is_synthetic():
    said = metadata()
    said["properties"] = {**said["properties"], "sandbox:synthetic": 1}
    assert item_of(said, S2, "stated").is_synthetic


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"type": "Polygon", "coordinates": [[["-Infinity", "-Infinity"], ["Infinity", 1]]]},
    ],
)
def test_footprint_when_an_image_has_no_bounds_then_it_is_everywhere(told):
    assert item_of(metadata(geometry=told), S2, "stated").footprint.equals(EARTH)


def test_footprint_when_it_is_a_ring_then_it_is_what_is_inside():
    ring = mapping(SOMEWHERE.exterior)
    assert ring["type"] == "LinearRing"
    assert item_of(metadata(geometry=ring), S2, "stated").footprint.equals(SOMEWHERE)


def test_footprint_across_the_date_line_then_it_has_two_parts():
    across = mapping(Polygon([(179, 1), (-179, 1), (-179, 2), (179, 2)]))
    found = item_of(metadata(geometry=across), S2, "stated").footprint
    assert found.equals(shapely.union_all([box(179, 1, 180, 2), box(-180, 1, -179, 2)]))


def test_footprint_of_a_map_of_the_earth_then_it_is_not_taken_for_the_date_line():
    whole = mapping(box(-180, -60, 180, 84))
    found = item_of(metadata(geometry=whole), S2, "stated").footprint
    assert found.equals(box(-180, -60, 180, 84))


@pytest.mark.parametrize(
    "changes",
    [
        {"bands": [{"id": "B4"}]},
        {"startTime": "yesterday"},
        {"startTime": None},
        {"geometry": {"type": "Polygon", "coordinates": []}},
        {"properties": {"MEAN_SOLAR_ZENITH_ANGLE": "noon"}},
        {"properties": {"CLOUDY_PIXEL_PERCENTAGE": float("nan")}},
    ],
)
def test_metadata_when_they_are_broken_then_one_of_the_known_errors_is_raised(changes):
    with pytest.raises(MALFORMED):
        item_of(metadata(**changes), S2, "stated")


def test_type_when_no_integer_holds_it_then_it_is_an_error():
    said = metadata()
    said["bands"][0]["dataType"] = {"precision": "INT", "range": {"max": 2**63}}
    with pytest.raises(ValueError, match="not supported"):
        item_of(said, S2, "stated")
