"""Search a STAC API: in pieces that it understands, until nothing is missing.

pystac-client words the questions. What it leaves to its users is done here: ground that crosses
the date line is asked for in parts, items that come twice count once, pages that lost an item are
asked for again, and an answer that is no STAC is an error instead of an empty result.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

import pystac
from pystac_client import ItemSearch
from pystac_client.exceptions import APIError
from requests.exceptions import RequestException
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from urllib3.util import Retry

from eodata.core.endpoint import Endpoint
from eodata.core.errors import NoItemsError, ProviderError, nearest
from eodata.core.protocols import Query
from eodata.core.reproject import split_at_date_line
from eodata.core.span import Span, format_utc
from eodata.providers.remote.addresses import cleaned
from eodata.providers.remote.failures import GONE, broken_off, refusal
from eodata.providers.stac_api import Api, PagedIO, read_landing_page

JSON = dict[str, Any]
_LOG = logging.getLogger(__name__)
MOST_PASSES = 5
"""How often the same question is asked before we believe that more items will not come."""
HIGHEST_LATITUDE, LOWEST_LATITUDE = 84.0, -80.0
"""Where UTM ends. Nearer to a pole, boxes of degrees say nothing about neighbourhood."""
RETRIES = Retry(
    total=5,
    connect=2,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,
    respect_retry_after_header=True,
    raise_on_status=False,
    retry_after_max=60,
)
NONSENSE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    pystac.STACError,
    pystac.STACTypeError,
)
"""What reading JSON raises that is not what it should be."""


class StacSearch:
    """The search of one STAC API. Threads may share it.

    Args:
        endpoint: Row of the table.
        retries: When a request is made again.
    """

    def __init__(self, endpoint: Endpoint, retries: Retry = RETRIES) -> None:
        self._endpoint, self._retries = endpoint, retries
        self._lock = threading.Lock()
        self._known: Api | None = None

    def items(self, query: Query) -> list[JSON]:
        """Return the items that match, each once, in no order.

        The answer may hold items beside the wanted ground and time: boxes are asked for, and time
        spans are closed. The caller looks again.

        Raises:
            NoItemsError: There is no such collection.
            ProviderError: The API does not answer, or answers nonsense.
        """
        _refuse_poles(query.footprint)
        found: dict[str, JSON] = {}
        for part in _parts(query.footprint):
            found |= self._all(self._question(query, part))
        if not found:
            self._check_collection(query.collection)
        return list(found.values())

    def collections(self) -> list[str]:
        """Return the ids of the collections.

        Raises:
            ProviderError: The API does not answer.
        """
        with Said(self._endpoint):
            api = self._open()
            pages = api.io.get_pages(api.collections)
            return sorted({str(one["id"]) for page in pages for one in page["collections"]})

    def _check_collection(self, wanted: str) -> None:
        """Raise when the API has no such collection: it answers searches in it with nothing."""
        known = self.collections()
        if wanted not in known:
            raise NoItemsError(
                self._endpoint.name,
                f'it has no collection "{wanted}"',
                "",
                f"{nearest(wanted, known)} Correct the product's table, or the address.",
            )

    def _open(self) -> Api:
        """Read the landing page, once per process: connections do not survive a fork."""
        with self._lock:
            if self._known is None or self._known.pid != os.getpid():
                patience = self._endpoint.patience
                io = PagedIO(max_retries=self._retries, timeout=(min(10.0, patience), patience))
                self._known = read_landing_page(io, self._endpoint.url)
            return self._known

    def _question(self, query: Query, part: BaseGeometry) -> JSON:
        asked: JSON = {"collections": [query.collection], "bbox": [*part.bounds]}
        if query.span is not None:
            asked["datetime"] = _interval(query.span)
        conditions = query.where.to_cql2()
        with Said(self._endpoint):
            if conditions and self._open().can_filter:
                asked |= {"filter": conditions, "filter_lang": "cql2-json"}
        return asked

    def _all(self, asked: JSON) -> dict[str, JSON]:
        """Ask until the answer is complete: as many items as were counted, or none new.

        Pages are cut by servers whose data change meanwhile, so items come twice or fall between
        two pages. Each pass has another page size, so that no two are cut at the same places. A
        server that counts more than it gives is asked as often as we ever ask.
        """
        found: dict[str, JSON] = {}
        for number in range(MOST_PASSES):
            before = len(found)
            answer = self._pass(asked, max(1, self._endpoint.page // (number + 1) + number))
            found |= answer.items
            if len(found) == answer.counted or (answer.counted is None and answer.pages <= 1):
                return found
            is_short = answer.counted is not None and len(found) < answer.counted
            is_last = number == MOST_PASSES - 1
            if number and len(found) == before and (is_last or not is_short):
                if is_short:
                    _LOG.warning(
                        "%s counts %s items of %s, and gave %s of them in %s passes",
                        self._endpoint.name,
                        answer.counted,
                        ", ".join(asked["collections"]),
                        len(found),
                        number + 1,
                    )
                return found
        raise ProviderError(
            self._endpoint.name,
            f"{MOST_PASSES} passes over one search gave different items each time",
            f"{len(found)} were found so far.",
            "Run the same command again later.",
            retryable=True,
        )

    def _pass(self, asked: JSON, size: int) -> _Answer:
        found: dict[str, JSON] = {}
        counted, pages = None, 0
        with Said(self._endpoint):
            api = self._open()
            search = ItemSearch(api.search, stac_io=api.io, limit=size, **asked)
            # The pages that the search itself gives leave out those without items.
            for page in api.io.get_pages(api.search, search.method, search.get_parameters()):
                pages += 1
                counted = _counted(page, counted)
                found |= {item["id"]: item for item in page["features"]}
        return _Answer(found, counted, pages)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one pass over all pages gave.

    Attributes:
        items: By id.
        counted: How many match, as the API says it; None when it does not.
        pages: How many came.
    """

    items: dict[str, JSON]
    counted: int | None
    pages: int


