"""What reading a band of an open raster takes, wherever its bytes come from."""

from __future__ import annotations

from odc.geo.geobox import GeoBox
from pyproj.exceptions import CRSError as ProjCRSError
from rasterio._err import CPLE_BaseError
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader

from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead
from eodata.providers.raster_file import RasterFile
from eodata.providers.source import Valid, Values
from eodata.providers.warp import read_onto

DRIVERS = ("GTiff", "JP2OpenJPEG")
"""Formats that hold their own pixels. A VRT, for one, may lead elsewhere."""
UNREADABLE = (RasterioError, CPLE_BaseError, CRSError, ProjCRSError, OSError)
"""What rasterio, GDAL and PROJ raise over files; rasterio lets some of GDAL's errors through."""


def asset_of(item: Item, read: BandRead) -> Asset:
    """Return the asset that holds a band.

    Raises:
        ProviderError: The item has none of that key.
    """
    if read.asset not in item.assets:
        raise ProviderError(
            f"item {item.id}",
            f'there is no asset "{read.asset}" for band {read.band.name}',
            f"it has {', '.join(sorted(item.assets)) or 'no raster at all'}.",
            "Complete the item, leave it out with `where:`, or say with `like:` of the recipe's "
            "archive whose asset keys it has.",
        )
    return item.assets[read.asset]


def refuse_format(dataset: DatasetReader) -> None:
    """Raise for a format that does not hold its own pixels.

    Raises:
        RasterioError: The format is none of `DRIVERS`.
    """
    if dataset.driver not in DRIVERS:
        raise RasterioError(f"its format is {dataset.driver}; {' and '.join(DRIVERS)} are read")


def band_of(
    dataset: DatasetReader, asset: Asset, read: BandRead, *, by_points: bool = False
) -> RasterFile:
    """Return one band as a source of the warp.

    The nodata value is that of the catalog, else of the file, else of the product.

    Args:
        dataset: Open; stays the caller's to close.
        asset: Which band of the file.
        read: What the product says about the band.
        by_points: Read a file without a grid by its ground control points.

    Raises:
        RasterioError: The file has fewer bands, or no place on Earth.
    """
    if asset.band > dataset.count:
        raise RasterioError(f"band {asset.band} is asked for, and the file has {dataset.count}")
    stated = (asset.nodata, dataset.nodatavals[asset.band - 1], read.band.nodata)
    nodata = next((value for value in stated if value is not None), None)
    return RasterFile(dataset, asset.band, nodata, by_points)


def band_onto(
    source: RasterFile, asset: Asset, read: BandRead, geobox: GeoBox
) -> tuple[Values, Valid, int]:
    """Read a band onto a grid, as `eodata.providers.warp.read_onto` does.

    Raises:
        RasterioError: The file is damaged.
    """
    return read_onto(
        source,
        geobox,
        read.resampling,
        decibel=read.band.unit == "dB",
        scale=read.band.scale if asset.scale is None else asset.scale,
    )
