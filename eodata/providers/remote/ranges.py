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
    for start, stop in sorted(r for r in set(ranges) if r[1] > r[0]):
        if found:
            first, last = found[-1]
            is_near = start - last <= gap and stop - first <= largest
            if start < last or is_near:
                found[-1] = (first, max(stop, last))
                continue
        found.append((start, stop))
    return found
