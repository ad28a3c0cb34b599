"""Fixtures for tests that want a world whose truth is known, without network.

```python
pytest_plugins = ["eodata.sandbox.pytest_plugin"]

def test_my_reader(sandbox_server):
    server = sandbox_server("earth-search", faults="429=0.2")
    items = pystac_client.Client.open(server.api).search(...)
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from eodata.core.sandbox_spec import SandboxSettings

if TYPE_CHECKING:
    from eodata.sandbox.archive import SandboxArchive
    from eodata.sandbox.earthengine.server import EarthEngineServer
    from eodata.sandbox.serve.assembly import ArchiveServer


@pytest.fixture(scope="session")
def sandbox_settings() -> SandboxSettings:
    """Which world; override it for another seed, for defects, or for the plane world."""
    return SandboxSettings()


@pytest.fixture(scope="session")
def sandbox_archive(sandbox_settings: SandboxSettings) -> SandboxArchive:
    """The archives of that world, in this process."""
    from eodata.sandbox.archive import SandboxArchive

    return SandboxArchive(sandbox_settings)


@pytest.fixture
def sandbox_server(sandbox_settings: SandboxSettings) -> Iterator[Callable[..., ArchiveServer]]:
    """Start servers of that world: `sandbox_server(flavour, faults=…)`; they stop with the test."""
    from eodata.sandbox.serve.needs import check_installed

    check_installed()
    from eodata.sandbox.serve.assembly import ArchiveServer

    with ExitStack() as stack:

        def start(flavour: str = "sandbox", faults: str = "") -> ArchiveServer:
            server = ArchiveServer(sandbox_settings, flavour, faults=faults)
            stack.enter_context(server)
            return server

        yield start


@pytest.fixture
def earthengine_server(
    sandbox_settings: SandboxSettings,
) -> Iterator[Callable[..., EarthEngineServer]]:
    """Start Earth Engines of that world: `earthengine_server(faults=…, quota=40)`.

    Point the client at one with `ee.Initialize(AnonymousCredentials(), project="any",
    url=server.url)`; they stop with the test.
    """
    from eodata.sandbox.serve.needs import check_installed

    check_installed()
    from eodata.sandbox.earthengine.server import EarthEngineServer

    with ExitStack() as stack:

        def start(faults: str = "", quota: int = 40) -> EarthEngineServer:
            server = EarthEngineServer(sandbox_settings, faults=faults, quota=quota)
            stack.enter_context(server)
            return server

        yield start
