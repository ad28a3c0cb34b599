"""Expressions as the REST API writes them, decoded into a graph without loops.

`{"result": KEY, "values": {KEY: NODE}}`, where a node is a constant, an array, a dictionary, the
call of a function, a reference to another node or to an argument, or the definition of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError

MOST_NODES = 20_000
DEEPEST = 150
"""Calls within calls. Each takes some frames of Python's stack, of which there are about 1000."""


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A number, string, truth value, null, or lists and dictionaries of these."""

    value: Any
    free: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """A list of nodes. `free`: the arguments that it needs from outside, here and below."""

    items: tuple[Node, ...]
    free: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A dictionary of nodes."""

    items: Mapping[str, Node]
    free: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The call of a function by name, or of one that a node yields."""

    function: str | Node
    arguments: Mapping[str, Node]
    free: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """An argument of the function around it."""

    name: str
    free: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Lambda:
    """The definition of a function."""

    names: tuple[str, ...]
    body: Node
    free: frozenset[str]


Node: TypeAlias = Constant | Array | Table | Call | Argument | Lambda


def decode(expression: Any) -> Node:
    """Return the node of the result.

    Raises:
        ExpressionError: It is malformed, refers to itself, or is too large or too deep.
    """
    try:
        decoder = Decoder(dict(expression["values"]))
        root = decoder.key(str(expression["result"]), 0)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ExpressionError(f"The expression is malformed: {error!r}") from None
    if root.free:
        raise ExpressionError(f"Argument {sorted(root.free)[0]} belongs to no function.")
    return root


class Decoder:
    """Turns the nodes of one expression into a graph; each key is decoded once."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._known: dict[str, Node | None] = {}
        self._depths: dict[str, int] = {}
        self._count = 0
        self._forms: dict[str, Callable[[Any, int], Node]] = {
            "constantValue": lambda told, _: Constant(told),
            "integerValue": lambda told, _: Constant(int(told)),
            "arrayValue": self._array,
            "dictionaryValue": self._table,
            "functionInvocationValue": self._call,
            "functionDefinitionValue": self._lambda,
            "valueReference": lambda told, depth: self.key(told, depth),
            "argumentReference": lambda told, _: Argument(told, frozenset([told])),
        }

    def key(self, key: str, depth: int) -> Node:
        """Return the node of a key, `depth` calls below the result."""
        if key not in self._known:
            if key not in self._values:
                raise ExpressionError(f"There is no value {key!r}.")
            self._known[key] = None
            self._known[key] = self.node(self._values[key], depth)
        found = self._known[key]
        if found is None:
            raise ExpressionError(f"Value {key!r} refers to itself.")
        return found

    def node(self, told: Any, depth: int) -> Node:
        """Return a node `depth` calls below the result."""
        self._count += 1
        if self._count > MOST_NODES:
            raise ExpressionError(f"The expression has more than {MOST_NODES} nodes.")
        if depth > DEEPEST:
            raise ExpressionError(f"The expression is more than {DEEPEST} calls deep.")
        if len(told) != 1:
            raise ExpressionError(f"A node has one kind, not {sorted(told)}.")
        ((kind, value),) = told.items()
        if kind not in self._forms:
            raise UnsupportedError(kind)
        return self._forms[kind](value, depth)

    def _array(self, told: Any, depth: int) -> Node:
        items = tuple(self.node(item, depth + 1) for item in told.get("values", ()))
        return Array(items, _free(items))

    def _table(self, told: Any, depth: int) -> Node:
        items = {k: self.node(v, depth + 1) for k, v in told.get("values", {}).items()}
        return Table(items, _free(items.values()))

    def _call(self, told: Any, depth: int) -> Node:
        items = {k: self.node(v, depth + 1) for k, v in told.get("arguments", {}).items()}
        if "functionReference" in told:
            function: str | Node = self.key(told["functionReference"], depth + 1)
            return Call(function, items, _free([*items.values(), function]))
        return Call(str(told["functionName"]), items, _free(items.values()))

    def _lambda(self, told: Any, depth: int) -> Node:
        names = tuple(str(name) for name in told.get("argumentNames", ()))
        body = self.key(str(told["body"]), depth + 1)
        return Lambda(names, body, body.free - frozenset(names))


def _free(nodes: Any) -> frozenset[str]:
    return frozenset[str]().union(*(node.free for node in nodes))
