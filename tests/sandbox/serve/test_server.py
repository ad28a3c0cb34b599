import asyncio
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eodata.core.errors import EodataError
from eodata.sandbox.serve.asgi import TRANSPORT
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.server import SandboxServer
from tests.sandbox.serve.asking import ask, echo


def connect(server):
    return http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":")[-1]), timeout=20)


def is_open(server):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(server.url.rsplit(":")[-1]))) == 0


def test_starts_and_stops_quickly_and_leaves_nothing():
    before = threading.active_count()
    began = time.perf_counter()
    with SandboxServer(echo) as server:
        assert time.perf_counter() - began < 3
        assert server.url.startswith("http://127.0.0.1:")
        assert ask(server.url)[0] == 200
        assert is_open(server)
        began = time.perf_counter()
    assert time.perf_counter() - began < 2
    assert not is_open(server)
    assert threading.active_count() == before
    server.stop()


def test_answers_come_at_once_on_a_connection_that_is_used_again():
    with SandboxServer(echo) as server:
        client = connect(server)
        began = time.perf_counter()
        for _ in range(20):
            client.request("GET", "/")
            assert client.getresponse().read()
        assert time.perf_counter() - began < 0.4  # 0.8 s with the delay of Nagle's algorithm.
        client.close()


def test_wanted_port_is_taken_and_a_used_one_is_refused():
    with SandboxServer(echo) as first:
        port = int(first.url.rsplit(":")[-1])
        with pytest.raises(EodataError, match=f"127.0.0.1:{port}: it cannot be bound"):
            SandboxServer(echo, port=port).start()
    with SandboxServer(echo, port=port) as second:
        assert second.url == first.url
        assert ask(second.url)[0] == 200


def test_only_loopback_unless_told_otherwise(monkeypatch):
    bound = []
    monkeypatch.setattr("eodata.sandbox.serve.server._bind", lambda *a: bound.append(a) or 1 / 0)
    for more in ({}, {"host": "0.0.0.0"}):  # noqa: S104
        with pytest.raises(ZeroDivisionError):
            SandboxServer(echo, **more).start()
    assert bound == [("127.0.0.1", 0), ("0.0.0.0", 0)]  # noqa: S104


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")
def test_ipv6_loopback():
    with SandboxServer(echo, host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert ask(server.url)[0] == 200


@pytest.mark.parametrize("line", ["hang", "latency=60", "bandwidth=10"])
def test_stop_ends_what_waits(line, caplog):
    server = SandboxServer(echo, faults=Faults.load(line)).start()
    client = connect(server)
    client.request("GET", "/")
    time.sleep(0.1)
    began = time.perf_counter()
    server.stop()
    assert time.perf_counter() - began < 2
    assert not is_open(server)
    assert caplog.text == ""
    client.close()


def test_stop_cuts_off_a_client_that_does_not_read(caplog):
    async def endless(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not scope["extensions"][TRANSPORT].is_closing():
            await send({"type": "http.response.body", "body": bytes(10**6), "more_body": True})

    server = SandboxServer(endless).start()
    client = connect(server)
    client.request("GET", "/")
    time.sleep(0.1)
    began = time.perf_counter()
    server.stop()
    assert time.perf_counter() - began < 1.5
    assert caplog.text == ""
    client.close()


def test_stop_is_bounded_when_an_application_never_ends(caplog):
    async def stuck(scope, receive, send):
        assert scope["type"] == "http"
        await asyncio.Event().wait()

    server = SandboxServer(stuck).start()
    client = connect(server)
    client.request("GET", "/")
    time.sleep(0.1)
    began = time.perf_counter()
    server.stop()
    assert time.perf_counter() - began < 3
    assert not is_open(server)
    client.close()


def test_application_that_does_not_start_is_an_error(caplog):
    async def broken(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no disk"})

    with pytest.raises(EodataError, match="did not start"):
        SandboxServer(broken).start()


def test_lifespan_is_passed_on():
    told = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                told.append(message["type"])
                await send({"type": message["type"] + ".complete"})

    with SandboxServer(app):
        assert told == ["lifespan.startup"]
    assert told == ["lifespan.startup", "lifespan.shutdown"]


SCRIPT = """
from eodata.sandbox.serve.server import serve_forever
from tests.sandbox.serve.asking import echo
serve_forever(echo, ready=lambda server: print(server.url, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_line_server_ends_with_zero(number):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().strip()
    assert ask(url)[0] == 200
    process.send_signal(number)
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "stopped\n", "")
