"""What may be computed from what: each refusal names the key and something that works."""

from __future__ import annotations

from typing import Any

import pytest

from eodata import resources
from eodata.core.class_layer import Tables, layers_of, take_layer
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_rules import check_recipe

RECIPE: dict[str, Any] = {
    "name": "rules",
    "title": "Every derivation from what it may be computed from",
    "licence": "CC0-1.0",
    "area": {"bbox": [3.0, 50.8, 3.05, 50.83], "patch": 320},
    "time": {"start": "2018-01-01", "end": "2018-12-01", "steps": 4},
    "modalities": {
        "l1c": {"product": "sentinel-2-l1c", "gsd": 10, "anchor": True},
        "rgb": {"product": "sentinel-2-l1c", "gsd": 10, "bands": ["B02", "B03", "B04"]},
        "l2a": {"product": "sentinel-2-l2a", "gsd": 10, "bands": ["B02", "B11"]},
        "scl": {"product": "sentinel-2-l2a", "gsd": 10, "bands": ["SCL"]},
        "mixed": {"product": "sentinel-2-l2a", "gsd": 10, "bands": ["B02", "SCL"]},
        "igbp": {"product": "modis-mcd12q1", "gsd": 10, "bands": ["LC_Type1"]},
        "modis": {"product": "modis-mcd12q1", "gsd": 10},
        "prop": {"product": "modis-mcd12q1", "gsd": 10, "bands": ["LC_Prop1"]},
        "prob": {"derive": "s2cloudless", "from": "l1c"},
        "score": {"derive": "schmitt-score", "from": "l1c"},
        "rules": {"derive": "cloud-shadow-rules", "from": "l1c"},
        "mask": {"derive": "threshold", "from": "prob", "above": 0.4},
        "grey": {"derive": "stretch", "from": "l1c"},
        "simple": {"derive": "class-map", "from": "igbp", "scheme": "igbp-simplified"},
        "forest": {"derive": "class-mask", "from": "simple", "classes": [1]},
        "cloud": {"derive": "class-mask", "from": "scl", "classes": [8, 9]},
        "cloud2": {"derive": "class-mask", "from": "mixed", "classes": [8, 9]},
        "dark": {"derive": "threshold", "from": "mixed", "below": 0.1},
        "red": {"derive": "threshold", "from": "rgb", "band": "B04", "above": 0.1},
        "type": {
            "derive": "class-map",
            "from": "modis",
            "band": "LC_Type1",
            "scheme": "igbp-simplified",
        },
    },
    "labels": {"place": {"from": "igbp", "scheme": "igbp-simplified"}, "many": {"from": "simple"}},
}


def with_(**modalities: Any) -> dict[str, Any]:
    """The recipe, with some modalities changed or added."""
    told = {**RECIPE["modalities"]}
    for name, more in modalities.items():
        told[name] = more if "derive" in more or "product" in more else {**told[name], **more}
    return {**RECIPE, "modalities": told}


def check(raw: dict[str, Any], tables: dict[str, Product]) -> None:
    check_recipe(Recipe.parse(raw, "x.yaml"), tables, resources.schemes())


def refused(raw: dict[str, Any], tables: dict[str, Product]) -> RecipeError:
    with pytest.raises(RecipeError) as raised:
        check(raw, tables)
    return raised.value


def test_every_derivation_has_something_that_it_may_be_computed_from(
    tables: dict[str, Product],
) -> None:
    check(RECIPE, tables)


def new(derive: str, source: str, **more: Any) -> dict[str, Any]:
    return {"derive": derive, "from": source, **more}


@pytest.mark.parametrize(
    ("modality", "where", "found", "fix"),
    [
        (new("s2cloudless", "rgb"), "from", "without B01, B05, B08", "sentinel-2-l1c"),
        (new("schmitt-score", "l2a"), "from", "sentinel-2-l2a without B01", "sentinel-2-l1c"),
        (new("cloud-shadow-rules", "grey"), "from", "without B01", "sentinel-2-l1c"),
        (new("class-mask", "l1c", classes=[1]), "from", "B01, B02", "that has one"),
        (new("class-mask", "modis", classes=[1]), "from", "LC_Type1", "band: LC_Type1"),
        (new("class-mask", "modis", band="LC_9", classes=[1]), "band", '"LC_9"', "LC_"),
        (new("class-mask", "mixed", band="B02", classes=[1]), "band", '"B02"', "SCL"),
        (new("class-mask", "mask", classes=[1]), "from", "0/1 layer", ""),
        (new("class-mask", "scl", classes=[8, 42]), "classes", "42 is no class", "8 cloud"),
        (new("class-mask", "simple", classes=[11]), "classes", "11 is no class", "10 water"),
        (new("class-map", "score", scheme="igbp-simplified"), "from", "score", "that has one"),
        (new("class-map", "igbp", scheme="igbp"), "scheme", 'no "igbp"', "igbp-"),
        (
            new("class-map", "modis", band="LC_Prop1", scheme="igbp-simplified"),
            "scheme",
            "LC_Type1",
            "No scheme",
        ),
        (new("class-map", "prop", scheme="igbp-simplified"), "scheme", "LC_Type1", "No scheme"),
        (new("class-map", "simple", scheme="igbp-simplified"), "scheme", "LC_Type1", "No scheme"),
        (new("threshold", "rgb", above=0.1), "from", "B02, B03, B04", "band: B02"),
        (new("threshold", "rgb", band="B08", above=0.1), "band", '"B08"', "B0"),
        (new("threshold", "mixed", band="SCL", above=0.1), "band", '"SCL"', "B02"),
        (new("threshold", "scl", above=0.1), "from", "SCL", "that has one"),
        (new("threshold", "mask", above=0.1), "from", "mask", "that has one"),
        (new("stretch", "mixed"), "from", "SCL", "numbers only"),
        (new("stretch", "forest"), "from", "forest", "numbers only"),
        (new("stretch", "nowhere"), "from", "nowhere", ""),
    ],
)
def test_what_a_source_cannot_feed_is_refused(
    tables: dict[str, Product], modality: dict[str, Any], where: str, found: str, fix: str
) -> None:
    error = refused(with_(extra=modality), tables)
    assert error.where == f"modalities.extra.{where}"
    assert found in error.found
    assert fix in error.fix
    assert error.fix


