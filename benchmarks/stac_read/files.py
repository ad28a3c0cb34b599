"""Compressed files: Cloud Optimized GeoTIFFs as Earth Search has them, made once.

Deflate with predictor 2, tiles of 1024 px, overviews; pixels of the sandbox's planet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rasterio.shutil import copy

from benchmarks.squares import Place
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import CELL, SandboxItem
from eodata.sandbox.serve.asgi import App, Receive, Scope, Send, answer, header, refuse
from eodata.sandbox.serve.assets import MEDIA_TYPE, RANGE, ROUTE

KEYS = ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12")
PLACE = Place(3.3, 50.9, datetime(2020, 4, 1, tzinfo=UTC), 120)
CORNER = 6 * CELL
EDGE = 6 * CELL
"""Of the square that is repeated over the tile [10 m px]."""
COG = {"driver": "COG", "compress": "deflate", "predictor": 2, "blocksize": 1024, "level": 6}


def make(folder: Path) -> None:
    """Write the files of one item, one of a kind; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [key for key in KEYS if not (folder / f"{key}.tif").exists()]
    if not missing:
        return
    archive = SandboxArchive(SandboxSettings())
    found = archive.collections["sentinel-2-l2a"].find(PLACE.ground, PLACE.span)
    whole = [item for item in found if item.footprint.area > 1.4]  # square degrees: all of a tile
    item = min(whole, key=lambda item: float(item.properties["eo:cloud_cover"]))
    for key, pixels in _squares(archive, item, missing):
        _write(folder / f"{key}.tif", item, key, pixels)


def _squares(
    archive: SandboxArchive, item: SandboxItem, keys: list[str]
) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield the square of each layer that is repeated."""
    at = {key: (CORNER // item.layers[key].ratio, EDGE // item.layers[key].ratio) for key in keys}
    windows = {key: ((first, first + edge),) * 2 for key, (first, edge) in at.items()}
    yield from archive.read_many(item, windows).items()


def _write(path: Path, item: SandboxItem, key: str, square: NDArray[np.generic]) -> None:
    grid = item.grid(key)
    height, width = grid.shape
    times = -(-height // square.shape[0])
    pixels = np.tile(square, (times, times))[:height, :width]
    place = {"crs": str(grid.crs), "transform": grid.affine, "nodata": 0}
    shape = {"height": height, "width": width, "count": 1, "dtype": pixels.dtype}
    unfinished = path.with_suffix(".part")
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", **shape, **place) as file:
            file.write(pixels, 1)
        with memory.open() as file:
            copy(file, unfinished, num_threads=2, **COG)
    unfinished.rename(path)


class FileApp:
    """An ASGI application: every item's files are those of one folder, the rest another's work."""

    def __init__(self, app: App, folder: Path) -> None:
        self._app = app
        self._open = cache(lambda key: os.open(folder / f"{key}.tif", os.O_RDONLY))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = ROUTE.search(scope.get("path", ""))
        if not found:
            await self._app(scope, receive, send)
        elif found["key"] not in KEYS:
            await refuse(send, 404, "NotFound", f"there is no file {found['key']}")
        else:
            await _serve(self._open(found["key"]), scope, send)


async def _serve(file: int, scope: Scope, send: Send) -> None:
    size = os.fstat(file).st_size
    wanted = RANGE.match(header(scope, "range"))
    start = int(wanted[1] or 0) if wanted else 0
    stop = min(int(wanted[2]) + 1, size) if wanted and wanted[2] else size
    more = {"content-length": str(stop - start), "accept-ranges": "bytes"}
    if wanted:
        more["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    body = b"" if scope["method"] == "HEAD" else os.pread(file, stop - start, start)
    await answer(send, 206 if wanted else 200, body, more, kind=MEDIA_TYPE)
