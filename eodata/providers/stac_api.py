"""A STAC API: where it says that things are, what it understands, its listings page by page."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any
from urllib.parse import urljoin

from pystac import Link
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests.exceptions import RequestException
from urllib3.exceptions import MaxRetryError

JSON = dict[str, Any]
DELAYS_S = (0.25, 0.5, 1.0, 2.0)
"""Waits before an answer is asked for again that came in part or damaged [s]."""
FILTER = re.compile(r"https://api\.stacspec\.org/v1\.0.*/item-search#filter")
MOST_VISITS = 3
"""A page may come again while items are added at the front; not for ever."""
CQL2_JSON = re.compile(r"http://www\.opengis\.net/spec/cql2/.*/cql2-json")


class PagedIO(StacApiIO):
    """Asks for page after page; unlike its base also beyond one that is empty."""

    def read_json(self, source: Any, *args: Any, **kwargs: Any) -> JSON:
        """Read a JSON object; an answer that breaks off or came damaged is asked for again.

        urllib3 asks again for what it sees: connections and status. Bodies are read after it.
        """
        for delay in DELAYS_S:
            try:
                found: JSON = super().read_json(source, *args, **kwargs)
            except JSONDecodeError:
                time.sleep(delay)
            except APIError as error:
                if not _broke_off(error.__context__):
                    raise
                time.sleep(delay)
            else:
                return found
        last: JSON = super().read_json(source, *args, **kwargs)
        return last

    def get_pages(
        self, url: str, method: str | None = None, parameters: JSON | None = None
    ) -> Iterator[JSON]:
        """Yield the pages of a listing.

        Raises:
            ValueError: A page is no such thing, or pages lead in a circle.
        """
        page = _listing(self.read_json(url, method=method, parameters=parameters))
        yield page
        seen: list[object] = []
        while (link := _next(page)) is not None:
            if seen.count(link) >= MOST_VISITS:
                raise ValueError("its pages lead in a circle")
            seen.append(link)
            page = _listing(self.read_json(Link.from_dict(link), parameters=parameters))
            yield page


def _broke_off(error: BaseException | None) -> bool:
    """Return True for a body that ended early; what urllib3 gave up is another matter."""
    if not isinstance(error, RequestException):
        return False
    return not (error.args and isinstance(error.args[0], MaxRetryError))


@dataclass(frozen=True, slots=True)
class Api:
    """An API as its landing page describes it.

    Attributes:
        pid: Process that the connections belong to.
        io: Connections.
        search: Where items are searched.
        collections: Where collections are listed.
        can_filter: It understands CQL2 in JSON.
    """

    pid: int
    io: PagedIO
    search: str
    collections: str
    can_filter: bool


def read_landing_page(io: PagedIO, url: str) -> Api:
    """Return what an API says of itself at its root.

    Raises:
        ValueError: It is no STAC API; or others of what reading JSON raises.
        APIError: It does not answer.
    """
    page: JSON = io.read_json(url)
    if "stac_version" not in page:
        raise ValueError("the landing page has no stac_version")
    conforms = [str(uri) for uri in page.get("conformsTo") or ()]
    return Api(
        os.getpid(),
        io,
        _linked(page, "search", url),
        _linked(page, "data", url, "collections"),
        all(any(rule.fullmatch(uri) for uri in conforms) for rule in (FILTER, CQL2_JSON)),
    )


def _linked(page: JSON, rel: str, root: str, usual: str = "") -> str:
    """Return the address behind a link; the usual one below the root when there is no link."""
    found = [str(link["href"]) for link in page.get("links") or () if link.get("rel") == rel]
    return urljoin(f"{root}/", found[0] if found else usual or rel)


def _listing(page: JSON) -> JSON:
    if not isinstance(page.get("features", page.get("collections")), list):
        raise ValueError("it lists neither features nor collections")
    return page


def _next(page: JSON) -> JSON | None:
    return next((link for link in page.get("links") or () if link.get("rel") == "next"), None)
