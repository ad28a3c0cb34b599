"""Which ranges of a file are fetched together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]
"""Bytes `[start, stop)`."""

GAP = 64 * 1024
"""Bytes between two ranges that cost less than another request: 50 ms at 10 Mbit/s."""
LARGEST = 4 * 1024 * 1024
"""A longer request would keep others waiting, and a failure would cost more than it saves."""


def merged(ranges: Iterable[Range], gap: int = GAP, largest: int = LARGEST) -> list[Range]:
    """Return ranges that cover all of these, ordered, without overlap.

    Neighbours become one when at most `gap` bytes lie between them and the sum is no longer than
    `largest`. What overlaps becomes one whatever its length, and a range that is longer by itself
    stays whole.
    """
    found: list[Range] = []
    for start, stop in _united(ranges):
        if found and start - found[-1][1] <= gap and stop - found[-1][0] <= largest:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def _united(ranges: Iterable[Range]) -> list[Range]:
    """Return the ranges in order, those that overlap as one, without empty ones."""
    found: list[Range] = []
    for start, stop in sorted(r for r in set(ranges) if r[1] > r[0]):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found
