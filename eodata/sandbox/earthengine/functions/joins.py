"""Joins: the elements of one collection with those of another that match them.

Matches come in the order of the secondary collection. When a join asks for nothing but equal
properties, they are looked up instead of compared; when these are the indices of a whole
collection, in the catalogue, so that it need not be searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from eodata.sandbox.earthengine.expression_errors import UnsupportedError
from eodata.sandbox.earthengine.functions.collections import gathered, ordered
from eodata.sandbox.earthengine.functions.filters import conjunction, key_of, read
from eodata.sandbox.earthengine.functions.images import of_catalogue
from eodata.sandbox.earthengine.registry import State, function
from eodata.sandbox.earthengine.values import (
    INDEX,
    Collection,
    Element,
    Feature,
    Filter,
    Join,
    Query,
    Replay,
    with_properties,
)

Matches = Callable[[Element], Iterator[Element]]


@function("Join.apply")
def apply(
    state: State, join: Join, primary: Collection, secondary: Collection, condition: Filter
) -> Collection:
    """Return what a join makes of each element of the primary collection."""
    matches = _matches(state, secondary, condition)
    elements = chain.from_iterable(join.place(one, matches(one)) for one in primary.elements)
    # An inner join gives features, whatever it joins.
    return Collection(Replay(elements), primary.images and not join.pairs, primary.properties)


@function("Join.saveFirst")
def save_first(
    match_key: str,
    ordering: str | None = None,
    ascending: bool = True,
    measure_key: str | None = None,
    outer: bool = False,
) -> Join:
    """Keep elements with a match; the first becomes a property."""
    _unmeasured("Join.saveFirst", measure_key)

    def place(one: Element, matches: Iterator[Element]) -> Iterator[Element]:
        found = next(iter(_sorted(matches, ordering, ascending=ascending)), None)
        if found is not None:
            yield with_properties(one, {match_key: found})
        elif outer:
            yield one

    return Join(place)


@function("Join.saveAll")
def save_all(
    matches_key: str,
    ordering: str | None = None,
    ascending: bool = True,
    measure_key: str | None = None,
    outer: bool = False,
) -> Join:
    """Keep elements with matches; the list of them becomes a property."""
    _unmeasured("Join.saveAll", measure_key)

    def place(one: Element, matches: Iterator[Element]) -> Iterator[Element]:
        found = list(_sorted(matches, ordering, ascending=ascending))
        if found or outer:
            yield with_properties(one, {matches_key: found})

    return Join(place)


@function("Join.inner")
def inner(
    primary_key: str = "primary", secondary_key: str = "secondary", measure_key: str | None = None
) -> Join:
    """Return a feature for each pair that matches."""
    _unmeasured("Join.inner", measure_key)

    def place(one: Element, matches: Iterator[Element]) -> Iterator[Element]:
        for other in matches:
            yield Feature(None, {primary_key: one, secondary_key: other})

    return Join(place, pairs=True)


@function("Join.simple")
def simple() -> Join:
    """Keep elements with a match."""

    def place(one: Element, matches: Iterator[Element]) -> Iterator[Element]:
        if next(matches, None) is not None:
            yield one

    return Join(place)


@function("Join.inverted")
def inverted() -> Join:
    """Keep elements without a match."""

    def place(one: Element, matches: Iterator[Element]) -> Iterator[Element]:
        if next(matches, None) is None:
            yield one

    return Join(place)


def _unmeasured(who: str, measure_key: str | None) -> None:
    if measure_key is not None:
        raise UnsupportedError(who, "measureKey")


def _sorted(
    matches: Iterator[Element], ordering: str | None, *, ascending: bool
) -> Iterable[Element]:
    return matches if ordering is None else ordered(list(matches), ordering, ascending=ascending)


def _matches(state: State, secondary: Collection, condition: Filter) -> Matches:
    """Return what finds the elements of a collection that match another element."""
    if condition.equal is None:
        return _compared(state, secondary, condition)
    if condition.equal[1] == INDEX and secondary.query is not None:
        return by_index(state, secondary.query, condition.equal[0])
    return _looked_up(secondary, *condition.equal)


def _compared(state: State, secondary: Collection, condition: Filter) -> Matches:
    def find(one: Element) -> Iterator[Element]:
        for other in gathered(secondary.elements):
            state.scanned()
            if condition.test(one, other):
                yield other

    return find


def _looked_up(secondary: Collection, left: str, right: str) -> Matches:
    table: dict[Any, list[Element]] = {}

    def find(one: Element) -> Iterator[Element]:
        if not table:
            for other in gathered(secondary.elements):
                table.setdefault(key_of(read(other, right)), []).append(other)
        value = read(one, left)
        return iter(() if value is None else table.get(key_of(value), ()))

    return find


def by_index(state: State, query: Query, left: str) -> Matches:
    """Return what finds the image whose index is a property of an element, by its id."""
    every = conjunction(list(query.filters))

    def find(one: Element) -> Iterator[Element]:
        state.scanned()
        value = read(one, left)
        try:
            record = state.catalogue.image(f"{query.id}/{value}")
        except LookupError:
            return
        other = of_catalogue(record)
        if value is not None and every.test(other, other):
            yield other

    return find
