"""Shifts and bends by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.sandbox.planet.displacement import STILL, WAVE_M, Bend, Displacement

BEND = Bend(30.0, (70.0, 310.0), (0.1, 0.7))
DRAWS = st.tuples(*[st.floats(0, 1, exclude_max=True)] * 4)
EAST, NORTH = st.floats(150_000, 850_000), st.floats(0, 10_000_000)


@given(DRAWS, EAST, NORTH, st.floats(0, 360))
def test_a_bend_stays_in_reach_and_is_gentle_everywhere(draws, x, y, heading):
    bend = Bend.drawn(30.0, draws)
    here = np.array(bend.at(x, y))
    step = 2560 * np.sin(np.radians(heading)), 2560 * np.cos(np.radians(heading))
    there = np.array(bend.at(x + step[0], y + step[1]))
    assert np.abs(here).max() <= 30
    assert np.abs(there - here).max() <= 30 * 6 * 2560 / WAVE_M + 1e-6 < 3.9


def test_a_bend_reaches_its_largest_both_ways_along_each_axis():
    axis = np.arange(0, 2 * WAVE_M, 500.0)
    for along in BEND.at(axis[np.newaxis, :], 5e6 + axis[:, np.newaxis]):
        assert along.min() == pytest.approx(-30, abs=0.01)
        assert along.max() == pytest.approx(30, abs=0.01)


def test_a_bend_has_no_edges():
    axis = np.arange(0, 2 * WAVE_M, 100.0)
    for along in BEND.at(axis, 5e6 - axis):
        slope = np.diff(along) / 100
        assert np.abs(slope).max() <= np.sqrt(2) * 30 * 6 / WAVE_M
        # A wave of two cubics bends at most by 48 per period squared, anywhere.
        assert np.abs(np.diff(slope)).max() / 100 <= 2 * 30 * 48 / WAVE_M**2


def test_each_axis_has_a_wave_of_its_own_that_runs_where_it_heads():
    east_west = Bend(30.0, (90.0, 0.0), (0.0, 0.0))
    x, y = np.array([400_000.0, 430_000.0]), np.array([5e6, 5.03e6])
    assert np.ptp(east_west.at(x[0], y)[0]) < 1e-6 < np.ptp(east_west.at(x, y[0])[0])
    assert np.ptp(east_west.at(x, y[0])[1]) < 1e-6 < np.ptp(east_west.at(x[0], y)[1])


def test_any_places_are_part_of_all():
    x, y = 500_005.0 + 10 * np.arange(97), 5_600_005.0 - 10 * np.arange(61)[:, np.newaxis]
    for whole, part in zip(BEND.at(x, y), BEND.at(x[7:20], y[3:8]), strict=True):
        assert np.array_equal(whole[3:8, 7:20], part)
    assert BEND.at(float(x[9]), float(y[5, 0]))[0] == BEND.at(x, y)[0][5, 9]


@pytest.mark.parametrize("bend", [None, BEND])
def test_shift_and_bend_add_up_and_are_undone(bend):
    x, y = np.array([[500_000.0, 520_000.0]]), np.array([[5e6], [5.04e6], [5.05e6]])
    displaced = Displacement(13.0, -7.0, bend)
    (dx, dy), alone = displaced.at(x, y), Displacement(bend=bend).at(x, y)
    assert dx.shape == dy.shape == (3, 2)
    assert dx == pytest.approx(alone[0] + 13.0)
    assert dy == pytest.approx(alone[1] - 7.0)
    true_x, true_y = displaced.undone(x, y)
    assert np.array_equal(true_x + np.zeros((3, 2)), x - dx)
    assert np.array_equal(true_y + np.zeros((3, 2)), y - dy)


def test_nothing_moves_what_is_still():
    assert Displacement(0.0, 0.0) == STILL
    assert STILL.at(3.0, 4.0) == (0.0, 0.0)


def test_what_is_told_is_enough_to_know_the_bend():
    told = BEND.told()
    assert told["wave_m"] == WAVE_M
    assert Bend(told["reach_m"], tuple(told["headings_deg"]), tuple(told["phases"])) == BEND
