"""The STAC API over the simulated archive: what the framework calls for each of its endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from stac_fastapi.api.models import GeoJSONResponse
from stac_fastapi.extensions.filter.client import BaseFiltersClient
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.requests import get_base_url

from eodata.sandbox.serve.asking import Ask, asked_by_get, asked_by_post
from eodata.sandbox.serve.flavours.described import describe, queryables
from eodata.sandbox.serve.flavours.shape import Flavour, Offer
from eodata.sandbox.serve.listing import Hit, Query, hits
from eodata.sandbox.serve.paging import Page, Pages, read_token
from eodata.sandbox.serve.refusals import not_found
from eodata.sandbox.serve.stac_item import NOT_REAL, SYNTHETIC, Places

JSON = dict[str, Any]
USUAL = 10
"""Items on a page when the client does not say."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one API serves.

    Attributes:
        flavour: The archive that it imitates.
        offers: Collections by id.
        assets: Path on this server, or URL, below which files are.
        pages: Cuts listings.
    """

    flavour: Flavour
    offers: Mapping[str, Offer]
    assets: str
    pages: Pages

    def places(self, request: Request) -> Places:
        """Return the addresses of this server as the client sees it."""
        api = get_base_url(request)
        parts = urlsplit(api)
        server = "" if "://" in self.assets else f"{parts.scheme}://{parts.netloc}"
        return Places(api, f"{server}{self.assets}".rstrip("/"))

    def offer(self, collection_id: str) -> Offer:
        """Return a collection.

        Raises:
            RefusedError: There is none of that id.
        """
        if collection_id not in self.offers:
            raise not_found(f'collection "{collection_id}"')
        return self.offers[collection_id]


class SandboxClient(BaseCoreClient):
    """Answers for the endpoints of core, collections, features and item search."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(landing_page_id=f"{catalogue.flavour.name}-simulated")
        self._catalogue = catalogue
        self._describe = cache(lambda offer, places: describe(offer, places))

    def landing_page(self, **kwargs: Any) -> Any:
        """Return the landing page."""
        page: Any = super().landing_page(**kwargs)
        places = self._catalogue.places(kwargs["request"])
        page["links"] += [
            {
                "rel": "child",
                "type": "application/json",
                "href": places.collection(name),
                "title": offer.source.title,
            }
            for name, offer in self._catalogue.offers.items()
        ]
        page[SYNTHETIC] = True
        return page

    def all_collections(self, **kwargs: Any) -> Any:
        """Return all collections."""
        places = self._catalogue.places(kwargs["request"])
        offers = self._catalogue.offers.values()
        home = {"type": "application/json", "href": places.api}
        return JSONResponse(
            {
                "collections": [self._describe(offer, places) for offer in offers],
                "links": [
                    {"rel": "root", **home},
                    {"rel": "parent", **home},
                    {"rel": "self", "type": home["type"], "href": f"{places.api}collections"},
                ],
                "numberMatched": len(offers),
                "numberReturned": len(offers),
            }
        )

    def get_collection(self, collection_id: str, **kwargs: Any) -> Any:
        """Return one collection."""
        offer = self._catalogue.offer(collection_id)
        return JSONResponse(self._describe(offer, self._catalogue.places(kwargs["request"])))

    def get_item(self, item_id: str, collection_id: str, **kwargs: Any) -> Any:
        """Return one item."""
        offer = self._catalogue.offer(collection_id)
        try:
            item = offer.find(item_id)
        except LookupError:
            raise not_found(f'item "{item_id}" in collection "{collection_id}"') from None
        return GeoJSONResponse(offer.feature(item, self._catalogue.places(kwargs["request"])))

    def item_collection(self, collection_id: str, *_: Any, **kwargs: Any) -> Any:
        """Return items of one collection."""
        request: Request = kwargs.pop("request")
        self._catalogue.offer(collection_id)
        ask = replace(asked_by_get(**kwargs), collections=(collection_id,))
        return self._answer(ask, request, _by_get(request))

    def get_search(self, *_: Any, **kwargs: Any) -> Any:
        """Return items that match, asked by GET."""
        request: Request = kwargs.pop("request")
        return self._answer(asked_by_get(**kwargs), request, _by_get(request))

    def post_search(self, search_request: BaseModel, **kwargs: Any) -> Any:
        """Return items that match, asked by POST."""
        request: Request = kwargs["request"]
        body = search_request.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return self._answer(asked_by_post(search_request), request, _by_post(request, body))

    def _answer(self, ask: Ask, request: Request, link: Callable[[str], JSON]) -> Response:
        wanted = ask.limit or USUAL
        query = _query(ask, self._catalogue.offers)
        page = self._catalogue.pages.page(
            f"{request.url.path} {ask.said}",
            read_token(ask.token),
            wanted,
            lambda start: hits(query, start),
            _keep(ask),
        )
        places = self._catalogue.places(request)
        found = [_shown(hit, ask, places) for hit in page.hits]
        limit = min(wanted, self._catalogue.flavour.largest)
        numbers = {"numberReturned": len(found)}
        if page.matched is not None:
            numbers["numberMatched"] = page.matched
        return GeoJSONResponse(
            {
                "type": "FeatureCollection",
                **self._catalogue.flavour.page(limit, len(found), page.matched),
                **numbers,
                "features": found,
                "links": _links(page, request, places, link),
            }
        )


