"""eodata's reader, called as a build calls it: whole blocks from several threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from benchmarks.stac_read.job import BANDS, COARSE, Block, Job
from benchmarks.stac_read.taking import Options, Pixels, Take
from eodata import resources
from eodata.core.endpoint import StacLocation
from eodata.core.modality_plan import BandRead
from eodata.providers.stac import StacProvider
from eodata.providers.stac_item import item_of

COLLECTION = "sentinel-2-l2a"
LIKE = "earth-search"


def read(job: Job, options: Options, take: Take) -> None:
    """Read `at_once` blocks together."""
    read_block = reader_of(job)

    def work(number: int) -> None:
        take(number, read_block(job.blocks[number]))

    with ThreadPoolExecutor(options.at_once) as pool:
        for done in [pool.submit(work, number) for number in range(len(job.blocks))]:
            done.result()


def reader_of(job: Job) -> Callable[[Block], Sequence[Pixels]]:
    """Return what reads the bands of one block, in the order of `BANDS`; threads call it."""
    parts = urlsplit(job.href(job.blocks[0], BANDS[0]))
    endpoint = resources.endpoints()[LIKE].at(f"{parts.scheme}://{parts.netloc}/v1")
    provider = StacProvider(StacLocation(endpoint=endpoint, like=LIKE))
    items = [
        item_of(fields, COLLECTION, lambda _, asset: str(asset["href"]), "flag")
        for fields in job.items
    ]
    reads = _reads()

    def read_block(block: Block) -> Sequence[Pixels]:
        return provider.read(items[block.item], reads, job.grid(block)).values

    return read_block


def _reads() -> tuple[BandRead, ...]:
    product = resources.products()[COLLECTION]
    bands = {band.name: band for band in product.bands}
    names = {asset: name for name, asset in product.providers[LIKE].assets.items()}
    return tuple(
        BandRead(bands[names[key]].to_band(), key, "bilinear" if key in COARSE else "nearest")
        for key in BANDS
    )
