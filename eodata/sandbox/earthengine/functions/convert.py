"""What is turned into what where a function asks for a certain kind of value."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from eodata.sandbox.earthengine.pixeltype import DOUBLE, FLOAT, PixelType, of_dtype, of_number
from eodata.sandbox.earthengine.registry import converter
from eodata.sandbox.earthengine.values import (
    Band,
    Canvas,
    Collection,
    Date,
    DateRange,
    Feature,
    Geometry,
    Image,
    Pixels,
    Projection,
    Replay,
    Source,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ORDINAL = re.compile(r"(\d{4})-(\d{3})(T.*)?")
SHORT_TYPES = {
    "float": FLOAT, "double": DOUBLE, "byte": of_dtype("uint8"), "short": of_dtype("int16"),
    "int": of_dtype("int32"), "long": of_dtype("int64"),
}  # fmt: skip


def constant(value: float, name: str = "constant") -> Band:
    """Return a band that is the same everywhere."""
    kind = of_number(value)

    def make(canvas: Canvas) -> Pixels:
        shape = canvas.grid.height, canvas.grid.width
        return Pixels(np.full(shape, value, kind.dtype), np.ones(shape, bool))

    return Band(name, Source(kind, make))


@converter(Image)
def to_image(value: Any) -> Image:
    """Return an image; a number is one that is the same everywhere."""
    if isinstance(value, Image):
        return value
    return Image((constant(to_float(value)),))


@converter(Collection)
def to_collection(value: Any) -> Collection:
    """Return a collection; an image or a feature is one of itself."""
    if isinstance(value, Collection):
        return value
    if isinstance(value, Image | Feature):
        return Collection(Replay(iter([value])), isinstance(value, Image))
    raise TypeError("is no collection")


@converter(Geometry)
def to_geometry(value: Any) -> Geometry:
    """Return a geometry, that of a feature or the footprint of an image."""
    if isinstance(value, Geometry):
        return value
    if isinstance(value, Feature | Image) and value.ground is not None:
        return value.ground
    raise TypeError("is no geometry and has none")


@converter(Date)
def to_date(value: Any) -> Date:
    """Return a date; numbers are milliseconds since 1970, strings ISO 8601."""
    if isinstance(value, Date):
        return value
    if isinstance(value, str):
        return Date(to_millis(_read(value)))
    return Date(to_int(value))


@converter(DateRange)
def to_range(value: Any) -> DateRange:
    """Return a range of dates; a date is a range of one millisecond."""
    if isinstance(value, DateRange):
        return value
    start = to_date(value)
    return DateRange(start, Date(start.millis + 1))


@converter(float)
def to_float(value: Any) -> float:
    """Return a number as it is: whole ones are integers."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return int(value) if float(value).is_integer() and abs(value) < 2**63 else value
    raise TypeError("is no number")


@converter(int)
def to_int(value: Any) -> int:
    """Return a whole number."""
    number = to_float(value)
    if not isinstance(number, int):
        raise TypeError("is no whole number")
    return number


@converter(bool)
def to_bool(value: Any) -> bool:
    """Return a truth value; numbers are true unless zero."""
    if isinstance(value, bool | int | float):
        return bool(value)
    raise TypeError("is no truth value")


@converter(Projection)
def to_projection(value: Any) -> Projection:
    """Return a projection; a string is the code of a CRS, with pixels of one unit."""
    if isinstance(value, Projection):
        return value
    if isinstance(value, str):
        return Projection(value)
    raise TypeError("is no projection")


@converter(PixelType)
def to_pixel_type(value: Any) -> PixelType:
    """Return a type of pixels by its name, e.g. `uint16` or `float`."""
    if isinstance(value, PixelType):
        return value
    if isinstance(value, str) and value in SHORT_TYPES:
        return SHORT_TYPES[value]
    if isinstance(value, str) and re.fullmatch("u?int(8|16|32)|int64", value):
        return of_dtype(value)
    raise TypeError("is no type of pixels")


def to_millis(instant: datetime) -> int:
    """Return milliseconds since 1970."""
    return round((instant - EPOCH) / timedelta(milliseconds=1))


def to_instant(date: Date) -> datetime:
    """Return a date as a datetime.

    Raises:
        OverflowError: It is out of the range of those.
    """
    return EPOCH + timedelta(milliseconds=date.millis)


def _read(text: str) -> datetime:
    """Return an instant; without zone it is UTC, and days may be counted from the new year."""
    ordinal = ORDINAL.fullmatch(text)
    try:
        if ordinal:
            rest = ordinal[3] or "T00:00"
            first = datetime.fromisoformat(f"{ordinal[1]}-01-01{rest}")
            found = first + timedelta(days=int(ordinal[2]) - 1)
        else:
            found = datetime.fromisoformat(text if len(text) != 7 else f"{text}-01")
    except ValueError:
        raise TypeError(f"says no date: {text[:40]!r}") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
