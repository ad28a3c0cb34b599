"""Which bytes of the files a job needs: the bound, and what the server must hold beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from async_tiff import TIFF, ImageFileDirectory
from obstore.store import HTTPStore

from benchmarks.stac_read.job import BANDS, COARSE, EDGE, Block, Job

AT_ONCE = 32
"""Connections while the server's cache is filled."""
MARGIN = 1
"""Pixels beside a block that bilinear resampling asks for."""

Ranges = dict[str, list[tuple[int, int]]]
"""By URL: first byte, last + 1."""


def window(block: Block, band: str, margin: int) -> tuple[range, range]:
    """Return rows and columns of a block, `margin` pixels around it, in pixels of a band's file."""
    ratio = 2 if band in COARSE else 1
    row, col, edge = block.row // ratio, block.col // ratio, EDGE // ratio
    return range(row - margin, row + edge + margin), range(col - margin, col + edge + margin)


def tiles(block: Block, band: str, ifd: ImageFileDirectory, margin: int) -> list[tuple[int, int]]:
    """Return the tiles (column, row) that a block touches, `margin` pixels around it included."""
    rows, cols = window(block, band, margin)
    down, across = _cut(rows, ifd.tile_height or 1), _cut(cols, ifd.tile_width or 1)
    return [(x, y) for y in down for x in across]


def _cut(pixels: range, tile: int) -> range:
    return range(pixels.start // tile, (pixels.stop - 1) // tile + 1)


def needed(job: Job) -> Ranges:
    """Return the bytes of the tiles that the blocks touch."""
    return asyncio.run(_needed(job))


async def _needed(job: Job) -> Ranges:
    found: Ranges = {}
    for block, band, href in _reads(job):
        ifd = await _first(href)
        margin = MARGIN if band in COARSE else 0
        for x, y in tiles(block, band, ifd, margin):
            place = ifd.tile_byte_range(x, y)
            assert isinstance(place, tuple)
            found.setdefault(href, []).append(place)
    return found


def _reads(job: Job) -> Iterator[tuple[Block, str, str]]:
    for block in job.blocks:
        for band in BANDS:
            yield block, band, job.href(block, band)


async def _first(href: str) -> ImageFileDirectory:
    store, path = open_store(href)
    return (await TIFF.open(path, store=store)).ifds[0]


def open_store(href: str) -> tuple[HTTPStore, str]:
    """Return a store of the server, and the path of a file in it."""
    parts = urlsplit(href)
    server = f"{parts.scheme}://{parts.netloc}"
    return HTTPStore(server, client_options={"allow_http": True}), parts.path[1:]


def fetch(ranges: Ranges) -> None:
    """Ask for all bytes once, as fast as the server gives them."""
    asyncio.run(_fetch(ranges))


async def _fetch(ranges: Ranges) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(href: str, places: list[tuple[int, int]]) -> None:
        store, path = open_store(href)
        starts, ends = [a for a, _ in places], [b for _, b in places]
        async with free:
            await store.get_ranges_async(path, starts=starts, ends=ends)

    await asyncio.gather(*(one(href, places) for href, places in ranges.items()))


def size(ranges: Ranges) -> int:
    """Return how many bytes they are; a range that is named twice counts once."""
    return sum(stop - start for places in ranges.values() for start, stop in set(places))
