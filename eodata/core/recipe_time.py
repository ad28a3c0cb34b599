"""What a recipe may say about time: instants, gaps, the whole span and its steps."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from eodata.core.errors import RecipeError
from eodata.core.span import Span, parse_utc, to_utc
from eodata.core.strict import Strict

LONGEST_GAP_DAYS = 36_525


def _gap(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([dh])", str(value))
    if not match:
        raise ValueError('a time gap is a number of days or hours, such as "14d" or "36h"')
    days = float(match[1]) / (1 if match[2] == "d" else 24)
    if days > LONGEST_GAP_DAYS:
        raise ValueError(f"a time gap is at most {LONGEST_GAP_DAYS} days")
    return timedelta(days=days)


def _gap_text(value: timedelta) -> str:
    hours = value / timedelta(hours=1)
    if hours % 24 == 0:
        return f"{hours / 24:.0f}d"
    return f"{hours:.10f}".rstrip("0").rstrip(".") + "h"  # exact to the microsecond


def _instant(value: Any) -> date | datetime:
    # Two spellings of one instant must give one digest, also after a round trip by JSON; and a bare
    # number such as 2018 would be read as seconds since 1970.
    if isinstance(value, str) and "-" in value:
        value = parse_utc(value)
    if not isinstance(value, date):
        raise ValueError('a date or time is written as 2018-07-01 or "2018-07-01T10:30:00Z"')
    instant = to_utc(value)
    return instant.date() if instant.time() == time() else instant


Gap = Annotated[
    timedelta,
    BeforeValidator(_gap, json_schema_input_type=str),
    PlainSerializer(_gap_text, return_type=str),
]
Instant = Annotated[date | datetime, BeforeValidator(_instant, json_schema_input_type=str)]


class TimeSpec(Strict):
    """Which time, cut into which steps: half-open [start, end) in UTC."""

    start: Instant
    end: Instant
    steps: int = Field(default=1, ge=1, description="Number of equal steps.")
    seasons: dict[str, tuple[Instant, Instant]] = Field(
        default_factory=dict,
        description="`[start, end]` per season, end excluded: the time of areas that name this "
        "season and no time of their own.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> TimeSpec:
        self.span.steps(self.steps)
        for name in self.seasons:
            try:
                self.season(name)
            except RecipeError as error:
                error.where = f"time.seasons.{name}"
                raise
        return self

    @property
    def span(self) -> Span:
        """The whole span."""
        return Span(to_utc(self.start), to_utc(self.end))

    def season(self, name: str) -> Span | None:
        """Return the span of a season, None for no season and in recipes without `seasons`.

        Raises:
            RecipeError: The recipe dates other seasons, but not this one.
        """
        if not name or not self.seasons:
            return None
        if name not in self.seasons:
            raise RecipeError(
                "time.seasons",
                f'there is no season "{name}"',
                "the recipe dates seasons, so an area cannot be of one that it leaves out.",
                f"Known: {', '.join(self.seasons)}. Correct the word, or date it.",
            )
        start, end = self.seasons[name]
        return Span(to_utc(start), to_utc(end))
