"""Lidar shots: sparse, on tracks, true within their errors, and the same whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import MultiPolygon, box

from eodata.core.span import Span
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.sensors.lidar import BEAMS, MISSION, SHOT_M, shots
from tests.sandbox.sensors.checker_world import CheckerPlanet

FOREST = CheckerPlanet((Cover.BROADLEAF_FOREST,))
PLACE = box(3.0, 45.0, 3.12, 45.1)
YEAR = Span(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))


@given(west=st.floats(3.0, 3.08), south=st.floats(45.0, 45.07), size=st.floats(0.005, 0.03))
@settings(max_examples=10, deadline=None)
def test_a_shot_is_the_same_whatever_ground_was_asked_for(west, south, size):
    small = box(west, south, west + size, south + size)
    whole = shots(CheckerPlanet(), PLACE, seed=5)
    inside = whole[whole.within(small)].reset_index(drop=True)
    alone = shots(CheckerPlanet(), small, seed=5)
    assert alone.drop(columns="geometry").equals(inside.drop(columns="geometry"))


def test_shots_lie_inside_the_footprint_in_order_of_time():
    found = shots(FOREST, PLACE, seed=1)
    assert len(found) > 500
    assert found.within(PLACE).all()
    assert found.time.is_monotonic_increasing
    assert found.shot.is_unique
    assert found.time.min() >= MISSION.start
    assert found.time.max() < MISSION.end
    assert set(found.beam) <= set(range(BEAMS))


def test_neighbours_on_a_track_are_60_m_apart():
    found = shots(FOREST, PLACE, seed=1)
    track = found[(found.time == found.time[0]) & (found.beam == found.beam[0])]
    track = track.sort_values("shot")
    ends = track.geometry.iloc[:-1], track.geometry.iloc[1:]
    _, _, length = Geod(ellps="WGS84").inv(ends[0].x, ends[0].y, ends[1].x, ends[1].y)
    assert len(track) > 20
    np.testing.assert_allclose(length, SHOT_M, rtol=2e-3)


def test_heights_and_biomass_are_true_within_their_errors():
    found = shots(FOREST, PLACE, seed=1)
    assert found.rh98.mean() == pytest.approx(20, abs=0.3)
    assert 1.0 < found.rh98.std() < 2.0
    assert 80 < found.agbd.mean() < 160  # a grown forest of 20 m
    assert found.quality.mean() == pytest.approx(0.7, abs=0.05)
    assert (found.elevation == 100).all()


def test_houses_are_high_but_carry_no_biomass():
    found = shots(CheckerPlanet((Cover.DARK_ROOF,)), PLACE, seed=1)
    assert found.rh98.median() > 15
    assert (found.agbd == 0).all()


def test_water_gives_no_usable_shot():
    assert (shots(CheckerPlanet((Cover.LAKE,)), PLACE, seed=1).quality == 0).all()


def test_a_span_selects_by_time():
    whole, some = shots(FOREST, PLACE, seed=1), shots(FOREST, PLACE, 1, YEAR)
    within = whole[(whole.time >= YEAR.start) & (whole.time < YEAR.end)]
    assert 0 < len(some) < len(whole)
    assert set(some.shot) == set(within.shot)


def test_seeds_differ():
    one, other = (set(shots(FOREST, PLACE, seed).geometry.x) for seed in (1, 2))
    assert not one & other


def test_there_are_no_shots_near_the_poles_and_tables_keep_their_columns():
    none = shots(FOREST, box(20, 60, 20.1, 60.1), seed=1)
    some = shots(FOREST, PLACE, seed=1)
    assert len(none) == 0
    assert dict(none.dtypes) == dict(some.dtypes)


def test_the_date_line_is_no_border():
    whole = shots(FOREST, box(179.95, -17, 180.05, -16.95), seed=1)
    halves = MultiPolygon([box(179.95, -17, 180, -16.95), box(-180, -17, -179.95, -16.95)])
    assert len(whole) > 50
    assert set(whole.shot) == set(shots(FOREST, halves, seed=1).shot)
    assert whole.geometry.x.min() < 0 < whole.geometry.x.max()
