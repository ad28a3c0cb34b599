"""Which providers a recipe may ask for a product, and what the refusal of the others says."""

from __future__ import annotations

import pytest

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.pipeline.serving import check_provider, serving

REMOTE = ("earth-search", "planetary-computer", "cdse")


def refusal(name: str, provider: str, tables: dict[str, Product]) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        check_provider("m", tables[name], provider, tables.values())
    return caught.value


@pytest.mark.parametrize("name", resources.products())
def test_provider_with_the_product_then_accepted_and_any_other_refused(
    name: str, tables: dict[str, Product]
) -> None:
    keepers = serving(tables[name])
    assert keepers
    for provider in keepers:
        check_provider("m", tables[name], provider, tables.values())
    for provider in {*REMOTE, "archive", "sandbox", "nobody"} - set(keepers):
        error = refusal(name, provider, tables)
        assert error.where == "modalities.m.provider"
        assert f"Providers that do: {', '.join(keepers)}." in error.fix


@pytest.mark.parametrize("provider", REMOTE)
def test_provider_with_another_quantity_then_it_says_which_and_what_to_ask_for(
    provider: str, tables: dict[str, Product]
) -> None:
    error = refusal("sentinel-1-grd", provider, tables)
    assert error.found == f"{provider} keeps sentinel-1-grd as amplitude-dn, not sigma0-db"
    assert "different quantities" in error.because
    assert error.fix.startswith("To have amplitude-dn, ask for sentinel-1-grd-dn. ")
    assert "Providers that do: archive, earthengine, sandbox." in error.fix
    assert "sentinel-1-rtc of planetary-computer" in error.fix


def test_provider_with_another_quantity_when_no_product_has_it_then_none_is_named(
    tables: dict[str, Product],
) -> None:
    with pytest.raises(RecipeError) as caught:
        check_provider("m", tables["sentinel-1-grd"], "cdse")
    assert caught.value.fix.startswith("Providers that do: ")


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("modis-mcd12q1", "HDF files of NASA's LP DAAC"),
        ("viirs-dnb-monthly", "GeoTIFFs of the Earth Observation Group"),
    ],
)
@pytest.mark.parametrize("provider", REMOTE)
def test_provider_without_the_product_then_it_says_who_else_has_it(
    name: str, elsewhere: str, provider: str, tables: dict[str, Product]
) -> None:
    error = refusal(name, provider, tables)
    assert error.found == f"{provider} does not keep {name}"
    assert error.fix.startswith(f"Providers that do: earthengine, sandbox. Elsewhere: {elsewhere}")


def test_serving_then_in_the_order_of_preference_and_in_the_product_s_quantity(
    tables: dict[str, Product],
) -> None:
    every = ("archive", "earth-search", "planetary-computer", "cdse", "earthengine", "sandbox")
    assert serving(tables["sentinel-2-l2a"]) == every
    assert serving(tables["sentinel-1-grd"]) == ("archive", "earthengine", "sandbox")
