"""Read the source: the patch's NetCDF files and its elevation model, and refuse another grid."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import netCDF4
import numpy as np
import rasterio
from grid import EPSG, LEFT, SIDE_M, TILE, TOP, affine_of
from rasters import Pixels

START = datetime(2018, 1, 1, tzinfo=UTC)
STOP = datetime(2018, 12, 1, tzinfo=UTC)


def open_source(folder: Path, pattern: str) -> netCDF4.Dataset:
    """Open the one NetCDF file that matches, with the values as they are stored.

    Scaling and masking stay off: the files carry ``_FillValue`` 0 together with integer
    ``scale_factor``, which decodes good pixels wrongly.

    Args:
        folder: The source folder.
        pattern: Glob of the file's name.

    Returns:
        The open dataset.

    Raises:
        ValueError: If not exactly one file matches, or its grid is not the expected one.
    """
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise ValueError(f"{len(paths)} files match {pattern} in the source folder")
    dataset = netCDF4.Dataset(paths[0])
    dataset.set_auto_maskandscale(False)
    check_grid(dataset)
    return dataset


def check_grid(dataset: netCDF4.Dataset) -> None:
    """Refuse a file whose pixel centres are not those of the archive's grid."""
    size = SIDE_M // len(dataset["x"])
    steps = np.arange(len(dataset["x"])) * size + size / 2
    for axis, centres in (("x", LEFT + steps), ("y", TOP - steps)):
        if not np.array_equal(dataset[axis][:], centres):
            raise ValueError(f"the {axis} coordinates are not those of the expected grid")


def passes(dataset: netCDF4.Dataset) -> Iterator[tuple[int, datetime]]:
    """Yield the index and time of each acquisition inside the archive's period."""
    stamps = dataset["timestamp"]
    unit, _, epoch = stamps.units.partition(" since ")
    if unit != "seconds":
        raise ValueError(f"time is counted in {unit}, not seconds")
    start = datetime.fromisoformat(epoch).replace(tzinfo=UTC)
    for index, seconds in enumerate(stamps[:]):
        time = start + timedelta(seconds=int(seconds))
        if START <= time < STOP:
            yield index, time


def decibels(stored: Pixels) -> Pixels:
    """Decode stored Sentinel-1 integers to dB, with NaN where nothing was measured."""
    values = np.where(stored == 0, np.nan, stored.astype("float64") * 1e-4)
    return values.astype("float32")


def read_elevation(folder: Path) -> Pixels:
    """Read the elevation model, in whole metres.

    Raises:
        ValueError: If its grid is not the expected one.
    """
    with rasterio.open(folder / f"dem_{TILE}.tif") as raster:
        if raster.transform != affine_of(20) or raster.crs.to_epsg() != EPSG:
            raise ValueError("the elevation model is not on the expected grid")
        pixels: Pixels = raster.read(1)
    return pixels
