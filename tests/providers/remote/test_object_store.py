"""Files with s3:// addresses: which keys are sent where, and what refusals become."""

from __future__ import annotations

import traceback

import pytest

from eodata.core.endpoint import Endpoint, ObjectStoreRule
from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.providers.remote.object_store import ObjectStores
from eodata.providers.remote.transport import Address, Piece, Traffic, Transport
from tests.providers.remote.conftest import AT_ONCE
from tests.providers.remote.file_server import Answer, FileServer

KEYS = {"ACCESS": "AKIDSECRET", "SECRET": "SECRETSECRET"}
OF_AWS = {
    "AWS_ACCESS_KEY_ID": "AKIDAWS",
    "AWS_SECRET_ACCESS_KEY": "SECRETAWS",
    "AWS_SESSION_TOKEN": "SESSIONAWS",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*KEYS, *OF_AWS]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def endpoint_of(server: FileServer, **rule: object) -> Endpoint:
    server.files["/bucket/k/a.tif"] = b"0123456789" * 10
    settings = {"url": server.url, "region": "here", "access_key": "ACCESS", "secret_key": "SECRET"}
    return Endpoint(
        name="test",
        title="Test",
        url="http://127.0.0.1:1",
        patience=5,
        object_store=ObjectStoreRule.model_validate(settings | rule),
        note="export ACCESS and SECRET",
    )


def fetched(
    endpoint: Endpoint,
    url: str = "s3://bucket/k/a.tif",
    part: tuple[int, int] = (5, 15),
    pays: bool = False,
) -> Piece:
    transport = Transport(endpoint, policy=AT_ONCE)
    (piece,) = transport.fetch([(Address(url, "things", pays), part)], Traffic())
    return piece


def failure(endpoint: Endpoint, url: str = "s3://bucket/k/a.tif") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        fetched(endpoint, url)
    return caught.value


def test_range_then_its_bytes_and_the_size(file_server: FileServer, keys: None) -> None:
    assert fetched(endpoint_of(file_server)) == Piece(b"5678901234", 100)
    (seen,) = file_server.seen
    assert (seen.path, seen.headers["range"]) == ("/bucket/k/a.tif", "bytes=5-14")
    assert "Credential=AKIDSECRET/" in seen.headers["authorization"]
    assert "/here/s3/" in seen.headers["authorization"]
    assert "x-amz-request-payer" not in seen.headers


def test_range_over_the_end_then_what_there_is(file_server: FileServer, keys: None) -> None:
    assert fetched(endpoint_of(file_server), part=(95, 500)) == Piece(b"56789", 100)


def test_reader_pays_then_it_is_said(file_server: FileServer, keys: None) -> None:
    fetched(endpoint_of(file_server), pays=True)
    assert file_server.seen[0].headers["x-amz-request-payer"] == "requester"


def test_name_with_odd_characters_then_it_arrives(file_server: FileServer, keys: None) -> None:
    file_server.files["/bucket/a%20%25b%2Bc.tif"] = b"x" * 20
    assert fetched(endpoint_of(file_server), "s3://bucket/a %b+c.tif").size == 20


def test_name_that_no_store_has_then_for_good(file_server: FileServer, keys: None) -> None:
    error = failure(endpoint_of(file_server), "s3://bucket/a//b.tif")
    assert (error.retryable, len(file_server.seen)) == (False, 0)


def test_keys_of_aws_then_they_stay_there(
    file_server: FileServer, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in OF_AWS.items():
        monkeypatch.setenv(name, value)
    fetched(endpoint_of(file_server))
    shown = str(file_server.seen)
    assert "AKIDSECRET" in shown
    assert "AWS_" not in shown
    assert not [value for value in OF_AWS.values() if value in shown]


def test_temporary_keys_of_aws_then_their_third_part_goes_with_them(
    file_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in OF_AWS.items():
        monkeypatch.setenv(name, value)
    names = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    fetched(endpoint_of(file_server, **names))
    headers = file_server.seen[0].headers
    assert "Credential=AKIDAWS/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "SESSIONAWS"


def test_open_bucket_and_no_keys_then_asked_without(
    file_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCESS", "half of it")
    assert fetched(endpoint_of(file_server, anonymous=True)).size == 100
    assert "authorization" not in file_server.seen[0].headers


def test_open_bucket_and_keys_then_they_are_used(file_server: FileServer, keys: None) -> None:
    fetched(endpoint_of(file_server, anonymous=True))
    assert "authorization" in file_server.seen[0].headers


@pytest.mark.parametrize(
    ("anonymous", "pays", "needed"),
    [(False, False, True), (False, True, True), (True, False, False), (True, True, True)],
)
def test_no_keys_then_the_error_names_the_variable(
    anonymous: bool,
    pays: bool,
    needed: bool,
    file_server: FileServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCESS", "AKIDSECRET")
    stores = ObjectStores(endpoint_of(file_server, anonymous=anonymous))
    if not needed:
        stores.check_keys(pays)
        return
    with pytest.raises(AuthError) as caught:
        stores.check_keys(pays)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "the environment has no SECRET" in caught.value.found
    assert caught.value.fix == "Export ACCESS and SECRET."
    assert (caught.value.exit_code, "AKIDSECRET" in shown) == (4, False)
    assert not file_server.seen


def test_no_object_store_in_the_row_then_said(file_server: FileServer) -> None:
    endpoint = endpoint_of(file_server).model_copy(update={"object_store": None})
    assert "bucket" in failure(endpoint).found


@pytest.mark.parametrize(
    ("answer", "kind", "retryable"),
    [
        (Answer(status=403), AuthError, False),
        (Answer(status=401), AuthError, False),
        (Answer(status=404), ProviderError, False),
        (Answer(status=400), ProviderError, False),
        (Answer(status=301), ProviderError, False),
        (Answer(status=200), ProviderError, False),
        (Answer(status=429), QuotaError, True),
        (Answer(status=503), ProviderError, True),
        (Answer(sent=3), ProviderError, True),
        (Answer(reset=True), ProviderError, True),
        (Answer(headers={"Content-Range": "bytes 6-15/100"}), ProviderError, True),
        (Answer(headers={"Content-Range": "bytes 5-9/100"}, body=b"56789"), ProviderError, True),
    ],
)
def test_answer_then_its_error_after_so_many_requests(
    answer: Answer, kind: type, retryable: bool, file_server: FileServer, keys: None
) -> None:
    file_server.always = answer
    error = failure(endpoint_of(file_server))
    assert (type(error), error.retryable) == (kind, retryable)
    assert error.where == "s3://bucket/k/a.tif"
    assert len(file_server.seen) == (AT_ONCE.attempts if retryable else 1)


@pytest.mark.parametrize("status", [400, 403, 404, 503])
def test_server_repeats_the_keys_then_no_error_shows_them(
    status: int, file_server: FileServer, keys: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    told = b"<Error><AWSAccessKeyId>AKIDSECRET</AWSAccessKeyId>SECRETSECRET</Error>"
    file_server.always = Answer(status=status, body=told)
    error = failure(endpoint_of(file_server))
    shown = "".join(traceback.format_exception(error)) + repr(error) + caplog.text
    assert "AKIDSECRET" not in shown
    assert "SECRETSECRET" not in shown
