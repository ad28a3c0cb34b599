"""Open a raster on another machine, and say which of its bytes a grid will need."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from eodata.providers.ground_control import GroundControl
from eodata.providers.remote.ranges import Range
from eodata.providers.remote.remote_file import RemoteBytes, RemoteFile
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
    name = f"eodata-{next(_numbers)}"
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
