"""Shifts that are planted in the sandbox are measured, corrected and gated, end to end."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eodata.build.conductor import build
from eodata.build.locations import Wish
from eodata.build.loop import Settings
from eodata.build.prepare import prepare
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.store.reader import StoreReader
from eodata.store.verify import verify

pytestmark = pytest.mark.e2e

WORLD = "seed=1 shift_rate=1 shift_px=2"
PIXEL_M = 10.0
RECIPE = """\
name: shifted
title: Fields of Bavaria, displaced
licence: CC0-1.0
area: {bbox: [10.9700, 48.2400, 11.0080, 48.2660], patch: 1280, cover: 0.9}
time: {start: 2018-04-01, end: 2018-08-01, steps: 3}
modalities:
  s2:
    product: sentinel-2-l1c
    provider: sandbox
    bands: BANDS
    gsd: 10
    anchor: true
    choose: {by: least-cloudy, max_cloud: 90}S2
  s1: {product: sentinel-1-grd, provider: sandbox, gsd: 10, pair: {with: s2, within: 6d}S1}
store: {block: 4}
"""


def write(
    folder: Path, *, s2: str = "", s1: str = "", bands: str = "[B04, B08]", more: str = ""
) -> Path:
    """Write the recipe with further lines of its modalities."""
    text = RECIPE.replace("S2", f"\n    {s2}" if s2 else "").replace("S1", f", {s1}" if s1 else "")
    path = folder / "shifted.yaml"
    path.write_text(text.replace("BANDS", bands) + more)
    return path


def made(folder: Path, recipe: Path, world: str = WORLD, code: int = 0) -> Path:
    """Build the recipe in a world; it ends with an exit code."""
    store = folder / "store"
    report = build(prepare(Wish(str(recipe), sandbox=world)), store, Settings(workers=2))
    assert report.exit_code == code
    return store


def steps_of(store: Path, modality: str) -> pd.DataFrame:
    steps = pd.read_parquet(store / "steps.parquet")
    return steps[steps["modality"] == modality].reset_index(drop=True)


@lru_cache
def archive(world: str) -> SandboxArchive:
    return SandboxArchive(SandboxSettings.from_text(world))


def planted(world: str, collection: str, item: str) -> np.ndarray:
    """Return how far an item is displaced, (row, col) [px]: its `shift` is (east, north) [m]."""
    record: Any = archive(world).collections[collection].get(item)
    east, north = record.origin.shift
    return np.array([-north, east]) / PIXEL_M


def truth(steps: pd.DataFrame, world: str, collection: str, reference: str) -> np.ndarray:
    """Return how far the items of steps lie from the reference, (row, col) [px]."""
    still = planted(world, "sentinel-2-l1c", reference)
    return np.stack([planted(world, collection, items[0]) - still for items in steps["items"]])


def reference_item(s2: pd.DataFrame) -> str:
    (one,) = {items[0] for items in s2[s2["shift_why"] == "the reference"]["items"]}
    return str(one)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of displaced items, with nothing but the default rules."""
    folder = tmp_path_factory.mktemp("measured")
    return made(folder, write(folder))


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with everything moved onto Sentinel-2's clearest step."""
    folder = tmp_path_factory.mktemp("moved")
    return made(folder, write(folder, s2="coregister_to: s2", s1="coregister_to: s2"))


@pytest.mark.parametrize(
    ("modality", "collection", "limit"),
    [("s2", "sentinel-2-l1c", 0.1), ("s1", "sentinel-1-grd", 0.3)],
)
def test_shifts_are_measured_without_being_asked_for(
    measured: Path, modality: str, collection: str, limit: float
) -> None:
    reference = reference_item(steps_of(measured, "s2"))
    steps = steps_of(measured, modality)
    steps = steps[steps["shift_why"] != "the reference"]
    found = steps[["shift_row", "shift_col"]].to_numpy()
    expected = truth(steps, WORLD, collection, reference)
    assert np.abs(expected).max() > 1
    assert np.hypot(*(found - expected).T).max() < limit
    assert (steps["shift_confidence"] > 0.9).all()
    assert (steps[["moved_row", "moved_col"]] == 0).all(axis=None)


