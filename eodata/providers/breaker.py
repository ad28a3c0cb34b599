"""When a server counts as down, and how long who failed waits: the same for every transport."""

from __future__ import annotations

import random
from collections.abc import Callable

from eodata.core.errors import ProviderError, QuotaError

PATIENCE_REQUESTS = 12
"""So many failures in a row, without one success, mean that the server is down; where more
requests are under way at once, two failures of each: failures are faster than successes."""
COOL_DOWN_S = 30.0
"""For how long a broken server is left alone before one request tries it again [s]."""


class DownError(ProviderError):
    """The server seems to be down: a request was refused here, without being made."""


class Breaker:
    """Refuses requests to a server whose last ones all failed, until one has tried it again.

    Who shares it among threads locks it.

    Args:
        name: Of the server, for messages.
        in_flight: Requests that may be under way at once.
        clock: Seconds; monotonic.
    """

    def __init__(self, name: str, in_flight: int, clock: Callable[[], float]) -> None:
        self._name, self._clock = name, clock
        self._patience = max(PATIENCE_REQUESTS, 2 * in_flight)
        self._failures, self._last, self._closed_until = 0, "", 0.0

    def check(self) -> None:
        """Let a request through, or not.

        Raises:
            DownError: The server is left alone for a while.
        """
        left = self._closed_until - self._clock()
        if left > 0:
            raise DownError(
                self._name,
                f"the last {self._failures} requests failed: it seems to be down",
                f"the last one met: {self._last}. It is left alone for {left:.0f} s.",
                "Run the same command again later.",
                retryable=True,
                retry_after=left,
            )
        if self._failures >= self._patience:
            # One request goes and tries; the others wait for what it finds.
            self._closed_until = self._clock() + COOL_DOWN_S

    def served(self) -> None:
        """Take note of an answer, a considered refusal included."""
        self._failures, self._closed_until = 0, 0.0

    def failed(self, error: ProviderError) -> None:
        """Take note of an error.

        A considered answer tells that the server is there: slow down, log in, no such file.
        """
        if not error.retryable or isinstance(error, QuotaError):
            self.served()
            return
        self._failures += 1
        self._last = ": ".join(p.rstrip(".") for p in (error.found, error.because) if p)
        if self._failures == self._patience:
            self._closed_until = self._clock() + COOL_DOWN_S


def drawn(delay: float, asked: float | None) -> float:
    """Return a delay that differs, so that those who failed together do not return together [s].

    Args:
        delay: Before the next attempt [s].
        asked: What the server asked to wait, None when it asked for nothing; nobody returns before.
    """
    part = random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
    return delay * (part if asked is None else part + 0.5)
