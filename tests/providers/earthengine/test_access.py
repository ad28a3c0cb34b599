"""Which credentials and which project a machine has; and that nothing secret is shown."""

from __future__ import annotations

import json

import ee
import pytest
from google.oauth2.credentials import Credentials

from eodata.core.earthengine import EarthEngineLocation
from eodata.core.errors import AuthError, RecipeError
from eodata.core.protocols import Query
from eodata.providers.earthengine import access
from eodata.providers.earthengine.access import find_access
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.earthengine.session import Session
from tests.providers.earthengine.fake import SOMEWHERE

SECRET = "shh-very-secret"  # noqa: S105 (made up)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A machine that has nothing at all."""
    for name in (
        "EARTHENGINE_PROJECT",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "CLOUDSDK_CONFIG",
        "APPDATA",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    # Wherever other tests are told to look for a login, here it is below the home folder.
    monkeypatch.setattr(access, "OWN_FILE", (".config", "earthengine", "credentials"))
    # Google's library would ask whether this is one of Google's machines.
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    return tmp_path


def write(path, **told):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))
    return path


def own_login(home, **more):
    folder = home / ".config" / "earthengine"
    return write(folder / "credentials", refresh_token=SECRET, **more)


def test_machine_without_anything_then_it_says_what_to_do():
    found = find_access()
    assert not found.is_complete
    assert str(found) == "no credentials, no project"
    assert "earthengine authenticate" in found.advice
    assert "EARTHENGINE_PROJECT" in found.advice


def test_login_then_it_counts_with_its_project(home):
    own_login(home, project="of-login")
    found = find_access()
    assert found.is_complete
    assert found.project == "of-login"
    assert str(found) == "an account (earthengine authenticate), project of-login (account)"
    assert found.advice == ""
    assert SECRET not in repr(found)


def test_service_account_then_its_file_counts_with_its_project(tmp_path, monkeypatch):
    key = write(tmp_path / "k.json", type="service_account", project_id="of-key", private_key="-")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    found = find_access()
    assert found.is_complete
    assert found.project == "of-key"
    assert "service account" in found.credentials
    assert str(tmp_path) not in str(found)


def test_gcloud_then_its_default_counts_with_its_quota_project(home):
    write(
        home / ".config/gcloud/application_default_credentials.json",
        type="authorized_user",
        quota_project_id="of-gcloud",
        refresh_token=SECRET,
    )
    assert find_access().project == "of-gcloud"
    assert find_access().credentials == "an account (gcloud)"


def test_project_then_recipe_goes_before_environment_before_credentials(home, monkeypatch):
    own_login(home, project="of-login")
    assert find_access().project == "of-login"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-cloud")
    assert find_access().project == "of-cloud"
    monkeypatch.setenv("EARTHENGINE_PROJECT", "of-env")
    assert (find_access().project, find_access().source) == ("of-env", "EARTHENGINE_PROJECT")
    assert find_access("of-recipe").project == "of-recipe"


def test_file_when_it_is_broken_then_there_are_no_credentials(home):
    own_login(home).write_text("{")
    assert find_access().credentials == ""


def test_session_without_credentials_then_logging_in_is_advised():
    with pytest.raises(AuthError) as caught:
        Session(EarthEngineLocation(project="mine-all-mine")).check()
    assert "earthengine authenticate" in caught.value.fix


def test_search_without_credentials_then_nobody_is_asked():
    provider = EarthEngineProvider(EarthEngineLocation(project="mine-all-mine"))
    with pytest.raises(AuthError):
        provider.search(Query("COPERNICUS/S2", SOMEWHERE, None))


def test_session_without_a_project_then_naming_one_is_advised(monkeypatch):
    account = Credentials(SECRET)
    monkeypatch.setattr(ee.data, "get_persistent_credentials", lambda: account)
    with pytest.raises(AuthError, match="no project is named") as caught:
        Session(EarthEngineLocation()).check()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://earthengine.googleapis.com",
        "https://googleapis.com.example.org",
        "https://example.org/.googleapis.com",
    ],
)
def test_credentials_then_they_go_to_google_alone(url, home, monkeypatch):
    own_login(home, project="of-login")
    location = EarthEngineLocation(url=url, project="of-login")
    monkeypatch.setattr(ee.data, "get_persistent_credentials", pytest.fail)
    with pytest.raises(AuthError, match="Google alone"):
        Session(location).check()
    assert EarthEngineLocation.at(url).anonymous


def test_address_of_google_then_it_gets_credentials():
    assert not EarthEngineLocation.at("https://earthengine.googleapis.com").anonymous


@pytest.mark.parametrize("url", ["ftp://a", "https://me:pw@a", "https://a?key=1", "a"])
def test_address_when_it_holds_more_than_an_address_then_it_is_refused(url):
    with pytest.raises(RecipeError, match="no plain") as caught:
        EarthEngineLocation.at(url)
    assert "pw" not in str(caught.value)


def test_location_then_processes_share_the_requests():
    location = EarthEngineLocation(in_flight=40)
    assert location.most == 40
    assert location.shared(4).most == 10
    assert location.shared(100).most == 1
