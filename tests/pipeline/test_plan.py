"""From a recipe and answers to a plan, and the plan as a lock file."""

from __future__ import annotations

import builtins
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from eodata.core.errors import GridError, NoItemsError, RecipeError
from eodata.core.item import Asset, Item
from eodata.core.patch import Area
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.span import Span
from eodata.pipeline.plan import plan_modality, search_span
from eodata.pipeline.serving import check_provider

Planner = Callable[..., Plan]
START = datetime(2018, 1, 1, tzinfo=UTC)
EMPTY = "no acquisition in this step"


def ids(plan: Plan, name: str, area: str = "west") -> list[list[str]]:
    return [[plan.items[i].id for i in choice.items] for choice in plan.choices[name][area]]


def reasons(plan: Plan, name: str, area: str = "west") -> list[str]:
    return [choice.reason for choice in plan.choices[name][area]]


# --- choices


def test_make_plan_then_leaders_followers_pairs_and_static_layers(plan_of: Planner) -> None:
    plan = plan_of()
    for area in ("west", "east"):
        assert ids(plan, "s2", area) == [["s2_b"], ["s2_c"], []]
        assert ids(plan, "scl", area) == ids(plan, "s2", area)
        assert ids(plan, "s1", area) == [["s1_b"], [], []]
        assert ids(plan, "dem", area) == [["dem_a"]]
    assert reasons(plan, "s2") == ["", "", EMPTY]
    assert reasons(plan, "s1")[1].startswith("the nearest acquisition is 10.0 d")
    assert reasons(plan, "s1")[2] == "its partner s2 is empty"
    assert "cloud" not in plan.choices
    assert plan.choice("cloud", "west", 1) == plan.choice("s2", "west", 1)
    assert list(plan.modalities) == ["s1", "cloud", "scl", "s2", "dem"]


def test_make_plan_then_items_are_interned_and_unused_ones_left_out(plan_of: Planner) -> None:
    assert sorted(i.id for i in plan_of().items) == ["dem_a", "s1_b", "s2_b", "s2_c"]


def test_make_plan_when_one_id_means_two_files_then_both_are_kept(
    plan_of: Planner, answers: dict[str, list[Item]]
) -> None:
    twin = replace(answers["s2"][1], assets={"B02": Asset("B02", "elsewhere.tif")})
    answers["s1"] = [replace(twin, datetime=START + timedelta(days=5))]
    both = plan_of(answers)
    assert [i.assets["B02"].href for i in both.items if i.id == "s2_b"] == [
        "elsewhere.tif",
        "s2_b/B02.tif",
    ]


@pytest.mark.parametrize("seed", range(4))
def test_make_plan_when_answers_are_permuted_then_same_plan_and_digest(
    plan_of: Planner, answers: dict[str, list[Item]], seed: int
) -> None:
    from_order = plan_of()
    mixed = {n: Random(seed).sample(rows, len(rows)) for n, rows in answers.items()}
    twin = plan_of(dict(Random(seed).sample(list(mixed.items()), len(mixed))))
    assert twin == from_order
    assert twin.digest == from_order.digest


def test_make_plan_when_an_area_has_its_own_time_then_its_own_steps(
    plan_of: Planner, areas: dict[str, Area]
) -> None:
    own = Span(START + timedelta(days=15), START + timedelta(days=18))
    areas["east"] = replace(areas["east"], time=own)
    plan = plan_of()
    assert ids(plan, "s2", "east") == [[], ["s2_c"], []]
    assert ids(plan, "s2", "west") == [["s2_b"], ["s2_c"], []]
    assert plan.spans("east")[0].start == own.start


def test_make_plan_when_static_items_tile_the_area_then_all_by_id(
    plan_of: Planner, answers: dict[str, list[Item]]
) -> None:
    answers["dem"] = [replace(answers["dem"][0], id=f"dem_{n}") for n in "cab"]
    assert ids(plan_of(answers), "dem") == [["dem_a", "dem_b", "dem_c"]]


@pytest.mark.parametrize("name", ["s1", "s2", "dem"])
def test_make_plan_when_a_modality_has_no_item_then_refused_by_name(
    plan_of: Planner, answers: dict[str, list[Item]], name: str
) -> None:
    answers[name] = []
    with pytest.raises(NoItemsError) as caught:
        plan_of(answers)
    assert caught.value.where == f"modality {name}"
    assert caught.value.exit_code == 6
    assert "has 0 items" in caught.value.found


