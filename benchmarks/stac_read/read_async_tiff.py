"""async-tiff and obstore: the tiles of all bands at once, decoded, cut, and warped when wanted.

Without the warp, bands of 20 m stay at 20 m: it shows what fetching and decoding cost.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from affine import Affine
from async_tiff import TIFF, Array, ThreadPool
from async_tiff.store import HTTPStore  # type: ignore[import-not-found]
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.warp import reproject

from benchmarks.stac_read import tiles
from benchmarks.stac_read.job import BANDS, COARSE, Block, Job
from benchmarks.stac_read.taking import Options, Pixels, Take


def read(job: Job, options: Options, take: Take) -> None:
    """Read with `threads` that decode and as many that warp; `at_once` blocks are under way."""
    with ThreadPoolExecutor(options.threads) as warpers:
        asyncio.run(_Reader(job, options, take, warpers).run())


class _Reader:
    def __init__(self, job: Job, options: Options, take: Take, warpers: ThreadPoolExecutor) -> None:
        self._job, self._take, self._warpers = job, take, warpers
        self._is_warped = options.warp
        self._decoders = ThreadPool(options.threads)
        self._free = asyncio.Semaphore(options.at_once)
        self._files: dict[str, asyncio.Task[TIFF]] = {}
        base = job.href(job.blocks[0], BANDS[0]).split("/", 3)
        self._server = "/".join(base[:3])
        self._store = HTTPStore(self._server, client_options={"allow_http": True})

    async def run(self) -> None:
        numbers = range(len(self._job.blocks))
        await asyncio.gather(*(self._block(number) for number in numbers))

    async def _block(self, number: int) -> None:
        async with self._free:
            block = self._job.blocks[number]
            self._take(number, await asyncio.gather(*(self._band(block, b) for b in BANDS)))

    async def _band(self, block: Block, band: str) -> Pixels:
        file = await self._open(self._job.href(block, band))
        ifd = file.ifds[0]
        margin = tiles.MARGIN if band in COARSE else 0
        wanted = tiles.tiles(block, band, ifd, margin)
        fetched = await file.fetch_tiles(wanted, 0)
        decoded = await asyncio.gather(*(tile.decode(pool=self._decoders) for tile in fetched))
        edge = (ifd.tile_height or 1, ifd.tile_width or 1)
        parts = dict(zip(wanted, decoded, strict=True))
        if not (self._is_warped and band in COARSE):
            return _assemble(*tiles.window(block, band, 0), edge, parts)
        pixels = _assemble(*tiles.window(block, band, margin), edge, parts)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._warpers, _warp, pixels, self._job.grid(block))

    async def _open(self, href: str) -> TIFF:
        if href not in self._files:
            path = href.removeprefix(self._server + "/")
            self._files[href] = asyncio.ensure_future(TIFF.open(path, store=self._store))
        return await self._files[href]


def _warp(pixels: Pixels, grid: GeoBox) -> Pixels:
    """Bring 20 m, one pixel more on each side than the grid, to the grid."""
    onto = np.empty(grid.shape, pixels.dtype)
    near = grid.affine * Affine.translation(-2, -2) * Affine.scale(2)
    crs = str(grid.crs)
    reproject(
        pixels,
        onto,
        src_transform=near,
        src_crs=crs,
        dst_transform=grid.affine,
        dst_crs=crs,
        resampling=Resampling.bilinear,
    )
    return onto


def _assemble(
    rows: range, cols: range, edge: tuple[int, int], decoded: dict[tuple[int, int], Array]
) -> Pixels:
    """Return a window, tiles by column and row."""
    out = np.empty((len(rows), len(cols)), np.uint16)
    for (x, y), tile in decoded.items():
        top, left = y * edge[0] - rows.start, x * edge[1] - cols.start
        down = slice(max(top, 0), min(top + edge[0], len(rows)))
        across = slice(max(left, 0), min(left + edge[1], len(cols)))
        if down.start < down.stop and across.start < across.stop:
            part = np.asarray(tile)[:, :, 0]
            out[down, across] = part[
                down.start - top : down.stop - top, across.start - left : across.stop - left
            ]
    return out
