"""Decibels: what a larger pixel measures is the mean power, not the mean of logarithms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.providers.archive import ArchiveProvider
from eodata.providers.raster_file import RasterFile
from eodata.providers.warp import read_onto

NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_600_000)
INTERPOLATING = ("bilinear", "cubic", "average")
ENL = 4.4
"""Equivalent number of looks of a Sentinel-1 IW GRD pixel."""


def mean_of_logarithms(looks: float) -> float:
    """Return the mean of speckle in decibels; its mean power is 0 dB. `(digamma(L) - ln L)`."""
    step = 1e-5
    digamma = (math.lgamma(looks + step) - math.lgamma(looks - step)) / (2 * step)
    return 10 / math.log(10) * (digamma - math.log(looks))


def speckle(n=400, level_db=-12.0):
    power = np.random.default_rng(4).gamma(ENL, 1 / ENL, (n, n)) * 10 ** (level_db / 10)
    return (10 * np.log10(power)).astype("float32")


def power_of(level):
    return 10 ** (level.astype("float64") / 10)


@pytest.fixture
def read(tmp_path, write_raster):
    def read(array, x, y, size, n, resampling, nodata=None, decibel=True, scale=1.0):
        path = write_raster(tmp_path / "radar.tif", array)
        grid = NORTH_UP @ Affine.translation(x, y) @ Affine.scale(size)
        with rasterio.open(path) as file:
            source = RasterFile(file, 1, nodata)
            geobox = GeoBox((n, n), grid, CRS("EPSG:32631"))
            return read_onto(source, geobox, resampling, decibel=decibel, scale=scale)

    return read


def test_the_number_for_sentinel_1_is_half_a_decibel():
    assert mean_of_logarithms(ENL) == pytest.approx(-0.512, abs=0.001)
    assert mean_of_logarithms(1) == pytest.approx(-2.507, abs=0.001)


@pytest.mark.parametrize("resampling", INTERPOLATING)
def test_coarser_pixels_have_the_mean_power_of_finer_ones(read, resampling):
    level = speckle()
    values, valid, _ = read(level, 0, 0, 4, 100, resampling)
    blocks = power_of(level).reshape(100, 4, 100, 4).mean(axis=(1, 3))
    assert valid.all()
    assert values.dtype == np.float32
    assert np.abs(values - 10 * np.log10(blocks)).max() < 5e-6
    assert power_of(values).mean() == pytest.approx(power_of(level).mean(), rel=1e-6)


def test_without_the_rule_they_would_be_half_a_decibel_too_low(read):
    level = speckle()
    told, _, _ = read(level, 0, 0, 4, 100, "average")
    untold, _, _ = read(level, 0, 0, 4, 100, "average", decibel=False)
    true_mean = 10 * np.log10(power_of(level).mean())
    # Sixteen pixels in one are 70 looks: their own mean of logarithms is 0.03 dB low.
    assert told.mean() - true_mean == pytest.approx(mean_of_logarithms(16 * ENL), abs=0.005)
    assert untold.mean() - true_mean == pytest.approx(mean_of_logarithms(ENL), abs=0.02)


def test_between_pixels_powers_are_interpolated(read):
    level = np.array([[-20.0, 0.0]] * 4, "float32").repeat(2, axis=1)
    values, _, _ = read(level, 1.5, 0.5, 1, 1, "bilinear")
    assert values.item() == pytest.approx(10 * math.log10((0.01 + 1) / 2), abs=1e-5)


@pytest.mark.parametrize("resampling", [*INTERPOLATING, "nearest", "mode"])
def test_copies_are_the_same_bits(read, resampling):
    level = speckle(64)
    level[3, 4], level[5, 6], level[7, 8] = np.nan, -np.inf, -9999
    values, valid, _ = read(level, 0, 0, 1, 64, resampling)
    assert values.tobytes() == level.tobytes()
    assert (~valid).sum() == 2


@pytest.mark.parametrize("resampling", ["nearest", "mode"])
def test_picked_numbers_are_the_same_bits(read, resampling):
    level = np.round(speckle(40), 0)
    told = read(level, 0.3, 0.4, 2, 18, resampling)
    untold = read(level, 0.3, 0.4, 2, 18, resampling, decibel=False)
    assert told[0].tobytes() == untold[0].tobytes()
    assert set(np.unique(told[0])) <= set(np.unique(level))


@pytest.mark.parametrize("missing", [np.nan, -np.inf, np.inf, -9999, 0])
@pytest.mark.parametrize("resampling", INTERPOLATING)
@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_a_missing_value_never_reaches_its_neighbours(read, missing, resampling, size):
    level = np.full((24, 24), -12.5, "float32")
    level[8:10, 8:10] = missing
    nodata = missing if np.isfinite(missing) else None
    values, valid, _ = read(level, 4.25, 4.25, size, round(12 / size), resampling, nodata)
    assert valid.any()
    assert not valid.all()
    assert np.abs(values[valid] + 12.5).max() < 2e-6
    assert np.isnan(values[~valid]).all()


def test_levels_of_every_size_come_back(read):
    for level in (-90.0, -25.0, -0.001, 0.0, 0.001, 40.0, 200.0):
        values, _, _ = read(np.full((8, 8), level, "float32"), 2.3, 2.3, 1, 3, "bilinear")
        assert np.abs(values - np.float32(level)).max() <= 1e-6 + 1e-6 * abs(level)


@pytest.mark.parametrize("resampling", INTERPOLATING)
def test_beside_a_bright_target_no_power_is_less_than_none(read, resampling):
    level = np.full((24, 24), -22.0, "float32")
    level[12, 12] = 30.0
    values, valid, _ = read(level, 4.25, 4.25, 0.5, 32, resampling)
    assert valid.all()
    assert values.min() >= -22.00001
    assert values.max() <= 30.00001


def test_a_nodata_value_that_nobody_declared_is_no_power(read):
    level = np.full((24, 24), -12.5, "float32")
    level[8, 8] = -9999
    with pytest.raises(RasterioError, match="-9999 dB is no power; is it an undeclared nodata"):
        read(level, 4.25, 4.25, 1, 12, "bilinear")
    assert read(level, 4.25, 4.25, 1, 12, "bilinear", nodata=-9999)[1].any()


def test_integers_count_steps_of_decibels(read):
    hundredths = np.array([[-2000, -1000]] * 2, "int16").repeat(2, 0).repeat(2, 1)
    values, valid, _ = read(hundredths, 0, 0, 4, 1, "average", nodata=-32768, scale=0.01)
    assert valid.all()
    assert values.dtype == np.int16
    assert values.item() == round(1000 * math.log10((0.01 + 0.1) / 2))


EARTH = box(-180, -90, 180, 90)
SQUARE = GeoBox((10, 10), NORTH_UP @ Affine.scale(4), CRS("EPSG:32631"))


def test_the_archive_tells_the_warp_which_bands_are_decibels(archive, band_read):
    level = speckle(40)
    archive.add("radar", {"vv": level})
    provider = ArchiveProvider(archive.save())
    (item,) = provider.search(Query("c", EARTH, None))
    reads = [band_read("vv", "average", unit="dB"), band_read("vv", "average")]
    powers, logarithms = provider.read(item, reads, SQUARE).values
    blocks = power_of(level).reshape(10, 4, 10, 4).mean(axis=(1, 3))
    assert np.abs(powers - 10 * np.log10(blocks)).max() < 5e-6
    assert np.abs(logarithms - level.reshape(10, 4, 10, 4).mean(axis=(1, 3))).max() < 5e-6


@pytest.mark.parametrize("stated", [None, 0.01])
def test_the_archive_counts_steps_as_item_or_product_say(archive, band_read, stated):
    hundredths = np.round(speckle(40) * 100).astype("int16")
    added = archive.add("radar", {"vv": hundredths})
    if stated is not None:
        added.assets["vv"].extra_fields["raster:bands"] = [{"scale": stated, "offset": 0}]
    provider = ArchiveProvider(archive.save())
    (item,) = provider.search(Query("c", EARTH, None))
    assert item.assets["vv"].scale == stated
    scale = 0.01 if stated is None else 1.0
    reads = [band_read("vv", "average", unit="dB", dtype="int16", scale=scale)]
    (values,) = provider.read(item, reads, SQUARE).values
    blocks = power_of(hundredths / 100).reshape(10, 4, 10, 4).mean(axis=(1, 3))
    assert np.abs(values - 1000 * np.log10(blocks)).max() <= 0.51
