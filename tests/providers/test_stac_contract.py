"""The contract of providers, for the STAC providers against each form of archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from tests.contract.provider_suite import ProviderSuite
from tests.providers.served import Servers, entry_of, reads_of

PLACE = box(11.00, 48.05, 11.02, 48.06)
GRID = GeoBox((40, 48), Affine(20, 0, 649_105, 0, -20, 5_324_905), CRS("EPSG:32632"))


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers(SandboxSettings(seed=5)) as servers:
        yield servers


def span(start: tuple[int, int, int], end: tuple[int, int, int]) -> Span:
    return Span(datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))


class Served(ProviderSuite):
    """The contract for one product of one flavour."""

    flavour: str
    product: str
    bands: tuple[str, ...]
    resampling = "average"
    time = span((2022, 6, 1), (2022, 6, 8))

    @pytest.fixture
    def provider(self, servers):
        return servers.provider(self.flavour)

    @pytest.fixture
    def query(self):
        return Query(entry_of(self.product, self.flavour).collection, PLACE, self.time)

    @pytest.fixture
    def reads(self):
        return reads_of(self.product, self.flavour, self.bands, self.resampling)

    @pytest.fixture
    def geobox(self):
        return GRID


class Optical(Served):
    product = "sentinel-2-l2a"
    bands = ("B04", "B11", "SCL")
    # All times are 1,400 items: one archive, that of the most pages, shows it for all.
    test_search_without_span_ignores_time = None


class Wide(Served):
    """The contract for items that are wider than the suite goes away."""

    @pytest.fixture
    def away(self):
        return GeoBox(GRID.shape, GRID.affine, CRS("EPSG:32756"))


class Radar(Wide):
    product = "sentinel-1-grd"
    bands = ("vv", "vh")
    time = span((2021, 6, 1), (2021, 6, 14))
    test_search_without_span_ignores_time = None


class TestSentinel2OfAnyArchive(Optical):
    flavour = "sandbox"


class TestSentinel2OfEarthSearch(Optical):
    flavour = "earth-search"


class TestSentinel2OfPlanetaryComputer(Optical):
    flavour = "planetary-computer"
    test_search_without_span_ignores_time = ProviderSuite.test_search_without_span_ignores_time


class TestSentinel2OfCdse(Optical):
    flavour = "cdse"


class TestLevel1COfEarthSearch(Optical):
    flavour, product, bands = "earth-search", "sentinel-2-l1c", ("B04", "B10")


class TestLevel1COfCdse(Optical):
    flavour, product, bands = "cdse", "sentinel-2-l1c", ("B04", "B10")


class TestSentinel1OfAnyArchive(Radar):
    flavour = "sandbox"


class TestSentinel1OfEarthSearch(Radar):
    flavour, product = "earth-search", "sentinel-1-grd-dn"


class TestSentinel1OfPlanetaryComputer(Radar):
    flavour, product = "planetary-computer", "sentinel-1-rtc"


class TestSentinel1OfCdse(Radar):
    flavour, product = "cdse", "sentinel-1-grd-dn"


class WorldCover(Wide):
    product, bands = "esa-worldcover", ("map",)
    time = span((2018, 1, 1), (2023, 1, 1))


class TestWorldCoverOfAnyArchive(WorldCover):
    flavour = "sandbox"


class TestWorldCoverOfPlanetaryComputer(WorldCover):
    flavour = "planetary-computer"
