"""Encode pixels as GeoTIFF. Valid is an internal mask, so that no number has to stand for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.io import MemoryFile

from eodata.core.band import Band

Compression = Literal["deflate", "zstd", "none"]
COMPRESSIONS: dict[str, Compression] = {"deflate": "deflate", "zstd": "zstd", "none": "none"}
LEVEL = 1
"""Of the compression: at 6, DEFLATE takes twice the time for the same size on such numbers."""
COG_BLOCK = 512
BLOCK_STEP = 16
"""Edges of tiles in a TIFF are multiples of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Pixels of one step.

    Attributes:
        values: `(C, H, W)`, DN.
        valid: `(H, W)`, True = usable.
        geobox: Their grid.
        tags: What stands in the file beside them.
        bands: Names, units, scales and offsets to state; none for published files, which do not.
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_]
    geobox: GeoBox
    tags: Mapping[str, str]
    bands: Sequence[Band] = ()


def encode(picture: Picture, compression: Compression, *, cog: bool) -> bytes:
    """Return the bytes of a file, the same at every call.

    Where all pixels are valid there is no mask, which readers take for the same.

    Args:
        picture: Pixels and facts.
        compression: Lossless, or none.
        cog: Cloud-optimised with overviews; otherwise one strip per band, band after band, so that
            bands can be read one by one.
    """
    # A mask in a file of its own would be counted by readers that list `.tif` in a folder.
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), MemoryFile() as memory:
        with memory.open(**_profile(picture), **_options(picture, compression, cog)) as file:
            file.write(picture.values)
            if not picture.valid.all():
                file.write_mask(picture.valid)
            file.update_tags(**picture.tags)
            if picture.bands:
                file.descriptions = tuple(band.name for band in picture.bands)
                file.units = tuple(band.unit for band in picture.bands)
                file.scales = tuple(band.scale for band in picture.bands)
                file.offsets = tuple(band.offset for band in picture.bands)
        return bytes(memory.read())


def _profile(picture: Picture) -> dict[str, Any]:
    count, height, width = picture.values.shape
    return {
        "count": count,
        "height": height,
        "width": width,
        "dtype": picture.values.dtype,
        "crs": rasterio.CRS.from_user_input(str(picture.geobox.crs)),
        "transform": picture.geobox.affine,
    }


def _options(picture: Picture, compression: Compression, cog: bool) -> dict[str, Any]:
    floating = np.issubdtype(picture.values.dtype, np.floating)
    edge = max(picture.values.shape[1:])
    if cog:
        block = min(COG_BLOCK, -(-edge // BLOCK_STEP) * BLOCK_STEP)
        classes = any(band.kind != "continuous" for band in picture.bands)
        options = {"driver": "COG", "blocksize": block}
        options["overview_resampling"] = "nearest" if classes else "average"
        squeezed = {"compress": compression, "level": LEVEL, "predictor": "yes"}
    else:
        options = {"driver": "GTiff", "interleave": "band", "blockysize": edge}
        squeezed = {"compress": compression, "zlevel": LEVEL, "zstd_level": LEVEL}
        squeezed["predictor"] = 3 if floating else 2
    return options if compression == "none" else {**options, **squeezed}
