"""A whole build from a simulated Earth Engine, through the real client and the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.earthengine.server import EarthEngineServer
from eodata.store.files import read_plan
from tests.e2e.building import Cli

pytestmark = pytest.mark.e2e
FAULTS = "compute:429-bare=0.1,compute:503=0.1,compute:memory=0.1,list:500=0.2,seed=3"


def arrays_of(store: Path) -> dict[str, np.ndarray]:
    group = zarr.open_group(store / "data.zarr", mode="r")
    return {name: array[...] for name, array in group.arrays()}


@pytest.fixture(scope="module")
def direct(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The arrays of the same recipe built in this machine's own world."""
    store = tmp_path_factory.mktemp("direct") / "store"
    ran = cli("build", "sandbox-mini", "--out", store)
    assert ran.code == 0, ran.err
    return arrays_of(store)


@pytest.mark.parametrize("faults", ["", FAULTS])
def test_build_from_earth_engine_then_every_array_is_that_of_the_world(
    run: Cli, workplace: Path, direct, faults
):
    with EarthEngineServer(SandboxSettings(seed=1), faults=faults, quota=4) as server:
        place = f"earthengine={server.url}"
        ran = run(
            "build", "sandbox-mini", "--provider", "earthengine", "--endpoint", place, "--out", "ee"
        )
        refused = [one for one in server.log.requests if one.fault]
    assert ran.code == 0, ran.err
    assert "SYNTHETIC" in ran.err
    assert bool(refused) == bool(faults)
    assert read_plan(workplace / "ee").synthetic
    found = arrays_of(workplace / "ee")
    assert found.keys() == direct.keys()
    assert all(found[name].any() for name in ("s1", "s2", "scl", "landcover", "igbp", "dem"))
    for name, array in direct.items():
        np.testing.assert_array_equal(found[name], array)


def test_build_without_an_account_then_it_says_what_to_do(run: Cli, workplace: Path, monkeypatch):
    for name in ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(workplace))
    monkeypatch.setenv("HOME", str(workplace))
    ran = run("build", "sandbox-mini", "--provider", "earthengine", "--out", "ee")
    assert ran.code == 4
    assert "earthengine authenticate" in ran.err
    assert not (workplace / "ee").exists()
