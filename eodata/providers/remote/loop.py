"""The thread in which requests wait: one event loop per process, started when it is needed.

Connections are closed when the process ends; a forked child leaves those of its parent alone.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Close = Callable[[], Awaitable[None]]

CLOSE_S = 2.0
"""Longest wait for connections to close when the process ends [s]."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the background loop and wait for its result.

    Any thread but the loop's own may call it. When the caller is interrupted, the work is
    cancelled.
    """
    future = None
    try:
        future = asyncio.run_coroutine_threadsafe(work, background())
        return future.result()
    except BaseException:
        if future is not None:
            future.cancel()
        raise


def background() -> asyncio.AbstractEventLoop:
    """Return this process's loop; a forked child gets its own."""
    with _Background.lock:
        if _Background.current is None:
            _Background.current = _Background.start()
        return _Background.current.loop


def give_up() -> None:
    """Cancel all requests of this process; who waits for one gets an error that waiting may mend.

    Any thread may call it, and a signal handler.
    """
    current = _Background.current
    if current is not None:
        current.loop.call_soon_threadsafe(current.cancel)


def close_at_exit(close: Close) -> None:
    """Have something closed when the process ends; called in the loop."""
    if _Background.current is not None:
        _Background.current.open.add(close)


def close_soon(close: Close) -> None:
    """Close in the loop what nobody uses any longer, without waiting; for any thread."""
    current = _Background.current
    if current is not None and close in current.open:
        current.open.discard(close)
        with suppress(RuntimeError):
            # The loop may have ended meanwhile.
            current.loop.call_soon_threadsafe(lambda: current.loop.create_task(_awaited(close)))


@dataclass(slots=True, eq=False)
class _Loop:
    """A loop, its thread, and what is open in it."""

    loop: asyncio.AbstractEventLoop
    selector: selectors.BaseSelector
    thread: threading.Thread
    open: set[Close] = field(default_factory=set)

    def stop(self) -> None:
        """Cancel what runs, close what is open, end the thread; bounded in time."""
        closing = asyncio.run_coroutine_threadsafe(self._close(), self.loop)
        with suppress(concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            closing.result(CLOSE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(CLOSE_S)
        if not self.thread.is_alive():
            self.loop.close()

    def cancel(self) -> None:
        """Cancel what runs; called in the loop."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()

    async def _close(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(close() for close in self.open), return_exceptions=True)


class _Background:
    """The loop of this process."""

    lock = threading.Lock()
    current: _Loop | None = None
    of_parents: list[_Loop] = []  # noqa: RUF012 (one per process, as the class is)
    """Kept, because their connections would say goodbye when they are dropped."""

    @classmethod
    def start(cls) -> _Loop:
        selector = selectors.DefaultSelector()
        loop = asyncio.SelectorEventLoop(selector)
        name = f"eodata-requests-{os.getpid()}"
        thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
        thread.start()
        return _Loop(loop, selector, thread)

    @classmethod
    def stop(cls) -> None:
        with cls.lock:
            current, cls.current = cls.current, None
        if current is not None:
            current.stop()

    @classmethod
    def forget(cls) -> None:
        """Start anew in a forked child: the parent's thread is not here, its sockets are shared."""
        cls.lock = threading.Lock()
        if cls.current is not None:
            # The child's copy only; else the child would take sockets out of the parent's one.
            cls.current.selector.close()
            cls.of_parents.append(cls.current)
            cls.current = None


async def _awaited(close: Close) -> None:
    await close()


atexit.register(_Background.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Background.forget)
