"""Pixels through Earth Engine are those of the world, of a STAC archive, and lie where they say."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.geometry import box

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Pixels, Provider, Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.pipeline.decode import harmonise
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox import plane
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.providers.served import Servers, entry_of, reads_of

PLANET, PLANE = SandboxSettings(seed=5), SandboxSettings(mode="plane")
GROUND = box(11.00, 48.05, 11.02, 48.06)
UTM32 = CRS("EPSG:32632")
BEFORE = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 6, 16, tzinfo=UTC))
SINCE = Span(datetime(2022, 6, 1, tzinfo=UTC), datetime(2022, 6, 8, tzinfo=UTC))
"""Sentinel-2's numbers hold no offset before 2022."""
LAYERS = [
    ("sentinel-2-l2a", ("B04", "B11", "B01", "SCL")),
    ("sentinel-2-l1c", ("B03", "B10")),
    ("sentinel-1-grd", ("vv", "vh")),
    ("modis-mcd12q1", ("LC_Type1", "LC_Prop3")),
    ("cop-dem-glo-30", ("data",)),
]


def north_up(left: float, top: float, gsd: float, n: int, crs: CRS = UTM32) -> GeoBox:
    return GeoBox((n, n), Affine(gsd, 0, left, 0, -gsd, top), crs)


GRIDS = {
    "its own": north_up(649_100, 5_324_900, 10, 64),
    "half a pixel off": north_up(649_105, 5_324_905, 10, 64),
    "a third off": north_up(649_103.3, 5_324_906.7, 10, 64),
    "three times coarser": north_up(649_107, 5_324_903, 30, 32),
    "next zone": north_up(202_300, 5_330_000, 10, 64, CRS("EPSG:32633")),
    "degrees": north_up(11.004, 48.058, 1e-4, 64, CRS("EPSG:4326")),
    "rotated": GeoBox(
        (48, 48),
        Affine.translation(649_400, 5_324_700) @ Affine.rotation(30) @ Affine.scale(10, -10),
        UTM32,
    ),
}


@pytest.fixture(scope="module")
def planets() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(PLANET) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


@pytest.fixture(scope="module")
def planes() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(PLANE) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


@pytest.fixture(scope="module")
def world() -> SandboxProvider:
    return SandboxProvider(PLANET)


def looked_up(
    provider: Provider, product: str, bands: tuple[str, ...], span: Span, how: str
) -> tuple[Item, list[BandRead]]:
    """Return the first item of a product, and reads of its bands in the provider's words."""
    table = resources.products()[product]
    entry = table.providers[provider.name]
    when = None if table.temporal == "static" else span
    reads = []
    for name in bands:
        band = table.band(name).to_band()
        exact = "mode" if how == "average" else "nearest"
        asset = entry.assets.get(name, name)
        reads.append(BandRead(band, asset, how if band.kind == "continuous" else exact))
    return provider.search(Query(entry.collection, GROUND, when))[0], reads


def assert_same(found: Pixels, expected: Pixels) -> None:
    for one, other in zip(found.valid, expected.valid, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.any()
    valid = zip(found.values, expected.values, found.valid, strict=True)
    for one, other, holds in valid:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one[holds], other[holds])


@pytest.mark.parametrize(("product", "bands"), LAYERS)
def test_pixels_are_those_of_the_world_bit_for_bit(planets, world, product, bands):
    for name in ("its own", "three times coarser", "next zone"):
        how = "average" if name == "three times coarser" else "bilinear"
        item, reads = looked_up(planets, product, bands, BEFORE, how)
        behind, same = looked_up(world, product, bands, BEFORE, how)
        found = planets.read(item, reads, GRIDS[name])
        assert_same(found, world.read(behind, same, GRIDS[name]))


@pytest.mark.parametrize(
    ("product", "bands"),
    [("sentinel-2-l2a", ("B04", "B11", "SCL")), ("sentinel-1-grd", ("vv", "vh"))],
)
def test_pixels_are_those_of_a_stac_archive_bit_for_bit(planets, product, bands):
    grid = GRIDS["next zone"]
    item, reads = looked_up(planets, product, bands, BEFORE, "bilinear")
    with Servers(PLANET) as servers:
        archive = servers.provider("sandbox")
        query = Query(entry_of(product, "sandbox").collection, GROUND, BEFORE)
        same = archive.search(query)[0]
        expected = archive.read(same, reads_of(product, "sandbox", bands), grid)
    assert abs(item.datetime - same.datetime).total_seconds() < 30
    assert_same(planets.read(item, reads, grid), expected)


