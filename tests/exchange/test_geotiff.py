"""Numbers and valid come back from a GeoTIFF whatever type, bands and compression it has."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.io import MemoryFile

from eodata.core.band import Band
from eodata.core.patch import Patch
from eodata.exchange.geotiff import COMPRESSIONS, Compression, Picture, encode

GRID = Patch("a", "EPSG:32632", 500_000.0, 5_430_000.0, 200.0, 0, 0).geobox(10)
TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def picture(dtype: str, bands: int, *, whole: bool, px: int = 20) -> Picture:
    """Numbers with many zeros, which alpha bands and nodata values would be taken from."""
    rng = np.random.default_rng(bands)
    values = rng.integers(0, 3, (bands, px, px)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        values[:, 0, 0] = np.nan
    valid = np.full((px, px), True) if whole else rng.random((px, px)) < 0.5
    stated = (Band("x", "categorical", dtype, 10.0, "m", 0.5, 2.0),) * bands
    return Picture(values, valid, GRID, {"TOLD": "ü, {1}"}, stated)


@pytest.mark.parametrize("compression", COMPRESSIONS.values())
@pytest.mark.parametrize("cog", [True, False])
@pytest.mark.parametrize("dtype", TYPES)
def test_what_is_encoded_comes_back(dtype: str, cog: bool, compression: Compression) -> None:
    for bands in (1, 3, 4, 13):
        for whole in (True, False):
            made = picture(dtype, bands, whole=whole)
            data = encode(made, compression, cog=cog)
            with MemoryFile(data) as memory, memory.open() as file:
                np.testing.assert_array_equal(file.read(), made.values)
                np.testing.assert_array_equal(file.read_masks(1) > 0, made.valid)
                np.testing.assert_array_equal(file.dataset_mask() > 0, made.valid)
                stated = file.compression.value.lower() if file.compression else "none"
                assert stated == compression
                assert file.tags()["TOLD"] == "ü, {1}"
                assert (file.units[0], file.scales[0], file.offsets[0]) == ("m", 0.5, 2.0)


def test_overviews_of_classes_hold_no_new_class() -> None:
    made = picture("uint8", 1, whole=True, px=1040)
    made.values[:] = np.where(made.values > 0, 9, 1)
    grid = Patch("a", "EPSG:32632", 500_000.0, 5_430_000.0, 10_400.0, 0, 0).geobox(10)
    data = encode(Picture(made.values, made.valid, grid, {}, made.bands), "deflate", cog=True)
    with MemoryFile(data) as memory, memory.open() as file:
        (first, *_) = file.overviews(1)
        small = file.read(1, out_shape=(1040 // first, 1040 // first))
        assert set(np.unique(small)) == {1, 9}
        assert file.block_shapes == [(512, 512)]
