"""Data takes against the starts of real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from eodata.core.span import Span
from eodata.sandbox.orbits import Pass, Track, passes
from eodata.sandbox.sensors.sentinel2_datatakes import datatakes, take_start

# Ids of data takes in real items, and when one of their tiles was sensed.
REAL = [
    ("GS2A_20230818T100031_042590", "20230818T100808"),
    ("GS2B_20240828T174909_039063", "20240828T180300"),
    ("GS2A_20240827T172901_047957", "20240827T174400"),
    ("GS2B_20250731T130249_043879", "20250731T130325"),
    ("GS2B_20250731T131909_043879", "20250731T131922"),
]


def second(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def pass_of(platform: str, orbit: int, when: datetime) -> Pass:
    around = Span(when - timedelta(hours=1), when + timedelta(minutes=1))
    (found,) = (
        p
        for p in passes("sentinel-2", around)
        if (p.platform, p.absolute_orbit) == (platform, orbit)
    )
    return found


@pytest.mark.parametrize(("take", "sensed"), REAL)
def test_data_takes_begin_when_real_ones_did(take, sensed):
    unit, started, orbit = take.split("_")
    crossing = pass_of(f"sentinel-2{unit[-1].lower()}", int(orbit), second(sensed))
    found = take_start(crossing, (second(sensed) - crossing.start).total_seconds())
    assert abs(found - second(started)) < timedelta(seconds=30)


def test_a_data_take_begins_where_day_begins():
    """In winter the same track is imaged from further south on."""
    starts = []
    for month in (1, 6):
        around = Span(datetime(2018, month, 1, tzinfo=UTC), datetime(2018, month, 11, tzinfo=UTC))
        (crossing,) = (
            p
            for p in passes("sentinel-2", around)
            if (p.platform[-1], p.relative_orbit) == ("a", 51)
        )
        starts.append((take_start(crossing, 640.0) - crossing.start).total_seconds())
    winter, summer = starts
    assert winter > summer + 100


def test_data_takes_are_apart_and_within_the_pass():
    track = Track("sentinel-2", 95, ascending=False)
    takes = datatakes(track)
    assert len(takes) > 2
    assert takes[0][0] >= 0
    assert all(start < end for start, end in takes)
    assert all(later[0] - first[1] > 60 for first, later in pairwise(takes))


def test_a_place_before_dawn_does_not_begin_after_itself():
    around = Span(datetime(2018, 1, 1, tzinfo=UTC), datetime(2018, 1, 2, tzinfo=UTC))
    crossing = next(iter(passes("sentinel-2", around)))
    start, end = datatakes(crossing.track)[0]
    middle = (start + end) / 2
    assert take_start(crossing, middle) <= crossing.at(middle)