def test_harmonised_pixels_since_2022_are_what_a_build_makes_of_the_world_s(planets, world):
    bands = ("B02", "B04", "B12")
    item, reads = looked_up(planets, "sentinel-2-l2a", bands, SINCE, "bilinear")
    behind, same = looked_up(world, "sentinel-2-l2a", bands, SINCE, "bilinear")
    found, raw = (
        provider.read(one, how, GRIDS["its own"])
        for provider, one, how in ((planets, item, reads), (world, behind, same))
    )
    for k, read in enumerate(same):
        asset = behind.assets[read.asset]
        assert (asset.offset, item.assets[reads[k].asset].offset) == (-0.1, 0.0)
        expected, _ = harmonise(raw.values[k], raw.valid[k], asset, read.band)
        assert found.valid[k].all()
        np.testing.assert_array_equal(found.values[k], expected)


@pytest.mark.parametrize("name", GRIDS)
def test_pixels_lie_where_the_grid_says(planes, name):
    how = "cubic" if name == "a third off" else "bilinear"
    off = misplaced(planes, GRIDS[name], how)
    assert off.mean() < 0.02
    assert off.max() < 0.2


def misplaced(provider: EarthEngineProvider, grid: GeoBox, how: str) -> np.ndarray:
    """Return by how much B02 and B03, that say x and y, are wrong [source px]."""
    world = SandboxProvider(PLANE)
    item, reads = looked_up(provider, "sentinel-2-l2a", ("B02", "B03"), BEFORE, how)
    behind, same = looked_up(world, "sentinel-2-l2a", ("B02", "B03"), BEFORE, how)
    record = world.archive.collections[behind.collection].get(behind.id)
    assert {plane.meaning(record, read.asset) for read in same} == {"x", "y"}
    pixels = provider.read(item, reads, grid)
    assert all(valid.all() for valid in pixels.valid)
    col, row = centres(grid, record.base)
    wanted = (plane.number_at(record, read.asset, col, row) for read in same)
    errors = [v - w for v, w in zip(pixels.values, wanted, strict=True)]
    return np.hypot(*errors) / plane.PER_PX


def centres(grid: GeoBox, base: GeoBox):
    col, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    x, y = grid.affine @ (col, row)
    onto = Transformer.from_crs(str(grid.crs), str(base.crs), always_xy=True)
    return ~base.affine @ onto.transform(x, y)


@pytest.mark.parametrize(("gsd", "most"), [(40, 0.25), (80, 0.5)])
def test_level_of_the_pyramid_lies_where_the_pixels_lie(planes, gsd, most):
    """Means of a plane are the plane; rounding of levels costs a little."""
    grid = north_up(645_607, 5_324_903, gsd, 40)
    assert misplaced(planes, grid, "average").mean() < most / 10


def test_level_of_the_pyramid_takes_a_part_of_the_pixels(planets):
    item, reads = looked_up(planets, "sentinel-2-l2a", ("B04",), BEFORE, "average")
    fine = planets.read(item, reads, north_up(645_600, 5_324_900, 30, 64))
    coarse = planets.read(item, reads, north_up(645_600, 5_324_900, 40, 48))
    assert coarse.bytes_read < fine.bytes_read / 8
    assert coarse.valid[0].all()


def test_two_servers_then_each_provider_reads_its_own(planets, planes):
    item, reads = looked_up(planets, "sentinel-2-l2a", ("B04",), BEFORE, "bilinear")
    other, _ = looked_up(planes, "sentinel-2-l2a", ("B04",), BEFORE, "bilinear")
    one = planets.read(item, reads, GRIDS["its own"])
    two = planes.read(other, reads, GRIDS["its own"])
    assert not np.array_equal(one.values[0], two.values[0])
    assert_same(planets.read(item, reads, GRIDS["its own"]), one)


def test_two_servers_at_once_then_nobody_gets_the_other_s_pixels(planets, planes):
    jobs = []
    for provider in (planets, planes):
        item, reads = looked_up(provider, "sentinel-2-l2a", ("B04", "B11"), BEFORE, "bilinear")
        jobs.append((provider, item, reads, GRIDS["its own"]))
    expected = [provider.read(*job) for provider, *job in jobs]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: jobs[k % 2][0].read(*jobs[k % 2][1:]), range(24)))
    for k, pixels in enumerate(found):
        assert_same(pixels, expected[k % 2])
