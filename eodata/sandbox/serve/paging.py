"""Pages: so many items, and a token that says where the next page begins.

A token holds a place in the listing, not a state of the server: the same token gives the same page
today and tomorrow, on any server of the same world. Listings that were begun are kept for a while,
because going on is cheaper than beginning again somewhere in the middle.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from threading import Lock

from eodata.core.span import format_utc, parse_utc
from eodata.sandbox.serve.flavours.shape import LARGEST
from eodata.sandbox.serve.listing import Hit, Place
from eodata.sandbox.serve.refusals import RefusedError

KEPT = 32
"""Listings that are kept."""
SHORT_AFTER_S = 5.0
"""So long after the first item was looked at, a page that has something is given as it is, with a
link to the rest [s]."""
GIVEN_UP_AFTER_S = 30.0
"""After so long an empty page is refused: a client would take it for the end [s]."""

PageFault = Callable[[int, bool], str | None]
"""From the number of a page, counted from 1 over all clients, and whether more items are wanted
than a page may hold, to `duplicate`, `skip`, `limit` or None."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        hits: What is on it.
        last: Place after which the next page begins; None when there is no further page.
        start: Place after which this page begins; None for the first.
        again: The next page is this one once more, by fault.
    """

    hits: list[Hit]
    last: Place | None
    start: Place | None = None
    again: bool = False

    @property
    def matched(self) -> int | None:
        """How many items match, where the page tells: when it is the first and the last."""
        return len(self.hits) if self.start is None and self.last is None else None

    @property
    def next(self) -> str | None:
        """Token of the next page, None after the last."""
        if self.again:
            return token(self.start)
        return None if self.last is None else token(self.last)


class Ahead:
    """A listing that can tell whether there is more."""

    def __init__(self, hits: Iterator[Hit]) -> None:
        self._hits = hits

    def __iter__(self) -> Iterator[Hit]:
        return self

    def __next__(self) -> Hit:
        return next(self._hits)

    @property
    def more(self) -> bool:
        """True when at least one item follows; looks at it, but does not take it."""
        following = next(self._hits, None)
        if following is not None:
            self._hits = chain([following], self._hits)
        return following is not None


def token(place: Place | None) -> str:
    """Return the token of the page that begins after a place, None for the first page."""
    said = [] if place is None else [format_utc(place.time), place.collection, place.item]
    text = json.dumps(said, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_token(text: str | None) -> Place | None:
    """Return the place that a token stands for.

    Raises:
        RefusedError: It is none of ours.
    """
    if text is None:
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return None if said == [] else Place(parse_utc(said[0]), str(said[1]), str(said[2]))
    except (ValueError, TypeError, LookupError, AttributeError, binascii.Error):
        raise RefusedError(400, f'the token "{text[:80]}" is none of this server') from None


class Pages:
    """Cuts listings into pages. Threads may share it."""

    def __init__(
        self,
        fault: PageFault | None = None,
        clock: Callable[[], float] = time.monotonic,
        largest: int = LARGEST,
    ) -> None:
        self._fault = fault or (lambda *_: None)
        self._largest = largest
        self._clock = clock
        self._numbers = count(1)
        self._begun: OrderedDict[tuple[str, str], Ahead] = OrderedDict()
        self._lock = Lock()

    def page(
        self,
        asked: str,
        start: Place | None,
        limit: int,
        listing: Callable[[Place | None], Iterator[Hit]],
        keep: Callable[[Hit], bool],
    ) -> Page:
        """Return one page.

        Args:
            asked: The request without token and limit; listings are kept under it.
            start: Place after which the page begins.
            limit: Items, at most; what the archive never gives at once is cut, as the STAC API
                wants it.
            listing: From a place to what comes after it.
            keep: Whether an item is wanted.

        Raises:
            RefusedError: Nothing was found for so long that the search was given up, or the page
                is too large and the fault `limit` meets it.
        """
        fault = self._fault(next(self._numbers), limit > self._largest)
        if fault == "limit":
            at_most = f"at most {self._largest} items are given at once"
            raise RefusedError(400, f"limit {limit}: {at_most}")
        limit = min(limit, self._largest)
        found = self._resume(asked, start) or Ahead(listing(start))
        began = self._clock()
        if fault == "skip":
            self._cut(found, limit, keep, began)
        hits, last = self._cut(found, limit, keep, began)
        if last is not None:
            self._keep(asked, last, found)
        return Page(hits, last, start, again=fault == "duplicate" and bool(hits))

    def _cut(
        self, found: Ahead, limit: int, keep: Callable[[Hit], bool], began: float
    ) -> tuple[list[Hit], Place | None]:
        """Return what is on the page, and the place that was reached unless nothing is left."""
        hits: list[Hit] = []
        first = None
        for hit in found:
            if keep(hit):
                hits.append(hit)
            now = self._clock()
            first = now if first is None else first
            if len(hits) == limit or (hits and now - first > SHORT_AFTER_S):
                return hits, hit.place if found.more else None
            if now - began > GIVEN_UP_AFTER_S:
                raise RefusedError(
                    504, "too many items were looked at and none matched; narrow the search"
                )
        return hits, None

    def _resume(self, asked: str, start: Place | None) -> Ahead | None:
        with self._lock:
            return None if start is None else self._begun.pop((asked, token(start)), None)

    def _keep(self, asked: str, last: Place, rest: Ahead) -> None:
        with self._lock:
            self._begun[asked, token(last)] = rest
            while len(self._begun) > KEPT:
                self._begun.popitem(last=False)
