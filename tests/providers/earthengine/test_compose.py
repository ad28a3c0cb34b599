"""Composites that the server makes are those of the images, read one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from odc.geo import CRS
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.item import Item, group_passes
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Composer, Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.pipeline.best_pixel import median_of
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.earthengine.refusals import TooMuchError
from eodata.providers.earthengine.session import Session
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.providers.earthengine.test_same_pixels import north_up

WORLD = SandboxSettings(seed=5)
EDGE = north_up(619_680, 5_400_320, 10, 64)
"""The north of tile 32UPU ends in its middle, at 5,400,000; 32UPV goes on."""
EDGE_GROUND = box(10.62, 48.735, 10.64, 48.745)
BOTH = north_up(757_000, 5_327_700, 10, 64)
"""Where tiles of the zones 32 and 33 overlap."""
TWO_ZONES = box(12.44, 48.04, 12.46, 48.06)
ULP = 2.0**-23
"""Of single precision, relative."""
SUMMER = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 8, 1, tzinfo=UTC))
CLEAR = (0, 1, 3, 8, 9, 10)
"""Classes of the scene classification that are not the ground."""

Passes = Sequence[Sequence[Item]]


@pytest.fixture(scope="module")
def provider() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(WORLD) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


class Narrow(Session):
    """A server with little memory."""

    def compute_pixels(self, where, asked):
        if asked["grid"]["dimensions"]["height"] > 32:
            raise TooMuchError(where, "User memory limit exceeded", "", "")
        return super().compute_pixels(where, asked)


def passes_of(
    provider: EarthEngineProvider, product: str, ground: BaseGeometry
) -> list[tuple[Item, ...]]:
    collection = resources.products()[product].providers["earthengine"].collection
    found = provider.search(Query(collection, ground, SUMMER))
    return [one.items for one in group_passes(found)]


def reads_of(product: str, *bands: str, how: str = "bilinear") -> list[BandRead]:
    table = resources.products()[product]
    entry = table.providers["earthengine"]
    return [
        BandRead(band.to_band(), entry.assets.get(band.name, band.name), how)
        for band in map(table.band, bands)
    ]


def top_of(values, valid):
    """Each pixel of the first of the images `(N, C, H, W)` that is valid there; else nothing."""
    fill = np.nan if values.dtype.kind == "f" else 0
    out = np.full(values.shape[1:], fill, values.dtype)
    for image, there in zip(values[::-1], valid[::-1], strict=True):
        np.copyto(out, image, where=there)
    return out, valid.any(axis=0)


def one_by_one(provider, passes: Passes, reads, grid, rule):
    """Return values `(N, C, H, W)` and valid `(N, H, W)` of acquisitions, each a mosaic."""
    needed = [*reads, rule[0]] if rule else reads
    values, valid = [], []
    for items in passes:
        read = [provider.read(item, needed, grid) for item in items]
        usable = [np.logical_and.reduce(pixels.valid) for pixels in read]
        if rule:
            usable = [
                u & ~np.isin(p.values[-1], rule[1]) for u, p in zip(usable, read, strict=True)
            ]
        stacked = np.stack([np.stack(pixels.values[: len(reads)]) for pixels in read])
        top, there = top_of(stacked, np.stack(usable))
        values.append(top)
        valid.append(there)
    return np.stack(values), np.stack(valid)


def assert_composed(provider, passes, reads, grid, by, rule=None):
    """Compare both ways; return in how many acquisitions each pixel is valid."""
    made = provider.compose(passes, reads, grid, by, rule)
    assert made is not None
    values, valid = one_by_one(provider, passes, reads, grid, rule)
    expected, there = (median_of if by == "median" else top_of)(values, valid)
    np.testing.assert_array_equal(made.valid, there)
    for found, wanted, read in zip(made.values, expected, reads, strict=True):
        assert found.dtype == read.band.dtype
        # The mean of two floats is rounded to single precision once here, and twice there.
        np.testing.assert_allclose(found, wanted, rtol=ULP if found.dtype.kind == "f" else 0)
    if by != "median":
        first = np.where(there, valid.argmax(axis=0), -1)
        np.testing.assert_array_equal(made.origin, first)
    return valid.sum(axis=0)


def test_provider_then_it_is_a_composer_and_others_are_not():
    assert isinstance(EarthEngineProvider(EarthEngineLocation()), Composer)
    assert not isinstance(SandboxProvider(SandboxSettings()), Composer)


@pytest.mark.parametrize("by", ["median", "latest-on-top"])
@pytest.mark.parametrize("count", [5, 6])
def test_composite_at_the_edge_of_a_tile_then_it_is_that_of_the_images(provider, by, count):
    passes = passes_of(provider, "sentinel-2-l1c", EDGE_GROUND)[-count:][::-1]
    assert len(passes) == count
    assert {item.id[-5:] for items in passes for item in items} >= {"32UPU", "32UPV"}
    reads = reads_of("sentinel-2-l1c", "B02", "B04")
    counts = assert_composed(provider, passes, reads, EDGE, by)
    assert {count} <= set(np.unique(counts))


@pytest.mark.parametrize("by", ["median", "latest-on-top"])
def test_composite_of_clear_pixels_then_counts_differ_from_pixel_to_pixel(provider, by):
    passes = passes_of(provider, "sentinel-2-l2a", EDGE_GROUND)[::-1][2:9]
    (scl,) = reads_of("sentinel-2-l2a", "SCL", how="nearest")
    reads = reads_of("sentinel-2-l2a", "B03", "B08")
    counts = assert_composed(provider, passes, reads, EDGE, by, (scl, CLEAR))
    assert {3, 4} <= set(np.unique(counts))
    counts = assert_composed(provider, passes[3:6], reads, EDGE, by, (scl, CLEAR))
    assert {0, 1} <= set(np.unique(counts))


def test_composite_of_classes_then_the_missing_class_is_not_on_top(provider):
    passes = passes_of(provider, "sentinel-2-l2a", EDGE_GROUND)[4:7]
    reads = reads_of("sentinel-2-l2a", "SCL", how="nearest")
    assert_composed(provider, passes, reads, EDGE, "latest-on-top")


@pytest.mark.parametrize("count", [5, 6])
def test_median_of_fractions_then_it_is_that_of_the_images(provider, count):
    passes = passes_of(provider, "cloud-score-plus", EDGE_GROUND)[:count]
    assert_composed(provider, passes, reads_of("cloud-score-plus", "cs", "cs_cdf"), EDGE, "median")


def test_composite_then_it_takes_one_request_and_the_bytes_of_one_image(provider):
    passes = passes_of(provider, "sentinel-2-l1c", EDGE_GROUND)[:6]
    reads = reads_of("sentinel-2-l1c", "B02", "B04")
    made = provider.compose(passes, reads, EDGE, "median", None)
    assert made.cost.requests == 1
    assert made.cost.bytes_read == 2 * 4 * 64 * 64
    one = provider.read(passes[0][0], reads, EDGE)
    assert one.requests == 1


def test_composite_when_the_server_runs_out_of_memory_then_it_is_made_in_parts(provider):
    passes = passes_of(provider, "sentinel-2-l1c", EDGE_GROUND)[:3]
    reads = reads_of("sentinel-2-l1c", "B04")
    whole = provider.compose(passes, reads, EDGE, "median", None)
    narrow = EarthEngineProvider(provider.location, Narrow(provider.location))
    made = narrow.compose(passes, reads, EDGE, "median", None)
    assert made.cost.requests == 3
    np.testing.assert_array_equal(made.values[0], whole.values[0])
    np.testing.assert_array_equal(made.valid, whole.valid)


@pytest.mark.parametrize(
    "grid",
    [
        north_up(619_685, 5_400_320, 10, 64),
        north_up(619_680, 5_400_320, 20, 32),
        north_up(235_000, 5_407_000, 10, 64, CRS("EPSG:32633")),
    ],
    ids=["half a pixel off", "coarser", "another zone"],
)
def test_composite_when_pixels_would_be_resampled_then_it_is_left_to_the_reader(provider, grid):
    passes = passes_of(provider, "sentinel-2-l1c", EDGE_GROUND)[:2]
    reads = reads_of("sentinel-2-l1c", "B04")
    assert any(provider.read(item, reads, grid).valid[0].any() for item in passes[0])
    assert provider.compose(passes, reads, grid, "median", None) is None


def test_composite_when_images_lie_in_two_zones_then_it_is_left_to_the_reader(provider):
    passes = passes_of(provider, "sentinel-2-l1c", TWO_ZONES)
    zones = {item.id[-5:-3] for items in passes for item in items}
    assert zones == {"32", "33"}
    reads = reads_of("sentinel-2-l1c", "B04")
    assert provider.compose(passes, reads, BOTH, "median", None) is None
    near = [[item for item in items if item.id[-5:-3] == "32"] for items in passes]
    one = [items for items in near if items][:2]
    assert provider.compose(one, reads, BOTH, "median", None) is not None


def test_composite_when_numbers_of_one_image_mean_something_else_then_it_is_left(provider):
    passes = passes_of(provider, "sentinel-2-l1c", EDGE_GROUND)[:2]
    reads = reads_of("sentinel-2-l1c", "B04")
    odd = passes[1][0]
    assets = {**odd.assets, "B4": replace(odd.assets["B4"], offset=-0.1)}
    other = [passes[0], (replace(odd, assets=assets), *passes[1][1:])]
    assert provider.compose(passes, reads, EDGE, "median", None) is not None
    assert provider.compose(other, reads, EDGE, "median", None) is None


def test_composite_of_nothing_near_then_it_is_left_to_the_reader(provider):
    passes = passes_of(provider, "sentinel-2-l1c", EDGE_GROUND)[:2]
    reads = reads_of("sentinel-2-l1c", "B04")
    away = north_up(300_000, 4_000_000, 10, 64)
    assert provider.compose(passes, reads, away, "median", None) is None
