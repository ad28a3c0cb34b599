"""The contract of providers, for `earthengine` through the real client against a simulated one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.contract.provider_suite import ProviderSuite

PLACE = box(11.00, 48.05, 11.02, 48.06)
GRID = GeoBox((40, 48), Affine(20, 0, 649_105, 0, -20, 5_324_905), CRS("EPSG:32632"))


@pytest.fixture(scope="module")
def provider() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(SandboxSettings(seed=5)) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


def span(start: tuple[int, int, int], end: tuple[int, int, int]) -> Span:
    return Span(datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))


class Served(ProviderSuite):
    """The contract for one product."""

    product: str
    bands: tuple[str, ...]
    time: Span

    @pytest.fixture
    def query(self):
        entry = resources.products()[self.product].providers["earthengine"]
        return Query(entry.collection, PLACE, self.time)

    @pytest.fixture
    def reads(self):
        product = resources.products()[self.product]
        entry, found = product.providers["earthengine"], []
        for name in self.bands:
            band = product.band(name).to_band()
            how = "average" if band.kind == "continuous" else "mode"
            found.append(BandRead(band, entry.assets.get(name, name), how))
        return tuple(found)

    @pytest.fixture
    def geobox(self):
        return GRID

    def test_every_item_says_that_it_is_simulated(self, items):
        assert all(item.is_synthetic for item in items)


class TestLevel2A(Served):
    product, bands = "sentinel-2-l2a", ("B04", "B11", "SCL")
    time = span((2022, 6, 1), (2022, 6, 12))


class TestLevel1C(Served):
    product, bands = "sentinel-2-l1c", ("B02", "B10")
    time = span((2018, 6, 1), (2018, 6, 12))
    # All times are a thousand images; the other level shows it for both.
    test_search_without_span_ignores_time = None


class TestCloudProbability(Served):
    product, bands = "sentinel-2-cloud-probability", ("probability",)
    time = span((2018, 6, 1), (2018, 6, 12))
    # As for Level-1C.
    test_search_without_span_ignores_time = None


class TestCloudScorePlus(Served):
    product, bands = "cloud-score-plus", ("cs", "cs_cdf")
    time = span((2018, 6, 1), (2018, 6, 12))
    # As for Level-1C.
    test_search_without_span_ignores_time = None


class Wide(Served):
    """The contract for images that are wider than the suite goes away."""

    @pytest.fixture
    def away(self):
        return GeoBox(GRID.shape, GRID.affine, CRS("EPSG:32756"))


class TestSentinel1(Wide):
    product, bands = "sentinel-1-grd", ("vv", "vh")
    time = span((2018, 6, 1), (2018, 6, 20))


class Global(Served):
    """The contract for maps of the whole Earth: nothing is away from them."""

    test_read_far_away_is_invalid = None


class TestModisLandCover(Global):
    product, bands = "modis-mcd12q1", ("LC_Type1", "LC_Prop1")
    time = span((2018, 1, 1), (2021, 1, 2))


class TestNightLights(Global):
    product, bands = "viirs-dnb-monthly", ("avg_rad",)
    time = span((2018, 1, 1), (2018, 12, 31))
