"""The provider `archive`: a static STAC catalog of GeoTIFFs in a folder on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import rasterio
import shapely
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Pixels, Query
from eodata.providers.raster_read import (
    UNREADABLE,
    asset_of,
    band_of,
    band_onto,
    refuse_format,
)
from eodata.providers.static_stac import is_remote, read_collection

GDAL_OPTIONS = {
    # Side files (.aux.xml, .msk, .tfw) may hold nodata, validity or place. People switch them off
    # in their environment for the sake of cloud storage; here the same pixels must come out.
    "GDAL_DISABLE_READDIR_ON_OPEN": False,
    "GDAL_PAM_ENABLED": True,
    # An environment that sets it would turn damaged blocks into zeros.
    "GTIFF_IGNORE_READ_ERRORS": False,
    # Workers are the executor's business.
    "GDAL_NUM_THREADS": "1",
}


class ArchiveProvider:
    """A static STAC catalog on disk.

    Cheap to make and to pickle: files are opened when they are needed, and the parsed items are
    kept by the instance, not by its pickles. Threads may share an instance.

    Attributes:
        catalog: The catalog.json.
    """

    name = "archive"
    synthetic = False

    def __init__(self, root: Path | str) -> None:
        path = Path(root)
        self.catalog = path if path.suffix == ".json" else path / "catalog.json"
        self._items: dict[str, list[Item]] = {}

    def __getstate__(self) -> dict[str, object]:
        return {"catalog": self.catalog, "_items": {}}

    def search(self, query: Query) -> list[Item]:
        """Return the items that share ground and time with the query and match its filter.

        They are ordered by time and id.

        Raises:
            ProviderError: The catalog cannot be read, or has no such collection.
        """
        if query.collection not in self._items:
            self._items[query.collection] = read_collection(self.catalog, query.collection)
        shapely.prepare(query.footprint)
        return [item for item in self._items[query.collection] if query.admits(item)]

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Do nothing: files of this machine need no credentials."""

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        """Read bands of one item onto a grid, as `eodata.providers.warp.read_onto` does.

        The nodata value is that of the catalog, else of the file, else of the product.

        Raises:
            ProviderError: An asset or its file is missing, remote, damaged or without CRS.
        """
        found = []
        with rasterio.Env(**GDAL_OPTIONS), ExitStack() as stack:
            files: dict[str, DatasetReader] = {}
            for read in reads:
                asset = asset_of(item, read)
                path = self._path(item, asset)
                try:
                    if asset.href not in files:
                        files[asset.href] = stack.enter_context(_open(path))
                    source = band_of(files[asset.href], asset, read)
                    found.append(band_onto(source, asset, read, geobox))
                except UNREADABLE as exc:
                    raise self._unreadable(path, item, asset, exc) from exc
        return Pixels(
            values=tuple(values for values, _, _ in found),
            valid=tuple(valid for _, valid, _ in found),
            bytes_read=sum(n_bytes for _, _, n_bytes in found),
        )

    def _path(self, item: Item, asset: Asset) -> Path:
        """Return the file of an asset, after a look at whether it is there in full."""
        where = f"item {item.id}, asset {asset.key}"
        if is_remote(asset.href):
            raise ProviderError(
                where,
                f"its file is on another machine: {asset.href}",
                "an archive is a static catalog whose files lie in one folder.",
                "Download the file beside the item and make the href relative.",
            )
        path = self.catalog.parent / asset.href
        if Path(asset.href).is_absolute() or ".." in Path(asset.href).parts:
            raise ProviderError(where, f"{asset.href} lies outside of the archive")
        if not path.is_file():
            raise ProviderError(
                asset.href, f"the file of {where} is missing", "", "Fetch it again."
            )
        size = path.stat().st_size
        if asset.size_bytes not in (None, size):
            raise ProviderError(
                asset.href,
                f"the file of {where} has {size} bytes",
                f"the catalog states {asset.size_bytes} bytes: it was cut off or replaced.",
                "Fetch it again, or correct file:size.",
            )
        return path

    def _unreadable(self, path: Path, item: Item, asset: Asset, exc: Exception) -> ProviderError:
        # Reasons end in tables that are shared: they name files relative to the catalog.
        reason = str(exc.__cause__ or exc).replace(str(path), asset.href)
        return ProviderError(
            asset.href,
            f"asset {asset.key} of item {item.id} cannot be read",
            f"{reason.rstrip('.')}.",
            "The file is damaged or no GeoTIFF: fetch it again, or take the item out of the "
            "catalog.",
        )


def _open(path: Path) -> DatasetReader:
    dataset = rasterio.open(path)
    try:
        refuse_format(dataset)
    except RasterioError:
        dataset.close()
        raise
    return dataset
