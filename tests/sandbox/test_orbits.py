"""Orbits against metadata of real products."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
# The data end along this line in R141: vertices of a real footprint (tile 13TEF).
EDGE_R141 = [(-103.684, 41.517), (-103.824, 41.138), (-103.984, 40.700), (-104.035, 40.557)]


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


def test_the_swath_ends_where_a_real_footprint_ends():
    lon, lat = np.array(EDGE_R141).T
    across, _ = Track("sentinel-2", 141, ascending=False).locate(lon, lat)
    assert np.abs(np.abs(across) - SENTINEL2_HALF_SWATH_KM).max() < 5


def test_a_real_radar_product_lies_in_the_swath_at_its_time():
    """S1A_IW_GRDH_1SDV_20240419T045839_20240419T045904_053498_067DF2, from its outline."""
    crossing = orbit_of(
        "sentinel-1", "sentinel-1a", 53498, datetime(2024, 4, 19, 4, 58, tzinfo=UTC)
    )
    across, along = crossing.locate(np.array([14.9, 17.4]), np.array([31.5, 31.9]))
    middle = crossing.start + timedelta(seconds=float(along.mean()))
    assert crossing.relative_orbit == 51
    assert abs(middle - datetime(2024, 4, 19, 4, 58, 51, tzinfo=UTC)) < timedelta(seconds=60)
    assert (across > SENTINEL1_NEAR_KM - 60).all()
    assert (across < SENTINEL1_FAR_KM + 60).all()


@given(st.integers(1, 143), st.booleans(), st.floats(-700, 700), st.floats(200, 2700))
def test_place_is_locate_turned_round(relative, ascending, across, along):
    track = Track("sentinel-2", relative, ascending)
    found = track.locate(*track.place(np.array([across]), np.array([along])))
    assert found[0][0] == pytest.approx(across, abs=1e-3)
    assert found[1][0] == pytest.approx(along, abs=1e-3)


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


def test_a_satellite_sees_nothing_before_its_launch():
    early = Span(datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 1, 2, tzinfo=UTC))
    assert {p.platform for p in passes("sentinel-2", early)} == {"sentinel-2a"}
    assert {p.platform for p in passes("sentinel-2", span(1, 1))} == {"sentinel-2a", "sentinel-2b"}
