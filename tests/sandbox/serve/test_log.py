import asyncio
import json
import threading

import pytest

from eodata.sandbox.serve.asgi import answer
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.log import Exchange, Logged, RequestLog, exchange_of
from eodata.sandbox.serve.server import SandboxServer
from tests.sandbox.serve.asking import ask, echo


@pytest.fixture
def server():
    with SandboxServer(echo) as server:
        yield server


def scope(path="/a", method="GET", **more):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"q=1",
        "headers": [(b"range", b"bytes=0-1")],
        "client": ("10.0.0.1", 5000),
        **more,
    }


def test_log_says_what_was_asked_and_answered(server):
    body = ask(server.url + "/one/two?limit=3&token=a%20b", Range="bytes=0-9")[2]
    (served,) = server.log.requests
    assert (served.number, served.method, served.path) == (1, "GET", "/one/two")
    assert (served.query, served.range) == ("limit=3&token=a%20b", "bytes=0-9")
    assert (served.status, served.bytes, served.fault) == (200, len(body), None)
    assert 0 < served.seconds < 5
    assert served.client.startswith("127.0.0.1:")
    assert served.time.endswith("Z")


def test_counts_are_exact_as_soon_as_an_answer_is_read(server):
    for number in range(1, 101):
        ask(server.url)
        assert server.log.counts()["status"] == {"200": number}
    assert [served.number for served in server.log.requests] == list(range(1, 101))


def test_counts_of_many_threads_are_exact(server):
    def many():
        for _ in range(20):
            ask(server.url + "/many")

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.log.select("/many", status=200)) == 160
    assert {served.number for served in server.log.requests} == set(range(1, 161))


def test_head_has_no_bytes(server):
    assert ask(server.url, "HEAD")[2] == b""
    assert server.log.requests[0].bytes == 0


def test_selection_and_sums(server):
    server.inject(Faults.load("503@2,429@3"))
    for path in ("/a", "/b", "/a", "/c/a"):
        ask(server.url + path)
    assert [served.path for served in server.log.select("/a")] == ["/a", "/a", "/c/a"]
    assert [served.number for served in server.log.select(fault="503")] == [2]
    counts = server.log.counts()
    assert counts["requests"] == 4
    assert counts["status"] == {"200": 2, "503": 1, "429": 1}
    assert counts["faults"] == {"503": 1, "429": 1}
    assert counts["bytes"] == sum(served.bytes for served in server.log.requests)


def test_log_over_http_is_the_log_and_can_be_cleared(server):
    ask(server.url + "/x")
    status, _, body = ask(server.url + "/_sandbox/log")
    shown = json.loads(body)
    assert (status, shown["counts"]) == (200, server.log.counts())
    assert shown["requests"][0]["path"] == "/x"
    assert ask(server.url + "/_sandbox/log", "DELETE")[0] == 200
    assert server.log.requests == []
    assert ask(server.url + "/_sandbox/log", "PUT")[0] == 405
    ask(server.url + "/y")
    assert [(served.number, served.path) for served in server.log.requests] == [(1, "/y")]


def test_request_under_way_is_in_the_log_without_status():
    log = RequestLog()
    exchange = log.open(scope())
    (served,) = log.requests
    assert (served.status, served.bytes, served.client) == (0, 0, "10.0.0.1:5000")
    exchange.note({"type": "http.response.start", "status": 206})
    exchange.note({"type": "http.response.body", "body": b"abc"})
    exchange.faults += ["latency", "truncate"]
    (served,) = log.requests
    assert (served.status, served.bytes, served.fault) == (206, 3, "latency+truncate")


def test_log_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr("eodata.sandbox.serve.log.KEPT", 10)
    log, asked = RequestLog(), scope()
    for _ in range(12):
        log.open(asked)
    assert [served.number for served in log.requests] == list(range(3, 13))


def test_log_does_not_keep_connections():
    log = RequestLog()
    exchange = log.open(scope(extensions={"transport": object()}))
    assert "extensions" not in Exchange.__slots__
    assert not any(isinstance(getattr(exchange, name), dict) for name in Exchange.__slots__)


def test_exchange_outside_of_a_log_is_one_and_the_same():
    asked = scope()
    exchange_of(asked).guarded_from = 7
    assert exchange_of(asked).guarded_from == 7
    log = RequestLog()
    assert log.open(asked) is exchange_of(asked)


def test_other_than_http_passes():
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["type"])

    asyncio.run(Logged(app, RequestLog())({"type": "lifespan"}, None, None))
    assert passed == ["lifespan"]


def test_not_modified_has_no_length():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(answer(send, 304))
    assert [name for name, _ in sent[0]["headers"]] == [b"content-type"]
