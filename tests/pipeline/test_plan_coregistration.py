"""What modalities are compared with, and the order of tasks that comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import box

from eodata import resources
from eodata.core.coregistration import Alignment
from eodata.core.errors import RecipeError
from eodata.core.item import Item
from eodata.core.plan import Plan, Task
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.pipeline.plan import plan_modalities

START = datetime(2018, 1, 1, tzinfo=UTC)
Planner = Callable[..., Plan]
Aligned = Callable[..., dict[str, Alignment | None]]


@pytest.fixture
def aligned(raw: dict[str, Any], tables: dict[str, Product]) -> Aligned:
    """Say more about some modalities, and return what each is compared with."""

    def align(**said: dict[str, Any]) -> dict[str, Alignment | None]:
        for name, keys in said.items():
            raw["modalities"][name] = {**raw["modalities"].get(name, {}), **keys}
        recipe = Recipe.parse(raw, "x.yaml")
        providers = dict.fromkeys(recipe.modalities, "archive")
        planned = plan_modalities(recipe, tables, resources.schemes(), providers)
        return {name: modality.alignment for name, modality in planned.items()}

    return align


def targets(found: Mapping[str, Alignment | None]) -> dict[str, str]:
    return {name: one.to for name, one in found.items() if one}


# --- who is compared with whom


def test_anchor_leads_and_the_others_are_compared_with_it(aligned: Aligned) -> None:
    found = aligned()
    assert targets(found) == {"s1": "s2", "s2": "s2"}
    assert not any(one.moves for one in found.values() if one)
    assert (found["s1"].sight, found["s1"].to_sight, found["s1"].alike) == (
        "radar",
        "optical",
        False,
    )
    assert found["s2"].alike


def test_follower_derived_layer_and_heights_then_nothing_is_compared(aligned: Aligned) -> None:
    found = aligned(cover={"product": "worldcereal-labels"})
    assert [name for name, one in found.items() if one is None] == ["cloud", "scl", "dem"]
    assert targets(found)["cover"] == "s2"
    assert found["cover"].sight == "classes"


def test_no_anchor_then_the_first_optical_one_leads(aligned: Aligned) -> None:
    free = {"pair": None, "anchor": False}
    later = {"product": "sentinel-2-l2a", "bands": ["B04"], "gsd": 10}
    found = aligned(s1=free, s2=free, later=later)
    assert targets(found) == {"s1": "s2", "s2": "s2", "later": "s2"}


def test_no_optical_one_then_the_first_radar_leads(aligned: Aligned, raw: dict[str, Any]) -> None:
    radar = {"product": "sentinel-1-grd"}
    raw["modalities"] = {"cover": {"product": "worldcereal-labels"}, "early": radar, "late": radar}
    assert targets(aligned()) == {"cover": "early", "early": "early", "late": "early"}


def test_radar_as_anchor_then_it_leads_the_optical_one(aligned: Aligned) -> None:
    found = aligned(s1={"pair": None, "anchor": True}, s2={"anchor": False})
    assert targets(found) == {"s1": "s1", "s2": "s1"}


def test_classes_alone_then_nothing_is_compared(aligned: Aligned, raw: dict[str, Any]) -> None:
    raw["modalities"] = {"cover": {"product": "worldcereal-labels"}}
    assert targets(aligned()) == {}


def test_one_step_then_the_leader_is_not_compared_with_itself(
    aligned: Aligned, raw: dict[str, Any]
) -> None:
    raw["time"]["steps"] = 1
    assert targets(aligned()) == {"s1": "s2"}


@pytest.mark.parametrize(("gsd", "compared"), [(20, True), (16, False), (5, True)])
def test_pixels_that_do_not_nest_then_nothing_is_compared(
    aligned: Aligned, gsd: float, compared: bool
) -> None:
    assert (aligned(s1={"gsd": gsd})["s1"] is not None) is compared


@pytest.mark.parametrize(
    ("bands", "other", "alike", "pairs"),
    [
        (["B04", "B08"], ["B08", "B04"], True, ((0, 1), (1, 0))),
        (["B02", "B08"], ["B03", "B08"], True, ((1,), (1,))),
        (["B02"], ["B04", "B08"], False, ((0,), (0, 1))),
    ],
)
def test_sides_are_alike_when_they_share_bands(
    aligned: Aligned, raw: dict[str, Any], bands: list[str], other: list[str], alike: bool,
    pairs: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:  # fmt: skip
    raw["modalities"]["s2"]["bands"] = other
    raw["modalities"]["second"] = {**raw["modalities"]["s2"], "bands": bands}
    del raw["modalities"]["second"]["anchor"]
    found = aligned()["second"]
    assert (found.alike, (found.bands, found.to_bands)) == (alike, pairs)


# --- the recipe's wish


def test_wish_then_everything_it_says_stands_in_the_plan(aligned: Aligned) -> None:
    wish = {"modality": "s1", "step": 2, "least": 0.25, "reach": 9}
    found = aligned(s2={"coregister_to": wish})["s2"]
    assert (found.to, found.moves, found.step, found.item) == ("s1", True, 2, "")
    assert (found.least, found.reach) == (0.25, 9)


def test_wish_without_a_name_then_the_modality_itself(aligned: Aligned) -> None:
    found = aligned(s2={"coregister_to": {"item": "s2_c"}})["s2"]
    assert (found.to, found.moves, found.step, found.item) == ("s2", True, None, "s2_c")


def test_shifts_not_measured_then_only_the_wish_counts(
    aligned: Aligned, raw: dict[str, Any]
) -> None:
    raw["checks"] = {"measure_shifts": False}
    assert targets(aligned()) == {}
    found = aligned(s1={"coregister_to": "s2"})
    assert targets(found) == {"s1": "s2"}
    assert found["s1"].moves


def test_leader_that_is_moved_onto_another_then_nothing_goes_round(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["modalities"]["s2"]["coregister_to"] = "s1"
    plan = plan_of()
    assert targets({n: m.alignment for n, m in plan.modalities.items()})["s2"] == "s1"
    assert_in_order(plan)


def test_leader_that_is_moved_onto_classes_then_nothing_goes_round(
    plan_of: Planner, raw: dict[str, Any], answers: dict[str, list[Item]]
) -> None:
    raw["modalities"]["s2"]["coregister_to"] = "cover"
    for name in ("cover", "other"):
        raw["modalities"][name] = {"product": "worldcereal-labels"}
        answers[name] = [replace(answers["dem"][0], id=name, collection="worldcereal-labels")]
    plan = plan_of(answers)
    assert_in_order(plan)
    for modality in plan.modalities.values():
        if modality.alignment:
            told = {modality.alignment.sight, modality.alignment.to_sight}
            assert told != {"classes"}, modality.name


@pytest.mark.parametrize("wish", [{"step": 2}, {"item": "s2_c"}, {}])
def test_leader_that_is_moved_onto_its_own_step_then_the_others_share_it(
    aligned: Aligned, wish: dict[str, Any]
) -> None:
    found = aligned(s2={"coregister_to": wish})
    assert (found["s1"].to, found["s1"].moves) == ("s2", False)
    assert (found["s1"].step, found["s1"].item) == (wish.get("step"), wish.get("item", ""))


def test_other_that_names_a_step_itself_then_it_keeps_that(aligned: Aligned) -> None:
    asked = {"modality": "s2", "step": 0}
    found = aligned(s2={"coregister_to": {"step": 2}}, s1={"coregister_to": asked})
    assert (found["s1"].step, found["s2"].step) == (0, 2)


# --- which bands


@pytest.mark.parametrize(
    ("bands", "chosen"),
    [
        (["B02", "B11"], ["B11", "B02"]),
        (["B02", "B03", "B04", "B08"], ["B04", "B08"]),
        (["B12", "B02"], ["B02"]),
    ],
)
def test_bands_that_show_most_are_compared(
    aligned: Aligned, raw: dict[str, Any], bands: list[str], chosen: list[str]
) -> None:
    found = aligned(s2={"bands": bands})
    assert [bands[i] for i in found["s2"].bands] == chosen
    assert found["s2"].to_bands == found["s2"].bands
    assert [bands[i] for i in found["s1"].to_bands] == chosen


def test_two_optical_ones_then_the_bands_that_both_have(aligned: Aligned) -> None:
    other = {"product": "sentinel-2-l2a", "bands": ["B11", "B03", "B02"], "gsd": 10}
    found = aligned(s2={"bands": ["B02", "B04", "B03"]}, other=other)["other"]
    assert (found.bands, found.to_bands) == ((1, 2), (2, 0))


def test_class_band_among_others_then_it_is_never_compared(aligned: Aligned) -> None:
    found = aligned(s2={"bands": ["SCL", "B02"]})["s2"]
    assert (found.bands, found.sight) == ((1,), "optical")


def test_steady_band_is_a_position(raw: dict[str, Any], plan_of: Planner) -> None:
    raw["modalities"]["s2"]["coregister_bands"] = "B11"
    plan = plan_of()
    assert {n: m.steady_band for n, m in plan.modalities.items() if m.steady_band is not None} == {
        "s2": 1
    }


# --- the plan as a file


@pytest.mark.parametrize("wish", [None, "s1", {"step": 1}, {"item": "s2_c", "least": 0.3}])
def test_plan_with_references_comes_back_from_json(
    plan_of: Planner, raw: dict[str, Any], wish: Any
) -> None:
    if wish is not None:
        raw["modalities"]["s2"]["coregister_to"] = wish
    plan = plan_of()
    again = Plan.from_json(json.loads(plan.dumps()))
    assert again == plan
    assert again.digest == plan.digest


def test_other_reference_then_another_digest(plan_of: Planner, raw: dict[str, Any]) -> None:
    digests = [plan_of().digest]
    raw["checks"] = {"measure_shifts": False}
    digests.append(plan_of().digest)
    for wish in ({}, {"step": 1}, {"item": "s2_c"}, {"reach": 7}, {"least": 0.2}):
        raw["modalities"]["s2"]["coregister_to"] = wish
        digests.append(plan_of().digest)
    assert len(set(digests)) == len(digests)


# --- tasks


def assert_in_order(plan: Plan) -> None:
    """Every task comes after those that it needs, and these exist."""
    before: set[str] = set()
    for task in plan.tasks:
        assert before.issuperset(task.needs), task
        before.add(task.id)
    blocks, groups = len(plan.blocks), (len(plan.layout(n).step_groups) for n in plan.modalities)
    assert len(before) == len(plan.tasks) == blocks * sum(groups)


@pytest.fixture
def stepwise(raw: dict[str, Any]) -> None:
    """One step per shard."""
    raw["store"] = {"block": 4, "shard_mb": 0.001}


def tasks_of(plan: Plan, name: str, block: int = 0) -> list[Task]:
    return [task for task in plan.tasks if (task.modality, task.block) == (name, block)]


def test_series_then_the_others_need_the_step_that_they_are_compared_with(
    stepwise: None, plan_of: Planner
) -> None:
    plan = plan_of()
    assert_in_order(plan)
    assert {plan.reference_step("s2", area) for area in plan.areas} == {1}
    assert {t.id: t.needs for t in tasks_of(plan, "s2", 1)} == {
        "s2-b0001-t000": ("s2-b0001-t001",),
        "s2-b0001-t001": (),
        "s2-b0001-t002": ("s2-b0001-t001",),
    }
    assert {t.needs for t in tasks_of(plan, "s1", 1)} == {("s2-b0001-t001",)}
    assert {t.needs for t in tasks_of(plan, "dem") + tasks_of(plan, "scl")} == {()}
    assert [t.needs for t in tasks_of(plan, "cloud")] == [
        ("scl-b0000-t000",),
        ("scl-b0000-t001",),
        ("scl-b0000-t002",),
    ]


def test_one_shard_for_all_steps_then_it_needs_nothing(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["store"] = {"block": 4, "shard_mb": 1.0}
    plan = plan_of()
    assert [t.needs for t in tasks_of(plan, "s2")] == [()]
    assert [t.needs for t in tasks_of(plan, "s1")] == [("s2-b0000-t000",)]


def test_named_step_or_item_then_its_task_is_needed(
    stepwise: None, plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["modalities"]["s2"]["coregister_to"] = {"step": 2}
    assert tasks_of(plan_of(), "s2")[1].needs == ("s2-b0000-t002",)
    raw["modalities"]["s2"]["coregister_to"] = {"item": "s2_b"}
    plan = plan_of()
    assert {plan.reference_step("s2", area) for area in plan.areas} == {0}
    assert_in_order(plan)


def test_followers_of_a_leader_that_is_moved_then_they_need_its_reference(
    stepwise: None, plan_of: Planner, raw: dict[str, Any]
) -> None:
    assert plan_of().mover("scl").name == "scl"
    raw["modalities"]["s2"]["coregister_to"] = {}
    plan = plan_of()
    assert_in_order(plan)
    assert plan.mover("scl").name == "s2"
    assert {t.needs for t in tasks_of(plan, "scl")} == {("s2-b0000-t001",)}
    assert tasks_of(plan, "cloud")[2].needs == ("scl-b0000-t002",)


def test_static_reference_then_its_only_task(
    stepwise: None, plan_of: Planner, raw: dict[str, Any], answers: dict[str, list[Item]]
) -> None:
    raw["modalities"]["cover"] = {"product": "worldcereal-labels"}
    raw["modalities"]["s1"]["coregister_to"] = "cover"
    answers["cover"] = [replace(answers["dem"][0], id="cover", collection="worldcereal-labels")]
    plan = plan_of(answers)
    assert_in_order(plan)
    assert {t.needs for t in tasks_of(plan, "s1")} == {("cover-b0000-t000",)}
    assert {plan.reference_step("s1", area) for area in plan.areas} == {0}


def test_areas_whose_clear_steps_differ_then_each_has_its_own_and_nobody_waits_in_a_circle(
    stepwise: None, plan_of: Planner, raw: dict[str, Any], answers: dict[str, list[Item]]
) -> None:
    raw["modalities"]["s2"]["coregister_to"] = {}
    east, west = box(3.035, 50.7, 3.2, 50.9), box(2.9, 50.7, 3.035, 50.9)
    rows = [(east, (10, 50, 20)), (west, (60, 10, 20))]
    answers["s2"] = [
        replace(
            answers["s2"][0],
            id=f"s2_{side}_{step}",
            footprint=ground,
            properties={"eo:cloud_cover": clouds[step], "sat:relative_orbit": side},
            datetime=START + timedelta(days=4 + 10 * step),
        )
        for side, (ground, clouds) in enumerate(rows)
        for step in range(3)
    ]
    plan = plan_of(answers)
    assert_in_order(plan)
    found = {
        tuple(dict.fromkeys(patch.area for patch in block.patches)): block.number
        for block in plan.blocks
    }
    assert [plan.reference_step("s2", area) for area in ("east", "west")] == [0, 1]
    mixed = found["east", "west"]
    assert {t.needs for t in tasks_of(plan, "s1", mixed)} == {
        (f"s2-b{mixed:04d}-t000", f"s2-b{mixed:04d}-t001")
    }
    own = tasks_of(plan, "s2", mixed)
    assert [plan.makes_reference(task) for task in own] == [True, True, False]
    assert [task.needs for task in own[:2]] == [(), ()]
    assert own[2].needs == (own[0].id, own[1].id)
    # Where one area fills a block, the others of its steps wait for its reference alone.
    east = tasks_of(plan, "s2", found[("east",)])
    assert [task.needs for task in east] == [(), (east[0].id,), (east[0].id,)]


def test_item_that_no_step_holds_then_the_nearest_one(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["modalities"]["s2"]["coregister_to"] = {"item": "s2_x"}
    with pytest.raises(RecipeError, match='no step of s2 holds "s2_x"'):
        plan_of()


def test_modality_that_is_compared_with_nothing_then_it_has_no_reference(plan_of: Planner) -> None:
    with pytest.raises(ValueError, match="dem is compared with nothing"):
        plan_of().reference_step("dem", "east")
