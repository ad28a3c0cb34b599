"""The listing of Sentinel-2."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
import shapely
from shapely.geometry import MultiPolygon, Point, box

from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.planet.climate import Climate
from eodata.sandbox.sensors.sentinel2_items import SPAN, Sentinel2Items
from eodata.sandbox.sensors.sentinel2_names import read_id
from eodata.sandbox.weather import Weather

PLACE = box(3.02, 50.81, 3.03, 50.82)
WORLD = box(-180, -90, 180, 90)


class ToyWeather:
    """Covers that differ by time and ground, without any weather."""

    def cloud_cover(self, geobox, time, seen):
        assert geobox.shape == seen.shape
        return time.timestamp() * 0.0123 % 97 + geobox.affine.c % 3


def listing(level="l1c", seed=1, **defects) -> Sentinel2Items:
    settings = SandboxSettings(seed=seed, defects=Defects(**defects))
    return Sentinel2Items(level, settings, ToyWeather())


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


@pytest.mark.parametrize(
    ("year", "first", "second"),
    [(2018, "02.06", "05.00"), (2023, "05.09", "05.10"), (2025, "05.11", "05.11")],
)
def test_reprocessed_acquisitions_are_listed_twice(year, first, second):
    archive = listing(duplicates=1.0)
    found = list(archive.find(PLACE, span(year, 6, 10)))
    pairs = {}
    for item in found:
        pairs.setdefault((item.datetime, item.properties["s2:mgrs_tile"]), []).append(item)
    assert len({item.id for item in found}) == len(found) == 2 * len(pairs)
    for pair in pairs.values():
        once, again = sorted(pair, key=lambda item: item.properties["s2:sequence"])
        assert once.properties["s2:processing_baseline"] == first
        assert again.properties["s2:processing_baseline"] == second
        assert again.origin.generation > once.origin.generation
        assert again.layers["B04"].offset == (0.0 if second < "04.00" else pytest.approx(-0.1))
        assert (archive.defects(once), archive.defects(again)) == ({}, {"reprocessed": True})
        assert archive.get(again.id).properties == again.properties


def test_defects_hit_their_share_of_items_and_are_told():
    archive = listing(shift_rate=0.5, shift_px=3)
    items = list(archive.find(PLACE, span(2018, 1, 200)))
    told = [archive.defects(i) for i in items]
    shifted = [d["shift_m"] for d in told if "shift_m" in d]
    assert 0.3 < len(shifted) / len(items) < 0.7
    assert 25 < max(abs(m) for shift in shifted for m in shift) <= 30
    assert all(i.origin.shift == (0, 0) for i, d in zip(items, told, strict=True) if not d)


def test_both_levels_of_an_acquisition_are_displaced_alike():
    kinds = [listing(level, shift_rate=0.5, band_shift_px=1) for level in ("l1c", "l2a")]
    for once, again in zip(*(kind.find(PLACE, span(2018, 1, 60)) for kind in kinds), strict=True):
        assert once.datetime == again.datetime
        assert once.origin.shift == again.origin.shift
        assert again.origin.band_shifts.items() < once.origin.band_shifts.items()


def test_another_seed_has_other_defects():
    first, second = (
        [
            listing(seed=seed, shift_rate=0.5).defects(i)
            for i in listing(seed=seed, shift_rate=0.5).find(PLACE, span(2018, 1, 60))
        ]
        for seed in (1, 2)
    )
    assert first != second


@pytest.mark.parametrize(("year", "true"), [(2018, 0), (2022, -1000)])
def test_the_stated_offset_lies_when_it_shall(year, true):
    archive = listing("l2a", wrong_offset=1.0)
    item = next(archive.find(PLACE, span(year, 6, 10)))
    assert item.origin.offset_dn == true
    assert item.layers["B04"].offset == pytest.approx(-0.1 - true / 10_000)
    assert archive.defects(item) == {"true_offset_dn": true}


def test_a_wrong_cloud_cover_is_that_of_another_time():
    archive = listing(wrong_cloud_cover=1.0)
    right = {i.id: i.properties["eo:cloud_cover"] for i in listing().find(PLACE, span(2022, 6, 20))}
    for item in archive.find(PLACE, span(2022, 6, 20)):
        assert item.origin.true_cloud_cover == right[item.id] != item.properties["eo:cloud_cover"]
        assert archive.defects(item) == {"true_cloud_cover": right[item.id]}


def test_pixels_are_lost_when_they_shall_be():
    archive = listing(all_nodata=0.5)
    items = list(archive.find(PLACE, span(2018, 1, 100)))
    lost = [i for i in items if i.origin.all_nodata]
    assert 0.2 < len(lost) / len(items) < 0.8
    assert all(archive.defects(i) == {"all_nodata": True} for i in lost)


def test_no_two_bands_are_further_apart_than_allowed():
    item = next(listing(band_shift_px=0.5).find(PLACE, span(2018, 6, 10)))
    shifts = item.origin.band_shifts
    assert len(set(shifts.values())) == 13
    for axis in zip(*shifts.values(), strict=True):
        assert 2 < max(axis) - min(axis) <= 5


def test_nothing_wrong_means_no_defects(june):
    assert [listing().defects(i) for i in june] == [{}] * len(june)


def test_cloud_cover_is_that_of_the_weather():
    weather = Weather(1, Climate(1))
    item = next(Sentinel2Items("l1c", SandboxSettings(), weather).find(PLACE, span(2018, 6, 10)))
    grid = item.base.zoom_out(183)
    whole = weather.cloud_cover(grid, item.datetime)
    assert item.properties["eo:cloud_cover"] == pytest.approx(whole, abs=15)  # a part is seen
    assert item.properties["eo:cloud_cover"] == item.origin.true_cloud_cover


def test_properties_agree_with_each_other(june):
    for item in june:
        stated = item.properties
        assert stated["view:sun_elevation"] == pytest.approx(90 - stated["s2:mean_solar_zenith"])
        assert stated["proj:code"] == f"EPSG:{stated['proj:epsg']}" == str(item.base.crs)
        assert stated["s2:product_uri"] == f"{item.id}.SAFE"
        assert stated["s2:datatake_id"].split("_")[1] == item.id.split("_")[2]
        assert stated["created"] == stated["s2:generation_time"] > str(item.datetime)
        assert json.loads(json.dumps(stated)) == stated


def test_items_of_the_whole_earth_come_lazily_and_in_order():
    found = list(islice(listing().find(WORLD, span(2018, 6, 2)), 300))
    assert len({i.properties["s2:mgrs_tile"] for i in found}) > 200
    assert found == sorted(found, key=lambda i: (i.datetime, i.id))
    assert all(i.footprint.is_valid for i in found)
    newest = next(listing().find(WORLD, None, newest_first=True))
    assert SPAN.end - newest.datetime < timedelta(days=1)


def test_a_span_is_cut_where_it_is_cut():
    """The two parts of a span hold what the whole holds, even when the cut is within a pass."""
    whole = list(listing().find(box(-5, 35, 30, 60), span(2018, 6, 1)))
    cut = whole[len(whole) // 2].datetime
    parts = (Span(span(2018, 6, 1).start, cut), Span(cut, span(2018, 6, 1).end))
    found = [i.id for part in parts for i in listing().find(box(-5, 35, 30, 60), part)]
    assert found == [i.id for i in whole]


def test_the_date_line_cuts_footprints_in_two():
    found = list(listing().find(Point(180, -16.6).buffer(0.2), span(2018, 6, 10)))
    cut = [i.footprint for i in found if isinstance(i.footprint, MultiPolygon)]
    assert cut
    assert all(shapely.bounds(f)[0] == -180 and shapely.bounds(f)[2] == 180 for f in cut)


def test_only_what_shares_ground_is_found():
    """R094 leaves out the east of 31UDS, which R051 shows."""
    west, east = (
        list(listing().find(Point(x, 50.95).buffer(0.01), span(2018, 6, 20))) for x in (1.7, 2.8)
    )
    tracks = [{i.properties["sat:relative_orbit"] for i in found} for found in (west, east)]
    assert tracks[0] != tracks[1]
    for found, lon in ((west, 1.7), (east, 2.8)):
        assert all(i.footprint.intersects(Point(lon, 50.95).buffer(0.01)) for i in found)


def test_before_the_mission_there_is_nothing():
    assert list(listing().find(PLACE, span(2014, 6, 30))) == []


def test_the_arctic_winter_is_not_acquired():
    assert not list(listing().find(box(25, 70, 26, 70.5), span(2018, 12, 10)))
    assert list(listing().find(box(25, 70, 26, 70.5), span(2018, 6, 10)))
