"""A sample read back as a raster knows where and when it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eodata.core.errors import StoreError
from eodata.store.georeference import read_raster
from eodata.store.reader import StoreReader


@pytest.mark.e2e
def test_raster_of_a_sample_then_has_grid_times_and_bands(demo: Path) -> None:
    reader = StoreReader(demo)
    samples = reader.samples().set_index("id")
    sample = samples.loc["flanders_r002_c003"]
    raster = read_raster(reader, "s1", int(sample["row"]))
    assert raster.values.shape == (30, 2, 16, 16)
    assert [band.name for band in raster.bands] == ["vv", "vh"]
    assert tuple(raster.geobox.boundingbox) == (501840, 5629200, 502000, 5629360)
    assert raster.geobox.crs.epsg == 32631
    assert np.isnat(raster.times[0])  # no Sentinel-2 in this step, so no pair
    assert str(raster.times[1]).startswith("2018-01-16T17:")
    done = ~np.isnat(raster.times)
    assert (np.diff(raster.times[done]) > np.timedelta64(0)).all()
    np.testing.assert_array_equal(raster.valid.any(axis=(1, 2)), done)
    part = read_raster(reader, "s1", int(sample["row"]), steps=[3, 1])
    np.testing.assert_array_equal(part.times, raster.times[[3, 1]])
    np.testing.assert_array_equal(part.values, raster.values[[3, 1]])
    static = read_raster(reader, "dem", int(sample["row"]))
    assert static.values.shape == (1, 1, 16, 16)
    assert static.bands[0].unit == "m"


@pytest.mark.e2e
def test_raster_of_a_row_without_patch_then_says_so(demo: Path) -> None:
    with pytest.raises(StoreError, match="no sample in row 16"):
        read_raster(StoreReader(demo), "s1", 16)