@pytest.mark.parametrize(
    ("modality", "collection", "limit"),
    [("s2", "sentinel-2-l1c", 0.1), ("s1", "sentinel-1-grd", 0.3)],
)
def test_moved_items_lie_on_the_reference(
    moved: Path, modality: str, collection: str, limit: float
) -> None:
    reference = reference_item(steps_of(moved, "s2"))
    steps = steps_of(moved, modality)
    steps = steps[steps["shift_why"] != "the reference"]
    assert (steps["shift"] < limit).all()
    found = steps[["moved_row", "moved_col"]].to_numpy()
    expected = truth(steps, WORLD, collection, reference)
    assert np.hypot(*(found - expected).T).max() < limit


def test_samples_say_how_far_they_lie_off(measured: Path, moved: Path) -> None:
    before, after = (pd.read_parquet(s / "samples.parquet") for s in (measured, moved))
    for name in ("s2:shift", "s1:shift"):
        assert (before[name] > 1).all()
        assert (after[name] < 0.3).all()


def test_the_store_verifies_and_tells_its_misfits(measured: Path, moved: Path) -> None:
    for store in (measured, moved):
        verdict = verify(store)
        assert verdict.ok
        told = {check.name: check.detail for check in verdict.checks}["shifts"]
        assert told.startswith("s2 ")
        assert "; s1 " in told


def test_the_reference_itself_is_read_where_the_archive_has_it(measured: Path, moved: Path) -> None:
    (step,) = set(steps_of(moved, "s2").query("shift_why == 'the reference'")["step"])
    before, after = (StoreReader(s).read("s2", 0, [step])[0] for s in (measured, moved))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("rule", "status", "code"), [("reject", "rejected", 9), ("flag", "done", 0)]
)
def test_what_lies_too_far_off_is_rejected_or_flagged(
    tmp_path: Path, rule: str, status: str, code: int
) -> None:
    gate = f"checks: {{max_shift_px: 0.5, beyond_shift: {rule}}}\n"
    store = made(tmp_path, write(tmp_path, more=gate), code=code)
    steps = pd.read_parquet(store / "steps.parquet")
    far = steps[steps["shift"] > 0.5]
    assert len(far) > 0
    assert set(far["status"]) == {status}
    assert far["shift_why"].str.contains("limit 0.5").all()
    assert set(steps[steps["shift"] <= 0.5]["status"]) <= {"done"}
    assert verify(store).ok


def test_followers_move_with_their_leader(tmp_path: Path) -> None:
    """Classes are read where their image is: they match those of a world without shifts."""
    classes = (
        "  scl: {product: sentinel-2-l2a, provider: sandbox, bands: [SCL], gsd: 10, follow: s2}\n"
    )
    found = {}
    for name, wish, world in [
        ("still", "", "seed=1"),
        ("displaced", "", WORLD),
        ("moved", "coregister_to: s2", WORLD),
    ]:
        folder = tmp_path / name
        folder.mkdir()
        path = write(folder, s2=wish)
        text = path.read_text().replace("sentinel-2-l1c", "sentinel-2-l2a")
        path.write_text(text.replace("store:", f"{classes}store:"))
        store = made(folder, path, world)
        found[name] = steps_of(store, "s2"), StoreReader(store).read("scl", 0)[0][:, 0]
    (step,) = set(found["moved"][0].query("shift_why == 'the reference'")["step"])
    others = [s for s in range(3) if s != step]
    east_north = planted(WORLD, "sentinel-2-l2a", reference_item(found["moved"][0]))
    row, col = np.round(east_north).astype(int)
    # The reference is displaced itself, and everything is moved to where it is.
    inside = np.s_[8:-8, 8:-8]
    still = np.roll(found["still"][1], (row, col), (1, 2))
    agree = {
        name: np.mean([found[name][1][s][inside] == still[s][inside] for s in others])
        for name in ("displaced", "moved")
    }
    assert agree["moved"] > agree["displaced"]
    assert agree["moved"] > 0.95


def test_bands_are_moved_onto_one_of_them(tmp_path: Path) -> None:
    world = "seed=1 band_shift_px=1"
    recipe = write(tmp_path, s2="coregister_bands: B04", bands="[B02, B03, B04, B08, B11]")
    steps = steps_of(made(tmp_path, recipe, world), "s2")
    for items, text in zip(steps["items"], steps["measured"], strict=True):
        record: Any = archive(world).collections["sentinel-2-l1c"].get(items[0])
        shifts = record.origin.band_shifts
        told = json.loads(text)["bands"][items[0]]
        for band in ("B02", "B03", "B08", "B11"):
            apart = np.subtract(shifts[band], shifts["B04"]) * [1, -1] / PIXEL_M
            expected = apart[::-1]
            total = np.add(told[band]["moved"], told[band]["shift"])
            assert np.hypot(*(total - expected)) < 0.15
            assert np.hypot(*told[band]["shift"]) < 0.1


