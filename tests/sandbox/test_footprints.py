"""Footprints over the date line, touching, and over land or sea."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from eodata.core.reproject import shares_ground
from eodata.sandbox.footprints import (
    may_hold_land,
    near_land,
    within_180,
)

BELGIUM = box(2.9, 50.9, 3.1, 51.1)


def test_a_footprint_within_180_degrees_stays_as_it_is():
    assert within_180(BELGIUM) is BELGIUM


@given(west=st.floats(-300, 300), wide=st.floats(0.1, 60))
def test_parts_beyond_the_date_line_come_back_and_keep_their_area(west, wide):
    found = within_180(box(west, -10, west + wide, 10))
    assert -180 <= found.bounds[0] <= found.bounds[2] <= 180
    assert found.area == pytest.approx(20 * wide)


def test_touching_edges_share_no_ground():
    shapely.prepare(BELGIUM)
    assert shares_ground(BELGIUM, box(3.0, 51.0, 4.0, 52.0))
    assert not shares_ground(BELGIUM, box(3.1, 50.9, 4.0, 51.1))
    assert not shares_ground(BELGIUM, box(5.0, 50.9, 6.0, 51.1))


def test_far_off_the_coast_there_is_no_land():
    lon, lat = np.array([3.0, -40.0, 179.9, 540.0]), np.array([50.9, 30.0, -17.0, -17.0])
    assert near_land(lon, lat).tolist() == [True, False, True, True]


@pytest.mark.parametrize(
    ("bounds", "land"),
    [
        ((3, 50, 4, 51), True),
        ((-41, 30, -40, 31), False),
        ((-160.0, 21.0, -157.0, 24.0), True),  # Hawaii
        ((-180, -90, -179, -89), True),
    ],
)
def test_cells_without_land_do_not_exist(bounds, land):
    assert may_hold_land(bounds) is land
