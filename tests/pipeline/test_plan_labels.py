"""Labels in the plan: everything that counting needs, in the lock file and in the digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eodata import resources
from eodata.core.band import Band
from eodata.core.derived_rules import check_derived
from eodata.core.errors import RecipeError
from eodata.core.item import Item
from eodata.core.label_plan import LabelPlan
from eodata.core.modality_plan import ModalityPlan
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.pipeline.plan_labels import plan_labels
from eodata.pipeline.plan_modality import plan_modality

IGBP = {"product": "modis-mcd12q1", "bands": ["LC_Type1"], "gsd": 10}


@pytest.fixture
def planned(raw: dict[str, Any], tables: dict[str, Product]) -> Callable[..., tuple[Any, ...]]:
    """Plan labels of a recipe with a layer `lc`."""

    def plan(labels: dict[str, Any], lc: dict[str, Any] = IGBP) -> tuple[LabelPlan, ...]:
        recipe = Recipe.parse({**raw, "modalities": {"lc": lc}, "labels": labels}, "x.yaml")
        schemes = resources.schemes()
        lc_plan = plan_modality(recipe, "lc", tables, schemes, {"lc": "sandbox"}, {})
        return plan_labels(recipe, {"lc": lc_plan}, schemes)

    return plan


def test_labels_with_a_scheme_have_its_legend_and_its_pairs(planned):
    (label,) = planned({"scene": {"from": "lc", "scheme": "igbp-simplified", "least": 0.2}})
    scheme = resources.schemes()["igbp-simplified"]
    assert (label.name, label.modality, label.least) == ("scene", "lc", 0.2)
    assert label.recode == tuple(sorted(scheme.recode.items()))
    assert label.legend[5] == (6, "cropland", "c24f44")
    assert len(label.legend) == 10


def test_labels_without_a_scheme_have_the_legend_of_their_layer_by_value(planned):
    one, two = planned({"b": {"from": "lc"}, "a": {"from": "lc"}})
    assert (one.name, two.name) == ("b", "a")
    assert one.recode == ()
    assert one.least == 0.1
    assert [value for value, _, _ in one.legend] == list(range(1, 18))


def test_a_legend_out_of_order_is_sorted(raw, tables):
    classes = ((9, "nine", "000000"), (2, "two", "000000"))
    band = Band("c", "categorical", "uint8", 10.0, "", classes=classes)
    recipe = Recipe.parse({**raw, "labels": {"all": {"from": "lc"}}}, "x.yaml")
    source = ModalityPlan("lc", 10.0, True, "input", (), (band,), "", "", "", "")
    (label,) = plan_labels(recipe, {"lc": source}, {})
    assert label.legend == classes[::-1]


def test_a_layer_without_a_legend_is_refused(raw, tables):
    modis = tables["modis-mcd12q1"]
    mute = modis.bands[0].model_copy(update={"classes": ()})
    poor = {**tables, "modis-mcd12q1": modis.model_copy(update={"bands": (mute,)})}
    told = {**raw, "modalities": {"lc": IGBP}, "labels": {"all": {"from": "lc"}}}
    with pytest.raises(RecipeError, match=r"labels\.all\.from: the class band LC_Type1"):
        check_derived(Recipe.parse(told, "x.yaml"), poor, resources.schemes())


def test_labels_may_name_one_band_of_several(planned):
    all_bands = {"product": "modis-mcd12q1", "gsd": 10}
    (label,) = planned({"use": {"from": "lc", "band": "LC_Prop2"}}, all_bands)
    assert (label.band, label.legend[3]) == (2, (9, "urban", "a5a5a5"))


@pytest.mark.parametrize("name", ["lc", "a/b"])
def test_a_name_that_cannot_be_used_is_refused(planned, name):
    with pytest.raises(RecipeError, match=f'labels are called "{name}"'):
        planned({name: {"from": "lc"}})


def test_the_plan_keeps_labels_and_its_digest_knows_them(plan_of: Callable[..., Plan]):
    label = LabelPlan("cover", "dem", ((1, "a", "000000"), (2, "b", "ffffff")), ((5, 1),), 0.25)
    plan = replace(plan_of(), labels=(label,))
    assert Plan.from_json(json.loads(plan.dumps())) == plan
    digests = {
        replace(plan, labels=labels).digest
        for labels in (
            (),
            (label,),
            (replace(label, least=0.3),),
            (replace(label, recode=()),),
            (replace(label, legend=label.legend[:1]),),
        )
    }
    assert len(digests) == 5


def test_a_plan_made_of_a_recipe_has_its_labels(
    plan_of: Callable[..., Plan], raw: dict[str, Any], answers: dict[str, list[Item]]
):
    raw["modalities"]["lc"] = {"product": "worldcereal-labels"}
    raw["labels"] = {"crops": {"from": "lc"}}
    layer = replace(answers["dem"][0], id="lc_a", collection="worldcereal-labels")
    (label,) = plan_of({**answers, "lc": [layer]}).labels
    assert (label.name, label.modality) == ("crops", "lc")
    assert [value for value, _, _ in label.legend] == [11, 13, 60, 99]
