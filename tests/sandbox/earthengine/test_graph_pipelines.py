"""Whole pipelines of the official client against NumPy on windows of the archive.

`pipelines.json` is made by `make_pipelines`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.graph import evaluate, render
from eodata.sandbox.earthengine.images import PixelGrid

PIPELINES = json.loads(Path(__file__).with_name("pipelines.json").read_text())
SR = "COPERNICUS/S2_SR_HARMONIZED"
SQUARE = box(5.5, 52.0, 5.53, 52.02)
ROWS, COLS = (3500, 3548), (7200, 7260)
"""Of 10 m in the tile 31UFT: even, so that bands of 20 m fit."""
ORIGIN = 600_000, 5_800_020
GRID = PixelGrid(
    COLS[1] - COLS[0],
    ROWS[1] - ROWS[0],
    (10, 0, ORIGIN[0] + 10 * COLS[0], 0, -10, ORIGIN[1] - 10 * ROWS[0]),
    "EPSG:32631",
)
LAST = datetime(2022, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue():
    return SandboxCatalogue(SandboxSettings())


@pytest.fixture(scope="module")
def clear(catalogue):
    """The images that pass, found without a graph; all of them on one tile."""
    found = [
        image
        for image in catalogue.images(SR, SQUARE, datetime(2022, 6, 1, tzinfo=UTC), LAST)
        if image.properties["CLOUDY_PIXEL_PERCENTAGE"] < 70
    ]
    assert len(found) > 3
    assert {image.properties["MGRS_TILE"] for image in found} == {"31UFT"}
    return found


def window(catalogue, image, name):
    """Return numbers on the grid, and where they are valid, from the archive's own pixels."""
    leaf = image.bands[name]
    ratio = leaf.record.layers[leaf.key].ratio
    rows, cols = (tuple(edge // ratio for edge in span) for span in (ROWS, COLS))
    dn = catalogue.archive.read(leaf.record, leaf.key, rows, cols)
    dn = np.repeat(np.repeat(dn, ratio, axis=0), ratio, axis=1)
    if name.startswith("B"):
        return np.maximum(dn.astype(np.int64) - 1000, 0), dn != 0  # baseline 04.00 and later
    return dn, dn != 0 if name == "SCL" else dn != 255 if dn.dtype == np.uint8 else ~np.isnan(dn)


def stacked(catalogue, images, name, passes=None):
    made = [window(catalogue, image, name) for image in images]
    valid = np.stack([valid for _, valid in made])
    if passes is not None:
        valid &= passes
    return np.ma.masked_array(np.stack([values for values, _ in made]), ~valid)


def beside(catalogue, images, collection, band):
    """Return a band of the images of the same index in another collection."""
    others = [catalogue.image(f"{collection}/{i.properties['system:index']}") for i in images]
    return stacked(catalogue, others, band)


def rendered(catalogue, name):
    found = render(PIPELINES[name], catalogue, GRID)
    return {b.name: np.ma.masked_array(b.values, ~b.mask) for b in found}


def equal(found, expected):
    same_mask = np.array_equal(np.ma.getmaskarray(found), np.ma.getmaskarray(expected))
    return same_mask and np.ma.allclose(found, expected, rtol=1e-6)


def test_what_passes_the_filters(catalogue, clear):
    found = evaluate(PIPELINES["indices"], catalogue)
    assert found == [image.properties["system:index"] for image in clear]


def test_mosaic(catalogue, clear):
    found = rendered(catalogue, "mosaic")
    assert [(n, b.dtype) for n, b in found.items()] == [
        ("B2", "uint16"),
        ("B8", "uint16"),
        ("SCL", "uint8"),
    ]
    for name, band in found.items():
        expected = np.ma.masked_all(band.shape, band.dtype)
        for layer in stacked(catalogue, clear, name):
            expected = np.ma.where(layer.mask, expected, layer)
        assert equal(band, expected)


def test_median_without_clouds(catalogue, clear):
    scl = stacked(catalogue, clear, "SCL")
    clean = (scl != 3) & ((scl < 8) | (scl == 11))
    assert 0.02 < clean.filled(False).mean() < 0.98
    for name, band in rendered(catalogue, "median").items():
        expected = np.ma.median(stacked(catalogue, clear, name, clean.filled(False)), axis=0)
        assert equal(band, expected)
        assert band.dtype == np.float64


def test_median_without_clouds_of_another_collection(catalogue, clear):
    cloud = beside(catalogue, clear, "COPERNICUS/S2_CLOUD_PROBABILITY", "probability")
    passes = (cloud < 40).filled(False)
    assert 0.02 < passes.mean() < 0.98
    for name, band in rendered(catalogue, "joined median").items():
        assert equal(band, np.ma.median(stacked(catalogue, clear, name, passes), axis=0))


def test_mean_of_what_a_linked_band_lets_through(catalogue, clear):
    score = beside(catalogue, clear, "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED", "cs")
    passes = (score.astype(np.float64) >= 0.6).filled(False)
    for name, band in rendered(catalogue, "linked mean").items():
        expected = stacked(catalogue, clear, name, passes).mean(axis=0) / 10_000
        assert equal(band, expected)
        assert band.dtype == np.float32
        assert 0 < band.mean() < 1


def test_greenest_pixel(catalogue, clear):
    found = rendered(catalogue, "greenest")
    red, nir = (stacked(catalogue, clear, name).astype(np.float64) for name in ("B4", "B8"))
    ndvi = ((nir - red) / (nir + red)).astype(np.float32)
    # Of equal ones the last.
    best = len(ndvi) - 1 - ndvi.filled(-2)[::-1].argmax(axis=0)[np.newaxis]
    assert equal(found["ndvi"], ndvi.max(axis=0))
    assert equal(found["B4"], np.take_along_axis(red, best, axis=0)[0])


def test_a_stack_of_dates(catalogue, clear):
    found = rendered(catalogue, "stack")
    names = [f"{image.properties['system:index']}_B4" for image in clear]
    assert list(found) == names
    for band, expected in zip(found.values(), stacked(catalogue, clear, "B4"), strict=True):
        assert equal(band, expected.filled(65_535))


def test_metadata_as_lists(catalogue, clear):
    asked = ("system:index", "CLOUDY_PIXEL_PERCENTAGE")
    expected = [[image.properties[name] for image in clear] for name in asked]
    assert evaluate(PIPELINES["lists"], catalogue) == expected


def test_the_newest_image(catalogue, clear):
    newest = max(clear, key=lambda image: image.properties["system:time_start"])
    found = rendered(catalogue, "newest")
    assert list(found) == ["r", "g"]
    assert equal(found["g"], stacked(catalogue, [newest], "B3")[0])


def test_days_that_a_function_sets(catalogue, clear):
    expected = [image.start.strftime("%Y-%m-%d") for image in clear[:2]]
    assert evaluate(PIPELINES["days"], catalogue) == expected
