"""What a recipe may say, and how it is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import Pair
from eodata.core.recipe_time import TimeSpec
from eodata.core.span import to_utc

names = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).map(lambda n: f"m_{n}x")
lengths = st.floats(1, 1e5)
gaps = st.timedeltas(timedelta(0), timedelta(days=36_525))
instants = st.one_of(
    st.dates(date(1990, 1, 1), date(2020, 1, 1)),
    st.datetimes(timezones=st.just(UTC)).map(lambda d: d.replace(year=2000 + d.year % 20)),
    st.just(datetime(2018, 1, 1, tzinfo=UTC)),
)


@st.composite
def sources(draw: st.DrawFn, others: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "product": draw(st.sampled_from(["sentinel-2-l2a", "sentinel-1-grd"])),
        "bands": draw(st.just("all") | st.lists(st.sampled_from(["B02", "vv"]), min_size=1)),
        "gsd": draw(st.none() | lengths),
        "provider": draw(st.none() | st.just("archive")),
        "resampling": draw(st.sampled_from([None, "nearest", "mode", "average"])),
        "valid": draw(st.sampled_from(["measured", "clear"])),
        "role": draw(st.sampled_from(["input", "target"])),
    }
    where = draw(st.sampled_from([{}, {"platform": ["a", "B"]}, {"eo:cloud_cover": {"max": 9.5}}]))
    choose = {
        "by": draw(st.sampled_from(["least-cloudy", "coverage-then-time", "nearest"])),
        "max_cloud": draw(st.none() | st.floats(0, 100)),
    }
    how = draw(st.sampled_from(["anchor", "pair", "follow", "free"]))
    if how == "anchor":
        made["anchor"] = True
    elif how == "pair" and others:
        made["pair"] = {"with": draw(st.sampled_from(others)), "within": draw(gaps)}
    elif how == "follow" and others:
        made["follow"] = draw(st.sampled_from(others))
    if "follow" in made:
        return made
    return (
        {**made, "where": where} if "pair" in made else {**made, "where": where, "choose": choose}
    )


@st.composite
def splits(draw: st.DrawFn) -> dict[str, Any] | None:
    share = draw(st.floats(0.1, 0.9))
    fractions = {"train": share, "test": 1 - share}
    base = draw(
        st.sampled_from(
            [
                None,
                {"by": "area"},
                {"by": "area", "file": "splits.csv"},
                {"by": "area", "fractions": fractions},
                {"by": "cell", "cell": 640, "fractions": fractions},
            ]
        )
    )
    return base and {**base, "min_distance": draw(st.floats(0, 1e5))}


@st.composite
def recipes(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    modalities = {n: draw(sources([o for o in chosen if o != n])) for n in chosen}
    if draw(st.booleans()):
        classes = draw(st.lists(st.integers(-5, 300), min_size=1, max_size=3))
        modalities["mask"] = {"derive": "class-mask", "from": chosen[0], "classes": classes}
    start = draw(instants)
    return {
        "name": "x",
        "title": draw(st.text(max_size=10)),
        "licence": "CC0",
        "keywords": draw(st.lists(st.text(max_size=4), max_size=2)),
        "seed": draw(st.integers(0, 2**40)),
        "area": {
            **draw(st.sampled_from([{"file": "a.geojson"}, {"bbox": [0, 0, 1, 1]}])),
            "patch": draw(lengths),
            "stride": draw(st.none() | lengths),
            "align": draw(st.sampled_from(["lattice", "area"])),
            "cover": draw(st.floats(0.01, 1)),
        },
        "time": {
            "start": start,
            "end": to_utc(start) + timedelta(seconds=draw(st.floats(100, 1e8))),
            "steps": draw(st.integers(1, 100)),
        },
        "modalities": modalities,
        "split": draw(splits()),
        "checks": {"min_valid": draw(st.floats(0, 1))},
        "store": {"block": draw(st.integers(1, 99)), "shard_mb": draw(st.floats(0.1, 500))},
    }


@given(recipes())
@settings(max_examples=60, deadline=None)
def test_recipe_when_written_as_json_and_parsed_then_equal(data: dict[str, Any]) -> None:
    recipe = Recipe.parse(data, "x.yaml")
    written = json.dumps(recipe.to_json(), allow_nan=False)
    twin = Recipe.parse(json.loads(written), "plan")
    assert twin == recipe
    assert json.dumps(twin.to_json()) == written


def test_recipe_when_defaults_are_left_out_then_all_are_written(raw: dict[str, Any]) -> None:
    for key in ("split", "checks", "store", "archive", "keywords"):
        del raw[key]
    written = Recipe.parse(raw, "x").to_json()
    assert written["store"]["shard_mb"] == 32.0
    assert written["modalities"]["s1"]["pair"] == {"with": "s2", "within": "14d", "apart": "0d"}
    assert written["modalities"]["cloud"]["from"] == "scl"
    assert written["time"]["start"] == "2018-01-01"
    assert written["area"]["cover"] == 0.999
    assert written["modalities"]["s2"]["where"] == {}


@pytest.mark.parametrize(
    ("path", "typo", "known"),
    [
        ((), "modality", "modalities"),
        (("area",), "pach", "patch"),
        (("time",), "step", "steps"),
        (("archive",), "catalogue", "catalog"),
        (("modalities", "s2"), "band", "bands"),
        (("modalities", "s2", "choose"), "maxcloud", "max_cloud"),
        (("modalities", "s2"), "were", "where"),
        (("modalities", "s1", "pair"), "wihtin", "within"),
        (("modalities", "cloud"), "form", "from"),
        (("split",), "cells", "cell"),
        (("checks",), "min_vald", "min_valid"),
        (("store",), "blocks", "block"),
    ],
)
def test_unknown_key_at_any_level_then_refused_with_path_and_nearest(
    raw: dict[str, Any], path: tuple[str, ...], typo: str, known: str
) -> None:
    place = raw
    for key in path:
        place = place[key]
    place[typo] = 1
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(raw, "x.yaml")
    assert caught.value.where == f"x.yaml: {'.'.join((*path, typo))}"
    assert caught.value.fix == f'Did you mean "{known}"?'


@pytest.mark.parametrize(
    ("path", "value", "where", "word"),
    [
        (("time", "steps"), 10**9, "time.steps", "1000000000 steps"),
        (("modalities", "scl", "where"), {"platform": "a"}, "modalities.scl", "where belongs to"),
        (("modalities", "s2", "where"), {"cloud": 3}, "modalities.s2.where", '"cloud"'),
        (("time", "end"), date(2018, 1, 1), "time", "not after the start"),
        (("time", "start"), 2018, "time.start", "2018"),
        (("time", "start"), "2018", "time.start", "2018"),
        (("time", "start"), "2018-02-30", "time.start", "2018-02-30"),
        (("time", "start"), True, "time.start", "True"),
        (("area", "patch"), 0, "area.patch", "0"),
        (("area", "patch"), float("nan"), "area.patch", "nan"),
        (("area", "file"), "x.geojson", "area", "exactly one of file, bbox and sample"),
        (("area", "bbox"), [4, 50, 3, 51], "area", "west < east"),
        (("area", "bbox"), [3, 50, 4, 91], "area", "degrees"),
        (("modalities", "s1", "pair", "within"), 14, "modalities.s1.pair.within", "14d"),
        (("modalities", "s1", "pair", "within"), "-2d", "modalities.s1.pair.within", "14d"),
        (
            ("modalities", "s1", "pair", "within"),
            "9" * 400 + "d",
            "modalities.s1.pair.within",
            "at most",
        ),
        (("modalities", "s1", "follow"), "s2", "modalities.s1", "exclude"),
        (("modalities", "scl", "anchor"), True, "modalities.scl", "anchor"),
        (("modalities", "cloud", "classes"), [], "modalities.cloud.classes", "at least 1"),
        (("modalities", "row"), {"product": "x"}, "modalities", '"row"'),
        (("modalities", "S2"), {"product": "x"}, "modalities", '"S2"'),
        (("modalities", "s2_valid"), {"product": "x"}, "modalities", '"s2_valid"'),
        (("split", "fractions", "train"), 0.6, "split", "add up to 1"),
        (("split", "fractions", "tain"), 0.0, "split.fractions.tain", "tain"),
        (("split", "cell"), None, "split", "needs cell"),
        (("split", "file"), "x.csv", "split", "file belongs"),
        (("split", "min_distance"), -1, "split.min_distance", "-1"),
        (("store", "codec"), "zip", "store.codec", "blosc-zstd"),
        (("name",), "My Data", "name", "My Data"),
        (("modalities",), {}, "modalities", "at least 1"),
    ],
)
def test_value_that_breaks_a_rule_then_refused_at_its_key(
    raw: dict[str, Any], path: tuple[str, ...], value: object, where: str, word: str
) -> None:
    place = raw
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(raw, "x.yaml")
    assert caught.value.where.startswith(f"x.yaml: {where}")
    assert word in str(caught.value)


def test_missing_key_then_named(raw: dict[str, Any]) -> None:
    del raw["area"]["patch"]
    del raw["title"]
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(raw, "x.yaml")
    told = str(caught.value) + "".join(caught.value.__notes__)
    assert "x.yaml: title: the key is missing" in told
    assert "x.yaml: area.patch: the key is missing" in told


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_file_without_keys_then_refused(data: object) -> None:
    with pytest.raises(RecipeError, match="not a mapping"):
        Recipe.parse(data, "x.yaml")


def test_long_value_in_a_message_then_cut(raw: dict[str, Any]) -> None:
    raw["area"]["patch"] = "x" * 5000
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(raw, "x.yaml")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "start",
    [
        date(2018, 1, 1),
        datetime(2018, 1, 1, tzinfo=UTC),
        "2018-01-01",
        "2018-01-01T00:00:00Z",
        "2018-01-01T02:00:00+02:00",
        datetime(2018, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_time_when_one_instant_is_spelt_in_many_ways_then_one_recipe(start: object) -> None:
    reference = TimeSpec(start=date(2018, 1, 1), end=date(2019, 1, 1))
    spec = TimeSpec.parse({"start": start, "end": "2019-01-01"}, "x")
    assert spec == reference
    assert spec.model_dump_json() == reference.model_dump_json()
    assert spec.span.start == datetime(2018, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("14d", timedelta(days=14)),
        ("36h", timedelta(hours=36)),
        ("1.5 d", timedelta(hours=36)),
        ("0d", timedelta(0)),
        ("0.1h", timedelta(minutes=6)),
    ],
)
def test_gap_then_days_or_hours(text: str, gap: timedelta) -> None:
    assert Pair.parse({"with": "s2", "within": text}, "x").within == gap


@given(gaps)
@settings(max_examples=80)
def test_gap_when_written_and_read_then_exact(gap: timedelta) -> None:
    text = Pair(with_="s2", within=gap).model_dump(mode="json")["within"]
    assert Pair.parse({"with": "s2", "within": text}, "x").within == gap


def test_json_schema_then_valid_itself_and_accepts_the_shipped_recipes() -> None:
    schema = Recipe.model_json_schema(by_alias=True)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    assert resources.recipe_files()
    for path in resources.recipe_files().values():
        # An editor sees dates as texts.
        seen = json.loads(json.dumps(resources.read_yaml(path), default=str))
        validator(schema).validate(seen)


def test_json_schema_when_a_key_is_unknown_then_refuses(raw: dict[str, Any]) -> None:
    schema = Recipe.model_json_schema(by_alias=True)
    seen = json.loads(json.dumps(raw, default=str))
    jsonschema.validate(seen, schema)
    seen["area"]["pach"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(seen, schema)


def test_yaml_of_a_recipe_when_dumped_and_read_then_equal(raw: dict[str, Any]) -> None:
    recipe = Recipe.parse(raw, "x")
    assert Recipe.parse(yaml.safe_load(yaml.safe_dump(recipe.to_json())), "x") == recipe


def test_recipe_is_frozen(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe.parse(raw, "x").seed = 2  # type: ignore[misc]
