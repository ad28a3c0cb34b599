from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pystac
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import MultiPolygon, box, shape

from eodata.sandbox.serve.flavours import FLAVOURS, flavour, offers
from eodata.sandbox.serve.flavours.described import describe
from eodata.sandbox.serve.flavours.sentinel2 import grounds_of, product
from eodata.sandbox.serve.stac_item import Places, bounding_box, ground_of
from tests.sandbox.serve.fake_archive import fake_archive, sentinel2

REAL = json.loads(
    (Path(__file__).parents[2] / "data" / "stac_keys" / "real_items.json").read_text()
)
PLACES = Places("http://127.0.0.1:1/", "http://127.0.0.1:1/assets")
OURS = {"sandbox:synthetic"}
MADE = fake_archive().collections
PAIRS = [
    (name, collection)
    for name, chosen in FLAVOURS.items()
    for collection, form in chosen.shapes.items()
    if form.source in MADE
]
CLASSES = {f"s2:{part}_percentage" for part in (
    "cloud_shadow", "dark_features", "degraded_msi_data", "high_proba_clouds",
    "medium_proba_clouds", "nodata_pixel", "not_vegetated", "saturated_defective_pixel",
    "snow_ice", "thin_cirrus", "unclassified", "vegetation", "water")}  # fmt: skip
"""Shares that the made-up records do not know; an archive that knows them hands them on."""
UNKNOWN = {
    ("earth-search", "sentinel-2-l2a"): CLASSES - {"s2:dark_features_percentage"} | {
        "earthsearch:payload_id", "earthsearch:s3_path", "s2:reflectance_conversion_factor",
        "view:azimuth", "view:incidence_angle"},
    ("earth-search", "sentinel-2-l1c"): {
        "earthsearch:payload_id", "earthsearch:s3_path", "s2:reflectance_conversion_factor",
        "s2:degraded_msi_data_percentage", "view:azimuth", "view:incidence_angle"},
    ("earth-search", "sentinel-1-grd"): {
        "s1:datatake_id", "s1:instrument_configuration_ID", "s1:orbit_source",
        "s1:processing_datetime", "s1:processing_level", "s1:product_identifier",
        "s1:product_timeliness", "s1:resolution", "s1:shape", "s1:slice_number",
        "s1:total_slices", "storage:platform", "storage:region", "storage:requester_pays"},
    ("planetary-computer", "sentinel-2-l2a"): CLASSES | {"s2:reflectance_conversion_factor"},
    ("planetary-computer", "sentinel-1-rtc"): {
        "s1:datatake_id", "s1:instrument_configuration_ID", "s1:orbit_source",
        "s1:processing_level", "s1:product_timeliness", "s1:resolution", "s1:shape",
        "s1:slice_number", "s1:total_slices"},
    ("planetary-computer", "cop-dem-glo-30"): set(),
    ("cdse", "sentinel-2-l2a"): {
        "auth:schemes", "eo:snow_cover", "eopf:origin_datetime", "expires",
        "processing:software", "product:timeliness", "product:timeliness_category", "statistics",
        "storage:schemes", "view:azimuth", "view:incidence_angle"},
}  # fmt: skip
"""Properties of real items that ours lack, each with a reason in the flavour's docstring."""


def offered(name, archive=None):
    return offers(flavour(name), (archive or fake_archive()).collections)


def first(name, collection):
    offer = offered(name)[collection]
    return offer.feature(next(offer.source.find(box(-180, -90, 180, 90), None)), PLACES)


def kind(value):
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


@pytest.mark.parametrize(("name", "collection"), UNKNOWN)
def test_properties_have_names_and_types_of_real_items(name, collection):
    real, ours = REAL[name][collection]["properties"], first(name, collection)["properties"]
    extra = {"processing:baseline"} if name == "cdse" else set()
    assert set(ours) - set(real) == OURS | extra
    assert set(real) - set(ours) == UNKNOWN[name, collection]
    assert {k: kind(v) for k, v in ours.items() if k in real} == {
        k: v for k, v in real.items() if k in ours
    }


@pytest.mark.parametrize(("name", "collection"), [k for k in UNKNOWN if k[0] != "cdse"])
def test_assets_and_extensions_are_those_of_real_items(name, collection):
    real, ours = REAL[name][collection], first(name, collection)
    assert ours["stac_version"] == real["stac_version"]
    assert set(ours["stac_extensions"]) <= set(real["extensions"])
    assert {e.split("/")[3] for e in set(real["extensions"]) - set(ours["stac_extensions"])} <= {
        "storage",
        "file",
    }
    if collection == "sentinel-1-grd":
        real["assets"] |= {"vv": real["assets"]["hh"], "vh": real["assets"]["hh"]}
    assert set(ours["assets"]) <= set(real["assets"])
    for key, asset in ours["assets"].items():
        assert set(asset) == set(real["assets"][key]) - {"file:size", "file:checksum"}, key


