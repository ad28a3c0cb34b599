"""Dates and ranges of dates, in UTC alone."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.convert import EPOCH, to_date, to_instant, to_millis
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import Date, DateRange

MILLIS = {
    "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000,
}  # fmt: skip
MONTHS = {"month": 1, "year": 12}
FORMATS = {
    "YYYY": "%Y", "yyyy": "%Y", "YY": "%y", "yy": "%y", "MM": "%m",
    "dd": "%d", "DDD": "%j", "HH": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
ISO = "yyyy-MM-dd'T'HH:mm:ss"
NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@function("Date")
def date(value: Any, time_zone: str | None = None) -> Date:
    """Return a date from milliseconds since 1970, a string or a date."""
    _utc("Date", time_zone)
    return to_date(value)


@function("Date.fromYMD")
def from_ymd(year: int, month: int, day: int, time_zone: str | None = None) -> Date:
    """Return midnight of a day."""
    _utc("Date.fromYMD", time_zone)
    return Date(to_millis(datetime(year, month, day, tzinfo=EPOCH.tzinfo)))


@function("Date.millis")
def millis(date: Date) -> int:
    """Return milliseconds since 1970."""
    return date.millis


@function("Date.advance")
def advance(date: Date, delta: float, unit: str, time_zone: str | None = None) -> Date:
    """Return a date some units later; months and years are whole and keep the day if they can."""
    _utc("Date.advance", time_zone)
    known = _unit(unit, "Date.advance")
    if known in MILLIS:
        return Date(date.millis + round(delta * MILLIS[known]))
    if not isinstance(delta, int):
        raise UnsupportedError("Date.advance", f"fractions of a {known}")
    return _months_later(date, delta * MONTHS[known])


@function("Date.difference")
def difference(date: Date, start: Date, unit: str) -> float:
    """Return how many units lie between two dates."""
    known = _unit(unit, "Date.difference")
    if known not in MILLIS:
        raise UnsupportedError("Date.difference", f"in units of a {known}")
    return (date.millis - start.millis) / MILLIS[known]


@function("Date.get")
def get(date: Date, unit: str, time_zone: str | None = None) -> int:
    """Return a part of a date."""
    _utc("Date.get", time_zone)
    known, instant = _unit(unit, "Date.get"), to_instant(date)
    return instant.isocalendar().week if known == "week" else int(getattr(instant, known))


@function("Date.getRelative")
def get_relative(date: Date, unit: str, in_unit: str, time_zone: str | None = None) -> int:
    """Return the day of the year or month, or the month of the year, from 0 on."""
    _utc("Date.getRelative", time_zone)
    instant = to_instant(date)
    known = {
        ("day", "year"): instant.timetuple().tm_yday - 1,
        ("day", "month"): instant.day - 1,
        ("month", "year"): instant.month - 1,
        ("hour", "day"): instant.hour,
    }
    asked = _unit(unit, "Date.getRelative"), _unit(in_unit, "Date.getRelative")
    if asked not in known:
        raise UnsupportedError("Date.getRelative", f"{asked[0]} in {asked[1]}")
    return known[asked]


@function("Date.format")
def format_date(date: Date, format_: str | None = None, time_zone: str | None = None) -> str:
    """Return a date in a pattern of Joda's, ISO 8601 if none is given."""
    _utc("Date.format", time_zone)
    instant = to_instant(date)
    found = re.finditer(r"'[^']*'|([A-Za-z])\1*|[^A-Za-z']", format_ or ISO)
    return "".join(_written(part[0], instant) for part in found)


@function("Date.getRange")
def get_range(date: Date, unit: str, time_zone: str | None = None) -> DateRange:
    """Return the year, month, day or hour that holds a date."""
    _utc("Date.getRange", time_zone)
    known = _unit(unit, "Date.getRange")
    instant = to_instant(date)
    parts = {"year": 1, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6}
    if known not in parts:
        raise UnsupportedError("Date.getRange", f"a {known}")
    year, month, *rest = [*instant.timetuple()[: parts[known]], 1, 1][: max(parts[known], 3)]
    day, hour, minute, second = [*rest, 0, 0, 0][:4]
    first = datetime(year, month, day, hour, minute, second, tzinfo=EPOCH.tzinfo)
    start = Date(to_millis(first))
    return DateRange(start, advance(start, 1, known))


@function("DateRange")
def date_range(start: Date, end: Date | None = None, time_zone: str | None = None) -> DateRange:
    """Return a half-open range; without an end, of one millisecond."""
    _utc("DateRange", time_zone)
    known = DateRange(start, Date(start.millis + 1) if end is None else end)
    if known.end.millis < known.start.millis:
        raise ExpressionError("DateRange: the end is before the start.")
    return known


@function("DateRange.start")
def start_of(date_range: DateRange) -> Date:
    """Return the start."""
    return date_range.start


@function("DateRange.end")
def end_of(date_range: DateRange) -> Date:
    """Return the end."""
    return date_range.end


@function("DateRange.contains")
def contains(date_range: DateRange, other: DateRange) -> bool:
    """Return whether a date or another range lies within."""
    return date_range.start <= other.start and other.end <= date_range.end


def _written(part: str, instant: datetime) -> str:
    """Return one part of a pattern; names are English whatever the system speaks."""
    if part.startswith("'"):
        return part[1:-1] or "'"
    if not part[0].isalpha():
        return part
    if part in ("MMM", "MMMM"):
        name = NAMES[instant.month - 1]
        return name[:3] if part == "MMM" else name
    if part == "SSS":
        return f"{instant.microsecond // 1000:03}"
    if part not in FORMATS:
        known = {"M": instant.month, "d": instant.day, "D": instant.timetuple().tm_yday}
        if part in known:
            return str(known[part])
        raise UnsupportedError("Date.format", f"{part!r} in the pattern")
    return instant.strftime(FORMATS[part])


def _months_later(date: Date, months: int) -> Date:
    instant = to_instant(date)
    years, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    if not 1 <= years <= 9998:
        raise ExpressionError("Date.advance: the date is out of range.")
    day = min(instant.day, monthrange(years, month + 1)[1])
    return Date(to_millis(instant.replace(year=years, month=month + 1, day=day)))


def _unit(unit: str, who: str) -> str:
    known = unit.lower().removesuffix("s")
    if known not in MILLIS and known not in MONTHS:
        raise ExpressionError(f"{who}: there is no unit {unit!r}.")
    return known


def _utc(who: str, time_zone: str | None) -> None:
    if time_zone not in (None, "UTC", "Etc/UTC", "GMT"):
        raise UnsupportedError(who, f"the time zone {time_zone!r}")
