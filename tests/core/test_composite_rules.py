"""Composites that the archive shall make: who can, and of what."""

from __future__ import annotations

import pytest

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.recipe_modality import SourceModality
from eodata.core.server_rules import check_server_composite


def checked(provider="earthengine", *, product="sentinel-2-l1c", trusts=True, **said):
    said = {"bands": ["B02"], "composite": {"by": "median", "made_by": "server"}, **said}
    modality = SourceModality.model_validate({"product": product, **said})
    table = resources.products()[product]
    check_server_composite("s2", modality, table, provider, ("earthengine",), trusts_offsets=trusts)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"gsd": 10, "composite": {"by": "least-cloudy-on-top", "made_by": "server"}},
        {"composite": {"by": "highest", "band": "B02", "made_by": "server"}},
        {"bands": ["B11", "B12"]},
        {"product": "sentinel-2-l2a", "bands": ["B02", "SCL"]},
        {"product": "cloud-score-plus", "bands": "all", "trusts": False},
        {"provider": "cdse", "trusts": False, "composite": {"by": "median"}},
        {"provider": "cdse", "trusts": False, "composite": None},
        {"provider": "cdse", "composite": {"by": "schmitt-2019"}},
    ],
)
def test_composite_then_it_may_be_made_so(said):
    checked(**said)


@pytest.mark.parametrize(
    ("said", "found", "fix"),
    [
        ({"provider": "cdse"}, "cdse makes no composites", "provider: earthengine"),
        ({"bands": ["B02", "B11"]}, "B11 has pixels of 20 m, the modality of 10 m", "10, 20 m"),
        ({"gsd": 20}, "B02 has pixels of 10 m, the modality of 20 m", "made_by: client"),
        (
            {
                "bands": ["B02", "B11"],
                "composite": {"by": "highest", "band": "B02", "made_by": "server"},
            },
            "B11 has pixels of 20 m",
            "10, 20 m",
        ),
        ({"trusts": False}, "single images of sentinel-2-l1c", "trust_offsets: true"),
    ],
)
def test_composite_when_pixels_would_differ_then_it_is_refused(said, found, fix):
    with pytest.raises(RecipeError) as refused:
        checked(**said)
    assert "modalities.s2.composite.made_by" in str(refused.value)
    assert found in str(refused.value)
    assert fix in str(refused.value)


def test_composite_of_a_product_that_no_composer_has_then_none_is_named():
    with pytest.raises(RecipeError) as refused:
        checked("planetary-computer", product="landsat-c2-l2", bands="all")
    assert "provider:" not in str(refused.value)
