"""A whole server: the STAC API, its files, faults, log and truth on one port."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import cast

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.serve.api import create_app
from eodata.sandbox.serve.asgi import App, Receive, Scope, Send, answer, refuse
from eodata.sandbox.serve.assets import ROUTE, Assets
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.log import note_fault
from eodata.sandbox.serve.process import SandboxProcess
from eodata.sandbox.serve.server import LOOPBACK, SandboxServer, serve_forever
from eodata.sandbox.serve.signing import LIFETIME_S, Signer

TRUTH = "/_sandbox/truth/"
"""Followed by collection and item: which defects were planted. No archive has such a path."""
SIGNED = "planetary-computer"
"""The flavour whose files need a token."""


class Served:
    """The ASGI application of one archive: API, files and truth.

    Args:
        archive: What is served.
        api: The STAC API.
        assets: The files.
        meet: Is told the faults that are wanted, for those that the API puts on pages itself.
    """

    def __init__(
        self,
        archive: SandboxArchive,
        api: App,
        assets: Assets,
        meet: Callable[[Faults], None],
    ) -> None:
        self._archive, self._api, self._assets = archive, api, assets
        self.meet = meet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the server's lifespan."""
        path = scope.get("path", "")
        if scope["type"] == "http" and ROUTE.search(path):
            await self._assets(scope, receive, send)
        elif scope["type"] == "http" and path.startswith(TRUTH):
            await self._tell(path.removeprefix(TRUTH), send)
        else:
            await self._api(scope, receive, send)

    def close(self) -> None:
        """Let go of the threads that make pixels."""
        self._assets.close()

    async def _tell(self, name: str, send: Send) -> None:
        collection, _, item_id = name.partition("/")
        try:
            item = self._archive.collections[collection].get(item_id)
        except LookupError:
            await refuse(send, 404, "NotFound", f"there is no item {name}")
            return
        told = {"world": self._archive.settings.world, "defects": self._archive.defects(item)}
        await answer(send, 200, json.dumps(told).encode())


class ArchiveServer(SandboxProcess):
    """A server of one simulated archive in a process of its own; a context manager.

    ```python
    with ArchiveServer(SandboxSettings(), "earth-search", faults="429=0.1") as server:
        client = pystac_client.Client.open(server.api)
    ```

    Attributes:
        log: What was asked and answered.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        flavour: str = "sandbox",
        *,
        faults: Faults | str = "",
        host: str = LOOPBACK,
        port: int = 0,
        token_s: float = LIFETIME_S,
    ) -> None:
        """Take a world; nothing is started yet.

        Args:
            settings: Which world is served.
            flavour: Which real archive is imitated; see `serve.api.create_app`.
            faults: What shall go wrong, as `Faults.load` reads it.
            host: Address to bind. Other than loopback, others can reach the sandbox.
            port: To bind; 0 takes a free one.
            token_s: How long signed addresses hold [s], for the flavour that signs them.
        """
        self._prefix = prefix_of(flavour)
        build = partial(build_app, settings, flavour, token_s)
        super().__init__(build, faults=_faults(faults), host=host, port=port)

    @property
    def api(self) -> str:
        """Address of the STAC API, without a slash at the end."""
        return f"{self.url}{self._prefix}"


def build_app(settings: SandboxSettings, flavour: str, token_s: float = LIFETIME_S) -> Served:
    """Return the application of one world.

    Raises:
        RecipeError: There is no such flavour.
        EodataError: The web framework is not installed.
    """
    archive, signer = SandboxArchive(settings), Signer(lifetime=token_s)
    met: list[Faults] = []

    def page_fault(number: int, too_large: bool) -> str | None:
        fault = met[-1].page_fault(number, too_large) if met else None
        if fault is not None:
            note_fault(fault)
        return fault

    api = create_app(archive, flavour, page_fault=page_fault, signer=signer)
    admit = signer.admit if flavour == SIGNED else None
    assets = Assets(archive, edition=settings.world, admit=admit)
    return Served(archive, cast("App", api), assets, met.append)


def prefix_of(flavour: str) -> str:
    """Return the path of the API below the server's root.

    Raises:
        RecipeError: There is no such flavour.
    """
    from eodata.sandbox.serve import flavours

    return flavours.flavour(flavour).prefix


def serve(
    settings: SandboxSettings,
    *,
    flavour: str,
    faults: str,
    host: str,
    port: int,
    seconds: float | None,
    say: Callable[[str], None],
) -> None:
    """Serve one world for the command line, until Ctrl-C, SIGTERM or `seconds` have passed.

    Raises:
        RecipeError: There is no such flavour, or a fault is none.
        EodataError: The address cannot be bound, or the extra `sandbox` is not installed.
    """
    app = build_app(settings, flavour)
    told = partial(_announce, prefix=prefix_of(flavour), world=settings.world, say=say)
    try:
        serve_forever(app, host, port, faults=_faults(faults), ready=told, seconds=seconds)
    finally:
        app.close()


def _announce(server: SandboxServer, prefix: str, world: str, say: Callable[[str], None]) -> None:
    say(f"world {world}: {server.url}{prefix}")
    say(f"log {server.url}/_sandbox/log, truth {server.url}{TRUTH}COLLECTION/ITEM; Ctrl-C stops")


def _faults(faults: Faults | str) -> Faults:
    if isinstance(faults, Faults):
        return faults
    return Faults.load(faults) if faults else Faults()
