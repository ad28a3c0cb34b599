"""Cloud Optimized GeoTIFFs that exist nowhere: their bytes are computed when somebody asks.

The trick is a compression that does not compress. Tiles are zlib streams of *stored* blocks
(RFC 1950, 1951), whose length is known before their pixels are, and which end in an Adler-32, so
that readers notice a wrong byte. All tiles being equally long, the whole header, with the place
of every tile of every overview, follows from grid, dtype and nodata alone; and any range of bytes
is a piece of the header, or pieces of tiles that can be made one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.serve.cog_layout import CogLayout
from eodata.sandbox.serve.stored import stored
from eodata.sandbox.serve.tile_cache import TileCache

ReadWindow = Callable[[tuple[int, int], tuple[int, int], int], NDArray[np.generic]]
"""From rows, columns (first, last + 1) and factor of an overview to the numbers there."""


class VirtualCog:
    """One file that is computed on demand. Threads may share it."""

    def __init__(
        self, layout: CogLayout, read: ReadWindow, cache: TileCache, key: Hashable
    ) -> None:
        """Serve a file from the numbers that `read` returns.

        Args:
            layout: Of the file.
            read: Makes the numbers of a window; it is only asked for windows within the level.
            cache: Keeps tiles; files may share one.
            key: Tells this file from others in the cache.
        """
        self.layout = layout
        self._read = read
        self._cache = cache
        self._key = key

    @property
    def size(self) -> int:
        """Return the length of the file [bytes]."""
        return self.layout.size

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes `[start, stop)`, a tile or less at a time; each is made when due."""
        header, stream = self.layout.header, self.layout.stream
        if start < min(stop, len(header)):
            yield header[start:stop]
        at = max(start, len(header))
        while at < stop:
            number, skip = divmod(at - len(header), stream)
            piece = self._tile(number)[skip : skip + stop - at]
            yield piece
            at += len(piece)

    def _tile(self, number: int) -> bytes:
        return self._cache.get((self._key, number), lambda: stored(self._pixels(number)))

    def _pixels(self, number: int) -> bytes:
        level, row, col = self.layout.place(number)
        block = level.block
        rows = row * block, min((row + 1) * block, level.shape[0])
        cols = col * block, min((col + 1) * block, level.shape[1])
        part = self._read(rows, cols, level.factor)
        whole = np.full((block, block), self.layout.fill, self.layout.dtype)
        whole[: rows[1] - rows[0], : cols[1] - cols[0]] = part
        return whole.tobytes()
