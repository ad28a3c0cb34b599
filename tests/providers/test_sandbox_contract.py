"""The contract of providers, for `sandbox`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.sandbox import SandboxProvider
from tests.contract.provider_suite import ProviderSuite

PLACE = box(11.00, 48.05, 11.02, 48.06)
GRID = GeoBox((40, 48), Affine(20, 0, 649_105, 0, -20, 5_324_905), CRS("EPSG:32632"))


@pytest.fixture(scope="module")
def provider():
    return SandboxProvider(SandboxSettings(seed=5))


def span(month: int, days: int) -> Span:
    return Span(datetime(2018, month, 1, tzinfo=UTC), datetime(2018, month, days, tzinfo=UTC))


class TestSentinel2(ProviderSuite):
    @pytest.fixture
    def query(self):
        return Query("sentinel-2-l2a", PLACE, span(6, 12))

    @pytest.fixture
    def reads(self, band_read):
        return (
            band_read("B04", "average"),
            band_read("B11", "bilinear"),
            band_read("SCL", "mode", kind="categorical", dtype="uint8"),
        )

    @pytest.fixture
    def geobox(self):
        return GRID


class TestSentinel1(ProviderSuite):
    @pytest.fixture
    def query(self):
        return Query("sentinel-1-grd", PLACE, span(6, 20))

    @pytest.fixture
    def reads(self, band_read):
        return (band_read("vv", "average", unit="dB"), band_read("vh", "average", unit="dB"))

    @pytest.fixture
    def geobox(self):
        return GRID


class GlobalLayer(ProviderSuite):
    """The contract for layers whose files span countries."""

    @pytest.fixture
    def geobox(self):
        return GRID

    @pytest.fixture
    def away(self):
        return GeoBox(GRID.shape, GRID.affine, CRS("EPSG:32756"))


class TestModisLandCover(GlobalLayer):
    @pytest.fixture
    def query(self):
        return Query("modis-mcd12q1", PLACE, Span(span(1, 2).start, span(1, 2).end.replace(2021)))

    @pytest.fixture
    def reads(self, band_read):
        facts = {"kind": "categorical", "dtype": "uint8", "gsd": 463.3127}
        return (band_read("LC_Type1", **facts), band_read("LC_Prop1", **facts))


class TestWorldCover(GlobalLayer):
    @pytest.fixture
    def query(self):
        return Query("esa-worldcover", PLACE, Span(span(1, 2).start, span(1, 2).end.replace(2023)))

    @pytest.fixture
    def reads(self, band_read):
        return (band_read("map", "mode", kind="categorical", dtype="uint8"),)


class TestNightLights(GlobalLayer):
    @pytest.fixture
    def query(self):
        return Query("viirs-dnb-monthly", PLACE, Span(span(1, 2).start, span(12, 31).end))

    @pytest.fixture
    def reads(self, band_read):
        return (band_read("avg_rad", "bilinear", gsd=463.8),)


class TestPlaneWorld(TestSentinel2):
    @pytest.fixture
    def provider(self):
        return SandboxProvider(SandboxSettings(seed=5, mode="plane"))
