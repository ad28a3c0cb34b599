"""Tokens: when they are fetched, who sees them, what is done when one is refused."""

from __future__ import annotations

import asyncio
import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eodata.core.endpoint import Endpoint, TokenRule
from eodata.core.errors import AuthError, ProviderError
from eodata.providers.remote.tokens import Tokens
from eodata.providers.remote.transport import MOST_REFUSALS, Address, Traffic, Transport
from tests.providers.remote.conftest import AT_ONCE, Reading
from tests.providers.remote.file_server import Answer, FileServer

RULE = TokenRule(path="/token/{collection}", hosts=("*.example.net",))
pytest_plugins = ["eodata.sandbox.pytest_plugin"]

ENDPOINT = Endpoint(name="test", title="Test", url="https://archive.org/v1", token=RULE)
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
FILE = "https://archive.org/a.tif"


class Office:
    """Hands out numbered tokens that hold for an hour; its clock is the tokens' clock."""

    def __init__(self) -> None:
        self.now = NOON.timestamp()
        self.asked: list[str] = []
        self.answer: dict[str, Any] = {}

    async def ask(self, url: str) -> dict[str, Any]:
        self.asked.append(url)
        number = len(self.asked)
        await asyncio.sleep(0)
        until = datetime.fromtimestamp(self.now, UTC) + timedelta(hours=1)
        expiry = until.isoformat().replace("+00:00", "Z")
        return {"token": f"sig={number}", "msft:expiry": expiry} | self.answer

    def tokens(self) -> Tokens:
        return Tokens(ENDPOINT, RULE, self.ask, lambda: self.now)


def signed(tokens: Tokens, url: str = FILE, collection: str = "s2") -> str:
    return asyncio.run(tokens.sign(url, collection))


def test_many_files_then_one_token_per_collection() -> None:
    office = Office()
    tokens = office.tokens()

    async def many() -> list[str]:
        return await asyncio.gather(*(tokens.sign(FILE, c) for c in ["s2", "s1"] * 10))

    assert asyncio.run(many()) == [f"{FILE}?sig=1", f"{FILE}?sig=2"] * 10
    assert office.asked == ["https://archive.org/token/s2", "https://archive.org/token/s1"]


def test_address_with_a_query_then_the_token_is_added_to_it() -> None:
    assert signed(Office().tokens(), f"{FILE}?v=2") == f"{FILE}?v=2&sig=1"


def test_foreign_host_then_no_token_is_asked_for_or_sent() -> None:
    office = Office()
    assert signed(office.tokens(), "https://evil.org/a.tif") == "https://evil.org/a.tif"
    assert not office.asked


def test_name_of_a_collection_then_it_leads_nowhere_else() -> None:
    office = Office()
    signed(office.tokens(), collection="../admin?x=1")
    assert office.asked == ["https://archive.org/token/..%2Fadmin%3Fx%3D1"]


def test_token_about_to_expire_then_a_new_one() -> None:
    office = Office()
    tokens = office.tokens()
    assert signed(tokens) == f"{FILE}?sig=1"
    office.now += 3600 * 0.89
    assert signed(tokens) == f"{FILE}?sig=1"
    office.now += 3600 * 0.02
    assert signed(tokens) == f"{FILE}?sig=2"


def test_expiry_without_zone_then_it_is_utc() -> None:
    office = Office()
    office.answer = {"msft:expiry": (NOON + timedelta(hours=2)).replace(tzinfo=None).isoformat()}
    tokens = office.tokens()
    signed(tokens)
    office.now += 3600 * 1.7
    assert signed(tokens) == f"{FILE}?sig=1"


def test_refused_token_then_dropped_once() -> None:
    office = Office()
    tokens = office.tokens()
    first = signed(tokens)
    tokens.forget("s2", first)
    second = signed(tokens)
    tokens.forget("s2", first)
    assert [first, second, signed(tokens)] == [f"{FILE}?sig={n}" for n in (1, 2, 2)]


@pytest.mark.parametrize(
    "answer", [{"token": None, "msft:expiry": "soon"}, {"msft:expiry": 7}, {"msft:expiry": None}]
)
def test_answer_without_token_then_an_error_that_does_not_show_it(answer: dict[str, Any]) -> None:
    office = Office()
    office.answer = {"secret": "sig=1"} | answer
    with pytest.raises(ProviderError) as caught:
        signed(office.tokens())
    assert not caught.value.retryable
    assert "sig=1" not in "".join(traceback.format_exception(caught.value))


