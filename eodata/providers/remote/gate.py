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

PATIENCE_REQUESTS = 12
"""So many failures in a row, without one success, mean that the endpoint is down; where more
requests are under way at once, two failures of each: failures are faster than successes."""
COOL_DOWN_S = 30.0
"""For how long a broken endpoint is left alone before one request tries it again [s]."""
LONGEST_PAUSE_S = 60.0
"""For as long we wait when the endpoint asks for it; longer pauses are for people to decide [s]."""


class DownError(ProviderError):
    """The endpoint seems to be down: a request was refused here, without being made."""


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
        self._patience = max(PATIENCE_REQUESTS, 2 * in_flight)
        self._failures = 0
        self._last_failure = ""
        self._closed_until = 0.0
        self._paused_until = 0.0

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            await self._wait_for_pause()
            self._refuse_while_down()
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
        if kind is None or (isinstance(error, ProviderError) and _is_alive(error)):
            self._failures, self._closed_until = 0, 0.0
        elif isinstance(error, ProviderError):
            self._note_failure(error)

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

    def _refuse_while_down(self) -> None:
        left = self._closed_until - self._clock()
        if left > 0:
            raise DownError(
                self.name,
                f"the last {self._failures} requests failed: it seems to be down",
                f"the last one met: {self._last_failure}. It is left alone for {left:.0f} s.",
                "Run the same command again later.",
                retryable=True,
                retry_after=left,
            )
        if self._failures >= self._patience:
            # One request goes and tries; the others wait for what it finds.
            self._closed_until = self._clock() + COOL_DOWN_S

    def _note_failure(self, error: ProviderError) -> None:
        self._failures += 1
        said = (error.found, error.because)
        self._last_failure = ": ".join(part.rstrip(".") for part in said if part)
        if self._failures == self._patience:
            self._closed_until = self._clock() + COOL_DOWN_S


def _is_alive(error: ProviderError) -> bool:
    """Return True for a considered answer: slow down, log in, there is no such file."""
    return not error.retryable or isinstance(error, QuotaError)
