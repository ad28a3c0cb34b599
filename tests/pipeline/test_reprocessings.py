"""Of several processings of one acquisition the latest; parts of a tile stay apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from eodata.core.item import Item
from eodata.core.span import parse_utc
from eodata.pipeline.reprocessings import SUPERSEDES, latest, latest_by_area

AT = datetime(2024, 7, 19, 17, 49, 9, tzinfo=UTC)
TEN_DAYS = timedelta(days=10)
BASELINE = "s2:processing_baseline"
TILE = box(3, 50, 4, 51)
HALVES = Path(__file__).parents[1] / "data" / "halves" / "planetary_computer.json"


def record(
    name: str,
    baseline: object = "05.10",
    ground: BaseGeometry = TILE,
    at: datetime = AT,
    **more: Any,
) -> Item:
    properties = {
        "platform": "sentinel-2b",
        "s2:mgrs_tile": "31UES",
        "s2:processing_baseline": baseline,
    }
    return Item(name, "sentinel-2-l2a", at, ground, properties | more)


def kept(*items: Item) -> dict[str, list[str]]:
    """Return what is replaced by id of what stays; the order of the records means nothing."""
    answers = []
    for seed in range(4):
        found = latest(Random(seed).sample(items, len(items)))
        assert found == sorted(found, key=lambda i: (i.datetime, i.id))
        answers.append({item.id: item.properties.get(SUPERSEDES, []) for item in found})
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("05.09", "05.10"),
        ("02.14", "05.00"),
        ("05.09", 5.1),
        ("N0509", "N0510"),
        (None, "02.04"),
        ("99.99", "05.00"),
    ],
)
def test_latest_then_the_highest_baseline_by_number(older: object, newer: object) -> None:
    # The greater id and the later generation say otherwise.
    old = record("z", older, **{"s2:generation_time": "2026-01-01T00:00:00Z"})
    new = record("a", newer, **{"s2:generation_time": "2024-01-01T00:00:00Z"})
    assert kept(old, new) == {"a": ["z"]}


def test_latest_when_one_baseline_then_the_latest_generation_then_the_greater_id() -> None:
    day = {"s2:generation_time": "2024-07-20T01:00:00.5Z"}
    later = {"processing:datetime": "2024-07-20T02:00:00Z"}
    assert kept(record("z", **day), record("a", **later)) == {"a": ["z"]}
    assert kept(record("b", **day), record("a", **day)) == {"b": ["a"]}
    assert kept(record("b"), record("a", **day)) == {"a": ["b"]}
    assert kept(record("b"), record("c"), record("a")) == {"c": ["a", "b"]}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (
            "S2B_MSIL2A_20180103T105429_N0206_R051_T31UDS_20230601T144512",
            "S2B_MSIL2A_20180103T105429_N0500_R051_T31UDS_20230510T144512",
        ),
        (
            "S2B_MSIL2A_20180103T105429_R051_T31UDS_20180103T144512",
            "S2B_MSIL2A_20180103T105429_R051_T31UDS_20201003T144512",
        ),
        ("S2B_31UDS_20180103_0_L2A", "S2B_31UDS_20180103_1_L2A"),
        ("S2A_T33TWL_20200101T100000_0_L2A", "S2A_T33TWL_20200101T100000_1_L2A"),
        (
            "S1A_IW_GRDH_1SDV_20230101T054012_20230101T054037_046500_0592A4_1B2C",
            "S1A_IW_GRDH_1SDV_20230101T054012_20230101T054037_046500_0592A4_9F00",
        ),
        (
            "LC08_L2SP_026027_20190601_20190605_02_T1",
            "LC08_L2SP_026027_20190601_20200828_02_T1",
        ),
        (
            "MCD12Q1.A2018001.h18v04.061.2021146024956",
            "MCD12Q1.A2018001.h18v04.061.2022146024956",
        ),
        (
            "SVDNB_npp_20160101-20160131_75N060W_vcmcfg_v10_c201602102315",
            "SVDNB_npp_20160101-20160131_75N060W_vcmcfg_v10_c201605121456",
        ),
    ],
)
def test_latest_when_only_ids_say_it_then_read_from_them(older: str, newer: str) -> None:
    assert kept(*(Item(name, "c", AT, TILE) for name in (older, newer))) == {newer: [older]}


@pytest.mark.parametrize(
    "ids",
    [
        ("SVDNB_x_75N060W_vcmcfg_v10_c201602102315", "SVDNB_x_75N060W_vcmslcfg_v10_c201602102315"),
        ("MOD09GA.A2018001.h18v04.061.2021146024956", "MYD09GA.A2018001.h18v04.061.2021146024956"),
        ("LC08_L2SP_026027_20190601_02_T1", "LC08_L2SP_026028_20190601_02_T1"),
        ("ESA_WorldCover_10m_2020_v100_N48E009", "ESA_WorldCover_10m_2020_v200_N48E009"),
        ("S2A_31UDS_20180103_0_L2A", "S2B_31UES_20180103_0_L2A"),
    ],
)
def test_latest_when_ids_name_other_content_or_are_unknown_then_both(ids: tuple[str, str]) -> None:
    assert kept(*(Item(name, "c", AT, TILE) for name in ids)) == {name: [] for name in ids}


def test_latest_when_tiles_are_written_in_other_ways_then_the_same() -> None:
    ways = (
        {"s2:mgrs_tile": "T04QFJ"},
        {"s2:mgrs_tile": None, "grid:code": "MGRS-4QFJ"},
        {
            "s2:mgrs_tile": None,
            "mgrs:utm_zone": 4,
            "mgrs:latitude_band": "Q",
            "mgrs:grid_square": "FJ",
        },
    )
    records = [record(name, **way) for name, way in zip("abc", ways, strict=True)]
    assert kept(*records) == {"c": ["a", "b"]}


def test_latest_when_platforms_differ_in_case_alone_then_the_same() -> None:
    assert kept(record("a", platform="Sentinel-2B"), record("b")) == {"b": ["a"]}


@pytest.mark.parametrize(
    "other",
    [
        record("b", **{"s2:mgrs_tile": "31UFS"}),
        record("b", platform="sentinel-2a"),
        record("b", at=AT + timedelta(seconds=61)),
        replace(record("b"), collection="sentinel-2-l1c"),
    ],
)
def test_latest_when_tile_platform_time_or_collection_differ_then_both(other: Item) -> None:
    assert kept(record("a"), other) == {"a": [], "b": []}


def test_latest_when_times_are_within_a_minute_then_one() -> None:
    late = record("a", at=AT + timedelta(seconds=60))
    assert kept(record("b", "05.09"), late) == {"a": ["b"]}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (box(3, 50, 3.92, 51), True),  # a little less was delivered
        (box(3.05, 50, 4.05, 51), True),
        (box(3, 50, 3.5, 51), False),  # inside, yet half as large: a part
        (box(3.2, 50, 4.2, 51), False),  # as large, but elsewhere
        (box(3, 50, 3.89, 51), False),
    ],
)
def test_latest_when_outlines_differ_then_only_the_like_replace_each_other(
    other: BaseGeometry, *, same: bool
) -> None:
    found = kept(record("a", "05.09"), record("b", "05.10", other))
    assert found == ({"b": ["a"]} if same else {"a": [], "b": []})


def test_latest_when_both_parts_of_a_tile_were_processed_again_then_one_of_each() -> None:
    north, south = box(3, 50.4, 4, 51), box(3, 50, 4, 50.6)
    parts = [
        record(f"{part}{baseline[-1]}", baseline, ground)
        for part, ground in (("north", north), ("south", south))
        for baseline in ("05.09", "05.11")
    ]
    assert kept(*parts) == {"north1": ["north9"], "south1": ["south9"]}


def test_latest_when_there_is_no_tile_then_outlines_must_be_equal() -> None:
    first = Item("LC08_L2SP_026027_20190601_20190605_02_T1", "c", AT, TILE)
    second = replace(first, id="LC08_L2SP_026027_20190601_20200828_02_T1")
    near, far = box(3.0009, 50, 4, 51), box(3.002, 50, 4, 51)
    assert len(kept(first, replace(second, footprint=near))) == 1
    assert len(kept(first, replace(second, footprint=far))) == 2


def test_latest_when_applied_twice_then_nothing_changes_and_nothing_is_forgotten() -> None:
    once = latest([record("a", "05.09"), record("b", "05.10")])
    assert latest(once) == once
    (again,) = latest([*once, record("c", "05.11")])
    assert again.properties[SUPERSEDES] == ["b"]
    (kept_all,) = latest([*once, record("0", "05.10")])
    assert kept_all.properties[SUPERSEDES] == ["0", "a"]


def test_latest_by_area_then_areas_agree_and_share_the_record() -> None:
    old, new, other = record("a", "05.09"), record("b", "05.10"), record("c", at=AT + TEN_DAYS)
    found = latest_by_area({"both": [old, new], "edge": [old], "last": [new, other], "none": []})
    assert {area: [i.id for i in items] for area, items in found.items()} == {
        "both": ["b"],
        "edge": [],
        "last": ["b", "c"],
        "none": [],
    }
    assert found["both"][0] is found["last"][0]
    assert found["both"][0].properties[SUPERSEDES] == ["a"]
    assert SUPERSEDES not in new.properties


def test_latest_when_real_tiles_are_cut_by_a_data_strip_then_both_parts_stay() -> None:
    real = [
        Item(
            feature["id"],
            feature["collection"],
            parse_utc(feature["properties"]["datetime"]),
            shape(feature["geometry"]),
            feature["properties"],
        )
        for feature in json.loads(HALVES.read_text())["features"]
    ]
    tiles = {(item.properties["s2:mgrs_tile"], item.datetime) for item in real}
    assert len(real) == 2 * len(tiles) == 26
    assert {item.id for item in latest(real)} == {item.id for item in real}
    again = replace(real[0], id="again", properties=real[0].properties | {BASELINE: "05.11"})
    assert kept(*real, again)["again"] == [real[0].id]
