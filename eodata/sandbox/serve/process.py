"""A server in a process of its own, with the face of one in a thread.

GDAL and other clients that hold Python's interpreter lock while they wait need it, see `server`.
It also leaves the other process's core to the client.
"""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from typing import Any, Self

from eodata.core.errors import EodataError
from eodata.sandbox.serve.asgi import App
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.injector import FAULTS_PATH
from eodata.sandbox.serve.log import LOG_PATH, Requests, Served
from eodata.sandbox.serve.server import LOOPBACK, STOP_S, SandboxServer, Server

START_S = 30.0
"""Longest wait for the process to answer requests [s]."""
ANSWER_S = 10.0
"""Longest wait for the log and the faults [s]."""
CHILD = "import eodata.sandbox.serve.process as it; it.serve_parent()"


class SandboxProcess(Server):
    """An application on a port of this machine, served by another process.

    It ends with this process, however this one ends.

    Attributes:
        log: What was asked and answered.
    """

    def __init__(
        self,
        build: Callable[[], App],
        *,
        faults: Faults | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Take the application; nothing is started yet.

        Args:
            build: Makes the application over there: a function of an importable module, or a
                `functools.partial` of one with arguments that can be pickled.
            faults: What shall go wrong; `inject` changes it later.
            host: Address to bind. Other than loopback, others can reach the sandbox.
            port: To bind; 0 takes a free one.
        """
        self._order = pickle.dumps((build, {"faults": faults, "host": host, "port": port}))
        self._child: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.log = RemoteLog(self)

    @property
    def faults(self) -> Faults:
        """Return the faults that requests meet now."""
        return Faults.parse(self.control("GET", FAULTS_PATH), "faults")

    def inject(self, faults: Faults) -> None:
        """Have other faults from now on; schedules count from the next request."""
        self.control("PUT", FAULTS_PATH, faults.model_dump_json().encode())

    def start(self) -> Self:
        """Start the process; return when requests are answered.

        Raises:
            EodataError: It did not start.
        """
        self._child = child = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        limit = threading.Timer(START_S, child.kill)
        limit.start()
        try:
            self.url = self._hand_over(child)
        finally:
            limit.cancel()
        if not self.url:
            self.stop()
            why = "its own message stands above."
            raise EodataError("sandbox", "the server's process did not start", why, "Correct it.")
        return self

    def stop(self) -> None:
        """Stop; what hangs is cut off. May be called more than once."""
        child, self._child = self._child, None
        if child is None or child.stdin is None or child.stdout is None:
            return
        child.stdin.close()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()

    def control(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Return what the sandbox says of itself, read as JSON."""
        request = urllib.request.Request(self.url + path, body, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310 (ours)
            return json.load(answer)

    def _hand_over(self, child: subprocess.Popen[bytes]) -> str:
        """Tell the process what to serve; return its address, `""` when it ended."""
        if child.stdin is None or child.stdout is None:
            return ""
        try:
            pickle.dump(sys.path, child.stdin)
            child.stdin.write(self._order)
            child.stdin.flush()
        except BrokenPipeError:
            return ""
        return child.stdout.readline().decode().strip()


class RemoteLog(Requests):
    """The log of a server in another process."""

    def __init__(self, server: SandboxProcess) -> None:
        self._server = server

    @property
    def requests(self) -> list[Served]:
        """Return the requests as they stand, oldest first."""
        return [Served(**facts) for facts in self._server.control("GET", LOG_PATH)["requests"]]

    def clear(self) -> None:
        """Forget all requests; numbers start again at 1."""
        self._server.control("DELETE", LOG_PATH)


def serve_parent() -> None:
    """Serve what the parent process orders on standard input, until that is closed."""
    # Ctrl-C reaches all processes of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order, reply = sys.stdin.buffer, sys.stdout
    sys.stdout = sys.stderr  # Nobody reads the pipe any more when an application prints.
    # The order comes from the process that started this one, through a pipe of its own.
    sys.path[:] = pickle.load(order)  # noqa: S301
    build, options = pickle.load(order)  # noqa: S301
    with SandboxServer(build(), **options) as server:
        reply.write(server.url + "\n")
        reply.flush()
        order.read()
