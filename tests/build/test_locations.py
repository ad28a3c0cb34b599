"""Which provider serves whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eodata.build.locations import (
    Wish,
    choose_providers,
    find_locations,
    most_processes,
    share_location,
)
from eodata.build.reading import load_recipe
from eodata.core.endpoint import StacLocation
from eodata.core.errors import AuthError, RecipeError
from eodata.providers.registry import REGISTRY

RECIPE = """\
name: asking
title: One product
licence: CC0-1.0
area: {bbox: [3.0, 50.8, 3.1, 50.9], patch: 160}
time: {start: 2018-01-01, end: 2018-02-01}
SANDBOX
modalities:
  MODALITY
"""
S2 = "s2: {product: sentinel-2-l2a, bands: [B04], gsd: 10PROVIDER}"


@pytest.fixture
def recipe(tmp_path):
    def write(sandbox: str = "", provider: str = "", modality: str = S2):
        path = tmp_path / "asking.yaml"
        provider = f", provider: {provider}" if provider else ""
        text = RECIPE.replace("SANDBOX", sandbox).replace("MODALITY", modality)
        path.write_text(text.replace("PROVIDER", provider))
        return load_recipe(str(path))

    return write


def chosen(loaded, wish):
    return choose_providers(loaded, wish.provider, find_locations(loaded, wish))


def test_the_sandbox_never_serves_unasked(recipe):
    assert chosen(recipe("sandbox: {seed: 3}"), Wish("asking")) == {"s2": "earth-search"}


def test_what_only_the_sandbox_has_must_be_asked_for(recipe):
    with pytest.raises(AuthError) as error:
        chosen(
            recipe(
                "sandbox: {seed: 3}",
                modality="igbp: {product: modis-mcd12q1, bands: [LC_Type1], gsd: 160}",
            ),
            Wish("asking"),
        )
    assert "--provider sandbox" in error.value.fix


def test_the_sandbox_serves_when_the_command_line_asks(recipe):
    assert chosen(recipe(), Wish("asking", provider="sandbox")) == {"s2": "sandbox"}


def test_the_sandbox_serves_when_the_modality_asks(recipe):
    assert chosen(recipe(provider="sandbox"), Wish("asking")) == {"s2": "sandbox"}


def test_an_archive_on_the_command_line_does_not_replace_the_sandbox(recipe, tmp_path):
    wish = Wish("asking", archive=str(tmp_path))
    assert chosen(recipe(provider="sandbox"), wish) == {"s2": "sandbox"}
    assert chosen(recipe(), wish) == {"s2": "archive"}


def test_a_provider_that_does_not_keep_the_product_is_refused(recipe):
    with pytest.raises(RecipeError) as error:
        chosen(recipe(), Wish("asking", provider="sandbx"))
    assert "sandbox" in str(error.value)


def test_the_world_of_the_command_line_comes_before_that_of_the_recipe(recipe):
    loaded = recipe("sandbox: {seed: 3}")
    assert '"seed":3' in find_locations(loaded, Wish("asking"))["sandbox"]
    assert '"seed":9' in find_locations(loaded, Wish("asking", sandbox="seed=9"))["sandbox"]


def test_like_of_no_endpoint_then_the_nearest_is_named(recipe):
    stac = "stac: {url: 'http://127.0.0.1:1/v1', like: planetary-compter}"
    with pytest.raises(RecipeError) as error:
        find_locations(recipe(stac), Wish("asking"))
    assert error.value.where == "stac.like"
    assert "planetary-computer" in error.value.fix


@pytest.mark.parametrize("like", ["", ", like: earth-search"])
def test_password_in_the_address_of_a_recipe_then_refused_and_not_shown(recipe, like):
    stac = f"stac: {{url: 'http://me:SECRET@127.0.0.1:1/v1'{like}}}"
    with pytest.raises(RecipeError) as error:
        find_locations(recipe(stac), Wish("asking"))
    assert "no user, password" in str(error.value)
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "earth-search=ftp://me:SECRET@host/v1",
        "earth-search=me:SECRET@host/v1",
        "https://host/v1?key=SECRET",
        "http://me:SECRET@host/v1",
    ],
)
def test_endpoint_that_is_none_then_refused_and_no_secret_shown(recipe, text):
    with pytest.raises(RecipeError) as error:
        find_locations(recipe(), Wish("asking", endpoints=(text,)))
    assert error.value.where == "--endpoint"
    assert "SECRET" not in str(error.value)


def test_provider_that_is_named_without_its_packages_then_they_are_named(recipe, monkeypatch):
    lacking = replace(REGISTRY["earth-search"], packages=("no_such_package",))
    monkeypatch.setitem(REGISTRY, "earth-search", lacking)
    with pytest.raises(AuthError) as error:
        chosen(recipe(), Wish("asking", provider="earth-search"))
    assert "no_such_package" in error.value.fix
    assert "earth-search needs no account" not in error.value.fix


def test_no_more_processes_read_than_an_archive_takes_requests(recipe):
    locations = find_locations(recipe(), Wish("asking"))
    assert most_processes({"cdse": locations["cdse"]}) == 4
    assert most_processes({name: locations[name] for name in ("cdse", "earth-search")}) == 4
    assert most_processes({"sandbox": locations["sandbox"]}) is None
    shared = StacLocation.model_validate_json(share_location("cdse", locations["cdse"], 4))
    assert int(shared.endpoint.in_flight * shared.share) == 1


TWO = "{s2: {product: sentinel-2-l2a, bands: [B04], gsd: 10}, s1: {product: sentinel-1-rtc}}"


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.yaml"
    text = RECIPE.replace("SANDBOX", "").partition("modalities:")[0]
    path.write_text(f"{text}modalities: {TWO}\n")
    return load_recipe(str(path))


def test_providers_of_some_modalities_then_the_others_keep_theirs(two):
    found = chosen(two, Wish("two", provider="s2=planetary-computer"))
    assert found == {"s2": "planetary-computer", "s1": "planetary-computer"}
    assert chosen(two, Wish("two", provider="s2=cdse,s1=sandbox")) == {
        "s2": "cdse",
        "s1": "sandbox",
    }


def test_provider_for_all_then_one_modality_may_differ(two):
    found = chosen(two, Wish("two", provider="sandbox,s2=earth-search"))
    assert found == {"s2": "earth-search", "s1": "sandbox"}


def test_provider_of_a_modality_that_is_none_then_the_nearest_is_named(two):
    with pytest.raises(RecipeError, match='no modality "s3"') as error:
        chosen(two, Wish("two", provider="s3=sandbox"))
    assert '"s2"' in str(error.value) or '"s1"' in str(error.value)
