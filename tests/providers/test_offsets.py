"""What Sentinel-2's numbers mean, by the rule of each collection; from real items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eodata.core.endpoint import OffsetSource
from eodata.providers.offsets import Coding, coding_of
from eodata.providers.stac_item import item_of

JSON = dict[str, Any]
ITEMS = Path(__file__).parents[1] / "data/stac/items"
WITH, WITHOUT, UNKNOWN = Coding(0.0001, -0.1), Coding(0.0001, 0.0), Coding(0.0001, None)
ABSENT = object()


def item(name: str) -> JSON:
    return dict(json.loads((ITEMS / f"{name}.json").read_text(encoding="utf-8")))


def codings(fields: JSON, source: OffsetSource) -> dict[str, Coding]:
    read = item_of(fields, fields["collection"], lambda _, a: a["href"], source)
    return {key: Coding(asset.scale, asset.offset) for key, asset in read.assets.items()}


def changed(fields: JSON, **told: object) -> JSON:
    """Return an item with other properties; `ABSENT` removes one."""
    names = {
        "flag": "earthsearch:boa_offset_applied",
        "baseline": "s2:processing_baseline",
        "version": "processing:version",
    }
    properties = fields["properties"] | {names[key]: value for key, value in told.items()}
    kept = {key: value for key, value in properties.items() if value is not ABSENT}
    return fields | {"properties": kept}


@pytest.mark.parametrize(
    ("flag", "baseline", "coding"),
    [
        (True, "05.11", WITHOUT),
        (True, "04.00", WITHOUT),
        (True, "02.14", WITHOUT),
        (True, ABSENT, WITHOUT),
        (False, "05.11", WITH),
        (False, "04.00", WITH),
        (False, "03.01", WITHOUT),
        (False, "02.14", WITHOUT),
        (False, ABSENT, UNKNOWN),
        (False, "soon", UNKNOWN),
        (ABSENT, "05.11", UNKNOWN),
        (ABSENT, "03.01", WITHOUT),
        (ABSENT, ABSENT, UNKNOWN),
        (None, "05.11", UNKNOWN),
        ("true", "05.11", UNKNOWN),
    ],
)
def test_earth_search_then_flag_and_baseline_tell(
    flag: object, baseline: object, coding: Coding
) -> None:
    fields = changed(item("earth-search.sentinel-2-l2a"), flag=flag, baseline=baseline)
    found = codings(fields, "flag")
    assert found["red"] == found["coastal"] == found["swir22"] == coding


@pytest.mark.parametrize("flag", [True, False, ABSENT])
def test_earth_search_then_what_has_no_offset_keeps_none(flag: object) -> None:
    found = codings(changed(item("earth-search.sentinel-2-l2a"), flag=flag), "flag")
    assert found["scl"] == found["cloud"] == Coding(None, None)
    assert found["aot"] == found["wvp"] == Coding(0.001, 0.0)


def test_earth_search_then_originals_are_as_esa_delivered_them() -> None:
    found = codings(item("earth-search.sentinel-2-l2a"), "flag")
    assert (found["red"], found["red-jp2"]) == (WITHOUT, WITH)
    assert (found["scl-jp2"], found["aot-jp2"]) == (Coding(None, None), Coding(0.001, 0.0))


@pytest.mark.parametrize(
    "name", ["planetary-computer.sentinel-2-l2a", "earth-search.sentinel-2-l1c"]
)
@pytest.mark.parametrize(
    ("baseline", "coding"),
    [
        ("02.12", WITHOUT),
        ("03.01", WITHOUT),
        ("04.00", WITH),
        ("05.10", WITH),
        ("05.11", WITH),
        ("10.00", WITH),
        (5.1, WITH),
    ],
)
def test_pixels_as_delivered_then_the_baseline_tells(
    name: str, baseline: object, coding: Coding
) -> None:
    found = codings(changed(item(name), baseline=baseline), "baseline")
    own = ("B04", "B8A") if "B8A" in found else ("red", "cirrus")
    assert [found[key] for key in own] == [coding, coding]


@pytest.mark.parametrize("baseline", [ABSENT, None, "", "N0510", "05.10.1", "-5.1"])
def test_baseline_that_is_none_then_only_what_is_stated(baseline: object) -> None:
    fields = changed(item("planetary-computer.sentinel-2-l2a"), baseline=baseline)
    assert codings(fields, "baseline")["B04"] == Coding(None, None)


def test_baseline_under_its_newer_name_then_read() -> None:
    fields = changed(item("planetary-computer.sentinel-2-l2a"), baseline=ABSENT, version="03.01")
    assert codings(fields, "baseline")["B04"] == WITHOUT


def test_planetary_computer_then_classes_and_pictures_have_no_offset() -> None:
    """An offset on classes would turn all of them into 0."""
    found = codings(item("planetary-computer.sentinel-2-l2a"), "baseline")
    assert {found[key] for key in ("SCL", "AOT", "WVP", "visual")} == {Coding(None, None)}


def test_collection_1_then_as_stated() -> None:
    found = codings(item("earth-search.sentinel-2-c1-l2a"), "stated")
    assert (found["red"], found["aot"], found["scl"]) == (
        WITH,
        Coding(0.001, 0.0),
        Coding(None, None),
    )


def test_stated_by_an_item_whose_offset_was_taken_out_then_the_flag_goes_first() -> None:
    found = codings(item("earth-search.sentinel-2-l2a"), "stated")
    assert found["red"] == WITHOUT


@pytest.mark.parametrize(
    ("band", "asset", "coding"),
    [
        ({"raster:scale": 2, "raster:offset": 3}, {}, Coding(2, 3)),
        ({}, {"raster:scale": 2, "raster:offset": "3"}, Coding(2, 3)),
        ({"raster:scale": 2}, {"raster:scale": 5, "raster:offset": 3}, Coding(2, 3)),
        ({"raster:scale": None}, {"raster:scale": 0.5}, Coding(0.5, None)),
        ({}, {}, Coding(None, None)),
    ],
)
def test_stated_then_the_band_goes_before_the_asset(
    band: JSON, asset: JSON, coding: Coding
) -> None:
    assert coding_of("stated", {}, asset, band) == coding
