"""Orbits against metadata of real products."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.core.span import Span
from eodata.sandbox.orbits import (
    SENTINEL1_FAR_KM,
    SENTINEL1_NEAR_KM,
    SENTINEL2_HALF_SWATH_KM,
    Track,
    incidence_deg,
    passes,
)


def orbit_of(mission, platform, absolute, when, *, ascending=False):
    """Return the pass of one orbit that starts within two hours of a time."""
    around = Span(when - timedelta(hours=2), when + timedelta(hours=2))
    (found,) = (
        p
        for p in passes(mission, around)
        if (p.platform, p.absolute_orbit, p.ascending) == (platform, absolute, ascending)
    )
    return found


# Platform, absolute and relative orbit, a place inside and its sensing time: Earth Search and
# Planetary Computer items of Sentinel-2 (Copernicus Sentinel data).
SEEN_BY_SENTINEL2 = [
    ("sentinel-2a", 42547, 79, 15.703, 45.556, datetime(2023, 8, 15, 9, 58, 12, tzinfo=UTC)),
    ("sentinel-2a", 42590, 122, 15.619, 45.584, datetime(2023, 8, 18, 10, 8, 8, tzinfo=UTC)),
    ("sentinel-2b", 33567, 79, 15.703, 45.556, datetime(2023, 8, 10, 9, 58, 12, tzinfo=UTC)),
]
ORBITS_OF_DATATAKES = [
    ("sentinel-2a", 47371, 41, "20240717T175911"),
    ("sentinel-2a", 47385, 55, "20240718T172901"),
    ("sentinel-2a", 47271, 84, "20240710T180921"),
    ("sentinel-2b", 38391, 41, "20240712T175919"),
    ("sentinel-2b", 39063, 141, "20240828T174909"),
]
# Where data end: vertices of real footprints (tiles 13TEF, 33TWL twice, 24MXV), both edges.
EDGES = [
    (141, -103.684, 41.517), (141, -103.824, 41.138), (141, -103.984, 40.700),
    (141, -104.035, 40.557), (79, 15.013754, 46.053565), (79, 14.999755, 46.015372),
    (122, 16.022478, 45.062131), (122, 16.415824, 46.005305),
]  # fmt: skip
# Sentinel-1 in the same archives, and in BigEarthNet: platform, numbers, ascending, a place in the
# product, when the product starts and ends.
SEEN_BY_SENTINEL1 = [
    ("sentinel-1a", 53498, 51, False, 15.4, 31.5, "20240419T045839", "20240419T045904"),
    ("sentinel-1a", 22812, 165, False, 76.9, 10.2, "20180716T004042", "20180716T004107"),
    ("sentinel-1a", 17018, 146, True, 13.72, 48.22, "20170613T165043", "20170613T165108"),
    ("sentinel-1a", 17070, 23, False, -6.87, 52.31, "20170617T064724", "20170617T064749"),
]


@pytest.mark.parametrize(
    ("platform", "absolute", "relative", "lon", "lat", "sensed"), SEEN_BY_SENTINEL2
)
def test_a_real_tile_is_seen_by_its_orbit_at_its_time(
    platform, absolute, relative, lon, lat, sensed
):
    crossing = orbit_of("sentinel-2", platform, absolute, sensed)
    across, along = crossing.locate(np.array([lon]), np.array([lat]))
    assert crossing.relative_orbit == relative
    assert abs(across[0]) < SENTINEL2_HALF_SWATH_KM
    assert abs(crossing.start + timedelta(seconds=along[0]) - sensed) < timedelta(seconds=10)


@pytest.mark.parametrize(("platform", "absolute", "relative", "start"), ORBITS_OF_DATATAKES)
def test_orbit_numbers_are_those_of_real_data_takes(platform, absolute, relative, start):
    began = datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    crossing = orbit_of("sentinel-2", platform, absolute, began)
    assert crossing.relative_orbit == relative
    assert abs(crossing.start - began) < timedelta(seconds=20)  # it begins by the pole in summer


@pytest.mark.parametrize(("relative", "lon", "lat"), EDGES)
def test_the_swath_ends_where_real_footprints_end(relative, lon, lat):
    across, _ = Track("sentinel-2", relative, ascending=False).locate(lon, lat)
    assert abs(across) == pytest.approx(SENTINEL2_HALF_SWATH_KM, abs=2)


@pytest.mark.parametrize(
    ("platform", "absolute", "relative", "ascending", "lon", "lat", "start", "end"),
    SEEN_BY_SENTINEL1,
)
def test_a_real_radar_product_lies_in_the_swath_at_its_time(
    platform, absolute, relative, ascending, lon, lat, start, end
):
    begun, over = (datetime.strptime(t, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) for t in (start, end))
    crossing = orbit_of("sentinel-1", platform, absolute, begun, ascending=ascending)
    across, along = crossing.locate(lon, lat)
    assert crossing.relative_orbit == relative
    assert SENTINEL1_NEAR_KM < across < SENTINEL1_FAR_KM
    assert begun - timedelta(minutes=1) < crossing.at(float(along)) < over + timedelta(minutes=1)


def test_radar_edges_are_those_of_a_real_product():
    """Corners of S1A_IW_GRDH_1SDV_20240419T045839_20240419T045904_053498_067DF2."""
    far, near = Track("sentinel-1", 51, ascending=False).locate(
        np.array([14.257021, 16.886072]), np.array([32.436112, 32.035538])
    )[0]
    assert near == pytest.approx(SENTINEL1_NEAR_KM, abs=5)
    assert far == pytest.approx(SENTINEL1_FAR_KM, abs=5)


def test_numbers_go_up_at_the_ascending_node():
    """S1A_IW_GRDH_1SSH_20250731T135637_…_060328_…: relative orbit 56, ascending, at 47 S."""
    when = datetime(2025, 7, 31, 13, 56, 49, tzinfo=UTC)
    crossing = orbit_of("sentinel-1", "sentinel-1a", 60329, when, ascending=True)
    south = (when - crossing.start).total_seconds()
    assert crossing.numbers_at(south) == (60328, 56)
    assert crossing.numbers_at(south + 1500) == (60329, 57)


def test_the_second_radar_satellite_has_its_real_numbers():
    """S1B_IW_GRDH_1SDV_20180517T142651_20180517T142716_010962_014115_CA58."""
    when = datetime(2018, 5, 17, 14, 26, 51, tzinfo=UTC)
    assert orbit_of("sentinel-1", "sentinel-1b", 10962, when).relative_orbit == 86


def test_incidence_is_that_of_the_wide_swath():
    near, far = incidence_deg([SENTINEL1_NEAR_KM, SENTINEL1_FAR_KM])
    assert near == pytest.approx(30.5, abs=0.5)
    assert far == pytest.approx(45.9, abs=0.5)


@given(st.integers(1, 143), st.booleans(), st.floats(-700, 700), st.floats(200, 2700))
def test_place_is_locate_turned_round(relative, ascending, across, along):
    track = Track("sentinel-2", relative, ascending)
    found = track.locate(*track.place(np.array([across]), np.array([along])))
    assert found[0][0] == pytest.approx(across, abs=1e-3)
    assert found[1][0] == pytest.approx(along, abs=1e-3)


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=40))
def test_each_place_is_located_by_itself(places):
    track = Track("sentinel-1", 88, ascending=True)
    lon, lat = np.array(places).T
    together = np.array(track.locate(lon, lat))
    alone = np.array([track.locate(*place) for place in places]).T
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[:, ::2], track.locate(lon[::2], lat[::2]))
    assert np.isfinite(together).all()


def test_places_on_the_other_side_of_the_earth_are_far_away():
    track = Track("sentinel-2", 51, ascending=False)
    lon, lat = track.place(np.array([0.0]), np.array([1500.0]))
    across, _ = track.locate(lon + 180, -lat)
    assert abs(across[0]) > 3000


def test_to_the_right_is_west_for_a_southward_flight():
    track = Track("sentinel-1", 51, ascending=False)
    middle, right = (track.place(np.array([a]), np.array([1500.0]))[0][0] for a in (0.0, 100.0))
    assert right < middle


def test_one_place_is_seen_on_a_few_tracks_every_cycle():
    """Overlap grows with latitude; at 50 degrees a place lies in two or three swaths of 143."""
    lon, lat = np.array([10.3]), np.array([50.0])
    seen = [
        r
        for r in range(1, 144)
        if abs(Track("sentinel-2", r, ascending=False).locate(lon, lat)[0][0]) < 145
    ]
    assert 1 <= len(seen) <= 3


def span(day: int, days: float) -> Span:
    start = datetime(2018, 6, day, tzinfo=UTC)
    return Span(start, start + timedelta(days=days))


@pytest.mark.parametrize("mission", ["sentinel-1", "sentinel-2"])
def test_passes_are_ordered_and_turn_round(mission):
    found = list(passes(mission, span(3, 2)))
    assert [p.start for p in found] == sorted(p.start for p in found)
    assert list(passes(mission, span(3, 2), newest_first=True)) == found[::-1]


def test_a_cycle_repeats_every_track_once():
    found = [p for p in passes("sentinel-2", span(1, 10)) if p.platform == "sentinel-2a"]
    tracks = {p.relative_orbit for p in found}
    assert len(tracks) == 143
    assert len(found) in (143, 144)


def test_a_span_holds_the_passes_that_start_in_it():
    first = next(iter(passes("sentinel-2", span(3, 2))))
    assert first in list(passes("sentinel-2", Span(first.start, span(3, 2).end)))
    later = Span(first.start + timedelta(seconds=1), span(3, 2).end)
    assert first not in list(passes("sentinel-2", later))


def test_satellites_of_sentinel_2_take_turns():
    """Passes meet end to start, so that items come in order pass by pass."""
    found = list(passes("sentinel-2", span(3, 1)))
    length = timedelta(seconds=found[0].track.length_s)
    for one, other in pairwise(found):
        assert one.platform != other.platform
        assert abs(other.start - one.start - length) < timedelta(milliseconds=1)


def test_a_satellite_sees_nothing_before_its_launch():
    early = Span(datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 1, 2, tzinfo=UTC))
    assert {p.platform for p in passes("sentinel-2", early)} == {"sentinel-2a"}
    assert {p.platform for p in passes("sentinel-2", span(1, 1))} == {"sentinel-2a", "sentinel-2b"}
