"""Quality mosaics that the server makes are those of the images, read one by one and composed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from ee import serializer
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.build.composing import highest_image
from eodata.build.server_composite import server_image
from eodata.core.band import Band
from eodata.core.composite import HighestComposite
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.providers.earthengine.compose import ORIGIN, composite_layers
from eodata.providers.earthengine.images import GRIDS
from eodata.providers.earthengine.provider import EarthEngineProvider
from tests.providers.earthengine.test_compose import (
    CLEAR,
    EDGE,
    EDGE_GROUND,
    Narrow,
    one_by_one,
    passes_of,
    provider,
    reads_of,
)
from tests.providers.earthengine.test_same_pixels import north_up
from tests.sandbox.earthengine.graphing import GRID, TERMS, MadeCatalogue, bands

__all__ = ["provider"]
L1C, L2A, PROBABILITY = "sentinel-2-l1c", "sentinel-2-l2a", "sentinel-2-cloud-probability"
FAIR = (4, 5, 8, 9, 10)
"""Acquisitions of the summer that are not overcast; a cloud would be the brightest everywhere."""


def plan_of(reads, rule):
    return ModalityPlan(
        name="best",
        gsd=10.0,
        static=False,
        role="input",
        reads=tuple(reads),
        bands=tuple(read.band for read in reads),
        provider="earthengine",
        product="",
        collection="",
        radiometry="",
        validity=rule,
        composite="highest",
    )


def assert_same(provider, passes, reads, band, rule=None):
    """Compare both ways; return in how many acquisitions each pixel is as high, and its origin."""
    plan = plan_of(reads, rule)
    position = [b.name for b in plan.bands].index(band)
    spec = HighestComposite(by="highest", band=band, made_by="server")
    made = server_image(provider, passes, plan, EDGE, spec)
    assert made is not None
    wanted = highest_image(provider, passes, plan, EDGE, position)
    np.testing.assert_array_equal(made.layer.valid, wanted.layer.valid)
    np.testing.assert_array_equal(made.origin, wanted.origin)
    np.testing.assert_array_equal(made.layer.values, wanted.layer.values)
    assert made.layer.values.dtype == wanted.layer.values.dtype
    assert made.layer.cost.requests == 1
    values, valid = one_by_one(provider, passes, reads, EDGE, rule)
    rated = np.where(valid, values[:, position].astype(float), -np.inf)
    first = np.where(valid.any(axis=0), rated.argmax(axis=0), -1)
    np.testing.assert_array_equal(made.origin, first)
    return ((rated == rated.max(axis=0)) & valid).sum(axis=0), first


@pytest.mark.parametrize("band", ["B02", "B08"])
def test_highest_at_the_edge_of_a_tile_then_it_is_that_of_the_images(provider, band):
    found = passes_of(provider, L1C, EDGE_GROUND)
    passes = [found[k] for k in FAIR]
    assert {item.id[-5:] for items in passes for item in items} >= {"32UPU", "32UPV"}
    _, first = assert_same(provider, passes, reads_of(L1C, "B02", "B08"), band)
    assert len(np.unique(first)) > 1


def test_highest_of_clear_pixels_then_what_is_masked_never_wins(provider):
    passes = passes_of(provider, L2A, EDGE_GROUND)[::-1][2:9]
    (scl,) = reads_of(L2A, "SCL", how="nearest")
    reads = reads_of(L2A, "B03", "B08")
    _, first = assert_same(provider, passes, reads, "B03", (scl, CLEAR))
    assert len(np.unique(first)) > 3
    equal, first = assert_same(provider, passes[3:6], reads, "B08", (scl, CLEAR))
    assert {0, 1} <= set(np.unique(equal))
    assert -1 in first


def test_highest_then_classes_come_from_the_same_image(provider):
    passes = passes_of(provider, L2A, EDGE_GROUND)[::-1][2:9]
    (scl,) = reads_of(L2A, "SCL", how="nearest")
    _, first = assert_same(provider, passes, [*reads_of(L2A, "B03"), scl], "B03", (scl, CLEAR))
    assert len(np.unique(first)) > 3


@pytest.mark.parametrize("step", [1, -1])
def test_highest_of_equal_ones_then_the_first_wins(provider, step):
    passes = passes_of(provider, PROBABILITY, EDGE_GROUND)
    equal, first = assert_same(provider, passes[::step], reads_of(PROBABILITY, "probability"),
                               "probability")  # fmt: skip
    assert (equal > 5).all(), "overcast is 100 % in many"
    assert set(first.ravel()) == {0}
    fair = [passes[k] for k in FAIR[::step]]
    equal, first = assert_same(provider, fair, reads_of(PROBABILITY, "probability"), "probability")
    assert (equal > 1).any()
    assert len(np.unique(first)) > 1


def test_highest_of_fractions_then_it_is_that_of_the_images(provider):
    found = passes_of(provider, "cloud-score-plus", EDGE_GROUND)
    passes = [found[k] for k in FAIR]
    assert_same(provider, passes, reads_of("cloud-score-plus", "cs", "cs_cdf"), "cs")


def test_highest_when_the_server_runs_out_of_memory_then_it_is_made_in_parts(provider):
    found = passes_of(provider, L1C, EDGE_GROUND)
    passes, reads = [found[k] for k in FAIR], reads_of(L1C, "B04")
    whole = provider.compose(passes, reads, EDGE, "highest:B04", None)
    narrow = EarthEngineProvider(provider.location, Narrow(provider.location))
    made = narrow.compose(passes, reads, EDGE, "highest:B04", None)
    assert made.cost.requests == 3
    np.testing.assert_array_equal(made.values[0], whole.values[0])
    np.testing.assert_array_equal(made.origin, whole.origin)


def test_highest_when_pixels_would_be_resampled_then_it_is_left_to_the_reader(provider):
    passes, reads = passes_of(provider, L1C, EDGE_GROUND)[:2], reads_of(L1C, "B04")
    off = north_up(619_685, 5_400_320, 10, 64)
    assert provider.compose(passes, reads, EDGE, "highest:B04", None) is not None
    assert provider.compose(passes, reads, off, "highest:B04", None) is None


def expression(passes, reads, grid, by):
    """Return what would be asked of the server, as it is sent."""
    layers = composite_layers(passes, reads, grid, by, None)
    return serializer.toJSON(layers.picture, for_cloud_api=True)


def test_highest_then_the_expression_grows_as_fast_as_the_images(provider):
    passes, reads = passes_of(provider, L1C, EDGE_GROUND), reads_of(L1C, "B02", "B08")
    few, many = (len(expression(passes[:count], reads, EDGE, "highest:B08")) for count in (3, 12))
    assert many < 4.2 * few


# ---- images whose numbers no product of the simulated Earth has ----------------------------------

WHERE = GeoBox((3, 4), Affine(*TERMS), "EPSG:32631")
HALF_ULP = 2.0**-26
"""Of 0.5 in single precision."""


def drawn(*images, by="highest:q"):
    """Return server's origin, quality and mask of images of one band, in double precision."""
    catalogue, passes = MadeCatalogue(), []
    row = {"crs": "EPSG:32631", "affine": TERMS, "shape": (3, 4), "dtype": "float64", "bands": "q"}
    for k, numbers in enumerate(images):
        catalogue.add(f"i{k}", {"q": np.broadcast_to(numbers, (3, 4)).astype(np.float64)})
        assets = {"q": Asset("q", f"MADE/UP/i{k}")}
        when = datetime(2020, 6, 1 + k, tzinfo=UTC)
        passes.append([Item(f"i{k}", "MADE/UP", when, box(0, 0, 1, 1), {GRIDS: [row]}, assets)])
    reads = [BandRead(Band("q", "continuous", "float32", 10.0), "q", "nearest")]
    found = bands(catalogue, json.loads(expression(passes, reads, WHERE, by)), GRID)
    return found[ORIGIN].filled(-1)[0].tolist(), found["q"].filled(-9)[0].tolist()


def test_highest_then_numbers_that_are_stored_as_one_are_equal():
    origin, _ = drawn([0.5, 0.5, 0.5, 0.25], 0.5 + HALF_ULP, [0.5, 0.75, 0.1, 0.25])
    assert np.float32(0.5 + HALF_ULP) == np.float32(0.5)
    assert origin == [0, 2, 0, 1]


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_highest_then_no_number_never_wins(nothing):
    images = [nothing, -3.0, nothing, 5.0], [-1.0, -2.0, nothing, nothing], nothing
    assert drawn(*images) == ([1, 1, -1, 0], [-1.0, -2.0, -9, 5.0])
    # Nor does it lie on top, for a file that holds it has nothing there.
    assert drawn(*images, by="latest-on-top") == ([1, 0, -1, 0], [-1.0, -3.0, -9, 5.0])