class Said:
    """Turns what pystac-client and requests raise into our errors, without secrets."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        where = f"{self._endpoint.name} ({cleaned(self._endpoint.url)})"
        if isinstance(error, APIError):
            raise _refused(where, error) from None
        if isinstance(error, RequestException):
            raise broken_off(where, cleaned(str(error))) from None
        if isinstance(error, NONSENSE):
            raise ProviderError(
                where,
                "the answer is no STAC",
                f"{_in_words(error)}.",
                "Check the address: it is the root.",
            ) from None


def _refused(where: str, error: APIError) -> ProviderError:
    told = cleaned(str(error).partition("\n")[0])[:300]
    told = "" if told.startswith("<") else told  # a page for browsers
    # pystac-client sets the status only where there is one.
    status = getattr(error, "status_code", None)
    if status is None:
        return broken_off(where, told)
    found = refusal(where, status)
    if status in GONE:
        # Nobody listed it: it is the address that people give, or what the archive leads to.
        found.because = ""
        found.fix = "Check the address; if it is right, report it to the archive."
    found.because = told or found.because
    return found


def _in_words(error: BaseException) -> str:
    """Return what is wrong with an answer, without the words of Python where we know better."""
    if isinstance(error, JSONDecodeError | UnicodeDecodeError):
        return "it is no JSON"
    if isinstance(error, KeyError):
        return f"it lacks {cleaned(str(error))[:300]}"
    if isinstance(error, TypeError | AttributeError):
        return "its JSON has another form than STAC's"
    return cleaned(str(error))[:300].rstrip(".")


def _counted(page: JSON, before: int | None) -> int | None:
    """Return how many items match, as the page says it; archives say it in two ways, or not."""
    told = page.get("numberMatched")
    told = (page.get("context") or {}).get("matched") if told is None else told
    return before if told is None else int(told)


def _interval(span: Span) -> str:
    return f"{format_utc(span.start)}/{format_utc(span.end)}"


def _parts(ground: BaseGeometry) -> list[BaseGeometry]:
    """Return the ground, in two parts when it lies on both sides of the date line."""
    cut = split_at_date_line(ground)
    if cut.bounds[2] - cut.bounds[0] <= 180.0:
        return [cut]
    sides = (box(-180, -90, 0, 90), box(0, -90, 180, 90))
    return [part for part in (cut.intersection(side) for side in sides) if not part.is_empty]


def _refuse_poles(ground: BaseGeometry) -> None:
    _, south, _, north = ground.bounds
    if south < LOWEST_LATITUDE or north > HIGHEST_LATITUDE:
        raise NoItemsError(
            "area",
            f"it reaches from {south:.2f} to {north:.2f} degrees of latitude",
            "STAC APIs find items by boxes of longitude and latitude, which fail near the poles.",
            f"Stay between {LOWEST_LATITUDE:g} and {HIGHEST_LATITUDE:g} degrees.",
        )
