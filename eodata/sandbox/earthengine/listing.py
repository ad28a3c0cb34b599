"""Pages of a collection. A token says where the next page begins; it holds for one filter."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import blake2b
from typing import NamedTuple

from eodata.sandbox.earthengine.errors import invalid
from eodata.sandbox.earthengine.filters import parse, reach
from eodata.sandbox.earthengine.images import Catalogue, CatalogueImage
from eodata.sandbox.earthengine.shelves import from_ms, to_ms

LARGEST = 1000
"""Images on one page, which is also what comes unless fewer are wanted."""


class Place(NamedTuple):
    """Where a page begins.

    Attributes:
        start: `system:time_start` of its first image [ms].
        nth: How many images of the same start come before it.
    """

    start: int
    nth: int


class Page(NamedTuple):
    """Some images, and the token of what follows, `""` when nothing does."""

    images: list[CatalogueImage]
    token: str


def page(
    catalogue: Catalogue, collection: str, text: str, size: int | None = None, token: str = ""
) -> Page:
    """Return one page of the images that meet a filter, by time.

    Args:
        catalogue: All images.
        collection: Asset id.
        text: The filter.
        size: Most images, at most 1000; None or 0 for 1000.
        token: Of an earlier page with the same filter; `""` for the first page.

    Raises:
        EngineError: 400; filter, size or token cannot be read.
        LookupError: There is no such collection.
    """
    if size is not None and size < 0:
        raise invalid(f"The page size {size} must not be negative.")
    most = min(size or LARGEST, LARGEST)
    wanted, digest = parse(text), _digest(collection, text)
    ground, start, end = reach(wanted)
    begin = _read(token, digest) if token else None
    if begin is not None:
        start = from_ms(begin.start)
    # The catalogue's end is open; a filter may say "until then, included".
    end = None if end is None else end + timedelta(milliseconds=1)
    found = catalogue.images(collection, ground, start, end)
    taken: list[CatalogueImage] = []
    for place, image in _placed(image for image in found if wanted.holds(image)):
        if begin is not None and place < begin:
            continue
        if len(taken) == most:
            return Page(taken, _write(place, digest))
        taken.append(image)
    return Page(taken, "")


def _placed(images: Iterable[CatalogueImage]) -> Iterator[tuple[Place, CatalogueImage]]:
    """Yield images with their places."""
    last = Place(-1, 0)
    for image in images:
        start = to_ms(image.start)
        last = Place(start, last.nth + 1 if start == last.start else 0)
        yield last, image


def _digest(*what: str) -> str:
    return blake2b("\n".join(what).encode(), digest_size=6).hexdigest()


def _write(place: Place, digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, *place]).encode()).decode()


def _read(token: str, digest: str) -> Place:
    try:
        made_for, start, nth = json.loads(base64.urlsafe_b64decode(token))
        place = Place(int(start), int(nth))
    except (ValueError, TypeError) as error:
        raise invalid(f'Invalid page token "{token}".') from error
    if made_for != digest:
        raise invalid("The page token belongs to another collection or filter.")
    return place