def of_server(endpoint: Endpoint) -> Reading:
    rule = TokenRule(path="/token/{collection}")
    return Reading(endpoint.model_copy(update={"token": rule}))


def hand_out(file_server: FileServer, word: str = "sig=SECRET") -> None:
    expiry = datetime.now(UTC) + timedelta(hours=1)
    told = {"token": word, "msft:expiry": expiry.isoformat()}
    file_server.files["/token/things"] = json.dumps(told).encode()


def paths_of(file_server: FileServer) -> list[tuple[str, str]]:
    return [(seen.path, seen.query) for seen in file_server.seen]


def test_file_then_token_first_and_only_once(endpoint: Endpoint, file_server: FileServer) -> None:
    hand_out(file_server)
    reading = of_server(endpoint)
    data = file_server.files["/a.bin"]
    assert reading.get((0, 9), (5, 50)) == [data[:9], data[5:50]]
    file, office = ("/a.bin", "sig=SECRET"), ("/token/things", "")
    assert paths_of(file_server) == [office, file, file]
    assert reading.traffic.requests == 2


def test_token_refused_then_a_new_one(endpoint: Endpoint, file_server: FileServer) -> None:
    hand_out(file_server)
    file_server.due += [Answer(), Answer(status=403)]
    reading = of_server(endpoint)
    assert reading.get((0, 9)) == [file_server.files["/a.bin"][:9]]
    file, office = ("/a.bin", "sig=SECRET"), ("/token/things", "")
    assert paths_of(file_server) == [office, file, office, file]
    assert (reading.traffic.requests, reading.traffic.retried) == (2, 1)


def test_every_token_refused_then_denied_for_good(
    endpoint: Endpoint, file_server: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hand_out(file_server)
    file_server.due += [Answer(), Answer(status=403)] * (MOST_REFUSALS + 1)
    with pytest.raises(AuthError) as caught:
        of_server(endpoint).get((0, 9))
    assert not caught.value.retryable
    assert len(file_server.seen) == 2 * (MOST_REFUSALS + 1)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert "SECRET" not in shown


def test_file_of_a_foreign_host_then_no_token(endpoint: Endpoint, file_server: FileServer) -> None:
    hand_out(file_server)
    rule = TokenRule(path="/token/{collection}")
    elsewhere = Endpoint(name="test", title="Test", url="http://localhost:1", token=rule)
    transport = Transport(elsewhere, policy=AT_ONCE)
    file_server.due.append(Answer(status=403))
    with pytest.raises(AuthError):
        transport.fetch([(Address(f"{file_server.url}/a.bin", "things"), (0, 9))], Traffic())
    assert paths_of(file_server) == [("/a.bin", "")]


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (Answer(status=503), AT_ONCE.attempts),
        (Answer(status=200, body=b"<html>"), AT_ONCE.attempts),
        (Answer(status=200, body=b"[1]"), 1),
        (Answer(status=200, body=b"{}"), 1),
        (Answer(status=404), 1),
        (Answer(status=403), 1),
    ],
)
def test_no_token_to_be_had_then_few_requests_and_none_for_the_file(
    answer: Answer, requests: int, endpoint: Endpoint, file_server: FileServer
) -> None:
    file_server.always = answer
    with pytest.raises(ProviderError) as caught:
        of_server(endpoint).get((0, 9))
    assert caught.value.retryable is (requests > 1)
    assert paths_of(file_server) == [("/token/things", "")] * requests


def test_signed_files_of_the_sandbox_then_read_again_after_each_expiry(sandbox_server: Any) -> None:
    from pystac_client import Client

    server = sandbox_server("planetary-computer", faults="expired@5")
    where = {"bbox": [11.0, 48.05, 11.02, 48.06], "datetime": "2018-06-01/2018-06-12"}
    found = Client.open(server.api).search(collections=["sentinel-2-l2a"], limit=5, **where)
    (url,) = {next(found.items()).assets["B04"].href}
    rule = TokenRule(path="/api/sas/v1/token/{collection}")
    endpoint = Endpoint(name="test", title="Test", url=server.api, token=rule)
    traffic = Traffic()
    wanted = [(Address(url, "sentinel-2-l2a"), (n * 100, n * 100 + 100)) for n in range(20)]
    pieces = Transport(endpoint).fetch(wanted, traffic)
    assert pieces[0].data[:2] in (b"II", b"MM")
    assert all(len(piece.data) == 100 for piece in pieces)
    assert traffic.retried > 0
