"""The unmodified Earth Engine client against our server: lists, describes, reads, is refused."""

from __future__ import annotations

import io

import ee
import pytest
import rasterio
from googleapiclient.errors import HttpError
from shapely.geometry import box, shape

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span, parse_utc
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.sandbox.earthengine.engine import (
    JUNE,
    MUNICH,
    PROJECT,
    TILE,
    connected,
    grid,
)

pytest_plugins = ["eodata.sandbox.pytest_plugin"]
S2 = "COPERNICUS/S2_SR_HARMONIZED"
CORNER = 600_000 + 2400 * 10, 5_400_000 - 4800 * 10
"""North-west corner of a grid in tile 32UPU, on its pixels."""


@pytest.fixture(scope="module")
def server():
    with EarthEngineServer(SandboxSettings()) as server:
        yield server


@pytest.fixture
def client(server):
    server.log.clear()
    with connected(server.url):
        yield server


@pytest.fixture(scope="module")
def archive():
    return SandboxArchive(SandboxSettings())


def item_of(archive, image, collection="sentinel-2-l2a"):
    return archive.collections[collection].get(image["properties"]["PRODUCT_ID"])


def images(**more):
    return ee.data.listImages({"parent": S2, **JUNE, **more})["images"]


def test_starting_asks_for_what_the_real_client_asks(client):
    asked = [(r.method, r.path, r.status) for r in client.log.requests]
    assert ("GET", "/$discovery/rest", 200) in asked
    assert asked[-1] == ("GET", f"/v1/projects/{PROJECT}/algorithms", 200)
    assert len(ee.ApiFunction.allSignatures()) > 900


def test_a_listing_is_what_the_archive_finds(client, archive):
    june = Span(parse_utc("2018-06-01"), parse_utc("2018-07-01"))
    ground = shape({"type": "Polygon", "coordinates": [MUNICH]})
    expected = list(archive.collections["sentinel-2-l2a"].find(ground, june))
    found = images()
    assert [i["properties"]["PRODUCT_ID"] for i in found] == [i.id for i in expected]
    assert all(i["properties"]["sandbox:synthetic"] == 1 for i in found)