def test_every_band_has_its_asset():
    bands = {f"B{n:02d}" for n in range(1, 13)} | {"B8A"}
    names = {"coastal", "blue", "green", "red", "rededge1", "rededge2", "rededge3", "nir", "nir08",
             "nir09", "swir16", "swir22"}  # fmt: skip
    assert set(first("sandbox", "sentinel-2-l1c")["assets"]) == bands
    assert set(first("planetary-computer", "sentinel-2-l2a")["assets"]) == bands - {"B10"} | {"SCL"}
    assert set(first("earth-search", "sentinel-2-l2a")["assets"]) == names | {"scl"}
    assert set(first("earth-search", "sentinel-2-l1c")["assets"]) == names | {"cirrus"}
    cdse = set(first("cdse", "sentinel-2-l2a")["assets"])
    assert {"B02_10m", "B05_20m", "B01_60m", "B8A_20m", "SCL_20m"} < cdse and len(cdse) == 13
    assert set(first("cdse", "sentinel-2-l1c")["assets"]) == bands


@pytest.mark.parametrize(("name", "collection"), PAIRS)
def test_ids_lead_back_to_their_item_and_are_unique(name, collection):
    offer = offered(name)[collection]
    items = list(offer.source.find(box(-180, -90, 180, 90), None))
    named = {offer.name(item): item for item in items}
    assert len(named) == len(items)
    for wanted, item in list(named.items())[::7]:
        assert offer.find(wanted) is item
    for wrong in ("no-such", "", "S2A_99ZZZ_20210101_0_L2A", next(iter(named)) + "x"):
        with pytest.raises(LookupError):
            offer.find(wrong)


def test_ids_look_like_those_of_their_archive():
    patterns = {
        ("earth-search", "sentinel-2-l2a"): r"S2A_31UDS_20211201_0_L2A",
        ("earth-search", "sentinel-2-l1c"): r"S2A_31UDS_20211201_0_L1C",
        ("earth-search", "sentinel-1-grd"): r"S1A_IW_GRDH_1SDV_\d+T\d+_\d+T\d+_040000_04D2A1",
        ("planetary-computer", "sentinel-2-l2a"): (
            r"S2A_MSIL2A_20211201T103021_R051_T31UDS_20211201T143021"
        ),
        ("planetary-computer", "sentinel-1-rtc"): r"S1A_IW_GRDH_1SDV_.*_04D2A1_rtc",
        ("cdse", "sentinel-2-l2a"): r"S2A_MSIL2A_20211201T103021_N0301_R051_T31UDS_20211201T143021",
    }
    alaska = offered("earth-search")["sentinel-2-l2a"].name(sentinel2("L2A", "05VNK", 0))
    assert alaska == "S2A_5VNK_20211201_0_L2A"
    for (name, collection), pattern in patterns.items():
        assert re.fullmatch(pattern, first(name, collection)["id"])


def test_a_reprocessed_product_has_the_next_number_of_the_day():
    archive = fake_archive()
    old = sentinel2("L2A", "31UDS", 0)
    new = replace(old, id="S2A_MSIL2A_20211201T103021_N0500_R051_T31UDS_20230214T010203")
    archive.collections["sentinel-2-l2a"]._items[:0] = [new]
    offer = offered("earth-search", archive)["sentinel-2-l2a"]
    assert offer.name(old) == "S2A_31UDS_20211201_0_L2A"
    assert offer.name(new) == "S2A_31UDS_20211201_1_L2A"
    assert offer.find("S2A_31UDS_20211201_1_L2A") is new


def test_metadata_say_of_the_offset_what_the_layers_say():
    def item(baseline, offset):
        made = sentinel2("L2A", "31UDS", 0, baseline)
        return replace(
            made,
            layers={k: replace(v, offset=offset) for k, v in made.layers.items() if k != "SCL"},
        )

    offer = offered("earth-search")["sentinel-2-l2a"]
    cases = {("0301", 0.0): False, ("0400", -0.1): False, ("0400", 0.0): True}
    for (baseline, offset), applied in cases.items():
        shown = offer.feature(item(baseline, offset), PLACES)
        assert shown["properties"]["earthsearch:boa_offset_applied"] is applied
        raster = shown["assets"]["blue"]["raster:bands"][0]
        assert (raster["scale"], raster["offset"]) == (1e-4, offset)
    plain = offered("sandbox")["sentinel-2-l2a"].feature(item("0400", -0.1), PLACES)
    assert plain["assets"]["B02"]["raster:offset"] == -0.1
    computer = offered("planetary-computer")["sentinel-2-l2a"].feature(item("0400", -0.1), PLACES)
    assert "offset" not in json.dumps(computer)
    assert computer["properties"]["s2:processing_baseline"] == "04.00"


def test_what_an_archive_knows_of_scene_classes_is_handed_on():
    item = sentinel2("L2A", "31UDS", 0)
    item = replace(item, properties={**item.properties, "s2:water_percentage": 1.5})
    for name in ("earth-search", "planetary-computer", "sandbox"):
        shown = offered(name)["sentinel-2-l2a"].feature(item, PLACES)
        assert shown["properties"]["s2:water_percentage"] == 1.5


