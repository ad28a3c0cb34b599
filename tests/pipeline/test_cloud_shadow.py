"""Shadows fall away from the sun, as far as the cloud is high."""

from __future__ import annotations

from itertools import product
from math import cos, radians, sin, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.errors import GridError, RecipeError
from eodata.pipeline.cloud_shadow import (
    FILTER_REACH,
    SHADOW_BANDS,
    shadow_reach,
    shadow_score,
)

NO_OPENING = 1000.0
"""At this pixel size [m] the radii of opening and growth are all below one pixel."""
AT_ONCE = (2000.0, 2000.0, 250.0)
"""One height only."""


def ground(shape, value=0.05):
    """Dark land: the infrared sum is 0.15, NDVI is above 0."""
    bands = {name: np.full(shape, value, np.float32) for name in SHADOW_BANDS}
    bands["B04"] *= 0.5
    return bands


def square_cloud(shape, row, column, half=7):
    cloud = np.zeros(shape, np.float32)
    cloud[row - half : row + half + 1, column - half : column + half + 1] = 1.0
    return cloud


def extreme(image, function, near):
    """Minimum or maximum over a neighbourhood by its definition; NaN takes no part and stays."""
    out = np.full_like(image, np.nan)
    known = [at for at in product(*map(range, image.shape)) if not np.isnan(image[at])]
    for row, column in known:
        out[row, column] = function(image[r, c] for r, c in known if near(r - row, c - column))
    return out


@pytest.mark.parametrize(
    ("azimuth", "down", "right"),
    [
        (0, 50, 0),
        (90, 0, -50),
        (180, -50, 0),
        (270, 0, 50),
        (45, 35, -35),
        (135, -35, -35),
        (225, -35, 35),
        (315, 35, 35),
    ],
)
def test_a_shadow_lies_opposite_to_the_sun(azimuth, down, right):
    shape = (161, 161)
    cloud = square_cloud(shape, 80, 80)
    # 2000 m × tan(26.57°) = 1000 m = 50 px.
    shadow = shadow_score(
        ground(shape), cloud, azimuth, np.degrees(np.arctan(0.5)), 20.0, heights=AT_ONCE
    )
    rows, columns = np.nonzero(shadow)
    assert (rows.mean(), columns.mean()) == pytest.approx((80 + down, 80 + right))
    assert shadow[80 + down, 80 + right] == 1.0


def test_only_the_dark_ground_behind_the_cloud_is_its_shadow():
    shape = (120, 120)
    bands = ground(shape, 0.4)
    behind, before = (slice(20, 50), slice(45, 75)), (slice(70, 100), slice(45, 75))
    for band in bands.values():
        band[behind] = band[before] = 0.05
    cloud = square_cloud(shape, 60, 60)
    shadow = shadow_score(bands, cloud, 180.0, 30.0, 20.0)
    assert shadow[25:45, 55:65].min() > 0
    # The opening makes a shadow 6 px wider on each side, the growth 1 px.
    assert shadow[56].any()
    assert not shadow[57:].any()


@pytest.mark.parametrize(
    ("change", "cloudy", "in_shadow"),
    [
        ({"B08": 0.1, "B11": 0.1, "B12": 0.099}, 0.1, True),
        ({"B08": 0.1, "B11": 0.1, "B12": 0.101}, 0.1, False),
        ({"B04": 0.1, "B08": 0.1 * 0.91 / 1.09}, 0.1, True),
        ({"B04": 0.1, "B08": 0.1 * 0.89 / 1.11}, 0.1, False),
        ({"B04": 0.0, "B08": 0.0}, 0.1, True),
        ({}, 0.199, True),
        ({}, 0.201, False),
    ],
)
def test_what_is_dark_enough(change, cloudy, in_shadow):
    """With the sun overhead the score of a pixel is cast on the pixel itself."""
    shape = (5, 5)
    pixel = dict.fromkeys(SHADOW_BANDS, 0.05) | change
    bands = {name: np.full(shape, value, np.float32) for name, value in pixel.items()}
    shadow = shadow_score(bands, np.full(shape, cloudy, np.float32), 0.0, 0.0, NO_OPENING)
    assert shadow == pytest.approx(cloudy if in_shadow else 0.0)


