"""Types of pixels as Earth Engine has them: a precision and a range, from which NumPy's follows.

Rules of this evaluator, which are Earth Engine's as far as they are documented:

- Integers know their range. Sums, differences and products get the range that the ranges of their
  operands allow, so they never wrap; what fits no 64-bit integer becomes double.
- Quotients and powers of integers are float when both operands fit 24 bits, else double.
- Float with float stays float; anything with double is double; float with an integer is float
  when the integer fits 24 bits, else double.
- Comparisons and logic give integers in 0 to 1. Casts give the whole range of their type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np

Precision = Literal["int", "float", "double"]
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64")
"""From small to large; the first that holds a range is its type."""
EXACT_IN_FLOAT = 2**24


@dataclass(frozen=True, slots=True)
class PixelType:
    """A precision, and for integers the range (both ends included)."""

    precision: Precision
    low: int = 0
    high: int = 0

    @property
    def dtype(self) -> str:
        """Return NumPy's name of it, the smallest integer type that holds the range."""
        if self.precision != "int":
            return {"float": "float32", "double": "float64"}[self.precision]
        return next(name for name in INTEGERS if _holds(name, self.low, self.high))

    @property
    def in_float(self) -> bool:
        """Return whether single precision holds every value."""
        if self.precision == "int":
            return self.low >= -EXACT_IN_FLOAT and self.high <= EXACT_IN_FLOAT
        return self.precision == "float"

    def info(self) -> dict[str, Any]:
        """Return it as `getInfo` does."""
        told: dict[str, Any] = {"type": "PixelType", "precision": self.precision}
        return told | {"min": self.low, "max": self.high} if self.precision == "int" else told


FLOAT = PixelType("float")
DOUBLE = PixelType("double")
TRUTH = PixelType("int", 0, 1)


def integer(low: float, high: float) -> PixelType:
    """Return the integer type of a range, double where none holds it."""
    low, high = int(low), int(high)
    return PixelType("int", low, high) if _holds("int64", low, high) else DOUBLE


def of_dtype(name: str) -> PixelType:
    """Return the type of all values of a NumPy type, e.g. `uint16`."""
    kind = np.dtype(name)
    if kind.kind == "f":
        return FLOAT if kind.itemsize <= 4 else DOUBLE
    limits = np.iinfo(kind)
    return PixelType("int", int(limits.min), int(limits.max))


def of_number(value: float) -> PixelType:
    """Return the type of a constant; whole numbers are integers, as 3.0 is in JSON."""
    whole = float(value).is_integer() and abs(value) < 2**53
    return PixelType("int", int(value), int(value)) if whole else DOUBLE


def union(types: Iterable[PixelType]) -> PixelType:
    """Return the smallest type that holds all values of some types; at least one is given."""
    return reduce(_wider, types)


def quotient(one: PixelType, other: PixelType) -> PixelType:
    """Return the type of a quotient or power: never an integer."""
    return FLOAT if one.in_float and other.in_float else DOUBLE


def _wider(one: PixelType, other: PixelType) -> PixelType:
    if one.precision == other.precision == "int":
        return integer(min(one.low, other.low), max(one.high, other.high))
    return FLOAT if one.in_float and other.in_float else DOUBLE


def _holds(name: str, low: int, high: int) -> bool:
    limits = np.iinfo(name)
    return bool(limits.min <= low and high <= limits.max)
