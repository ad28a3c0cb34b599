"""How hard one project's Earth Engine is asked: one governor per process, shared by all threads.

It keeps the number of requests under way at what the quota carries (`limit`), makes a request again
when waiting may mend it, and leaves a server alone that answers nothing at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from eodata.core.errors import ProviderError, QuotaError
from eodata.core.retry import RetryPolicy
from eodata.providers.breaker import Breaker, drawn
from eodata.providers.earthengine.limit import End, Limit, Place

REQUESTS = RetryPolicy(attempts=7, first_delay=0.25, longest_delay=60.0)
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
        self._breaker = Breaker(name, most, clock)

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
            self._sleep(drawn(delay, asked))
            attempt += 1

    def _once(self, place: Place, request: Callable[[], T], traffic: Traffic) -> T:
        traffic.note(requests=1)
        try:
            answer = request()
        except BaseException as error:
            self._end(place, error)
            raise
        self._end(place, None)
        return answer

    def _begin(self) -> Place:
        with self._changed:
            self._changed.wait_for(lambda: self._limit.is_open)
            self._breaker.check()
            return self._limit.begin()

    def _end(self, place: Place, error: BaseException | None) -> None:
        with self._changed:
            self._limit.end(place, _told_by(error))
            if error is None:
                self._breaker.served()
            elif isinstance(error, ProviderError):
                self._breaker.failed(error)
            self._changed.notify_all()


def _told_by(error: BaseException | None) -> End:
    """Return what an end tells of the limit; Ctrl-C and a bug of ours tell nothing."""
    if error is None:
        return End.SERVED
    if not isinstance(error, ProviderError):
        return End.FAILED
    if not error.retryable:
        return End.SERVED
    return End.REFUSED if isinstance(error, QuotaError) else End.FAILED
