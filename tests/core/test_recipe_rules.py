"""Rules between a recipe and the product tables; each with a remedy that works."""

from __future__ import annotations

from typing import Any

import pytest

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_queries import bands_of, gsd_of, gsds, is_static, source_of
from eodata.core.recipe_rules import check_recipe

S2 = "modalities.s2"


def spoil(raw: dict[str, Any], changes: dict[str, Any]) -> Recipe:
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = raw
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return Recipe.parse(raw, "x.yaml")


def test_recipe_that_says_everything_then_accepted(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    check_recipe(Recipe.parse(raw, "x.yaml"), tables, resources.schemes())


@pytest.mark.parametrize(
    ("changes", "where", "fix"),
    [
        ({f"{S2}.product": "sentinel-2-l2b"}, f"{S2}.product", '"sentinel-2-l2a"'),
        ({f"{S2}.bands": ["bleu"]}, "product sentinel-2-l2a", '"blue"'),
        ({f"{S2}.bands": ["B04", "red"]}, "product sentinel-2-l2a", 'Remove "red"'),
        ({f"{S2}.valid": "cleer"}, f"{S2}.valid", '"clear"'),
        ({"modalities.scl.resampling": "average"}, "modalities.scl.resampling", "Use mode"),
        (
            {"modalities.scl.resampling": "nearest", "modalities.scl.gsd": 40},
            "modalities.scl.resampling",
            "Use mode",
        ),
        (
            {"modalities.scl.anchor": True, "modalities.scl.follow": None},
            "modalities.scl.anchor",
            "s2",
        ),
        (
            {f"{S2}.anchor": False, "modalities.landcover.anchor": True},
            "modalities.landcover.anchor",
            "time series",
        ),
        ({"modalities.scl.follow": "s22"}, "modalities.scl.follow", '"s2"'),
        ({"modalities.scl.follow": "scl"}, "modalities.scl.follow", "s2"),
        ({"modalities.scl.follow": "cloud"}, "modalities.scl.follow", "s2"),
        ({"modalities.scl.follow": "s1"}, "modalities.scl.follow", "s2"),
        (
            {
                "modalities.scl.product": "sentinel-1-grd",
                "modalities.scl.bands": ["vv"],
                "modalities.cloud.from": "landcover",
                "modalities.cloud.classes": [11],
            },
            "modalities.scl.follow",
            "pair",
        ),
        ({"modalities.scl.provider": "archive"}, "modalities.scl.provider", "s2"),
        ({"modalities.s1.pair.with": "s3"}, "modalities.s1.pair.with", "s2"),
        ({"modalities.s1.pair.with": "landcover"}, "modalities.s1.pair.with", "s2"),
        (
            {"modalities.landcover.pair": {"with": "s2", "within": "5d"}},
            "modalities.landcover.pair",
            "Remove pair",
        ),
        ({"modalities.cloud.from": "slc"}, "modalities.cloud.from", '"scl"'),
        ({"modalities.cloud.from": "cloud"}, "modalities.cloud.from", "scl"),
        ({"modalities.cloud.from": "s2"}, "modalities.cloud.from", "a modality that has one"),
        (
            {"modalities.cloud2": {"derive": "class-mask", "from": "cloud", "classes": [1]}},
            "modalities.cloud2.from",
            "scl",
        ),
        ({"modalities.cloud.classes": [8, 42]}, "modalities.cloud.classes", "8 cloud medium"),
        ({f"{S2}.gsd": 60}, f"{S2}.gsd", "area.patch = 300 or 360"),
        ({"area.stride": 330, "split": None}, "modalities.scl.gsd", "area.stride = 320 or 340"),
        ({"store.chunk": 20}, "store.chunk", "divisor of 32"),
        ({"split.cell": 700}, "split.cell", "Use 640."),
        ({"split.cell": 100}, "split.cell", "Use 320."),
    ],
)
def test_rule_when_broken_then_names_key_and_remedy(
    raw: dict[str, Any], tables: dict[str, Product], changes: dict[str, Any], where: str, fix: str
) -> None:
    recipe = spoil(raw, changes)
    with pytest.raises(RecipeError) as caught:
        check_recipe(recipe, tables, resources.schemes())
    assert caught.value.where == where
    assert fix in caught.value.fix
    assert caught.value.found


def test_rules_when_remedy_is_followed_then_accepted(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    remedy = {f"{S2}.gsd": 60, "area.patch": 360, "area.stride": 360, "split.cell": 720}
    check_recipe(spoil(raw, remedy), tables, resources.schemes())


def test_chunk_when_larger_than_the_patch_then_accepted(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    check_recipe(spoil(raw, {"store.chunk": 256}), tables, resources.schemes())


def test_class_bands_when_not_coarser_then_nearest_is_accepted(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    check_recipe(spoil(raw, {"modalities.scl.resampling": "nearest"}), tables, resources.schemes())


def test_gsd_when_left_out_then_the_finest_of_the_bands(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    recipe = spoil(raw, {f"{S2}.gsd": None, f"{S2}.bands": ["B01", "B05"]})
    assert gsd_of(recipe, "s2", tables) == 20
    assert gsds(recipe, tables) == {"s2": 20, "s1": 10, "scl": 20, "cloud": 20, "landcover": 10}


def test_questions_about_derived_modalities_then_answered_by_their_source(
    raw: dict[str, Any], tables: dict[str, Product]
) -> None:
    recipe = Recipe.parse(raw, "x.yaml")
    assert source_of(recipe, "cloud") is recipe.modalities["scl"]
    assert [b.name for b in bands_of(recipe, "cloud", tables)] == ["SCL"]
    assert not is_static(recipe, "cloud", tables)
    assert is_static(recipe, "landcover", tables)