@pytest.mark.parametrize(("name", "collection"), PAIRS)
def test_everything_says_that_it_is_simulated(name, collection):
    offer = offered(name)[collection]
    item, described = first(name, collection), describe(offer, PLACES)
    assert item["properties"]["sandbox:synthetic"] is True
    assert any("not real" in link.get("title", "") for link in item["links"])
    assert described["sandbox:synthetic"] is True
    assert "imulated" in described["title"] and "not real" in described["description"]
    assert "azure" not in json.dumps(item) and "amazonaws" not in json.dumps(item)
    assert "s3://eodata" not in json.dumps(item)


@pytest.mark.parametrize(("name", "collection"), PAIRS)
def test_grids_are_those_of_the_layers(name, collection):
    offer = offered(name)[collection]
    item = next(offer.source.find(box(-180, -90, 180, 90), None))
    shown = offer.feature(item, PLACES)
    hrefs = {PLACES.asset(item, key): item.grid(key) for key in item.layers}
    for asset in shown["assets"].values():
        href = asset.get("alternate", {}).get("https", asset)["href"]
        grid = hrefs.pop(href)
        if "proj:transform" in asset:
            assert asset["proj:transform"][:6] == list(grid.affine)[:6]
            assert tuple(asset["proj:shape"]) == tuple(grid.shape)
    assert not hrefs
    stated = {**shown["properties"], **next(iter(shown["assets"].values()))}
    assert (
        stated.get("proj:code", f"EPSG:{stated.get('proj:epsg')}") == f"EPSG:{item.base.crs.epsg}"
    )


def test_a_grid_without_a_code_is_written_out():
    sinusoidal = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
    item = replace(
        MADE["esa-worldcover"].get("ESA_WorldCover_10m_2021_v200_N48E003"),
        base=GeoBox((2400, 2400), Affine(463.3127, 0, 0, 0, -463.3127, 6_671_703), sinusoidal),
    )
    stated = offered("sandbox")["esa-worldcover"].feature(item, PLACES)["properties"]
    assert "proj:code" not in stated and stated["proj:wkt2"].startswith("PROJCRS")


@pytest.mark.parametrize(("name", "collection"), PAIRS)
def test_pystac_reads_and_writes_items(name, collection):
    shown = first(name, collection)
    read = pystac.Item.from_dict(shown)
    assert read.id == shown["id"] and set(read.assets) == set(shown["assets"])
    assert shape(read.geometry).is_valid


def test_files_of_the_data_space_have_two_addresses():
    asset = first("cdse", "sentinel-2-l2a")["assets"]["B02_10m"]
    assert asset["href"].startswith("s3://sandbox/Sentinel-2/MSI/L2A/2021/12/01/")
    assert asset["alternate"]["https"]["href"].endswith("/B02.tif")


def test_times_of_planetary_computers_radar_have_a_blank():
    times = first("planetary-computer", "sentinel-1-rtc")["properties"]
    assert times["start_datetime"] == "2021-12-02 05:58:04+00:00"


def test_boxes_across_the_date_line():
    both = MultiPolygon([box(-180, 10, -179, 11), box(179, 10, 180, 11)])
    assert bounding_box(both) == [179, 10, -179, 11]
    assert bounding_box(box(-180, -90, 180, 90)) == [-180, -90, 180, 90]
    assert bounding_box(MultiPolygon([box(1, 1, 2, 2), box(3, 3, 4, 4)])) == [1, 1, 4, 4]
    assert ground_of((179, 10, -179, 11)).equals(both)


def test_names_of_products():
    said = product("S2B_MSIL1C_20180103T104429_N0206_R008_T31UDS_20180103T124521")
    assert (said.platform, said.level, said.baseline, said.orbit) == ("S2B", "L1C", "02.06", 8)
    assert (said.tile, said.zone, said.sensed.minute) == ("31UDS", 31, 44)
    with pytest.raises(LookupError):
        product("S1A_IW")


def test_the_ground_of_a_tile_is_first_its_own_then_all_of_it():
    own, whole = grounds_of("31UDS")
    assert whole.contains(own) and own.area > 0.6 * whole.area
    assert [g.bounds for g in grounds_of("5VNK")] == [g.bounds for g in grounds_of("05VNK")]
    for wrong in ("", "61UDS", "00UDS", "31IDS", "31uds", "31U"):
        with pytest.raises(LookupError):
            next(grounds_of(wrong))


def test_polar_tiles_have_a_number_for_every_pass_of_a_day():
    archive = fake_archive()
    starts = ("20211201T195005", "20211201T213047", "20211201T231128")
    passes = [
        replace(
            sentinel2("L2A", "31UDS", 0),
            id=f"S2A_MSIL2A_{start}_N0301_R051_T48CWS_{made}",
        )
        for start in starts
        for made in ("20211202T040610", "20230301T000000")
    ]
    offer = offered("earth-search", archive)["sentinel-2-l2a"]
    named = [offer.name(item) for item in passes]
    assert len(set(named)) == 6 and named[0] == "S2A_48CWS_20211201_11_L2A"
