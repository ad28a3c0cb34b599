"""How hard one project's Earth Engine is asked: one governor per process, shared by all threads.

It keeps the number of requests under way at what the quota carries (`limit`), makes a request again
when waiting may mend it, and leaves a server alone that answers nothing at all.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from eodata.core.errors import ProviderError, QuotaError
from eodata.core.retry import RetryPolicy
from eodata.providers.earthengine.limit import End, Limit, Place

REQUESTS = RetryPolicy(attempts=7, first_delay=0.25, longest_delay=60.0)
PATIENCE_REQUESTS = 12
"""So many failures in a row, without one answer, mean that the server is down."""
COOL_DOWN_S = 30.0
"""For how long it is left alone then, before one request tries it again [s]."""
T = TypeVar("T")


@dataclass(slots=True)
class Traffic:
    """What a piece of work cost; threads may share it.

    Attributes:
        requests: Requests made, attempts that failed included.
        retried: Attempts that failed and were made again.
    """

    requests: int = 0
    retried: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, *, requests: int = 0, retried: int = 0) -> None:
        """Add to what it cost."""
        with self._lock:
            self.requests += requests
            self.retried += retried


class Governor:
    """Lets requests through. Threads share it.

    Args:
        name: Of the server, for messages.
        most: Requests at once that the quota allows.
        policy: When a request is made again.
        clock: Seconds; monotonic.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        name: str,
        most: int,
        policy: RetryPolicy = REQUESTS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._limit = Limit(most)
        self._policy, self._clock, self._sleep = policy, clock, sleep
        self._changed = threading.Condition()
        self._failures, self._closed_until = 0, 0.0

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return self._limit.limit

    def run(self, request: Callable[[], T], traffic: Traffic) -> T:
        """Make a request until it succeeds, fails for good, or was made often enough.

        Raises:
            ProviderError: What the last attempt raised.
        """
        attempt = 1
        while True:
            # A server that is down is the executor's business: nobody waits for it in here.
            place = self._begin()
            try:
                return self._once(place, request, traffic)
            except ProviderError as error:
                asked = error.retry_after
                is_too_long = asked is not None and asked > self._policy.longest_delay
                if not error.retryable or is_too_long or self._policy.is_last(attempt):
                    raise
                delay = self._policy.delay(error, attempt)
            traffic.note(retried=1)
            self._sleep(_drawn(delay, asked))
            attempt += 1

    def _once(self, place: Place, request: Callable[[], T], traffic: Traffic) -> T:
        traffic.note(requests=1)
        # Ctrl-C and the like, and what is a bug of ours, tell nothing of the server.
        how = End.FAILED
        try:
            answer = request()
            how = End.SERVED
        except ProviderError as error:
            how = _told_by(error)
            raise
        finally:
            self._end(place, how)
        return answer

    def _begin(self) -> Place:
        with self._changed:
            self._changed.wait_for(lambda: self._limit.is_open)
            self._refuse_while_down()
            return self._limit.begin()

    def _end(self, place: Place, how: End) -> None:
        with self._changed:
            self._limit.end(place, how)
            if how is End.FAILED:
                self._failures += 1
            else:
                self._failures, self._closed_until = 0, 0.0
            if self._failures == PATIENCE_REQUESTS:
                self._closed_until = self._clock() + COOL_DOWN_S
            self._changed.notify_all()

    def _refuse_while_down(self) -> None:
        left = self._closed_until - self._clock()
        if left > 0:
            raise ProviderError(
                self.name,
                f"the last {self._failures} requests failed: it seems to be down",
                f"it is left alone for {left:.0f} s.",
                "Run the same command again later.",
                retryable=True,
                retry_after=left,
            )
        if self._failures >= PATIENCE_REQUESTS:
            # One request goes and tries; the others wait for what it finds.
            self._closed_until = self._clock() + COOL_DOWN_S


def _told_by(error: ProviderError) -> End:
    if not error.retryable:
        return End.SERVED
    return End.REFUSED if isinstance(error, QuotaError) else End.FAILED


def _drawn(delay: float, asked: float | None) -> float:
    """Return a delay that differs, so that those who failed together do not return together [s].

    Nobody returns before the time that the server asked for.
    """
    part = random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
    return delay * (part if asked is None else part + 0.5)
