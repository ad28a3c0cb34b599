"""Expressions of the REST API, evaluated: to values that JSON can say, or to pixels on a grid.

The graph is walked from its result; nodes that need no argument of a function are evaluated once.
Images stay recipes until `render` asks for their pixels on the output grid: as in Earth Engine,
the whole graph is evaluated there, and only bands of the catalogue are reprojected.

Who wants to answer a request needs `evaluate`, `render`, and `ExpressionError` for what is refused.

    expression         the JSON, decoded and checked
    registry           functions by name, and how arguments are converted
    functions          the functions, by theme
    values             images, collections, filters and the like
    pixeltype          types of pixels, and how they widen
    ground             geometries
    patterns           regular expressions that end
    canvas, survey     pixels on one grid, each source once, within a budget
    places, sampling   where output pixels lie on a band, and what is there
    describe           values as JSON
    expression_errors  what is refused
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eodata.sandbox.earthengine import functions  # noqa: F401 (fills the registry)
from eodata.sandbox.earthengine.canvas import PlainCanvas
from eodata.sandbox.earthengine.describe import described
from eodata.sandbox.earthengine.expression import (
    Argument,
    Array,
    Call,
    Constant,
    Lambda,
    Node,
    Table,
    decode,
)
from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.images import Catalogue, PixelGrid
from eodata.sandbox.earthengine.registry import LONGEST, bind, find
from eodata.sandbox.earthengine.values import Band, Function, Image, Numbers, Valid

__all__ = ["ExpressionError", "RenderedBand", "UnsupportedError", "evaluate", "render"]

MOST_STEPS = 2_000_000
"""Nodes that are evaluated, elements that are looked at."""
TOO_DEEP = "The expression is nested too deeply."
PER_STEP = 16
"""Elements of lists and characters that count as one step."""
Scope = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class RenderedBand:
    """One band of a computed image.

    Attributes:
        name: Of the band.
        values: `(H, W)` in Earth Engine's dtype, 0 where masked.
        mask: `(H, W)` bool, False where masked.
    """

    name: str
    values: Numbers
    mask: Valid


def evaluate(expression: Any, catalogue: Catalogue, grid: PixelGrid | None = None) -> Any:
    """Return the value of an expression as JSON values, as `getInfo` gives it.

    Args:
        expression: `{"result": …, "values": {…}}`.
        catalogue: What there is to load.
        grid: Not needed by any function so far.

    Raises:
        ExpressionError: It is wrong, or asks for too much.
        UnsupportedError: It needs something that there is not.
    """
    del grid
    with _refusing():
        return described(Evaluation(catalogue).value(decode(expression), {}))


def render(
    expression: Any, catalogue: Catalogue, grid: PixelGrid, band_ids: Sequence[str] | None = None
) -> list[RenderedBand]:
    """Return the pixels of an expression whose value is an image.

    Args:
        expression: `{"result": …, "values": {…}}`.
        catalogue: What there is to load.
        grid: The pixels.
        band_ids: Names of bands in the order of the result; None: all of them.

    Raises:
        ExpressionError: It is wrong, is no image, has no such band, or asks for too much.
        UnsupportedError: It needs something that there is not.
    """
    with _refusing():
        image = Evaluation(catalogue).value(decode(expression), {})
        if not isinstance(image, Image):
            raise ExpressionError(f"The expression gives no image but {type(image).__name__}.")
        bands = _wanted(image, band_ids)
    canvas = PlainCanvas(catalogue.archive, grid)
    try:
        canvas.prepare(band.source for band in bands)
        return [RenderedBand(band.name, *canvas.pixels(band.source)) for band in bands]
    except RecursionError:
        raise ExpressionError(TOO_DEEP) from None


@contextmanager
def _refusing(who: str = "The expression") -> Iterator[None]:
    """Turn what goes wrong with values of an expression into a refusal."""
    try:
        yield
    except RecursionError:
        raise ExpressionError(TOO_DEEP) from None
    except (ArithmeticError, ValueError, LookupError, TypeError) as error:
        raise ExpressionError(f"{who}: {error}") from None


def _wanted(image: Image, band_ids: Sequence[str] | None) -> list[Band]:
    if not image.bands:
        raise ExpressionError("The image has no bands.")
    known = {band.name: band for band in image.bands}
    missing = [name for name in band_ids or () if name not in known]
    if missing:
        raise ExpressionError(f"Band '{missing[0]}' is not among {', '.join(known)}.")
    return [known[name] for name in band_ids] if band_ids else list(image.bands)


class Evaluation:
    """One walk through one graph. No thread but its own may use it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._known: dict[Node, Any] = {}
        self._steps = 0

    def scanned(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            ExpressionError: There were too many.
        """
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise ExpressionError("The computation takes too many steps.")

    def value(self, node: Node, scope: Scope) -> Any:
        """Return the value of a node within a function's arguments."""
        self.scanned()
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Argument):
            return scope[node.name]
        if node.free:
            return self._computed(node, scope)
        if node not in self._known:
            self._known[node] = self._computed(node, scope)
        return self._known[node]

    def _computed(self, node: Call | Array | Table | Lambda, scope: Scope) -> Any:
        if isinstance(node, Call):
            return self._called(node, scope)
        if isinstance(node, Array):
            return [self.value(item, scope) for item in node.items]
        if isinstance(node, Lambda):
            return self._function(node, scope)
        return {key: self.value(item, scope) for key, item in node.items.items()}

    def _function(self, node: Lambda, scope: Scope) -> Function:
        def call(*values: Any) -> Any:
            return self.value(node.body, scope | dict(zip(node.names, values, strict=False)))

        return Function(node.names, call)

    def _called(self, node: Call, scope: Scope) -> Any:
        if not isinstance(node.function, str):
            return self._by_value(node.function, node, scope)
        if node.function == "If":
            return self._chosen(node, scope)
        entry = find(node.function)
        told = {name: self.value(item, scope) for name, item in node.arguments.items()}
        for given in told.values():
            if isinstance(given, list | str | dict):
                self.scanned(len(given) // PER_STEP)
        arguments = bind(entry, told)
        with _refusing(node.function):
            found = entry.call(self, *arguments) if entry.stateful else entry.call(*arguments)
        size = _size(found)
        if size > LONGEST:
            raise ExpressionError(f"{node.function} gives more than {LONGEST} elements.")
        self.scanned(size // PER_STEP)
        return found

    def _by_value(self, called: Node, node: Call, scope: Scope) -> Any:
        function = self.value(called, scope)
        if not isinstance(function, Function):
            raise ExpressionError("Something is called that is no function.")
        return function.call(*(self.value(node.arguments[name], scope) for name in function.names))

    def _chosen(self, node: Call, scope: Scope) -> Any:
        """Return the one case of an `If` that is due; the other is never evaluated."""
        condition = node.arguments.get("condition")
        holds = condition is not None and bool(self.value(condition, scope))
        case = node.arguments.get("trueCase" if holds else "falseCase")
        return None if case is None else self.value(case, scope)


def _size(value: Any) -> int:
    """Return how many elements a list has with all lists in it, or characters a string.

    It may stop counting beyond `LONGEST`.
    """
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, list | dict):
        return 1
    total, rest = 0, [value]
    while rest and total <= LONGEST:
        inside = rest.pop()
        items = inside.values() if isinstance(inside, dict) else inside
        total += len(inside)
        rest += [item for item in items if isinstance(item, list | dict)]
    return total
