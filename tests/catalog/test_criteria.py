"""What people write for a box, a span, a limit."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.catalog.criteria import ALWAYS, Limit, parse_bbox, parse_limit, parse_span
from eodata.core.errors import RecipeError
from eodata.core.span import format_utc


@given(sign=st.sampled_from(["<", "<=", ">", ">=", "="]), value=st.floats(-1e6, 1e6))
def test_a_limit_that_is_read_is_the_one_written(sign: str, value: float) -> None:
    assert parse_limit(f" {sign} {value!r} ") == Limit(sign, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<30", [True, False, False, False]),
        ("<=30", [True, True, False, False]),
        (">30%", [False, False, True, False]),
        (">= 30", [False, True, True, False]),
        ("<30px", [True, False, False, False]),
        ("<= 30 px ", [True, True, False, False]),
        ("=30", [False, True, False, False]),
    ],
)
def test_a_limit_keeps_what_it_says_and_never_the_unknown(text: str, expected: list) -> None:
    assert parse_limit(text).test([29.9, 30.0, 30.1, np.nan]).tolist() == expected


@pytest.mark.parametrize("text", ["30", "<", "=<3", "<nan", "< 3 4", "", "<3x", "<3 pixels", "<3p"])
def test_a_limit_without_sign_or_number_is_refused(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_limit(text)
    assert caught.value.fix


@pytest.mark.parametrize("text", ["3,50.5,3.5,51", " 3 50.5 3.5 51 ", "3.0, 50.5, +3.5, 51e0"])
def test_a_bbox_is_west_south_east_north(text: str) -> None:
    assert parse_bbox(text) == (3.0, 50.5, 3.5, 51.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3,50,4", "four numbers"),
        ("a,b,c,d", "four numbers"),
        ("nan,0,1,1", "four numbers"),
        ("4,50,3,51", "west must be less"),
        ("3,51,4,50", "west must be less"),
        ("500000,5000000,500100,5000100", "degrees, not metres"),
    ],
)
def test_a_bbox_that_is_no_box_is_refused(text: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_bbox(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2018", "2018-01-01", "2019-01-01"),
        ("2018-12", "2018-12-01", "2019-01-01"),
        ("2018-02", "2018-02-01", "2018-03-01"),
        ("2018-02-28", "2018-02-28", "2018-03-01"),
        ("2018-01-01/2018-06-01", "2018-01-01", "2018-06-01"),
        ("2018/2020", "2018-01-01", "2020-01-01"),
        ("2018-06/..", "2018-06-01", "2200-01-01"),
        ("../2018-06", "1900-01-01", "2018-06-01"),
        ("2018-01-01T12:00:00Z/2018-01-02", "2018-01-01T12:00:00", "2018-01-02"),
    ],
)
def test_a_span_excludes_its_end(text: str, start: str, end: str) -> None:
    span = parse_span(text)
    assert span.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert span.end == datetime.fromisoformat(end).replace(tzinfo=UTC)


INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1))  # noqa: DTZ001 (naive means UTC)


@given(INSTANTS, st.integers(1, 10**9))
def test_a_span_written_in_full_comes_back(start: datetime, seconds: int) -> None:
    end = min(start.replace(tzinfo=UTC).timestamp() + seconds, ALWAYS.end.timestamp() - 1)
    texts = format_utc(start), format_utc(datetime.fromtimestamp(end, UTC))
    span = parse_span("/".join(texts))
    assert (format_utc(span.start), format_utc(span.end)) == texts


@pytest.mark.parametrize(
    "text",
    ["", "/", "soon", "2018-13", "2018-02-30", "18", "2018/2017", "2018/2018", "0001", "3000"],
)
def test_a_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_span(text)
    assert caught.value.fix
