"""What a client asks for, whichever way it asks: GET or POST, search or items of a collection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely
from fastapi import HTTPException
from pydantic import BaseModel, TypeAdapter, ValidationError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from stac_fastapi.types.rfc3339 import str_to_interval
from stac_pydantic.api.search import Intersection
from stac_pydantic.shared import validate_bbox

from eodata.core.span import Span
from eodata.sandbox.serve.fields import Fields, read_fields
from eodata.sandbox.serve.filtering import FIRST, LAST, Filter, Keep, read_filter, read_query
from eodata.sandbox.serve.listing import Key
from eodata.sandbox.serve.refusals import RefusedError
from eodata.sandbox.serve.stac_item import ground_of

JSON = dict[str, Any]
TICK = timedelta(microseconds=1)
_GEOMETRY: TypeAdapter[Any] = TypeAdapter(Intersection)


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One request for items.

    Attributes:
        collections: Ids; None for all.
        ids: Of items; None for all.
        ground: Must share ground with it; None for all.
        span: Time; None for all.
        limit: Items on a page; None for the usual number.
        token: Of the page; None for the first.
        keys: How to sort; empty for newest first.
        fields: Parts that are wanted; None for all.
        filter: CQL2 expression; None for none.
        query: Test of the Query extension; None for none.
        said: The request without token and limit, as text: the same for all pages of a search.
    """

    collections: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    ground: BaseGeometry | None = None
    span: Span | None = None
    limit: int | None = None
    token: str | None = None
    keys: tuple[Key, ...] = ()
    fields: Fields | None = None
    filter: Filter | None = None
    query: Keep | None = None
    said: str = ""


def asked_by_get(**words: Any) -> Ask:
    """Read the parameters of a GET request, as the framework hands them over.

    Raises:
        RefusedError: Something cannot be understood.
    """
    intersects = words.get("intersects")
    query = words.get("query")
    return _ask(
        words,
        intersects=_geometry(_json(intersects, "intersects")) if intersects else None,
        keys=tuple(_key(word) for word in words.get("sortby") or ()),
        fields=read_fields(words.get("fields")),
        query=_json(query, "query") if query else None,
    )


def asked_by_post(body: BaseModel) -> Ask:
    """Read the body of a POST request, as the framework has checked it.

    Raises:
        RefusedError: Something cannot be understood.
    """
    words = dict(body)
    intersects = words.get("intersects")
    keys = [Key(_bare(k.field), k.direction == "desc") for k in words.get("sortby") or ()]
    return _ask(
        words,
        intersects=None if intersects is None else intersects.model_dump(),
        keys=tuple(keys),
        fields=_fields(words["fields"]) if "fields" in body.model_fields_set else None,
        query=words.get("query"),
    )


def _ask(
    words: JSON,
    *,
    intersects: JSON | None,
    keys: tuple[Key, ...],
    fields: Fields | None,
    query: Any,
) -> Ask:
    bbox = words.get("bbox")
    if bbox is not None and intersects is not None:
        raise RefusedError(400, "bbox and intersects exclude each other; give one of them")
    text = words.get("filter_expr")
    kept = {k: str(v) for k, v in words.items() if v is not None and k not in ("token", "limit")}
    return Ask(
        collections=_some(words.get("collections")),
        ids=_some(words.get("ids")),
        ground=_ground(bbox, intersects),
        span=_span(words.get("datetime")),
        limit=words.get("limit"),
        token=words.get("token"),
        keys=keys,
        fields=fields,
        filter=read_filter(text, words.get("filter_lang"), words.get("filter_crs"))
        if text
        else None,
        query=read_query(query) if query else None,
        said=json.dumps(kept, sort_keys=True),
    )


def _some(words: list[str] | None) -> tuple[str, ...] | None:
    return tuple(words) if words else None


def _json(text: str, what: str) -> JSON:
    try:
        read = json.loads(text)
    except ValueError as error:
        raise RefusedError(400, f"{what} is no JSON: {error}") from None
    if not isinstance(read, dict):
        raise RefusedError(400, f"{what} must be a JSON object")
    return read


def _geometry(read: JSON) -> JSON:
    try:
        geometry: JSON = _GEOMETRY.validate_python(read).model_dump()
    except ValidationError as error:
        raise RefusedError(400, f"intersects is no GeoJSON geometry: {error}") from None
    return geometry


def _ground(bbox: tuple[float, ...] | None, intersects: JSON | None) -> BaseGeometry | None:
    if bbox is not None:
        try:
            validate_bbox(bbox)  # type: ignore[arg-type]
        except ValueError as error:
            raise RefusedError(400, f"bbox: {error}") from None
        return ground_of(bbox)
    if intersects is None:
        return None
    try:
        ground = shape(intersects)
    except (ValueError, TypeError, shapely.errors.GEOSException) as error:
        raise RefusedError(400, f"intersects: {error}") from None
    # Rings that cross themselves are common; what they enclose is still clear.
    return ground if ground.is_valid else shapely.make_valid(ground)


def _span(text: str | None) -> Span | None:
    """Return the half-open span of a time or an interval, whose ends both count."""
    if text is None:
        return None
    try:
        read = str_to_interval(text)
    except HTTPException as error:
        raise RefusedError(400, f"datetime {text}: {error.detail}") from None
    ends = read if isinstance(read, tuple) else (read, read)
    start, end = _instant(ends[0], FIRST), _instant(ends[1], LAST)
    return Span(min(start, LAST - TICK), max(end, FIRST) + TICK)


def _instant(instant: datetime | None, otherwise: datetime) -> datetime:
    """Return an instant between the ends of time that calendars can count with."""
    try:
        return otherwise if instant is None else min(max(instant, FIRST), LAST)
    except OverflowError:
        return otherwise


def _bare(field: str) -> str:
    return field.removeprefix("properties.")


def _key(word: str) -> Key:
    # A plus that was not escaped comes as a blank.
    word = word.strip()
    name = _bare(word.lstrip("+-"))
    if not name:
        raise RefusedError(400, f'sortby: "{word}" names no field')
    return Key(name, word.startswith("-"))


def _fields(said: Any) -> Fields:
    """Read the `fields` of a POST request; empty ones ask for the usual parts."""
    exclude = frozenset(said.exclude or ())
    if "include" not in said.model_fields_set and exclude:
        return Fields(None, exclude)
    return Fields(frozenset(said.include or ()), exclude)
