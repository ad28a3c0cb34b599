"""Which acquisitions fill the steps of an area: one by one, as pairs, as composites, as layers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import box

from eodata.core.item import Acquisition, Item
from eodata.core.patch import Area
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.span import Span
from eodata.pipeline.fill import Filling, fill_area

START = datetime(2018, 1, 1, tzinfo=UTC)
GROUND = box(3.0, 50.8, 3.02, 50.812)
AREA = Area("area", GROUND, "EPSG:32631")
STEPS = 3


@pytest.fixture
def recipe(raw: dict[str, Any]) -> Recipe:
    """Three steps of ten days, from New Year on."""
    assert raw["time"]["steps"] == STEPS
    return Recipe.parse(raw, "x.yaml")


def record(name: str, day: float, cloud: float = 10.0, orbit: int = 1) -> Item:
    told = {"platform": "p", "sat:relative_orbit": orbit, "eo:cloud_cover": cloud}
    return Item(name, "c", START + timedelta(days=day), GROUND.buffer(0.1), told)


def modality(**more: Any) -> SourceModality:
    return SourceModality.parse({"product": "sentinel-2-l2a", **more}, "x.yaml")


def filled(
    recipe: Recipe, told: SourceModality, *items: Item, area: Area = AREA, **more: Any
) -> list[Filling]:
    return fill_area(
        recipe, told, area, items, more.get("chosen", {}), static=more.get("static", False)
    )


def names(filling: Filling) -> list[str]:
    return [item.id for acquisition in filling.acquisitions for item in acquisition.items]


def test_single_acquisitions_then_one_per_step_or_the_reason(recipe: Recipe) -> None:
    found = filled(recipe, modality(), record("a", 1), record("b", 4), record("c", 25))
    assert [names(f) for f in found] == [["b"], [], ["c"]]
    assert [f.reason for f in found] == ["", "no acquisition in this step", ""]
    assert not any(f.composite for f in found)


def test_composites_then_all_of_a_step_and_each_keeps_its_items(recipe: Recipe) -> None:
    told = modality(composite={"by": "latest-on-top"})
    tiles = [record("z", 4), record("y", 4.0001)]
    found = filled(recipe, told, record("a", 1), *tiles, record("c", 25))
    assert [a.id for a in found[0].acquisitions] == [
        Acquisition(tuple(tiles)).id,
        "a",
    ]
    assert sorted(names(found[0])) == ["a", "y", "z"]
    assert [len(f.acquisitions) for f in found] == [2, 0, 1]
    assert [f.composite for f in found] == [True] * STEPS
    assert found[1].reason == "no acquisition in this step"


def test_composites_of_a_single_acquisition_are_still_composites(recipe: Recipe) -> None:
    (first, _, _) = filled(recipe, modality(composite={"by": "median"}), record("a", 1))
    assert (names(first), first.composite) == (["a"], True)


def test_composites_keep_to_the_limits_of_choose(recipe: Recipe) -> None:
    told = modality(composite={"by": "median", "at_most": 1}, choose={"max_cloud": 50})
    found = filled(recipe, told, record("a", 1, 60), record("b", 2, 5), record("c", 5, 40))
    assert names(found[0]) == ["c"]


def test_pairs_then_each_step_follows_its_partner(recipe: Recipe) -> None:
    partners = [
        Filling((Acquisition((record("p0", 3),)),)),
        Filling((), "no acquisition in this step"),
        Filling((Acquisition((record("p2", 22),)),)),
    ]
    told = modality(pair={"with": "s2", "within": "2d", "apart": "1h"})
    items = [record("p0", 3), record("near", 4), record("far", 26)]
    found = filled(recipe, told, *items, chosen={"s2": {"area": partners}})
    assert [names(f) for f in found] == [["near"], [], []]
    assert found[1].reason == "its partner s2 is empty"
    assert "4.0 d from that of s2" in found[2].reason


def test_pairs_then_limits_of_cloud_hold_beside_the_gap(recipe: Recipe) -> None:
    partners = [Filling((Acquisition((record("p", 3),)),))]
    told = modality(pair={"with": "s2", "within": "4d"}, choose={"min_cloud": 50})
    items = [record("clear", 3, 0), record("cloudy", 5, 70)]
    (found,) = filled(recipe, told, *items, chosen={"s2": {"area": partners}})
    assert names(found) == ["cloudy"]


def test_layers_without_dates_have_one_step(recipe: Recipe) -> None:
    (found,) = filled(recipe, modality(), record("old", -900), static=True)
    assert names(found) == ["old"]
    (gap,) = filled(recipe, modality(), static=True)
    assert (gap.acquisitions, gap.reason) == ((), "no item covers this area")


@pytest.mark.parametrize("composite", [None, {"by": "median"}])
def test_areas_with_a_time_of_their_own_have_their_own_steps(
    recipe: Recipe, composite: dict[str, str] | None
) -> None:
    june = Span(START + timedelta(days=150), START + timedelta(days=180))
    area = Area("area", GROUND, "EPSG:32631", june)
    told = modality(composite=composite) if composite else modality()
    found = filled(recipe, told, record("winter", 5), record("june", 172), area=area)
    assert [names(f) for f in found] == [[], [], ["june"]]
