"""Which image fills a pixel, and the median of many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.pipeline import best_pixel
from eodata.pipeline.best_pixel import (
    best_of,
    cloudy_fraction,
    kept_on_top,
    median_of,
    quality_score,
)

NAN = float("nan")


def row(*values):
    """An image of one row."""
    return np.array([values], np.float32)


def stack(*images):
    return np.stack([row(*image) for image in images])


def test_quality_is_minus_the_mean_of_the_worse_of_both():
    cloud, shadow = row(0.1, 0.9, NAN, 0.3), row(0.4, 0.2, 0.5, 0.3)
    assert quality_score(cloud, shadow, 0)[0].tolist() == pytest.approx(
        [-0.4, -0.9, NAN, -0.3], nan_ok=True
    )
    assert quality_score(cloud, shadow, 1)[0].tolist() == pytest.approx(
        [-0.65, -0.65, NAN, -0.3], nan_ok=True
    )


def test_the_square_of_the_quality_has_a_radius_of_five():
    cloud = np.zeros((31, 31), np.float32)
    cloud[15, 15] = 1.0
    touched = np.argwhere(quality_score(cloud, np.zeros_like(cloud)) < -1e-6)
    assert (touched.min(), touched.max(), len(touched)) == (10, 20, 121)


def test_the_cloudy_fraction_counts_measured_pixels_alone():
    assert cloudy_fraction(row(0.1, 0.3, NAN, 0.9, 0.15)) == 0.5
    assert cloudy_fraction(row(0.1, 0.3), above=0.05) == 1.0
    assert cloudy_fraction(row(0.25, 0.25), above=0.25) == 0.0
    assert np.isnan(cloudy_fraction(row(NAN, NAN)))


def test_the_best_quality_fills_each_pixel():
    quality = stack((-0.3, -0.1, NAN, NAN), (-0.2, -0.5, -0.9, NAN))
    index = best_of(quality)
    assert index.dtype == np.int16
    assert index[0].tolist() == [1, 0, 1, -1]


def test_almost_clear_images_lie_on_top_the_least_cloudy_first():
    assert kept_on_top([0.5, 0.01, 0.03]) == [1, 2]
    assert kept_on_top([0.5, 0.03, 0.01]) == [2, 1]


def test_the_bound_of_what_is_kept_is_five_percent_and_exclusive():
    assert kept_on_top([0.0499, 0.5]) == [0]
    assert kept_on_top([0.05, 0.5]) == []
    assert kept_on_top([NAN, 0.5]) == []
    assert kept_on_top([0.05, 0.5], keep_below=0.06) == [0]
    assert kept_on_top([0.0, 0.5], keep_below=0.0) == []


def test_ties_go_to_the_smaller_index():
    assert best_of(stack((NAN,), (-0.2,), (-0.2,))).item() == 1
    assert kept_on_top([0.01, 0.01, 0.01]) == [0, 1, 2]


def median(values, integer):
    """Of one pixel, by its definition."""
    ranked = sorted(values.tolist())
    low, high = ranked[(len(ranked) - 1) // 2], ranked[len(ranked) // 2]
    return round((low + high) / 2) if integer else (low + high) / 2


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 9),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "int32", "float32", "float64"]),
    extreme=st.booleans(),
)
def test_the_median_is_that_of_the_valid_images(seed, count, dtype, extreme):
    rng = np.random.default_rng(seed)
    shape, integer = (count, 2, 5, 3), not dtype.startswith("float")
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if integer and extreme else (0, 9)
    values = rng.integers(low, high, shape, endpoint=True).astype(dtype)
    valid = rng.random((count, 5, 3)) < 0.7
    got, there = median_of(values, valid)
    assert got.dtype == values.dtype
    np.testing.assert_array_equal(there, valid.any(axis=0))
    for c, r, k in np.ndindex(2, 5, 3):
        known = values[valid[:, r, k], c, r, k]
        if len(known):
            assert got[c, r, k] == median(known, integer)
        else:
            assert got[c, r, k] == 0 if integer else np.isnan(got[c, r, k])


@pytest.mark.parametrize(
    ("pair", "expected"), [((0, 1), 0), ((1, 2), 2), ((2, 3), 2), ((-1, -2), -2), ((-1, 0), 0)]
)
def test_halves_go_to_the_even_neighbour(pair, expected):
    values = np.array(pair, np.int16).reshape(2, 1, 1, 1)
    assert median_of(values, np.ones((2, 1, 1), bool))[0].item() == expected


def test_a_nan_of_one_band_is_left_out_of_that_band_alone():
    values = np.array([[1.0, 1.0], [NAN, 5.0], [3.0, 9.0]], np.float32).reshape(3, 2, 1, 1)
    got, there = median_of(values, np.ones((3, 1, 1), bool))
    assert got.ravel().tolist() == [2.0, 5.0]
    assert there.all()


def test_the_median_does_not_depend_on_the_strips(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 10_000, (7, 3, 23, 11), dtype=np.uint16)
    valid = rng.random((7, 23, 11)) < 0.5
    whole, _ = median_of(values, valid)
    monkeypatch.setattr(best_pixel, "_STRIP_BYTES", 500)
    strips, _ = median_of(values, valid)
    np.testing.assert_array_equal(strips, whole)
    untouched = np.ma.array(values, mask=np.broadcast_to(~valid[:, None], values.shape))
    expected = np.rint(np.ma.median(untouched, axis=0).filled(0))
    np.testing.assert_array_equal(whole, expected)


def test_the_inputs_are_left_as_they_were_and_no_image_gives_nothing():
    values = np.array([3, 1, 2], np.uint16).reshape(3, 1, 1, 1)
    valid = np.ones((3, 1, 1), bool)
    median_of(values, valid)
    assert values.ravel().tolist() == [3, 1, 2]
    got, there = median_of(values[:0], valid[:0])
    assert got.tolist() == [[[0]]]
    assert there.tolist() == [[False]]
