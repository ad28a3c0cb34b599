"""What a recipe may say about ground."""

from __future__ import annotations

import pytest
import yaml

from eodata.core.errors import RecipeError
from eodata.core.recipe import Recipe, ScaleSpec
from eodata.core.recipe_area import AreaSpec

SAMPLE = "sample: {draws: [{seed: 1, season: fall}], land: 5}"


def parsed(text):
    return AreaSpec.parse(yaml.safe_load(f"{{{text}}}"), "x.yaml")


@pytest.mark.parametrize(
    ("text", "where", "told"),
    [
        ("patch: 10", "x.yaml", "exactly one of file, bbox and sample"),
        (f"file: a.geojson, {SAMPLE}, side: 10, patch: 10", "x.yaml", "exactly one of"),
        (f"{SAMPLE}, patch: 10", "x.yaml", "give side"),
        ("bbox: [3, 50, 4, 51], only: {split: [val]}, patch: 10", "x.yaml", "only chooses among"),
        ("file: a.geojson, only: {split: []}, patch: 10", "x.yaml: only.split", "at least 1"),
        ("file: a.geojson, only: {split: val}, patch: 10", "x.yaml: only.split", "valid tuple"),
        ("file: a.geojson, side: 9, patch: 10", "x.yaml", "side = 9 is shorter than patch"),
        ("file: a.geojson, side: 0, patch: 10", "x.yaml: side", "greater than 0"),
        ("sample: {draws: [], land: 5}, side: 10, patch: 10", "x.yaml: sample.draws", "at least 1"),
        ("sample: {draws: [{seed: 1}], land: 0}, side: 10, patch: 10", "x.yaml: sample", "both 0"),
        ("sample: {draws: [{seed: -1}], land: 1}, side: 10, patch: 10", "x.yaml: sample", "seed"),
        (
            "sample: {draws: [{seed: 1}, {seed: 1}], land: 1}, side: 10, patch: 10",
            "x.yaml: sample",
            "ids would collide",
        ),
    ],
)
def test_area_when_it_breaks_a_rule_then_refused_at_its_key(text, where, told):
    with pytest.raises(RecipeError) as caught:
        parsed(text)
    assert caught.value.where.startswith(where)
    assert told in str(caught.value)


def test_sample_when_written_in_full_then_read_as_said():
    draws = "[{seed: 1158, season: spring}, {seed: 1158, season: fall}, {seed: 1868}]"
    spec = parsed(
        f"sample: {{draws: {draws}, land: 100, urban: 50, apart: 1e5}}, side: 9, patch: 9"
    )
    assert [(d.seed, d.season) for d in spec.sample.draws] == [
        (1158, "spring"),
        (1158, "fall"),
        (1868, ""),
    ]
    assert (spec.sample.land, spec.sample.urban, spec.sample.apart) == (100, 50, 1e5)
    assert (spec.side, spec.stride_m) == (9, 9)


def test_only_when_several_properties_then_each_with_its_words():
    spec = parsed("file: a.geojson, only: {split: [val, test], sure: ['true']}, patch: 10")
    assert spec.only == {"split": ("val", "test"), "sure": ("true",)}


# --- scale


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("areas=2 side=5120 steps=4", ScaleSpec(areas=2, side=5120, steps=4)),
        (" steps=1,areas=3 ", ScaleSpec(areas=3, steps=1)),
        ("side=5120.5", ScaleSpec(side=5120.5)),
    ],
)
def test_scale_when_written_as_text_then_its_settings(text, said):
    assert ScaleSpec.from_text(text) == said


@pytest.mark.parametrize(
    ("text", "where", "told"),
    [
        ("areas=x", "--scale: areas", "'x'"),
        ("areas", "--scale", '"areas" has no value'),
        ("areas=1 areas=2", "--scale", "areas stands twice"),
        ("areas=1.5", "--scale: areas", "'1.5'"),
        ("areas=0", "--scale: areas", "greater than or equal to 1"),
        ("side=-1", "--scale: side", "greater than 0"),
        ("side=nan", "--scale: side", "finite number"),
        ("side=inf", "--scale: side", "finite number"),
        ("foo=2", "--scale", "Known: areas, "),
        ("mini", "--scale", "Known: areas, "),
        ("area=2", "--scale", '"areas"'),
    ],
)
def test_scale_when_the_text_is_wrong_then_refused_with_what_would_be_right(text, where, told):
    with pytest.raises(RecipeError) as caught:
        ScaleSpec.from_text(text)
    assert caught.value.where == where
    assert told in str(caught.value)


def test_scale_when_in_a_recipe_then_read_and_written(raw):
    raw["scale"] = {"areas": 2, "steps": 3}
    recipe = Recipe.parse(raw, "x.yaml")
    assert recipe.scale == ScaleSpec(areas=2, steps=3)
    assert Recipe.parse(recipe.to_json(), "plan.json") == recipe
