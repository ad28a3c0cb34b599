"""Items, and how they group into passes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from eodata.core.item import Acquisition, Asset, Item, group_passes

NOON = datetime(2018, 6, 1, 12, tzinfo=UTC)
names = st.text("abcXYZ09_-é", min_size=1, max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | finite | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
assets = st.builds(
    Asset,
    key=names,
    href=st.text(max_size=12),
    scale=st.none() | finite,
    offset=st.none() | finite,
    nodata=st.none() | finite | st.just(float("nan")),
    band=st.integers(1, 20),
    size_bytes=st.none() | st.integers(0, 10**12),
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    west, south = draw(st.floats(-179, 170)), draw(st.floats(-80, 80))
    square = box(west, south, west + 0.7, south + 0.3)
    ground = square if draw(st.booleans()) else MultiPolygon([square, box(175, 0, 176, 1)])
    return Item(
        id=draw(names),
        collection=draw(names),
        datetime=draw(st.datetimes(timezones=st.just(UTC))),
        footprint=ground,
        properties=draw(st.dictionaries(names, json_values, max_size=3)),
        assets={a.key: a for a in draw(st.lists(assets, max_size=3))},
    )


def item(
    name: str, at: datetime = NOON, orbit: int | None = 8, lon: float = 3.0, **more: object
) -> Item:
    properties: dict[str, object] = {"platform": "sentinel-2a", **more}
    if orbit is not None:
        properties["sat:relative_orbit"] = orbit
    return Item(name, "s2", at, box(lon, 50, lon + 0.5, 50.5), properties)


@given(items())
@settings(max_examples=60, deadline=None)
def test_item_when_written_as_strict_json_and_read_then_equal(one: Item) -> None:
    text = json.dumps(one.to_json(), allow_nan=False)
    assert Item.from_json(json.loads(text)) == one


def test_asset_when_nodata_is_nan_then_none() -> None:
    assert Asset("a", "a.tif", nodata=float("nan")) == Asset("a", "a.tif")
    assert Asset("a", "a.tif", nodata=0.0).nodata == 0


def test_cloud_when_not_stated_then_none() -> None:
    assert item("a").cloud is None
    assert item("a", **{"eo:cloud_cover": 0}).cloud == 0
    mixed = (item("a", **{"eo:cloud_cover": 20}), item("b"), item("c", **{"eo:cloud_cover": 40}))
    assert Acquisition(mixed).cloud is None
    assert Acquisition((mixed[0], mixed[2])).cloud == 30
    assert Acquisition((item("b"),)).cloud is None


def test_pass_key_then_collection_platform_and_orbit() -> None:
    assert item("a").pass_key == item("b", NOON + timedelta(days=10), lon=9).pass_key
    assert item("a").pass_key != item("a", orbit=9).pass_key
    assert item("a").pass_key != item("a", platform="sentinel-2b").pass_key


def test_group_passes_when_tiles_of_one_pass_then_one_acquisition_first_on_top() -> None:
    late, early = item("a", NOON + timedelta(seconds=14)), item("b")
    (acquisition,) = group_passes([late, early])
    assert [i.id for i in acquisition.items] == ["b", "a"]
    assert (acquisition.id, acquisition.datetime) == ("b", NOON)


def test_group_passes_when_midnight_falls_into_the_pass_then_one_acquisition() -> None:
    midnight = datetime(2018, 6, 2, tzinfo=UTC)
    assert len(group_passes([item("a", midnight - timedelta(seconds=3)), item("b", midnight)])) == 1


def test_group_passes_when_the_pass_crosses_the_date_line_then_one_acquisition() -> None:
    at = datetime(2018, 6, 1, 22, 30, tzinfo=UTC)
    both = [item("a", at, lon=179.4), item("b", at + timedelta(seconds=5), lon=-180)]
    assert len(group_passes(both)) == 1
    cut = MultiPolygon([box(179.5, 50, 180, 51), box(-180, 50, -179.5, 51)])
    middle = Item("c", "s2", at + timedelta(seconds=9), cut, both[0].properties)
    assert len(group_passes([*both, middle])) == 1


def test_group_passes_when_platform_orbit_or_day_differ_then_apart() -> None:
    found = group_passes(
        [
            item("a"),
            item("b", platform="sentinel-2b"),
            item("c", orbit=9),
            item("d", NOON + timedelta(days=10)),
            Item("e", "other", NOON, box(3, 50, 4, 51), item("a").properties),
        ]
    )
    assert sorted(a.id for a in found) == ["a", "b", "c", "d", "e"]


def test_group_passes_when_no_orbit_is_stated_then_the_next_orbit_is_another_pass() -> None:
    found = group_passes(
        [item("a", orbit=None), item("b", NOON + timedelta(minutes=100), orbit=None)]
    )
    assert [a.id for a in found] == ["a", "b"]


def test_group_passes_when_reprocessed_twice_then_both_kept_ordered_by_id() -> None:
    (acquisition,) = group_passes([item("x_N0500"), item("x_N0214")])
    assert [i.id for i in acquisition.items] == ["x_N0214", "x_N0500"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2)), unique=True),
    st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_group_passes_when_permuted_then_the_same(
    spots: list[tuple[int, int, int]], seed: int
) -> None:
    made = [
        item(f"i{d}{m}{o}", NOON + timedelta(days=d, minutes=20 * m), orbit=o) for d, m, o in spots
    ]
    shuffled = Random(seed).sample(made, len(made))
    groups = group_passes(made)
    assert group_passes(shuffled) == groups
    assert sorted(i.id for g in groups for i in g.items) == sorted(i.id for i in made)
    assert [(g.datetime, g.id) for g in groups] == sorted((g.datetime, g.id) for g in groups)
