"""What of a URL may be shown, and who gets a token."""

from __future__ import annotations

import pytest

from eodata.core.endpoint import Endpoint, TokenRule
from eodata.providers.remote.addresses import cleaned, needs_token, origin, without_secrets

ENDPOINT = Endpoint(
    name="test",
    title="Test",
    url="https://archive.org/api/stac/v1",
    token=TokenRule(path="/token/{collection}", hosts=("*.blob.core.windows.net",)),
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/a.tif?sig=abc#x", "https://h/a.tif"),
        ("https://me:pw@h:8080/a.tif", "https://h:8080/a.tif"),
        ("https://me:p@w@h/a", "https://h/a"),
        ("s3://bucket/a b.tif", "s3://bucket/a b.tif"),
        ("https://[::1", "(a malformed address)"),
        ("", ""),
    ],
)
def test_url_then_shown_without_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no answer from 'https://h/a?sig=abc', twice", "no answer from 'https://h/a', twice"),
        ("with url: /search?token=abc (Caused by x)", "with url: /search (Caused by x)"),
        ("HTTPS://me:pw@h/a and s3://b/k", "https://h/a and s3://b/k"),
        ("bad: http://[::1/a?sig=abc", "bad: (a malformed address)"),
        ("why? because 1 = 1", "why? because 1 = 1"),
    ],
)
def test_text_then_shown_without_secrets(text: str, shown: str) -> None:
    assert cleaned(text) == shown


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("https://archive.org/data/a.tif", True),
        ("https://ARCHIVE.org/data/a.tif", True),
        ("https://eu.blob.core.windows.net/c/a.tif", True),
        ("http://eu.blob.core.windows.net/c/a.tif", False),
        ("http://archive.org/a.tif", False),
        ("https://archive.org:444/a.tif", False),
        ("https://archive.org.evil.com/a.tif", False),
        ("https://archive.org@evil.com/a.tif", False),
        ("https://evil.com/.blob.core.windows.net", False),
        ("https://evil.com\\.blob.core.windows.net/", False),
        ("https://evil.com#.blob.core.windows.net", False),
        ("https://blob.core.windows.net.evil.com/a", False),
        ("s3://bucket/a.tif", False),
    ],
)
def test_host_then_only_the_archives_own_get_a_token(url: str, needed: bool) -> None:
    assert needs_token(ENDPOINT, url) is needed


def test_no_token_rule_then_nobody_gets_one() -> None:
    plain = ENDPOINT.model_copy(update={"token": None})
    assert not needs_token(plain, "https://archive.org/a.tif")


def test_origin_then_scheme_and_host() -> None:
    assert origin("https://archive.org:8/api/stac?x=1") == "https://archive.org:8"
