"""The endpoint of the virtual GeoTIFFs: GET and HEAD of …/assets/COLLECTION/ITEM/KEY.tif.

Answers are those of an object store: ranges, strong ETags, `If-Range`, `If-None-Match`; a request
for several ranges at once gets the whole file, which HTTP allows and object stores do.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import EodataError
from eodata.sandbox.items import CELL, Collection, SandboxItem
from eodata.sandbox.serve.asgi import Receive, Scope, Send, answer, disconnected, header, refuse
from eodata.sandbox.serve.cog import VirtualCog
from eodata.sandbox.serve.cog_layout import BLOCK_STEP, CogLayout, cog_layout
from eodata.sandbox.serve.log import exchange_of
from eodata.sandbox.serve.tile_cache import TileCache

MEDIA_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
ROUTE = re.compile(r"/assets/(?P<collection>[^/]+)/(?P<item>[^/]+)/(?P<key>[^/]+)\.tif$")
"""Found at the end of a path, so that the endpoint may be mounted anywhere."""
RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
KNOWN_FILES = 1024
"""Files whose headers are kept."""

Admit = Callable[[str, str], str | None]
"""From path and query to the reason for a 403, or None: the check of signed URLs."""


class Archive(Protocol):
    """What the endpoint needs of an archive. Threads may share it."""

    @property
    def collections(self) -> Mapping[str, Collection]:
        """Return the collections by id."""
        ...

    def read(
        self,
        item: SandboxItem,
        key: str,
        rows: tuple[int, int],
        cols: tuple[int, int],
        factor: int = 1,
    ) -> NDArray[np.generic]:
        """Return a window of a layer, rows and columns in pixels of `item.grid(key, factor)`."""
        ...


class Assets:
    """The ASGI application that serves the files of an archive."""

    def __init__(
        self,
        archive: Archive,
        *,
        edition: str = "",
        room: int = 256 * 2**20,
        threads: int | None = None,
        admit: Admit | None = None,
    ) -> None:
        """Serve an archive.

        Args:
            archive: Makes the pixels.
            edition: Says which archive it is (seed, defects), so that ETags differ between worlds.
            room: Bytes of tiles that are kept.
            threads: That make pixels, as many as there are cores when None.
            admit: Checks signed URLs; None lets everybody in.
        """
        self._archive = archive
        self._edition = edition
        self._admit = admit
        self._cache = TileCache(room)
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "sandbox-pixels")
        self._file = lru_cache(maxsize=KNOWN_FILES)(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise EodataError("assets", f"a connection of type {scope['type']}", "", "Use HTTP.")
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(
                send, 405, "MethodNotAllowed", "files are read only", {"allow": "GET, HEAD"}
            )
            return
        found = ROUTE.search(scope["path"])
        why = self._admit(scope["path"], scope["query_string"].decode()) if self._admit else None
        if why is not None:
            await refuse(send, 403, "AuthenticationFailed", why)
            return
        try:
            file = await self._work(lambda: self._file(**found.groupdict())) if found else None
        except LookupError:
            file = None
        if file is None:
            await refuse(send, 404, "NotFound", f"there is no file {scope['path']}")
        else:
            await self._serve(file, scope, receive, send)

    def close(self) -> None:
        """Let go of the threads; tiles under way are finished, tiles in the queue are not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _open(self, collection: str, item: str, key: str) -> VirtualCog:
        """Return a file.

        Raises:
            LookupError: There is no such file.
        """
        record = self._archive.collections[collection].get(item)
        layout = _layout(record, key)

        def read(rows: tuple[int, int], cols: tuple[int, int], factor: int) -> NDArray[np.generic]:
            return self._archive.read(record, key, rows, cols, factor)

        return VirtualCog(layout, read, self._cache, (collection, item, key))

    async def _work(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def _serve(self, file: VirtualCog, scope: Scope, receive: Receive, send: Send) -> None:
        etag = self._etag(scope["path"], file.size)
        same = {"etag": etag, "accept-ranges": "bytes"}
        if _matches(header(scope, "if-none-match"), etag):
            await answer(send, 304, b"", same, kind=MEDIA_TYPE)
            return
        wanted = _range(scope, file.size, etag)
        if wanted == (0, 0):
            over = {"content-range": f"bytes */{file.size}", **same}
            await refuse(send, 416, "InvalidRange", f"the file has {file.size} bytes", over)
            return
        start, stop = wanted or (0, file.size)
        more = {"content-length": str(stop - start), **same}
        if wanted is not None:
            more["content-range"] = f"bytes {start}-{stop - 1}/{file.size}"
        status = 200 if wanted is None else 206
        if scope["method"] == "HEAD":
            await answer(send, status, b"", more, kind=MEDIA_TYPE)
            return
        # Wrong bytes in a header go unnoticed in any TIFF; those in tiles do not.
        exchange_of(scope).guarded_from = max(len(file.layout.header) - start, 0)
        await self._stream(file.pieces(start, stop), status, more, receive, send)

    async def _stream(
        self,
        pieces: Iterator[bytes],
        status: int,
        headers: dict[str, str],
        receive: Receive,
        send: Send,
    ) -> None:
        """Send pieces as they are made; when the client hangs up, no further ones are made."""
        # The first is made before the status is sent, so that a failure is a proper 500.
        piece = await self._next(pieces)
        raw = [(k.encode(), v.encode()) for k, v in {"content-type": MEDIA_TYPE, **headers}.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        left = int(headers["content-length"])
        async with _hanging_up(receive) as gone:
            while piece and not gone.done():
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
                piece = await self._next(pieces) if left else b""

    async def _next(self, pieces: Iterator[bytes]) -> bytes:
        return bytes(await self._work(lambda: next(pieces, b"")))

    def _etag(self, path: str, size: int) -> str:
        found = ROUTE.search(path)
        name = found.group() if found else path
        return f'"{blake2b(f"{self._edition} {name} {size}".encode(), digest_size=12).hexdigest()}"'


def cog_size(item: SandboxItem, key: str) -> int:
    """Return the length of a layer's file [bytes], without making a pixel.

    Raises:
        LookupError: The item has no such layer.
    """
    return _layout(item, key).size


def asset_path(item: SandboxItem, key: str) -> str:
    """Return where a layer's file is served, below the endpoint's mount point."""
    return f"/assets/{item.collection}/{item.id}/{key}.tif"


def _layout(item: SandboxItem, key: str) -> CogLayout:
    layer = item.layers[key]
    # One tile, one cell: a small window of a coarse layer then costs as little as of a fine one.
    cell = item.cell // layer.ratio
    block = cell if cell >= BLOCK_STEP and cell % BLOCK_STEP == 0 else CELL
    return cog_layout(item.grid(key), layer.dtype, layer.nodata, block)


def _matches(condition: str, etag: str) -> bool:
    return etag in (part.strip().removeprefix("W/") for part in condition.split(","))


def _range(scope: Scope, size: int, etag: str) -> tuple[int, int] | None:
    """Return the wanted bytes `[start, stop)`; None for all, `(0, 0)` when there are none such."""
    found = RANGE.match(header(scope, "range").replace(" ", ""))
    if found is None or found.groups() == ("", "") or scope["method"] != "GET":
        return None
    if header(scope, "if-range") not in ("", etag):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if first and last and int(last) < int(first):
        return None
    return (start, stop) if start < stop else (0, 0)


@asynccontextmanager
async def _hanging_up(receive: Receive) -> Any:
    """Listen while a body is sent; yield a task that is done when the client has gone."""
    listener = asyncio.ensure_future(disconnected(receive))
    try:
        yield listener
    finally:
        listener.cancel()
