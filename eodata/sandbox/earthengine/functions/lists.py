"""Lists."""

from __future__ import annotations

from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.collections import rank
from eodata.sandbox.earthengine.functions.convert import to_float
from eodata.sandbox.earthengine.functions.filters import key_of
from eodata.sandbox.earthengine.registry import LONGEST, function
from eodata.sandbox.earthengine.values import Feature, Filter, Function, Image


@function("List.get")
def get(list_: list[Any], index: int) -> Any:
    """Return an element; negative numbers count from the end."""
    return list_[_index(list_, index, "List.get")]


@function("List.getNumber")
def get_number(list_: list[Any], index: int) -> float:
    """Return an element that is a number."""
    return to_float(get(list_, index))


@function("List.getString")
def get_string(list_: list[Any], index: int) -> str:
    """Return an element that is a string."""
    return str(get(list_, index))


@function("List.set")
def set_one(list_: list[Any], index: int, element: Any) -> list[Any]:
    """Return the list with another element somewhere."""
    at = _index(list_, index, "List.set")
    return [element if k == at else known for k, known in enumerate(list_)]


@function("List.size", "List.length")
def size(list_: list[Any]) -> int:
    """Return how many elements there are."""
    return len(list_)


@function("List.slice")
def part(
    list_: list[Any], start: int, end: int | None = None, step: int | None = None
) -> list[Any]:
    """Return a part; negative numbers count from the end."""
    return list_[start:end:step]


@function("List.add")
def add(list_: list[Any], element: Any) -> list[Any]:
    """Return the list with one more element."""
    return [*list_, element]


@function("List.cat")
def cat(list_: list[Any], other: list[Any]) -> list[Any]:
    """Return two lists as one."""
    return [*list_, *other]


@function("List.insert")
def insert(list_: list[Any], index: int, element: Any) -> list[Any]:
    """Return the list with one more element somewhere."""
    return [*list_[:index], element, *list_[index:]]


@function("List.reverse")
def reverse(list_: list[Any]) -> list[Any]:
    """Return the list from its end."""
    return list_[::-1]


@function("List.flatten")
def flatten(list_: list[Any]) -> list[Any]:
    """Return the elements of lists within the list, however deep."""
    found: list[Any] = []
    for item in list_:
        found += flatten(item) if isinstance(item, list) else [item]
        if len(found) > LONGEST:
            raise ExpressionError(f"List.flatten gives more than {LONGEST} elements.")
    return found


@function("List.distinct")
def distinct(list_: list[Any]) -> list[Any]:
    """Return the first of each group of equal elements."""
    seen: dict[Any, Any] = {}
    for item in list_:
        seen.setdefault(key_of(item), item)
    return list(seen.values())


@function("List.contains")
def contains(list_: list[Any], element: Any) -> bool:
    """Return whether an element is there."""
    return element in list_


@function("List.indexOf")
def index_of(list_: list[Any], element: Any) -> int:
    """Return where an element first is, -1 where it is not."""
    return list_.index(element) if element in list_ else -1


@function("List.frequency")
def frequency(list_: list[Any], element: Any) -> int:
    """Return how often an element is there."""
    return list_.count(element)


@function("List.equals")
def equals(list_: list[Any], other: list[Any]) -> bool:
    """Return whether two lists are the same."""
    return list_ == other


@function("List.remove")
def remove(list_: list[Any], element: Any) -> list[Any]:
    """Return the list without the first of some equal elements."""
    at = index_of(list_, element)
    return list_ if at < 0 else [*list_[:at], *list_[at + 1 :]]


@function("List.removeAll")
def remove_all(list_: list[Any], other: list[Any]) -> list[Any]:
    """Return the list without the elements of another."""
    unwanted = {key_of(item) for item in other}
    return [item for item in list_ if key_of(item) not in unwanted]


@function("List.sort")
def sort(list_: list[Any], keys: list[Any] | None = None) -> list[Any]:
    """Return the list in order, or in the order of as many keys."""
    if keys is None:
        return sorted(list_, key=rank)
    pairs = zip(keys, list_, strict=True)
    return [item for _, item in sorted(pairs, key=lambda pair: rank(pair[0]))]


@function("List.zip")
def pairs(list_: list[Any], other: list[Any]) -> list[Any]:
    """Return pairs of elements, as many as the shorter list has."""
    return [list(pair) for pair in zip(list_, other, strict=False)]


@function("List.unzip")
def unzip(list_: list[Any]) -> list[Any]:
    """Return the columns of a list of rows."""
    return [list(column) for column in zip(*list_, strict=True)]


@function("List.repeat")
def repeat(value: Any, count: int) -> list[Any]:
    """Return one value several times."""
    _within(count, "List.repeat")
    return [value] * count


@function("List.sequence")
def sequence(
    start: float, end: float | None = None, step: float = 1, count: int | None = None
) -> list[Any]:
    """Return numbers from start to end, both included, by a step or by their count."""
    if end is None and count is None:
        raise ExpressionError("List.sequence: either an end or a count.")
    if end is not None and count is not None:
        step = (end - start) / max(count - 1, 1)
    elif end is not None:
        if step == 0:
            raise ExpressionError("List.sequence: the step is zero.")
        count = max(int((end - start) / step + 1e-9) + 1, 0) if (end - start) / step >= 0 else 0
    _within(count or 0, "List.sequence")
    return [to_float(start + k * step) for k in range(count or 0)]


@function("List.join")
def join(list_: list[Any], separator: str = "") -> str:
    """Return the elements as one string."""
    if any(not isinstance(item, str | int | float) for item in list_):
        raise UnsupportedError("List.join", "elements that are no strings or numbers")
    words = [str(item) for item in list_]
    if sum(map(len, words)) + len(words) * len(separator) > LONGEST:
        raise ExpressionError(f"List.join gives more than {LONGEST} characters.")
    return separator.join(words)


@function("List.map")
def mapped(list_: list[Any], base_algorithm: Function, drop_nulls: bool = False) -> list[Any]:
    """Return what a function makes of each element."""
    made = [base_algorithm.call(item) for item in list_]
    return [item for item in made if item is not None] if drop_nulls else made


@function("List.iterate")
def iterated(list_: list[Any], function: Function, first: Any) -> Any:
    """Return what a function of element and previous result gives for the last element."""
    result = first
    for item in list_:
        result = function.call(item, result)
    return result


@function("List.filter")
def filtered(list_: list[Any], filter_: Filter) -> list[Any]:
    """Return the elements that pass; of plain values as the property `item`."""

    def element(item: Any) -> Any:
        return item if isinstance(item, Image | Feature) else Feature(None, {"item": item})

    return [item for item in list_ if filter_.test(element(item), element(item))]


def _index(list_: list[Any], index: int, who: str) -> int:
    if not -len(list_) <= index < len(list_):
        raise ExpressionError(f"{who}: List index must be between 0 and {len(list_)}: {index}.")
    return index % len(list_)


def _within(count: int, who: str) -> None:
    if not 0 <= count <= LONGEST:
        raise ExpressionError(f"{who}: a list has at most {LONGEST} elements.")
