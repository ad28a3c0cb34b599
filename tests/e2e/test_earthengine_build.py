"""A whole build from a simulated Earth Engine, through the real client and the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from eodata.core.item import Item
from eodata.core.patch import Patch
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.server import EarthEngineServer
from eodata.store.files import read_plan
from eodata.store.reader import StoreReader
from tests.e2e.building import Cli

pytestmark = pytest.mark.e2e
CLOUD_LAYERS = """
name: cloud-layers
version: 1
title: Clouds of Sentinel-2 as Earth Engine knows them
task: cloud-removal
licence: CC0-1.0
seed: 1
area: {bbox: [10.9700, 48.2400, 11.0080, 48.2660], patch: 1280, cover: 0.9}
time: {start: 2018-04-01, end: 2018-08-01, steps: 4}
modalities:
  s2:
    product: sentinel-2-l1c
    bands: [B04]
    provider: earthengine
    anchor: true
    choose: {by: least-cloudy, min_cloud: 35, max_cloud: 80}
  cloud_probability:
    product: sentinel-2-cloud-probability
    provider: earthengine
    pair: {with: s2, within: 1h}
  cloud: {derive: threshold, from: cloud_probability, above: 65}
  score:
    product: cloud-score-plus
    bands: [cs_cdf]
    provider: earthengine
    pair: {with: s2, within: 1h}
  unclear: {derive: threshold, from: score, below: 0.6}
split: {by: cell, cell: 1280, fractions: {train: 0.5, val: 0.25, test: 0.25}}
store: {block: 4, chunk_steps: 1}
"""
COMPOSITES = """
name: composites
version: 1
title: Composites at the edge of a tile
task: cloud-removal
licence: CC0-1.0
seed: 1
area: {bbox: [10.615, 48.733, 10.64, 48.747], patch: 640, cover: 0.9}
time: {start: 2018-06-01, end: 2018-08-01, steps: 2}
modalities:
  middle:
    product: sentinel-2-l1c
    bands: [B02, B04]
    provider: earthengine
    composite: {by: median, made_by: CHOSEN}
    anchor: true
  clear:
    product: sentinel-2-l2a
    bands: [B03]
    valid: clear
    provider: earthengine
    choose: {by: least-cloudy}
    composite: {by: latest-on-top, at_most: 4, made_by: CHOSEN}
  green:
    product: sentinel-2-l2a
    bands: [B03, B08]
    valid: clear
    provider: earthengine
    choose: {by: least-cloudy}
    composite: {by: highest, band: B08, at_most: 5, made_by: CHOSEN}
split: {by: cell, cell: 1280, fractions: {train: 0.5, val: 0.25, test: 0.25}}
checks: {trust_offsets: true}
store: {block: 4, chunk_steps: 1}
"""
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


def rendered(catalogue: SandboxCatalogue, item: Item, band: str, patch: Patch) -> np.ndarray:
    """Return a band on a patch as the simulated detector makes it, without any protocol."""
    leaf = catalogue.image(f"{item.collection}/{item.id}").bands[band]
    grid = leaf.grid
    col, row = (round(c) for c in ~grid.affine @ (patch.left, patch.top))
    window = grid[row : row + 128, col : col + 128]
    assert (window.crs, window.affine.c, window.affine.f) == (patch.crs, patch.left, patch.top)
    source = catalogue.archive.collections[leaf.record.collection]
    return source.render(leaf.record, [leaf.key], window)[leaf.key]


@pytest.fixture(scope="module")
def cloud_layers(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of `CLOUD_LAYERS`."""
    folder = tmp_path_factory.mktemp("clouds")
    (folder / "recipe.yaml").write_text(CLOUD_LAYERS, encoding="utf-8")
    with EarthEngineServer(SandboxSettings(seed=1)) as server:
        place = f"earthengine={server.url}"
        ran = cli("build", folder / "recipe.yaml", "--endpoint", place, "--out", folder / "store")
    assert ran.code == 0, ran.err
    return folder / "store"


