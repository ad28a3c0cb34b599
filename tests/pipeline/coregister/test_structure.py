"""What the structure of simple forms is: which way edges run, how strong they are, what counts."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.structure import structure, usable

SIZE = 48
ROWS, COLS = np.mgrid[:SIZE, :SIZE]
INSIDE = slice(8, -8)


def view(*bands, valid=None):
    valid = np.ones((SIZE, SIZE), np.bool_) if valid is None else valid
    return View(np.stack(bands).astype(np.float32), valid)


def at_edge(features):
    """The features where they are strongest, without what surrounds them."""
    inner = features[:, INSIDE, INSIDE].reshape(3, -1)
    strongest = inner[2].argmax()
    return inner[:, strongest] - np.median(inner, axis=1)


@pytest.mark.parametrize(
    ("form", "along", "diagonal"),
    [
        (ROWS >= 24, 1, 0),
        (COLS >= 24, -1, 0),
        (ROWS + COLS >= 48, 0, 1),
        (ROWS - COLS >= 0, 0, -1),
    ],
    ids=["along columns", "along rows", "falling", "rising"],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_an_edge_tells_which_way_it_runs(form, along, diagonal, sign):
    found = at_edge(structure(view(sign * form))[0])
    np.testing.assert_allclose(found[:2] / found[2], [along, diagonal], atol=0.02)


def test_the_strength_grows_as_the_contrast_does():
    features, _ = structure(view((COLS >= 16) + 4.0 * (COLS >= 32)))
    line = features[2, 24] - np.median(features[2, INSIDE, 20:28])
    assert line[28:36].max() / line[12:20].max() == pytest.approx(4, rel=0.05)


def test_bands_count_alike_whatever_their_unit():
    features, _ = structure(view(ROWS >= 24, 1e4 * (COLS >= 24)))
    line, across = features[2, 24, 12], features[2, 12, 24]
    assert line == pytest.approx(across, rel=0.02)


def test_features_have_no_mean():
    features, weights = structure(view((ROWS // 7 + COLS // 5) % 3))
    assert features.shape == (3, SIZE, SIZE)
    np.testing.assert_allclose(features.sum(axis=(1, 2)) / weights.sum(), 0, atol=1e-5)


def test_a_slope_is_no_edge_at_the_border_of_the_tile():
    features, weights = structure(view(3 * ROWS + COLS))
    assert np.abs(features).max() < 0.12 * weights.max()


def test_a_hole_is_no_edge():
    valid = np.hypot(ROWS - 20, COLS - 25) > 8
    field = np.where(valid, 3.0 * ROWS + COLS, 1e4)
    features, weights = structure(view(field, valid=valid))
    assert np.abs(features).max() < 0.35 * weights.max()
    assert not features[:, ~valid].any()


def test_weights_fall_towards_borders_and_holes():
    valid = np.ones((SIZE, SIZE), np.bool_)
    valid[24, 24] = False
    weights = usable(valid)
    assert weights.dtype == np.float32
    assert not weights[23:26, 23:26].any()
    assert weights[12, 12] == 1
    assert (np.diff(weights[24, :8]) >= 0).all()
    assert weights[24, 0] < 0.2


def test_what_is_not_seen_has_neither_weight_nor_structure():
    features, weights = structure(view(ROWS >= 24, valid=np.zeros((SIZE, SIZE), np.bool_)))
    assert not features.any()
    assert not weights.any()


def test_the_last_digit_of_a_constant_is_no_structure():
    jitter = np.nextafter(np.float32(1000), np.float32(2000)) - 1000
    noise = np.random.default_rng(0).integers(0, 2, (SIZE, SIZE)) * jitter
    features, _ = structure(view(1000 + noise))
    assert not features.any()
