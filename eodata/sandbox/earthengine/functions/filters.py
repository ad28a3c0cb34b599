"""Filters: conditions on properties, times and ground of elements.

A property that is missing meets no comparison, not even that of being different. Filters that
bound ground or time say so, so that a collection is searched there alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.functions.convert import to_date, to_instant, to_range
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import (
    START,
    Collection,
    Date,
    DateRange,
    Element,
    Filter,
)

Compare = Callable[[Any, Any], bool]
GROUND = (".all", ".geo")
FIELDS = {
    "year": lambda t: t.year,
    "month": lambda t: t.month,
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "day_of_year": lambda t: t.timetuple().tm_yday,
    "day_of_month": lambda t: t.day,
    "day_of_week": lambda t: t.isoweekday(),
}


def read(element: Element | Collection, field: str) -> Any:
    """Return a property of an element, None where it is missing."""
    if field in GROUND and not isinstance(element, Collection):
        return element.ground
    if field == "system:id":
        return None if isinstance(element, Collection) else element.id
    return element.properties.get(field)


def plain(value: Any) -> Any:
    """Return a value that can be compared: dates become milliseconds, truth values numbers."""
    if isinstance(value, Date):
        return value.millis
    return int(value) if isinstance(value, bool) else value


def key_of(value: Any) -> Any:
    """Return what equal values share and can be looked up; images and features are themselves."""
    known = plain(value)
    if isinstance(known, list):
        return tuple(key_of(item) for item in known)
    if isinstance(known, dict):
        return frozenset((name, key_of(item)) for name, item in known.items())
    return known if known is None or isinstance(known, int | float | str) else id(known)


def comparable(left: Any, right: Any) -> bool:
    """Return whether two values have an order: both numbers or both strings."""
    return any(isinstance(left, kind) and isinstance(right, kind) for kind in (int | float, str))


def operands(
    who: str, left_field: str | None, right_value: Any, right_field: str | None, left_value: Any
) -> tuple[Callable[[Element], Any], Callable[[Element], Any]]:
    """Return what reads the left operand of the left element, and the right one of the right."""
    if (left_field is None) == (left_value is None) or (right_field is None) == (
        right_value is None
    ):
        raise ExpressionError(f"{who}: each operand is either a field or a value.")
    return _operand(left_field, left_value), _operand(right_field, right_value)


def _operand(field: str | None, value: Any) -> Callable[[Element], Any]:
    if field is None:
        return lambda _: value
    return lambda element: read(element, field)


def _comparison(*names: str, compare: Compare) -> None:
    @function(*(f"Filter.{name}" for name in names))
    def make(
        left_field: str | None = None,
        right_value: Any = None,
        right_field: str | None = None,
        left_value: Any = None,
    ) -> Filter:
        left, right = operands(names[0], left_field, right_value, right_field, left_value)

        def test(one: Element, other: Element) -> bool:
            a, b = plain(left(one)), plain(right(other))
            return a is not None and b is not None and compare(a, b)

        equal = (left_field, right_field) if names[0] == "equals" else None
        both = equal is not None and None not in equal
        return Filter(test, equal=(str(left_field), str(right_field)) if both else None)


_comparison("equals", "eq", compare=lambda a, b: bool(a == b))
_comparison("notEquals", "neq", compare=lambda a, b: bool(a != b))
_comparison("lessThan", "lt", compare=lambda a, b: comparable(a, b) and a < b)
_comparison("lessThanOrEquals", "lte", compare=lambda a, b: comparable(a, b) and a <= b)
_comparison("greaterThan", "gt", compare=lambda a, b: comparable(a, b) and a > b)
_comparison("greaterThanOrEquals", "gte", compare=lambda a, b: comparable(a, b) and a >= b)
_comparison("stringStartsWith", compare=lambda a, b: _strings(a, b) and a.startswith(b))
_comparison("stringEndsWith", compare=lambda a, b: _strings(a, b) and a.endswith(b))
_comparison("stringContains", compare=lambda a, b: _strings(a, b) and b in a)


def _membership(name: str, *, list_is_left: bool) -> None:
    @function(f"Filter.{name}")
    def make(
        left_field: str | None = None,
        right_value: Any = None,
        right_field: str | None = None,
        left_value: Any = None,
    ) -> Filter:
        left, right = operands(name, left_field, right_value, right_field, left_value)
        fixed = left_value if list_is_left else right_value
        members = None if fixed is None else _members(fixed)

        def test(one: Element, other: Element) -> bool:
            several, single = left(one), right(other)
            if not list_is_left:
                several, single = single, several
            known = _members(several) if members is None else members
            return single is not None and key_of(single) in known

        return Filter(test)


def _members(several: Any) -> frozenset[Any]:
    return frozenset(key_of(item) for item in several) if isinstance(several, list) else frozenset()


_membership("listContains", list_is_left=True)
_membership("inList", list_is_left=False)


def _strings(a: Any, b: Any) -> bool:
    return isinstance(a, str) and isinstance(b, str)


@function("Filter.dateRangeContains")
def date_range_contains(
    left_field: str | None = None,
    right_value: Any = None,
    right_field: str | None = None,
    left_value: Any = None,
) -> Filter:
    """Pass where a range of dates holds a date: from its start on, before its end."""
    who = "Filter.dateRangeContains"
    left, right = operands(who, left_field, right_value, right_field, left_value)

    def test(one: Element, other: Element) -> bool:
        span, date = left(one), right(other)
        if span is None or date is None:
            return False
        known = to_range(span)
        return known.start <= to_date(date) < known.end

    if left_value is not None and right_field == START:
        span: DateRange = to_range(left_value)
        return Filter(test, start=span.start, end=span.end)
    return Filter(test)


@function("Filter.calendarRange")
def calendar_range(start: int, end: int | None = None, field: str = "day_of_year") -> Filter:
    """Pass where a part of the element's time lies in a range, both ends included."""
    if field not in FIELDS:
        raise ExpressionError(f"Filter.calendarRange: there is no field {field!r}.")
    last = start if end is None else end

    def test(one: Element, other: Element) -> bool:
        del other
        known = one.properties.get(START)
        if known is None:
            return False
        number = FIELDS[field](to_instant(to_date(known)))
        if last < start:
            return bool(number >= start or number <= last)
        return bool(start <= number <= last)

    return Filter(test)


