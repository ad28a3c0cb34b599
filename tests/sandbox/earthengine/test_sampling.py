"""Looking pixels up, in the plane world where each pixel says where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox import plane
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.images import Leaf, PixelGrid
from eodata.sandbox.earthengine.sampling import level, look_up, sample
from eodata.sandbox.items import Layer
from tests.sandbox.earthengine.graphing import MadeArchive
from tests.sandbox.making import BASE, make_item

ITEM = make_item()
GRIDS = {
    "shifted": PixelGrid(300, 200, (10, 0, 502_003.7, 0, -10, 5_597_001.9), "EPSG:32631"),
    "rotated": PixelGrid(200, 150, (8, 3, 502_000, 3.1, -9, 5_596_000), "EPSG:32631"),
    "other zone": PixelGrid(200, 150, (10, 0, 78_500, 0, -10, 5_609_000), "EPSG:32632"),
    "degrees": PixelGrid(200, 150, (1.1e-4, 0, 3.04, 0, -1.0e-4, 50.525), "EPSG:4326"),
    "finer": PixelGrid(200, 150, (3, 0, 502_000.5, 0, -3, 5_597_000.2), "EPSG:32631"),
}


@pytest.fixture(scope="module")
def plane_archive():
    return SandboxArchive(SandboxSettings(mode="plane"))


def leaf(key, **changed):
    layer = ITEM.layers[key]
    return Leaf(ITEM, key, layer.dtype, **{"nodata": layer.nodata, **changed})


def true_places(grid):
    """Return columns and rows of the item's base under each pixel centre, without our own code."""
    col, row = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = Affine(*grid.affine) @ (col, row)
    x, y = Transformer.from_crs(grid.crs, "EPSG:32631", always_xy=True).transform(x, y)
    return ~BASE.affine @ (np.asarray(x), np.asarray(y))


@pytest.mark.parametrize("name", GRIDS)
def test_nearest_is_the_pixel_under_the_centre(plane_archive, name):
    grid = GRIDS[name]
    col, row = true_places(grid)
    for key, at in (("fine", col), ("other", row)):
        found, valid = sample(leaf(key), plane_archive, grid)
        assert valid.all()
        centre = np.floor(at) + 0.5
        place = (found - 1.0) / plane.PER_PX if key == "fine" else found.astype(float)
        off = np.abs(place - centre)
        assert off.mean() < 0.02
        assert np.abs(place - at).max() < 0.52
        if name in ("rotated", "other zone", "degrees"):  # elsewhere fractions repeat
            assert abs((place - at).mean()) < 0.02


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(("method", "worst"), [("bilinear", 0.02), ("bicubic", 0.03)])
def test_interpolation_is_where_it_says(plane_archive, name, method, worst):
    grid = GRIDS[name]
    col, row = true_places(grid)
    x, _ = sample(leaf("fine"), plane_archive, grid, method)
    y, valid = sample(leaf("other"), plane_archive, grid, method)
    assert valid.all()
    assert x.dtype == np.uint16
    off = np.abs((x - 1.0) / plane.PER_PX - col), np.abs(y - row)
    assert max(part.mean() for part in off) < 0.02
    assert max(part.max() for part in off) < worst


def test_coarse_bands_are_looked_up_on_their_own_pixels(plane_archive):
    grid = PixelGrid(60, 60, (10, 0, 502_000, 0, -10, 5_597_000), "EPSG:32631")
    found, valid = sample(leaf("middle"), plane_archive, grid)
    col, _ = true_places(grid)
    middle = (np.floor(col / 2) + 0.5) * 2  # the layer says x in hundreds
    assert valid.all()
    assert np.abs((found - 1.0) * 100 - middle).max() <= 50


@pytest.mark.parametrize(
    ("size", "factor"), [(9.9, 1), (10, 1), (19, 1), (20, 2), (39, 2), (40, 4), (90, 8), (5000, 8)]
)
def test_levels_follow_the_scale(size, factor):
    output = GeoBox((10, 10), Affine(size, 0, 502_000, 0, -size, 5_597_000), "EPSG:32631")
    assert level(BASE, output) == factor


def test_levels_in_degrees_and_another_zone():
    degrees = GeoBox((10, 10), Affine(4e-4, 0, 3.04, 0, -2.5e-4, 50.5), "EPSG:4326")
    assert level(BASE, degrees) == 2
    zone = GeoBox((10, 10), Affine(40, 0, 78_500, 0, -40, 5_609_000), "EPSG:32632")
    assert level(BASE, zone) == 4


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_coarse_output_comes_from_the_pyramid(plane_archive, method):
    grid = PixelGrid(30, 30, (43, 0, 502_000, 0, -43, 5_597_000), "EPSG:32631")
    found, _ = sample(leaf("other"), plane_archive, grid, method)
    _, row = true_places(grid)
    expected = row if method == "bilinear" else (np.floor(row / 4) + 0.5) * 4
    assert np.abs(found - expected).max() < 1e-3


WIDE = GeoBox((601, 602), Affine(10, 0, 500_000, 0, -10, 5_600_000), "EPSG:32631")


