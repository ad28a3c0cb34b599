"""Bands of one image are made square by square, not band by band."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from shapely.geometry import Point

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.images import PixelGrid
from eodata.sandbox.earthengine.sampling import sample
from eodata.sandbox.earthengine.together import make_ready, under

BANDS = ("B2", "B3", "B8", "B11", "SCL")
SQUARES = 4


class Counting:
    """A collection that counts how often pixels are made."""

    def __init__(self, inner):
        self._inner, self.asked = inner, []

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def render(self, item, keys, base):
        self.asked.append(tuple(keys))
        return self._inner.render(item, keys, base)


@pytest.fixture
def world():
    """A catalogue whose Level-2A counts, and one of its images."""
    catalogue = SandboxCatalogue(SandboxSettings(mode="planet"))
    counting = Counting(catalogue.archive.collections["sentinel-2-l2a"])
    catalogue.archive.collections = {**catalogue.archive.collections, "sentinel-2-l2a": counting}
    june = datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC)
    found = catalogue.images("COPERNICUS/S2_SR", Point(11.6, 48.1), *june)
    return catalogue, counting, next(i for i in found if i.properties["MGRS_TILE"] == "32UPU")


def over(image, crs="EPSG:32632"):
    """Return 256 pixels around a corner of four squares, in the zone of the image or another."""
    affine = image.bands["B2"].grid.affine
    x, y = affine @ (19 * 480 - 130, 13 * 480 - 110)
    if crs != "EPSG:32632":
        x, y = 240_000, 5_340_000
    return PixelGrid(256, 256, (10, 0, x, 0, -10, y), crs)


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:32633"])
def test_a_square_is_made_once_for_all_bands(world, crs):
    catalogue, counting, image = world
    grid, leaves = over(image, crs), [image.bands[name] for name in BANDS]
    make_ready(leaves, catalogue.archive, grid)
    assert 0 < len(counting.asked) <= SQUARES
    assert {len(keys) for keys in counting.asked} == {len(BANDS)}
    made = len(counting.asked)
    for leaf in leaves:
        assert sample(leaf, catalogue.archive, grid)[0].any()
    assert len(counting.asked) == made


def test_without_it_each_band_is_made_by_itself(world):
    catalogue, counting, image = world
    for name in BANDS:
        sample(image.bands[name], catalogue.archive, over(image))
    assert len(counting.asked) == SQUARES * len(BANDS)


def test_grids_beside_an_image_or_coarser_make_nothing_ready(world):
    catalogue, counting, image = world
    leaves = list(image.bands.values())
    far = PixelGrid(64, 64, (10, 0, 0, 0, -10, 0), "EPSG:32632")
    make_ready(leaves, catalogue.archive, far)
    assert under(leaves[0].grid, far.geobox) is None
    coarse = PixelGrid(8, 8, (240, 0, 690_000, 0, -240, 5_335_000), "EPSG:32632")
    make_ready(leaves, catalogue.archive, coarse)
    assert counting.asked == []
