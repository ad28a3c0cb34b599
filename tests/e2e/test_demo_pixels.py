"""The demo's pixels are those of its source, read a second way: rasterio, zarr and pandas alone."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pytest
import rasterio
import zarr
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

ARCHIVE = Path(__file__).parents[2] / "recipes/archives/demo"
NATIVE_10_M = ("B02", "B03", "B04", "B08")
DRAWS = 60


@lru_cache
def tables(store: Path) -> tuple[geopandas.GeoDataFrame, pandas.DataFrame]:
    return (
        geopandas.read_parquet(store / "samples.parquet"),
        pandas.read_parquet(store / "steps.parquet"),
    )


def source_file(item: str, asset: str) -> Path:
    return next(ARCHIVE.glob(f"*/{item}/{asset}.tif"))


def onto_patch(
    path: Path, sample: pandas.Series, method: Resampling, *, decibel: bool = False
) -> np.ndarray:
    """Read the patch with GDAL's own warper at 10 m, as float64; decibels by way of powers."""
    if decibel:
        with rasterio.open(path) as source, MemoryFile() as memory:
            profile = {**source.profile, "driver": "GTiff", "dtype": "float64"}
            with memory.open(**profile) as file:
                file.write(10 ** (source.read().astype("float64") / 10))
            return 10 * np.log10(onto_patch(memory.name, sample, method))
    n = round(sample["size"] / 10)
    grid = from_origin(sample["left"], sample["top"], 10, 10)
    with (
        rasterio.open(path) as source,
        WarpedVRT(
            source,
            crs=sample["crs"],
            transform=grid,
            width=n,
            height=n,
            resampling=method,
            dtype="float64",
            tolerance=1e-6,
        ) as view,
    ):
        return np.asarray(view.read(1))


def draws(store: Path, modality: str, seed: int) -> list[tuple[pandas.Series, pandas.Series]]:
    """Draw `(sample row, step row)` at random among the done steps of a modality."""
    samples, steps = tables(store)
    done = steps[(steps["modality"] == modality) & (steps["status"] == "done")]
    rows = random.Random(seed).choices(range(len(done)), k=DRAWS)
    by_row = samples.set_index("row", drop=False)
    return [(by_row.loc[done.iloc[i]["row"]], done.iloc[i]) for i in rows]


@pytest.mark.e2e
def test_s2_where_no_resampling_happens_then_pixels_are_those_of_the_file(demo: Path) -> None:
    array = zarr.open_group(demo / "data.zarr", mode="r")["s2"]
    names = [band["name"] for band in array.attrs["bands"]]
    for number, (sample, step) in enumerate(draws(demo, "s2", seed=1)):
        band = NATIVE_10_M[number % 4]
        with rasterio.open(source_file(step["items"][0], band)) as source:
            row, col = source.index(sample["left"] + 5, sample["top"] - 5)
            expected = source.read(1, window=Window(col, row, 16, 16))
        found = array[int(sample["row"]), int(step["step"]), names.index(band)]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("modality", "bands", "tolerance"),
    [
        ("s2", ("B05", "B06", "B07", "B8A", "B11", "B12"), 0.51),
        ("s1", ("vv", "vh"), 1e-3),
        ("dem", ("dem",), 0.51),
    ],
)
def test_bands_from_20_m_then_within_rounding_of_gdals_bilinear(
    demo: Path, modality: str, bands: tuple[str, ...], tolerance: float
) -> None:
    array = zarr.open_group(demo / "data.zarr", mode="r")[modality]
    names = [band["name"] for band in array.attrs["bands"]]
    for number, (sample, step) in enumerate(draws(demo, modality, seed=2)):
        band = bands[number % len(bands)]
        path = source_file(step["items"][0], band)
        expected = onto_patch(path, sample, Resampling.bilinear, decibel=modality == "s1")
        found = array[int(sample["row"]), int(step["step"]), names.index(band)]
        assert np.abs(found - expected).max() <= tolerance


@pytest.mark.e2e
@pytest.mark.parametrize(("modality", "band"), [("scl", "SCL"), ("landcover", "lc")])
def test_classes_then_exactly_those_of_the_file(demo: Path, modality: str, band: str) -> None:
    array = zarr.open_group(demo / "data.zarr", mode="r")[modality]
    for sample, step in draws(demo, modality, seed=3):
        path = source_file(step["items"][0], band)
        expected = onto_patch(path, sample, Resampling.nearest)
        found = array[int(sample["row"]), int(step["step"]), 0]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.e2e
def test_cloud_mask_then_marks_shadow_cloud_and_cirrus_and_nothing_else(demo: Path) -> None:
    group = zarr.open_group(demo / "data.zarr", mode="r")
    scl, cloud = group["scl"][:], group["cloud"][:]
    valid = group["scl_valid"][:][:, :, None]
    np.testing.assert_array_equal(group["cloud_valid"][:], group["scl_valid"][:])
    expected = np.isin(scl, [3, 8, 9, 10])
    np.testing.assert_array_equal(cloud[valid] == 1, expected[valid])
    assert 0.02 < expected[valid].mean() < 0.5


@pytest.mark.e2e
def test_valid_then_follows_the_scene_classification(demo: Path) -> None:
    group = zarr.open_group(demo / "data.zarr", mode="r")
    unusable = np.isin(group["scl"][:][:, :, 0], [0, 1])
    assert not (group["s2_valid"][:] & unusable).any()


@pytest.mark.e2e
def test_pairs_then_within_six_days_and_nearest(demo: Path) -> None:
    _, steps = tables(demo)
    done = steps[steps["status"] == "done"]
    s2 = done[done["modality"] == "s2"].set_index(["row", "step"])["datetime"]
    s1 = done[done["modality"] == "s1"].set_index(["row", "step"])["datetime"]
    gap = (s1 - s2).abs()
    assert len(gap) == len(s2) > 0
    assert gap.max() <= pandas.Timedelta("6D")
    # Sentinel-1 passes every one to five days here: the nearest one is never further than three.
    assert gap.max() <= pandas.Timedelta("3D")


@pytest.mark.e2e
def test_tables_and_arrays_then_agree_without_eodata(demo: Path) -> None:
    samples, steps = tables(demo)
    group = zarr.open_group(demo / "data.zarr", mode="r")
    assert set(samples["split"]) == {"train", "val", "test"}
    assert samples.crs.to_epsg() == 4326
    for name in ("s2", "s1", "scl", "cloud", "landcover", "dem"):
        mine = steps[steps["modality"] == name]
        assert len(mine) == len(samples) * group[name].shape[1]
        valid = group[f"{name}_valid"][:].mean(axis=(2, 3))
        np.testing.assert_allclose(
            mine["valid"].to_numpy(), valid[mine["row"], mine["step"]], atol=1e-6
        )
    left, top = samples["left"], samples["top"]
    assert (left.min(), top.max()) == (501360, 5629680)
    in_utm = samples.to_crs(32631).geometry.centroid
    np.testing.assert_allclose(in_utm.x, left + 80, atol=0.01)
    np.testing.assert_allclose(in_utm.y, top - 80, atol=0.01)
