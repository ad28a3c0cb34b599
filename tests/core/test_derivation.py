"""What a recipe may say about derived modalities."""

from __future__ import annotations

from typing import Any

import pytest

from eodata.core import derivation
from eodata.core.derivation import NAMES, Derived, Stretch, Threshold
from eodata.core.errors import RecipeError
from eodata.core.recipe import Recipe

WHOLE: dict[str, dict[str, Any]] = {
    "class-mask": {"classes": [8, 9]},
    "class-map": {"scheme": "igbp-simplified"},
    "s2cloudless": {},
    "schmitt-score": {},
    "cloud-shadow-rules": {"threshold": 0.3},
    "threshold": {"below": 0.4, "average_over": 4, "dilation_size": 2},
    "stretch": {"sigmas": 2.0},
}


def said(raw: dict[str, Any], **told: Any) -> Any:
    raw["modalities"]["new"] = {"from": "s2", **told}
    return Recipe.parse(raw, "x.yaml").modalities["new"]


def test_names_are_those_of_the_classes() -> None:
    classes = [
        kind
        for kind in vars(derivation).values()
        if isinstance(kind, type) and issubclass(kind, Derived) and kind is not Derived
    ]
    assert {kind.model_fields["derive"].annotation.__args__[0] for kind in classes} == set(NAMES)  # type: ignore[union-attr]
    assert set(WHOLE) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_told_by_its_name_and_survives_json(raw: dict[str, Any], name: str) -> None:
    found = said(raw, derive=name, **WHOLE[name], role="target")
    assert isinstance(found, Derived)
    assert (found.derive, found.from_, found.role) == (name, "s2", "target")
    whole = Recipe.parse(raw, "x.yaml")
    assert Recipe.parse(whole.to_json(), "again").modalities["new"] == found


def test_defaults() -> None:
    assert Stretch(derive="stretch", **{"from": "s2"}).sigmas == 2.5
    found = Threshold(derive="threshold", above=0.4, **{"from": "s2"})
    assert (found.average_over, found.dilation_size, found.below) == (0, 0, None)


@pytest.mark.parametrize(
    ("told", "where", "found"),
    [
        ({"derive": "classmask"}, "modalities.new", "class-mask, class-map"),
        ({"derive": "class-mask"}, "modalities.new.classes", "missing"),
        ({"derive": "class-mask", "classes": []}, "modalities.new.classes", "at least 1"),
        ({"derive": "class-map"}, "modalities.new.scheme", "missing"),
        ({"derive": "schmitt-score", "threshold": 1}, "modalities.new.threshold", "no such key"),
        (
            {"derive": "cloud-shadow-rules", "threshold": 1.0},
            "modalities.new.threshold",
            "less than 1",
        ),
        ({"derive": "threshold"}, "modalities.new", "either above or below"),
        (
            {"derive": "threshold", "above": 0.1, "below": 0.2},
            "modalities.new",
            "either above or below",
        ),
        (
            {"derive": "threshold", "above": 0.1, "average_over": -1},
            "modalities.new.average_over",
            "greater than or equal to 0",
        ),
        ({"derive": "stretch", "sigmas": 0}, "modalities.new.sigmas", "greater than 0"),
        ({"derive": "stretch", "product": "sentinel-2-l1c"}, "modalities.new.product", "no such"),
        ({"derive": "stretch", "from": None}, "modalities.new.from", "string"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(
    raw: dict[str, Any], told: dict[str, Any], where: str, found: str
) -> None:
    with pytest.raises(RecipeError) as raised:
        said(raw, **told)
    assert raised.value.where == f"x.yaml: {where}"
    assert found in str(raised.value)
