"""Archives in trouble, and what came of the builds from them."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pandas

from eodata.build.conductor import build
from eodata.build.locations import Wish
from eodata.build.loop import Settings
from eodata.build.prepare import Prepared, prepare
from eodata.build.report import BuildReport
from eodata.core.item import Asset
from eodata.core.retry import RetryPolicy
from eodata.sandbox.serve.assembly import ArchiveServer
from eodata.sandbox.serve.faults import Faults
from tests.e2e.building import array_bytes
from tests.providers.served import PROVIDERS, Servers

RECIPE = """\
name: small
title: A recipe for a real archive
licence: CC0-1.0
area: {bbox: [11.000, 48.050, 11.009, 48.056], patch: 320}
time: {start: 2022-06-01, end: 2022-06-11, steps: 2}
modalities:
  s2: {product: sentinel-2-l2a, bands: [B04, B11], gsd: 10, anchor: true}
  scl: {product: sentinel-2-l2a, bands: [SCL], gsd: 20, follow: s2}
store: {block: 4}
"""
SHORT = RetryPolicy(attempts=4, first_delay=0.1, longest_delay=2.0)


class Archive:
    """One archive in trouble, and the recipe that is built from it."""

    def __init__(self, servers: Servers, flavour: str, folder: Path) -> None:
        self.server: ArchiveServer = servers.at(flavour)
        self.name = PROVIDERS[flavour]
        self.recipe = folder / "small.yaml"
        self.recipe.write_text(RECIPE)

    def plan(self) -> Prepared:
        endpoints = (f"{self.name}={self.server.api}",)
        return prepare(Wish(str(self.recipe), provider=self.name, endpoints=endpoints))

    def build(self, root: Path, retry: RetryPolicy = SHORT) -> BuildReport:
        return build(self.plan(), root, Settings(workers=2, retry=retry))

    def have(self, faults: str) -> None:
        self.server.inject(Faults.load(faults) if faults else Faults())
        self.server.log.clear()

    def lose(self, modality: str) -> None:
        """Have one file of a modality missing for good, and no other that the plan reads."""
        plan = self.plan().plan
        files = {
            name: [path_of(item.assets[read.asset]) for item in plan.items for read in entry.reads]
            for name, entry in plan.modalities.items()
        }
        every = {path for paths in files.values() for path in paths}
        self.server.inject(missing(files[modality][0], every))

    def met(self, kind: str) -> int:
        """Return how many requests met a fault of this kind."""
        return sum(kind in (r.fault or "").split("+") for r in self.server.log.requests)


def path_of(asset: Asset) -> str:
    return urlsplit(asset.href).path


def missing(one: str, every: set[str]) -> Faults:
    """Return the fault `missing` with the first seed that meets one of these files alone."""
    for seed in itertools.count(1):
        faults = Faults.load(f"missing=0.2,seed={seed}")
        if {path for path in every if faults.draw("missing", "any", path) < 0.2} == {one}:
            return faults
    raise AssertionError


def assert_same_store(found: Path, expected: Path) -> None:
    assert array_bytes(found) == array_bytes(expected)
    for table in ("samples.parquet", "steps.parquet"):
        pandas.testing.assert_frame_equal(
            pandas.read_parquet(found / table), pandas.read_parquet(expected / table)
        )


def told_by_ledger(store: Path) -> set[tuple[str, bool]]:
    """Return reason and retryability of all failed outcomes."""
    with closing(sqlite3.connect(store / "ledger.sqlite")) as db:
        asked = "SELECT DISTINCT reason, retryable FROM outcomes WHERE status = 'failed'"
        return {(reason, bool(retryable)) for reason, retryable in db.execute(asked)}


def lost_shards(found: Path, expected: Path) -> set[str]:
    """Return the arrays whose files differ or are not there."""
    one, other = array_bytes(found), array_bytes(expected)
    return {path.split("/")[0] for path in other if one.get(path) != other[path]}
