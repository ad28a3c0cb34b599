"""Larger pixels of smaller ones: shares of area, masks, limits, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.images import PixelGrid
from tests.sandbox.earthengine.graphing import (
    GRID,
    TERMS,
    MadeCatalogue,
    bands,
    call,
    constant,
    load,
    value,
)

NUMBERS = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 0, 12]], "uint16")
CLASSES = np.array([[1, 1, 2, 2], [1, 3, 2, 3], [4, 4, 3, 3]], "uint8")


@pytest.fixture
def made() -> MadeCatalogue:
    catalogue = MadeCatalogue()
    catalogue.add("p", {"n": NUMBERS, "c": CLASSES})
    return catalogue


def grid_at(col, row, size, width=2, height=1, crs="EPSG:32631") -> PixelGrid:
    moved = Affine(*TERMS) @ Affine.translation(col, row) @ Affine.scale(size)
    return PixelGrid(width, height, (moved.a, moved.b, moved.c, moved.d, moved.e, moved.f), crs)


def reduced(image=None, reducer="mean", **said):
    image = load("p") if image is None else image
    return call("Image.reduceResolution", image=image, reducer=call(f"Reducer.{reducer}"), **said)


def test_mean_of_whole_pixels(made):
    found = bands(made, reduced(), grid_at(0, 0, 2))["n"]
    assert found.tolist() == [[3.5, 5.5]]
    assert found.dtype == np.float64


def test_mean_weighs_by_the_share_of_the_output_pixel(made):
    found = bands(made, reduced(), grid_at(0.5, 0, 1.5, 1))["n"]
    rows = np.average(NUMBERS[:2, :2], axis=0, weights=[1, 0.5])
    assert found[0, 0] == pytest.approx(np.average(rows, weights=[0.5, 1]))


def test_masked_pixels_and_those_beyond_the_edge_have_no_weight(made):
    found = bands(made, reduced(), grid_at(2, 2, 2))["n"]
    assert found[0, 0] == 12
    assert found.mask.tolist() == [[False, True]]


def test_own_pixels_are_copied(made):
    found = bands(made, reduced(), GRID)["n"]
    assert np.array_equal(found.filled(0), NUMBERS)


def test_mode_takes_the_largest_area_and_of_equal_ones_the_smallest(made):
    assert bands(made, reduced(reducer="mode"), grid_at(0, 0, 2))["c"].tolist() == [[1, 2]]
    assert bands(made, reduced(reducer="mode"), grid_at(0, 1, 2))["c"].tolist() == [[4, 3]]
    assert bands(made, reduced(reducer="mode"), grid_at(1, 0, 1.2, 1))["c"].tolist() == [[1]]
    tie = bands(made, reduced(reducer="mode"), grid_at(1, 0, 2, 1))["c"]
    assert tie.tolist() == [[2]]
    three = bands(made, reduced(reducer="mode"), grid_at(1, 1, 2, 1))["c"]
    assert three.tolist() == [[3]]


def test_reduction_starts_from_a_reprojection(made):
    """Parted into quarters first, every output pixel still has the same mean."""
    fine = {
        "crs": call("Projection", crs=GRID.crs),
        "crsTransform": list(grid_at(0, 0, 0.5).affine),
    }
    parted = call("Image.reproject", image=load("p"), **fine)
    found = bands(made, reduced(parted), grid_at(0, 0, 2))["n"]
    assert found.tolist() == [[3.5, 5.5]]
    with pytest.raises(ExpressionError, match="Too many input pixels per output pixel: 16"):
        bands(made, reduced(parted, maxPixels=15), grid_at(0, 0, 2))


def test_default_projection_says_what_a_reduction_starts_from(made):
    terms, crs = list(grid_at(0, 0, 2).affine), call("Projection", crs=GRID.crs)
    image = call("Image.setDefaultProjection", image=load("p"), crs=crs, crsTransform=terms)
    assert value(made, call("Image.projection", image=image))["transform"][0] == 20
    assert np.array_equal(bands(made, image, GRID)["n"].filled(0), NUMBERS)
    found = bands(made, reduced(image), grid_at(0, 0, 4, 1))["n"]
    # Nearest, at the centres of pixels twice as large: the right and the lower of the four.
    assert found[0, 0] == pytest.approx(np.mean([6, 8]))


@pytest.mark.parametrize(
    ("image", "grid"),
    [
        (reduced(), grid_at(0, 0, 2, crs="EPSG:32632")),
        (reduced(), grid_at(0, 0, 0.5)),
        (reduced(), PixelGrid(2, 2, (20, 5, 600_000, 5, -20, 5_700_000), "EPSG:32631")),
        (reduced(constant(1)), grid_at(0, 0, 2)),
        (reduced(bestEffort=True), grid_at(0, 0, 2)),
        (reduced(reducer="median"), grid_at(0, 0, 2)),
    ],
)
def test_what_nobody_documents_is_refused(made, image, grid):
    with pytest.raises(UnsupportedError, match=r"Image\.reduceResolution"):
        bands(made, image, grid)


def test_more_pixels_than_there_may_be_are_refused(made):
    with pytest.raises(ExpressionError, match="Too many input pixels per output pixel: 81"):
        bands(made, reduced(), grid_at(0, 0, 9, 1))
    with pytest.raises(ExpressionError, match="maxPixels is 65536 at most"):
        bands(made, reduced(maxPixels=65_537), grid_at(0, 0, 2))
