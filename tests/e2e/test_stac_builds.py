"""Builds from served archives: seams, secrets, requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pandas
import pytest
import zarr

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.serve.faults import Faults
from tests.e2e.building import Cli
from tests.providers.served import PROVIDERS, Servers

pytestmark = pytest.mark.e2e

SMALL = "{bbox: [11.000, 48.050, 11.009, 48.056], patch: 320}"
"""Two patches of Bavaria."""
AREAS = {
    # The overlap of 32UNU and 32UPU is narrower.
    "tiles": "{bbox: [10.28, 48.03, 10.53, 48.11], patch: 3840}",
    # The widest tiles of zones 32 and 33 here, 33UTP and 32UQU, hold five sixths of it each.
    "zones": "{bbox: [11.60, 48.03, 12.60, 48.08], patch: 3840}",
}
"""Strips that no single tile covers."""


def write_recipe(folder: Path, area: str, gsd: int, steps: int = 1) -> Path:
    path = folder / "served.yaml"
    path.write_text(
        f"""\
name: served
title: A recipe for a real archive
licence: CC0-1.0
area: {area}
time: {{start: 2022-06-01, end: 2022-06-11, steps: {steps}}}
modalities:
  s2:
    product: sentinel-2-l2a
    bands: [B04, B11]
    gsd: {gsd}
    anchor: true
    choose: {{by: coverage-then-time}}
  scl: {{product: sentinel-2-l2a, bands: [SCL], gsd: {gsd}, follow: s2}}
store: {{block: 4}}
"""
    )
    return path


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers(SandboxSettings(seed=5)) as servers:
        yield servers


@pytest.fixture
def read_from(servers: Servers):
    """Return the options that read everything from the server of a flavour."""

    def read_from(flavour: str) -> tuple[object, ...]:
        server, name = servers.at(flavour), PROVIDERS[flavour]
        server.inject(Faults())
        server.log.clear()
        return "--provider", name, "--endpoint", f"{name}={server.api}", "--workers", 2

    return read_from


def arrays_of(store: Path) -> dict[str, np.ndarray]:
    group = zarr.open_group(store / "data.zarr", mode="r")
    return {name: array[...] for name, array in group.arrays()}


def items_of(store: Path) -> set[str]:
    steps = pandas.read_parquet(store / "steps.parquet")
    return {item for names in steps["items"] for item in names}


@pytest.mark.parametrize("place", AREAS)
def test_a_mosaic_through_http_is_that_of_the_world(run: Cli, workplace: Path, read_from, place):
    recipe = write_recipe(workplace, AREAS[place], 60)
    direct = run("build", recipe, "--out", "direct", "--provider", "sandbox", "--sandbox", "seed=5")
    assert direct.code == 0, direct.err
    steps = pandas.read_parquet(workplace / "direct" / "steps.parquet")
    # Were a tile left out, ground without a pixel would remain.
    assert steps["valid"].min() == 1.0
    expected = arrays_of(workplace / "direct")
    tiles = {item.split("_T")[1][:5] for item in items_of(workplace / "direct")}
    assert len(tiles) > 1
    assert place == "tiles" or {tile[:2] for tile in tiles} == {"32", "33"}
    for flavour in ("sandbox", "earth-search"):
        ran = run("build", recipe, "--out", flavour, *read_from(flavour))
        assert ran.code == direct.code, ran.err
        found = arrays_of(workplace / flavour)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            assert array.any()
            np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("faults", ["", "missing=0.3,seed=3,503=0.1,truncate=0.1,expired=0.05"])
def test_no_token_is_written_or_printed(run: Cli, workplace: Path, servers, read_from, faults):
    recipe = write_recipe(workplace, SMALL, 10, steps=2)
    options = read_from("planetary-computer")
    server = servers.at("planetary-computer")
    if faults:
        server.inject(Faults.load(faults))
    ran = run("build", recipe, "--out", "served", *options, "--json")
    assert ran.code == (8 if faults else 0), ran.err
    tokens = {request.query for request in server.log.select("/assets/")}
    assert tokens
    assert all("sig=" in token for token in tokens)
    secrets = {word for token in tokens for word in (token, *parse_qs(token)["sig"])} | {"sig="}
    told = written(workplace / "served") | {"out": ran.out, "err": ran.err}
    assert len(told) > 10
    assert ("404 Not Found" in told["ledger.sqlite"]) == bool(faults)
    assert not [(place, word) for place, text in told.items() for word in secrets if word in text]


def written(store: Path) -> dict[str, str]:
    """Return all that a store holds as text: files as they are, and tables unpacked."""
    told = {
        path.relative_to(store).as_posix(): path.read_bytes().decode("latin-1")
        for path in store.rglob("*")
        if path.is_file()
    }
    for table in store.glob("*.parquet"):
        told[f"{table.name} unpacked"] = repr(pandas.read_parquet(table).to_dict())
    return told


@pytest.mark.parametrize("flavour", ["earth-search", "planetary-computer"])
def test_a_build_asks_for_nothing_twice(run: Cli, workplace: Path, flavour):
    recipe, name = write_recipe(workplace, SMALL, 10, steps=2), PROVIDERS[flavour]
    with Servers(SandboxSettings(seed=6)) as servers:
        server = servers.at(flavour)
        options = ("--provider", name, "--endpoint", f"{name}={server.api}", "--workers", 1)
        ran = run("build", recipe, "--out", "served", *options)
        assert ran.code == 0, ran.err
        requests = server.log.requests
    assert len([r for r in requests if r.path.endswith("/search")]) == 1
    assert len([r for r in requests if "/token/" in r.path]) == (name == "planetary-computer")
    asked = Counter((r.path, r.range) for r in requests if "/assets/" in r.path)
    # The classes are read by two tasks: for themselves, and as the word on where s2 is valid.
    twice = {path for path, _ in asked if path.upper().endswith("SCL.TIF")}
    assert len({path for path, _ in asked}) == 3 * len(twice) == 6
    for (path, part), times in asked.items():
        is_head = part == "bytes=0-32767"
        assert times == 1 or (times == 2 and path in twice and not is_head)
