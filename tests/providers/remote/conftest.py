"""What tests of remote files share: a small server, and an endpoint whose files lie there."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from eodata.core.endpoint import Endpoint
from eodata.core.retry import RetryPolicy
from eodata.providers.remote.transport import Address, Traffic, Transport
from tests.providers.remote.file_server import FileServer

AT_ONCE = RetryPolicy(attempts=4, first_delay=0.0, longest_delay=60.0)
"""Four attempts, without waiting."""


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    server = FileServer()
    server.files["/a.bin"] = random.Random(1).randbytes(100_000)
    with server.running():
        yield server


@pytest.fixture
def endpoint(file_server: FileServer) -> Endpoint:
    return Endpoint(name="test", title="Test", url=file_server.url, patience=5)


class Reading:
    """Reads ranges of the file `/a.bin`."""

    def __init__(self, endpoint: Endpoint, policy: RetryPolicy = AT_ONCE) -> None:
        self.transport = Transport(endpoint, policy=policy)
        self.traffic = Traffic()
        self.url = f"{endpoint.url}/a.bin"

    def get(self, *ranges: tuple[int, int]) -> list[bytes]:
        wanted = [(Address(self.url, "things"), part) for part in ranges]
        return [piece.data for piece in self.transport.fetch(wanted, self.traffic)]


@pytest.fixture
def reading(endpoint: Endpoint) -> Reading:
    return Reading(endpoint)
