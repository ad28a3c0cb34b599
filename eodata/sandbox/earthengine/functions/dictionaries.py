"""Dictionaries. Keys come in alphabetical order, as Earth Engine tells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.convert import constant, to_float
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import Function, Image

Table = dict[str, Any]


@function("Dictionary")
def dictionary(input_: Any = None) -> Table:
    """Return a dictionary, also from keys and values in turn."""
    if input_ is None:
        return {}
    if isinstance(input_, list) and len(input_) % 2 == 0:
        return {str(k): v for k, v in zip(input_[::2], input_[1::2], strict=True)}
    if not isinstance(input_, dict):
        raise ExpressionError("Dictionary: the input is no dictionary.")
    return input_


@function("Dictionary.fromLists")
def from_lists(keys: list[str], values: list[Any]) -> Table:
    """Return a dictionary of keys and values."""
    return dict(zip(keys, values, strict=True))


@function("Dictionary.get")
def get(dictionary: Table, key: str, default_value: Any = None) -> Any:
    """Return a value."""
    if key not in dictionary and default_value is None:
        raise ExpressionError(f"Dictionary.get: Dictionary does not contain key: '{key}'.")
    return dictionary.get(key, default_value)


@function("Dictionary.getNumber")
def get_number(dictionary: Table, key: str) -> float:
    """Return a number."""
    return to_float(get(dictionary, key))


@function("Dictionary.getString")
def get_string(dictionary: Table, key: str) -> str:
    """Return a string."""
    return str(get(dictionary, key))


@function("Dictionary.set")
def set_one(dictionary: Table, key: str, value: Any) -> Table:
    """Return the dictionary with another value."""
    return {**dictionary, key: value}


@function("Dictionary.keys")
def keys(dictionary: Table) -> list[str]:
    """Return the keys."""
    return sorted(dictionary)


@function("Dictionary.values")
def values(dictionary: Table, keys: list[str] | None = None) -> list[Any]:
    """Return the values of some keys, or of all in the order of keys."""
    return [get(dictionary, key) for key in (sorted(dictionary) if keys is None else keys)]


@function("Dictionary.contains")
def contains(dictionary: Table, key: str) -> bool:
    """Return whether there is a key."""
    return key in dictionary


@function("Dictionary.size")
def size(dictionary: Table) -> int:
    """Return how many keys there are."""
    return len(dictionary)


@function("Dictionary.combine")
def combine(first: Table, second: Table, overwrite: bool = True) -> Table:
    """Return two dictionaries as one."""
    return {**first, **second} if overwrite else {**second, **first}


@function("Dictionary.select")
def select(dictionary: Table, selectors: list[str], ignore_missing: bool = False) -> Table:
    """Return some keys; regular expressions are not known."""
    names = _known(dictionary, selectors, "Dictionary.select", ignore_missing=ignore_missing)
    return {name: dictionary[name] for name in names}


@function("Dictionary.remove")
def remove(dictionary: Table, selectors: list[str], ignore_missing: bool = False) -> Table:
    """Return all but some keys; regular expressions are not known."""
    names = _known(dictionary, selectors, "Dictionary.remove", ignore_missing=ignore_missing)
    return {key: value for key, value in dictionary.items() if key not in names}


@function("Dictionary.rename")
def rename(dictionary: Table, from_: list[str], to: list[str], overwrite: bool = False) -> Table:
    """Return the dictionary with some keys renamed."""
    names = dict(zip(from_, to, strict=True))
    renamed = {names.get(key, key): value for key, value in dictionary.items()}
    if len(renamed) < len(dictionary) and not overwrite:
        raise ExpressionError("Dictionary.rename: a key is there already.")
    return renamed


@function("Dictionary.map")
def mapped(dictionary: Table, base_algorithm: Function) -> Table:
    """Return what a function of key and value makes of each."""
    call: Callable[..., Any] = base_algorithm.call
    return {key: call(key, dictionary[key]) for key in sorted(dictionary)}


@function("Dictionary.toImage")
def to_image(dictionary: Table, names: list[str] | None = None) -> Image:
    """Return a band that is the same everywhere for each number."""
    chosen = sorted(dictionary) if names is None else names
    return Image(tuple(constant(to_float(get(dictionary, n)), n) for n in chosen))


def _known(dictionary: Table, selectors: list[str], who: str, *, ignore_missing: bool) -> list[str]:
    missing = [name for name in selectors if name not in dictionary]
    if missing and not ignore_missing:
        raise UnsupportedError(who, f"{missing[0]!r}, which is no key")
    return [name for name in selectors if name in dictionary]
