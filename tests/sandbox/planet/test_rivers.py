"""Rivers and brooks."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.planet.rivers import (
    BROOK_M,
    FAR_M,
    LEAST_RIVER_M,
    RIVER_M,
    Rivers,
    brook_line,
    river_depth,
)

RIVERS = Rivers(1)
STEP_DEG = 1 / 400
LON, LAT = np.meshgrid(20 + np.arange(160) * STEP_DEG, 2 + np.arange(160) * STEP_DEG)
STEP_M = STEP_DEG * 111_195.0


def nodes(wetness: float) -> tuple[np.ndarray, ...]:
    return RIVERS.nodes(LON, LAT, np.full(LON.shape, wetness, np.float32))


def test_deserts_have_no_rivers() -> None:
    _, river_width, _, brook_width = nodes(0.0)
    assert river_width.max() < LEAST_RIVER_M
    assert brook_width.max() < BROOK_M / 4


def test_wet_land_has_rivers_of_the_stated_width() -> None:
    _, river_width, _, brook_width = nodes(0.9)
    assert RIVER_M / 2 < river_width.mean() < RIVER_M * 1.2
    assert BROOK_M / 2 < brook_width.mean() < BROOK_M * 1.2


@pytest.mark.parametrize("which", [0, 2])
def test_distance_grows_by_a_metre_per_metre_from_the_line(which: int) -> None:
    away = nodes(0.6)[which]
    assert (away > 0).any()
    assert (away < 0).any()
    slope = np.hypot(*np.gradient(away.astype(float), STEP_M))
    near = np.abs(away) < 500
    assert near.sum() > 20
    assert np.median(slope[near]) == pytest.approx(1.0, abs=0.15)


def test_rivers_are_farther_apart_than_brooks() -> None:
    river, _, brook, _ = nodes(0.6)
    crossings = [(np.diff(np.sign(line), axis=1) != 0).sum() for line in (river, brook)]
    assert crossings[1] > 2 * crossings[0]


def test_depth_is_positive_inside_the_banks_only() -> None:
    river = np.array([-200.0, -50.0, 0.0, 99.0, 101.0], np.float32)
    width = np.full(5, 100.0, np.float32)
    still = np.zeros(5, np.float32)
    assert river_depth(still, river, width).tolist() == [-100.0, 50.0, 100.0, 1.0, -1.0]
    assert river_depth(still, river, still).max() <= -FAR_M
    assert river_depth(still + np.float32(1.0), river, width)[2] < 0


def test_brooks_wind_and_narrow_ones_are_none() -> None:
    brook, width = np.zeros(3, np.float32), np.array([1.0, BROOK_M, -4.0], np.float32)
    line, kept = brook_line(brook + np.float32(0.5), brook, brook, width)
    assert kept.tolist() == [0.0, BROOK_M, 0.0]
    assert line.tolist() == [75.0] * 3
