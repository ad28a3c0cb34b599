"""Time: half-open spans [start, end) in UTC, and the steps that cut them.

Instants are `datetime` objects with UTC; on arrays they are `datetime64[s]` without zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from eodata.core.errors import RecipeError


def to_utc(value: date | datetime) -> datetime:
    """Return `value` as an aware UTC datetime; a date means midnight, no zone UTC."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (zone follows)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 instant; without zone it is UTC.

    Raises:
        ValueError: `text` is no ISO 8601 date or time.
    """
    return to_utc(datetime.fromisoformat(text))


def format_utc(instant: datetime) -> str:
    """Write `instant` as ISO 8601 with a trailing Z, the inverse of `parse_utc`."""
    return to_utc(instant).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open span `[start, end)` in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", to_utc(self.start))
        object.__setattr__(self, "end", to_utc(self.end))
        if self.end <= self.start:
            raise RecipeError(
                "time",
                f"the end {format_utc(self.end)} is not after the start {format_utc(self.start)}",
                "a span runs from start (included) to end (excluded).",
                "Swap the two, or give an end one day later to get a single day.",
            )

    @property
    def middle(self) -> datetime:
        """The instant half way."""
        return self.start + (self.end - self.start) / 2

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def steps(self, n: int) -> tuple[Span, ...]:
        """Cut into `n` steps of equal length, edges rounded down to whole seconds.

        Neighbours share an edge, so every instant of the span lies in exactly one step.

        Raises:
            RecipeError: Fewer than one step, or steps shorter than a second.
        """
        length = self.end - self.start
        if n < 1 or length // timedelta(seconds=1) < n:
            raise RecipeError(
                "time.steps",
                f"{n} steps in {length}",
                "there must be at least one step, and each at least one second long.",
                "Give a number of steps between 1 and the length of the span in seconds.",
            )
        # In whole microseconds, because floats would round some edges up.
        whole = length // timedelta(microseconds=1)
        seconds = [whole * i // (n * 1_000_000) for i in range(n)]
        edges = [self.start + timedelta(seconds=s) for s in seconds] + [self.end]
        return tuple(Span(a, b) for a, b in pairwise(edges))
