"""A small HTTP server in a thread: files by ranges, and any misbehaviour that a test asks for."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server does with a request; without any of it, it serves the range.

    Attributes:
        status: Another status than the right one.
        headers: Instead of the right ones of the same name; None leaves one out.
        body: Another body than the right one.
        sent: So many bytes of the body are sent, then the connection ends.
        reset: The connection is reset before the answer.
        hang: No answer until the server stops.
    """

    status: int | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    sent: int | None = None
    reset: bool = False
    hang: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A request."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class FileServer:
    """Files by path, answers that are due, and what was asked.

    Attributes:
        files: Bytes by path, such as `/a.tif`.
        due: Answers to the next requests; then files are served again.
        always: Answer to every request, when none is due; or what makes one from the request.
        seen: Requests, in the order in which they came.
        peak: Most requests that were under way at once.
        tells_size: Ranges come with the size of the whole file.
        hold: Requests wait until so many of them are under way, once.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.due: deque[Answer] = deque()
        self.always: Answer | Callable[[Seen], Answer] | None = None
        self.seen: list[Seen] = []
        self.peak = 0
        self.hold = 0
        self.tells_size = True
        self.stopping = threading.Event()
        self._under_way = 0
        self._change = threading.Condition()
        self._http = _Server(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @contextmanager
    def running(self) -> Iterator[FileServer]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            with self._change:
                self._change.notify_all()
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def wait_for(self, number: int) -> None:
        """Wait until so many requests have come."""
        with self._change:
            assert self._change.wait_for(lambda: len(self.seen) >= number, 20)

    @contextmanager
    def counted(self, seen: Seen) -> Iterator[Answer]:
        with self._change:
            self.seen.append(seen)
            answer = self.due.popleft() if self.due else self._usual(seen)
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
            self._change.notify_all()
            self._change.wait_for(lambda: self.peak >= self.hold or self.stopping.is_set(), 20)
        try:
            yield answer
        finally:
            with self._change:
                self._under_way -= 1

    def _usual(self, seen: Seen) -> Answer:
        if self.always is None or isinstance(self.always, Answer):
            return self.always or Answer()
        return self.always(seen)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        return type("Handler", (_Handler,), {"owner": self})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Stay silent: clients that go away are what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in two packets would wait 40 ms for each other.
    disable_nagle_algorithm = True
    owner: FileServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {key.lower(): value for key, value in self.headers.items()}
        with self.owner.counted(Seen(path, query, headers, body)) as answer:
            self._answer(path, answer)

    do_POST = do_GET  # noqa: N815 (named by the standard library)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def _answer(self, path: str, answer: Answer) -> None:
        if answer.hang:
            self.close_connection = True
            self.owner.stopping.wait(30)
            return
        if answer.reset:
            self.close_connection = True
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            with suppress(OSError):
                self.connection.close()
            return
        status, headers, body = self._right(path)
        if answer.status is not None and answer.status != status:
            status, headers, body = answer.status, {}, b"no"
        body = body if answer.body is None else answer.body
        headers = {"Content-Length": str(len(body)), **headers, **answer.headers}
        self._send(status, headers, body if answer.sent is None else body[: answer.sent])
        self.close_connection = answer.sent is not None or self.close_connection

    def _right(self, path: str) -> tuple[int, dict[str, str | None], bytes]:
        data = self.owner.files.get(path)
        asked = RANGE.fullmatch(self.headers.get("Range", ""))
        if data is None:
            return 404, {}, b"no such file"
        if asked is None:
            return 200, {}, data
        start, stop = int(asked[1]), min(int(asked[2]) + 1, len(data))
        if start >= len(data):
            return 416, {"Content-Range": f"bytes */{len(data)}"}, b""
        told = f"bytes {start}-{stop - 1}/{len(data) if self.owner.tells_size else '*'}"
        # Object stores send these two, and obstore wants them.
        more = {"ETag": '"1"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        return 206, {"Content-Range": told, **more}, data[start:stop]

    def _send(self, status: int, headers: dict[str, str | None], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
