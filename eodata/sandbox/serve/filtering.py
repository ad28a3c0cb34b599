"""Filters: CQL2 as text and JSON, and the older `query`; what they tell before items are listed."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cql2

from eodata.core.span import Span, parse_utc
from eodata.sandbox.serve.refusals import RefusedError

JSON = dict[str, Any]
Keep = Callable[[JSON], bool]
"""From an item without links and assets to whether it is wanted."""
CRS84 = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "EPSG:4326")
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
KNOWN_WORDS = (
    "and or not = <> < <= > >= + - * / ^ % div in between like isnull casei accenti "
    "s_contains s_crosses s_disjoint s_equals s_intersects s_overlaps s_touches s_within "
    "t_after t_before t_contains t_disjoint t_during t_equals t_finishedby t_finishes "
    "t_intersects t_meets t_metby t_overlappedby t_overlaps t_startedby t_starts anyinteracts "
    "a_containedby a_contains a_equals a_overlaps"
)
OPERATORS = frozenset(KNOWN_WORDS.split())
UNDECIDED = "Could not reduce"
"""What cql2 says of a comparison with a missing property: neither true nor false, so not wanted."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One CQL2 expression.

    Attributes:
        expression: As cql2 holds it.
        of_collection: Conditions on nothing but the collection, all of which must hold.
        ids: Ids that it asks for, None when it leaves them open.
        span: Time outside of which nothing matches, None when it leaves that open.
        never: Nothing can match.
    """

    expression: cql2.Expr
    of_collection: tuple[cql2.Expr, ...] = ()
    ids: frozenset[str] | None = None
    span: Span | None = None
    never: bool = False

    def keeps(self, item: JSON) -> bool:
        """Return True when an item matches."""
        return _holds(self.expression, item)

    def leaves(self, collection: str) -> bool:
        """Return False when nothing in a collection can match."""
        return all(_holds(one, {"collection": collection}) for one in self.of_collection)


def read_filter(text: str | JSON, language: str | None, crs: str | None) -> Filter:
    """Read an expression.

    Args:
        text: CQL2 text, JSON, or JSON as text.
        language: `cql2-text`, `cql2-json` or None for what it looks like.
        crs: Of the geometries in it, None for longitude and latitude.

    Raises:
        RefusedError: It cannot be read.
    """
    if crs not in (None, *CRS84):
        raise RefusedError(400, f"filter-crs {crs}: geometries in filters are in CRS84 only")
    try:
        if isinstance(text, str) and (language == "cql2-json" or text.lstrip().startswith("{")):
            text = json.loads(text)
        parsed = (
            cql2.parse_text(text) if isinstance(text, str) else cql2.parse_json(json.dumps(text))
        )
    except Exception as error:  # noqa: BLE001 (cql2 raises bare exceptions)
        raise RefusedError(400, f"the filter cannot be read: {error}") from None
    unknown = sorted(_operators(parsed.to_json()) - OPERATORS)
    if unknown:
        raise RefusedError(400, f"the filter has operators that CQL2 does not know: {unknown}")
    return _narrowed(parsed)


def _operators(tree: Any) -> set[str]:
    """Return the operators and functions in a tree."""
    if isinstance(tree, list):
        return {word for part in tree for word in _operators(part)}
    if not isinstance(tree, dict):
        return set()
    found = {word for part in tree.values() for word in _operators(part)}
    return found | {str(tree["op"]).lower()} if "op" in tree else found


def _holds(expression: cql2.Expr, item: JSON) -> bool:
    try:
        return bool(expression.matches(item))
    except Exception as error:  # noqa: BLE001 (cql2 raises bare exceptions)
        if UNDECIDED in str(error):
            return False
        raise RefusedError(400, f"the filter cannot be evaluated: {error}") from None


def _narrowed(expression: cql2.Expr) -> Filter:
    """Return the filter with what its conditions, all of which must hold, say of ids and time."""
    tree = expression.to_json()
    ids: frozenset[str] | None = None
    start, end = FIRST, LAST
    conditions = _conditions(tree)
    of_collection = [c for c in conditions if _properties(c) == {"collection"}]
    for condition in conditions:
        wanted = _ids(condition)
        if wanted is not None:
            ids = wanted if ids is None else ids & wanted
        first, last = _times(condition)
        start, end = max(start, first), min(end, last)
    never = end <= start
    open_ended = (start, end) == (FIRST, LAST)
    return Filter(
        expression,
        tuple(cql2.parse_json(json.dumps(condition)) for condition in of_collection),
        ids,
        None if never or open_ended else Span(start, end),
        never,
    )


def _properties(tree: Any) -> set[str]:
    """Return the names of the properties that a part of a tree asks for."""
    if isinstance(tree, list):
        return {name for part in tree for name in _properties(part)}
    if not isinstance(tree, dict):
        return set()
    if "property" in tree:
        return {str(tree["property"])}
    return {name for part in tree.values() for name in _properties(part)}


def _conditions(tree: Any) -> list[JSON]:
    """Return the parts of a tree that must all hold."""
    if not isinstance(tree, dict):
        return []
    if tree.get("op") == "and":
        return [condition for part in tree["args"] for condition in _conditions(part)]
    return [tree]


def _ids(condition: JSON) -> frozenset[str] | None:
    match condition:
        case {"op": "=", "args": [{"property": "id"}, str(name)]}:
            return frozenset({name})
        case {"op": "in", "args": [{"property": "id"}, [*names]]}:
            return frozenset(name for name in names if isinstance(name, str))
    return None


def _times(condition: JSON) -> tuple[datetime, datetime]:
    """Return the half-open time in which a condition on `datetime` can hold."""
    match condition:
        case {"op": ">" | ">=" | "<" | "<=" | "=" as op, "args": [{"property": "datetime"}, value]}:
            time = _instant(value)
        case _:
            return FIRST, LAST
    if time is None:
        return FIRST, LAST
    # Inclusive even where the operator is not: the filter itself decides.
    start = FIRST if op in ("<", "<=") else time
    return start, LAST if op in (">", ">=") else time + TICK


def _instant(value: Any) -> datetime | None:
    text = value.get("timestamp") if isinstance(value, dict) else value
    try:
        return parse_utc(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _contains(value: Any, wanted: Any) -> bool:
    return str(wanted) in str(value)


def _among(value: Any, wanted: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(one in wanted for one in values)


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "startsWith": lambda value, wanted: str(value).startswith(str(wanted)),
    "endsWith": lambda value, wanted: str(value).endswith(str(wanted)),
    "contains": _contains,
    "in": _among,
}


def read_query(query: Mapping[str, Mapping[str, Any]]) -> Keep:
    """Return the test that a `query` is: `{"eo:cloud_cover": {"lt": 20}}`.

    Raises:
        RefusedError: There is no such comparison.
    """
    wanted = []
    for name, comparisons in query.items():
        for word, value in comparisons.items():
            if word not in COMPARISONS:
                raise RefusedError(
                    400, f"query: {name}: {word} is none of {', '.join(sorted(COMPARISONS))}"
                )
            wanted.append((name.removeprefix("properties."), COMPARISONS[word], value))

    def keep(item: JSON) -> bool:
        known = {**item["properties"], "id": item["id"], "collection": item["collection"]}
        return all(name in known and _compared(c, known[name], v) for name, c, v in wanted)

    return keep


def _compared(comparison: Callable[[Any, Any], bool], value: Any, wanted: Any) -> bool:
    try:
        return comparison(value, wanted)
    except TypeError:
        return False  # a number and a word are neither smaller nor larger
