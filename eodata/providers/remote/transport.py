"""One endpoint's files: address, token, gate, and attempts at each request.

A request that failed in a way that waiting may mend is asked again here, since a task is made of
hundreds of them: were each one's failure the task's, a task would hardly ever end at one failure
in a hundred. What still fails after that is the executor's business.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import TypeVar

from eodata.core.endpoint import Endpoint
from eodata.core.errors import AuthError, ProviderError
from eodata.core.retry import RetryPolicy
from eodata.providers.breaker import DownError, drawn
from eodata.providers.remote.failures import given_up
from eodata.providers.remote.gate import Gate
from eodata.providers.remote.http import Http, Piece
from eodata.providers.remote.loop import background, close_at_exit, close_soon, run
from eodata.providers.remote.object_store import ObjectStores
from eodata.providers.remote.ranges import Range
from eodata.providers.remote.tokens import Tokens

REQUESTS = RetryPolicy(attempts=6, first_delay=0.25, longest_delay=60.0)
MOST_REFUSALS = 5
"""So many tokens may be refused for one request; who refuses the next one means the file."""
T = TypeVar("T")


@dataclass(slots=True)
class Traffic:
    """What a piece of work cost.

    Attributes:
        requests: Requests made, attempts that failed included.
        retried: Attempts that failed and were made again.
        bytes: Bytes received.
    """

    requests: int = 0
    retried: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is.

    Attributes:
        url: http(s):// or s3://, without a token.
        collection: The archive's name of the collection: tokens are per collection.
        requester_pays: The reader's account is charged for the bytes.
    """

    url: str
    collection: str
    requester_pays: bool = False


class Transport:
    """Fetches parts of an endpoint's files. Threads may share it; one per endpoint and process.

    Args:
        endpoint: Row of the table.
        share: Share of the endpoint's requests at once that this process may use, in (0, 1].
        policy: When a request is made again.
    """

    def __init__(
        self, endpoint: Endpoint, share: float = 1.0, policy: RetryPolicy = REQUESTS
    ) -> None:
        self.endpoint = endpoint
        self.in_flight = max(1, int(endpoint.in_flight * share))
        self._policy = policy
        self._line: _Line | None = None

    def fetch(self, wanted: list[tuple[Address, Range]], traffic: Traffic) -> list[Piece]:
        """Fetch ranges of files, many at once; in the order asked for.

        Raises:
            ProviderError: One of them cannot be had; the others are given up.
        """
        try:
            return run(self._fetch(wanted, traffic))
        except CancelledError:
            raise given_up(self.endpoint.name) from None

    def begin(
        self, wanted: Iterable[tuple[Address, Range]], traffic: Traffic
    ) -> list[Future[Piece]]:
        """Begin to fetch ranges of files, many at once, the first asked for first.

        Who waits for one gets what `fetch` would give or raise; who gives up cancels the others.
        """
        loop = background()
        return [
            asyncio.run_coroutine_threadsafe(self._piece(*one, traffic), loop) for one in wanted
        ]

    async def _piece(self, address: Address, part: Range, traffic: Traffic) -> Piece:
        return await self._open().piece(address, part, traffic)

    async def _fetch(self, wanted: list[tuple[Address, Range]], traffic: Traffic) -> list[Piece]:
        line = self._open()
        tasks = [asyncio.ensure_future(line.piece(*one, traffic)) for one in wanted]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def _open(self) -> _Line:
        """Return the connections; called in the loop, so two never open at once."""
        if self._line is None or self._line.pid != os.getpid():
            self._line = _Line(self.endpoint, self.in_flight, self._policy)
            close_at_exit(self._line.close)
            weakref.finalize(self, close_soon, self._line.close).atexit = False
        return self._line


class _Line:
    """The connections of one endpoint, in the background loop."""

    def __init__(self, endpoint: Endpoint, in_flight: int, policy: RetryPolicy) -> None:
        self.pid = os.getpid()
        self._policy = policy
        self._gate = Gate(endpoint.name, in_flight)
        self._http = Http(in_flight, endpoint.patience)
        self._stores = ObjectStores(endpoint)
        self._tokens = (
            Tokens(endpoint, endpoint.token, self._ask) if endpoint.token is not None else None
        )

    async def piece(self, address: Address, part: Range, traffic: Traffic) -> Piece:
        """Fetch one range, in as many attempts as it may take."""
        if address.url.startswith("s3://"):
            piece = await self._attempts(lambda: self._stores.piece(address, part), traffic)
        elif self._tokens is None:
            piece = await self._over_http(address.url, part, traffic)
        else:
            piece = await self._signed(self._tokens, address, part, traffic)
        traffic.bytes += len(piece.data)
        return piece

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()

    async def _over_http(self, url: str, part: Range, traffic: Traffic) -> Piece:
        return await self._attempts(lambda: self._http.piece(url, *part), traffic)

    async def _signed(
        self, tokens: Tokens, address: Address, part: Range, traffic: Traffic
    ) -> Piece:
        """Fetch one range with a token; one that is refused is replaced by a new one.

        Archives may hand out the same token again for a second, so there is a pause between two.
        """
        signed = await tokens.sign(address.url, address.collection)
        for number in range(MOST_REFUSALS if signed != address.url else 0):
            try:
                return await self._over_http(signed, part, traffic)
            except AuthError as error:
                delay = self._policy.delay(error, number + 1)
            traffic.retried += 1
            await asyncio.sleep(drawn(delay, None))
            tokens.forget(address.collection, signed)
            signed = await tokens.sign(address.url, address.collection)
        return await self._over_http(signed, part, traffic)

    async def _ask(self, url: str) -> dict[str, object]:
        return await self._attempts(lambda: self._http.json(url), Traffic())

    async def _attempts(self, request: Callable[[], Awaitable[T]], traffic: Traffic) -> T:
        """Make a request until it succeeds, fails for good, or was made often enough."""
        attempt = 1
        while True:
            try:
                return await self._once(request, traffic)
            except ProviderError as error:
                asked = error.retry_after
                is_too_long = asked is not None and asked > self._policy.longest_delay
                is_down = isinstance(error, DownError)  # waiting is the executor's: it has others
                is_last = is_down or is_too_long or self._policy.is_last(attempt)
                if not error.retryable or is_last:
                    raise
                delay = self._policy.delay(error, attempt)
            traffic.retried += 1
            await asyncio.sleep(drawn(delay, asked))
            attempt += 1

    async def _once(self, request: Callable[[], Awaitable[T]], traffic: Traffic) -> T:
        async with self._gate:
            traffic.requests += 1
            return await request()
