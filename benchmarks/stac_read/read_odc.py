"""odc.stac.load, as its documentation recommends and as well as we can make it."""

from __future__ import annotations

import dask
import odc.stac
import pystac
import xarray as xr

from benchmarks.stac_read.job import BANDS, COARSE, Block, Job
from benchmarks.stac_read.taking import Options, Take


def read(job: Job, options: Options, take: Take) -> None:
    """Load block by block, or several at a time.

    Args:
        job: What to read.
        options: `chunk` [px], `threads` (0: dask's own choice), `at_once` blocks computed together,
            `gdal` options over odc-stac's defaults for the cloud.
        take: Is given each block.
    """
    odc.stac.configure_rio(cloud_defaults=True, **options.gdal)
    items = [pystac.Item.from_dict(item) for item in job.items]
    numbers = range(len(job.blocks))
    with dask.config.set(scheduler="threads", num_workers=options.threads or None):
        for first in range(0, len(job.blocks), options.at_once):
            some = numbers[first : first + options.at_once]
            lazy = [_lazy(job, items, job.blocks[number], options) for number in some]
            computed = dask.compute(*lazy)  # type: ignore[attr-defined,no-untyped-call]
            for number, loaded in zip(some, computed, strict=True):
                take(number, [loaded[band].to_numpy()[0] for band in BANDS])


def _lazy(job: Job, items: list[pystac.Item], block: Block, options: Options) -> xr.Dataset:
    return odc.stac.load(
        [items[block.item]],
        bands=BANDS,
        geobox=job.grid(block),
        groupby="solar_day",
        chunks={"x": options.chunk, "y": options.chunk},
        resampling={**dict.fromkeys(BANDS, "nearest"), **dict.fromkeys(COARSE, "bilinear")},
    )
