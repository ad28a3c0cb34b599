"""Which extensions the API has, and what requests may say because of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field
from stac_fastapi.api.models import (
    ItemCollectionUri,
    create_get_request_model,
    create_post_request_model,
    create_request_model,
)
from stac_fastapi.extensions import (
    FieldsExtension,
    FilterExtension,
    QueryExtension,
    SortExtension,
    TokenPaginationExtension,
)
from stac_fastapi.extensions.fields.request import PostFieldsExtension
from stac_fastapi.extensions.filter.client import BaseFiltersClient
from stac_fastapi.extensions.query import QueryConformanceClasses
from stac_fastapi.extensions.sort.sort import SortConformanceClasses
from stac_fastapi.types.extension import ApiExtension
from stac_fastapi.types.search import BaseSearchPostRequest


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


SORT_1_0 = (
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
)
"""As archives declare it, and as clients look for it."""


class SearchBody(BaseSearchPostRequest):
    """Body of a POST search; clients also send one collection without a list around it."""

    collections: Annotated[list[str] | None, BeforeValidator(_listed)] = None


class FieldsBody(BaseModel):
    """`fields` of a POST search: an object, not null."""

    fields: PostFieldsExtension = PostFieldsExtension()


class FilterBody(BaseModel):
    """`filter` of a POST search: CQL2 as JSON, or as text."""

    filter_expr: dict[str, Any] | str | None = Field(None, alias="filter")
    filter_crs: str | None = Field(None, alias="filter-crs")
    filter_lang: Literal["cql2-json", "cql2-text"] | None = Field(None, alias="filter-lang")


def extensions(queryables: BaseFiltersClient) -> list[ApiExtension]:
    """Return the extensions: sorting, fields, filters, queries, tokens."""
    fields, filters = FieldsExtension(), FilterExtension(client=queryables)
    fields.POST, filters.POST = FieldsBody, FilterBody
    return [
        SortExtension(
            conformance_classes=[
                SortConformanceClasses.ITEM_SEARCH_SORT,
                SortConformanceClasses.FEATURES_SORT,
                *SORT_1_0,
            ]
        ),
        fields,
        filters,
        QueryExtension(conformance_classes=[QueryConformanceClasses.SEARCH]),
        TokenPaginationExtension(),
    ]


def request_models(used: list[ApiExtension]) -> dict[str, Any]:
    """Return the models of requests for items, as the framework's application takes them."""
    return {
        "search_get_request_model": create_get_request_model(used),
        "search_post_request_model": create_post_request_model(used, base_model=SearchBody),
        "items_get_request_model": create_request_model(
            "ItemsRequest", base_model=ItemCollectionUri, extensions=used, request_type="GET"
        ),
    }
