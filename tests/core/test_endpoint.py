"""Rows of the table of endpoints."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from eodata.core.endpoint import Endpoint, StacLocation
from eodata.core.errors import RecipeError

ROW = {"name": "test", "title": "Test", "url": "https://archive.org/stac/v1"}
SECRET = ("https://me:PASSWORD@archive.org/v1", "https://archive.org/v1?key=PASSWORD")


def test_row_then_defaults_are_friendly() -> None:
    endpoint = Endpoint.parse(ROW, "endpoints/test.yaml")
    assert (endpoint.in_flight, endpoint.page, endpoint.patience) == (32, 250, 30)
    assert endpoint.token is None


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://archive.org/v1/", "https://archive.org/v1"),
        ("https://archive.org", "https://archive.org"),
        ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
    ],
)
def test_address_then_no_slash_at_its_end(url: str, stored: str) -> None:
    assert Endpoint.parse(ROW | {"url": url}, "test").url == stored
    assert Endpoint.parse(ROW, "test").at(url).url == stored


@pytest.mark.parametrize(
    "url",
    [*SECRET, "archive.org", "ftp://a.org", "https://", "https:///v1", "https://a.org/#x", ""],
)
def test_address_that_cannot_be_shown_then_refused(url: str) -> None:
    with pytest.raises(RecipeError, match="no plain http") as caught:
        Endpoint.parse(ROW | {"url": url}, "endpoints/test.yaml")
    assert caught.value.where == "endpoints/test.yaml: url"
    with pytest.raises(RecipeError):
        Endpoint.parse(ROW, "test").at(url)


@pytest.mark.parametrize("url", SECRET)
def test_password_then_no_message_shows_it(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Endpoint.model_validate(ROW | {"url": url})
    with pytest.raises(RecipeError) as refused:
        Endpoint.parse(ROW | {"url": url}, "test")
    shown = f"{caught.value} {caught.value!r} {refused.value} {refused.value!r}"
    assert "PASSWORD" not in shown


def test_other_address_then_all_else_stays() -> None:
    row = ROW | {"in_flight": 4, "token": {"path": "/t", "hosts": ["*.net"]}, "note": "free"}
    endpoint = Endpoint.parse(row, "test")
    there = endpoint.at("http://localhost:1")
    assert there.model_dump() == endpoint.model_dump() | {"url": "http://localhost:1"}


@pytest.mark.parametrize(
    "wrong", [{"in_flight": 0}, {"patience": 0}, {"page": 0}, {"name": "A b"}, {"tokens": {}}]
)
def test_row_that_says_nonsense_then_the_key_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError) as caught:
        Endpoint.parse(ROW | wrong, "endpoints/test.yaml")
    assert caught.value.where == f"endpoints/test.yaml: {next(iter(wrong))}"


def test_location_then_it_travels_as_json() -> None:
    location = StacLocation(endpoint=Endpoint.parse(ROW, "test"), share=0.25, like="earth-search")
    assert StacLocation.model_validate_json(location.model_dump_json()) == location
