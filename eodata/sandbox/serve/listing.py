"""What matches a search, one after the other: lazily by time, or sorted by what clients want."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.items import SandboxItem
from eodata.sandbox.serve.flavours.shape import Offer
from eodata.sandbox.serve.refusals import RefusedError
from eodata.sandbox.serve.stac_item import WHOLE_EARTH

MOST_SORTED = 10_000
"""Items that are listed and sorted by anything but time, at most."""
TIME = "datetime"
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One item that a search met.

    Attributes:
        offer: The collection, as the archive offers it.
        item: The record.
    """

    offer: Offer
    item: SandboxItem

    @property
    def place(self) -> Place:
        """Where it stands in the listing."""
        return Place(self.item.datetime, self.offer.id, self.item.id)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a listing: that of one item.

    Attributes:
        time: Of the item.
        collection: Its id in the archive.
        item: Its id in the sandbox.
    """

    time: datetime
    collection: str
    item: str


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key.

    Attributes:
        field: `datetime`, `id`, `collection` or the name of a property.
        descending: Largest first.
    """

    field: str
    descending: bool


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What to list.

    Attributes:
        offers: The collections, in the order of the archive.
        ids: Items by id, None for all.
        ground: Must share ground with it; None for all.
        span: Time, None for all.
        keys: How to sort; empty for newest first.
    """

    offers: tuple[Offer, ...]
    ids: tuple[str, ...] | None = None
    ground: BaseGeometry | None = None
    span: Span | None = None
    keys: tuple[Key, ...] = ()

    @property
    def newest_first(self) -> bool:
        """True when time runs backwards."""
        return self.keys[0].descending if self.keys and self.by_time else True

    @property
    def by_time(self) -> bool:
        """True when time is the first key, so that items can be listed lazily."""
        return not self.keys or self.keys[0].field == TIME


def hits(query: Query, after: Place | None = None) -> Iterator[Hit]:
    """Yield what matches, in order.

    Args:
        query: What to list.
        after: Begin after this place of the same listing.

    Raises:
        RefusedError: So many items match that they cannot be sorted.
    """
    if query.ids is not None:
        found = _sorted(_by_id(query), query.keys or (Key(TIME, True),))
    elif query.by_time:
        found = _by_time(query, after)
        if len(query.keys) > 1:
            found = _ties_sorted(found, query.keys)
    else:
        found = _sorted(_by_time(query, None), query.keys)
    return found if after is None else _after(found, after, query)


def _after(found: Iterator[Hit], place: Place, query: Query) -> Iterator[Hit]:
    """Yield what comes after a place, also when a listing by time began somewhat before it."""
    by_time = query.by_time and query.ids is None
    for hit in found:
        if hit.place == place:
            break
        if by_time and _is_past(hit.item.datetime, place.time, query.newest_first):
            yield hit
            break
    yield from found


def _is_past(time: datetime, other: datetime, newest_first: bool) -> bool:
    return time < other if newest_first else time > other


def _by_id(query: Query) -> Iterator[Hit]:
    for offer in query.offers:
        for name in dict.fromkeys(query.ids or ()):
            try:
                hit = Hit(offer, offer.find(name))
            except LookupError:
                continue
            if _lies_in(hit.item, query):
                yield hit


def _lies_in(item: SandboxItem, query: Query) -> bool:
    """Return True when an item, found by its id, is also where and when it is wanted."""
    if query.ground is not None and not item.footprint.intersects(query.ground):
        return False
    if query.span is None or item.datetime in query.span:
        return True
    stated = item.properties.get("start_datetime"), item.properties.get("end_datetime")
    if None in stated:
        return False
    start, end = (datetime.fromisoformat(str(text)) for text in stated)
    return start < query.span.end and end >= query.span.start


def _by_time(query: Query, after: Place | None) -> Iterator[Hit]:
    """Merge the collections by time; a collection is asked when its time has come.

    Items of one instant come collection by collection, in the order of the archive.
    """
    span = _rest(query, after)
    sign = -1 if query.newest_first else 1
    waiting: list[tuple[float, int, Hit | None, Iterator[Hit] | None]] = []
    for number, offer in enumerate(query.offers):
        covered = offer.source.span
        first = covered.end if query.newest_first else covered.start
        waiting.append((sign * first.timestamp(), number, None, None))
    heapq.heapify(waiting)
    while waiting:
        _, number, hit, stream = heapq.heappop(waiting)
        if hit is not None:
            yield hit
        if stream is None:
            stream = _stream(query, query.offers[number], span)
        following = next(stream, None)
        if following is not None:
            key = sign * following.item.datetime.timestamp()
            heapq.heappush(waiting, (key, number, following, stream))


def _stream(query: Query, offer: Offer, span: Span | None) -> Iterator[Hit]:
    ground = WHOLE_EARTH if query.ground is None else query.ground
    for item in offer.source.find(ground, span, newest_first=query.newest_first):
        yield Hit(offer, item)


def _rest(query: Query, after: Place | None) -> Span | None:
    """Return the part of the time that may hold what comes after a place."""
    if after is None:
        return query.span
    whole = query.span or Span(datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
    # Items that stand for a period may begin before the span that they are found in.
    if query.newest_first:
        return replace(whole, end=min(whole.end, max(after.time, whole.start) + TICK))
    return replace(whole, start=max(whole.start, min(after.time, whole.end - TICK)))


def _ties_sorted(found: Iterator[Hit], keys: tuple[Key, ...]) -> Iterator[Hit]:
    for _, same_time in groupby(found, key=lambda hit: hit.item.datetime):
        yield from _sorted(same_time, keys[1:])


def _sorted(found: Iterator[Hit], keys: tuple[Key, ...]) -> Iterator[Hit]:
    """Yield sorted; who lacks a property comes last, whatever the direction.

    Raises:
        RefusedError: There are too many.
    """
    listed: list[Hit] = []
    for hit in found:
        listed.append(hit)
        if len(listed) > MOST_SORTED:
            raise RefusedError(
                400,
                f"more than {MOST_SORTED} items match; so many are not sorted by anything but "
                "datetime. Narrow the search by time or ground.",
            )
    for key in reversed(keys):
        values = {id(hit): _value(hit, key.field) for hit in listed}
        known = [hit for hit in listed if values[id(hit)] is not None]
        # Numbers before words, so that no two values cannot be compared.
        known.sort(
            key=lambda hit: (isinstance(values[id(hit)], str), values[id(hit)]),
            reverse=key.descending,
        )
        listed = known + [hit for hit in listed if values[id(hit)] is None]
    yield from listed


def _value(hit: Hit, field: str) -> Any:
    if field == TIME:
        return hit.item.datetime.timestamp()
    if field == "collection":
        return hit.offer.id
    if field == "id":
        return hit.offer.name(hit.item)
    value = hit.offer.outline_of(hit.item)["properties"].get(field)
    return value if isinstance(value, str | int | float) else None
