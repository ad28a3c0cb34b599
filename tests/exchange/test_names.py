"""Paths say what files hold: from facts to path and back."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.exchange.names import (
    SEEDS,
    SeriesName,
    SingleName,
    family_key,
    parse_series,
    parse_single,
    record_key,
    shard_path,
    step_path,
)

SEASONS, NUMBERS = st.sampled_from(sorted(SEEDS)), st.integers(0, 10_000)
SERIES = st.builds(
    SeriesName,
    season=SEASONS,
    scene=NUMBERS,
    sensor=st.sampled_from(["s1", "s2"]),
    step=NUMBERS,
    date=st.dates(),
    patch=NUMBERS,
)
SINGLE = st.builds(
    SingleName,
    season=SEASONS,
    scene=NUMBERS,
    sensor=st.sampled_from(["s1", "s2", "s2_cloudy", "lc"]),
    patch=NUMBERS,
)
PUBLISHED = "ROIs1868/73/S2/14/s2_ROIs1868_73_ImgNo_14_2018-06-21_patch_171.tif"
CLOUDY = "ROIs1158_spring_s2_cloudy/s2_cloudy_1/ROIs1158_spring_s2_cloudy_1_p407.tif"
COVER = "ROIs2017_winter/lc_8/ROIs2017_winter_lc_8_p30.tif"


@given(SERIES)
def test_series_names_survive_the_way_there_and_back(name: SeriesName) -> None:
    assert parse_series(name.path) == name


@given(SINGLE, st.booleans())
def test_single_names_survive_the_way_there_and_back(name: SingleName, by_sensor: bool) -> None:
    assert parse_single(name.path(by_sensor=by_sensor), by_sensor=by_sensor) == name


@given(st.lists(SERIES, unique=True, max_size=20))
def test_no_two_names_share_a_path(names: list[SeriesName]) -> None:
    assert len({name.path for name in names}) == len(names)


def test_published_paths_are_met_letter_by_letter() -> None:
    found = parse_series(PUBLISHED)
    assert found == SeriesName("summer", 73, "s2", 14, date(2018, 6, 21), 171)
    assert found.path == PUBLISHED
    single = SingleName("spring", 1, "s2_cloudy", 407)
    assert single.path(by_sensor=True) == CLOUDY
    assert parse_single(COVER, by_sensor=False) == SingleName("winter", 8, "lc", 30)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ROIs1868/", "ROIs1158/"),  # folder and name disagree
        ("/S2/", "/S1/"),
        ("/S2/", "/s2/"),
        ("/14/", "/15/"),
        ("/73/", "/073/"),
        ("2018-06-21", "2018-02-30"),
        ("2018-06-21", "2018-6-21"),
        ("_patch_171", "_patch_0171"),
        ("_patch_171", "_patch_١٧١"),  # digits, but not ours
        (".tif", ".tiff"),
        (".tif", ".tif.aux.xml"),
        ("ROIs1868", "ROIs1869"),
        ("s2_ROIs", "s3_ROIs"),
        ("ROIs1868/73", "x/ROIs1868/73"),
    ],
)
def test_other_paths_are_no_series_names(old: str, new: str) -> None:
    assert old in PUBLISHED
    assert parse_series(PUBLISHED.replace(old, new)) is None


@pytest.mark.parametrize(
    ("path", "by_sensor"),
    [
        (CLOUDY, False),
        (COVER, True),
        (CLOUDY.replace("spring", "summer"), True),
        (CLOUDY.replace("s2_cloudy_1/", "s2_1/"), True),
        (COVER.replace("ROIs2017_winter/", ""), False),
    ],
)
def test_other_paths_are_no_single_names(path: str, by_sensor: bool) -> None:
    assert parse_single(path, by_sensor=by_sensor) is None


@given(st.text(alphabet=string.printable + "é١/._", max_size=80))
def test_any_text_may_be_parsed(text: str) -> None:
    assert parse_series(text) is None
    assert parse_single(text, by_sensor=True) is None


def test_keys_of_the_family() -> None:
    assert family_key("summer", "73") == ("summer", 73)
    for season, scene in (("", "73"), ("autumn", "73"), ("summer", ""), ("summer", "7a")):
        assert family_key(season, scene) is None


def test_names_sort_as_the_store() -> None:
    steps = [step_path("a", "a_r0", "s2", t, date(2018, 1, 1 + t)) for t in (0, 2, 9, 11)]
    assert steps == sorted(steps)
    assert step_path("a", "a_r0", "dem", None, None) == "a/a_r0/a_r0_dem.tif"
    keys = [record_key(row, "z.9") for row in (2, 10, 300_000)]
    assert keys == sorted(keys)
    assert not any("." in key for key in keys)
    assert shard_path("val", 7) < shard_path("val", 12)
