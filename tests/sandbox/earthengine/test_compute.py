"""Expressions of the unmodified client, answered by a server: values and pixels."""

from __future__ import annotations

import ee
import numpy as np
import pytest
from pyproj import Transformer

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox import plane
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.sandbox.earthengine.engine import JUNE, MUNICH, TILE, connected, grid

S2 = "COPERNICUS/S2_HARMONIZED"
PLACE = grid(692_000, 5_331_000, 48)


@pytest.fixture(scope="module")
def server():
    with EarthEngineServer(SandboxSettings()) as server:
        yield server


@pytest.fixture
def client(server):
    with connected(server.url):
        yield server


def june(name=S2):
    ground = ee.Geometry.Polygon([MUNICH])
    return ee.ImageCollection(name).filterBounds(ground).filterDate("2018-06-01", "2018-07-01")


def listed(*properties):
    asked = {"parent": S2, **JUNE, "properties": list(properties)}
    return [image["id"] for image in ee.data.listImages(asked)["images"]]


def pixels(asset, *bands, where=PLACE):
    asked = {"assetId": asset, "bandIds": list(bands), "grid": where}
    return ee.data.getPixels({**asked, "fileFormat": "NUMPY_NDARRAY"})


def computed(image):
    return ee.data.computePixels(
        {"expression": image, "grid": PLACE, "fileFormat": "NUMPY_NDARRAY"}
    )


def test_a_collection_counts_what_a_listing_lists(client):
    tile = june().filter(ee.Filter.eq("MGRS_TILE", "32UPU"))
    assert tile.aggregate_array("system:index").getInfo() == [
        asset.rpartition("/")[2] for asset in listed(TILE)
    ]


def test_an_image_tells_that_it_is_simulated(client):
    asset = listed(TILE)[0]
    told = ee.Image(asset).getInfo()
    assert told["id"] == asset
    assert told["properties"]["sandbox:synthetic"] == 1
    assert [band["id"] for band in told["bands"]][:2] == ["B1", "B2"]


def test_computed_pixels_of_an_image_are_those_that_are_read(client):
    asset = listed(TILE)[0]
    found = computed(ee.Image(asset).select(["B4", "B8"]))
    assert (found == pixels(asset, "B4", "B8")).all()
    assert found["B8"].std() > 0


def test_a_median_is_that_of_the_images(client):
    tile = june().filter(ee.Filter.eq("MGRS_TILE", "32UPU")).select("B4")
    stack = np.stack([pixels(asset, "B4")["B4"] for asset in listed(TILE)])
    seen = np.ma.masked_equal(stack, 0)
    assert np.allclose(computed(tile.median())["B4"], np.ma.median(seen, axis=0))


def test_clouds_are_joined_and_masked(client):
    asset = next(
        asset
        for asset in listed(TILE, "CLOUDY_PIXEL_PERCENTAGE > 20", "CLOUDY_PIXEL_PERCENTAGE < 80")
    )
    index = asset.rpartition("/")[2]
    cloud = pixels(f"COPERNICUS/S2_CLOUD_PROBABILITY/{index}", "probability")["probability"]
    own = june().filter(ee.Filter.eq("system:index", index))
    joined = ee.ImageCollection(
        ee.Join.saveFirst("cloud").apply(
            own,
            june("COPERNICUS/S2_CLOUD_PROBABILITY"),
            ee.Filter.equals(leftField="system:index", rightField="system:index"),
        )
    )

    def masked(image):
        return image.updateMask(ee.Image(image.get("cloud")).lt(50))

    found = computed(joined.map(masked).mosaic().select("B4"))["B4"]
    assert (found == np.where(cloud < 50, pixels(asset, "B4")["B4"], 0)).all()


def test_what_cannot_be_computed_is_named(client):
    with pytest.raises(ee.EEException, match=r"Image\.cumulativeCost is unsupported"):
        computed(ee.Image(1).cumulativeCost(ee.Image(1), 10))
    with pytest.raises(ee.EEException, match="a grid is required"):
        ee.data.computePixels({"expression": ee.Image(1), "fileFormat": "NPY"})
    with pytest.raises(ee.EEException, match="Total request size"):
        far = grid(0, 0, 8000)
        ee.data.computePixels({"expression": ee.Image(1), "grid": far, "fileFormat": "NPY"})


def test_positions_are_right_in_another_zone():
    """The plane world's numbers are positions: those of the centre of the nearest pixel."""
    where = grid(240_000, 5_340_000, 64, crs="EPSG:32633")
    with EarthEngineServer(SandboxSettings(mode="plane")) as server, connected(server.url):
        image = ee.data.listImages({"parent": S2, **JUNE, "properties": [TILE]})["images"][0]
        found = pixels(image["id"], "B2", "B3", where=where)
    steps = 10 * np.arange(64) + 5
    to_tile = Transformer.from_crs("EPSG:32633", "EPSG:32632", always_xy=True)
    x, y = to_tile.transform(*np.meshgrid(240_000 + steps, 5_340_000 - steps))
    for band, place in (("B2", (x - 600_000) / 10), ("B3", (5_400_000 - y) / 10)):
        wave = np.abs((place + plane.TURN_PX) % (2 * plane.TURN_PX) - plane.TURN_PX)
        off = np.abs(found[band] - 1.0 - plane.PER_PX * wave) / plane.PER_PX
        assert off.max() <= 0.52
        assert 0.2 < off.mean() < 0.3


@pytest.mark.parametrize("mode", ["planet", "plane"])
def test_a_bent_image_has_the_pixels_of_the_archive(mode):
    settings = SandboxSettings.from_text(f"seed=7 mode={mode} shift_rate=1 bend_px=3")
    with EarthEngineServer(settings) as server, connected(server.url):
        image = ee.data.listImages({"parent": S2, **JUNE, "properties": [TILE]})["images"][0]
        found = pixels(image["id"], "B2", "B3")
    archive = SandboxArchive(settings)
    item = archive.collections["sentinel-2-l1c"].get(image["properties"]["PRODUCT_ID"])
    assert item.origin.bend is not None
    window = (6900, 6948), (9200, 9248)
    assert item.base.affine @ (9200, 6900) == (692_000, 5_331_000)
    for band, key in (("B2", "B02"), ("B3", "B03")):
        assert (found[band] == archive.read(item, key, *window)).all()
        assert len(np.unique(found[band])) > 9
