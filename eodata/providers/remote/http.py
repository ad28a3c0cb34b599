"""Ranges of files over HTTP: one request, one answer, every defect an error.

Nothing is retried here, but for aiohttp, which asks once more when a connection was reset before
the answer: it may merely have been idle for too long.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from eodata.core.errors import ProviderError
from eodata.providers.remote.addresses import cleaned, without_secrets
from eodata.providers.remote.failures import broken_off, no_ranges, refusal, unusable

CONNECT_S = 10.0
"""Patience for a connection [s]."""
TOTAL = 10
"""So many times the patience without a byte is the patience for a whole answer."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_BEYOND = re.compile(r"bytes \*/(\d+)")
_UNUSABLE = (
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.TooManyRedirects,
    aiohttp.ClientConnectorCertificateError,
)
_BROKEN = (aiohttp.ClientError, TimeoutError, ConnectionError)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file.

    Attributes:
        data: The bytes.
        size: Size of the whole file [bytes]; None when the server does not tell.
    """

    data: bytes
    size: int | None


class Http:
    """Connections to one endpoint's servers. Lives in the background loop.

    Args:
        in_flight: Connections at once.
        patience: Seconds without a byte after which a request is given up.
    """

    def __init__(self, in_flight: int, patience: float) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=in_flight),
            timeout=aiohttp.ClientTimeout(
                total=TOTAL * patience, sock_connect=min(CONNECT_S, patience), sock_read=patience
            ),
            # Tiles are compressed already, and a range of a compressed answer means nothing.
            headers={"Accept-Encoding": "identity", "User-Agent": "eodata"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
        )

    async def piece(self, url: str, start: int, stop: int) -> Piece:
        """Fetch bytes `[start, stop)`; fewer where the file ends before, none beyond its end.

        Raises:
            ProviderError: Any other answer, or none.
        """
        where = without_secrets(url)
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        try:
            async with self._session.get(url, headers=headers) as answer:
                if answer.status == HTTPStatus.OK:
                    raise no_ranges(where)
                if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return _beyond(where, answer, start)
                if answer.status != HTTPStatus.PARTIAL_CONTENT:
                    raise refusal(where, answer.status, answer.headers.get("Retry-After"))
                return await _checked(where, answer, start, stop)
        except _UNUSABLE as error:
            raise unusable(where, type(error).__name__) from None
        except _BROKEN as error:
            raise broken_off(where, _told(error)) from None

    async def json(self, url: str) -> dict[str, Any]:
        """Fetch a JSON object.

        Raises:
            ProviderError: Any other answer, or none.
        """
        where = without_secrets(url)
        try:
            async with self._session.get(url) as answer:
                if answer.status != HTTPStatus.OK:
                    raise refusal(where, answer.status, answer.headers.get("Retry-After"))
                found = await answer.json(content_type=None)
        except _UNUSABLE as error:
            raise unusable(where, type(error).__name__) from None
        except _BROKEN as error:
            raise broken_off(where, _told(error)) from None
        except ValueError:
            raise broken_off(where, "the answer is no JSON") from None
        if not isinstance(found, dict):
            raise ProviderError(where, "the answer is no JSON object", "", "Report it.")
        return found

    async def close(self) -> None:
        """Give the connections back."""
        await self._session.close()


async def _checked(where: str, answer: aiohttp.ClientResponse, start: int, stop: int) -> Piece:
    """Compare what comes with what was asked for and what the server says that it sends."""
    told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if told is None:
        raise broken_off(where, "the answer does not say which bytes it holds")
    first, end = int(told[1]), int(told[2]) + 1
    # Who tells no size tells it by ending early.
    size = int(told[3]) if told[3] != "*" else end if end < stop else None
    wanted = stop if size is None else min(stop, size)
    if (first, end) != (start, wanted):
        raise broken_off(where, f"bytes {first}-{end} came, {start}-{wanted} were asked for")
    data = await _body(answer, wanted - start)
    if len(data) != wanted - start:
        raise broken_off(where, f"{len(data)} bytes came, {wanted - start} were asked for")
    return Piece(data, size)


async def _body(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body, or a little more than wanted of one that is too long."""
    parts, n_bytes = [], 0
    async for part in answer.content.iter_any():
        parts.append(part)
        n_bytes += len(part)
        if n_bytes > most:
            break
    return b"".join(parts)


def _beyond(where: str, answer: aiohttp.ClientResponse, start: int) -> Piece:
    """Return no bytes and the size of a file that ends before the range begins."""
    told = _BEYOND.fullmatch(answer.headers.get("Content-Range", ""))
    if told is None or start < int(told[1]):
        raise refusal(where, answer.status)
    return Piece(b"", int(told[1]))


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "nothing came for too long"
    return cleaned(str(error) or type(error).__name__)