def test_make_plan_when_items_exist_but_no_rule_accepts_one_then_says_why(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["modalities"]["s2"]["choose"] = {"max_cloud": 10}
    with pytest.raises(NoItemsError) as caught:
        plan_of()
    assert "6 items" in caught.value.found
    assert "at most 10 % cloud" in caught.value.because


def test_make_plan_when_limited_then_the_first_patches_and_their_areas(plan_of: Planner) -> None:
    whole, part = plan_of(), plan_of(limit=3)
    assert part.patches == whole.patches[:3]
    assert part.placed == whole.placed[:3]
    assert list(part.areas) == ["east"]
    assert set(part.choices["s2"]) == {"east"}
    assert part.digest != whole.digest


def test_make_plan_when_no_patch_fits_then_refused(plan_of: Planner, raw: dict[str, Any]) -> None:
    raw["area"]["patch"] = 5120
    raw["split"] = None
    with pytest.raises(GridError, match="no patch of 5120 m"):
        plan_of()


def test_make_plan_when_a_follower_names_no_provider_then_that_of_its_leader(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    entry = tables["sentinel-2-l2a"].providers["archive"]
    other = entry.model_copy(update={"collection": "S2_SR", "assets": {"SCL": "scl-20m"}})
    table = tables["sentinel-2-l2a"].model_copy(
        update={"providers": {"archive": entry, "other": other}}
    )
    recipe = Recipe.parse(raw, "x")
    planned = plan_modality(
        recipe,
        "scl",
        {**tables, table.id: table},
        {},
        {"s2": "other", "scl": "archive"},
        {},
    )
    assert (planned.provider, planned.collection) == ("other", "S2_SR")
    assert planned.reads[0].asset == "scl-20m"


# --- what a modality reads


def test_plan_modality_then_bands_methods_and_validity(plan_of: Planner) -> None:
    plan = plan_of()
    s2 = plan.modalities["s2"]
    assert [(r.band.name, r.asset, r.resampling) for r in s2.reads] == [
        ("B02", "B02", "bilinear"),
        ("B11", "B11", "bilinear"),
    ]
    assert s2.states_offset
    assert s2.validity is not None
    assert s2.validity[0].band.name == "SCL"
    assert s2.validity[1] == (0, 1)
    assert s2.display is None
    assert s2.dtype == "uint16"
    assert plan.modalities["s1"].validity is None
    assert plan.modalities["s1"].display is not None
    cloud = plan.modalities["cloud"]
    assert (cloud.reads, cloud.source, cloud.classes) == ((), "scl", (8, 9))
    assert cloud.gsd == plan.modalities["scl"].gsd == 10
    assert plan.modalities["dem"].static


def test_plan_modality_when_the_recipe_names_a_method_then_that(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["modalities"]["s2"].update(resampling="cubic", valid="clear")
    s2 = plan_of().modalities["s2"]
    assert {r.resampling for r in s2.reads} == {"cubic"}
    assert s2.validity is not None
    assert s2.validity[0].resampling == "nearest"
    assert 9 in s2.validity[1]


def test_search_span_then_pairs_reach_over_the_edges(
    raw: dict[str, Any], areas: dict[str, Area]
) -> None:
    recipe = Recipe.parse(raw, "x")
    whole = recipe.time.span
    assert search_span(recipe, "s2", areas["west"]) == whole
    gap = timedelta(days=3)
    assert search_span(recipe, "s1", areas["west"]) == Span(whole.start - gap, whole.end + gap)
    own = Span(START, START + timedelta(days=2))
    assert search_span(recipe, "s2", replace(areas["west"], time=own)) == own


def test_check_provider_when_it_does_not_keep_the_product_then_names_those_that_do(
    tables: dict[str, Product],
) -> None:
    check_provider("s2", tables["sentinel-2-l2a"], "archive")
    with pytest.raises(RecipeError, match="Providers that do: archive"):
        check_provider("s2", tables["sentinel-2-l2a"], "nasa")


# --- patches and tasks


def test_patches_then_areas_in_order_and_ids_unique(plan_of: Planner) -> None:
    plan = plan_of()
    names = [p.area for p in plan.patches]
    assert names == sorted(names)  # east before west, as the answers say
    assert len({p.id for p in plan.patches}) == len(plan.patches) == len(plan.placed) > 8
    assert {s.split for s in plan.placed} == {"train", "val", "test"}


def test_tasks_then_unique_and_every_step_of_every_block_once(plan_of: Planner) -> None:
    plan = plan_of()
    assert len({t.id for t in plan.tasks}) == len(plan.tasks)
    covered = sorted(
        (t.modality, t.block, step) for t in plan.tasks for step in range(t.first, t.last)
    )
    assert covered == sorted(
        (name, block.number, step)
        for name in plan.modalities
        for block in plan.blocks
        for step in range(plan.n_steps(name))
    )


def test_tasks_then_what_is_needed_comes_first_and_covers_the_steps(plan_of: Planner) -> None:
    plan = plan_of()
    by_id = {t.id: t for t in plan.tasks}
    seen: set[str] = set()
    for task in plan.tasks:
        assert set(task.needs) <= seen
        seen.add(task.id)
        modality = plan.modalities[task.modality]
        source = modality.source
        compared = modality.alignment.to if modality.alignment else source
        needed = [by_id[n] for n in task.needs]
        assert {(n.modality, n.block) for n in needed} <= {(compared, task.block)}
        if source:
            steps = {s for n in needed for s in range(n.first, n.last)}
            assert set(range(task.first, task.last)) <= steps
            assert all(n.first < task.last and task.first < n.last for n in needed)


def test_tasks_when_shards_are_small_then_several_per_block(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    raw["store"]["shard_mb"] = 0.001
    plan = plan_of()
    groups = plan.layout("cloud").step_groups
    assert groups == ((0, 1), (1, 2), (2, 3))
    cloud = [t for t in plan.tasks if t.modality == "cloud" and t.block == 0]
    assert [t.needs for t in cloud] == [(f"scl-b0000-t{n:03d}",) for n in range(3)]


# --- purity


def test_make_plan_when_files_and_network_are_forbidden_then_works(
    plan_of: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"planning touched the world: {args}")

    monkeypatch.setattr(builtins, "open", forbidden)
    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    plan = plan_of()
    assert Plan.from_json(json.loads(plan.dumps())).digest == plan.digest
