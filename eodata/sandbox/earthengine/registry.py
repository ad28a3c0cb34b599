"""Which functions there are, and how what an expression says becomes their arguments.

A function of Earth Engine is a Python function whose arguments have the same names in snake case
(an underscore follows where Python has the word for itself), the same order and the same defaults.
Annotations say what an argument is turned into: a number into an image where an image is due, a
feature into its geometry, a string into a date. A first argument `state` is the evaluation itself.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.images import Catalogue

Known = TypeVar("Known", bound=Callable[..., Any])
LONGEST = 100_000
"""Elements of a list, and characters of a string."""


class State(Protocol):
    """One evaluation."""

    @property
    def catalogue(self) -> Catalogue:
        """Return what there is to load."""
        ...

    def scanned(self) -> None:
        """Count one element that was looked at; see `Evaluation`."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: Earth Engine's name, its default, and what it is turned into."""

    name: str
    default: Any
    kind: Any

    @property
    def required(self) -> bool:
        """Return whether there is no default."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One function.

    Attributes:
        name: Earth Engine's.
        call: The Python function.
        parameters: In order, without `state`.
        stateful: Whether `state` comes first.
    """

    name: str
    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    stateful: bool


FUNCTIONS: dict[str, Entry] = {}
CONVERTERS: dict[Any, Callable[[Any], Any]] = {}
"""By annotation. A converter raises TypeError when it cannot."""


def function(*names: str) -> Callable[[Known], Known]:
    """Register a function under one or more of Earth Engine's names."""

    def register(call: Known) -> Known:
        hints = typing.get_type_hints(call)
        given = list(inspect.signature(call).parameters.values())
        stateful = bool(given) and given[0].name == "state"
        parameters = tuple(
            Parameter(_camel(p.name), p.default, hints.get(p.name, Any)) for p in given[stateful:]
        )
        for name in names:
            FUNCTIONS[name] = Entry(name, call, parameters, stateful)
        return call

    return register


def converter(*kinds: Any) -> Callable[[Known], Known]:
    """Register what turns a value into one of these kinds."""

    def register(convert: Known) -> Known:
        CONVERTERS.update(dict.fromkeys(kinds, convert))
        return convert

    return register


def find(name: str) -> Entry:
    """Return a function.

    Raises:
        UnsupportedError: There is none of this name.
    """
    if name not in FUNCTIONS:
        raise UnsupportedError(name)
    return FUNCTIONS[name]


def bind(entry: Entry, arguments: Mapping[str, Any]) -> list[Any]:
    """Return the arguments of a call in order, converted, with defaults where nothing was said.

    Raises:
        ExpressionError: One is missing, unknown or cannot be converted.
    """
    unknown = set(arguments) - {p.name for p in entry.parameters}
    if unknown:
        raise UnsupportedError(entry.name, f"argument {sorted(unknown)[0]}")
    return [_bound(entry, parameter, arguments) for parameter in entry.parameters]


def converted(kind: Any, value: Any) -> Any:
    """Return a value as what an annotation says.

    Raises:
        TypeError: It cannot be that.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        return _first_of([k for k in inner if k is not type(None)], value)
    if origin is list:
        return [converted(inner[0], item) for item in _listed(value)]
    if kind in CONVERTERS:
        return CONVERTERS[kind](value)
    if kind is Any or isinstance(value, origin or kind):
        return value
    raise TypeError(f"is no {(origin or kind).__name__}")


def _first_of(kinds: list[Any], value: Any) -> Any:
    """Return a value as the first of some kinds that it can be; it may already be any of them."""
    for kind in kinds:
        if isinstance(kind, type) and isinstance(value, kind):
            return value
    for kind in kinds[:-1]:
        try:
            return converted(kind, value)
        except TypeError:
            continue
    return converted(kinds[-1], value)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("is no list")
    return value


def _bound(entry: Entry, parameter: Parameter, arguments: Mapping[str, Any]) -> Any:
    value = arguments.get(parameter.name)
    if value is None and not parameter.required:
        return parameter.default
    if value is None and parameter.kind is not Any:
        raise ExpressionError(
            f"{entry.name}: Parameter '{parameter.name}' is required and may not be null."
        )
    try:
        return converted(parameter.kind, value)
    except TypeError as error:
        kind = type(value).__name__
        raise ExpressionError(
            f"{entry.name}: argument '{parameter.name}' ({kind}) {error}."
        ) from None


def _camel(name: str) -> str:
    return re.sub("_([a-z0-9])", lambda found: found[1].upper(), name.rstrip("_"))
