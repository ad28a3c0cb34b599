"""A cache of byte strings, bounded in bytes, that makes each one once however many threads ask."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock


class TileCache:
    """The most recently used byte strings by key. Threads may share it."""

    def __init__(self, room: int = 256 * 2**20) -> None:
        """Keep at most `room` bytes."""
        self.room = room
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._in_work: dict[Hashable, Future[bytes]] = {}
        self._used = 0

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the bytes of a key, from memory, from another thread's work, or made now.

        What `make` raises reaches everybody who waits; the next who asks tries again.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            work = self._in_work.get(key)
            mine = work is None
            if work is None:
                work = self._in_work[key] = Future()
        return self._make(key, make, work) if mine else work.result()

    @property
    def used(self) -> int:
        """Return how many bytes are kept."""
        return self._used

    def _make(self, key: Hashable, make: Callable[[], bytes], work: Future[bytes]) -> bytes:
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                del self._in_work[key]
            work.set_exception(error)
            raise
        with self._lock:
            self._keep(key, made)
            del self._in_work[key]
        work.set_result(made)
        return made

    def _keep(self, key: Hashable, made: bytes) -> None:
        if len(made) > self.room:
            return
        self._kept[key] = made
        self._used += len(made)
        while self._used > self.room:
            _, oldest = self._kept.popitem(last=False)
            self._used -= len(oldest)
