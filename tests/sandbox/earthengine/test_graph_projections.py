"""Images that are computed in a projection of their own, in the plane world."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf, PixelGrid
from tests.sandbox.earthengine.graphing import MadeCatalogue, bands, call, constant, load, value
from tests.sandbox.earthengine.test_sampling import true_places
from tests.sandbox.making import make_item

GRID = PixelGrid(90, 70, (10, 0, 502_003.7, 0, -10, 5_597_001.9), "EPSG:32631")
OTHER = PixelGrid(90, 70, (10, 0, 78_500, 0, -10, 5_609_000), "EPSG:32632")


@pytest.fixture(scope="module")
def plain():
    """One image whose band `y` says its row and `d` its row, too, a pixel of 20 m at a time."""
    item = make_item()
    now = datetime(2020, 6, 1, tzinfo=UTC)
    leaves = {"y": Leaf(item, "other", "float32"), "x": Leaf(item, "fine", "uint16")}
    image = CatalogueImage("MADE/UP/p", leaves, {}, now, now, item.footprint)
    archive = SandboxArchive(SandboxSettings(mode="plane"))
    return MadeCatalogue(archive=archive, known={image.id: image})


def rows_of(catalogue, image, grid):
    return bands(catalogue, call("Image.select", input=image, bandSelectors=["y"]), grid)["y"]


def projection(size, x=500_000, y=5_600_000):
    return {
        "crs": call("Projection", crs="EPSG:32631"),
        "crsTransform": [size, 0, x, 0, -size, y],
    }


@pytest.mark.parametrize("grid", [GRID, OTHER])
def test_resample_interpolates_leaves(plain, grid):
    _, row = true_places(grid)
    found = rows_of(plain, call("Image.resample", image=load("p")), grid)
    assert np.abs(found - row).max() < 2e-3


@pytest.mark.parametrize("grid", [GRID, OTHER])
def test_resample_interpolates_what_was_computed_on_its_own_pixels(plain, grid):
    doubled = call("Image.multiply", image1=load("p"), image2=constant(2))
    _, row = true_places(grid)
    found = rows_of(plain, call("Image.resample", image=doubled, mode="bicubic"), grid)
    assert np.abs(found - 2 * row).max() < 4e-3
    squared = call("Image.multiply", image1=load("p"), image2=load("p"))
    late = rows_of(plain, call("Image.resample", image=squared), grid)
    near = np.floor(row - 0.5) + 0.5
    far = row - near
    expected = near**2 * (1 - far) + (near + 1) ** 2 * far
    assert np.abs(late - expected).max() < 4


def test_resample_of_what_was_computed_comes_from_a_level_of_its_pyramid(plain):
    coarse = PixelGrid(30, 30, (43, 0, 502_000, 0, -43, 5_597_000), "EPSG:32631")
    squared = call("Image.multiply", image1=load("p"), image2=load("p"))
    _, row = true_places(coarse)
    near = (np.floor(row / 4 - 0.5) + 0.5) * 4
    far = (row - near) / 4
    expected = near**2 * (1 - far) + (near + 4) ** 2 * far
    found = rows_of(plain, call("Image.resample", image=squared), coarse)
    assert np.abs(found - expected).max() < 0.1
    assert np.abs(expected - row**2).max() > 3


@pytest.mark.parametrize("grid", [GRID, OTHER])
def test_reproject_computes_on_the_pixels_of_a_projection(plain, grid):
    image = call("Image.reproject", image=load("p"), **projection(15))
    _, row = true_places(grid)
    # Corners of the forced pixels lie 4 px below those of the item.
    corner = 4 + 1.5 * np.floor((row - 4) / 1.5)
    found = rows_of(plain, image, grid)
    assert np.abs(found - (np.floor(corner + 0.75) + 0.5)).mean() < 1e-3


def test_reproject_on_the_output_grid_changes_nothing(plain):
    forced = {"crs": call("Projection", crs=GRID.crs), "crsTransform": list(GRID.affine)}
    image = call("Image.reproject", image=load("p"), **forced)
    assert np.array_equal(rows_of(plain, image, GRID), rows_of(plain, load("p"), GRID))


def test_reproject_and_resample(plain):
    smooth = call("Image.resample", image=load("p"))
    forced = call("Image.reproject", image=smooth, **projection(15))
    _, row = true_places(GRID)
    found = rows_of(plain, call("Image.resample", image=forced), GRID)
    assert np.abs(found - row).max() < 2e-3


def test_composites_have_no_grid_to_resample_from(plain):
    with pytest.raises(UnsupportedError, match=r"Image\.resample"):
        bands(plain, call("Image.resample", image=constant(1)), GRID)


def test_reprojections_that_take_too_many_pixels_are_refused(plain):
    image = call("Image.reproject", image=load("p"), **projection(0.01))
    with pytest.raises(ExpressionError, match="A reprojection takes"):
        bands(plain, image, GRID)


def test_projections_tell_what_they_are(plain):
    own = call("Image.projection", image=load("p"))
    told = value(plain, own)
    assert told["crs"] == "EPSG:32631"
    assert told["transform"] == [10, 0, 499_980, 0, -10, 5_600_040]
    assert value(plain, call("Projection.nominalScale", proj=own)) == 10
    degrees = call("Projection", crs="EPSG:4326")
    scale = value(plain, call("Projection.nominalScale", proj=degrees))
    assert scale == pytest.approx(111_319.49, abs=0.01)
    at_scale = value(plain, call("Projection.atScale", projection=degrees, meters=1000))
    assert at_scale["transform"][0] == pytest.approx(1000 / 111_319.49, rel=1e-6)
    forced = call(
        "Image.reproject", image=load("p"), crs=call("Projection", crs="EPSG:3857"), scale=30
    )
    assert value(plain, call("Image.projection", image=forced))["transform"][0] == 30


def test_unknown_projections_are_refused(plain):
    with pytest.raises(ExpressionError, match="could not be parsed"):
        value(plain, call("Projection", crs="EPSG:1"))
