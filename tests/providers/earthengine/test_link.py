"""Requests over HTTP: what comes back, and what is raised when nothing does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from eodata.providers.earthengine.link import Link

LONG = 0.2
"""So long nobody waits in these tests [s]."""


@contextmanager
def answering(said: bytes | None) -> Iterator[str]:
    """Answer one connection with some bytes and close it; with None say nothing and stay."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                if said is None:
                    over.wait(10)
                else:
                    connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        finally:
            over.set()
            thread.join()


@pytest.fixture
def link() -> Iterator[Link]:
    found = Link(4, patience=LONG)
    yield found
    found.close()


def test_answer_then_status_headers_and_body_are_told(link):
    with answering(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno") as url:
        answer, body = link.request(url, "POST", b"{}", {"x": "y"})
    assert (answer.status, answer["retry-after"], body) == (429, "7", b"no")


def test_body_that_ends_early_then_it_is_a_broken_connection(link):
    with (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") as url,
        pytest.raises(ConnectionError),
    ):
        link.request(url)


def test_no_answer_in_time_then_it_is_a_time_out(link):
    with answering(None) as url, pytest.raises(TimeoutError):
        link.request(url)


def test_nobody_there_then_it_is_a_broken_connection(link):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionError):
        link.request(f"http://127.0.0.1:{port}/")
