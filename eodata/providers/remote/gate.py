"""How many requests of an endpoint may be under way, and when none may.

One gate per endpoint and process; all workers go through it. Used in the background loop alone, so
it needs no locks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType

from eodata.core.errors import ProviderError, QuotaError
from eodata.providers.breaker import Breaker

LONGEST_PAUSE_S = 60.0
"""For as long we wait when the endpoint asks for it; longer pauses are for people to decide [s]."""


class Gate:
    """Admits requests: `async with gate: …`.

    A circuit breaker is part of it: when the last requests all failed in a way that waiting may
    mend, further ones are refused at once, and after a while a single one is let through to try.

    Args:
        name: Of the endpoint, for messages.
        in_flight: Requests at once.
        clock: Seconds; monotonic.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        name: str,
        in_flight: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self._slots = asyncio.Semaphore(in_flight)
        self._clock, self._sleep = clock, sleep
        self._breaker = Breaker(name, in_flight, clock)
        self._paused_until = 0.0

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            await self._wait_for_pause()
            self._breaker.check()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._slots.release()
        if isinstance(error, ProviderError) and error.retryable:
            self._pause(error.retry_after or 0.0)
        if kind is None:
            self._breaker.served()
        elif isinstance(error, ProviderError):
            self._breaker.failed(error)

    def _pause(self, seconds: float) -> None:
        """Let nobody begin for a while: the endpoint asked for it."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def _wait_for_pause(self) -> None:
        while (left := self._paused_until - self._clock()) > 0:
            if left > LONGEST_PAUSE_S:
                raise QuotaError(
                    self.name,
                    f"it wants no requests for {left:.0f} s",
                    "",
                    "Run the same command again then.",
                    retryable=True,
                    retry_after=left,
                )
            await self._sleep(left)