def test_a_second_run_has_nothing_to_do(moved: Path) -> None:
    recipe = moved.parent / "shifted.yaml"
    report = build(prepare(Wish(str(recipe), sandbox=WORLD)), moved, Settings(workers=2))
    assert report.tasks_run == 0


def test_grids_follow_a_shift_that_changes_over_the_ground(tmp_path: Path) -> None:
    world = "seed=1 shift_rate=1 shift_px=1 bend_px=2"
    wide = "area: {bbox: [10.93, 48.20, 11.05, 48.28], patch: 2560, cover: 0.9}"
    recipe = write(tmp_path, s2="coregister_to: s2", s1="coregister_to: s2")
    lines = recipe.read_text().splitlines()
    recipe.write_text("\n".join(wide if line.startswith("area:") else line for line in lines))
    store = made(tmp_path, recipe, world)
    steps = steps_of(store, "s2")
    steps = steps[steps["shift_why"] != "the reference"]
    moved = steps[["moved_row", "moved_col"]].to_numpy()
    assert np.ptp(moved, axis=0).max() > 0.3  # it changes over the ground
    assert (steps["shift"] < 0.15).all()
    expected = np.stack(
        [
            bent(world, row.items_[0], reference_item(steps_of(store, "s2")), store, row.id)
            for row in steps.rename(columns={"items": "items_"}).itertuples()
        ]
    )
    assert np.hypot(*(moved - expected).T).max() < 0.15


def bent(world: str, item: str, reference: str, store: Path, sample: str) -> np.ndarray:
    """Return how far an item lies from the reference in the middle of a sample (row, col) [px]."""
    samples = pd.read_parquet(store / "samples.parquet").set_index("id")
    place = samples.loc[sample]
    x, y = place["left"] + place["size"] / 2, place["top"] - place["size"] / 2
    world_of = archive(world)
    records = [world_of.collections["sentinel-2-l1c"].get(name) for name in (item, reference)]
    (dx, dy), (rx, ry) = (world_of.displacement(record).at(x, y) for record in records)
    return np.array([-(dy - ry), dx - rx]) / PIXEL_M


def area(name: str, west: float, start: str, end: str) -> dict[str, Any]:
    """Return a square of ground with a time of its own."""
    edges = west, 48.240, west + 0.020, 48.254
    corners = [(edges[i], edges[j]) for i, j in ((0, 1), (2, 1), (2, 3), (0, 3), (0, 1))]
    return {
        "type": "Feature",
        "properties": {"id": name, "start": start, "end": end},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }


def test_areas_that_share_a_block_have_each_its_own_reference(tmp_path: Path) -> None:
    """However areas are cut into blocks, their pixels are the same."""
    areas = [
        area("aa", 10.97, "2018-04-01", "2018-06-01"),
        area("bb", 11.00, "2018-06-01", "2018-08-01"),
    ]
    found = {}
    for size in (3, 4):  # of four patches each
        folder = tmp_path / str(size)
        folder.mkdir()
        collection = {"type": "FeatureCollection", "features": areas}
        (folder / "areas.geojson").write_text(json.dumps(collection))
        recipe = write(folder, s2="coregister_to: s2", s1="coregister_to: s2")
        text = recipe.read_text().replace("block: 4", f"block: {size}")
        lines = text.splitlines()
        lines[3] = "area: {file: areas.geojson, patch: 960, cover: 0.3}"
        recipe.write_text("\n".join(lines))
        store = made(folder, recipe)
        steps = pd.read_parquet(store / "steps.parquet")
        samples = pd.read_parquet(store / "samples.parquet")
        told = steps.merge(samples[["id", "area"]], on="id")
        assert (told.groupby(["area", "modality"])["shift_to"].nunique() == 1).all()
        reader = StoreReader(store)
        found[size] = {place.id: reader.read("s2", place.row)[0] for place in samples.itertuples()}
        moved = told[told["modality"] == "s2"].groupby(["area", "step"])[["moved_row", "moved_col"]]
        assert (moved.max() - moved.min()).to_numpy().max() < 0.1
    assert found[3].keys() == found[4].keys()
    for name, pixels in found[3].items():
        off = np.abs(pixels.astype(float) - found[4][name].astype(float))
        assert np.median(off) < 20  # blocks measure on other ground, so by some hundredths of a px
