"""A file whose bytes come by ranges, as GDAL reads it: fetched beforehand where that is known.

GDAL gets a Python file object per open file. What it asks for is served from what was fetched; the
rest (a long header, a JPEG 2000 codestream) is fetched while it waits. An error must not leave the
file object, since GDAL would print and drop it: it is kept, and the reader asks for it.
"""

from __future__ import annotations

import io
import itertools
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Self

from eodata.core.errors import ProviderError
from eodata.providers.remote.failures import given_up
from eodata.providers.remote.http import Piece
from eodata.providers.remote.ranges import LARGEST, Range, merged
from eodata.providers.remote.transport import Address, Traffic, Transport

HEAD_BYTES = 32 * 1024
"""Holds the tables of a Sentinel-2 GeoTIFF with all its overviews; longer ones take more reads."""
READ_AHEAD = 64 * 1024
"""Least that is fetched when something was not foreseen [bytes]."""
HEADS_KEPT = 2048
"""Heads of files in memory: 64 MiB."""
UNKNOWN_SIZE = 1 << 40


class ChangedError(OSError):
    """The file is another one than that whose beginning is here: the two must not be mixed."""


class Heads:
    """The beginnings of files, kept between reads: each block of an item needs them again.

    Threads may share it.

    Args:
        keep: Number of files.
    """

    def __init__(self, keep: int = HEADS_KEPT) -> None:
        self._keep = keep
        self._known: OrderedDict[str, Piece] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: str) -> Piece | None:
        """Return the head of a file, None when it is not known."""
        with self._lock:
            piece = self._known.get(url)
            if piece is not None:
                self._known.move_to_end(url)
            return piece

    def put(self, url: str, piece: Piece) -> None:
        """Keep the head of a file."""
        with self._lock:
            self._known[url] = piece
            self._known.move_to_end(url)
            while len(self._known) > self._keep:
                self._known.popitem(last=False)

    def forget(self, url: str) -> None:
        """Drop the head of a file: it may have changed, or came damaged."""
        with self._lock:
            self._known.pop(url, None)


@dataclass(slots=True)
class RemoteBytes:
    """What is known of one file.

    Attributes:
        address: Where it is.
        transport: Fetches the rest.
        traffic: Counts requests.
        size: Of the file [bytes].
        error: What stopped the last fetch, None while all went well.
    """

    address: Address
    transport: Transport
    traffic: Traffic
    size: int = UNKNOWN_SIZE
    error: ProviderError | ChangedError | KeyboardInterrupt | None = None
    _starts: list[int] = field(default_factory=list)
    _pieces: list[bytes] = field(default_factory=list)

    def add(self, start: int, piece: Piece) -> None:
        """Take in what was fetched from byte `start` on.

        Raises:
            ChangedError: It is of a file of another size than what was taken in before.
        """
        if piece.size is not None:
            if self.size not in (UNKNOWN_SIZE, piece.size):
                raise ChangedError(
                    f"it had {self.size} bytes, and now has {piece.size}: it was replaced meanwhile"
                )
            self.size = piece.size
        at = bisect_right(self._starts, start)
        self._starts.insert(at, start)
        self._pieces.insert(at, piece.data)

    def missing(self, wanted: Iterable[Range]) -> list[Range]:
        """Return what must be fetched to have these ranges, merged to few requests."""
        return merged(r for r in wanted if self._find(*r) is None)

    def read(self, start: int, n_bytes: int) -> bytes:
        """Return bytes, fetched now if need be; fewer at the end of the file or after an error."""
        stop = start + n_bytes
        parts: list[bytes] = []
        while start < min(stop, self.size):
            end = min(stop, self.size, start + LARGEST)
            found = self._find(start, end)
            part = self._fetch(start, end) if found is None else found
            if not part:
                break
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _find(self, start: int, stop: int) -> bytes | None:
        """Return bytes that are here in one piece; later pieces are looked at first."""
        for at in range(bisect_right(self._starts, start) - 1, -1, -1):
            first, piece = self._starts[at], self._pieces[at]
            if stop <= first + len(piece):
                return piece[start - first : stop - first]
        return None

    def _fetch(self, start: int, stop: int) -> bytes:
        if self.error is not None:
            return b""
        end = min(max(stop, start + READ_AHEAD), self.size)
        try:
            (piece,) = self.transport.fetch([(self.address, (start, end))], self.traffic)
            self.add(start, piece)
        except (ProviderError, ChangedError, KeyboardInterrupt) as error:
            self.error = error
            return b""
        return piece.data[: stop - start]


class RemoteFile(io.RawIOBase):
    """A reading position in a remote file."""

    def __init__(self, content: RemoteBytes) -> None:
        super().__init__()
        self._content, self._position = content, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, and return it.

        Raises:
            ValueError: It would lie before the file.
        """
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._content.size}
        position = origin[whence] + offset
        if position < 0:
            raise ValueError(f"there is no byte {position}")
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the position on, and move it."""
        wanted = self._content.size - self._position if size < 0 else size
        data = self._content.read(self._position, wanted)
        self._position += len(data)
        return data


def load_heads(files: Iterable[RemoteBytes], heads: Heads) -> None:
    """Fetch the beginnings of files that are not known yet, all at once.

    Raises:
        ProviderError: One of them cannot be had.
    """
    unknown = []
    for file in files:
        head = heads.get(file.address.url)
        if head is None:
            unknown.append(file)
        else:
            file.add(0, head)
    if not unknown:
        return
    wanted = [(file.address, (0, HEAD_BYTES)) for file in unknown]
    pieces = unknown[0].transport.fetch(wanted, unknown[0].traffic)
    for file, piece in zip(unknown, pieces, strict=True):
        heads.put(file.address.url, piece)
        file.add(0, piece)


class Arrivals:
    """Parts of several files under way: decoding one begins while the others are still coming.

    A context manager: what nobody waited for is given up at its end.

    Args:
        wanted: Each file once, with the parts that will be needed; the first are fetched first.
    """

    def __init__(self, wanted: Iterable[tuple[RemoteBytes, list[Range]]]) -> None:
        self._coming: dict[str, list[tuple[Range, Future[Piece]]]] = {}
        for file, ranges in wanted:
            parts = file.missing(ranges)
            futures = file.transport.begin(((file.address, part) for part in parts), file.traffic)
            self._coming[file.address.url] = list(zip(parts, futures, strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _part, future in itertools.chain.from_iterable(self._coming.values()):
            future.cancel()

    def wait_for(self, file: RemoteBytes) -> None:
        """Take in the parts of one file.

        Raises:
            ProviderError: One of them cannot be had.
            ChangedError: One of them is of another file than the beginning.
        """
        coming = self._coming.get(file.address.url, [])
        while coming:
            (start, _), future = coming[0]
            try:
                file.add(start, future.result())
            except CancelledError:
                raise given_up(file.address.url) from None
            coming.pop(0)
