from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from eodata.sandbox.serve.api import create_app
from eodata.sandbox.serve.signing import Signer
from tests.sandbox.serve.api_server import serving
from tests.sandbox.serve.fake_archive import fake_archive

URL = "http://127.0.0.1:9/some/where/assets/sentinel-2-l2a/S2A_X/B04.tif"


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_signature_holds_until_it_expires():
    clock = Clock()
    signer = Signer(lifetime=600, clock=clock)
    url, token = signer.sign(URL)
    assert token.expiry == datetime.fromtimestamp(clock.now + 600, UTC)
    assert signer.check(url) == "ok" and signer.admit(*urlsplit(url)[2:4]) is None
    clock.now += 599
    assert signer.check(url) == "ok"
    clock.now += 1
    assert signer.check(url) == "expired"
    assert "expired" in (signer.admit(*urlsplit(url)[2:4]) or "")


def test_a_url_without_signature_or_with_that_of_another_collection_is_refused():
    signer = Signer()
    assert signer.check(URL) == "missing" and signer.check(f"{URL}?st=1&se=2&sig=3") == "missing"
    other = signer.token("sentinel-1-rtc").query
    assert signer.check(f"{URL}?{other}") == "missing"
    assert signer.check(f"http://127.0.0.1/collections?{other}") == "missing"
    assert "not signed" in (signer.admit(urlsplit(URL).path, "") or "")


@given(st.data())
def test_no_part_of_a_token_can_be_changed(data):
    clock = Clock()
    signer = Signer(clock=clock)
    words = {k: v[0] for k, v in parse_qs(signer.token("sentinel-2-l2a").query).items()}
    key = data.draw(st.sampled_from(["st", "se", "sig"]))
    words[key] = data.draw(
        st.text(alphabet="0123456789-:TZabc=+/").filter(lambda t: t != words[key])
    )
    query = requests.models.RequestEncodingMixin._encode_params(words)
    assert signer.check(f"{URL}?{query}") == "missing"


def test_servers_with_another_key_do_not_accept_it():
    url, _ = Signer(b"one").sign(URL)
    assert Signer(b"one").check(url) == "ok" and Signer(b"two").check(url) == "missing"


def test_signing_replaces_an_old_signature_and_refuses_other_urls():
    clock = Clock()
    signer = Signer(lifetime=10, clock=clock)
    url, _ = signer.sign(URL)
    clock.now += 11
    again, _ = signer.sign(url)
    assert again.count("sig=") == 1 and signer.check(again) == "ok"
    with pytest.raises(LookupError, match="no path of an asset"):
        signer.sign("http://127.0.0.1/collections/sentinel-2-l2a")


def test_the_endpoints_hand_out_what_the_signer_accepts():
    clock = Clock()
    signer = Signer(lifetime=60, clock=clock)
    with serving(create_app(fake_archive(), "planetary-computer", signer=signer)) as url:
        sas = f"{url}/api/sas/v1"
        item = requests.get(f"{url}/api/stac/v1/search", timeout=10).json()["features"][0]
        href = item["assets"]["B04"]["href"]
        token = requests.get(f"{sas}/token/{item['collection']}", timeout=10).json()
        signed = requests.get(f"{sas}/sign", params={"href": href}, timeout=10).json()
        assert token["msft:expiry"] == signed["msft:expiry"] == "2023-11-14T22:14:20Z"
        assert signer.check(href) == "missing"
        assert signer.check(f"{href}?{token['token']}") == signer.check(signed["href"]) == "ok"
        clock.now += 61
        assert signer.check(signed["href"]) == "expired"
        unknown = requests.get(f"{sas}/token/no-such", timeout=10)
        assert unknown.status_code == 404 and "no-such" in unknown.json()["description"]
        assert requests.get(f"{sas}/sign", params={"href": url}, timeout=10).status_code == 400
        assert requests.get(f"{sas}/sign", timeout=10).status_code == 400


def test_only_planetary_computer_hands_out_tokens():
    with serving(create_app(fake_archive(), "earth-search")) as url:
        sas = f"{url}/api/sas/v1/token/sentinel-2-l2a"
        assert requests.get(sas, timeout=10).status_code == 404
