"""Conditions on the properties of items."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from eodata.core.errors import RecipeError
from eodata.core.properties import KNOWN, OPEN
from eodata.core.recipe_modality import SourceModality
from eodata.core.where import EVERYTHING, Where

ITEM = {
    "platform": "Sentinel-2A",
    "eo:cloud_cover": 12.5,
    "sat:relative_orbit": 51,
    "s2:processing_baseline": "05.10",
    "sar:polarizations": ["VV", "VH"],
    "earthsearch:boa_offset_applied": True,
    "sat:orbit_state": None,
}
values = st.one_of(
    st.text(min_size=1, max_size=5),
    st.integers(-1000, 1000),
    st.booleans(),
    st.floats(-1e6, 1e6, allow_nan=False),
)
limits = st.one_of(st.integers(-99, 0), st.floats(-99, 0))
ranges = st.one_of(
    st.fixed_dictionaries({"min": limits}),
    st.fixed_dictionaries({"max": limits}),
    st.fixed_dictionaries({"min": limits, "max": limits.map(lambda v: 100 + v)}),
)
told = st.dictionaries(
    st.sampled_from(sorted(KNOWN)), st.one_of(values, st.lists(values, min_size=1), ranges)
)


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"platform": "sentinel-2a"},
        {"platform": ["S2A", "SENTINEL-2A"]},
        {"eo:cloud_cover": {"max": 12.5}},
        {"eo:cloud_cover": {"min": 12.5}},
        {"sat:relative_orbit": {"min": 51, "max": 51}},
        {"sat:relative_orbit": 51.0},
        {"sat:relative_orbit": [1, 51]},
        {"s2:processing_baseline": {"min": 5.1, "max": 5.1}},
        {"s2:processing_baseline": 5.1},
        {"s2:processing_baseline": "05.10"},
        {"sar:polarizations": "vh"},
        {"earthsearch:boa_offset_applied": True},
        {"platform": "sentinel-2a", "sat:relative_orbit": [51]},
    ],
)
def test_where_when_every_condition_holds_then_matches(where: dict[str, Any]) -> None:
    assert Where.parse(where).matches(ITEM)


@pytest.mark.parametrize(
    "where",
    [
        {"platform": "S2A"},
        {"platform": "sentinel-2"},
        {"platform": 2},
        {"platform": {"min": 0}},
        {"eo:cloud_cover": {"max": 12.49}},
        {"eo:cloud_cover": {"min": 12.51}},
        {"sat:relative_orbit": "51"},
        {"sat:relative_orbit": True},
        {"sat:relative_orbit": {"min": 52}},
        {"s2:processing_baseline": "5.1"},
        {"sar:polarizations": "HH"},
        {"earthsearch:boa_offset_applied": 1},
        {"earthsearch:boa_offset_applied": False},
        {"sat:orbit_state": "none"},
        {"sat:absolute_orbit": {"min": 0}},
        {"platform": "sentinel-2a", "sat:relative_orbit": 50},
    ],
)
def test_where_when_a_condition_fails_or_its_property_is_missing_then_no_match(
    where: dict[str, Any],
) -> None:
    assert not Where.parse(where).matches(ITEM)


@given(told)
def test_where_when_written_as_json_and_read_then_equal_and_of_one_hash(
    data: dict[str, Any],
) -> None:
    where = Where.parse(data)
    again = Where.parse(json.loads(json.dumps(where.to_json())))
    assert again == where
    assert hash(again) == hash(where)
    assert again.to_json() == where.to_json()
    adapter = TypeAdapter(Where)
    assert adapter.validate_json(adapter.dump_json(where)) == where


def test_where_when_written_in_another_order_or_with_other_zeros_then_equal() -> None:
    first = Where.parse({"platform": "a", "eo:cloud_cover": {"max": 80}})
    second = Where.parse({"eo:cloud_cover": {"max": 80.0}, "platform": ["a"]})
    assert first == second
    assert json.dumps(first.to_json()) == json.dumps(second.to_json())
    assert first.to_json() == {"eo:cloud_cover": {"max": 80}, "platform": "a"}


def test_where_when_it_says_nothing_then_false_and_admits_everything() -> None:
    assert not EVERYTHING
    assert Where.parse({}) == EVERYTHING
    assert EVERYTHING.matches({})
    assert EVERYTHING.to_cql2() == {}
    assert Where.parse({"gsd": 10})


def compared(op: str, name: str, value: float) -> dict[str, Any]:
    return {"op": op, "args": [{"property": name}, value]}


CLOUD, ORBIT = "eo:cloud_cover", "sat:relative_orbit"


@pytest.mark.parametrize(
    ("where", "sent"),
    [
        ({CLOUD: {"max": 80}}, compared("<=", CLOUD, 80)),
        (
            {CLOUD: {"min": 1, "max": 80}, ORBIT: 51},
            {
                "op": "and",
                "args": [
                    compared(">=", CLOUD, 1),
                    compared("<=", CLOUD, 80),
                    compared("=", ORBIT, 51),
                ],
            },
        ),
        ({ORBIT: [8, 51]}, {"op": "or", "args": [compared("=", ORBIT, n) for n in (8, 51)]}),
        # What servers might compare otherwise stays with the client.
        ({"platform": "sentinel-2a"}, {}),
        ({ORBIT: [8, "51"]}, {}),
        ({"s2:processing_baseline": {"min": 5}}, {}),
        ({"landsat:wrs_row": 24}, {}),
        ({"platform": "sentinel-2a", CLOUD: {"max": 80}}, compared("<=", CLOUD, 80)),
    ],
)
def test_cql2_then_only_comparisons_of_numbers_that_every_archive_has(
    where: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert Where.parse(where).to_cql2() == sent


def evaluate(sent: dict[str, Any], properties: dict[str, Any]) -> bool:
    """A server that knows the basic operators."""
    if not sent:
        return True
    if sent["op"] in ("and", "or"):
        answers = [evaluate(part, properties) for part in sent["args"]]
        assert len(answers) > 1
        return all(answers) if sent["op"] == "and" else any(answers)
    found, wanted = properties[sent["args"][0]["property"]], sent["args"][1]
    return bool({"=": found == wanted, "<=": found <= wanted, ">=": found >= wanted}[sent["op"]])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            CLOUD: ranges,
            ORBIT: st.one_of(st.integers(0, 3), st.lists(values, min_size=1)),
            "platform": st.sampled_from(["a", "A", "b"]),
        },
    ),
    st.fixed_dictionaries(
        {CLOUD: limits, ORBIT: st.integers(0, 3), "platform": st.sampled_from(["A", "B"])}
    ),
)
def test_cql2_then_admits_at_least_what_matches(
    data: dict[str, Any], properties: dict[str, Any]
) -> None:
    where = Where.parse(data)
    if where.matches(properties):
        assert evaluate(where.to_cql2(), properties)


@pytest.mark.parametrize(
    ("where", "found", "fix"),
    [
        ({"cloud_cover": {"max": 8}}, '"cloud_cover"', 'Did you mean "eo:cloud_cover"?'),
        ({"eo:cloud_covr": 8}, '"eo:cloud_covr"', 'Did you mean "eo:cloud_cover"?'),
        ({"orbit_state": "x"}, '"orbit_state"', 'Did you mean "sat:orbit_state"?'),
        ({"sat:orbitstate": "x"}, '"sat:orbitstate"', 'Did you mean "sat:orbit_state"?'),
        ({"landat:wrs_path": "24"}, '"landat:wrs_path"', 'Did you mean "landsat:wrs_path"?'),
        ({"s2": "24"}, '"s2"', ""),
        ({"cloud cover": 8}, "'cloud cover'", "Write the name"),
        ({3: 8}, "3", "Write the name"),
        ({"eo:cloud_cover": {"lt": 8}}, "'lt'", "{min: 10, max: 20}"),
        ({"eo:cloud_cover": {}}, "neither min nor max", "{min: 10, max: 20}"),
        ({"eo:cloud_cover": {"min": 9, "max": 8}}, "min 9 above max 8", "Swap"),
        ({"eo:cloud_cover": {"max": "8"}}, "'8'", "Give a number"),
        ({"eo:cloud_cover": {"max": True}}, "True", "Give a number"),
        ({"eo:cloud_cover": {"min": None}}, "neither min nor max", "{min: 10, max: 20}"),
        ({"eo:cloud_cover": float("nan")}, "nan", "remove"),
        ({"platform": []}, "empty list", "Name one"),
        ({"platform": None}, "None", "remove"),
        ({"platform": ""}, "''", "remove"),
        ({"platform": [["a"]]}, "['a']", "remove"),
        (["platform"], "no mapping", "sat:orbit_state: descending"),
    ],
)
def test_where_when_it_cannot_be_meant_then_refused_at_its_key(
    where: object, found: str, fix: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        SourceModality.parse({"product": "sentinel-2-l2a", "where": where}, "r.yaml")
    assert caught.value.where == "r.yaml: where"
    assert found in caught.value.found
    assert fix in caught.value.fix


@pytest.mark.parametrize("name", sorted(KNOWN | {f"{prefix}:anything" for prefix in OPEN}))
def test_names_that_items_keep_then_each_may_be_asked_for(name: str) -> None:
    assert Where.parse({name: 1}).matches({name: 1})
