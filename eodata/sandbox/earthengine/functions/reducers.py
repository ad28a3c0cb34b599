"""Reducers: of lists of values, and of stacks of pixels.

Masked pixels and missing values are left out, but for `first` and `last`, which take what comes
first whether it is masked or not. The median of an even count is the mean of the two in the middle;
of several most frequent values the mode is the smallest. Deviations are those of a population.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions import stacks
from eodata.sandbox.earthengine.functions.collections import gathered, rank
from eodata.sandbox.earthengine.functions.convert import to_float
from eodata.sandbox.earthengine.functions.filters import plain, read
from eodata.sandbox.earthengine.functions.stacks import Array, Stack
from eodata.sandbox.earthengine.pixeltype import (
    DOUBLE,
    TRUTH,
    PixelType,
    integer,
    union,
)
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import Collection, Valid

OfStack = Callable[[Array, Valid], Stack]
OfList = Callable[[list[Any]], Any]
MOST_IMAGES = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Reducer:
    """How many values become one.

    Attributes:
        name: Of the output.
        of_list: From values, none of them missing, to the result.
        of_stack: From `(N, H, W)` to `(H, W)`; None where that is unsupported.
        widen: From the types of the inputs to that of the output.
        inputs: Values that it takes at once.
        repeats: Copies side by side, each with an input of its own; 0: just one.
        keeps_missing: Whether values that are missing are told to it.
    """

    name: str
    of_list: OfList
    of_stack: OfStack | None = None
    widen: Callable[[Sequence[PixelType]], PixelType] = union
    inputs: int = 1
    repeats: int = 0
    keeps_missing: bool = False


def _double(kinds: Sequence[PixelType]) -> PixelType:
    del kinds
    return DOUBLE


def _numbers(reduce: Callable[[list[float]], Any]) -> OfList:
    def of_list(values: list[Any]) -> Any:
        numbers = [to_float(plain(value)) for value in values]
        return reduce(numbers) if numbers else None

    return of_list


def _at(index: int) -> OfList:
    return lambda values: values[index] if values else None


def _simple() -> dict[str, Reducer]:
    total = (lambda values: sum(to_float(plain(v)) for v in values), stacks.total, _double)
    product = (_numbers(lambda n: float(np.prod(n))), stacks.product, _double)
    table: dict[str, tuple[OfList, OfStack, Callable[[Sequence[PixelType]], PixelType]]] = {
        "median": (_numbers(statistics.median), stacks.median, _double),
        "mean": (_numbers(statistics.fmean), stacks.mean, _double),
        "min": (lambda values: min(values, key=rank, default=None), stacks.least, union),
        "max": (lambda values: max(values, key=rank, default=None), stacks.most, union),
        "count": (len, stacks.count, lambda _: integer(0, MOST_IMAGES)),
        "sum": total,
        "product": product,
        "stdDev": (_numbers(statistics.pstdev), stacks.deviation, _double),
        "variance": (_numbers(statistics.pvariance), stacks.variance, _double),
        "mode": (_numbers(lambda n: min(statistics.multimode(n))), stacks.mode, union),
        "firstNonNull": (_at(0), stacks.first_valid, union),
        "lastNonNull": (_at(-1), stacks.last_valid, union),
        "anyNonZero": (_numbers(lambda n: int(any(n))), stacks.any_true, lambda _: TRUTH),
        "allNonZero": (_numbers(lambda n: int(all(n))), stacks.all_true, lambda _: TRUTH),
    }
    known = {name: Reducer(_short(name), *rest) for name, rest in table.items()}
    known["first"] = Reducer("first", _at(0), stacks.first, keeps_missing=True)
    known["last"] = Reducer("last", _at(-1), stacks.last, keeps_missing=True)
    return known


def _short(name: str) -> str:
    """Return the name of the output: `first` for `firstNonNull`, `any` for `anyNonZero`."""
    return name.removesuffix("NonNull").removesuffix("NonZero")


SIMPLE = _simple()
HISTOGRAMS = ("median", "mode")
SEVERAL = ("min", "max")


def _register(name: str, reducer: Reducer) -> None:
    if name in HISTOGRAMS:

        @function(f"Reducer.{name}")
        def approximate(
            max_buckets: int | None = None,
            min_bucket_width: float | None = None,
            max_raw: int | None = None,
        ) -> Reducer:
            del max_buckets, min_bucket_width, max_raw  # always computed directly
            return reducer

    elif name in SEVERAL:

        @function(f"Reducer.{name}")
        def extreme(num_inputs: int = 1) -> Reducer:
            if num_inputs != 1:
                raise UnsupportedError(f"Reducer.{name}", "several inputs")
            return reducer

    else:

        @function(f"Reducer.{name}")
        def plain_reducer() -> Reducer:
            return reducer


for _name, _reducer in SIMPLE.items():
    _register(_name, _reducer)


@function("Reducer.or")
def any_of() -> Reducer:
    """Return whether one value is not zero."""
    return replace(SIMPLE["anyNonZero"], name="or")


@function("Reducer.and")
def all_of() -> Reducer:
    """Return whether no value is zero."""
    return replace(SIMPLE["allNonZero"], name="and")


@function("Reducer.toList")
def to_list(tuple_size: int | None = None, num_optional: int = 0) -> Reducer:
    """Return the values as a list, in groups if a size is given."""
    if num_optional:
        raise UnsupportedError("Reducer.toList", "numOptional")
    return Reducer("list", lambda values: values, inputs=tuple_size or 1)


@function("Reducer.repeat")
def repeated(reducer: Reducer, count: int) -> Reducer:
    """Return copies of a reducer side by side."""
    if reducer.inputs != 1 or reducer.repeats or not 0 < count <= 1000:
        raise UnsupportedError("Reducer.repeat", f"{count} copies of {reducer.inputs} inputs")
    return replace(reducer, repeats=count)


@function("Reducer.setOutputs")
def with_outputs(reducer: Reducer, outputs: list[str]) -> Reducer:
    """Return a reducer with another name of its output."""
    if len(outputs) != 1:
        raise ExpressionError("Reducer.setOutputs: there is one output.")
    return replace(reducer, name=outputs[0])


@function("Collection.reduceColumns")
def reduce_columns(
    collection: Collection,
    reducer: Reducer,
    selectors: list[str],
    weight_selectors: list[str] | None = None,
) -> dict[str, Any]:
    """Return what a reducer makes of properties of the elements, by the name of its output."""
    if weight_selectors is not None:
        raise UnsupportedError("Collection.reduceColumns", "weightSelectors")
    needed = reducer.repeats or reducer.inputs
    if len(selectors) != needed:
        raise ExpressionError(
            f"Collection.reduceColumns: the reducer takes {needed} inputs, not {len(selectors)}."
        )
    elements = gathered(collection.elements)
    rows = [[read(element, name) for name in selectors] for element in elements]
    if reducer.repeats:
        columns = [_present([row[k] for row in rows], reducer) for k in range(needed)]
        return {reducer.name: [reducer.of_list(column) for column in columns]}
    if needed > 1:
        return {reducer.name: reducer.of_list([r for r in rows if None not in r])}
    return {reducer.name: reducer.of_list(_present([row[0] for row in rows], reducer))}


def _present(values: list[Any], reducer: Reducer) -> list[Any]:
    return values if reducer.keeps_missing else [v for v in values if v is not None]


@function("List.reduce")
def reduce_list(list_: list[Any], reducer: Reducer) -> Any:
    """Return what a reducer makes of a list."""
    if reducer.inputs != 1 or reducer.repeats:
        raise UnsupportedError("List.reduce", "reducers of several inputs")
    return reducer.of_list(_present(list_, reducer))
