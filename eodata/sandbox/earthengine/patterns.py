"""Regular expressions that cannot take long: Python's engine, unlike RE2, goes back and forth."""

from __future__ import annotations

import re

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError

LONGEST = 200
MOST_REPEATS = 2
LONGEST_SUBJECT = 2000
REPEAT = re.compile(r"(?<!\\)[*+?{]")


def pattern(text: str, who: str) -> re.Pattern[str]:
    """Return a compiled expression.

    Raises:
        UnsupportedError: It is one that may take long: repeated groups, several repeats, or what
            only Python knows.
        ExpressionError: It is none.
    """
    repeats = REPEAT.findall(text)
    slow = len(text) > LONGEST or len(repeats) > MOST_REPEATS
    if slow or re.search(r"\)[*+?{]|\(\?|\\\d", text):
        raise UnsupportedError(who, f"the regular expression {text[:40]!r}")
    try:
        return re.compile(text)
    except re.error as error:
        raise ExpressionError(f"{who}: {text[:40]!r} is no regular expression: {error}.") from None


def subject(text: str, who: str) -> str:
    """Return a string that an expression is applied to.

    Raises:
        UnsupportedError: It is too long.
    """
    if len(text) > LONGEST_SUBJECT:
        raise UnsupportedError(who, f"more than {LONGEST_SUBJECT} characters")
    return text