@pytest.mark.parametrize("factor", [2, 4])
def test_levels_are_means_of_what_is_valid(factor):
    numbers = np.random.default_rng(1).integers(0, 4, WIDE.shape).astype(np.uint16) * 100
    item = make_item(base=WIDE)
    archive = MadeArchive({(item.id, "fine"): numbers})
    size = 10 * factor
    shape = tuple(-(-n // factor) for n in WIDE.shape)
    grid = PixelGrid(shape[1], shape[0], (size, 0, 500_000, 0, -size, 5_600_000), "EPSG:32631")
    found, valid = sample(Leaf(item, "fine", "float32", nodata=0), archive, grid)
    whole = np.zeros((shape[0] * factor, shape[1] * factor))
    whole[:601, :602] = numbers
    squares = whole.reshape(shape[0], factor, shape[1], factor)
    count = (squares > 0).sum(axis=(1, 3))
    assert np.array_equal(valid, count > 0)
    assert np.allclose(found, squares.sum(axis=(1, 3)) / np.maximum(count, 1))
    assert found.dtype == np.float32


def test_classes_are_not_averaged():
    archive = SandboxArchive(SandboxSettings(mode="plane"))
    item = make_item()
    layers = {"SCL": Layer("SCL", 1, "uint8", nodata=0), "fine": item.layers["fine"]}
    item = replace(item, layers=layers)
    grid = PixelGrid(30, 20, (40, 0, 502_000, 0, -40, 5_597_040), "EPSG:32631")
    found, _ = sample(Leaf(item, "SCL", "uint8", nodata=0), archive, grid)
    rows, cols = (75, 95), (50, 80)  # of 40 m, from the corner of the item
    offset = (5_600_040 - 5_597_040) / 40, (502_000 - 499_980) / 40
    assert offset == (75, 50.5)
    near = archive.read(item, "SCL", rows, (cols[0] + 1, cols[1] + 1), 4)
    assert np.array_equal(found, near)


def test_pixels_of_the_same_grid_are_read_as_they_are(plane_archive):
    grid = PixelGrid(50, 40, (10, 0, 499_980 + 700, 0, -10, 5_600_040 - 900), "EPSG:32631")
    found, valid = sample(leaf("fine"), plane_archive, grid)
    assert np.array_equal(found, plane_archive.read(ITEM, "fine", (90, 130), (70, 120)))
    assert valid.all()


def test_outside_is_masked_and_zero(plane_archive):
    grid = PixelGrid(20, 10, (10, 0, 499_980 - 100, 0, -10, 5_600_040 + 40), "EPSG:32631")
    found, valid = sample(leaf("fine"), plane_archive, grid)
    assert np.array_equal(valid, (np.arange(20) >= 10) & (np.arange(10) >= 4)[:, None])
    assert not found[~valid].any()
    far = PixelGrid(5, 5, (10, 0, 0, 0, -10, 0), "EPSG:32633")
    assert not sample(leaf("fine"), plane_archive, far)[1].any()


NUMBERS = np.array([[100, 0, 300], [1500, 65_000, 700]], np.uint16)
SMALL = GeoBox((2, 3), Affine(10, 0, 500_000, 0, -10, 5_600_000), "EPSG:32631")


def decoded(numbers, **told):
    """Return what a leaf of these numbers gives on its own grid."""
    item = make_item(base=SMALL)
    archive = MadeArchive({(item.id, "fine"): numbers})
    grid = PixelGrid(3, 2, (10, 0, 500_000, 0, -10, 5_600_000), "EPSG:32631")
    return sample(Leaf(item, "fine", **{"dtype": "uint16", **told}), archive, grid)


def test_numbers_are_scaled_clipped_and_masked():
    found, valid = decoded(NUMBERS, offset=-1000.0, nodata=0)
    assert found.tolist() == [[0, 0, 0], [500, 64_000, 0]]
    assert valid.tolist() == [[True, False, True], [True, True, True]]
    scaled, _ = decoded(NUMBERS, scale=0.5, dtype="float32")
    assert scaled.tolist() == (NUMBERS * 0.5).tolist()


def test_nan_is_masked():
    found, valid = decoded(np.array([[1, np.nan, 3]] * 2, np.float32), dtype="float32")
    assert valid.tolist() == [[True, False, True]] * 2
    assert found.tolist() == [[1, 0, 3]] * 2


def test_masked_neighbours_have_no_weight():
    numbers = np.array([[10.0, 99.0, 30.0, 40.0]])
    valid = np.array([[True, False, True, True]])
    source = GeoBox((1, 4), Affine(10, 0, 0, 0, -10, 0), "EPSG:32631")
    output = GeoBox((1, 4), Affine(10, 0, 2.5, 0, -10, 0), "EPSG:32631")

    def window(rows, cols):
        return numbers[slice(*rows), slice(*cols)], valid[slice(*rows), slice(*cols)]

    found, shown = look_up(source, output, window, "float64", "bilinear")
    assert shown.tolist() == [[True, False, True, True]]
    assert found.tolist() == [[10.0, 0.0, 32.5, 40.0]]