@function("Filter.dayOfYear")
def day_of_year(start: int, end: int) -> Filter:
    """Pass where the day of the year lies in a range, both ends included."""
    return calendar_range(start, end)


@function("Filter.rangeContains")
def range_contains(field: str, min_value: Any, max_value: Any) -> Filter:
    """Pass where a property lies in a range, both ends included."""
    low, high = plain(min_value), plain(max_value)

    def test(one: Element, other: Element) -> bool:
        del other
        value = plain(read(one, field))
        return comparable(value, low) and comparable(value, high) and low <= value <= high

    return Filter(test)


@function("Filter.maxDifference")
def max_difference(
    difference: float,
    left_field: str | None = None,
    right_value: Any = None,
    right_field: str | None = None,
    left_value: Any = None,
) -> Filter:
    """Pass where two numbers or dates differ by at most so much."""
    who = "Filter.maxDifference"
    left, right = operands(who, left_field, right_value, right_field, left_value)

    def test(one: Element, other: Element) -> bool:
        a, b = plain(left(one)), plain(right(other))
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return numbers and abs(a - b) <= difference

    return Filter(test)


@function("Filter.notNull")
def not_null(properties: list[str]) -> Filter:
    """Pass where an element has all of some properties."""
    return Filter(lambda one, _: all(read(one, name) is not None for name in properties))


@function("Filter.and")
def conjunction(filters: list[Filter]) -> Filter:
    """Pass where all pass."""
    grounds = [f.ground for f in filters if f.ground is not None]
    starts = [f.start for f in filters if f.start is not None]
    ends = [f.end for f in filters if f.end is not None]
    return Filter(
        lambda one, other: all(f.test(one, other) for f in filters),
        grounds[0] if grounds else None,
        max(starts, default=None),
        min(ends, default=None),
    )


@function("Filter.or")
def disjunction(filters: list[Filter]) -> Filter:
    """Pass where one passes."""
    return Filter(lambda one, other: any(f.test(one, other) for f in filters))


@function("Filter.not")
def negation(filter_: Filter) -> Filter:
    """Pass where another does not."""
    return Filter(lambda one, other: not filter_.test(one, other))


@function("Filter.always")
def always() -> Filter:
    """Pass everywhere."""
    return conjunction([])


@function("Filter.never")
def never() -> Filter:
    """Pass nowhere."""
    return disjunction([])
