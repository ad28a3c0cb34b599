"""Arithmetic on images, pixel by pixel: matched bands, masks that intersect, types that widen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.functions.bandwise import (
    Array,
    Change,
    Compute,
    Retype,
    Widen,
    binary,
    cast,
    each,
    paired,
)
from eodata.sandbox.earthengine.functions.convert import to_pixel_type
from eodata.sandbox.earthengine.functions.images import select
from eodata.sandbox.earthengine.pixeltype import (
    DOUBLE,
    FLOAT,
    TRUTH,
    PixelType,
    integer,
    of_dtype,
    of_number,
    quotient,
    union,
)
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import Band, Image


def divided(a: Array, b: Array) -> Array:
    """Return quotients, 0 where the divisor is 0."""
    return np.divide(a, b, out=np.zeros(a.shape), where=b != 0)


def _remainder(a: Array, b: Array) -> Array:
    safe = np.where(b == 0, 1, b)
    return np.asarray(np.where(b == 0, 0, np.fmod(a, safe)))


def _multiplied(one: PixelType, other: PixelType) -> PixelType:
    products = [x * y for x in (one.low, one.high) for y in (other.low, other.high)]
    return _ranged(one, other, min(products), max(products))


def _ranged(one: PixelType, other: PixelType, low: int, high: int) -> PixelType:
    both_whole = one.precision == other.precision == "int"
    return integer(low, high) if both_whole else union([one, other])


def _truth(*_: PixelType) -> PixelType:
    return TRUTH


def _widest(one: PixelType, other: PixelType) -> PixelType:
    return union([one, other])


def _bits(one: PixelType, other: PixelType) -> PixelType:
    whole = _widest(one, other)
    return of_dtype(whole.dtype if whole.precision == "int" else "int64")


def _as_bits(compute: Compute) -> Compute:
    return lambda a, b: compute(a.astype(np.int64), b.astype(np.int64))


BINARY: dict[str, tuple[Compute, Widen]] = {
    "add": (np.add, lambda a, b: _ranged(a, b, a.low + b.low, a.high + b.high)),
    "subtract": (np.subtract, lambda a, b: _ranged(a, b, a.low - b.high, a.high - b.low)),
    "multiply": (np.multiply, _multiplied),
    "divide": (divided, quotient),
    "pow": (lambda a, b: np.power(a.astype(np.float64), b), quotient),
    "mod": (_remainder, _widest),
    "min": (np.minimum, _widest),
    "max": (np.maximum, _widest),
    "first": (lambda a, _: a, _widest),
    "hypot": (np.hypot, quotient),
    "atan2": (np.arctan2, quotient),
    "lt": (np.less, _truth),
    "lte": (np.less_equal, _truth),
    "gt": (np.greater, _truth),
    "gte": (np.greater_equal, _truth),
    "eq": (np.equal, _truth),
    "neq": (np.not_equal, _truth),
    "and": (np.logical_and, _truth),
    "or": (np.logical_or, _truth),
    "bitwiseAnd": (_as_bits(np.bitwise_and), _bits),
    "bitwiseOr": (_as_bits(np.bitwise_or), _bits),
    "bitwiseXor": (_as_bits(np.bitwise_xor), _bits),
    "rightShift": (_as_bits(lambda a, b: np.right_shift(a, np.clip(b, 0, 63))), _bits),
}
ALIASES = {
    "bitwiseAnd": "bitwise_and", "bitwiseOr": "bitwise_or", "bitwiseXor": "bitwise_xor",
    "rightShift": "right_shift",
}  # fmt: skip


def _same(kind: PixelType) -> PixelType:
    return kind


def _real(kind: PixelType) -> PixelType:
    return FLOAT if kind.in_float else DOUBLE


def _absolute(kind: PixelType) -> PixelType:
    top = max(abs(kind.low), abs(kind.high))
    return integer(0, top) if kind.precision == "int" else kind


UNARY: dict[str, tuple[Change, Retype]] = {
    "abs": (np.abs, _absolute),
    "not": (np.logical_not, _truth),
    "floor": (np.floor, _same),
    "ceil": (np.ceil, _same),
    "round": (lambda a: np.floor(a + 0.5), _same),
    "signum": (np.sign, lambda kind: integer(-1, 1) if kind.precision == "int" else kind),
    **{
        name: (getattr(np, known), _real)
        for name, known in {
            "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "log": "log", "log10": "log10",
            "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos",
            "atan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
        }.items()
    },
}  # fmt: skip
CASTS = {
    "uint8": ("toUint8", "toByte", "byte", "uint8"),
    "int8": ("toInt8", "int8"),
    "uint16": ("toUint16", "uint16"),
    "int16": ("toInt16", "toShort", "short", "int16"),
    "uint32": ("toUint32", "uint32"),
    "int32": ("toInt32", "toInt", "int", "int32"),
    "int64": ("toInt64", "toLong", "long", "int64"),
    "float32": ("toFloat", "float"),
    "float64": ("toDouble", "double"),
}


def _register() -> None:
    for name, (compute, widen) in BINARY.items():
        _register_binary(name, compute, widen)
    for name, (change, kind) in UNARY.items():
        _register_unary(name, change, kind)
    for dtype, names in CASTS.items():
        _register_cast(names, of_dtype(dtype))


def _register_binary(name: str, compute: Compute, widen: Widen) -> None:
    names = [f"Image.{known}" for known in (name, ALIASES.get(name)) if known]

    @function(*names)
    def apply(image1: Image, image2: Image) -> Image:
        return binary(image1, image2, f"Image.{name}", compute, widen)


def _register_unary(name: str, compute: Change, widen: Retype) -> None:
    @function(f"Image.{name}")
    def apply(value: Image) -> Image:
        return each(value, compute, widen)


def _register_cast(names: tuple[str, ...], kind: PixelType) -> None:
    @function(*(f"Image.{name}" for name in names))
    def apply(value: Image) -> Image:
        bands = tuple(Band(band.name, cast(band.source, kind)) for band in value.bands)
        return replace(value, bands=bands)


_register()


@function("Image.cast")
def cast_bands(
    image: Image, band_types: dict[str, Any], band_order: list[str] | None = None
) -> Image:
    """Return an image with the types of some bands changed."""

    def one(band: Band) -> Band:
        kind = band_types.get(band.name)
        return band if kind is None else Band(band.name, cast(band.source, to_pixel_type(kind)))

    made = replace(image, bands=tuple(one(band) for band in image.bands))
    return made if band_order is None else select(made, list(band_order))


@function("Image.clamp")
def clamp(input_: Image, low: float, high: float) -> Image:
    """Return an image with numbers clipped to a range."""
    return each(
        input_,
        lambda a: np.clip(a, low, high),
        lambda kind: union([kind, of_number(low), of_number(high)]),
    )


@function("Image.unitScale")
def unit_scale(input_: Image, low: float, high: float) -> Image:
    """Return an image in which a range has become 0 to 1; nothing is clipped."""
    if high == low:
        raise ExpressionError("Image.unitScale: the range is empty.")
    return each(input_, lambda a: (a - low) / (high - low), _real)


@function("Image.normalizedDifference")
def normalized_difference(input_: Image, band_names: list[str] | None = None) -> Image:
    """Return `(a - b) / (a + b)` of two bands as `nd`, masked where one of them is negative."""
    chosen = input_ if band_names is None else select(input_, list(band_names))
    if len(chosen.bands) < 2:
        raise ExpressionError("Image.normalizedDifference: two bands are needed.")
    one, other = chosen.bands[0].source, chosen.bands[1].source

    def compute(a: Array, b: Array) -> Array:
        found = divided(a - b, a + b)
        found[(a < 0) | (b < 0)] = np.nan
        return found

    return Image((Band("nd", paired(one, other, compute, quotient)),), ground=input_.ground)
