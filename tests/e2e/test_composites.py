"""Composites of a season over simulated ground, against what no cloud ever covered.

SYNTHETIC: the sandbox knows cloud, shadow and ground behind every pixel.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.best_pixels import best_image, survey
from eodata.build.composing import Image, Pass
from eodata.core.grid import covering, place_in, window_of
from eodata.core.item import Item
from eodata.core.plan import Plan
from eodata.core.recipe_modality import SourceModality
from eodata.pipeline.threshold import threshold
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.sensors.atmosphere import air_of, observed
from eodata.sandbox.sensors.sentinel2 import _spot
from eodata.sandbox.sensors.spectra import BANDS
from eodata.store.files import read_plan
from eodata.store.reader import StoreReader
from tests.e2e.building import Cli

pytestmark = pytest.mark.e2e

RECIPE = """\
name: season
title: One cloud-free mosaic of a season (SYNTHETIC)
licence: CC0-1.0
area: {bbox: [10.7000, 45.0960, 10.7371, 45.1265], patch: 640, cover: 0.9}
time: {start: 2018-04-01, end: 2018-10-01, steps: 1}
sandbox: {seed: 1}
modalities:
  s2:
    product: sentinel-2-l1c
    provider: sandbox
    gsd: 10
    anchor: true
    choose: {min_cloud: 20, max_cloud: 70}
    composite: {by: schmitt-2019, at_most: 8, keep_below: 0.02}
  score: {derive: schmitt-score, from: s2}
  cloud: {derive: threshold, from: score, above: 0.2, dilation_size: 1}
  grey: {derive: stretch, from: s2}
store: {block: 4}
"""
LIMITS = {"B02": 0.002, "B03": 0.003, "B04": 0.003, "B08": 0.02}
"""Mean absolute error of reflectance; found: 0.0009, 0.0016, 0.0012 and 0.0104."""
MOST_HIDDEN = 0.03
"""Share of the mosaic that a cloud or its shadow truly covers; found: 0.017, of 0.14 to 1.0 in the
single acquisitions. What is left is shadow and thin cirrus."""


@dataclass(frozen=True)
class Season:
    """A built store, and the same composite made as one window."""

    store: Path
    plan: Plan
    passes: Sequence[Pass]
    window: GeoBox
    image: Image
    cloudy: tuple[float, ...]


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("composites")


@pytest.fixture
def workplace(one_folder: Path) -> Path:
    """All tests work in one folder, so that the store is built once."""
    return one_folder


_made: dict[Path, Season] = {}


@pytest.fixture
def season(run: Cli, workplace: Path) -> Season:
    """The season; later tests find it made."""
    if workplace not in _made:
        (workplace / "season.yaml").write_text(RECIPE)
        ran = run("build", workplace / "season.yaml", "--out", workplace / "season")
        assert ran.code == 0, ran.err
        _made[workplace] = _as_one_window(workplace / "season")
    return _made[workplace]


def _as_one_window(store: Path) -> Season:
    plan = read_plan(store)
    modality, recipe = plan.modalities["s2"], plan.recipe.modalities["s2"]
    assert isinstance(recipe, SourceModality)
    spec: Any = recipe.composite
    (area,) = plan.areas
    passes = [[plan.items[i] for i in one] for one in plan.choice("s2", area, 0).acquisitions]
    provider = SandboxProvider.open("")
    ground = covering(plan.patches, spec.survey_gsd)
    cloudy = survey(provider, passes, modality, spec, ground).cloudy
    window = window_of(plan.patches, modality.gsd)
    image = best_image(provider, passes, modality, spec, window, cloudy)
    return Season(store, plan, passes, window, image, cloudy)


def on_grid(item: Item, window: GeoBox, archive: SandboxArchive) -> GeoBox:
    """Return the part of an item's base grid under a window of the same lattice."""
    base = archive.collections["sentinel-2-l1c"].get(item.id).base
    col = (window.affine.c - base.affine.c) / 10
    row = (base.affine.f - window.affine.f) / 10
    assert (col, row) == (round(col), round(row)), "the window must lie on the item's pixels"
    return GeoBox(window.shape, Affine(10, 0, window.affine.c, 0, -10, window.affine.f), base.crs)


