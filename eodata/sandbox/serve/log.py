"""What was asked of the server and what it answered, so that tests can count."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from eodata.core.span import format_utc
from eodata.sandbox.serve.asgi import (
    CONTROL,
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    header,
    refuse,
)

KEPT = 100_000
"""Requests that are kept; the oldest go first."""
LOG_PATH = CONTROL + "log"
_KEY = "eodata.exchange"


@dataclass(frozen=True, slots=True)
class Served:
    """One request and its answer, so far as it was given.

    Attributes:
        number: Of the request, from 1 on.
        time: When it came, ISO 8601 (UTC).
        method: GET, HEAD, POST, …
        path: Without query.
        query: As sent, `""` without one.
        range: The Range header, `""` without one.
        client: Address and port of who asked.
        status: Of the answer; 0 when there was none.
        bytes: Length of the body that was handed to the connection.
        seconds: From request to the last byte [s].
        fault: What was injected, or None; several are joined by `+`.
    """

    number: int
    time: str
    method: str
    path: str
    query: str
    range: str
    client: str
    status: int = 0
    bytes: int = 0
    seconds: float = 0.0
    fault: str | None = None


@dataclass(slots=True)
class Exchange:
    """One request under way: what the layers of the server tell each other about it.

    Attributes:
        asked: The request, as it is logged.
        started: Clock of the process [s].
        status: Of the answer, 0 before there is one.
        n_bytes: Of the body so far.
        seconds: From request to the latest byte [s].
        faults: What was injected so far.
        guarded_from: First byte of the body from which on a wrong byte can be noticed.
    """

    asked: Served
    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    n_bytes: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    guarded_from: int = 0

    def note(self, message: Message) -> None:
        """Take account of a message of the answer."""
        self.seconds = time.perf_counter() - self.started
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body" and self.asked.method != "HEAD":
            self.n_bytes += len(message.get("body", b""))

    def served(self) -> Served:
        """Return it as it stands."""
        return replace(
            self.asked,
            status=self.status,
            bytes=self.n_bytes,
            seconds=round(self.seconds, 6),
            fault="+".join(self.faults) or None,
        )


_UNDER_WAY: ContextVar[Exchange | None] = ContextVar("eodata.exchange", default=None)


def note_fault(fault: str) -> None:
    """Note a fault that the application itself committed, on the request that it works for."""
    exchange = _UNDER_WAY.get()
    if exchange is not None:
        exchange.faults.append(fault)


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that a request belongs to; outside a log, one that nobody reads."""
    exchange: Exchange = scope.setdefault(_KEY, Exchange(_asked(0, scope)))
    return exchange


def _asked(number: int, scope: Scope) -> Served:
    return Served(
        number=number,
        time=format_utc(datetime.now(UTC)),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        range=header(scope, "range"),
        client=":".join(str(part) for part in scope.get("client") or ("unknown",)),
    )


class Requests:
    """A log to read, wherever it is kept."""

    @property
    def requests(self) -> list[Served]:
        """Return the requests as they stand, oldest first."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget all requests; numbers start again at 1."""
        raise NotImplementedError

    def select(self, part: str = "", **facts: object) -> list[Served]:
        """Return the requests whose path contains `part` and whose fields equal the facts."""
        return [
            served
            for served in self.requests
            if part in served.path
            and all(getattr(served, name) == value for name, value in facts.items())
        ]

    def counts(self) -> dict[str, Any]:
        """Return sums: requests, bytes, requests by status and by fault."""
        requests = self.requests
        return {
            "requests": len(requests),
            "bytes": sum(served.bytes for served in requests),
            "status": dict(Counter(str(served.status) for served in requests)),
            "faults": dict(Counter(served.fault for served in requests if served.fault)),
        }


class RequestLog(Requests):
    """The requests of one server of this process. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._n_asked = 0

    def open(self, scope: Scope) -> Exchange:
        """Enter a request; it counts from now on."""
        with self._lock:
            self._n_asked += 1
            exchange = Exchange(_asked(self._n_asked, scope))
            self._exchanges.append(exchange)
        scope[_KEY] = exchange
        return exchange

    def clear(self) -> None:
        """Forget all requests; numbers start again at 1."""
        with self._lock:
            self._exchanges.clear()
            self._n_asked = 0

    @property
    def requests(self) -> list[Served]:
        """Return the requests as they stand, oldest first."""
        with self._lock:
            exchanges = list(self._exchanges)
        return [exchange.served() for exchange in exchanges]


class Logged:
    """ASGI middleware that keeps a log, and shows it under `/_sandbox/log`."""

    def __init__(self, app: App, log: RequestLog) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note what becomes of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == LOG_PATH:
            await self._show(scope, send)
        elif scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
        else:
            exchange = self.log.open(scope)
            _UNDER_WAY.set(exchange)

            async def noted(message: Message) -> None:
                # Noted first: whoever has read the answer finds it in the log.
                exchange.note(message)
                await send(message)

            await self.app(scope, receive, noted)

    async def _show(self, scope: Scope, send: Send) -> None:
        if scope["method"] == "GET":
            shown = [asdict(served) for served in self.log.requests]
            body = {"counts": self.log.counts(), "requests": shown}
            await answer(send, 200, json.dumps(body).encode())
        elif scope["method"] == "DELETE":
            self.log.clear()
            await answer(send, 200, b"{}")
        else:
            allowed = {"allow": "GET, DELETE"}
            await refuse(send, 405, "MethodNotAllowed", "read it or clear it", allowed)
