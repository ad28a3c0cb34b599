"""From STAC JSON, 1.0 or 1.1, to items: what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from shapely.geometry import box, mapping

from eodata.core.item import Item
from eodata.core.span import Span, parse_utc
from eodata.providers.stac_item import MALFORMED, item_of

JSON = dict[str, Any]
GROUND = box(4, 50, 5, 51)
PLAIN: JSON = {
    "id": "a",
    "geometry": mapping(GROUND),
    "properties": {"datetime": "2022-06-01T10:46:56.5Z", "platform": "sentinel-2a"},
    "assets": {"red": {"href": "r.tif", "type": "image/tiff; application=geotiff"}},
}


def read(fields: JSON, **told: object) -> Item:
    whole = fields | {"properties": fields["properties"] | told}
    return item_of(whole, "things", lambda _, asset: f"at/{asset['href']}", "stated")


def with_assets(**assets: JSON) -> JSON:
    return PLAIN | {"assets": assets}


def test_item_then_where_when_and_its_files() -> None:
    item = read(PLAIN)
    assert (item.id, item.collection) == ("a", "things")
    assert item.datetime == datetime(2022, 6, 1, 10, 46, 56, 500_000, UTC)
    assert item.footprint.equals(GROUND)
    assert item.assets["red"].href == "at/r.tif"


def test_properties_then_those_that_later_floors_need() -> None:
    item = read(
        PLAIN,
        **{"eo:cloud_cover": 7, "sat:orbit_state": "ascending", "updated": "x", "foo:bar": 1},
    )
    assert item.properties == {
        "eo:cloud_cover": 7.0,
        "platform": "sentinel-2a",
        "sat:orbit_state": "ascending",
    }


def test_other_time_zone_then_utc() -> None:
    assert read(PLAIN, datetime="2022-06-01T12:00:00+02:00").datetime.hour == 10
    assert read(PLAIN, datetime="2022-06-01T12:00:00").datetime.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        ("2020-01-01", "2021-01-01", True),
        ("2020-06-01", "2020-07-01", True),
        ("2019-01-01", "2020-01-01", False),
        ("2021-01-01", "2022-01-01", False),
        ("2020-12-31T23:00:00", "2022-01-01", True),
    ],
)
def test_period_then_it_lies_in_the_spans_that_it_overlaps(
    start: str, end: str, inside: bool
) -> None:
    period = {"start_datetime": "2020-01-01T00:00:00Z", "end_datetime": "2021-01-01T00:00:00Z"}
    fields = PLAIN | {"properties": {"datetime": None} | period}
    record = item_of(fields, "things", lambda *_: "x", "stated")
    assert record.lies_in(Span(parse_utc(start), parse_utc(end))) is inside
    assert record.lies_in(None)


@pytest.mark.parametrize(
    ("end", "begins"), [("2020-06-01T10:20:00Z", 6), ("2021-01-01T00:00:00Z", 1)]
)
def test_period_beside_an_instant_counts_when_it_lasts_for_days(end: str, begins: int) -> None:
    start = "2020-06-01T10:00:00Z" if begins == 6 else "2020-01-01T00:00:00Z"
    told = {"datetime": "2020-06-01T10:10:00Z", "start_datetime": start, "end_datetime": end}
    record = item_of(PLAIN | {"properties": told}, "things", lambda *_: "x", "stated")
    assert (record.datetime.month, record.end is None) == (begins, begins == 6)


def test_instant_then_the_end_of_a_span_is_outside() -> None:
    record = item_of(PLAIN, "things", lambda *_: "x", "stated")
    instant = record.datetime
    assert record.lies_in(Span(instant, parse_utc("2023-01-01")))
    assert not record.lies_in(Span(parse_utc("2021-01-01"), instant))


def test_bands_of_both_versions_then_the_same_asset() -> None:
    facts = {"raster:scale": 0.5, "raster:offset": -1, "nodata": 0, "file:size": 9}
    new = {"bands": [{"name": "B04"}], **facts}
    old = {
        "eo:bands": [{"name": "B04"}],
        "raster:bands": [{"scale": 0.5, "offset": -1, "nodata": 0}],
        "file:size": 9,
    }
    kind = {"href": "r.tif", "type": "image/tiff"}
    found = [read(with_assets(red=kind | told)).assets["red"] for told in (new, old)]
    assert found[0] == found[1]
    assert (found[0].scale, found[0].offset, found[0].nodata, found[0].size_bytes) == (
        0.5,
        -1,
        0,
        9,
    )


def test_stack_then_its_bands_by_name_and_number() -> None:
    stack = {"href": "s.tif", "bands": [{"name": "x"}, {"name": "y", "nodata": -1}, {}]}
    assets = read(with_assets(stack=stack)).assets
    assert {key: (asset.band, asset.nodata) for key, asset in assets.items()} == {
        "stack": (1, None),
        "x": (1, None),
        "y": (2, -1),
    }


def test_name_in_two_files_then_it_means_neither() -> None:
    """A picture has bands called as the files that it was made from."""
    picture = {"href": "v.tif", "eo:bands": [{"name": "B04"}, {"name": "B03"}]}
    red = {"href": "r.tif", "eo:bands": [{"name": "B04"}]}
    assert set(read(with_assets(visual=picture, red=red)).assets) == {"visual", "red", "B03"}
    both = read(with_assets(visual=picture, preview=picture | {"href": "p.tif"}))
    assert set(both.assets) == {"visual", "preview"}


def test_name_that_is_a_key_then_it_means_that_file() -> None:
    picture = {"href": "v.tif", "eo:bands": [{"name": "B04"}, {"name": "B03"}]}
    red = {"href": "r.tif", "eo:bands": [{"name": "B04"}]}
    assert read(with_assets(visual=picture, B04=red)).assets["B04"].href == "at/r.tif"


@pytest.mark.parametrize(
    ("asset", "kept"),
    [
        ({"href": "a.jp2", "type": "image/jp2"}, True),
        ({"href": "a.TIF?x=1"}, True),
        ({"href": "a", "type": "image/vnd.stac.geotiff; cloud-optimized=true"}, True),
        ({"href": "a.tif", "type": "application/xml"}, False),
        ({"href": "a.png", "type": "image/png"}, False),
        ({"href": "a.xml"}, False),
    ],
)
def test_file_then_kept_when_it_is_a_raster(asset: JSON, kept: bool) -> None:
    assert ("a" in read(with_assets(a=asset)).assets) is kept


@pytest.mark.parametrize("value", ["nan", float("nan")])
def test_nodata_that_is_nan_then_none(value: object) -> None:
    asset = {"href": "a.tif", "nodata": value}
    assert read(with_assets(a=asset)).assets["a"].nodata is None


def test_ground_across_the_date_line_then_cut_in_two() -> None:
    ring = [[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]
    item = read(PLAIN | {"geometry": {"type": "Polygon", "coordinates": [ring]}})
    assert item.footprint.geom_type == "MultiPolygon"
    assert item.footprint.area == pytest.approx(2)


def test_ground_that_crosses_itself_then_mended() -> None:
    ring = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    item = read(PLAIN | {"geometry": {"type": "Polygon", "coordinates": [ring]}})
    assert item.footprint.is_valid
    assert item.footprint.area == pytest.approx(0.5)


def without(*path: str) -> Callable[[JSON], None]:
    def change(fields: JSON) -> None:
        for key in path[:-1]:
            fields = fields[key]
        del fields[path[-1]]

    return change


def setting(value: object, *path: str) -> Callable[[JSON], None]:
    def change(fields: JSON) -> None:
        for key in path[:-1]:
            fields = fields[key]
        fields[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        without("id"),
        without("geometry"),
        without("properties"),
        without("properties", "datetime"),
        without("assets"),
        setting(None, "geometry"),
        setting({"type": "Polygon", "coordinates": []}, "geometry"),
        setting({"type": "Blob"}, "geometry"),
        setting(7, "properties"),
        setting("yesterday", "properties", "datetime"),
        setting(float("nan"), "properties", "eo:cloud_cover"),
        setting("much", "properties", "eo:cloud_cover"),
        setting(None, "assets"),
        setting("r.tif", "assets", "red"),
        setting("big", "assets", "red", "file:size"),
        setting("half", "assets", "red", "raster:scale"),
        setting(float("inf"), "assets", "red", "raster:offset"),
        setting([7], "assets", "red", "bands"),
    ],
)
def test_item_that_is_broken_then_one_of_the_errors_that_callers_expect(
    change: Callable[[JSON], None],
) -> None:
    fields = deepcopy(PLAIN)
    change(fields)
    with pytest.raises(MALFORMED):
        item_of(fields, "things", lambda _, asset: asset["href"], "stated")