def test_the_bounds_can_be_set():
    shape = (5, 5)
    cloud = np.full(shape, 0.5, np.float32)
    args = (ground(shape), cloud, 0.0, 0.0, NO_OPENING)
    assert shadow_score(*args, cloud_above=0.6).all()
    assert not shadow_score(*args, cloud_above=0.6, dark_below=0.1).any()
    assert not shadow_score(*args, cloud_above=0.6, water_ndvi_below=0.9).any()


@pytest.mark.parametrize(("azimuth", "zenith"), [(155.0, 70.0), (20.0, 80.0), (260.0, 35.0)])
def test_the_score_is_the_mean_over_forty_heights(azimuth, zenith):
    cloud = np.random.default_rng(2).uniform(0, 0.2, (40, 50)).astype(np.float32)
    expected = np.zeros_like(cloud, np.float64)
    for height in range(200, 10_001, 250):
        distance = height * tan(radians(zenith)) / NO_OPENING
        down = round(distance * cos(radians(azimuth)))
        right = round(-distance * sin(radians(azimuth)))
        for row, column in product(range(40), range(50)):
            if 0 <= row - down < 40 and 0 <= column - right < 50:
                expected[row, column] += cloud[row - down, column - right] / 40
    shadow = shadow_score(ground((40, 50)), cloud, azimuth, zenith, NO_OPENING)
    np.testing.assert_allclose(shadow, expected, atol=1e-6)


@pytest.mark.parametrize(("gsd", "erode", "dilate", "grow"), [(20.0, 1.5, 3, 1), (10.0, 3, 6, 2)])
def test_the_score_is_opened_by_lengths_on_the_ground(gsd, erode, dilate, grow):
    rng = np.random.default_rng(4)
    cloud = np.kron(rng.uniform(0, 0.2, (3, 3)), np.ones((9, 9))).astype(np.float32)
    cloud[4, 5:8] = np.nan
    cloud[20, 20] = 0.0
    expected = cloud
    for _ in range(3):
        expected = extreme(expected, min, lambda r, c: r**2 + c**2 <= erode**2)
    for _ in range(3):
        expected = extreme(expected, max, lambda r, c: r**2 + c**2 <= dilate**2)
    expected = extreme(expected, max, lambda r, c: max(abs(r), abs(c)) <= grow)
    shadow = shadow_score(ground(cloud.shape), cloud, 0.0, 0.0, gsd)
    assert len(np.unique(expected[~np.isnan(expected)])) > 1
    np.testing.assert_allclose(shadow, expected, rtol=1e-6)


def test_a_dark_speck_is_no_shadow():
    shape = (60, 60)
    cloud = np.full(shape, 0.2, np.float32)
    bands = ground(shape, 0.4)
    for band in bands.values():
        band[10:16, 10:16] = 0.05  # 6 px: three minima over 3 × 3 px leave nothing
        band[40:47, 40:47] = 0.05  # 7 px: one pixel is left and grows
    shadow = shadow_score(bands, cloud, 0.0, 0.0, 20.0)
    assert not shadow[:30, :30].any()
    assert shadow[43, 43] == pytest.approx(0.2)


def test_a_gap_stays_a_gap_does_not_spread_and_casts_no_shadow():
    shape = (80, 80)
    cloud = square_cloud(shape, 60, 40)
    args = (180.0, np.degrees(np.arctan(0.4)), 20.0)
    whole = shadow_score(ground(shape), cloud, *args, heights=AT_ONCE)
    bands = ground(shape)
    bands["B12"][20, 40] = np.nan
    holed = shadow_score(bands, cloud, *args, heights=AT_ONCE)
    assert np.argwhere(np.isnan(holed)).tolist() == [[20, 40]]
    np.testing.assert_array_equal(np.nan_to_num(holed, nan=1.0), whole)
    unseen = np.where(cloud > 0, np.nan, cloud)
    dark = shadow_score(ground(shape), unseen, *args, heights=AT_ONCE)
    np.testing.assert_array_equal(np.isnan(dark), np.isnan(unseen))
    assert np.nanmax(dark) == 0


