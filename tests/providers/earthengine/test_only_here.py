"""Layers that only Earth Engine has: their pixels are those that the simulation makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.providers.earthengine.images import grid_of
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.providers.earthengine.test_same_pixels import BEFORE, GROUND

WORLD = SandboxSettings(seed=5)
PX = 48


@pytest.fixture(scope="module")
def provider() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(WORLD) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


@pytest.fixture(scope="module")
def catalogue() -> SandboxCatalogue:
    return SandboxCatalogue(WORLD)


def around_ground(own: GeoBox) -> GeoBox:
    """Return pixels of a grid around the middle of the ground."""
    onto = Transformer.from_crs("EPSG:4326", str(own.crs), always_xy=True)
    col, row = ~own.affine @ onto.transform(GROUND.centroid.x, GROUND.centroid.y)
    top, left = int(row) - PX // 2, int(col) - PX // 2
    return own[top : top + PX, left : left + PX]


@pytest.mark.parametrize(
    ("product", "dtype", "highest"),
    [
        ("sentinel-2-cloud-probability", "uint8", 100),
        ("cloud-score-plus", "float32", 1),
        ("human-modification", "float32", 1),
    ],
)
def test_pixels_are_those_of_the_layer(provider, catalogue, product, dtype, highest):
    table = resources.products()[product]
    collection = table.providers["earthengine"].collection
    span = None if table.temporal == "static" else BEFORE
    spread = 0.0
    for item in provider.search(Query(collection, GROUND, span)):
        reads = [BandRead(b.to_band(), b.name, "nearest") for b in table.bands]
        own = grid_of(item, reads[0].asset).grid
        window = around_ground(own)
        found = provider.read(item, reads, window)
        image = catalogue.image(f"{collection}/{item.id}")
        for read, values, valid in zip(reads, found.values, found.valid, strict=True):
            leaf = image.bands[read.asset]
            source = catalogue.archive.collections[leaf.record.collection]
            expected = source.render(leaf.record, [leaf.key], window)[leaf.key]
            measured = np.isfinite(expected) if leaf.nodata is None else expected != leaf.nodata
            assert values.dtype == dtype
            np.testing.assert_array_equal(valid, measured)
            # Sums of float32 round otherwise on windows of another size.
            np.testing.assert_allclose(values[valid], expected[measured], rtol=1e-6)
            assert ((expected[measured] >= 0) & (expected[measured] <= highest)).all()
            if measured.any():
                spread = max(spread, float(np.ptp(expected[measured])) / highest)
    assert spread > 0.2
