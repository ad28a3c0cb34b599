"""Spans are half-open and steps tile them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.errors import RecipeError
from eodata.core.span import Span, format_utc, parse_utc, to_utc

EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=4000))
instants = st.timedeltas(timedelta(0), timedelta(days=30_000)).map(lambda gap: EPOCH + gap)


@st.composite
def spans_and_steps(draw: st.DrawFn) -> tuple[Span, int]:
    start, length = draw(instants), draw(lengths)
    most = min(200, length // timedelta(seconds=1))
    return Span(start, start + length), draw(st.integers(1, most))


@given(spans_and_steps())
@settings(max_examples=80, deadline=None)
def test_steps_tile_the_span_without_gap_or_overlap(case: tuple[Span, int]) -> None:
    span, n = case
    steps = span.steps(n)
    assert len(steps) == n
    assert steps[0].start == span.start
    assert steps[-1].end == span.end
    assert all(a.end == b.start for a, b in pairwise(steps))


@given(spans_and_steps(), st.floats(0, 1, exclude_max=True))
@settings(max_examples=80, deadline=None)
def test_instant_of_the_span_lies_in_exactly_one_step(
    case: tuple[Span, int], fraction: float
) -> None:
    span, n = case
    steps = span.steps(n)
    instant = min(
        span.start + (span.end - span.start) * fraction, span.end - timedelta(microseconds=1)
    )
    for probe in (instant, *(s.start for s in steps)):
        assert sum(probe in step for step in steps) == 1
    assert not any(span.end in step for step in steps)


@given(spans_and_steps())
@settings(max_examples=60, deadline=None)
def test_steps_differ_in_length_by_less_than_two_seconds(case: tuple[Span, int]) -> None:
    span, n = case
    lengths = [s.end - s.start for s in span.steps(n)]
    assert max(lengths) - min(lengths) < timedelta(seconds=2)


def test_steps_when_a_year_is_cut_then_edges_are_whole_seconds() -> None:
    edges = [s.start for s in Span(date(2018, 1, 1), date(2019, 1, 1)).steps(30)]
    assert edges[1] == datetime(2018, 1, 13, 4, tzinfo=UTC)
    assert all(e.microsecond == 0 for e in edges)


def test_steps_when_they_do_not_divide_then_edges_are_rounded_down() -> None:
    span = Span(EPOCH, EPOCH + timedelta(seconds=10))
    assert [(s.start - EPOCH).seconds for s in span.steps(3)] == [0, 3, 6]


@pytest.mark.parametrize("n", [0, -1, 4, 10**20])
def test_steps_when_zero_or_shorter_than_a_second_then_refused(n: int) -> None:
    start = datetime(2018, 1, 1, tzinfo=UTC)
    span = Span(start, start + timedelta(seconds=3, microseconds=999_999))
    with pytest.raises(RecipeError) as caught:
        span.steps(n)
    assert caught.value.where == "time.steps"


def test_steps_when_just_short_of_a_second_each_then_names_the_steps() -> None:
    # timedelta / int rounds 0.99999967 s up to a second.
    start = datetime(2018, 1, 1, tzinfo=UTC)
    with pytest.raises(RecipeError) as caught:
        Span(start, start + timedelta(seconds=2, microseconds=999_999)).steps(3)
    assert caught.value.where == "time.steps"


@pytest.mark.parametrize("end", [date(2018, 1, 1), date(2017, 12, 31)])
def test_span_when_end_is_not_after_start_then_refused(end: date) -> None:
    with pytest.raises(RecipeError) as caught:
        Span(date(2018, 1, 1), end)
    assert "2018-01-01T00:00:00Z" in caught.value.found
    assert caught.value.fix


@given(instants)
@settings(max_examples=60)
def test_parse_when_text_was_formatted_then_same_instant(instant: datetime) -> None:
    text = format_utc(instant)
    assert text.endswith("Z")
    assert parse_utc(text) == instant


def test_to_utc_when_naive_then_utc_and_other_zones_are_converted() -> None:
    naive = datetime(2018, 1, 1, 5)  # noqa: DTZ001 (that is the point)
    assert to_utc(naive) == datetime(2018, 1, 1, 5, tzinfo=UTC)
    assert to_utc(date(2018, 1, 1)) == datetime(2018, 1, 1, tzinfo=UTC)
    east = datetime(2018, 1, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert to_utc(east) == datetime(2018, 1, 1, 3, tzinfo=UTC)
    assert to_utc(east).utcoffset() == timedelta(0)


def test_parse_when_text_is_no_time_then_value_error() -> None:
    with pytest.raises(ValueError, match="summer"):
        parse_utc("summer")


def test_middle_is_half_way() -> None:
    assert Span(date(2018, 1, 1), date(2018, 1, 3)).middle == datetime(2018, 1, 2, tzinfo=UTC)
