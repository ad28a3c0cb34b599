"""What asking Earth Engine costs when its quota is smaller than we hope, and its answers fail.

Usage: python -m benchmarks.earthengine [--quota 20] [--latency 0.5] [--blocks 64] [--items 15]
       [--faults compute:429-bare=0.05,compute:503=0.02]

A simulated Earth Engine carries `quota` requests at once, takes `latency` for each, refuses the
others, and some at random. The provider begins with the 40 that are documented, and reads blocks of
32 px of Sentinel-1, one request each. Prints a Markdown table: how many requests were wasted beyond
the injected faults, and how long it took against requests / quota * latency.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.sandbox.earthengine.app import Overridden, Quota, create_app
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.faults import Disturbances, Refusing, place_of
from eodata.sandbox.serve.asgi import App, Receive, Scope, Send
from eodata.sandbox.serve.process import SandboxProcess

GROUND = box(11.00, 48.05, 11.02, 48.06)
YEAR = Span(datetime(2018, 1, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC))
LEFT, TOP, EDGE_PX = 649_100, 5_324_900, 32
UNLIMITED = 1_000_000


class Slow:
    """ASGI middleware that takes its time over computations, as the real server does."""

    def __init__(self, app: App, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, and pass the request on."""
        if scope["type"] == "http" and place_of(scope) == "compute":
            await asyncio.sleep(self._seconds)
        await self._app(scope, receive, send)


def build_app(quota: int, latency: float, faults: str) -> App:
    """Return an Earth Engine whose requests count for the quota as long as they take."""
    app = create_app(SandboxCatalogue(SandboxSettings()), quota=UNLIMITED)
    limited = Quota(Slow(app, latency), quota)
    return Overridden(Refusing(limited, Disturbances.load(faults)))


def blocks_of(count: int) -> list[GeoBox]:
    """Return neighbouring grids, row by row."""
    side = round(count**0.5 + 0.499)
    step = EDGE_PX * 10
    return [
        GeoBox(
            (EDGE_PX, EDGE_PX),
            Affine(10, 0, LEFT + k % side * step, 0, -10, TOP - k // side * step),
            "EPSG:32632",
        )
        for k in range(count)
    ]


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quota", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--blocks", type=int, default=64)
    parser.add_argument("--items", type=int, default=15)
    parser.add_argument("--faults", default="compute:429-bare=0.05,compute:503=0.02")
    asked = parser.parse_args()
    # The other process finds the function by the module's name, which here is __main__.
    from benchmarks.earthengine import build_app as importable

    build = partial(importable, asked.quota, asked.latency, asked.faults)
    with SandboxProcess(build) as server:
        provider = EarthEngineProvider(EarthEngineLocation.at(server.url))
        table = resources.products()["sentinel-1-grd"]
        entry = table.providers["earthengine"]
        reads = [BandRead(b.to_band(), entry.assets[b.name], "bilinear") for b in table.bands]
        items = provider.search(Query(entry.collection, GROUND, YEAR))[: asked.items]
        jobs = [(item, grid) for item in items for grid in blocks_of(asked.blocks)]
        with ThreadPoolExecutor(64) as pool:
            # The simulated pixels are made once, before the clock runs.
            list(pool.map(lambda item: provider.read(item, reads, jobs[0][1]), items))
            server.log.clear()
            started = time.monotonic()
            list(pool.map(lambda job: provider.read(job[0], reads, job[1]), jobs))
            seconds = time.monotonic() - started
        answers = [one for one in server.log.requests if place_of({"path": one.path}) == "compute"]
    report(Counter((one.status, bool(one.fault)) for one in answers), len(jobs), seconds, asked)


def report(
    answers: Counter[tuple[int, bool]], wanted: int, seconds: float, asked: argparse.Namespace
) -> None:
    """Print what came of it."""
    injected = sum(count for (_, fault), count in answers.items() if fault)
    wasted = answers[429, False]
    ideal = wanted / asked.quota * asked.latency
    print("| requests wanted | made | injected faults | beyond the quota | time | of the ideal |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {wanted} | {answers.total()} | {injected} | {wasted} "
        f"({100 * wasted / answers.total():.1f} %) | {seconds:.1f} s | {seconds / ideal:.2f} |"
    )


if __name__ == "__main__":
    main()
