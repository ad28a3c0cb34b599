"""What resampling does to numbers: holes, edges, classes, limits of dtypes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.errors import CRSError, RasterBlockError, RasterioError

from eodata.providers.raster_file import RasterFile
from eodata.providers.warp import read_onto

NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_600_000)
INTERPOLATING = ("bilinear", "cubic", "average")


@pytest.fixture
def read(tmp_path, write_raster):
    """Write an array, read it onto a grid `(x, y, pixel size, n)` in source pixels."""

    def read(array, x, y, size, n, resampling, nodata=None, **options):
        path = write_raster(tmp_path / "source.tif", array, **options)
        grid = NORTH_UP @ Affine.translation(x, y) @ Affine.scale(size)
        with rasterio.open(path) as source:
            return read_onto(
                RasterFile(source, 1, nodata), GeoBox((n, n), grid, CRS("EPSG:32631")), resampling
            )

    return read


def constant(value, dtype, n=24):
    return np.full((n, n), value, dtype)


@pytest.mark.parametrize("resampling", [*INTERPOLATING, "mode", "nearest"])
@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (65535, "uint16"),
        (0, "uint16"),
        (-32768, "int16"),
        (255, "uint8"),
        (-128, "int8"),
        (4294967295, "uint32"),
        (-2147483648, "int32"),
        (16777217, "int32"),
        (1e300, "float64"),
    ],
)
@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_a_constant_stays_the_same_number_of_the_same_type(read, value, dtype, size, resampling):
    values, valid, _ = read(constant(value, dtype), 4.3, 4.7, size, 6, resampling)
    assert values.dtype == np.dtype(dtype)
    assert valid.all()
    assert np.allclose(values.astype(float), float(value), rtol=1e-15, atol=0)


@pytest.mark.parametrize(("dtype", "low", "high"), [("uint16", 0, 65535), ("int16", -32768, 32767)])
def test_a_cubic_overshoot_is_clipped_and_never_wraps(read, dtype, low, high):
    edge = constant(low, dtype)
    edge[:, 12:] = high
    values, _, _ = read(edge, 4.25, 4.25, 0.5, 30, "cubic")
    assert (values[:, :15] == low).all()
    assert (values[:, 16:] == high).all()


def test_integers_are_rounded(read):
    steps = np.tile(np.array([[10, 11, 11, 11]], "uint8"), (4, 1))
    values, _, _ = read(steps, 0, 0, 4, 1, "average")
    assert values[0, 0] == 11, "10.75"


@pytest.mark.parametrize("nodata", [-9999, 0, 7])
@pytest.mark.parametrize("resampling", INTERPOLATING)
@pytest.mark.parametrize("size", [0.5, 1.0, 2.0, 3.0])
def test_a_missing_value_never_reaches_its_neighbours(read, nodata, resampling, size):
    array = constant(1000, "int16")
    array[8:10, 8:10] = nodata
    values, valid, _ = read(array, 4.25, 4.25, size, round(12 / size), resampling, nodata)
    assert valid.any()
    assert (values[valid] == 1000).all()


@pytest.mark.parametrize("resampling", [*INTERPOLATING, "nearest"])
def test_a_hole_stays_a_hole_when_pixels_get_finer(read, resampling):
    array = constant(1000, "int16")
    array[8:10, 8:10] = -1
    _, valid, _ = read(array, 4, 4, 0.5, 16, resampling, -1)
    expected = np.ones((16, 16), bool)
    expected[8:12, 8:12] = False
    assert (valid == expected).all()


@pytest.mark.parametrize("resampling", ["average", "mode"])
def test_a_coarse_pixel_needs_half_of_its_ground(read, resampling):
    array = np.ones((4, 8), "uint8")
    array[:, 0] = 0  # a quarter of the first pixel
    array[:, 4:7] = 0  # three quarters of the second
    _, valid, _ = read(array, 0, 0, 4, 2, resampling, 0)
    assert valid.tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [1.0, 0.5])
def test_numbers_that_are_no_numbers_are_missing(read, missing, size):
    array = constant(-12.5, "float32")
    array[8:10, 8:10] = missing
    values, valid, _ = read(array, 4, 4, size, round(12 / size), "bilinear")
    assert (~valid).sum() == round(4 / size**2)
    assert (values[valid] == -12.5).all()


@pytest.mark.parametrize("nodata", [-9999, 0.5, 70000, 1e300, np.nan, None])
def test_a_nodata_value_that_cannot_occur_hides_nothing(read, nodata):
    array = np.arange(256, dtype="uint16").reshape(16, 16)
    assert read(array, 0, 0, 1, 16, "nearest", nodata)[1].all()


def test_a_float_nodata_is_compared_in_the_files_own_precision(read):
    array = constant(1.0, "float32", 4)
    array[0, 0] = 0.1
    assert (~read(array, 0, 0, 1, 4, "nearest", 0.1)[1]).sum() == 1
    assert read(array, 0, 0, 1, 4, "nearest", -1.7976931348623157e308)[1].all()


@pytest.mark.parametrize("resampling", [*INTERPOLATING, "mode", "nearest"])
@pytest.mark.parametrize("phase", [0.0, 0.25])
def test_outside_of_the_source_nothing_is_valid(read, resampling, phase):
    values, valid, _ = read(constant(5, "uint8", 8), -4 + phase, -4 + phase, 1, 16, resampling)
    expected = np.zeros((16, 16), bool)
    expected[4:12, 4:12] = True
    assert (valid == expected).all()
    assert (values[valid] == 5).all()


def test_a_source_elsewhere_is_all_invalid_and_costs_nothing(read):
    values, valid, n_bytes = read(constant(5, "float32"), 1e5, 0, 1, 8, "bilinear")
    assert (valid.any(), n_bytes, np.isnan(values).all()) == (False, 0, True)


def test_only_the_window_is_read(read):
    _, _, n_bytes = read(constant(5, "uint16", 500), 100, 100, 1, 20, "bilinear")
    assert n_bytes == 20 * 20 * 2


def test_mode_takes_the_class_with_the_largest_area(read):
    classes = np.array([[1, 1, 2, 2], [1, 3, 2, 4], [5, 6, 9, 9], [6, 5, 9, 9]], "uint8")
    values, valid, _ = read(classes, 0, 0, 2, 2, "mode")
    assert valid.all()
    assert values.tolist() == [[1, 2], [5, 9]], "a tie goes to the smaller class"


def test_mode_weighs_pixels_that_are_only_partly_inside(read):
    # The target pixel covers columns 0.5 to 2.5: half of 3, all of 7, half of the third.
    classes = np.tile(np.array([[3, 7, 7, 3]], "uint8"), (4, 1))
    assert read(classes, 0.5, 0.5, 2, 1, "mode")[0].item() == 7
    classes = np.tile(np.array([[3, 7, 4, 3]], "uint8"), (4, 1))
    assert read(classes, 0.5, 0.5, 2, 1, "mode")[0].item() == 7


def test_mode_ignores_missing_pixels(read):
    classes = np.array([[0, 0], [0, 4]], "uint8").repeat(2, 0).repeat(2, 1)
    values, valid, _ = read(classes, 0, 0, 4, 1, "mode", 0)
    assert (values.item(), valid.item()) == (4, False)
    classes[0] = 4
    assert read(classes, 0, 0, 4, 1, "mode", 0)[1].item()


def test_mode_with_more_classes_than_fit_at_once(read):
    classes = np.arange(40, dtype="int32").repeat(3).reshape(1, -1).repeat(3, 0)
    values, _, _ = read(classes, 0, 0, 3, 1, "mode")
    assert values.item() == 0
    values, _, _ = read(np.pad(classes, ((0, 117), (0, 0))), 117, 0, 3, 1, "mode")
    assert values.item() == 39


def test_average_weighs_by_area(read):
    ramp = np.tile(np.array([[0, 100, 200, 300]], "float32"), (4, 1))
    values, _, _ = read(ramp, 0.25, 0.25, 2, 1, "average")
    assert values.item() == pytest.approx(0.375 * 0 + 0.5 * 100 + 0.125 * 200)


def test_bilinear_is_smooth_where_pixels_get_finer(read):
    ramp = np.tile(np.arange(16, dtype="float32"), (16, 1))
    values, _, _ = read(ramp, 4, 4, 0.25, 32, "bilinear")
    assert np.allclose(np.diff(values, axis=1), 0.25, atol=1e-5)


def test_overviews_are_never_read(tmp_path, write_raster):
    rng = np.random.default_rng(1)
    array = rng.integers(0, 1000, (256, 256)).astype("uint16")
    path = write_raster(tmp_path / "overviews.tif", array, tiled=True, blockxsize=64, blockysize=64)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4, 8], rasterio.enums.Resampling.nearest)
    grid = GeoBox((32, 32), NORTH_UP @ Affine.scale(8), CRS("EPSG:32631"))
    with rasterio.open(path) as source:
        values, _, _ = read_onto(RasterFile(source, 1, None), grid, "average")
    expected = array.reshape(32, 8, 32, 8).mean(axis=(1, 3))
    assert np.abs(values - expected).max() <= 0.51


def test_an_internal_mask_counts(tmp_path, write_raster):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write_raster(tmp_path / "masked.tif", constant(9, "uint8", 8))
        with rasterio.open(path, "r+") as file:
            mask = np.full((8, 8), 255, "uint8")
            mask[2:4, 2:4] = 0
            file.write_mask(mask)
    grid = GeoBox((8, 8), NORTH_UP, CRS("EPSG:32631"))
    with rasterio.open(path) as source:
        assert (~read_onto(RasterFile(source, 1, None), grid, "nearest")[1]).sum() == 4


def test_blocks_that_were_never_written_are_refused(tmp_path, write_raster):
    path = write_raster(
        tmp_path / "sparse.tif",
        np.zeros((256, 256), "uint16"),
        tiled=True,
        blockxsize=64,
        blockysize=64,
        SPARSE_OK=True,
    )
    grid = GeoBox((32, 32), NORTH_UP, CRS("EPSG:32631"))
    with rasterio.open(path) as source, pytest.raises(RasterBlockError, match="never written"):
        read_onto(RasterFile(source, 1, None), grid, "nearest")


def test_blocks_that_were_left_out_as_nodata_are_missing(tmp_path, write_raster):
    layer = np.zeros((256, 256), "uint16")
    layer[:64, :64] = 5
    path = write_raster(
        tmp_path / "sparse.tif",
        layer,
        tiled=True,
        blockxsize=64,
        blockysize=64,
        SPARSE_OK=True,
        nodata=0,
    )
    grid = GeoBox((256, 256), NORTH_UP, CRS("EPSG:32631"))
    with rasterio.open(path) as source:
        assert read_onto(RasterFile(source, 1, 0), grid, "nearest")[1].sum() == 64 * 64
        with pytest.raises(RasterBlockError):
            read_onto(RasterFile(source, 1, 99), grid, "nearest")


def test_a_file_that_does_not_say_where_it_is_is_refused(tmp_path, write_raster):
    path = write_raster(tmp_path / "nowhere.tif", constant(1, "uint8"), crs=None)
    with rasterio.open(path) as source, pytest.raises(CRSError, match="CRS"):
        read_onto(
            RasterFile(source, 1, None), GeoBox((8, 8), NORTH_UP, CRS("EPSG:32631")), "nearest"
        )


def test_numbers_that_would_lose_digits_are_refused(read):
    with pytest.raises(RasterioError, match="int64"):
        read(constant(2**60 + 1, "int64"), 4.5, 4.5, 1, 8, "bilinear")
    assert (read(constant(2**60 + 1, "int64"), 4, 4, 1, 8, "bilinear")[0] == 2**60 + 1).all()
