"""Pixels as bytes: NumPy's own format, and GeoTIFF."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.earthengine.errors import invalid
from eodata.sandbox.earthengine.images import PixelGrid


class EncodedBand(NamedTuple):
    """One band to write: its name and its numbers `(H, W)`, 0 where masked."""

    name: str
    values: NDArray[np.generic]


Encode: TypeAlias = Callable[[Sequence[EncodedBand], PixelGrid], bytes]


def encode(kind: str, bands: Sequence[EncodedBand], grid: PixelGrid) -> bytes:
    """Return pixels in a format.

    Args:
        kind: `NPY`, a structured array of one field per band with its own type; or `GEO_TIFF`,
            whose bands share the smallest type that holds them all.
        bands: In order.
        grid: Of all bands.

    Raises:
        EngineError: 400; there is no such format.
    """
    check_format(kind)
    return FORMATS[kind](bands, grid)


def check_format(kind: str) -> None:
    """Refuse a format that is none of ours, before pixels are made.

    Raises:
        EngineError: 400.
    """
    if kind not in FORMATS:
        raise invalid(f"File format {kind} is unsupported by the sandbox: {', '.join(FORMATS)}.")


def _npy(bands: Sequence[EncodedBand], grid: PixelGrid) -> bytes:
    fields = [(band.name, band.values.dtype) for band in bands]
    pixels = np.empty((grid.height, grid.width), fields)
    for band in bands:
        pixels[band.name] = band.values
    written = io.BytesIO()
    np.save(written, pixels, allow_pickle=False)
    return written.getvalue()


def _geo_tiff(bands: Sequence[EncodedBand], grid: PixelGrid) -> bytes:
    from rasterio.io import MemoryFile

    dtype = np.result_type(*(band.values.dtype for band in bands))
    box = grid.geobox
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=grid.width,
            height=grid.height,
            count=len(bands),
            dtype=dtype.name,
            crs=str(box.crs),
            transform=box.affine,
            tiled=True,
            compress="deflate",
        ) as written:
            for number, band in enumerate(bands, 1):
                written.write(band.values.astype(dtype, copy=False), number)
                written.set_band_description(number, band.name)
        return bytes(memory.read())


FORMATS: Mapping[str, Encode] = {"NPY": _npy, "GEO_TIFF": _geo_tiff}
