"""Strings."""

from __future__ import annotations

import re
from typing import Any

from eodata.sandbox.earthengine.expression_errors import UnsupportedError
from eodata.sandbox.earthengine.functions.convert import to_float
from eodata.sandbox.earthengine.patterns import pattern, subject
from eodata.sandbox.earthengine.registry import function


@function("String")
def string(input_: Any) -> str:
    """Return a string, or a number as one."""
    return input_ if isinstance(input_, str) else str(to_float(input_))


@function("String.cat")
def cat(string1: str, string2: str) -> str:
    """Return two strings as one."""
    return string1 + string2


@function("String.length")
def length(string: str) -> int:
    """Return how many characters there are."""
    return len(string)


@function("String.slice")
def part(string: str, start: int, end: int | None = None) -> str:
    """Return a part; negative numbers count from the end."""
    return string[start:end]


@function("String.index")
def index(target: str, pattern: str) -> int:
    """Return where a string first occurs, -1 where it does not."""
    return target.find(pattern)


@function("String.rindex")
def last_index(target: str, pattern: str) -> int:
    """Return where a string last occurs, -1 where it does not."""
    return target.rfind(pattern)


@function("String.equals")
def equals(reference: str, target: Any) -> bool:
    """Return whether two strings are the same."""
    return bool(reference == target)


@function("String.compareTo")
def compare(string1: str, string2: str) -> int:
    """Return -1, 0 or 1: how two strings are ordered."""
    return (string1 > string2) - (string1 < string2)


@function("String.toLowerCase")
def lower(string: str) -> str:
    """Return small letters."""
    return string.lower()


@function("String.toUpperCase")
def upper(string: str) -> str:
    """Return capital letters."""
    return string.upper()


@function("String.trim")
def trim(string: str) -> str:
    """Return the string without blanks at its ends."""
    return string.strip()


@function("String.split")
def split(string: str, regex: str, flags: str = "") -> list[str]:
    """Return the parts between matches; empty ones at the end are left out."""
    parts = _compiled("String.split", regex, flags).split(subject(string, "String.split"))
    while parts and not parts[-1]:
        parts.pop()
    return parts


@function("String.match")
def match(input_: str, regex: str, flags: str = "") -> list[str]:
    """Return the first match and its groups."""
    found = _compiled("String.match", regex, flags).search(subject(input_, "String.match"))
    return [found[0], *(group or "" for group in found.groups())] if found else []


@function("String.replace")
def replace(input_: str, regex: str, replacement: str, flags: str = "") -> str:
    """Return the string with the first match replaced, all of them with the flag `g`."""
    if "$" in replacement or "\\" in replacement:
        raise UnsupportedError("String.replace", "groups in the replacement")
    compiled = _compiled("String.replace", regex, flags.replace("g", ""))
    return compiled.sub(
        lambda _: subject(replacement, "String.replace"),
        subject(input_, "String.replace"),
        0 if "g" in flags else 1,
    )


def _compiled(who: str, regex: str, flags: str) -> re.Pattern[str]:
    if flags:
        raise UnsupportedError(who, f"the flags {flags[:20]!r}")
    return pattern(regex, who)
