"""The rules that tell clouds and shadows, constant by constant."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.errors import GridError, RecipeError
from eodata.pipeline.cloud_score import (
    RULE_BANDS,
    SCORE_BANDS,
    cloud_score,
    cloud_shadow_rules,
    mean_filter,
)

CLOUD = {"B01": 0.5, "B02": 0.6, "B03": 0.6, "B04": 0.6, "B08": 0.6, "B10": 0.5, "B11": 0.3}
"""Every ramp of this pixel scores 1 or more."""

# What to change to move one ramp to 0, one half and 1 while all others stay at 1. Some values are
# below 0, which noise and atmospheric correction give too.
SHARED = {
    "blue": [{"B02": v} for v in (0.1, 0.3, 0.5)],
    "aerosol": [{"B01": v, "B10": 0.9} for v in (0.1, 0.2, 0.3)],
    "visible": [{"B02": 0.5, "B03": 0.1, "B04": v} for v in (-0.4, -0.1, 0.2)],
    "snow (NDSI)": [{"B03": 0.3 * (1 + i) / (1 - i)} for i in (0.8, 0.7, 0.6)],
}
SCORE_RAMPS = SHARED | {
    "cirrus": [{"B01": 0.3, "B10": v} for v in (-0.15, -0.125, -0.1)],
    "moisture (NDMI)": [{"B08": 0.3 * (1 + i) / (1 - i)} for i in (-0.1, 0.0, 0.1)],
}
RULE_RAMPS = SHARED | {"cirrus": [{"B01": 0.3, "B10": v} for v in (0.1, 0.35, 0.6)]}


def flat(pixel, shape=(9, 9)):
    return {name: np.full(shape, value, np.float32) for name, value in pixel.items()}


def random_bands(seed, shape, gaps=0.0):
    rng = np.random.default_rng(seed)
    bands = {name: rng.uniform(0.0, 0.9, shape).astype(np.float32) for name in SCORE_BANDS}
    bands["B02"][rng.random(shape) < gaps] = np.nan
    return bands


def square(image, row, column, radius):
    """The pixels of the array within a square."""
    rows = slice(max(row - radius, 0), row + radius + 1)
    return image[rows, max(column - radius, 0) : column + radius + 1]


def over_squares(image, radius, function):
    """A filter by its definition: what is NaN or outside takes no part, and NaN stays."""
    out = np.full(image.shape, np.nan)
    for at in product(*map(range, image.shape)):
        if not np.isnan(image[at]):
            out[at] = function(square(image, *at, radius))
    return out


def test_a_perfect_cloud_scores_one_and_dark_ground_the_floor():
    assert cloud_score(flat(CLOUD)) == pytest.approx(1.0)
    assert cloud_score(flat(dict.fromkeys(SCORE_BANDS, 0.0))) == pytest.approx(0.001)


@pytest.mark.parametrize("ramp", SCORE_RAMPS)
def test_each_ramp_of_the_score_runs_from_its_first_to_its_second_constant(ramp):
    scores = [cloud_score(flat(CLOUD | change), radius=0)[0, 0] for change in SCORE_RAMPS[ramp]]
    assert scores == pytest.approx([0.001, 0.5, 1.0], abs=2e-5)


@pytest.mark.parametrize("ramp", RULE_RAMPS)
def test_each_ramp_of_the_rules_runs_from_its_first_to_its_second_constant(ramp):
    zero, half, one = (flat(CLOUD | change) for change in RULE_RAMPS[ramp])
    assert not cloud_shadow_rules(zero, 0.001).any()
    assert cloud_shadow_rules(half, 0.499).all()
    assert not cloud_shadow_rules(half, 0.501).any()
    assert cloud_shadow_rules(one, 0.9999).all()


def test_the_rules_do_not_ask_for_moisture():
    dry = CLOUD | {"B08": 0.01}
    assert cloud_score(flat(dry)).max() < 0.01
    assert cloud_shadow_rules(flat(dry), 0.9).all()


def test_the_score_is_the_least_ramp_and_then_a_mean_over_a_square():
    bands = random_bands(1, (12, 14), gaps=0.1)
    single = cloud_score(bands, radius=0)
    for radius in (1, 5):
        expected = over_squares(single, radius, np.nanmean)
        np.testing.assert_allclose(cloud_score(bands, radius), expected, rtol=1e-5)


def test_the_default_square_has_a_radius_of_five():
    bands = flat(dict.fromkeys(SCORE_BANDS, 0.0), (31, 31))
    for name, value in CLOUD.items():
        bands[name][15, 15] = value
    touched = np.argwhere(cloud_score(bands) > 0.002)
    assert touched.min() == 10
    assert touched.max() == 20
    assert len(touched) == 121


@pytest.mark.parametrize("name", SCORE_BANDS)
def test_a_gap_in_any_band_is_a_gap_of_the_score_and_does_not_spread(name):
    bands = flat(CLOUD, (15, 15))
    whole = cloud_score(bands)
    bands[name][7, 3] = np.nan
    holed = cloud_score(bands)
    assert np.argwhere(np.isnan(holed)).tolist() == [[7, 3]]
    np.testing.assert_allclose(holed[~np.isnan(holed)], whole[~np.isnan(holed)], rtol=1e-6)
    assert cloud_shadow_rules(bands)[7, 3] == 0
    assert cloud_shadow_rules(bands).sum() == 15 * 15 - 1


def test_where_nothing_was_measured_nothing_is_said():
    bands = flat(dict.fromkeys(SCORE_BANDS, np.nan))
    assert np.isnan(cloud_score(bands)).all()
    assert not cloud_shadow_rules(bands).any()


def test_equal_pixels_keep_equal_scores_so_that_ties_stay_ties():
    image = np.full((70, 90), 0.001, np.float32)
    image[20:30, 5:9] = np.nan
    assert set(np.unique(mean_filter(image, 5)[~np.isnan(image)])) == {np.float32(0.001)}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), radius=st.integers(0, 6))
def test_the_score_stays_within_its_bounds(seed, radius):
    score = cloud_score(random_bands(seed, (11, 13), gaps=0.2), radius)
    known = score[~np.isnan(score)]
    assert score.dtype == np.float32
    assert known.min() >= np.float32(0.001)
    assert known.max() <= 1


@settings(max_examples=25, deadline=None)
@given(down=st.integers(0, 9), right=st.integers(0, 9))
def test_the_score_moves_with_the_ground(down, right):
    bands = random_bands(3, (32, 32), gaps=0.05)
    there = {name: band[down : down + 20, right : right + 20] for name, band in bands.items()}
    inner = (slice(5, -5), slice(5, -5))
    whole = cloud_score(bands)[down : down + 20, right : right + 20]
    np.testing.assert_allclose(cloud_score(there)[inner], whole[inner], rtol=1e-5)


def test_the_rules_follow_their_definition():
    rng = np.random.default_rng(5)
    coarse = {name: rng.uniform(0, 0.8, (8, 8)) for name in RULE_BANDS}
    bands = {name: np.kron(band, np.ones((4, 4))) for name, band in coarse.items()}
    bands["B10"][3, 5:9] = np.nan
    known = ~np.isnan(bands["B10"])
    b1, b2, b3, b4, b8, b10, b11 = (np.where(known, bands[name], np.nan) for name in RULE_BANDS)
    ramps = [
        (b2 - 0.1) / 0.4,
        (b1 - 0.1) / 0.2,
        (b1 + b10 - 0.4) / 0.5,
        (b4 + b3 + b2 - 0.2) / 0.6,
        ((b3 - b11) / (b3 + b11) - 0.8) / -0.2,
    ]
    score = np.min([np.ones_like(b1), *ramps], axis=0)
    closed = over_squares(over_squares(score, 2, np.nanmax), 2, np.nanmin)
    cloud = over_squares(closed, 3, np.nanmean) >= 0.2
    infrared = (b8 + b11) / 2
    low = infrared < np.nanmin(infrared) + 3 / 4 * (np.nanmean(infrared) - np.nanmin(infrared))
    low &= b2 < np.nanmin(b2) + 5 / 6 * (np.nanmean(b2) - np.nanmin(b2))
    shadow = over_squares(np.where(known, low, np.nan), 2, np.nanmean) > 0.5
    expected = (cloud | shadow) & known
    assert score[known].min() < 0, "the ramps of the rules have no lower bound"
    assert cloud.any()
    assert (shadow & ~cloud).any()
    assert not expected.all()
    np.testing.assert_array_equal(cloud_shadow_rules(bands), expected)


@pytest.mark.parametrize(("names", "share"), [(("B08", "B11"), 3 / 4), (("B02",), 5 / 6)])
def test_a_shadow_is_dark_both_in_the_infrared_and_in_the_blue(names, share):
    bands = flat(dict.fromkeys(RULE_BANDS, 0.4) | {"B01": 0.0}, (40, 40))
    limit = 0.35 * share / (1 - share / 16)  # share of the mean of all, with 0 as the least
    for name in bands:
        bands[name][:10, :10] = bands[name][20:30, 20:30] = 0.0
    for factor, in_shadow in ((0.99, 1), (1.01, 0)):
        for name in names:
            bands[name][20:30, 20:30] = factor * limit
        found = cloud_shadow_rules(bands)
        assert found[5, 5] == 1
        assert found[25, 25] == in_shadow


def test_the_rules_find_a_shadow_but_not_a_dark_speck():
    ground = dict.fromkeys(RULE_BANDS, 0.2) | {"B01": 0.05}
    bands = flat(ground, (40, 40))
    for name in bands:
        bands[name][10:20, 10:20] = 0.02
        bands[name][30:32, 30:32] = 0.02
    found = cloud_shadow_rules(bands)
    assert found.dtype == np.uint8
    assert found[12:18, 12:18].all()
    assert not found[25:, 25:].any()
    assert found.sum() <= 100


@pytest.mark.parametrize("function", [cloud_score, cloud_shadow_rules])
def test_a_missing_band_is_named(function):
    bands = flat(CLOUD)
    del bands["B10"]
    with pytest.raises(RecipeError) as error:
        function(bands)
    assert error.value.found.startswith("B10 missing")
    assert "Level-2A has no B10" in error.value.fix


@pytest.mark.parametrize("function", [cloud_score, cloud_shadow_rules])
def test_bands_of_two_grids_are_refused(function):
    with pytest.raises(GridError) as error:
        function(flat(CLOUD) | {"B11": np.zeros((1, 9), np.float32)})
    assert "(1, 9)" in error.value.found
