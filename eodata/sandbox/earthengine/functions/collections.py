"""Collections: found, filtered, mapped, ordered, put together; nothing before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.convert import to_instant
from eodata.sandbox.earthengine.functions.filters import (
    comparable,
    conjunction,
    key_of,
    plain,
    read,
)
from eodata.sandbox.earthengine.functions.images import of_catalogue
from eodata.sandbox.earthengine.registry import State, function
from eodata.sandbox.earthengine.values import (
    INDEX,
    Collection,
    Element,
    Feature,
    Filter,
    Function,
    Image,
    Query,
    Replay,
    with_properties,
)

MOST_ELEMENTS = 5000
"""Elements that a search may gather; Earth Engine says no there too."""
MOST_LOOKED_AT = 50_000


def derived(collection: Collection, elements: Iterable[Element]) -> Collection:
    """Return a collection of other elements with the same metadata."""
    return replace(collection, elements=Replay(iter(elements)), query=None)


def gathered(elements: Iterable[Element]) -> list[Element]:
    """Return all elements.

    Raises:
        ExpressionError: There are more than `MOST_ELEMENTS`.
    """
    found = list(islice(elements, MOST_ELEMENTS + 1))
    if len(found) > MOST_ELEMENTS:
        raise ExpressionError(
            f"Collection query aborted after accumulating over {MOST_ELEMENTS} elements."
        )
    return found


@function("ImageCollection.load")
def load(state: State, id_: str, version: int | None = None) -> Collection:
    """Return a collection of the catalogue, in the order of time and id."""
    if version not in (None, -1):
        raise UnsupportedError("ImageCollection.load", "version")
    if not state.catalogue.has_collection(id_):
        raise ExpressionError(
            f"ImageCollection.load: ImageCollection asset '{id_}' not found "
            "(does not exist or caller does not have access)."
        )
    return _searched(state, Query(id_), {})


@function("Collection.filter")
def filtered(state: State, collection: Collection, filter_: Filter) -> Collection:
    """Return the elements that pass."""
    if collection.query is not None:
        query = Query(collection.query.id, (*collection.query.filters, filter_))
        return _searched(state, query, collection.properties)

    def passing() -> Iterator[Element]:
        for element in collection.elements:
            state.scanned()
            if filter_.test(element, element):
                yield element

    return derived(collection, passing())


def _searched(state: State, query: Query, properties: Any) -> Collection:
    return Collection(Replay(_search(state, query)), True, properties, query)


def _search(state: State, query: Query) -> Iterator[Element]:
    """Yield the images of a collection that pass, looking only where they can be."""
    every = conjunction(list(query.filters))
    start = None if every.start is None else to_instant(every.start)
    end = None if every.end is None else to_instant(every.end)
    records = state.catalogue.images(query.id, every.ground, start, end)
    for number, record in enumerate(records):
        state.scanned()
        if number >= MOST_LOOKED_AT:
            raise ExpressionError(f"A search looked at more than {MOST_LOOKED_AT} images.")
        image = of_catalogue(record)
        if every.test(image, image):
            yield image


@function("Collection.map")
def mapped(
    collection: Collection, base_algorithm: Function, drop_nulls: bool = False
) -> Collection:
    """Return what a function makes of each element, under the element's index."""

    def each() -> Iterator[Element]:
        for element in collection.elements:
            made = base_algorithm.call(element)
            if made is None and drop_nulls:
                continue
            if not isinstance(made, Image | Feature):
                raise ExpressionError(
                    "Collection.map: A mapped algorithm must return a Feature or Image."
                )
            index = element.properties.get(INDEX)
            yield made if INDEX in made.properties else with_properties(made, {INDEX: index})

    return derived(collection, each())


@function("Collection.iterate")
def iterated(collection: Collection, function: Function, first: Any = None) -> Any:
    """Return what a function of element and previous result gives for the last element."""
    result = first
    for element in collection.elements:
        result = function.call(element, result)
    return result


