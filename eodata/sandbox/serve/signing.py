"""Signed URLs that expire, as Planetary Computer hands them out.

A token is the query of a URL and opens all files of one collection until it expires. Like the
shared access signatures of the real archive it says from when to when it holds (`st`, `se`), for
what (`sr`, `sp`) and is signed (`sig`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

LIFETIME_S = 2700.0
"""For how long a token holds [s]."""
Verdict = Literal["ok", "expired", "missing"]
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"
_REASONS = {
    "missing": "the URL is not signed for this collection; ask the sas endpoint for a token",
    "expired": "the signature has expired; ask for a new token",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        query: What is appended to URLs after `?`.
        expiry: Until when it holds.
    """

    query: str
    expiry: datetime

    @property
    def until(self) -> str:
        """When it expires, as the endpoint says it."""
        return self.expiry.strftime(_SECONDS)


class Signer:
    """Signs URLs and checks them. Threads may share it.

    Attributes:
        lifetime: For how long a token holds [s].
    """

    def __init__(
        self,
        key: bytes = b"eodata sandbox",
        lifetime: float = LIFETIME_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Sign with a key.

        Args:
            key: Servers with the same key accept each other's tokens.
            lifetime: For how long a token holds [s]; whole seconds count.
            clock: Seconds since 1970.
        """
        self.lifetime = lifetime
        self._key = key
        self._clock = clock

    def token(self, collection: str) -> Token:
        """Return a new token for a collection."""
        now = int(self._clock())
        start, expiry = (datetime.fromtimestamp(t, UTC) for t in (now, now + int(self.lifetime)))
        words = {
            "st": start.strftime(_SECONDS),
            "se": expiry.strftime(_SECONDS),
            "sp": "rl",
            "sr": "c",
        }
        words["sig"] = self._signature(collection, words["st"], words["se"])
        return Token(urlencode(words), expiry)

    def sign(self, url: str) -> tuple[str, Token]:
        """Return a URL that works, and its token; what the URL had as a query is replaced.

        Raises:
            LookupError: The URL is none of an asset.
        """
        token = self.token(_collection(urlsplit(url).path))
        return urlsplit(url)._replace(query=token.query).geturl(), token

    def check(self, url: str) -> Verdict:
        """Return what the signature of a URL is worth; a wrong one is as good as none."""
        parts = urlsplit(url)
        words = {key: values[0] for key, values in parse_qs(parts.query).items()}
        try:
            right = self._signature(_collection(parts.path), words["st"], words["se"])
            until = datetime.strptime(words["se"], _SECONDS).replace(tzinfo=UTC)
        except (LookupError, ValueError):
            return "missing"
        if not hmac.compare_digest(right.encode(), words.get("sig", "").encode()):
            return "missing"
        return "ok" if self._clock() < until.timestamp() else "expired"

    def admit(self, path: str, query: str) -> str | None:
        """Return why a request for a file is refused, None when it is not."""
        return _REASONS.get(self.check(f"{path}?{query}"))

    def _signature(self, collection: str, start: str, expiry: str) -> str:
        said = "\n".join((collection, start, expiry)).encode()
        return base64.b64encode(hmac.new(self._key, said, hashlib.sha256).digest()).decode()


def _collection(path: str) -> str:
    """Return the collection in …/assets/COLLECTION/ITEM/KEY.tif.

    Raises:
        LookupError: The path is none of an asset.
    """
    parts = path.rstrip("/").split("/")
    if len(parts) < 4 or parts[-4] != "assets":
        raise LookupError(f"{path} is no path of an asset")
    return parts[-3]
