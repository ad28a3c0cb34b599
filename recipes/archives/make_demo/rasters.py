"""Write pixels as small GeoTIFFs."""

from pathlib import Path
from typing import Any

import numpy.typing as npt
import rasterio
from grid import CRS, SIDE_M, affine_of

Pixels = npt.NDArray[Any]


def nodata_of(pixels: Pixels) -> float | int:
    """Tell the nodata value that the archive uses for a data type."""
    return {"f": float("nan"), "u": 0, "i": -32767}[pixels.dtype.kind]


def write_geotiff(path: Path, pixels: Pixels) -> None:
    """Write one band as a single deflated strip, with nothing but its place and nodata.

    Args:
        path: The file to write.
        pixels: The band, ``(H, W)``, covering the whole patch.
    """
    height, width = pixels.shape
    profile = {
        "driver": "GTiff",
        "dtype": pixels.dtype.name,
        "count": 1,
        "height": height,
        "width": width,
        "crs": CRS,
        "transform": affine_of(SIDE_M / width),
        "nodata": nodata_of(pixels),
        "compress": "deflate",
        "zlevel": 9,
        "predictor": 3 if pixels.dtype.kind == "f" else 2,
        "tiled": False,
        "blockysize": height,
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels, 1)