@function("Collection.limit")
def limited(
    collection: Collection, limit: int | None = None, key: str | None = None, ascending: bool = True
) -> Collection:
    """Return the first elements, in the order of a property if one is named."""
    if limit is not None and limit < 0:
        raise ExpressionError("Collection.limit: the limit is negative.")

    def chosen() -> Iterator[Element]:
        elements: Iterable[Element] = collection.elements
        if key is not None:
            elements = ordered(gathered(elements), key, ascending=ascending)
        yield from islice(elements, limit)

    return derived(collection, chosen())


def ordered(elements: list[Element], key: str, *, ascending: bool) -> list[Element]:
    """Return elements by a property; those without come first, equal ones keep their order."""
    return sorted(elements, key=lambda e: rank(read(e, key)), reverse=not ascending)


def rank(value: Any) -> tuple[int, Any]:
    """Return what orders values of any kind: nothing, numbers, strings."""
    known = plain(value)
    if known is None:
        return 0, 0
    if comparable(known, 0):
        return 1, known
    if isinstance(known, str):
        return 2, known
    raise ExpressionError(f"A {type(value).__name__} has no order.")


@function("Collection.first")
def first(collection: Collection) -> Element | None:
    """Return the first element, None where there is none."""
    return next(iter(collection.elements), None)


@function("Collection.size")
def size(collection: Collection) -> int:
    """Return how many elements there are."""
    return len(gathered(collection.elements))


@function("Collection.toList")
def to_list(collection: Collection, count: int, offset: int = 0) -> list[Any]:
    """Return some elements as a list."""
    if count < 0 or offset < 0:
        raise ExpressionError("Collection.toList: count and offset are not negative.")
    return gathered(islice(collection.elements, offset, offset + count))


@function("Collection.merge", "ImageCollection.merge")
def merged(collection1: Collection, collection2: Collection) -> Collection:
    """Return the elements of both, their indices with `1_` and `2_` before."""

    def renamed(collection: Collection, prefix: str) -> Iterator[Element]:
        for element in collection.elements:
            index = f"{prefix}_{element.properties.get(INDEX, 0)}"
            yield with_properties(element, {INDEX: index})

    parts = chain(renamed(collection1, "1"), renamed(collection2, "2"))
    return derived(collection1, parts)


@function("Collection.distinct")
def distinct(collection: Collection, properties: Any) -> Collection:
    """Return the first element of each combination of properties."""
    names = [properties] if isinstance(properties, str) else list(properties)

    def each() -> Iterator[Element]:
        seen = set()
        for element in collection.elements:
            key = key_of([read(element, name) for name in names])
            if key not in seen:
                seen.add(key)
                yield element

    return derived(collection, each())


@function("ImageCollection.fromImages")
def from_images(images: list[Image]) -> Collection:
    """Return a collection of images; their indices count from 0."""
    return Collection(Replay(_numbered(images)), True)


@function("Collection")
def from_features(features: list[Feature]) -> Collection:
    """Return a collection of features; their indices count from 0."""
    return Collection(Replay(_numbered(features)), False)


def _numbered(elements: Iterable[Element]) -> Iterator[Element]:
    for number, element in enumerate(elements):
        yield with_properties(element, {INDEX: str(number)})


def _aggregate(name: str, reduce: Callable[[list[Any]], Any]) -> None:
    @function(f"AggregateFeatureCollection.{name}")
    def apply(collection: Collection, property_: str) -> Any:
        values = [read(element, property_) for element in gathered(collection.elements)]
        return reduce([value for value in values if value is not None])


def _numbers(values: list[Any]) -> list[float]:
    return [plain(value) for value in values if comparable(plain(value), 0)]


_aggregate("array", lambda values: values)
_aggregate("count", len)
_aggregate("count_distinct", lambda values: len({key_of(value) for value in values}))
_aggregate("first", lambda values: values[0] if values else None)
_aggregate("min", lambda values: min(values, key=rank, default=None))
_aggregate("max", lambda values: max(values, key=rank, default=None))
_aggregate("sum", lambda values: sum(_numbers(values)))
_aggregate("mean", lambda values: sum(_numbers(values)) / len(_numbers(values)) if values else None)
