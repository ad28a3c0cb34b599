"""A server in a thread of this process, and one for the command line.

Clients that are Python through and through may share the process with their server. GDAL may not:
rasterio holds the interpreter's lock during some calls that read (`read` asks for the flags of the
mask), and the server's thread then waits for the lock while GDAL waits for the server, for ever.
Such clients take a `SandboxProcess`.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from eodata.core.errors import EodataError
from eodata.sandbox.serve.asgi import TRANSPORT, App, Receive, Scope, Send
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.injector import FaultInjector
from eodata.sandbox.serve.log import Logged, RequestLog

LOOPBACK = "127.0.0.1"
START_S = 10.0
"""Longest wait for a server to start [s]."""
GRACE_S = 0.5
"""What an answer under way may still take when the server stops [s]."""
STOP_S = 3.0
"""Longest wait for a server to stop [s]."""
KEEP_ALIVE_S = 60
"""An idle connection stays open this long [s]."""


class Server(ABC):
    """Runs between `start` and `stop`; a context manager."""

    @abstractmethod
    def start(self) -> Self:
        """Serve; return when requests are answered."""

    @abstractmethod
    def stop(self) -> None:
        """Stop; may be called more than once."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class SandboxServer(Server):
    """An application on a port of this machine, with faults and a log.

    Use it as a context manager, or call `start` and `stop`; it starts once.

    Attributes:
        log: What was asked and answered.
    """

    def __init__(
        self,
        app: App,
        *,
        faults: Faults | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Take the application; nothing is bound yet.

        Args:
            app: ASGI application, with or without lifespan.
            faults: What shall go wrong; `inject` changes it later.
            host: Address to bind. Other than loopback, others can reach the sandbox.
            port: To bind; 0 takes a free one.
        """
        self.log = RequestLog()
        self._host, self._port = host, port
        self._injector = FaultInjector(app, faults)
        self._server = _Server(Logged(self._injector, self.log), self._injector.stop)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def faults(self) -> Faults:
        """Return the faults that requests meet now."""
        return self._injector.faults

    def inject(self, faults: Faults) -> None:
        """Have other faults from now on; schedules count from the next request."""
        self._injector.inject(faults)

    def start(self) -> Self:
        """Bind the port and serve; return when requests are answered.

        Raises:
            EodataError: The address cannot be bound, or the application does not start.
        """
        bound = _bind(self._host, self._port)
        self._port = bound.getsockname()[1]
        self._thread = threading.Thread(
            target=self._run, args=(bound,), name="sandbox-server", daemon=True
        )
        self._thread.start()
        limit = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > limit:
                bound.close()
                self.stop()
                why = "the application failed while it started; its own message stands above."
                raise EodataError(self.url, "the server did not start", why, "Correct it.")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop; what hangs is cut off. May be called more than once."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _run(self, bound: socket.socket) -> None:
        # Uvicorn has logged why it exits; `start` notices that the thread is gone.
        with suppress(SystemExit):
            self._server.run([bound])


def serve_forever(
    app: App,
    host: str = LOOPBACK,
    port: int = 0,
    *,
    faults: Faults | None = None,
    ready: Callable[[SandboxServer], None] | None = None,
    seconds: float | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop and return. For the main thread.

    Args:
        app: ASGI application.
        host: Address to bind.
        port: To bind; 0 takes a free one.
        faults: What shall go wrong.
        ready: Is called when requests are answered, for example to print the address.
        seconds: Stop after this time at the latest.
    """
    told = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: told.set()) for number in wanted}
    try:
        with SandboxServer(app, faults=faults, host=host, port=port) as server:
            if ready is not None:
                ready(server)
            told.wait(seconds)
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


class _Connection(H11Protocol):
    """Uvicorn's protocol, which leaves its transport where faults of the connection find it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = cast("App", self.app)

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = cast("Any", with_transport)


class _Server(uvicorn.Server):
    """Uvicorn's server, which ends within bounds whatever its clients do."""

    def __init__(self, app: App, stopping: Callable[[], None]) -> None:
        config = uvicorn.Config(
            cast("Any", app),
            http=_Connection,
            ws="none",
            loop="asyncio",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop waiting at once, cut what is still under way after a while."""
        self._stopping()
        asyncio.get_running_loop().call_later(GRACE_S, self._cut)
        await super().shutdown(sockets)

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport is not None:
                transport.abort()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small packets at once (TCP_NODELAY) only where the protocol is named; without
    # it, each answer on a connection that is used again comes 40 ms late.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        where = f"{host}:{port}"
        raise EodataError(where, "it cannot be bound", f"{error}.", "Take another port.") from error
    return bound