class SandboxQueryables(BaseFiltersClient):
    """Answers for what can be filtered by."""

    def __init__(self, offers: Mapping[str, Offer]) -> None:
        self._offers = offers

    def get_queryables(self, collection_id: str | None = None, **kwargs: Any) -> JSON:
        """Return the properties of one collection's items, or of all."""
        if collection_id is not None and collection_id not in self._offers:
            raise not_found(f'collection "{collection_id}"')
        offer = None if collection_id is None else self._offers[collection_id]
        return queryables(offer, self._offers, str(kwargs["request"].url))


def _query(ask: Ask, offers: Mapping[str, Offer]) -> Query:
    """Return what to list; what the filter tells beforehand is taken into account."""
    wanted = [o for o in offers.values() if ask.collections is None or o.id in ask.collections]
    ids, span = ask.ids, ask.span
    if ask.filter is not None:
        wanted = [] if ask.filter.never else [o for o in wanted if ask.filter.leaves(o.id)]
        if ask.filter.ids is not None:
            ids = tuple(sorted(ask.filter.ids.intersection(ids or ask.filter.ids)))
        if ask.filter.span is not None and span is not None:
            start = max(span.start, ask.filter.span.start)
            end = min(span.end, ask.filter.span.end)
            span, wanted = (
                (replace(span, start=start, end=end), wanted) if start < end else (span, [])
            )
        else:
            span = ask.filter.span or span
    return Query(tuple(wanted), ids, ask.ground, span, ask.keys)


def _keep(ask: Ask) -> Callable[[Hit], bool]:
    tests = [test for test in (ask.filter and ask.filter.keeps, ask.query) if test]

    def keep(hit: Hit) -> bool:
        if not tests:
            return True
        item = hit.offer.outline_of(hit.item)
        return all(test(item) for test in tests)

    return keep


def _shown(hit: Hit, ask: Ask, places: Places) -> JSON:
    if ask.fields is None:
        return hit.offer.feature(hit.item, places)
    whole = ask.fields.assets
    item = hit.offer.feature(hit.item, places) if whole else hit.offer.outline_of(hit.item)
    return ask.fields.cut(item)


def _links(page: Page, request: Request, places: Places, link: Callable[[str], JSON]) -> list[JSON]:
    links = [
        {"rel": "self", "type": "application/geo+json", "href": str(request.url)},
        {"rel": "root", "type": "application/json", "href": places.api},
        {"rel": "about", "type": "application/json", "href": places.api, "title": NOT_REAL},
    ]
    if page.next is not None:
        links.append({"rel": "next", "type": "application/geo+json", **link(page.next)})
    return links


def _by_get(request: Request) -> Callable[[str], JSON]:
    def link(token: str) -> JSON:
        words = [(k, v) for k, v in parse_qsl(request.url.query) if k != "token"]
        query = urlencode([*words, ("token", token)])
        return {"method": "GET", "href": str(request.url.replace(query=query))}

    return link


def _by_post(request: Request, body: JSON) -> Callable[[str], JSON]:
    def link(token: str) -> JSON:
        whole = {**body, "token": token}
        return {"method": "POST", "href": str(request.url), "body": whole, "merge": False}

    return link
