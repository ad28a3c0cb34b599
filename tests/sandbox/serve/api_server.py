"""Runs an application on the loopback interface, for clients that speak HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eodata.sandbox.serve.server import SandboxServer


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Yield the address of a server in a thread, without a trailing slash."""
    with SandboxServer(app) as server:
        yield server.url
