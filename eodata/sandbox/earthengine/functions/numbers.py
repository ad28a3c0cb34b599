"""Arithmetic on numbers. Whole numbers stay whole but for division, as with images."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.arithmetic import CASTS
from eodata.sandbox.earthengine.functions.convert import to_float
from eodata.sandbox.earthengine.pixeltype import PixelType, of_dtype
from eodata.sandbox.earthengine.registry import function

Number = int | float
LARGEST = 2**63


def _power(a: float, b: float) -> Any:
    return float(a) ** float(b)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "pow": _power,
    "mod": lambda a, b: int(math.fmod(a, b)) if _whole(a, b) else math.fmod(a, b),
    "min": min,
    "max": max,
    "first": lambda a, _: a,
    "hypot": math.hypot,
    "atan2": math.atan2,
    "lt": lambda a, b: int(a < b),
    "lte": lambda a, b: int(a <= b),
    "gt": lambda a, b: int(a > b),
    "gte": lambda a, b: int(a >= b),
    "eq": lambda a, b: int(a == b),
    "neq": lambda a, b: int(a != b),
    "and": lambda a, b: int(bool(a) and bool(b)),
    "or": lambda a, b: int(bool(a) or bool(b)),
    "bitwiseAnd": lambda a, b: int(a) & int(b),
    "bitwiseOr": lambda a, b: int(a) | int(b),
    "bitwiseXor": lambda a, b: int(a) ^ int(b),
    "leftShift": lambda a, b: int(a) << min(max(int(b), 0), 63),
    "rightShift": lambda a, b: int(a) >> min(max(int(b), 0), 63),
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "abs": abs,
    "not": lambda a: int(not a),
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda a: math.floor(a + 0.5),
    "signum": lambda a: (a > 0) - (a < 0),
    **{
        name: getattr(math, name)
        for name in (
            "sqrt", "cbrt", "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan",
            "sinh", "cosh", "tanh",
        )
    },
}  # fmt: skip


def _whole(*numbers: Any) -> bool:
    return all(isinstance(number, int) for number in numbers)


def _settled(value: Any, who: str) -> Number:
    """Return a number that is finite and of 64 bits, whole if it is one."""
    if isinstance(value, complex) or not math.isfinite(value):
        raise ExpressionError(f"{who}: the result is no finite number.")
    return float(value) if isinstance(value, int) and abs(value) >= LARGEST else value


def _register_binary(name: str, compute: Callable[[Any, Any], Any]) -> None:
    @function(f"Number.{name}")
    def apply(left: float, right: float) -> Number:
        return _settled(compute(left, right), f"Number.{name}")


def _register_unary(name: str, compute: Callable[[Any], Any]) -> None:
    @function(f"Number.{name}")
    def apply(input_: float) -> Number:
        return _settled(compute(input_), f"Number.{name}")


def _register_cast(names: tuple[str, ...], kind: PixelType) -> None:
    @function(*(f"Number.{name}" for name in names))
    def apply(input_: float) -> Number:
        if kind.precision != "int":
            return float(input_)
        return min(max(math.trunc(input_), kind.low), kind.high)


for _name, _binary in BINARY.items():
    _register_binary(_name, _binary)
for _name, _unary in UNARY.items():
    _register_unary(_name, _unary)
for _dtype, _names in CASTS.items():
    _register_cast(_names, of_dtype(_dtype))


@function("Number.clamp")
def clamp(number: float, min_: float, max_: float) -> Number:
    """Return the nearest number of a range."""
    return min(max(number, min_), max_)


@function("Number.unitScale")
def unit_scale(number: float, min_: float, max_: float) -> Number:
    """Return where a number lies in a range, 0 to 1; nothing is clipped."""
    return (number - min_) / (max_ - min_)


@function("Number.parse")
def parse(input_: str, radix: int = 10) -> Number:
    """Return the number that a string says."""
    if not 2 <= radix <= 36:
        raise ExpressionError("Number.parse: the radix is 2 to 36.")
    return to_float(float(input_)) if radix == 10 else int(input_, radix)


@function("Number.format")
def format_number(number: float, pattern: str = "%s") -> str:
    """Return a number as `%s`, `%d`, `%05d` or `%.2f` say."""
    flags, kind = pattern[1:-1], pattern[-1:]
    plain = len(pattern) < 8 and pattern[:1] == "%" and not flags.strip("0123456789.")
    if not plain or kind not in ("s", "d", "f") or int(flags.replace(".", "") or 0) > 999:
        raise UnsupportedError("Number.format", f"the pattern {pattern[:20]!r}")
    if kind == "d" and not isinstance(number, int):
        raise ExpressionError("Number.format: %d is for whole numbers.")
    return pattern % number
