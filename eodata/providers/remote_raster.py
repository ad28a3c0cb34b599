"""A band of a raster on another machine: opened, asked which bytes a grid needs, and read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from eodata.core.item import Asset
from eodata.core.modality_plan import BandRead
from eodata.core.product import ProviderEntry
from eodata.providers.ground_control import GroundControl
from eodata.providers.raster_file import RasterFile
from eodata.providers.raster_read import UNREADABLE, band_of, band_onto, refuse_format
from eodata.providers.remote.ranges import Range
from eodata.providers.remote.remote_file import RemoteBytes, RemoteFile
from eodata.providers.source import Valid, Values
from eodata.providers.source_window import SourceWindow, source_window

Grid = GeoBox | GroundControl

GDAL_OPTIONS = {
    # Nothing lies beside a remote file that we would ask for.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": False,
    # An environment that sets it would turn damaged blocks into zeros.
    "GTIFF_IGNORE_READ_ERRORS": False,
    # Workers are the executor's business.
    "GDAL_NUM_THREADS": "1",
}
_numbers = itertools.count()
"""GDAL knows open files by name, so no two may have the same one."""
_NAME = re.compile(r"[^\s'\"]*eodata-\d+\.file[:,]?\s*")


@contextmanager
def open_remote(content: RemoteBytes, overview: int | None = None) -> Iterator[DatasetReader]:
    """Open a remote raster; reads what was not fetched beforehand while it waits.

    Args:
        content: The file.
        overview: Number of the overview to open instead of the pixels themselves.

    Raises:
        ProviderError: Its bytes cannot be had.
        RasterioError: They are no raster.
    """
    name = f"eodata-{next(_numbers)}.file"
    level = {} if overview is None else {"OVERVIEW_LEVEL": overview}

    def opener(_: str, mode: str = "rb") -> RemoteFile:  # noqa: ARG001 (GDAL names it)
        return RemoteFile(content)

    with own_error(content):
        dataset = rasterio.open(name, opener=opener, **level)
    with dataset:
        yield dataset


@contextmanager
def own_error(content: RemoteBytes) -> Iterator[None]:
    """Raise what the transport said, where GDAL only knows that bytes are missing."""
    try:
        yield
    except RasterioError:
        if content.error is not None:
            raise content.error from None
        raise
    if content.error is not None:
        raise content.error


def choose_overview(dataset: DatasetReader, grid: Grid, geobox: GeoBox) -> int | None:
    """Return the coarsest overview that is still as fine as the grid, None for the pixels.

    Ground control points count pixels of the file itself, so they have no overviews. Only overviews
    whose pixels are whole blocks of pixels count: GDAL rounds the size of others up, so that they
    lie up to half a pixel beside.
    """
    window = source_window(grid, geobox)
    if window is None or window.exact or not isinstance(grid, GeoBox):
        return None
    fit = [
        number
        for number, factor in enumerate(dataset.overviews(1))
        if factor <= min(window.shrink)
        and all(size % factor == 0 for size in (dataset.height, dataset.width))
    ]
    return max(fit, default=None)


def needed_ranges(dataset: DatasetReader, band: int, source: Grid, geobox: GeoBox) -> list[Range]:
    """Return the bytes of all blocks that a grid needs; empty where the format does not tell."""
    window = source_window(source, geobox)
    if window is None or dataset.driver != "GTiff":
        return []
    return [_range_of(dataset, band, *block) for block in _blocks_of(dataset, window)]


def _blocks_of(dataset: DatasetReader, window: SourceWindow) -> Iterator[tuple[int, int]]:
    height, width = dataset.block_shapes[0]
    rows = _numbers_of(window.rows, dataset.height, height)
    cols = _numbers_of(window.cols, dataset.width, width)
    return itertools.product(rows, cols)


def _numbers_of(span: tuple[int, int], size: int, block: int) -> range:
    return range(max(span[0], 0) // block, -(-min(span[1], size) // block))


def _range_of(dataset: DatasetReader, band: int, row: int, col: int) -> Range:
    """Return where a block lies; `(0, 0)` for one that was never written."""
    start, size = (
        int(dataset.get_tag_item(f"BLOCK_{word}_{col}_{row}", "TIFF", bidx=band) or 0)
        for word in ("OFFSET", "SIZE")
    )
    return start, start + size


class DamagedError(Exception):
    """Bytes came in full and were no raster.

    Attributes:
        url: Of the file.
        reason: What the reader of the format says.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of one open file.

    Attributes:
        content: The file's bytes.
        dataset: The file, or one of its overviews.
        source: The band.
        asset: What the archive says of it.
        read: What the product says of it.
    """

    content: RemoteBytes
    dataset: DatasetReader
    source: RasterFile
    asset: Asset
    read: BandRead

    def needs(self, geobox: GeoBox) -> list[Range]:
        """Return the bytes that a grid needs."""
        return needed_ranges(self.dataset, self.asset.band, self.source.grid, geobox)

    def onto(self, geobox: GeoBox) -> tuple[Values, Valid, int]:
        """Read it onto a grid, as `eodata.providers.warp.read_onto` does.

        Raises:
            ProviderError: Its bytes cannot be had.
            DamagedError: They are no raster.
        """
        with damage_named(self.content), own_error(self.content):
            return band_onto(self.source, self.asset, self.read, geobox)


@contextmanager
def open_layer(
    content: RemoteBytes, asset: Asset, read: BandRead, geobox: GeoBox, entry: ProviderEntry
) -> Iterator[Layer]:
    """Open one band of a file, or of that overview which a grid is read from.

    Args:
        content: The file.
        asset: What the archive says of it.
        read: What the product says of the band.
        geobox: Onto which grid it will be read.
        entry: Whether the archive's overviews may be read, and what places its files.

    Raises:
        ProviderError: Its bytes cannot be had.
        DamagedError: They are no raster.
    """
    with ExitStack() as stack:
        with damage_named(content):
            dataset = stack.enter_context(open_remote(content))
            refuse_format(dataset)
            source = band_of(dataset, asset, read, by_points=entry.placed_by == "points")
            level = (
                choose_overview(dataset, source.grid, geobox) if _may_shrink(read, entry) else None
            )
            if level is not None:
                dataset = stack.enter_context(open_remote(content, level))
                source = band_of(dataset, asset, read)
        yield Layer(content, dataset, source, asset, read)


def needs_of(layers: Sequence[Layer], geobox: GeoBox) -> Iterator[tuple[RemoteBytes, list[Range]]]:
    """Yield what each file is asked for: once, also where several bands are read of it."""
    for url in {layer.asset.href: None for layer in layers}:
        same = [layer for layer in layers if layer.asset.href == url]
        yield same[0].content, [part for layer in same for part in layer.needs(geobox)]


def _may_shrink(read: BandRead, entry: ProviderEntry) -> bool:
    """Return True for measured quantities; a class of an overview is that of some pixel."""
    return entry.overviews and read.band.kind == "continuous" and read.resampling != "nearest"


@contextmanager
def damage_named(content: RemoteBytes) -> Iterator[None]:
    """Raise what says that the bytes are no raster as a `DamagedError` of the file."""
    try:
        yield
    except UNREADABLE as error:
        # Our name for the open file is another one each time, and says nothing to anybody.
        reason = _NAME.sub("", str(error.__cause__ or error))
        raise DamagedError(content.address.url, reason) from error
