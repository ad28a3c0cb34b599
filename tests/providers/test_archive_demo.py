"""Real pixels: the demo archive of Flanders, 2018."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.core.span import Span
from eodata.providers.archive import ArchiveProvider
from tests.contract.provider_suite import ProviderSuite

DEMO = Path(__file__).parents[2] / "recipes" / "archives" / "demo"
NORTH_WEST = Affine(10, 0, 501_360, 0, -10, 5_629_680)
FINE = GeoBox((64, 64), NORTH_WEST, CRS("EPSG:32631"))
COARSE = GeoBox((32, 32), NORTH_WEST @ Affine.scale(2), CRS("EPSG:32631"))
FLANDERS = box(3.019, 50.813, 3.028, 50.819)
JUNE = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC))


@pytest.fixture
def provider():
    return ArchiveProvider(DEMO)


@pytest.fixture
def item(provider):
    return provider.search(Query("sentinel-2-l2a", FLANDERS, JUNE))[0]


class TestDemoArchive(ProviderSuite):
    @pytest.fixture
    def provider(self):
        return ArchiveProvider(DEMO)

    @pytest.fixture
    def query(self):
        return Query("sentinel-2-l2a", FLANDERS, JUNE)

    @pytest.fixture
    def reads(self, band_read):
        return band_read("B04"), band_read("B11", "bilinear"), band_read("SCL")

    @pytest.fixture
    def geobox(self):
        return FINE


def test_every_collection_has_items_and_every_file_can_be_read(provider, band_read):
    for collection in ("sentinel-2-l2a", "sentinel-1-grd", "worldcereal-dem", "worldcereal-labels"):
        items = provider.search(Query(collection, FLANDERS, None))
        assert items
        for item in items[::7]:
            pixels = provider.read(item, [band_read(key) for key in item.assets], FINE)
            assert len(pixels.values) == len(item.assets)


@pytest.mark.parametrize(("band", "grid"), [("B04", FINE), ("B11", COARSE), ("SCL", COARSE)])
def test_the_native_grid_equals_plain_rasterio(provider, item, band_read, band, grid):
    with rasterio.open(DEMO / item.assets[band].href) as source:
        expected, mask = source.read(1), source.read_masks(1)
        assert GeoBox(source.shape, source.transform, str(source.crs)) == grid
    for resampling in ("bilinear", "nearest", "average"):
        pixels = provider.read(item, [band_read(band, resampling)], grid)
        assert (pixels.values[0] == expected).all()
        assert (pixels.valid[0] == (mask != 0)).all()


def test_20_to_10_m_equals_gdals_bilinear(provider, item, band_read):
    with (
        rasterio.open(DEMO / item.assets["B11"].href) as source,
        WarpedVRT(
            source,
            crs="EPSG:32631",
            transform=FINE.affine,
            width=64,
            height=64,
            resampling=Resampling.bilinear,
        ) as view,
    ):
        expected = view.read(1).astype(int)
    ours = provider.read(item, [band_read("B11", "bilinear")], FINE).values[0].astype(int)
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(ours - expected)[inner].max() <= 1
    assert np.ptp(expected) > 100, "a flat image would prove nothing"


def test_a_patch_is_the_same_alone_and_in_a_window(provider, item, band_read):
    """Neighbouring patches must not depend on the window that they were cut from."""
    whole = provider.read(item, [band_read("B11", "bilinear")], FINE)
    part = GeoBox((16, 16), NORTH_WEST @ Affine.translation(16, 32), CRS("EPSG:32631"))
    alone = provider.read(item, [band_read("B11", "bilinear")], part)
    assert (alone.values[0] == whole.values[0][32:48, 16:32]).all()
    assert (alone.valid[0] == whole.valid[0][32:48, 16:32]).all()
