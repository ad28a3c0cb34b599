"""From numbers of a store to what is compared, and onto longer pixels."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.core.band import Band
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.view import WEAKEST_POWER, shrunk, view_of

RED = Band("red", "continuous", "uint16", 10.0, scale=1e-4, offset=-0.1)
NIR = Band("nir", "continuous", "uint16", 10.0, scale=2e-4)
DECIBELS = Band("vv", "continuous", "float32", 10.0, "dB")
POWER = Band("vh", "continuous", "float32", 10.0, "1")
CLASSES = Band("lc", "categorical", "uint8", 10.0)
WHOLE = np.ones((2, 2), np.bool_)
PART = np.array([[True, True], [True, False]])


def test_reflectance_then_physical_numbers_per_band() -> None:
    values = np.array([[[1000, 2000], [3000, 4000]], [[0, 5000], [1, 2]]], np.uint16)
    view = view_of(values, WHOLE, [RED, NIR], "optical")
    np.testing.assert_allclose(view.values[0], [[0.0, 0.1], [0.2, 0.3]], atol=1e-6)
    np.testing.assert_allclose(view.values[1], [[0.0, 1.0], [2e-4, 4e-4]], atol=1e-6)
    assert view.values.dtype == np.float32
    assert view.valid is WHOLE


def test_powers_and_decibels_then_both_in_decibels() -> None:
    values = np.array([[[-10, -20], [0, 3]], [[0.1, 0.01], [1, 2]]], np.float32)
    view = view_of(values, WHOLE, [DECIBELS, POWER], "radar")
    np.testing.assert_array_equal(view.values[0], values[0])
    np.testing.assert_allclose(view.values[1], [[-10, -20], [0, 3.0103]], atol=1e-4)


def test_power_of_nothing_then_the_weakest() -> None:
    values = np.array([[[0.0, -1e-3], [1e-9, 1.0]]], np.float32)
    view = view_of(values, WHOLE, [POWER], "radar")
    weakest = 10 * np.log10(WEAKEST_POWER)
    np.testing.assert_allclose(view.values[0], [[weakest, weakest], [weakest, 0]], atol=1e-4)


@pytest.mark.parametrize(
    ("band", "sight"), [(DECIBELS, "radar"), (POWER, "radar"), (NIR, "optical")]
)
def test_not_valid_then_0_and_finite(band: Band, sight) -> None:
    values = np.array([[[0.5, 1.0], [2.0, np.nan]]], np.float32)
    view = view_of(values, PART, [band], sight)
    assert np.isfinite(view.values).all()
    assert view.values[0, 1, 1] == 0
    assert (view.values[0][PART] != 0).sum() >= 2
    np.testing.assert_array_equal(view.valid, PART)


def test_classes_then_a_band_for_each_that_is_shown() -> None:
    values = np.array([[[10, 40], [40, 255]]], np.uint8)
    view = view_of(values, PART, [CLASSES], "classes")
    assert view.values.tolist() == [[[1, 0], [0, 0]], [[0, 1], [1, 0]]]
    assert view.values.dtype == np.float32


# --- shrunk


def ramp(rows: int, cols: int, valid: np.ndarray | None = None) -> View:
    values = np.arange(2 * rows * cols, dtype=np.float32).reshape(2, rows, cols)
    return View(values, np.ones((rows, cols), np.bool_) if valid is None else valid)


def test_shrunk_by_1_then_the_same_view() -> None:
    view = ramp(4, 4)
    assert shrunk(view, 1) is view


def test_shrunk_then_means_of_each_square() -> None:
    found = shrunk(ramp(4, 6), 2)
    assert found.values.tolist() == [
        [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]],
        [[27.5, 29.5, 31.5], [39.5, 41.5, 43.5]],
    ]
    assert found.valid.all()
    assert found.values.dtype == np.float32


def test_shrunk_when_some_are_not_valid_then_means_of_the_others_and_half_is_enough() -> None:
    valid = np.ones((2, 8), np.bool_)
    valid[0, 0] = False  # three of four
    valid[:, 2] = False  # two
    valid[:, 4] = valid[0, 5] = False  # one
    valid[:, 6:] = False
    view = ramp(2, 8, valid)
    wild = View(np.where(valid, view.values, np.float32(1e6)), valid)
    for one in (view, wild):
        found = shrunk(one, 2)
        assert found.valid.tolist() == [[True, True, False, False]]
        np.testing.assert_allclose(found.values[0], [[(1 + 8 + 9) / 3, (3 + 11) / 2, 0, 0]])


def test_shrunk_when_invalid_numbers_are_not_finite_then_the_result_is() -> None:
    valid = np.array([[True, False], [True, True]])
    view = View(np.array([[[2, np.nan], [4, 6]]], np.float32), valid)
    assert shrunk(view, 2).values.tolist() == [[[4.0]]]


@pytest.mark.parametrize(("rows", "cols"), [(5, 4), (4, 5), (5, 5)])
def test_shrunk_when_rows_or_columns_are_left_over_then_they_are_dropped(
    rows: int, cols: int
) -> None:
    view = ramp(rows, cols)
    found, whole = shrunk(view, 2), shrunk(View(view.values[:, :4, :4], view.valid[:4, :4]), 2)
    np.testing.assert_array_equal(found.values, whole.values)
    assert found.valid.shape == (2, 2)


def test_shrunk_to_less_than_a_pixel_then_nothing() -> None:
    assert shrunk(ramp(3, 3), 4).valid.shape == (0, 0)
