"""A simulated Earth Engine on a port of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.earthengine.app import create_app
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.faults import Disturbances
from eodata.sandbox.earthengine.limits import QUOTA
from eodata.sandbox.serve.asgi import App
from eodata.sandbox.serve.process import SandboxProcess
from eodata.sandbox.serve.server import LOOPBACK, SandboxServer, serve_forever


class EarthEngineServer(SandboxProcess):
    """The Earth Engine of one simulated world in a process of its own; a context manager.

    ```python
    with EarthEngineServer(SandboxSettings(), faults="429=0.1") as server:
        ee.Initialize(AnonymousCredentials(), project="test-project", url=server.url)
    ```

    Attributes:
        log: What was asked and answered.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        faults: str = "",
        quota: int = QUOTA,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Take a world; nothing is started yet.

        Args:
            settings: Which world is served.
            faults: What shall go wrong, as `Disturbances.load` reads it.
            quota: Requests for pixels and values that are worked on at once; 429 beyond.
            host: Address to bind. Other than loopback, others can reach the sandbox.
            port: To bind; 0 takes a free one.

        Raises:
            RecipeError: A fault is none.
        """
        wanted = Disturbances.load(faults)
        build = partial(build_app, settings, wanted, quota)
        super().__init__(build, faults=wanted.connection, host=host, port=port)


def build_app(settings: SandboxSettings, wanted: Disturbances, quota: int = QUOTA) -> App:
    """Return the application of one world."""
    return create_app(SandboxCatalogue(settings), quota=quota, disturbances=wanted)


def serve(
    settings: SandboxSettings,
    *,
    faults: str,
    host: str,
    port: int,
    seconds: float | None,
    say: Callable[[str], None],
) -> None:
    """Serve one world for the command line, until Ctrl-C, SIGTERM or `seconds` have passed.

    Raises:
        RecipeError: A fault is none.
        EodataError: The address cannot be bound.
    """
    wanted = Disturbances.load(faults)

    def ready(server: SandboxServer) -> None:
        say(f"world {settings.world}: {server.url}")
        say(f'ee.Initialize(AnonymousCredentials(), project="any", url="{server.url}")')
        say(f"log {server.url}/_sandbox/log; Ctrl-C stops")

    app = build_app(settings, wanted)
    serve_forever(app, host, port, faults=wanted.connection, ready=ready, seconds=seconds)
