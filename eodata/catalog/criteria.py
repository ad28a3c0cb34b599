"""Read what people ask for on a command line: a box, a span, a limit."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eodata.core.errors import RecipeError
from eodata.core.span import Span, parse_utc

BBox = tuple[float, float, float, float]
"""(west, south, east, north) in degrees."""

FIRST_YEAR, LAST_YEAR = 1900, 2199
ALWAYS = Span(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))

_TESTS: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


@dataclass(frozen=True, slots=True)
class Limit:
    """A comparison with a number, such as `< 30`.

    Attributes:
        sign: One of `<`, `<=`, `>`, `>=`, `=`.
        value: The number on the right.
    """

    sign: str
    value: float

    def test(self, numbers: ArrayLike) -> NDArray[np.bool_]:
        """Return True where a number meets the limit; an unknown number (NaN) never does."""
        return _TESTS[self.sign](np.asarray(numbers, dtype=np.float64), self.value)

    def __str__(self) -> str:
        return f"{self.sign}{self.value:g}"


def parse_limit(text: str) -> Limit:
    """Read a comparison; a unit after the number, % or px, is read over.

    >>> parse_limit("<= 0.5 px")
    Limit(sign='<=', value=0.5)

    Raises:
        RecipeError: There is no sign, or no number.
    """
    match = re.fullmatch(rf"\s*(<=|>=|<|>|=)\s*({_NUMBER})\s*(?:%|px)?\s*", text)
    if match is None:
        raise RecipeError(
            "limit",
            f'"{text}"',
            "a limit is one of < <= > >= = and a number.",
            'Write for example "<30" or ">=0.9", in quotes so that the shell leaves it alone.',
        )
    return Limit(match[1], float(match[2]))


def parse_bbox(text: str) -> BBox:
    """Read a box in degrees.

    >>> parse_bbox("3, 50.5, 3.5, 51")
    (3.0, 50.5, 3.5, 51.0)

    Raises:
        RecipeError: There are not four numbers, or they are no box on Earth.
    """
    parts = text.replace(",", " ").split()
    if len(parts) != 4 or not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise _no_bbox(text, "a box is four numbers: west,south,east,north in degrees.")
    west, south, east, north = (float(part) for part in parts)
    if west >= east or south >= north:
        raise _no_bbox(
            text,
            "west must be less than east, and south less than north.",
            "Swap them; cut a box at the date line in two.",
        )
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise _no_bbox(
            text,
            "longitudes lie in [-180, 180] and latitudes in [-90, 90].",
            "Give degrees, not metres, with the longitude first.",
        )
    return west, south, east, north


def _no_bbox(text: str, because: str, fix: str = "For example 3.0,50.5,3.5,51.0.") -> RecipeError:
    return RecipeError("bbox", f'"{text}"', because, fix)


def parse_span(text: str) -> Span:
    """Read a span of time in UTC, its end excluded as everywhere.

    A single year, month or day means all of it. In `start/end` each part means its first instant,
    so `2018/2020` is the years 2018 and 2019; `..` leaves a side open.

    >>> str(parse_span("2018-06").end.date())
    '2018-07-01'

    Raises:
        RecipeError: This is no span, or its end is not after its start.
    """
    first, slash, last = (part.strip() for part in text.partition("/"))
    if not slash:
        return _whole(first, text)
    if not first and not last:
        raise _no_span(text)
    start = ALWAYS.start if first in ("", "..") else _whole(first, text).start
    end = ALWAYS.end if last in ("", "..") else _whole(last, text).start
    return Span(start, end)


def _whole(word: str, text: str) -> Span:
    """Return all of the year, month or day that `word` names; a second for a time of day."""
    pattern = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(-\d{2})?(T.+)?", word)
    if pattern is None:
        raise _no_span(text)
    year, month, day, clock = pattern.groups()
    try:
        start = parse_utc(f"{year}-{month or '01'}{day or '-01'}{clock or ''}")
    except ValueError:
        raise _no_span(text) from None
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise _no_span(text, f"years lie between {FIRST_YEAR} and {LAST_YEAR}.")
    if clock:
        return Span(start, start + timedelta(seconds=1))
    if day:
        return Span(start, start + timedelta(days=1))
    if month:
        return Span(start, (start + timedelta(days=31)).replace(day=1))
    return Span(start, start.replace(year=start.year + 1))


def _no_span(
    text: str, because: str = "a span is a year, a month, a day, or start/end."
) -> RecipeError:
    return RecipeError(
        "span", f'"{text}"', because, "For example 2018, 2018-06 or 2018-01-01/2018-06-01."
    )