def test_circles_are_refused(tables: dict[str, Product]) -> None:
    ring = with_(a=new("stretch", "b"), b=new("stretch", "a"))
    assert refused(ring, tables).where.startswith("modalities.")


@pytest.mark.parametrize(
    ("labels", "where", "found"),
    [
        ({"from": "scl"}, "labels.place.from", "no static modality"),
        ({"from": "cloud"}, "labels.place.from", "no static modality"),
        ({"from": "forest"}, "labels.place.from", "0/1 layer"),
        ({"from": "prop", "scheme": "igbp-simplified"}, "labels.place.scheme", "LC_Type1"),
        ({"from": "igbp", "scheme": "nothing"}, "labels.place.scheme", 'no "nothing"'),
    ],
)
def test_labels_come_from_static_classes(
    tables: dict[str, Product], labels: dict[str, Any], where: str, found: str
) -> None:
    error = refused({**RECIPE, "labels": {"place": labels}}, tables)
    assert error.where == where
    assert found in error.found


@pytest.mark.parametrize(
    ("name", "composite", "where", "found"),
    [
        ("igbp", {"by": "latest-on-top"}, "composite", "static layer"),
        ("scl", {"by": "median"}, "composite.by", "median of the classes of SCL"),
        ("mixed", {"by": "median"}, "composite.by", "median of the classes of SCL"),
        ("l2a", {"by": "schmitt-2019"}, "composite", "sentinel-2-l2a"),
    ],
)
def test_composites_that_a_product_cannot_feed_are_refused(
    tables: dict[str, Product], name: str, composite: dict[str, Any], where: str, found: str
) -> None:
    error = refused(with_(**{name: {"composite": composite}}), tables)
    assert error.where == f"modalities.{name}.{where}"
    assert found in error.found


@pytest.mark.parametrize(
    ("name", "band", "found", "fix"),
    [
        ("rgb", "B08", 'stores no band "B08"', "B0"),
        ("rgb", "nir", 'stores no band "nir"', "B0"),
        ("mixed", "SCL", "SCL holds classes", "B02"),
        ("scl", "SCL", "SCL holds classes", "latest-on-top"),
    ],
)
def test_a_composite_by_a_band_that_is_not_stored_or_has_no_order_is_refused(
    tables: dict[str, Product], name: str, band: str, found: str, fix: str
) -> None:
    error = refused(with_(**{name: {"composite": {"by": "highest", "band": band}}}), tables)
    assert error.where == f"modalities.{name}.composite.band"
    assert found in error.found
    assert fix in error.fix


def test_a_composite_by_a_band_may_carry_classes_along(tables: dict[str, Product]) -> None:
    check(with_(mixed={"composite": {"by": "highest", "band": "B02"}}), tables)


def test_a_composite_of_few_bands_is_guided_by_those_of_the_product(
    tables: dict[str, Product],
) -> None:
    check(with_(rgb={"composite": {"by": "schmitt-2019"}}), tables)
    check(with_(scl={"composite": {"by": "latest-on-top"}}), tables)


@pytest.mark.parametrize("key", ["pair", "follow"])
def test_a_composite_leads_nobody(tables: dict[str, Product], key: str) -> None:
    led: dict[str, Any] = {"product": "sentinel-2-l1c", "gsd": 10, "bands": ["B02"]}
    led[key] = {"with": "l1c", "within": "3d"} if key == "pair" else "l1c"
    raw = with_(l1c={"composite": {"by": "median"}}, led=led)
    error = refused(raw, tables)
    assert "cannot lead led" in error.found


def test_layers_of_derived_modalities(tables: dict[str, Product]) -> None:
    found = Tables(Recipe.parse(RECIPE, "x.yaml"), tables, resources.schemes())

    def layers(name: str) -> list[tuple[str, str, str]]:
        return [(one.name, one.kind, one.legend) for one in layers_of(found, name)]

    assert layers("score") == [("score", "continuous", "")]
    assert layers("forest") == [("forest", "categorical", "")]
    assert layers("simple") == [("simple", "categorical", "igbp-simplified")]
    assert layers("igbp") == [("LC_Type1", "categorical", "modis-mcd12q1.LC_Type1")]
    assert layers("grey") == [(name, "continuous", "") for name, _, _ in layers("l1c")]


def test_positions_of_bands_that_something_is_computed_from(tables: dict[str, Product]) -> None:
    found = Tables(Recipe.parse(RECIPE, "x.yaml"), tables, resources.schemes())
    assert take_layer(found, "x", "mixed", "", "categorical") == 1
    assert take_layer(found, "x", "mixed", "", "continuous") == 0
    assert take_layer(found, "x", "rgb", "B04", "continuous") == 2