def clear_sky(item: Item, window: GeoBox, archive: SandboxArchive) -> NDArray[np.float32]:
    """Return the reflectance above the air `(13, H, W)` as if there were neither cloud nor shadow.

    Ten metre bands alone mean anything.
    """
    collection: Any = archive.collections["sentinel-2-l1c"]
    record, base = collection.get(item.id), on_grid(item, window, archive)
    clear = collection.truth(record, base)["clear"]
    look = collection._views(_spot(record.origin, base, "")).look(1)
    look = replace(look, cloud=None, cirrus=None)
    air = air_of(record.origin.sun_zenith)
    return np.stack([observed(rho.copy(), look, air, band) for band, rho in enumerate(clear)])


def hidden(item: Item, window: GeoBox, archive: SandboxArchive) -> NDArray[np.bool_]:
    """Return where a cloud or its shadow truly is."""
    collection = archive.collections["sentinel-2-l1c"]
    truth = collection.truth(collection.get(item.id), on_grid(item, window, archive))
    return np.asarray(truth["cloud"] | truth["shadow"])


def test_four_windows_of_an_area_hold_what_one_window_holds(season: Season) -> None:
    reader, plan = StoreReader(season.store), season.plan
    assert len(plan.blocks) == 4
    for row, patch in enumerate(plan.patches):
        values, valid = reader.read("s2", row)
        rows, cols = place_in(season.window, patch, 10.0)
        np.testing.assert_array_equal(values[0], season.image.layer.values[:, rows, cols])
        np.testing.assert_array_equal(valid[0], season.image.layer.valid[rows, cols])


def test_the_composite_is_nearly_free_of_clouds_and_true_to_the_ground(season: Season) -> None:
    archive = SandboxProvider.open("").archive
    image, window = season.image, season.window
    assert image.origin is not None
    assert image.layer.valid.all()
    assert len(np.unique(image.origin)) >= 4
    hidden_share, still_hidden = [], np.zeros(tuple(window.shape), np.bool_)
    errors = {band: np.zeros(tuple(window.shape)) for band in LIMITS}
    for number, (item, *_) in enumerate(season.passes):
        cloud, here = hidden(item, window, archive), image.origin == number
        hidden_share.append(float(cloud.mean()))
        still_hidden |= here & cloud
        if not here.any():
            continue
        truth = clear_sky(item, window, archive)
        for band, error in errors.items():
            at = BANDS.index(band)
            error[here] = np.abs(image.layer.values[at] * 1e-4 - truth[at])[here]
    assert np.mean(hidden_share) > 0.5
    assert still_hidden.mean() < MOST_HIDDEN
    assert still_hidden.mean() < min(hidden_share) / 4
    found = {band: float(error.mean()) for band, error in errors.items()}
    assert all(found[band] < limit for band, limit in LIMITS.items()), found


def test_samples_tell_which_acquisitions_they_come_from(season: Season) -> None:
    steps = StoreReader(season.store).steps()
    told = steps[steps.modality == "s2"]["measured"]
    assert len(told) == len(season.plan.patches)
    for patch, text in zip(season.plan.patches, told, strict=True):
        rows, cols = place_in(season.window, patch, 10.0)
        assert text == season.image.told(season.passes, rows, cols)
        assert sum(json.loads(text)["from"].values()) == pytest.approx(1.0, abs=1e-3)


def test_what_is_derived_from_a_composite_follows_its_pixels(season: Season) -> None:
    reader = StoreReader(season.store)
    steps = reader.steps().set_index(["row", "modality"])
    for row in range(len(season.plan.patches)):
        score, seen = reader.read("score", row)
        cloud, valid = reader.read("cloud", row)
        bare = threshold(score[0], seen, above=0.2)
        marked = threshold(score[0], seen, above=0.2, dilation_size=1)
        assert bare.sum() <= marked.sum()
        np.testing.assert_array_equal(cloud[0], marked)
        assert steps.loc[(row, "cloud"), "marked"] == pytest.approx(float(cloud[0][valid].mean()))
        assert np.isnan(steps.loc[(row, "score"), "marked"])
        limits = json.loads(steps.loc[(row, "grey"), "measured"])["limits"]
        assert list(limits) == list(BANDS)
        grey, _ = reader.read("grey", row)
        dn, _ = reader.read("s2", row)
        low, high = limits["B08"]
        at = BANDS.index("B08")
        inside = (grey[0, at] > 0) & (grey[0, at] < 255)
        undone = low + grey[0, at] / 255 * (high - low)
        assert np.abs(undone - dn[0, at] * 1e-4)[inside].max() <= (high - low) / 255 / 2 + 1e-6
