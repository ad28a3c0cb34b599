import os
import socket
import subprocess
import sys
import time
import urllib.error
from functools import partial
from pathlib import Path

import pytest

from eodata.core.errors import EodataError
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.process import SandboxProcess
from tests.sandbox.serve.asking import ask, echo


def echoing():
    print("applications may print")
    return echo


def saying(status):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    return app


def failing():
    raise OSError("no planet")


def is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_serves_logs_and_disturbs_as_one_in_a_thread():
    with SandboxProcess(echoing, faults=Faults.load("503@1,seed=3")) as server:
        assert [ask(server.url + "/a")[0] for _ in range(3)] == [503, 200, 200]
        assert server.faults == Faults.load("503@1,seed=3")
        assert server.log.counts()["faults"] == {"503": 1}
        assert [served.number for served in server.log.select("/a", status=200)] == [2, 3]
        server.log.clear()
        server.inject(Faults.load("500@2"))
        assert [ask(server.url + "/b")[0] for _ in range(3)] == [200, 500, 200]
        assert [served.path for served in server.log.requests] == ["/b"] * 3


def test_it_starts_in_time_and_stops_whatever_hangs():
    began = time.perf_counter()
    server = SandboxProcess(partial(saying, 418), faults=Faults.load("hang@2")).start()
    number = server._child.pid
    assert time.perf_counter() - began < 3
    assert ask(server.url)[0] == 418
    host, port = server.url[7:].split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.1)
        began = time.perf_counter()
        server.stop()
        assert time.perf_counter() - began < 3
    assert not is_alive(number)
    server.stop()


def test_failure_to_start_is_an_error(capfd):
    with pytest.raises(EodataError, match="did not start"):
        SandboxProcess(failing).start()
    assert "no planet" in capfd.readouterr().err


SCRIPT = """
from eodata.sandbox.serve.process import SandboxProcess
from tests.sandbox.serve.ramp import ramp_app
print(SandboxProcess(ramp_app).start().url, flush=True)
input()
"""


def test_it_ends_with_its_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = parent.stdout.readline().strip()
    assert ask(url)[0] == 404
    parent.kill()
    parent.communicate()
    limit = time.monotonic() + 5
    while is_served(url) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not is_served(url)


def is_served(url):
    try:
        return ask(url)[0] == 404
    except (urllib.error.URLError, ConnectionError):
        return False
