"""The real archives, one small patch from each: `pytest -m online tests/online`.

Off by default. What these tests find is written nowhere: archives change.
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
from eodata.core.endpoint import StacLocation
from eodata.core.errors import AuthError
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Query
from eodata.core.span import Span
from eodata.pipeline.offset_guard import judge_offset
from eodata.providers.stac import StacProvider

pytestmark = [pytest.mark.online, pytest.mark.enable_socket]
PLACE = box(11.55, 48.10, 11.57, 48.11)
GRID = GeoBox((64, 64), Affine(10, 0, 690_000, 0, -10, 5_331_000), CRS("EPSG:32632"))
JUNE = Span(datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 6, 20, tzinfo=UTC))
YEARS = Span(datetime(2019, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
SERVED = [
    ("earth-search", "sentinel-2-l2a", JUNE),
    ("earth-search", "sentinel-2-c1-l2a", JUNE),
    ("earth-search", "cop-dem-glo-30", None),
    ("planetary-computer", "sentinel-2-l2a", JUNE),
    ("planetary-computer", "sentinel-1-rtc", JUNE),
    ("planetary-computer", "cop-dem-glo-30", None),
    ("planetary-computer", "esa-worldcover", YEARS),
    ("planetary-computer", "io-lulc", YEARS),
    ("planetary-computer", "landsat-c2-l2", JUNE),
    ("cdse", "sentinel-2-l2a", JUNE),
]


@pytest.mark.parametrize(("archive", "product", "span"), SERVED)
def test_archive_then_a_patch_of_each_product_can_be_read(archive, product, span):
    table = resources.products()[product]
    entry = table.providers[archive]
    provider = StacProvider(StacLocation(endpoint=resources.endpoints()[archive]))
    items = provider.search(Query(entry.collection, PLACE, span))
    assert items, "the archive has nothing here any more"
    bands = [band for band in table.bands if not band.auxiliary][:3]
    reads = [BandRead(b.to_band(), entry.assets.get(b.name, b.name), "nearest") for b in bands]
    try:
        provider.check_access(items[0], reads)
    except AuthError as error:
        pytest.xfail(str(error))
    pixels = provider.read(items[0], reads, GRID)
    assert all(valid.any() for valid in pixels.valid)
    if table.states_offset:
        stated = [(items[0].assets[r.asset].scale, items[0].assets[r.asset].offset) for r in reads]
        dn, valid = np.stack(pixels.values), np.stack(pixels.valid)
        finding = judge_offset(dn, valid, stated, [r.band for r in reads], table.radiometry)
        assert finding.verdict != "contradicts", finding.reason