def test_a_listing_filters_by_property(client):
    whole = images()
    most = sorted(i["properties"]["CLOUDY_PIXEL_PERCENTAGE"] for i in whole)[len(whole) // 2]
    clear = images(properties=[f"CLOUDY_PIXEL_PERCENTAGE<{most}", "MGRS_TILE=32UPU"])
    assert [i["id"] for i in clear] == [
        i["id"]
        for i in whole
        if i["properties"]["CLOUDY_PIXEL_PERCENTAGE"] < most
        and i["properties"]["MGRS_TILE"] == "32UPU"
    ]
    assert 0 < len(clear) < len(whole)


def test_pages_are_the_listing_in_parts(client):
    whole, token, pages = [i["id"] for i in images()], None, []
    while token != "":
        more = {"pageToken": token} if token else {}
        found = ee.data.listImages({"parent": S2, **JUNE, "pageSize": 4, **more})
        pages.append([i["id"] for i in found["images"]])
        token = found.get("nextPageToken", "")
    assert [image for page in pages for image in page] == whole
    assert len(whole) > 8
    assert {len(page) for page in pages[:-1]} == {4}


def test_a_question_too_long_for_a_url_is_posted_and_answered(client):
    many = [[11.55 + n * 1e-6, 48.05] for n in range(400)] + MUNICH[1:]
    long = {"region": {"type": "Polygon", "coordinates": [many]}}
    assert [i["id"] for i in images(**long)] == [i["id"] for i in images()]
    assert client.log.select(":listAssets")[0].method == "POST"


def test_an_asset_says_what_the_listing_says(client, archive):
    image = images(properties=[TILE])[0]
    assert ee.data.getAsset(image["id"]) == image
    record = item_of(archive, image)
    bands = {band["id"]: band for band in image["bands"]}
    assert bands["B4"]["dataType"] == {"precision": "INT", "range": {"max": 65535}}
    assert bands["B11"]["grid"]["dimensions"] == {"width": 5490, "height": 5490}
    assert bands["B11"]["grid"]["affineTransform"]["scaleX"] == 20
    assert bands["B4"]["grid"]["crsCode"] == "EPSG:32632"
    assert shape(image["geometry"]).equals_exact(record.footprint, 1e-9)
    assert image["startTime"][:-1] == record.datetime.isoformat(timespec="milliseconds")[:-6]


def test_collections_and_folders_are_assets(client):
    told = ee.data.getAsset("COPERNICUS/S1_GRD")
    assert told["type"] == "IMAGE_COLLECTION"
    assert told["properties"]["sandbox:synthetic"] == 1
    below = [asset["id"] for asset in ee.data.listAssets("COPERNICUS")["assets"]]
    assert S2 in below
    assert "ESA/WorldCover/v200" not in below


@pytest.mark.parametrize(
    "asset", ["COPERNICUS/NOTHING", f"{S2}/20180601T000000_20180601T000000_T32UPU", "users/a/b"]
)
def test_what_is_not_there_is_refused(client, asset):
    with pytest.raises(ee.EEException, match="does not exist or doesn't allow this operation"):
        ee.data.getAsset(asset)


def test_pixels_on_the_native_grid_are_those_of_the_archive(client, archive):
    image = images(properties=[TILE])[0]
    found = ee.data.getPixels(
        {
            "assetId": image["id"],
            "bandIds": ["B4", "SCL", "B8"],
            "grid": grid(*CORNER, 96),
            "fileFormat": "NUMPY_NDARRAY",
        }
    )
    assert found.dtype == [("B4", "<u2"), ("SCL", "u1"), ("B8", "<u2")]
    record = item_of(archive, image)
    window = (4800, 4896), (2400, 2496)
    assert (found["B4"] == archive.read(record, "B04", *window)).all()
    assert (found["B8"] == archive.read(record, "B08", *window)).all()
    classes = archive.read(record, "SCL", (2400, 2448), (1200, 1248))
    assert (found["SCL"] == classes.repeat(2, 0).repeat(2, 1)).all()
    assert found["B4"].std() > 0


def test_a_geotiff_holds_the_same_pixels_with_their_place(client):
    image = images(properties=[TILE])[0]
    asked = {"assetId": image["id"], "bandIds": ["B2", "SCL"], "grid": grid(*CORNER, 50)}
    array = ee.data.getPixels({**asked, "fileFormat": "NUMPY_NDARRAY"})
    with rasterio.open(io.BytesIO(ee.data.getPixels({**asked, "fileFormat": "GEO_TIFF"}))) as tiff:
        assert tiff.descriptions == ("B2", "SCL")
        assert tiff.dtypes == ("uint16", "uint16")
        assert tiff.crs.to_epsg() == 32632
        assert tuple(tiff.bounds) == (CORNER[0], CORNER[1] - 500, CORNER[0] + 500, CORNER[1])
        assert (tiff.read(1) == array["B2"]).all()
        assert (tiff.read(2) == array["SCL"]).all()


def test_what_lies_beyond_an_image_is_zero(client):
    image = images(properties=[TILE])[0]
    left = grid(600_000 - 320, CORNER[1], 64)
    found = ee.data.getPixels(
        {"assetId": image["id"], "bandIds": ["B2"], "grid": left, "fileFormat": "NUMPY_NDARRAY"}
    )["B2"]
    assert (found[:, :32] == 0).all()
    assert (found[:, 32:] > 0).all()


def test_radar_comes_as_decibels_with_its_angle(client):
    listed = ee.data.listImages(
        {
            "parent": "COPERNICUS/S1_GRD",
            **JUNE,
            "properties": ["orbitProperties_pass=DESCENDING", "instrumentMode=IW"],
        }
    )["images"]
    assert {i["properties"]["orbitProperties_pass"] for i in listed} == {"DESCENDING"}
    found = ee.data.getPixels(
        {
            "assetId": listed[0]["id"],
            "grid": grid(690_000, 5_330_000),
            "fileFormat": "NUMPY_NDARRAY",
        }
    )
    assert found.dtype.names == ("VV", "VH", "angle")
    assert -30 < found["VV"].mean() < 10
    assert 29 < found["angle"].min() < found["angle"].max() < 47


def test_maps_of_the_whole_earth_are_single_images(client):
    year = ee.data.listImages("ESA/WorldCover/v200")["images"]
    assert [i["id"] for i in year] == ["ESA/WorldCover/v200/2021"]
    found = ee.data.getPixels(
        {
            "assetId": "MODIS/061/MCD12Q1/2018_01_01",
            "bandIds": ["LC_Type1"],
            "grid": grid(11.5, 48.2, 16, 1 / 240, "EPSG:4326"),
            "fileFormat": "NUMPY_NDARRAY",
        }
    )["LC_Type1"]
    assert 1 <= found.min() <= found.max() <= 17


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"grid": grid(*CORNER, 5000)}, "Total request size .150000000 bytes. must be less"),
        (
            {"grid": grid(*CORNER) | {"dimensions": {"width": 32769, "height": 1}}},
            "must be less than or equal to 32768",
        ),
        ({"bandIds": ["B4", "nir"]}, "Band pattern 'nir' did not match any bands"),
        ({"bandIds": ["B4", "B4"]}, "names a band twice"),
        ({"fileFormat": "PNG"}, "PNG is unsupported"),
        ({"region": JUNE["region"]}, "region is unsupported"),
        ({"grid": {**grid(*CORNER), "crsCode": "EPSG:1"}}, "could not be parsed: EPSG:1"),
        ({"assetId": f"{S2}/2018"}, "does not exist"),
    ],
)
def test_requests_beyond_the_limits_are_refused(client, changed, message):
    image = images(properties=[TILE])[0]
    asked = {
        "assetId": image["id"],
        "bandIds": ["B2", "B3", "B4"],
        "grid": grid(*CORNER),
        "fileFormat": "NPY",
    }
    with pytest.raises(ee.EEException, match=message):
        ee.data.getPixels(asked | changed)


@pytest.mark.parametrize(
    "text",
    ["startTime > yesterday", "properties.A = 1 AND", 'colour = "red"', "near(3)", "a b", "(id=1"],
)
def test_filters_that_cannot_be_read_are_refused(client, text):
    with pytest.raises(ee.EEException, match="Invalid filter"):
        ee.data.listAssets({"parent": S2, "filter": text})


def test_a_token_of_another_question_is_refused(client):
    token = ee.data.listImages({"parent": S2, **JUNE, "pageSize": 1})["nextPageToken"]
    with pytest.raises(ee.EEException, match="another collection or filter"):
        ee.data.listImages({"parent": "COPERNICUS/S2", "pageSize": 1, "pageToken": token})


def test_methods_that_there_are_not_are_named(client):
    with pytest.raises(HttpError, match="assets:search is unsupported by the sandbox"):
        ee.data._get_cloud_projects().assets().search(project=f"projects/{PROJECT}").execute()


def test_a_world_has_its_own_pixels(earthengine_server, sandbox_archive):
    ground = box(11.55, 48.05, 11.65, 48.15)
    span = Span(parse_utc("2018-06-01"), parse_utc("2018-07-01"))
    with connected(earthengine_server().url):
        found = {i["properties"]["PRODUCT_ID"] for i in images()}
    assert found == {i.id for i in sandbox_archive.collections["sentinel-2-l2a"].find(ground, span)}
