"""Where Earth Engine is found, and for whom."""

from __future__ import annotations

import json

import pytest

from eodata.build.locations import (
    EARTHENGINE,
    Wish,
    choose_providers,
    earthengine_locations,
    find_locations,
    share_location,
    stac_locations,
)
from eodata.build.reading import load_recipe
from eodata.core.earthengine import HIGH_VOLUME, EarthEngineLocation
from eodata.core.errors import AuthError, RecipeError
from eodata.providers.earthengine import access
from eodata.providers.registry import open_provider

RECIPE = """\
name: asking
title: One product
licence: CC0-1.0
area: {bbox: [3.0, 50.8, 3.1, 50.9], patch: 160}
time: {start: 2018-01-01, end: 2018-02-01}
PROJECT
modalities:
  s1: {product: sentinel-1-grd, gsd: 10MORE}
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A machine without an account."""
    for name in ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CLOUDSDK_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    # Wherever other tests are told to look for a login, here it is below the home folder.
    monkeypatch.setattr(access, "OWN_FILE", (".config", "earthengine", "credentials"))
    return tmp_path


@pytest.fixture
def account(home):
    path = home / ".config" / "earthengine" / "credentials"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"refresh_token": "secret", "project": "of-login"}))


@pytest.fixture
def recipe(tmp_path):
    def write(project: str = "", more: str = ""):
        path = tmp_path / "asking.yaml"
        told = f"earthengine: {{project: {project}}}" if project else ""
        path.write_text(RECIPE.replace("PROJECT", told).replace("MORE", more))
        return load_recipe(str(path))

    return write


def found(given: tuple[str, ...] = (), project: str = "") -> EarthEngineLocation:
    return EarthEngineLocation.model_validate_json(
        earthengine_locations(given, project)[EARTHENGINE]
    )


def test_machine_without_an_account_then_there_is_no_earth_engine():
    assert earthengine_locations(()) == {}


def test_project_alone_then_no_earth_engine_is_chosen_by_itself(monkeypatch):
    monkeypatch.setenv("EARTHENGINE_PROJECT", "of-env")
    assert earthengine_locations(()) == {}


@pytest.mark.usefixtures("account")
def test_account_then_its_project_is_asked_at_google():
    location = found()
    assert (location.project, location.url, location.anonymous) == ("of-login", HIGH_VOLUME, False)
    assert "secret" not in location.model_dump_json()


@pytest.mark.usefixtures("account")
def test_recipe_that_names_a_project_then_that_is_asked(recipe):
    locations = find_locations(recipe("of-recipe"), Wish("asking"))
    location = EarthEngineLocation.model_validate_json(locations[EARTHENGINE])
    assert location.project == "of-recipe"


def test_recipe_that_names_a_project_then_the_plan_does_not_hold_it(recipe):
    assert "of-recipe" not in json.dumps(recipe("of-recipe").recipe.to_json())


@pytest.mark.parametrize("project", ["Capital", "a b", "x", "-a-project"])
def test_recipe_whose_project_is_none_then_the_key_is_named(recipe, project):
    with pytest.raises(RecipeError, match=r"earthengine\.project"):
        recipe(project)


@pytest.mark.usefixtures("account")
def test_address_beside_google_s_then_it_is_asked_without_credentials():
    location = found(("earthengine=http://127.0.0.1:8080",))
    assert (location.url, location.anonymous) == ("http://127.0.0.1:8080", True)


def test_address_of_earth_engine_then_no_stac_archive_has_it():
    assert EARTHENGINE not in stac_locations(("earthengine=http://127.0.0.1:8080",))


@pytest.mark.usefixtures("account")
def test_radar_then_an_account_is_enough_and_nobody_must_name_the_provider(recipe):
    loaded = recipe()
    assert choose_providers(loaded, "", find_locations(loaded, Wish("asking"))) == {
        "s1": "earthengine"
    }


@pytest.mark.parametrize("override", ["", "earthengine"])
def test_radar_without_an_account_then_the_error_says_what_to_do(recipe, override):
    loaded = recipe()
    with pytest.raises(AuthError) as caught:
        choose_providers(loaded, override, find_locations(loaded, Wish("asking")))
    assert caught.value.exit_code == 4
    assert "earthengine authenticate" in caught.value.fix
    assert "EARTHENGINE_PROJECT" in caught.value.fix


def test_opening_without_a_location_then_it_is_a_question_of_the_account():
    with pytest.raises(AuthError, match="earthengine authenticate"):
        open_provider(EARTHENGINE, {})


@pytest.mark.usefixtures("account")
def test_several_processes_then_each_has_its_part():
    shared = share_location(EARTHENGINE, earthengine_locations(())[EARTHENGINE], 4)
    assert EarthEngineLocation.model_validate_json(shared).most == 10


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("endpoint", ["", "earthengine=http://127.0.0.1:8080"])
def test_server_that_shall_warp_then_earth_engine_may(recipe, endpoint):
    loaded = recipe(more=", warped_by: server")
    wish = Wish("asking", endpoints=(endpoint,) if endpoint else ())
    assert choose_providers(loaded, "", find_locations(loaded, wish)) == {"s1": "earthengine"}


@pytest.mark.usefixtures("account")
def test_server_that_shall_warp_then_others_are_refused(recipe):
    loaded = recipe(more=", warped_by: server")
    with pytest.raises(RecipeError, match="sandbox warps no pixels") as caught:
        choose_providers(loaded, "sandbox", find_locations(loaded, Wish("asking")))
    assert "or provider: earthengine" in caught.value.fix
