"""What a recipe may say about composites."""

from __future__ import annotations

from typing import Any

import pytest

from eodata.core.composite import (
    HighestComposite,
    MedianComposite,
    SchmittComposite,
    TopComposite,
)
from eodata.core.errors import RecipeError
from eodata.core.recipe_modality import SourceModality


def said(**composite: Any) -> Any:
    told = {"product": "sentinel-2-l1c", "composite": composite}
    return SourceModality.parse(told, "x.yaml").composite


@pytest.mark.parametrize(
    ("by", "kind"),
    [
        ("median", MedianComposite),
        ("latest-on-top", TopComposite),
        ("least-cloudy-on-top", TopComposite),
        ("schmitt-2019", SchmittComposite),
    ],
)
def test_every_way_is_told_by_its_name_and_survives_json(by: str, kind: type) -> None:
    composite = said(by=by, at_most=5)
    assert type(composite) is kind
    assert (composite.by, composite.at_most) == (by, 5)
    assert said(**composite.model_dump(mode="json")) == composite
    assert said(by=by).at_most is None


def test_the_defaults_are_those_of_the_published_script() -> None:
    found = said(by="schmitt-2019")
    assert (found.cloud_above, found.keep_below, found.gsd) == (0.2, 0.05, 20.0)
    shadows = found.shadows
    assert (shadows.lowest, shadows.highest, shadows.step) == (200.0, 10_000.0, 250.0)
    assert (shadows.dark_below, shadows.water_below) == (0.3, -0.1)


def test_the_highest_is_told_by_its_band_and_survives_json() -> None:
    composite = said(by="highest", band="B08", at_most=5)
    assert type(composite) is HighestComposite
    assert (composite.band, composite.at_most, composite.made_by) == ("B08", 5, "client")
    assert said(**composite.model_dump(mode="json")) == composite
    assert said(by="highest", band="B08", made_by="server").made_by == "server"


def test_keys_of_shadows_are_taken_one_by_one() -> None:
    shadows = said(by="schmitt-2019", shadows={"highest": 6000}).shadows
    assert (shadows.lowest, shadows.highest) == (200.0, 6000.0)


@pytest.mark.parametrize(
    ("composite", "where", "told"),
    [
        ({"by": "median", "at_most": 0}, "composite.at_most", "greater than or equal to 1"),
        ({"by": "median", "keep_below": 0.1}, "composite.keep_below", "no such key"),
        ({"by": "latest-on-top", "cloud_above": 0.1}, "composite.cloud_above", "no such key"),
        ({"by": "highest"}, "composite.band", "the key is missing"),
        ({"by": "highest", "band": ""}, "composite.band", "at least 1"),
        ({"by": "median", "band": "B08"}, "composite.band", "no such key"),
        ({"by": "schmitt-2019", "keep_below": 5}, "composite.keep_below", "less than or equal"),
        ({"by": "schmitt-2019", "cloud_above": 0}, "composite.cloud_above", "greater than 0"),
        ({"by": "schmitt-2019", "gsd": 0}, "composite.gsd", "greater than or equal to 10"),
        ({"by": "schmitt-2019", "kep_below": 0}, "composite.kep_below", "keep_below"),
        (
            {"by": "schmitt-2019", "shadows": {"lowest": 900, "highest": 800}},
            "composite.shadows",
            "highest is below lowest",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(
    composite: dict[str, Any], where: str, told: str
) -> None:
    with pytest.raises(RecipeError) as raised:
        said(**composite)
    assert raised.value.where == f"x.yaml: {where}"
    assert told in str(raised.value)


@pytest.mark.parametrize("composite", [{"by": "lowest", "band": "B08"}, {}, {"at_most": 3}])
def test_an_unknown_way_is_answered_with_all_that_there_are(composite: dict[str, Any]) -> None:
    with pytest.raises(RecipeError) as raised:
        said(**composite)
    assert raised.value.where == "x.yaml: composite"
    for name in ("median", "highest", "latest-on-top", "least-cloudy-on-top", "schmitt-2019"):
        assert name in raised.value.because


@pytest.mark.parametrize(
    "more",
    [
        {"pair": {"with": "s1", "within": "3d"}},
        {"follow": "s1"},
    ],
)
def test_a_composite_chooses_for_itself(more: dict[str, Any]) -> None:
    told = {"product": "sentinel-2-l1c", "composite": {"by": "median"}, **more}
    with pytest.raises(RecipeError, match="no pair and no follow"):
        SourceModality.parse(told, "x.yaml")
