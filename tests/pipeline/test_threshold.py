"""Averaged, compared, dilated: equal to s2cloudless where all is valid, and sane where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from eodata.core.errors import RecipeError
from eodata.pipeline.threshold import threshold

RECIPE = {"average_over": 4, "dilation_size": 2}


def field(seed: int, size: tuple[int, int], n: int = 3) -> np.ndarray:
    """Smooth random values of `(n, H, W)` that fill [0, 1]."""
    noise = np.random.default_rng(seed).random((n, *size))
    smooth = ndimage.gaussian_filter(noise, (0, 3, 3))
    return ((smooth - smooth.min()) / max(np.ptp(smooth), 1e-9)).astype(np.float32)


def all_valid(values: np.ndarray) -> np.ndarray:
    return np.ones(values.shape, np.bool_)


@pytest.mark.parametrize("size", [(64, 64), (33, 70), (9, 9), (5, 40)])
@pytest.mark.parametrize("limit", [0.3, 0.4, 0.7])
# Not (0, 2): the library cannot dilate what it did not average (OpenCV refuses its int8).
@pytest.mark.parametrize("radii", [(4, 2), (1, 1), (2, 0), (0, 0), (7, 5)])
def test_threshold_when_all_is_valid_then_the_mask_of_s2cloudless(
    size: tuple[int, int], limit: float, radii: tuple[int, int]
) -> None:
    library: Any = pytest.importorskip("s2cloudless", reason="the extra cloudmask is missing")
    detector = library.S2PixelCloudDetector(
        threshold=limit, all_bands=True, average_over=radii[0], dilation_size=radii[1]
    )
    values = field(3, size)
    ours = threshold(
        values, all_valid(values), above=limit, average_over=radii[0], dilation_size=radii[1]
    )
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, detector.get_mask_from_prob(values))


def test_threshold_when_the_mean_is_the_threshold_then_neither_above_nor_below() -> None:
    for values in (np.full((1, 12, 12), 0.4, np.float32), np.full((1, 12, 12), 40.0, np.float64)):
        limit = float(values[0, 0, 0]) if values.dtype == np.float64 else 0.4
        valid = all_valid(values)
        assert not threshold(values, valid, above=limit, average_over=4).any()
        assert not threshold(values, valid, below=limit, average_over=4).any()


def test_threshold_when_below_then_the_other_side() -> None:
    values = field(4, (30, 30))
    valid = all_valid(values)
    np.testing.assert_array_equal(
        threshold(values, valid, below=0.5), 1 - threshold(values, valid, above=0.5)
    )
    np.testing.assert_array_equal(
        threshold(values, valid, below=0.5, **RECIPE),
        threshold(1 - values, valid, above=0.5, **RECIPE),
    )


def test_threshold_when_one_pixel_is_marked_then_dilated_to_the_disc() -> None:
    values = np.zeros((2, 9, 9), np.float32)
    values[0, 4, 4] = values[0, 0, 0] = 1
    marked = threshold(values, all_valid(values), above=0.5, dilation_size=2)
    y, x = np.mgrid[:9, :9]
    disc = ((y - 4) ** 2 + (x - 4) ** 2 <= 4) | (y**2 + x**2 <= 4)
    np.testing.assert_array_equal(marked[0], disc)
    assert not marked[1].any()  # the neighbour in the stack is another image


def test_threshold_when_pixels_are_invalid_then_the_mean_is_that_of_the_valid_ones() -> None:
    values = field(5, (14, 17), n=1)
    valid = np.random.default_rng(6).random(values.shape) < 0.7
    values[~valid] = np.nan
    values.setflags(write=False)
    expected = np.zeros((14, 17))
    filled = np.pad(np.where(valid, values, np.nan)[0], 2, "symmetric")
    y, x = np.mgrid[-2:3, -2:3]
    for i, j in np.ndindex(14, 17):
        expected[i, j] = np.nanmean(filled[i : i + 5, j : j + 5][y**2 + x**2 <= 4])
    near = np.abs(expected - 0.5) < 1e-6
    assert not near.any()
    marked = threshold(values, valid, above=0.5, average_over=2)
    np.testing.assert_array_equal(marked[0], (expected > 0.5) & valid[0])


def test_threshold_when_a_cloud_is_invalid_then_it_neither_counts_nor_spreads() -> None:
    values = np.zeros((1, 20, 20), np.float32)
    values[0, 8:12, 8:12] = 1
    valid = values == 0
    assert not threshold(values, valid, above=0.01, **RECIPE).any()
    assert threshold(values, all_valid(values), above=0.01, **RECIPE).any()


def test_threshold_when_marked_next_to_invalid_then_the_invalid_stay_unmarked() -> None:
    values = np.ones((1, 6, 6), np.float32)
    valid = all_valid(values)
    valid[0, :, 3:] = False
    np.testing.assert_array_equal(threshold(values, valid, above=0.4, **RECIPE), valid)


@pytest.mark.parametrize("side", ["above", "below"])
def test_threshold_when_nothing_is_valid_then_nothing_is_marked(side: str) -> None:
    values = np.full((1, 8, 8), np.nan, np.float32)
    marked = threshold(values, np.zeros(values.shape, np.bool_), **{side: 0.4}, **RECIPE)
    assert not marked.any()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"above": 0.4, "below": 0.2},
        {"above": 0.4, "average_over": -1},
        {"below": 0.4, "dilation_size": -2},
    ],
)
def test_threshold_when_it_makes_no_sense_then_refused(given: dict[str, Any]) -> None:
    values = np.zeros((1, 4, 4), np.float32)
    with pytest.raises(RecipeError, match="threshold"):
        threshold(values, all_valid(values), **given)
