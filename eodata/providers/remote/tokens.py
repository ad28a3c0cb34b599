"""Tokens that open files for a while: fetched once per collection, renewed before they expire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from eodata.core.endpoint import Endpoint, TokenRule
from eodata.core.errors import ProviderError
from eodata.providers.remote.addresses import needs_token, origin

SPARE_SHARE = 0.1
"""A token is renewed when less than this share of its life is left: downloads take time."""

Ask = Callable[[str], Awaitable[dict[str, Any]]]
"""From a URL to the JSON that lies there."""


@dataclass(frozen=True, slots=True)
class _Token:
    query: str
    renew_at: float


class Tokens:
    """The tokens of one endpoint. Used in the background loop alone.

    They live in memory only, and only the endpoint's own hosts get to see them.

    Args:
        endpoint: Whose files; it has a `token` rule.
        rule: The rule.
        ask: Fetches JSON.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        rule: TokenRule,
        ask: Ask,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint, self._rule, self._ask, self._clock = endpoint, rule, ask, clock
        self._known: dict[str, _Token] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def sign(self, url: str, collection: str) -> str:
        """Return the URL that opens; of foreign hosts the URL as it is.

        Raises:
            ProviderError: No token can be had.
        """
        if not needs_token(self._endpoint, url):
            return url
        token = await self._token(collection)
        return f"{url}{'&' if '?' in url else '?'}{token.query}"

    def forget(self, collection: str, signed: str) -> None:
        """Drop a token that was refused, unless it has been renewed meanwhile."""
        token = self._known.get(collection)
        if token is not None and signed.endswith(token.query):
            del self._known[collection]

    async def _token(self, collection: str) -> _Token:
        async with self._locks.setdefault(collection, asyncio.Lock()):
            token = self._known.get(collection)
            if token is None or self._clock() >= token.renew_at:
                token = self._known[collection] = await self._fetch(collection)
            return token

    async def _fetch(self, collection: str) -> _Token:
        path = self._rule.path.format(collection=quote(collection, safe=""))
        now = self._clock()
        answer = await self._ask(origin(self._endpoint.url) + path)
        try:
            query, expiry = answer["token"], datetime.fromisoformat(answer["msft:expiry"])
        except (KeyError, TypeError, ValueError):
            raise ProviderError(
                self._endpoint.name,
                f"{path} gives no token",
                "the answer lacks `token` or `msft:expiry`.",
                "Correct the endpoint's row, or report it to the archive.",
            ) from None
        expiry = expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)
        life = max(0.0, expiry.timestamp() - now)
        return _Token(str(query), now + life * (1 - SPARE_SHARE))
