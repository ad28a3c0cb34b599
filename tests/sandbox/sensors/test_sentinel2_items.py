"""The listing of Sentinel-2."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from shapely.geometry import box

from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.planet.climate import Climate
from eodata.sandbox.sensors.sentinel2_items import Sentinel2Items
from eodata.sandbox.sensors.sentinel2_names import baseline_at, read_id
from eodata.sandbox.weather import Weather

PLACE = box(3.02, 50.81, 3.03, 50.82)
WEATHER = Weather(1, Climate(1))


def listing(level="l1c", seed=1, **defects) -> Sentinel2Items:
    settings = SandboxSettings(seed=seed, defects=Defects(**defects))
    return Sentinel2Items(level, settings, WEATHER)


def span(year: int, month: int, days: int) -> Span:
    start = datetime(year, month, 1, tzinfo=UTC)
    return Span(start, start + timedelta(days=days))


@pytest.fixture(scope="module")
def june():
    return list(listing().find(PLACE, span(2018, 6, 20)))


def test_a_real_place_is_seen_by_its_real_orbits(june):
    """The real Sentinel-2 sees this place in West Flanders on R051 and R094."""
    assert {i.properties["sat:relative_orbit"] for i in june} == {51, 94}
    assert {i.properties["s2:mgrs_tile"] for i in june} <= {"31UES", "31UDS"}
    assert all(10 <= i.datetime.hour <= 11 for i in june)


def test_two_satellites_share_a_track_five_days_apart(june):
    times = sorted(
        (i.datetime, i.properties["platform"])
        for i in june
        if i.properties["sat:relative_orbit"] == 51 and i.id.split("_")[5] == "T31UES"
    )
    assert [p for _, p in times] in (
        ["sentinel-2a", "sentinel-2b"] * 2,
        ["sentinel-2b", "sentinel-2a"] * 2,
    )
    gaps = {round((b - a).total_seconds() / 86_400, 2) for (a, _), (b, _) in pairwise(times)}
    assert gaps == {5.0}


def test_ids_are_those_of_real_products(june):
    pattern = r"S2[AB]_MSIL1C_20180\d{3}T\d{6}_N0206_R(051|094)_T31U[A-Z]{2}_20180\d{3}T\d{6}"
    assert all(re.fullmatch(pattern, i.id) for i in june)
    assert read_id(june[0].id).tile == june[0].properties["s2:mgrs_tile"]


def test_items_are_in_order_and_turn_round(june):
    assert june == sorted(june, key=lambda i: (i.datetime, i.id))
    back = listing().find(PLACE, span(2018, 6, 20), newest_first=True)
    assert [i.id for i in back] == [i.id for i in june][::-1]


def test_an_item_is_found_by_its_id_alone(june):
    again = listing().get(june[3].id)
    assert again.properties == june[3].properties
    assert again.footprint.equals(june[3].footprint)
    assert again.base == june[3].base


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("R051", "R052").replace("R094", "R052"),
        lambda text: text.replace("_T31U", "_T32U"),
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text.replace("S2A", "S2Z").replace("S2B", "S2Z"),
        lambda text: text.replace("2018060", "2018990"),
        lambda text: "no id at all",
    ],
)
def test_what_never_was_is_a_lookup_error(june, change):
    with pytest.raises(LookupError):
        listing().get(change(june[0].id))


def test_footprints_end_with_the_swath():
    """R094 shows only a part of 31UDS: its eastern edge cuts the tile."""
    ground = box(1.8, 50.5, 3.0, 51.3)
    found = list(listing().find(ground, span(2018, 6, 10)))
    partial = [i for i in found if i.properties["s2:nodata_pixel_percentage"] > 5]
    assert partial
    for item in partial:
        whole = box(*item.footprint.bounds).area
        assert item.footprint.is_valid
        assert item.footprint.area < whole
        assert 0 < item.properties["s2:nodata_pixel_percentage"] < 99


def test_baselines_follow_the_calendar():
    assert baseline_at("l1c", datetime(2018, 1, 3, tzinfo=UTC)) == "02.06"
    assert baseline_at("l2a", datetime(2022, 1, 24, tzinfo=UTC)) == "03.01"
    assert baseline_at("l2a", datetime(2022, 1, 25, tzinfo=UTC)) == "04.00"


@pytest.mark.parametrize(("year", "offset"), [(2021, 0.0), (2022, -0.1)])
def test_the_offset_is_stated_since_baseline_04(year, offset):
    item = next(listing().find(PLACE, span(year, 6, 10)))
    assert item.layers["B04"].offset == pytest.approx(offset)
    assert item.origin.offset_dn == round(offset * 10_000)


def test_layers_are_those_of_the_level():
    assert len(next(listing("l1c").find(PLACE, span(2018, 6, 10))).layers) == 13
    layers = next(listing("l2a").find(PLACE, span(2018, 6, 10))).layers
    assert "B10" not in layers
    assert layers["SCL"].dtype == "uint8"
    assert len(layers) == 13


def test_reprocessed_acquisitions_are_listed_twice():
    found = list(listing(duplicates=1.0).find(PLACE, span(2018, 6, 10)))
    pairs = {}
    for item in found:
        pairs.setdefault((item.datetime, item.properties["s2:mgrs_tile"]), []).append(item)
    for first, again in pairs.values():
        assert first.properties["s2:processing_baseline"] == "02.06"
        assert again.properties["s2:processing_baseline"] == "05.00"
        assert (first.layers["B04"].offset, again.layers["B04"].offset) == (
            0.0,
            pytest.approx(-0.1),
        )
        assert listing(duplicates=1.0).defects(again) == {"reprocessed": True}


def test_defects_hit_their_share_of_items_and_are_told():
    archive = listing(shift_rate=0.5, shift_px=3)
    items = list(archive.find(PLACE, span(2018, 1, 200)))
    told = [archive.defects(i) for i in items]
    shifted = [d["shift_m"] for d in told if "shift_m" in d]
    assert 0.3 < len(shifted) / len(items) < 0.7
    assert max(abs(m) for shift in shifted for m in shift) <= 30
    assert all(i.origin.shift == (0, 0) for i, d in zip(items, told, strict=True) if not d)


def test_flags_lie_when_they_shall():
    archive = listing("l2a", wrong_offset=1.0, wrong_cloud_cover=1.0, all_nodata=1.0)
    item = next(archive.find(PLACE, span(2022, 6, 10)))
    assert item.layers["B04"].offset == 0.0
    told = archive.defects(item)
    assert told["true_offset_dn"] == -1000
    assert told["all_nodata"]
    assert abs(told["true_cloud_cover"] - item.properties["eo:cloud_cover"]) > 10


def test_bands_are_displaced_by_themselves():
    item = next(listing(band_shift_px=0.5).find(PLACE, span(2018, 6, 10)))
    shifts = item.origin.band_shifts
    assert len(set(shifts.values())) == 13
    assert max(abs(m) for shift in shifts.values() for m in shift) <= 5


def test_nothing_wrong_means_no_defects(june):
    assert [listing().defects(i) for i in june] == [{}] * len(june)


def test_cloud_cover_is_that_of_the_weather(june):
    covers = [i.properties["eo:cloud_cover"] for i in june]
    assert len(set(covers)) > len(covers) / 2
    assert all(0 <= c <= 100 for c in covers)


def test_the_whole_earth_is_listed_lazily():
    found = list(islice(listing().find(box(-180, -90, 180, 90), span(2018, 6, 2)), 30))
    assert len({i.properties["s2:mgrs_tile"] for i in found}) > 10
    assert found == sorted(found, key=lambda i: (i.datetime, i.id))


def test_the_arctic_winter_is_not_acquired():
    assert not list(listing().find(box(25, 70, 26, 70.5), span(2018, 12, 10)))
    assert list(listing().find(box(25, 70, 26, 70.5), span(2018, 6, 10)))
