"""What a recipe may say about seasons."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from eodata.core.errors import RecipeError
from eodata.core.recipe_time import TimeSpec
from eodata.core.span import Span

SEASONS = "{spring: [2018-03-01, 2018-06-01], fall: ['2018-09-01T12:00:00Z', 2018-12-01]}"


def parsed(seasons):
    text = f"{{start: 2018-01-01, end: 2019-01-01, seasons: {seasons}}}"
    return TimeSpec.parse(yaml.safe_load(text), "x.yaml")


def test_season_when_dated_then_its_half_open_span():
    time = parsed(SEASONS)
    assert time.season("spring") == Span(
        datetime(2018, 3, 1, tzinfo=UTC), datetime(2018, 6, 1, tzinfo=UTC)
    )
    assert time.season("fall").start == datetime(2018, 9, 1, 12, tzinfo=UTC)
    assert time.season("fall").end == datetime(2018, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(("seasons", "name"), [("{}", "spring"), ("{}", ""), (SEASONS, "")])
def test_season_when_none_is_dated_or_named_then_none(seasons, name):
    assert parsed(seasons).season(name) is None


@pytest.mark.parametrize("name", ["winter", "Spring", "sprin"])
def test_season_when_others_are_dated_then_refused_with_the_known_ones(name):
    with pytest.raises(RecipeError) as caught:
        parsed(SEASONS).season(name)
    assert f'"{name}"' in caught.value.found
    assert "spring, fall" in caught.value.fix


@pytest.mark.parametrize(
    ("seasons", "where", "told"),
    [
        ("{a: [2018-06-01, 2018-03-01]}", "time.seasons.a", "not after the start"),
        ("{b: [2018-06-01, 2018-06-01]}", "time.seasons.b", "not after the start"),
        ("{c: [2018-06-01]}", "x.yaml: seasons.c", "missing"),
        ("{d: [june, july]}", "x.yaml: seasons.d.0", "a date or time"),
        ("{e: 2018}", "x.yaml: seasons.e", "tuple"),
    ],
)
def test_season_when_its_dates_are_wrong_then_refused_at_its_key(seasons, where, told):
    with pytest.raises(RecipeError) as caught:
        parsed(seasons)
    assert where in caught.value.where
    assert told in str(caught.value)


def test_seasons_when_written_and_read_then_the_same():
    time = parsed(SEASONS)
    written = time.model_dump(mode="json")
    assert written["seasons"]["spring"] == ["2018-03-01", "2018-06-01"]
    assert TimeSpec.parse(written, "plan.json") == time
