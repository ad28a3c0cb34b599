"""The provider `sandbox`: positions, worlds, names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.geometry import box

from eodata.core.errors import ProviderError
from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.core.where import Where
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox import plane

QUERY = Query(
    "sentinel-2-l2a",
    box(11.00, 48.05, 11.02, 48.06),
    Span(datetime(2022, 6, 1, tzinfo=UTC), datetime(2022, 6, 15, tzinfo=UTC)),
)
GRIDS = {
    "its own": GeoBox((64, 64), Affine(10, 0, 649_100, 0, -10, 5_324_900), CRS("EPSG:32632")),
    "half a pixel off": GeoBox(
        (64, 64), Affine(10, 0, 649_105, 0, -10, 5_324_905), CRS("EPSG:32632")
    ),
    "coarser": GeoBox((32, 32), Affine(30, 0, 649_107, 0, -30, 5_324_903), CRS("EPSG:32632")),
    "next zone": GeoBox((64, 64), Affine(10, 0, 202_300, 0, -10, 5_330_000), CRS("EPSG:32633")),
    "degrees": GeoBox((64, 64), Affine(1e-4, 0, 11.004, 0, -1e-4, 48.058), CRS("EPSG:4326")),
}


@pytest.fixture(scope="module")
def planes():
    return SandboxProvider(SandboxSettings(mode="plane"))


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("asset", ["B02", "B03"])
def test_pixels_lie_where_the_grid_says(planes, band_read, name, asset):
    """B02 and B03 of the plane world hold x and y of the item, in 32nds of a pixel."""
    item, grid = planes.search(QUERY)[0], GRIDS[name]
    record = planes.archive.collections[item.collection].get(item.id)
    assert plane.meaning(record, asset) in ("x", "y")
    pixels = planes.read(item, (band_read(asset, "bilinear", dtype="uint16"),), grid)
    assert pixels.valid[0].all()
    col, row = centres(grid, record.base)
    expected = plane.number_at(record, asset, col, row)
    off = np.abs(pixels.values[0] - expected) / plane.PER_PX
    assert off.mean() < 0.02
    assert off.max() < 0.2


def centres(grid, base):
    col, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    x, y = grid.affine @ (col, row)
    onto = Transformer.from_crs(str(grid.crs), str(base.crs), always_xy=True)
    return ~base.affine @ onto.transform(x, y)


def test_an_item_of_another_world_is_refused(planes, band_read):
    item = planes.search(QUERY)[0]
    other = SandboxProvider(SandboxSettings(seed=2, mode="plane"))
    with pytest.raises(ProviderError) as error:
        other.read(item, (band_read("B02"),), GRIDS["its own"])
    assert "seed=1 mode=plane" in error.value.found
    assert "seed=2 mode=plane" in error.value.found


def test_an_item_that_never_was_is_refused(planes, band_read):
    item = replace(planes.search(QUERY)[0], id="S2A_MSIL2A_20220601T999999")
    with pytest.raises(ProviderError) as error:
        planes.read(item, (band_read("B02"),), GRIDS["its own"])
    assert "no such item" in error.value.found


def test_an_unknown_collection_names_those_that_exist(planes):
    with pytest.raises(ProviderError) as error:
        planes.search(replace(QUERY, collection="sentinel-2-l2b"))
    assert "sentinel-2-l2a" in error.value.fix


def test_every_item_says_that_it_is_simulated(planes):
    assert planes.synthetic
    for item in planes.search(QUERY):
        assert item.properties["sandbox:world"] == "seed=1 mode=plane"
        assert {a.href.split(":")[0] for a in item.assets.values()} == {"sandbox"}


def test_only_items_whose_properties_match_are_found(planes):
    every = planes.search(QUERY)
    orbits = sorted({item.properties["sat:relative_orbit"] for item in every})
    assert len(orbits) > 1
    where = Where.parse({"sat:relative_orbit": orbits[0], "platform": ["SENTINEL-2A"]})
    found = planes.search(replace(QUERY, where=where))
    assert found == [item for item in every if where.matches(item.properties)]
    assert 0 < len(found) < len(every)
    assert {item.properties["sat:relative_orbit"] for item in found} == {orbits[0]}
