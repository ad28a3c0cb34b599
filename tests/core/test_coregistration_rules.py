"""What may be moved onto what: each rule refuses, and says what would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eodata import resources
from eodata.core.coregistration_rules import check_coregistration
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_rules import check_recipe

DEM = {"product": "worldcereal-dem", "gsd": 20}
COVER = {"product": "worldcereal-labels"}
Check = Callable[..., None]


@pytest.fixture
def check(raw: dict[str, Any], tables: dict[str, Product]) -> Check:
    """Check the full recipe with other modalities, or further keys of some."""

    def checked(**said: dict[str, Any]) -> None:
        for name, keys in said.items():
            raw["modalities"][name] = {**raw["modalities"].get(name, {}), **keys}
        check_coregistration(Recipe.parse(raw, "x.yaml"), tables)

    return checked


def onto(target: Any) -> dict[str, Any]:
    return {"coregister_to": target}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"s1": onto("s2")},
        {"s2": onto("s1")},
        {"s2": onto({"step": 3})},
        {"s2": onto({"item": "S2A_1"})},
        {"s2": onto({})},
        {"s2": onto("landcover")},
        {"s1": onto({"modality": "landcover", "step": 0})},
        {"landcover": onto("s2")},
        {"s1": {"gsd": 20, **onto("s2")}},
        {"s1": {"gsd": 60, **onto("s2")}},
        {"s2": {**onto({}), "coregister_bands": "B04"}},
        {"s1": {"coregister_bands": "vv"}},
        # A chain ends somewhere; a modality that is moved onto itself ends it.
        {"s1": onto("s2"), "s2": onto({}), "landcover": onto("s1")},
    ],
)
def test_reference_that_can_be_compared_then_it_is_taken(check: Check, said) -> None:
    check(**said)


@pytest.mark.parametrize(
    ("said", "where", "found", "fix"),
    [
        ({"s1": onto("s3")}, "s1.coregister_to", 'no "s3"', "Did you mean"),
        ({"s1": onto("optics")}, "s1.coregister_to", 'no "optics"', "Known: landcover, s1, s2."),
        # Followers and derived layers have no place of their own, heights show nothing.
        ({"s1": onto("scl")}, "s1.coregister_to", '"scl" cannot be compared', "s1"),
        ({"s1": onto("cloud")}, "s1.coregister_to", '"cloud" cannot be compared', "landcover"),
        ({"dem": DEM, "s2": onto("dem")}, "s2.coregister_to", '"dem" cannot be compared', "s2"),
        ({"dem": DEM | onto("s2")}, "dem.coregister_to", '"dem" cannot be compared', "Remove"),
        (
            {"cover": COVER, "landcover": onto("cover")},
            "landcover.coregister_to",
            "landcover and cover both hold classes",
            "Name a modality of numbers.",
        ),
        (
            {"s2": onto({"step": 4})},
            "s2.coregister_to.step",
            "4",
            "Use 3, or leave it out for the clearest.",
        ),
        (
            {"s2": onto({"modality": "landcover", "step": 1})},
            "s2.coregister_to.step",
            "1",
            "Use 0, or leave it out for the clearest.",
        ),
        (
            {"s1": {"gsd": 16, **onto("s2")}},
            "s1.coregister_to",
            "16 m and 10 m",
            "a gsd that divides the other, for example 16.",
        ),
        (
            {"s2": {"coregister_bands": "B4"}},
            "s2.coregister_bands",
            'no band of numbers "B4"',
            'Did you mean "B04"?',
        ),
        (
            {"s2": {"bands": ["B02", "SCL"], "coregister_bands": "SCL"}},
            "s2.coregister_bands",
            'no band of numbers "SCL"',
            "Known: B02.",
        ),
        (
            {"s1": {"pair": None, "composite": {"by": "median"}, "coregister_bands": "vv"}},
            "s1.coregister_bands",
            "the modality is a composite",
            "Remove one of the two.",
        ),
        (
            {"s1": onto("s2"), "s2": onto("s1")},
            "s2.coregister_to",
            "s2 → s1 → s2",
            "Remove coregister_to from s2.",
        ),
        (
            {"landcover": onto("s1"), "s1": onto("s2"), "s2": onto("landcover")},
            "s2.coregister_to",
            "s2 → landcover → s1 → s2",
            "Remove coregister_to from s2.",
        ),
    ],
)
def test_reference_that_cannot_be_compared_then_what_would_do(
    check: Check, said, where: str, found: str, fix: str
) -> None:
    with pytest.raises(RecipeError) as refused:
        check(**said)
    assert refused.value.where == f"modalities.{where}"
    assert found in refused.value.found
    assert fix in refused.value.fix
    assert refused.value.because


def test_one_step_then_it_cannot_be_moved_onto_itself(check: Check, raw: dict[str, Any]) -> None:
    raw["time"]["steps"] = 1
    with pytest.raises(RecipeError, match="there is nothing else to move it onto") as refused:
        check(s2=onto({}))
    assert refused.value.fix == "Name another modality."
    check(s2={"coregister_to": "s1"})


def test_nothing_to_compare_then_the_key_is_to_be_removed(
    check: Check, raw: dict[str, Any]
) -> None:
    raw["modalities"] = {"dem": dict(DEM), "cover": {**COVER, "follow": "dem"}}
    with pytest.raises(RecipeError) as refused:
        check(dem=onto("cover"))
    assert refused.value.fix == "Remove the key."


def test_rules_hold_for_whole_recipes_too(raw: dict[str, Any], tables: dict[str, Product]) -> None:
    raw["modalities"]["s1"] |= onto("scl")
    with pytest.raises(RecipeError, match='"scl" cannot be compared'):
        check_recipe(Recipe.parse(raw, "x.yaml"), tables, resources.schemes())


def test_composite_onto_itself_then_refused(check: Check) -> None:
    with pytest.raises(RecipeError, match="is a composite"):
        check(s2={"composite": {"by": "median"}, **onto("s2"), "choose": {}})
