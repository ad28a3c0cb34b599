"""Pixels that the archive shall bring onto the grid: who can, and how far."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.recipe_modality import SourceModality
from eodata.core.server_rules import check_server_warp


def checked(provider="earthengine", *, product="sentinel-2-l2a", **said):
    said = {"bands": ["B02", "SCL"], "warped_by": "server", **said}
    modality = SourceModality.model_validate({"product": product, **said})
    check_server_warp("s2", modality, resources.products()[product], provider, ("earthengine",))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"gsd": 60},
        {"gsd": 2560},
        {"bands": ["B11"], "gsd": 5120},
        {"product": "sentinel-1-grd", "bands": "all"},
        {"provider": "cdse", "warped_by": "client"},
        {"gsd": 10_000, "warped_by": "client"},
    ],
)
def test_archive_that_can_then_it_may(said):
    checked(**said)


@pytest.mark.parametrize(
    ("said", "found", "fix"),
    [
        ({"provider": "cdse"}, "cdse warps no pixels", "or provider: earthengine"),
        ({"gsd": 2600}, "holds too many of B02's, of 10 m", "gsd of at most 2560"),
    ],
)
def test_archive_that_cannot_then_it_is_refused(said, found, fix):
    with pytest.raises(RecipeError) as refused:
        checked(**said)
    assert refused.value.where == "modalities.s2.warped_by"
    assert found in str(refused.value)
    assert fix in str(refused.value)


def test_product_that_nobody_could_warp_then_nobody_is_named():
    with pytest.raises(RecipeError) as refused:
        checked("planetary-computer", product="landsat-c2-l2", bands="all")
    assert "provider:" not in str(refused.value)


def test_key_is_client_unless_said_and_one_of_two():
    assert SourceModality(product="sentinel-2-l2a").warped_by == "client"
    with pytest.raises(ValidationError, match="client"):
        SourceModality.model_validate({"product": "sentinel-2-l2a", "warped_by": "gdal"})
