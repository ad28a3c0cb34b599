"""The contract of providers, for `archive`."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.core.span import Span
from eodata.providers.archive import ArchiveProvider
from tests.contract.provider_suite import ProviderSuite


class TestArchive(ProviderSuite):
    @pytest.fixture
    def provider(self, archive):
        rng = np.random.default_rng(3)
        for day in (1, 4, 9):
            layers = {
                "fine": rng.integers(1, 9000, (64, 64)).astype("uint16"),
                "classes": rng.integers(0, 5, (64, 64)).astype("uint8"),
            }
            archive.add(f"item-{day}", layers, when=f"2018-06-0{day}T10:30:00", nodata=0)
        return ArchiveProvider(archive.save())

    @pytest.fixture
    def query(self):
        span = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC))
        return Query("c", box(3.001, 50.547, 3.005, 50.549), span)

    @pytest.fixture
    def reads(self, band_read):
        return (
            band_read("fine", "average"),
            band_read("classes", "mode", kind="categorical", dtype="uint8"),
        )

    @pytest.fixture
    def geobox(self):
        return GeoBox((16, 12), Affine(20, 0, 500_105, 0, -20, 5_599_905), CRS("EPSG:32631"))
