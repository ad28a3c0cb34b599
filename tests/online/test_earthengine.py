"""The real Earth Engine, one small patch of each product: `pytest -m online tests/online`.

Off by default. It takes an account and a project; without them it says what is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Query
from eodata.core.span import Span
from eodata.pipeline.offset_guard import judge_offset
from eodata.providers.earthengine.access import find_access
from eodata.providers.earthengine.provider import EarthEngineProvider

pytestmark = [pytest.mark.online, pytest.mark.enable_socket]
PLACE = box(11.55, 48.10, 11.57, 48.11)
GRID = GeoBox((64, 64), Affine(10, 0, 690_000, 0, -10, 5_331_000), CRS("EPSG:32632"))
JUNE = Span(datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 6, 20, tzinfo=UTC))
PRODUCTS = [
    name for name, table in resources.products().items() if "earthengine" in table.providers
]


@pytest.fixture(scope="module")
def provider() -> EarthEngineProvider:
    access = find_access()
    if not access.is_complete:
        pytest.xfail(access.advice)
    return EarthEngineProvider(EarthEngineLocation(project=access.project))


@pytest.mark.parametrize("product", PRODUCTS)
def test_earth_engine_then_a_patch_of_each_product_can_be_read(provider, product):
    table = resources.products()[product]
    entry = table.providers["earthengine"]
    span = None if table.temporal == "static" else JUNE
    items = provider.search(Query(entry.collection, PLACE, span))
    assert items, "there is nothing here any more"
    assert not any(item.is_synthetic for item in items)
    bands = [band for band in table.bands if not band.auxiliary][:3]
    reads = [BandRead(b.to_band(), entry.assets.get(b.name, b.name), "nearest") for b in bands]
    pixels = provider.read(items[0], reads, GRID)
    assert all(valid.any() for valid in pixels.valid)
    if table.states_offset:
        stated = [(items[0].assets[r.asset].scale, items[0].assets[r.asset].offset) for r in reads]
        dn, valid = np.stack(pixels.values), np.stack(pixels.valid)
        finding = judge_offset(dn, valid, stated, [r.band for r in reads], table.radiometry)
        assert finding.verdict != "contradicts", finding.reason
