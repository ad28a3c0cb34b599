"""Frames of Sentinel-1: they follow each other without gaps and come back with every cycle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from eodata.core.span import Span
from eodata.sandbox.orbits import SENTINEL1_FAR_KM, SENTINEL1_NEAR_KM, passes
from eodata.sandbox.sensors.sentinel1_frames import FRAME_S, FRAMES, SNAP_M, frame_of, frames_over

START = datetime(2018, 6, 1, tzinfo=UTC)
CYCLE = list(passes("sentinel-1", Span(START, START + timedelta(days=12))))


def over(place, crossings=CYCLE):
    shapely.prepare(place)
    return [(c, f) for c in crossings for f in frames_over(c, place)]


def test_a_place_is_seen_both_ways_from_several_tracks():
    found = over(box(3.0, 50.8, 3.1, 50.9))
    assert {c.ascending for c, _ in found} == {True, False}
    assert 3 <= len({(c.relative_orbit, c.ascending) for c, _ in found}) <= 8


@given(lon=st.floats(-179, 179), lat=st.floats(-70, 75))
@settings(max_examples=20, deadline=None)
def test_frames_hold_the_places_that_the_pass_sees(lon, lat):
    place = box(lon, lat, lon + 0.01, lat + 0.01)
    for crossing in CYCLE[::7]:
        across, along = (
            float(v) for v in crossing.locate(np.array(lon + 0.005), np.array(lat + 0.005))
        )
        number = int(along // FRAME_S)
        inside = SENTINEL1_NEAR_KM + 3 < across < SENTINEL1_FAR_KM - 3 and 3 < along % FRAME_S < 22
        frame = frame_of(crossing, number)
        if inside and frame is not None:
            assert number in [f.number for _, f in over(place, [crossing])]


def test_neighbours_share_an_edge_and_no_ground():
    crossing, frame = over(box(3.0, 50.8, 3.1, 50.9))[0]
    after = frame_of(crossing, frame.number + 1)
    shared = frame.footprint.intersection(after.footprint).area
    assert shared < 1e-3 * frame.footprint.area
    assert frame.footprint.distance(after.footprint) < 1e-3


def test_the_grid_holds_the_footprint_on_a_common_lattice():
    for crossing, frame in over(box(3.0, 50.8, 3.1, 50.9)):
        edges = frame.base.boundingbox
        for edge in (edges.left, edges.bottom, edges.right, edges.top):
            assert edge % SNAP_M == 0
        assert frame.base.crs.epsg in (32630, 32631, 32632)
        assert 240e3 < edges.span_x < 320e3
        assert 180e3 < edges.span_y < 240e3
        # To the right of the flight: eastwards when going north.
        assert (0 < frame.azimuth < 180) == crossing.ascending


def test_the_same_frame_comes_back_with_every_cycle():
    place = box(3.0, 50.8, 3.1, 50.9)
    later = Span(START + timedelta(days=120), START + timedelta(days=132))
    first = {(c.relative_orbit, c.ascending, f.number): f for c, f in over(place)}
    again = {
        (c.relative_orbit, c.ascending, f.number): f
        for c, f in over(place, list(passes("sentinel-1", later)))
    }
    assert first.keys() == again.keys()
    assert all(first[key].base == again[key].base for key in first)


@pytest.mark.parametrize("number", [-1, FRAMES, 10_000])
def test_there_are_no_frames_beyond_the_ends_of_a_pass(number):
    assert frame_of(CYCLE[0], number) is None


def test_there_are_no_frames_over_the_open_sea():
    assert over(box(-130, -40, -129, -39)) == []


def test_a_frame_over_the_date_line_has_two_parts():
    frames = [f for _, f in over(box(179.9, -17, 180.1, -16.5))]
    parts = [f for f in frames if f.footprint.geom_type == "MultiPolygon"]
    assert parts
    for frame in parts:
        assert frame.footprint.bounds[0] == -180
        assert frame.footprint.bounds[2] == 180
        assert frame.footprint.area < 10


def test_footprints_are_valid_all_over_the_earth():
    frames = [frame_of(c, n) for c in CYCLE[::40] for n in range(FRAMES)]
    found = [f for f in frames if f is not None]
    assert len(found) > 300
    assert all(f.footprint.is_valid for f in found)
    assert all(f.base.shape[0] < 50_000 and f.base.shape[1] < 50_000 for f in found)