@pytest.mark.parametrize(
    ("layer", "band", "mask", "is_marked"),
    [
        ("cloud_probability", "probability", "cloud", lambda percent: percent > 65),
        ("score", "cs_cdf", "unclear", lambda share: share < np.float32(0.6)),
    ],
)
def test_cloud_layers_then_they_and_their_thresholds_are_those_of_the_detector(
    cloud_layers: Path, layer, band, mask, is_marked
):
    plan, store = read_plan(cloud_layers), StoreReader(cloud_layers)
    world = SandboxCatalogue(SandboxSettings(seed=1))
    shares = []
    for sample in store.samples().itertuples():
        patch = next(p for p in plan.patches if p.id == sample.id)
        found, valid = store.read(layer, sample.row)
        marked, _ = store.read(mask, sample.row)
        assert valid.all()
        for step in range(4):
            chosen, partner = (plan.choice(name, patch.area, step) for name in (layer, "s2"))
            (item,), (seen,) = ([plan.items[i] for i in c.items] for c in (chosen, partner))
            assert item.id[-6:] == seen.id[-6:]
            expected = rendered(world, item, band, patch)
            np.testing.assert_array_equal(found[step, 0], expected)
            np.testing.assert_array_equal(marked[step, 0], is_marked(expected))
            shares.append(is_marked(expected).mean())
    assert any(0.2 < share < 0.8 for share in shares)


def test_composites_on_the_server_then_the_store_holds_what_ours_would_for_fewer_requests(
    cli: Cli, workplace: Path
):
    pixels, notes, requests = [], [], []
    with EarthEngineServer(SandboxSettings(seed=1)) as server:
        place = f"earthengine={server.url}"
        for maker in ("client", "server"):
            recipe = workplace / f"{maker}.yaml"
            recipe.write_text(COMPOSITES.replace("CHOSEN", maker), encoding="utf-8")
            before = len(server.log.requests)
            ran = cli("build", recipe, "--endpoint", place, "--out", workplace / maker)
            assert ran.code == 0, ran.err
            asked = server.log.requests[before:]
            requests.append(sum("computePixels" in one.path for one in asked))
            pixels.append(arrays_of(workplace / maker))
            notes.append(StoreReader(workplace / maker).steps()["measured"].tolist())
    ours, theirs = pixels
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.any()
        np.testing.assert_array_equal(theirs[name], array)
    assert notes[0] == notes[1]
    assert any(notes[0])
    assert requests[1] < requests[0] / 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("provider: earthengine", "provider: sandbox"), "sandbox makes no composites"),
        (("bands: [B02, B04]", "bands: [B02, B11]"), "B11 has pixels of 20 m"),
        (("{trust_offsets: true}", "{}"), "nobody would see the single images"),
    ],
)
def test_composite_on_the_server_when_it_would_not_be_the_same_then_it_is_refused(
    run: Cli, workplace: Path, change, message
):
    text = COMPOSITES.replace("CHOSEN", "server").replace(*change)
    (workplace / "recipe.yaml").write_text(text, encoding="utf-8")
    place = "earthengine=http://127.0.0.1:9"
    ran = run("plan", "recipe.yaml", *(() if "sandbox" in text else ("--endpoint", place)))
    assert ran.code == 2
    assert "modalities.middle.composite.made_by" in ran.err
    assert message in " ".join(ran.err.split())


def test_build_without_an_account_then_it_says_what_to_do(run: Cli, workplace: Path, monkeypatch):
    for name in ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(workplace))
    monkeypatch.setenv("HOME", str(workplace))
    ran = run("build", "sandbox-mini", "--provider", "earthengine", "--out", "ee")
    assert ran.code == 4
    assert "earthengine authenticate" in ran.err
    assert not (workplace / "ee").exists()
