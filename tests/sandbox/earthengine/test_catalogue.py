"""Earth Engine's asset ids over the sandbox's archive, and the bands that only it has."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import Point, box

from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.sandbox.clouds import THICK_CLOUD
from eodata.sandbox.earthengine.catalogue import PUBLIC, SandboxCatalogue
from eodata.sandbox.earthengine.derived import CIRRUS, OPAQUE
from eodata.sandbox.earthengine.images import PixelGrid, code_of
from eodata.sandbox.earthengine.sampling import sample
from eodata.sandbox.earthengine.sentinel2 import name_of

MUNICH = box(11.55, 48.05, 11.65, 48.15)
LEVELS = ("COPERNICUS/S2", "COPERNICUS/S2_HARMONIZED")


def day(year, month=1, number=1):
    return datetime(year, month, number, tzinfo=UTC)


JUNE = day(2018, 6), day(2018, 7)
LATER = day(2022, 6), day(2022, 6, 20)


@pytest.fixture(scope="module")
def catalogue():
    return SandboxCatalogue()


def found(catalogue, name, span=JUNE, ground=MUNICH):
    return list(catalogue.images(name, ground, *span))


def window(image, size=96):
    """Return a grid of 10 m in the middle of Munich, on the pixels of an image."""
    leaf = next(iter(image.bands.values()))
    crs, affine = code_of(leaf.grid), leaf.record.base.affine
    place = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(11.6, 48.1)
    col, row = (round(number) for number in ~affine @ place)
    x, y = affine @ (col - size // 2, row - size // 2)
    return PixelGrid(size, size, (10, 0, x, 0, -10, y), crs)


def pixels(catalogue, image, band, grid):
    values, valid = sample(image.bands[band], catalogue.archive, grid, "nearest")
    assert valid.all()
    return values


def truth_of(catalogue, image, grid):
    record = next(iter(image.bands.values())).record
    return catalogue.archive.collections[record.collection].truth(record, grid.geobox)


def test_every_collection_finds_its_images_again(catalogue):
    place = Point(11.6, 48.1)
    for name in catalogue.shelves:
        first = next(catalogue.images(name, place, None, None)).start
        images = list(islice(catalogue.images(name, place, first, None), 3))
        assert images, name
        for image in images:
            assert image.id.startswith(f"{name}/")
            again = catalogue.image(PUBLIC + image.id)
            assert again.properties == image.properties
            assert again.properties["sandbox:synthetic"] == 1
            assert again.properties["system:index"] == image.id.rpartition("/")[2]
            assert image.start.timestamp() * 1000 == image.properties["system:time_start"]


@pytest.mark.parametrize(
    "asset",
    ["COPERNICUS/S3", "COPERNICUS/S2/x", "COPERNICUS/S2/20180699T000000_20180601T101728_T32UPU",
     "COPERNICUS/S2/20180601T102024_20180699T102721_T32UQU",
     "COPERNICUS/S2/20180601T102024_20180601T102721_T00XXX", "ESA/WorldCover/v200/2020"],
)  # fmt: skip
def test_what_is_not_there_is_a_lookup_error(catalogue, asset):
    with pytest.raises(LookupError):
        catalogue.image(asset)


def test_images_come_by_time_within_the_span(catalogue):
    for name in ("COPERNICUS/S2_SR", "COPERNICUS/S1_GRD"):
        images = found(catalogue, name)
        assert all(a.start <= b.start for a, b in pairwise(images))
        assert all(JUNE[0] <= image.start < JUNE[1] for image in images)
        first, last = images[1].start, images[-1].start
        inner = [i.id for i in found(catalogue, name, (first, last))]
        assert inner == [i.id for i in images if first <= i.start < last]
    assert found(catalogue, "COPERNICUS/S2_SR", JUNE[::-1]) == []


def test_levels_and_cloud_products_share_the_index_of_an_acquisition(catalogue):
    names = [name for name in catalogue.shelves if "S2" in name]
    assert len(names) == 6
    told = {tuple(i.id.rpartition("/")[2] for i in found(catalogue, name)) for name in names}
    assert len(told) == 1


def test_bands_are_named_and_ordered_as_in_earth_engine(catalogue):
    l1c, l2a = (found(catalogue, f"COPERNICUS/{name}")[0] for name in ("S2", "S2_SR"))
    optical = [*(f"B{n}" for n in range(1, 9)), "B8A", *(f"B{n}" for n in range(9, 13))]
    assert list(l1c.bands) == [*optical, "QA60"]
    assert [b for b in l2a.bands if b.startswith("B")] == [b for b in optical if b != "B10"]
    assert name_of("B01") == "B1"


def test_harmonised_collections_lack_the_offset_of_baseline_four(catalogue):
    plain, harmonised = (found(catalogue, name, LATER)[0] for name in LEVELS)
    assert plain.properties["PROCESSING_BASELINE"] == "04.00"
    assert plain.properties["RADIO_ADD_OFFSET_B4"] == -1000
    grid = window(plain)
    high = pixels(catalogue, plain, "B4", grid).astype(int)
    low = pixels(catalogue, harmonised, "B4", grid).astype(int)
    assert (low == np.clip(high - 1000, 0, None)).all()
    older = [found(catalogue, name)[0] for name in LEVELS]
    grid = window(older[0])
    same = [pixels(catalogue, image, "B4", grid) for image in older]
    assert (same[0] == same[1]).all()
    assert "RADIO_ADD_OFFSET_B4" not in older[0].properties


def test_an_acquisition_that_is_there_twice_has_two_ids():
    catalogue = SandboxCatalogue(SandboxSettings(defects=Defects(duplicates=1.0)))
    ids = [image.id for image in found(catalogue, "COPERNICUS/S2_SR")]
    assert len(set(ids)) == len(ids)
    assert len(ids) % 2 == 0
    records = {catalogue.image(name).properties["PRODUCT_ID"] for name in ids}
    assert len(records) == len(ids)


def test_cloud_products_say_what_the_sky_is(catalogue):
    def share(image):
        return image.properties["CLOUDY_PIXEL_PERCENTAGE"]

    partly = [i for i in found(catalogue, "COPERNICUS/S2") if 30 < share(i) < 70]
    for image in partly:
        grid = window(image, 480)
        truth = truth_of(catalogue, image, grid)
        thick = truth["thick"] > THICK_CLOUD
        index = image.id.rpartition("/")[2]
        if 0.05 < thick.mean() < 0.95:
            break
    cloud = catalogue.image(f"COPERNICUS/S2_CLOUD_PROBABILITY/{index}")
    probability = pixels(catalogue, cloud, "probability", grid)
    assert probability.max() <= 100
    assert probability[thick].mean() > 80
    assert probability[~truth["cloud"]].mean() < 25
    score = catalogue.image(f"GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED/{index}")
    clear = pixels(catalogue, score, "cs", grid)
    assert 0 <= clear.min() <= clear.max() <= 1
    assert clear[thick].max() < 0.55
    assert clear[~truth["cloud"] & ~truth["shadow"]].mean() > 0.75
    bits = pixels(catalogue, image, "QA60", grid)
    assert set(np.unique(bits)) <= {0, OPAQUE, CIRRUS}
    assert np.mean((bits == OPAQUE) == thick) > 0.9


def test_the_angle_of_radar_is_that_of_the_truth(catalogue):
    image = found(catalogue, "COPERNICUS/S1_GRD")[0]
    grid = window(image, 32)
    angle = pixels(catalogue, image, "angle", grid)
    truth = catalogue.archive.truth(image.bands["VV"].record, grid.geobox)
    assert np.allclose(angle, truth["incidence"], atol=1e-3)
    said = image.properties
    assert said["transmitterReceiverPolarisation"] == ["VV", "VH"]
    assert said["orbitProperties_pass"] in ("ASCENDING", "DESCENDING")
    assert image.end > image.start


def test_maps_of_the_earth_are_the_tiles_of_the_archive(catalogue):
    place = Point(11.6, 48.1).buffer(0.001)
    for name, band, collection, key in (
        ("MODIS/061/MCD12Q1/2018_01_01", "LC_Type1", "modis-mcd12q1", "LC_Type1"),
        ("ESA/WorldCover/v200/2021", "Map", "esa-worldcover", "map"),
        ("NOAA/VIIRS/DNB/MONTHLY_V1/VCMCFG/20180601", "avg_rad", "viirs-dnb-monthly", "avg_rad"),
    ):
        image = catalogue.image(name)
        tiles = catalogue.archive.collections[collection].find(place, None)
        tile = next(item for item in tiles if item.datetime == image.start)
        leaf = image.bands[band]
        corner = ~leaf.grid.affine @ (tile.base.affine.c, tile.base.affine.f)
        assert np.allclose(corner, np.rint(corner), atol=1e-4)
        col, row = (round(number) for number in corner)
        own = catalogue.archive.read(leaf.record, leaf.key, (row + 96, row + 120), (col, col + 48))
        assert (own == catalogue.archive.read(tile, key, (96, 120), (0, 48))).all()


def test_people_change_towns_and_fields_but_no_sea(catalogue):
    image = catalogue.image("CSP/HM/GlobalHumanModification/2016")

    def around(lon, lat, size=8):
        grid = PixelGrid(size, size, (1 / 120, 0, lon, 0, -1 / 120, lat), "EPSG:4326")
        return sample(image.bands["gHM"], catalogue.archive, grid, "nearest")

    munich, alps = around(11.55, 48.16)[0].mean(), around(-65.0, -3.0)[0].mean()
    assert 0.4 < munich <= 1
    assert 0 <= alps < 0.15
    assert not around(-30.0, 40.0)[1].any()