@settings(max_examples=20, deadline=None)
@given(
    down=st.integers(-12, 12),
    right=st.integers(-12, 12),
    azimuth=st.floats(0, 360),
    zenith=st.floats(0, 60),
)
def test_the_shadow_moves_with_the_cloud(down, right, azimuth, zenith):
    shape = (150, 150)
    heights = (500.0, 900.0, 100.0)
    args = (azimuth, zenith, 20.0)
    here = shadow_score(ground(shape), square_cloud(shape, 75, 75), *args, heights=heights)
    cloud = square_cloud(shape, 75 + down, 75 + right)
    there = shadow_score(ground(shape), cloud, *args, heights=heights)
    # At most 900 m × tan(60°) = 78 px away: those that fall beyond the edge are cut.
    back = np.roll(there, (-down, -right), (0, 1))
    inner = (slice(25, -25), slice(25, -25))
    np.testing.assert_array_equal(back[inner], here[inner])


def test_a_shadow_beyond_the_edge_is_not_seen():
    shape = (30, 30)
    shadow = shadow_score(ground(shape), square_cloud(shape, 15, 15), 10.0, 85.0, 20.0)
    assert shadow.shape == shape
    assert not shadow.any()


def test_the_reach_of_a_shadow():
    assert shadow_reach(45.0) == pytest.approx(10_000)
    assert shadow_reach(60.0, 2000.0) == pytest.approx(2000 * 3**0.5)
    assert shadow_reach(0.0) == 0


def test_with_both_margins_the_inner_pixels_know_all_they_need():
    # Thicker to where the shadow comes from, so that the maxima come from there too.
    cloud = np.broadcast_to(np.linspace(0, 0.2, 117, dtype=np.float32), (117, 117))
    heights = (600.0, 600.0, 100.0)
    margin = int(np.ceil((shadow_reach(30.0, 600.0) + FILTER_REACH) / 20.0))
    part = (slice(20, 100), slice(15, 95))
    inner = (slice(margin, -margin), slice(margin, -margin))
    args = (90.0, 30.0, 20.0)
    whole = shadow_score(ground(cloud.shape), cloud, *args, heights=heights)
    cut = shadow_score(ground((80, 80)), cloud[part], *args, heights=heights)
    assert len(np.unique(whole[part][inner])) > 1
    np.testing.assert_array_equal(cut[inner], whole[part][inner])


@pytest.mark.parametrize("zenith", [90.0, 120.0, -1.0, float("nan")])
def test_without_a_sun_there_is_no_shadow(zenith):
    with pytest.raises(RecipeError, match="horizon"):
        shadow_reach(zenith)
    with pytest.raises(RecipeError, match="horizon"):
        shadow_score(ground((3, 3)), np.zeros((3, 3), np.float32), 0.0, zenith, 20.0)


@pytest.mark.parametrize(
    ("azimuth", "heights"),
    [(0.0, (200.0, 100.0, 250.0)), (0.0, (200.0, 300.0, 0.0)), (float("nan"), AT_ONCE)],
)
def test_heights_and_azimuth_must_make_sense(azimuth, heights):
    with pytest.raises(RecipeError, match="first <= last"):
        shadow_score(
            ground((3, 3)), np.zeros((3, 3), np.float32), azimuth, 30.0, 20.0, heights=heights
        )


def test_a_cloud_score_of_another_grid_is_refused():
    with pytest.raises(GridError, match="cloud"):
        shadow_score(ground((3, 3)), np.zeros((3, 4), np.float32), 0.0, 30.0, 20.0)
