"""The archive of Sentinel-1: ids as the real ones, in order, each found again by its id."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from shapely.geometry import MultiPolygon, box

from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.sensors.sentinel1_items import MISSION, Sentinel1Items

BELGIUM = box(3.0, 50.8, 3.1, 50.9)
DAY = timedelta(days=1)
MONTH = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC))


def items(kind="grd", **defects):
    return Sentinel1Items(kind, SandboxSettings(defects=Defects(**defects)))


def found(footprint=BELGIUM, span=MONTH, kind="grd", **order):
    return list(items(kind).find(footprint, span, **order))


def test_ids_look_like_the_real_ones():
    grd, rtc = found()[0], found(kind="rtc")[0]
    parts = grd.id.split("_")
    assert [len(p) for p in parts] == [3, 2, 4, 4, 15, 15, 6, 6, 4]
    assert grd.id.startswith("S1")
    assert parts[1:4] == ["IW", "GRDH", "1SDV"]
    assert int(parts[7], 16) == int(grd.properties["s1:datatake_id"])
    assert rtc.id == grd.id[:-5] + "_rtc"


def test_properties_are_those_of_the_real_archives():
    item = found()[0]
    assert json.loads(json.dumps(item.properties)) == dict(item.properties)
    for key, value in {
        "constellation": "sentinel-1", "sar:instrument_mode": "IW", "sar:frequency_band": "C",
        "sar:polarizations": ["VV", "VH"], "sar:product_type": "GRD",
        "sar:looks_equivalent_number": 4.4, "sar:pixel_spacing_range": 10,
    }.items():  # fmt: skip
        assert item.properties[key] == value
    assert item.properties["platform"] in ("sentinel-1a", "sentinel-1b")
    assert item.properties["sat:orbit_state"] in ("ascending", "descending")
    assert 1 <= item.properties["sat:relative_orbit"] <= 175
    assert item.properties["start_datetime"] < item.properties["end_datetime"]
    assert list(item.layers) == ["vv", "vh"]
    assert item.base.resolution.x == 10


@pytest.mark.parametrize("kind", ["grd", "rtc"])
def test_an_id_gets_the_item_it_came_from(kind):
    for item in found(kind=kind):
        same = items(kind).get(item.id)
        assert (same.id, same.datetime, same.base) == (item.id, item.datetime, item.base)
        assert same.properties == item.properties


@pytest.mark.parametrize(
    "change",
    [
        lambda i: "",
        lambda i: i + "0",
        lambda i: i.replace("S1A", "S1C").replace("S1B", "S1D"),
        lambda i: i[:-4] + "0000",
        lambda i: i[:17] + "20189999T999999" + i[32:],
        lambda i: i.replace("_2018", "_2011"),
        lambda i: i[:49] + "999999" + i[55:],
    ],
)
def test_unknown_ids_are_lookup_errors(change):
    known = found()[0].id
    with pytest.raises(LookupError, match="sentinel-1-grd"):
        items().get(change(known))


def test_items_come_in_order_and_newest_first_is_the_reverse():
    forward, backward = found(), found(newest_first=True)
    assert forward == sorted(forward, key=lambda i: (i.datetime, i.id))
    assert [i.id for i in backward] == [i.id for i in forward][::-1]
    assert len({i.id for i in forward}) == len(forward)


def test_two_satellites_at_once_come_in_order_too():
    world = box(-180, -60, 180, 75)
    some = list(islice(items().find(world, MONTH), 200))
    assert some == sorted(some, key=lambda i: (i.datetime, i.id))
    assert len({i.properties["platform"] for i in some}) == 2
    last = list(islice(items().find(world, MONTH, newest_first=True), 200))
    assert last == sorted(last, key=lambda i: (i.datetime, i.id), reverse=True)
    assert len({i.properties["platform"] for i in last}) == 2


def test_two_satellites_come_every_six_days():
    times: dict[tuple[int, str], list[datetime]] = {}
    for item in found(span=Span(MONTH.start, MONTH.start + 60 * DAY)):
        track = item.properties["sat:relative_orbit"], item.properties["sat:orbit_state"]
        times.setdefault(track, []).append(item.datetime)
    for seen in times.values():
        gaps = [(b - a) / DAY for a, b in pairwise(seen)]
        assert gaps == pytest.approx([6.0] * len(gaps), abs=1e-3)


def test_alone_sentinel_1a_comes_every_twelve_days():
    alone = found(span=Span(datetime(2022, 6, 1, tzinfo=UTC), datetime(2022, 7, 1, tzinfo=UTC)))
    assert {i.properties["platform"] for i in alone} == {"sentinel-1a"}
    both = found()
    assert len(alone) == pytest.approx(len(both) / 2, abs=4)


def test_a_span_is_half_open_and_cuts_what_the_whole_holds():
    whole = found()
    second = whole[2].datetime
    assert [i.id for i in found(span=Span(MONTH.start, second))] == [i.id for i in whole[:2]]
    assert [i.id for i in found(span=Span(second, MONTH.end))] == [i.id for i in whole[2:]]
    moment = Span(second, second + timedelta(seconds=1))
    assert [i.id for i in found(span=moment)] == [whole[2].id]


def test_no_span_means_the_whole_mission():
    first = next(items().find(BELGIUM, None))
    last = next(items().find(BELGIUM, None, newest_first=True))
    assert first.datetime - MISSION.start < 13 * DAY
    assert MISSION.end - last.datetime < 13 * DAY


def test_the_date_line_is_no_border():
    whole = found(box(179.8, -17, 180.2, -16.5))
    halves = found(MultiPolygon([box(179.8, -17, 180, -16.5), box(-180, -17, -179.8, -16.5)]))
    assert len(whole) >= 5
    assert [i.id for i in whole] == [i.id for i in halves]


def test_planted_defects_are_told():
    made = items(shift_rate=1, shift_px=3, all_nodata=1)
    item = next(made.find(BELGIUM, MONTH))
    told = made.defects(item)
    assert told["all_nodata"] is True
    assert told["shift_m"] == list(item.origin.shift)
    assert 0 < max(abs(s) for s in item.origin.shift) <= 30
    assert items().defects(found()[0]) == {}


def test_old_items_have_border_noise():
    for year, noisy in ((2017, True), (2019, False)):
        span = Span(datetime(year, 6, 1, tzinfo=UTC), datetime(year, 7, 1, tzinfo=UTC))
        item = found(span=span)[0]
        assert item.origin.border is noisy
        assert ("border_noise" in items().defects(item)) is noisy
