"""The plan as a lock file: what is written is read back, and the digest tells plans apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from eodata.core.item import Asset, Item
from eodata.core.patch import Area
from eodata.core.plan import Plan
from eodata.core.span import Span

Planner = Callable[..., Plan]

START = datetime(2018, 1, 1, tzinfo=UTC)


def test_plan_when_written_and_read_then_equal_with_the_same_digest(plan_of: Planner) -> None:
    plan = plan_of(provenance={"eodata": "0.1"}, synthetic=True)
    data = json.loads(plan.dumps())
    twin = Plan.from_json(data)
    assert twin == plan
    assert data["digest"] == twin.digest == plan.digest
    assert twin.dumps() == plan.dumps()
    assert twin.tasks == plan.tasks
    assert [twin.layout(n) for n in twin.modalities] == [plan.layout(n) for n in plan.modalities]


@given(
    patch=st.sampled_from([160.0, 320.0, 333.3]),
    steps=st.integers(1, 9),
    block=st.integers(1, 9),
    start=st.sampled_from(["2018-01-01", "2018-01-01T00:00:00Z", "2018-01-01T03:30:00.5+02:00"]),
    shard_mb=st.floats(1e-4, 1),
    days=st.lists(st.floats(0.01, 29), min_size=1, max_size=6, unique=True),
    cloud=st.floats(0, 100),
    own_time=st.booleans(),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_plan_of_any_recipe_when_written_and_read_then_equal(
    plan_of: Planner,
    raw: dict[str, Any],
    areas: dict[str, Area],
    patch: float,
    steps: int,
    block: int,
    start: str,
    shard_mb: float,
    days: list[float],
    cloud: float,
    own_time: bool,
) -> None:
    raw["area"]["patch"] = patch
    raw["split"]["cell"] = 2 * patch
    raw["time"].update(steps=steps, start=start)
    raw["store"].update(block=block, shard_mb=shard_mb)
    raw["modalities"] = {"s2": {**raw["modalities"]["s2"], "gsd": patch / 32}}
    ground = box(2.9, 50.7, 3.2, 50.9)
    items = [
        Item(
            f"s2_{n}",
            "sentinel-2-l2a",
            START + timedelta(days=day),
            MultiPolygon([ground]) if n % 2 else ground,
            {"eo:cloud_cover": cloud, "n": n, "nested": {"a": [1, None, "é"]}},
            {"B02": Asset("B02", "x.tif", scale=1e-4, offset=-0.1, nodata=float("nan"))},
        )
        for n, day in enumerate(days)
    ]
    own = Span(START, START + timedelta(days=29, seconds=7)) if own_time else None
    west = replace(areas["west"], time=own, season="summer")
    plan = plan_of({"s2": items}, areas={"west": west})
    twin = Plan.from_json(json.loads(plan.dumps()))
    assert twin == plan
    assert twin.digest == plan.digest


def test_plan_json_then_strict_without_nan(plan_of: Planner, raw: dict[str, Any]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(plan_of().dumps(), parse_constant=refuse)


def with_other_item(plan: Plan) -> Plan:
    moved = replace(plan.items[0], datetime=plan.items[0].datetime + timedelta(microseconds=1))
    return replace(plan, items=(moved, *plan.items[1:]))


def with_other_href(plan: Plan) -> Plan:
    asset = Asset("B02", "moved.tif")
    return replace(plan, items=(replace(plan.items[0], assets={"B02": asset}), *plan.items[1:]))


def with_other_patch(plan: Plan) -> Plan:
    moved = replace(plan.patches[0], left=plan.patches[0].left + 320)
    return replace(plan, patches=(moved, *plan.patches[1:]))


def with_other_order(plan: Plan) -> Plan:
    return replace(plan, patches=plan.patches[::-1])


def with_other_recipe(plan: Plan) -> Plan:
    return replace(plan, recipe=plan.recipe.model_copy(update={"seed": 8}))


def with_other_split(plan: Plan) -> Plan:
    moved = replace(plan.placed[0], split="test", rejected="x")
    return replace(plan, placed=(moved, *plan.placed[1:]))


def with_other_choice(plan: Plan) -> Plan:
    row = plan.choices["s2"]["west"][::-1]
    return replace(plan, choices={**plan.choices, "s2": {**plan.choices["s2"], "west": row}})


def with_other_method(plan: Plan) -> Plan:
    s2 = plan.modalities["s2"]
    reads = tuple(replace(r, resampling="nearest") for r in s2.reads)
    return replace(plan, modalities={**plan.modalities, "s2": replace(s2, reads=reads)})


def as_simulated(plan: Plan) -> Plan:
    return replace(plan, synthetic=True)


@pytest.mark.parametrize(
    "change",
    [
        with_other_item,
        with_other_href,
        with_other_patch,
        with_other_order,
        with_other_recipe,
        with_other_split,
        with_other_choice,
        with_other_method,
        as_simulated,
    ],
)
def test_digest_when_anything_that_matters_changes_then_another(
    plan_of: Planner, change: Callable[[Plan], Plan]
) -> None:
    plan = plan_of()
    assert change(plan).digest != plan.digest


def test_digest_when_only_the_provenance_changes_then_the_same(plan_of: Planner) -> None:
    assert plan_of(provenance={"created_utc": "now"}).digest == plan_of().digest


def test_digest_when_written_with_defaults_or_without_then_the_same(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    plain = plan_of().digest
    raw["checks"] = {"min_valid": 0.0}
    raw["area"]["stride"] = None
    assert plan_of().digest == plain
