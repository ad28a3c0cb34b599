"""What the STAC providers read through HTTP: its pixels, at the right place, once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.geometry import box

from eodata.core.protocols import Pixels, Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.sandbox import SandboxProvider
from eodata.providers.stac import StacProvider
from eodata.sandbox import plane
from tests.providers.served import PROVIDERS, Servers, entry_of, reads_of, truth_of

PLANE = SandboxSettings(mode="plane")
PLANET = SandboxSettings(seed=5)
GROUND = box(11.00, 48.05, 11.02, 48.06)
JUNE = Span(datetime(2022, 6, 1, tzinfo=UTC), datetime(2022, 6, 8, tzinfo=UTC))
ALWAYS = Span(datetime(2015, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
UTM32 = CRS("EPSG:32632")


def north_up(left: float, top: float, gsd: float, n: int, crs: CRS = UTM32) -> GeoBox:
    return GeoBox((n, n), Affine(gsd, 0, left, 0, -gsd, top), crs)


GRIDS = {
    "its own": north_up(649_100, 5_324_900, 10, 64),
    "half a pixel off": north_up(649_105, 5_324_905, 10, 64),
    "a third off": north_up(649_103.3, 5_324_906.7, 10, 64),
    "three times coarser": north_up(649_107, 5_324_903, 30, 32),
    "next zone": north_up(202_300, 5_330_000, 10, 64, CRS("EPSG:32633")),
    "next zone, coarser": north_up(202_307, 5_330_003, 20, 32, CRS("EPSG:32633")),
    "degrees": north_up(11.004, 48.058, 1e-4, 64, CRS("EPSG:4326")),
    "rotated": GeoBox(
        (48, 48),
        Affine.translation(649_400, 5_324_700) @ Affine.rotation(30) @ Affine.scale(10, -10),
        UTM32,
    ),
}
FOUR_TIMES = north_up(645_607, 5_324_903, 40, 120)
EIGHT_TIMES = north_up(645_607, 5_324_903, 80, 60)
ALL = tuple(PROVIDERS)
LAYERS = {
    ("sentinel-2-l2a", ("B04", "B11", "SCL")): ALL,
    ("sentinel-2-l1c", ("B03", "B10")): ("sandbox", "earth-search", "cdse"),
    ("sentinel-1-grd", ("vv", "vh")): ("sandbox",),
    ("sentinel-1-rtc", ("vv", "vh")): ("planetary-computer",),
    ("cop-dem-glo-30", ("data",)): ALL,
    ("esa-worldcover", ("map",)): ("sandbox", "planetary-computer"),
}  # fmt: skip
KEPT = [(flavour, *layer) for layer, flavours in LAYERS.items() for flavour in flavours]


@pytest.fixture(scope="module")
def planes() -> Iterator[Servers]:
    with Servers(PLANE) as servers:
        yield servers


@pytest.fixture(scope="module")
def planets() -> Iterator[Servers]:
    with Servers(PLANET) as servers:
        yield servers


@lru_cache
def simulated(settings: SandboxSettings, product: str):
    """Return the world in this process, and what it has of a product."""
    provider = SandboxProvider(settings)
    return provider, provider.search(Query(product, GROUND, span_of(product)))


def span_of(product: str) -> Span:
    return JUNE if product.startswith("sentinel-2") else ALWAYS


def first_item(provider: StacProvider, product: str, flavour: str):
    return provider.search(query_of(product, flavour))[0]


def query_of(product: str, flavour: str) -> Query:
    return Query(entry_of(product, flavour).collection, GROUND, span_of(product))


def assert_same(found: Pixels, expected: Pixels) -> None:
    for one, other in zip(found.valid, expected.valid, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.any()
    for one, other in zip(found.values, expected.values, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("flavour", "product", "bands"), KEPT)
def test_pixels_through_http_are_those_of_the_world(planets, flavour, product, bands):
    provider = planets.provider(flavour)
    item = first_item(provider, product, flavour)
    world, known = simulated(PLANET, product)
    for name in ("its own", "three times coarser", "next zone"):
        how = "average" if name == "three times coarser" else "bilinear"
        reads = reads_of(product, flavour, bands, how)
        behind, same = truth_of(item, reads, known)
        found = provider.read(item, reads, GRIDS[name])
        assert_same(found, world.read(behind, same, GRIDS[name]))


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("flavour", PROVIDERS)
def test_pixels_through_http_lie_where_the_grid_says(planes, flavour, name):
    provider = planes.provider(flavour)
    how = "cubic" if name == "a third off" else "bilinear"
    off = misplaced(provider, flavour, GRIDS[name], how)
    assert off.mean() < 0.02
    assert off.max() < 0.2


def misplaced(provider: StacProvider, flavour: str, grid: GeoBox, how: str) -> np.ndarray:
    """Return by how much B02 and B03, that say x and y, are wrong [source px]."""
    reads = reads_of("sentinel-2-l2a", flavour, ("B02", "B03"), how)
    item = first_item(provider, "sentinel-2-l2a", flavour)
    world, known = simulated(PLANE, "sentinel-2-l2a")
    behind, same = truth_of(item, reads, known)
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


def shrinking(servers: Servers, flavour: str, *, overviews: bool) -> StacProvider:
    """Return a provider whose table says whether overviews may be read."""
    entry = entry_of("sentinel-2-l2a", flavour).model_copy(update={"overviews": overviews})
    location = servers.provider(flavour).location
    return StacProvider(location, {entry.collection: entry})


@pytest.mark.parametrize("how", ["average", "bilinear", "cubic"])
@pytest.mark.parametrize("grid", [FOUR_TIMES, EIGHT_TIMES], ids=["4x", "8x"])
@pytest.mark.parametrize("overviews", [False, True], ids=["pixels", "overviews"])
def test_coarse_grids_lie_where_they_say(planes, grid, how, overviews):
    provider = shrinking(planes, "earth-search", overviews=overviews)
    off = misplaced(provider, "earth-search", grid, how)
    assert off.mean() < 0.02
    assert off.max() < 0.2


def test_overviews_save_bytes(planes):
    """Twenty kilometres at 80 m: 81 blocks of pixels at most, 9 of the overview at 40 m."""
    wide, log = north_up(645_607, 5_324_903, 80, 250), planes.at("earth-search").log
    reads = reads_of("sentinel-2-l2a", "earth-search", ("B02",), "average")
    cost = {}
    for overviews in (False, True):
        provider = shrinking(planes, "earth-search", overviews=overviews)
        item = first_item(provider, "sentinel-2-l2a", "earth-search")
        provider.read(item, reads, GRIDS["its own"])  # so that the head is known
        log.clear()
        provider.read(item, reads, wide)
        cost[overviews] = sum(request.bytes for request in log.select("/assets/"))
    assert 0 < cost[True] < cost[False] / 4


def test_classes_are_never_read_from_overviews(planets):
    """An overview of classes holds the class of some pixel, not of most."""
    plain, shrunk = (shrinking(planets, "earth-search", overviews=o) for o in (False, True))
    item = first_item(plain, "sentinel-2-l2a", "earth-search")
    reads = reads_of("sentinel-2-l2a", "earth-search", ("SCL",), "average")
    assert_same(shrunk.read(item, reads, EIGHT_TIMES), plain.read(item, reads, EIGHT_TIMES))


@pytest.mark.parametrize("flavour", PROVIDERS)
def test_no_byte_is_asked_for_twice(planets, flavour):
    provider = shrinking(planets, flavour, overviews=False)
    product = "sentinel-2-l2a"
    item = first_item(provider, product, flavour)
    reads = reads_of(product, flavour, ("B02", "B05", "B8A", "B05"), "average")
    log = planets.at(flavour).log
    log.clear()
    pixels = provider.read(item, reads, EIGHT_TIMES)
    asked = log.select("/assets/")
    assert len(asked) == pixels.requests
    assert {request.status for request in asked} == {206}
    for path in {request.path for request in asked}:
        spans = sorted(span_in(r.range) for r in asked if r.path == path)
        assert len(spans) > 1
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


def span_in(header: str) -> tuple[int, int]:
    first, last = header.removeprefix("bytes=").split("-")
    return int(first), int(last) + 1


def test_the_next_block_asks_for_no_header_again(planets):
    provider = planets.provider("earth-search")
    item = first_item(provider, "sentinel-2-l2a", "earth-search")
    reads = reads_of("sentinel-2-l2a", "earth-search", ("B02", "B03"))
    provider.read(item, reads, GRIDS["its own"])
    log = planets.at("earth-search").log
    log.clear()
    provider.read(item, reads, north_up(660_000, 5_315_000, 10, 32))
    assert len(log.select("/assets/")) == len(reads)
    assert not log.select("/assets/", range="bytes=0-32767")
