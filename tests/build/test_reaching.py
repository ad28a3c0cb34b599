"""Endpoints on loopback that answer, refuse, or stay silent."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eodata.build.reaching import keys_of, reach_all, refuse_unreachable
from eodata.core.endpoint import Endpoint, ObjectStoreRule, StacLocation
from eodata.core.errors import ProviderError

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that gives one answer to everything; return its address."""
    with ExitStack() as stack:

        def serve(body: str, status: int = 200) -> str:
            class Answer(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(body.encode())

                do_HEAD = do_GET  # noqa: N815 (http.server's names)

                def log_message(self, *_: object) -> None:
                    """Stay quiet."""

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield serve


@pytest.fixture
def dribbling() -> Iterator[str]:
    """Return the address of a server whose answer never ends."""
    over = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not over.wait(0.05):
                self.wfile.write(b" ")

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        over.set()
        server.shutdown()


@pytest.fixture
def silent() -> Iterator[str]:
    """Return the address of a port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def dead() -> str:
    """Return the address of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def at(url: str, name: str = "some") -> Endpoint:
    return Endpoint(name=name, title="a STAC API", url=url)


def told(url: str) -> str:
    return str(reach_all([at(url)])["some"])


def collections(count: int, **more: object) -> str:
    return json.dumps({"collections": [{"id": str(n)} for n in range(count)], **more})


def test_collections_then_counted(serve):
    assert told(serve(collections(3))) == "reachable (3 collections)"
    assert told(serve(collections(2, numberMatched=40))) == "reachable (40 collections)"
    paged = collections(2, links=[{"rel": "self"}, {"rel": "next"}])
    assert told(serve(paged)) == "reachable (at least 2 collections)"


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"collections": 3}', "null"])
def test_other_answers_then_no_stac(body, serve):
    assert told(serve(body)) == "not reachable: what answers there is no STAC API"


def test_refusal_then_its_status(serve):
    assert told(serve("", 503)) == "not reachable: it answers 503 Service Unavailable"


def test_nobody_there_then_why(dead):
    assert told(dead) == "not reachable: connection refused"


def test_silence_beside_an_answer_then_only_the_silent_one_is_late(serve, silent, dead):
    endpoints = [at(silent, "silent"), at(serve(collections(1)), "quick"), at(dead, "dead")]
    found = reach_all(endpoints, patience=0.5)
    assert list(found) == ["silent", "quick", "dead"]
    assert str(found["silent"]) == "not reachable: no answer within 0.5 s"
    assert str(found["quick"]) == "reachable (1 collections)"
    assert found["dead"].collections is None


def test_extra_that_is_not_installed_then_what_to_install(serve, monkeypatch):
    monkeypatch.setitem(sys.modules, "requests", None)
    assert told(serve(collections(1))).endswith("pip install eodata[stac]")


def test_answer_that_never_ends_then_late_too(dribbling):
    found = reach_all([at(dribbling)], patience=0.5)
    assert str(found["some"]) == "not reachable: no answer within 0.5 s"


def test_search_when_nobody_is_there_then_refused_at_once(dead, serve):
    def refuse(url: str, provider: str = "earth-search") -> None:
        location = StacLocation(endpoint=at(url, provider)).model_dump_json()
        refuse_unreachable(provider, {provider: location})

    with pytest.raises(ProviderError, match="connection refused") as error:
        refuse(dead)
    assert error.value.exit_code == 3
    assert "doctor --online" in error.value.fix
    refuse(serve("", 503))  # it is there, and the search asks again by itself
    refuse_unreachable("sandbox", {"sandbox": "{}"})


def test_keys_then_names_and_whether_they_are_set(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "geheim")
    monkeypatch.delenv("SOME_SECRET", raising=False)
    rule = ObjectStoreRule(access_key="SOME_KEY", secret_key="SOME_SECRET")  # noqa: S106 (a name)
    plain = at("http://127.0.0.1:9")
    assert keys_of(plain) == {}
    found = keys_of(plain.model_copy(update={"object_store": rule}))
    assert found == {"SOME_KEY": True, "SOME_SECRET": False}
