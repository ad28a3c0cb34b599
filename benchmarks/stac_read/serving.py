"""The servers: the sandbox's, with tiles of its own or with compressed files of this benchmark."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from benchmarks.stac_read import files, linux
from benchmarks.stac_read.job import BANDS
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.serve.api import create_app
from eodata.sandbox.serve.asgi import App
from eodata.sandbox.serve.assembly import Served
from eodata.sandbox.serve.assets import Assets
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.process import SandboxProcess

BANDWIDTH = 25e6
"""200 Mbit/s [bytes/s], all connections together."""
ROOM = 6 * 2**30
"""Bytes of tiles that the server keeps: more than any job needs."""
PLANE = SandboxSettings(mode="plane")
"""Its pixels are cheap, and stored tiles are as long and as quickly undone whatever they hold."""
SEARCH = "/v1/search?collections=sentinel-2-l2a&limit=16&bbox=3.6,50.8,3.7,50.9"
Tiles = Literal["stored", "deflate"]


@dataclass(frozen=True, slots=True)
class Line:
    """A running server and the process that it runs in."""

    server: SandboxProcess
    process: int

    def be(self, latency_ms: float) -> None:
        """Have a latency from now on and the bandwidth; forget what was asked."""
        latency = f"latency={latency_ms / 1000}," if latency_ms else ""
        self.server.inject(Faults.load(f"{latency}bandwidth={BANDWIDTH:.0f}"))
        self.server.log.clear()

    def be_open(self) -> None:
        """Have neither latency nor bandwidth."""
        self.server.inject(Faults())

    def cpu(self) -> float:
        """Return the CPU time of the server so far [s]."""
        return linux.cpu(self.process)

    def items(self) -> list[dict[str, Any]]:
        """Return what the server lists, with the bands of the job alone."""
        with urllib.request.urlopen(self.server.url + SEARCH) as answer:  # noqa: S310 (ours)
            found: list[dict[str, Any]] = json.load(answer)["features"]
        return [{**item, "assets": {b: item["assets"][b] for b in BANDS}} for item in found]


@contextmanager
def serving(tiles: Tiles, folder: Path) -> Iterator[Line]:
    """Run a server in a process of its own.

    Args:
        tiles: Of the sandbox's own files, or compressed ones.
        folder: Where compressed files are kept between runs.
    """
    if tiles == "deflate":
        files.make(folder)
    build = stored_app if tiles == "stored" else partial(deflate_app, folder)
    before = linux.children()
    with SandboxProcess(build) as server:
        (process,) = linux.children() - before
        yield Line(server, process)


def stored_app() -> App:
    """Return the sandbox's server as it is, with room for all tiles."""
    archive = SandboxArchive(PLANE)
    api = cast("App", create_app(archive, "earth-search"))
    return Served(archive, api, Assets(archive, edition=PLANE.world, room=ROOM), lambda _: None)


def deflate_app(folder: Path) -> App:
    """Return the sandbox's API over compressed files: each item has the same pixels."""
    served = stored_app()
    return files.FileApp(served, folder)
