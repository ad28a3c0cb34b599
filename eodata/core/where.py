"""Which items of a collection are wanted at all: conditions on the archive's own properties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from eodata.core.errors import RecipeError, nearest
from eodata.core.properties import KNOWN, NUMBERS, OPEN

NAME = re.compile(r"[a-z][a-z0-9_-]*(:[a-z0-9_.-]+)*", re.IGNORECASE)
NUMERAL = re.compile(r"[+-]?\d+(\.\d+)?")

Value = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; None leaves a side open."""

    low: float | None
    high: float | None

    def admits(self, value: object) -> bool:
        """Return True for a number in the range, also where an archive writes it as text."""
        number = _as_number(value)
        if number is None:
            return False
        return (self.low is None or self.low <= number) and (
            self.high is None or number <= self.high
        )

    def to_json(self) -> dict[str, float]:
        """Return the sides that are closed."""
        sides = {"min": self.low, "max": self.high}
        return {side: limit for side, limit in sides.items() if limit is not None}

    def comparisons(self, name: str) -> list[dict[str, Any]]:
        """Return CQL2-JSON, one comparison per closed side."""
        sides = ((">=", self.low), ("<=", self.high))
        return [_compare(op, name, limit) for op, limit in sides if limit is not None]


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of some values; texts without regard to case."""

    values: tuple[Value, ...]

    def admits(self, value: object) -> bool:
        """Return True when the value is one of them."""
        return any(_same(value, wanted) for wanted in self.values)

    def to_json(self) -> Value | list[Value]:
        """Return the value alone, or the list of several."""
        return self.values[0] if len(self.values) == 1 else list(self.values)

    def comparisons(self, name: str) -> list[dict[str, Any]]:
        """Return CQL2-JSON; none when a value is no number."""
        if any(isinstance(value, str | bool) for value in self.values):
            return []
        equal = [_compare("=", name, value) for value in self.values]
        return equal if len(equal) == 1 else [{"op": "or", "args": equal}]


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on the properties of items, all of which must hold.

    In a recipe: a mapping from properties to a value, a list of values of which one must hold, or
    `{min, max}` (both included). The order in which properties are written means nothing.

    Attributes:
        conditions: `(property, condition)`, ordered by property; empty admits everything.
    """

    conditions: tuple[tuple[str, Range | OneOf], ...] = ()

    @classmethod
    def parse(cls, data: object) -> Where:
        """Read what a recipe says; a `Where` is returned as it is.

        Raises:
            RecipeError: No mapping, a name that is no property, or a condition that says nothing.
        """
        if isinstance(data, Where):
            return data
        if not isinstance(data, Mapping):
            raise RecipeError(
                "where",
                f"{data!r} is no mapping of properties to conditions",
                "",
                "Write it as {sat:orbit_state: descending, eo:cloud_cover: {max: 80}}.",
            )
        found = {_checked_name(name): _condition(name, told) for name, told in data.items()}
        return cls(tuple(sorted(found.items(), key=lambda pair: pair[0])))

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def matches(self, properties: Mapping[str, Any]) -> bool:
        """Return True when every condition holds.

        A property that is missing or null never matches. One that is a list (the polarisations)
        matches when one of its entries does.
        """
        return all(
            any(condition.admits(value) for value in _entries(properties.get(name)))
            for name, condition in self.conditions
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of `parse`."""
        return {name: condition.to_json() for name, condition in self.conditions}

    def to_cql2(self) -> dict[str, Any]:
        """Return the part of the filter that a server can apply, as CQL2-JSON; `{}` for none.

        It admits at least what `matches` admits, so the answer must still go through `matches`.
        Only comparisons of numbers are sent, and only for properties that every archive writes as
        numbers. Texts stay with the client: servers compare them case by case, and `casei` is
        understood by few. Other properties stay too: one archive writes text where another writes
        a number, and some servers refuse names that they do not know. The basic operators of CQL2
        suffice: `and`, `or`, `=`, `<=`, `>=`.
        """
        found = [
            comparison
            for name, condition in self.conditions
            if name in NUMBERS
            for comparison in condition.comparisons(name)
        ]
        if len(found) < 2:
            return found[0] if found else {}
        return {"op": "and", "args": found}

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_json),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        value = {"type": ["string", "number", "boolean"]}
        limits = {"min": {"type": "number"}, "max": {"type": "number"}}
        span = {"type": "object", "properties": limits, "additionalProperties": False}
        several = {"type": "array", "items": value, "minItems": 1}
        return {"type": "object", "additionalProperties": {"anyOf": [value, several, span]}}


EVERYTHING = Where()


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise RecipeError(
            "where",
            f"{name!r} is no name of a property",
            "properties of items are called platform, eo:cloud_cover or sat:orbit_state.",
            "Write the name as the archive's metadata do.",
        )
    prefix, colon, _ = name.partition(":")
    if name not in KNOWN and not (colon and prefix in OPEN):
        raise RecipeError(
            "where",
            f'items keep no property "{name}"',
            "they keep what STAC's extensions name, under their full names.",
            nearest(name, KNOWN),
        )
    return name


def _condition(name: str, told: object) -> Range | OneOf:
    if isinstance(told, Mapping):
        return _range(name, told)
    values = told if isinstance(told, list | tuple) else [told]
    if not values:
        raise RecipeError("where", f"{name} is an empty list", "nothing would match.", "Name one.")
    return OneOf(tuple(_checked_value(name, value) for value in values))


def _range(name: str, told: Mapping[Any, object]) -> Range:
    unknown = [key for key in told if key not in ("min", "max")]
    if unknown or all(limit is None for limit in told.values()):
        raise RecipeError(
            "where",
            f"{name} has {f'the key {unknown[0]!r}' if unknown else 'neither min nor max'}",
            "a range has min, max or both, and includes them.",
            "Write it as {min: 10, max: 20}.",
        )
    low, high = (_limit(name, told.get(side)) for side in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise RecipeError("where", f"{name} has min {low} above max {high}", "", "Swap the two.")
    return Range(low, high)


def _limit(name: str, value: object) -> float | None:
    checked = None if value is None else _checked_value(name, value)
    if isinstance(checked, str | bool):
        raise RecipeError(
            "where",
            f"{name} has the limit {value!r}",
            "only numbers have limits.",
            "Give a number.",
        )
    return checked


def _checked_value(name: str, value: object) -> Value:
    """Return a value of JSON; one spelling per number, so that equal filters look equal."""
    if isinstance(value, float) and isfinite(value):
        return int(value) if value.is_integer() else value
    if isinstance(value, str | int) and value != "":
        return value
    raise RecipeError(
        "where",
        f"{name} has the value {value!r}",
        "a property is compared with text, finite numbers, true or false.",
        "Put dates and the like in quotes, or remove the condition.",
    )


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _same(value: object, wanted: Value) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(wanted, str):
        return isinstance(value, str) and value.casefold() == wanted.casefold()
    return _as_number(value) == wanted


def _as_number(value: object) -> float | None:
    """Return a number; archives write some as text, such as the baseline "05.10"."""
    if isinstance(value, str):
        return float(value) if NUMERAL.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def _compare(op: str, name: str, number: object) -> dict[str, Any]:
    return {"op": op, "args": [{"property": name}, number]}
