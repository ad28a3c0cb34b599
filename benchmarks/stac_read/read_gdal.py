"""rasterio alone: a pool of threads, one band of one block each."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from benchmarks.stac_read.job import BANDS, COARSE, EDGE, Block, Job
from benchmarks.stac_read.taking import Options, Pixels, Take

CLOUD = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


def read(job: Job, options: Options, take: Take) -> None:
    """Read with `threads`; `at_once` blocks are under way together."""
    under_way: deque[tuple[int, list[Future[Pixels]]]] = deque()
    with rasterio.Env(**CLOUD, **options.gdal), ThreadPoolExecutor(options.threads) as pool:
        for number, block in enumerate(job.blocks):
            if len(under_way) == options.at_once:
                _finish(under_way, take)
            wanted = [pool.submit(read_band, job, block, band, options) for band in BANDS]
            under_way.append((number, wanted))
        while under_way:
            _finish(under_way, take)


def _finish(under_way: deque[tuple[int, list[Future[Pixels]]]], take: Take) -> None:
    number, wanted = under_way.popleft()
    take(number, [band.result() for band in wanted])


def read_band(job: Job, block: Block, band: str, options: Options) -> Pixels:
    """Return one band of a block on its grid of 10 m."""
    # Threads do not inherit the options of GDAL.
    with rasterio.Env(**CLOUD, **options.gdal), rasterio.open(job.href(block, band)) as file:
        if band not in COARSE:
            pixels: Pixels = file.read(1, window=Window(block.col, block.row, EDGE, EDGE))
            return pixels
        return _warped(file, job.grid(block))


def _warped(file: rasterio.DatasetReader, grid: GeoBox) -> Pixels:
    place = {"crs": str(grid.crs), "transform": grid.affine}
    size = {"width": grid.shape[1], "height": grid.shape[0]}
    with WarpedVRT(file, resampling=Resampling.bilinear, **place, **size) as warped:
        pixels: Pixels = warped.read(1)
    return pixels
