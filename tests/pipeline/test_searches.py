"""Few searches for many areas."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import floor
from random import Random

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.item import Item
from eodata.core.reproject import shares_ground
from eodata.core.span import Span
from eodata.pipeline.searches import (
    MOST_MEMBERS,
    SMALL_DEG2,
    SPREAD,
    SearchBlock,
    Wanted,
    search_blocks,
)

JUNE = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC))
JULY = Span(JUNE.end, JUNE.end + timedelta(days=30))


def square(name: str, lon: float, lat: float, edge: float = 0.025, span: Span | None = JUNE):
    return Wanted(name, box(lon, lat, lon + edge, lat + edge), span)


def members(blocks: list[SearchBlock]) -> list[list[str]]:
    return [sorted(member.area for member in block.members) for block in blocks]


def bounds_deg2(*grounds: BaseGeometry) -> float:
    west, south, east, north = shapely.total_bounds(list(grounds))
    return float((east - west) * (north - south))


@st.composite
def wishes(draw: st.DrawFn) -> list[Wanted]:
    """Clusters of small areas, some large ones, some at the edges of the Earth."""
    seed = Random(draw(st.integers(0, 2**32)))
    found = []
    for cluster in range(draw(st.integers(1, 6))):
        lon, lat = seed.uniform(-180, 178), seed.uniform(-90, 88)
        spread, edge = seed.choice([0, 0.3, 1.5]), seed.choice([0.01, 0.03, 0.4])
        for n in range(seed.randint(1, 70)):
            span = seed.choice([JUNE, JUNE, JULY, None])
            place = lon + seed.uniform(0, spread), lat + seed.uniform(0, spread)
            found.append(square(f"{cluster}-{n}", *place, edge, span))
    return found


@given(wishes())
@settings(max_examples=40, deadline=None)
def test_blocks_then_each_area_once_and_every_block_within_its_limits(wanted: list[Wanted]) -> None:
    blocks = search_blocks(wanted)
    assert sorted(w.area for b in blocks for w in b.members) == sorted(w.area for w in wanted)
    for block in blocks:
        assert {member.span for member in block.members} == {block.span}
        assert 1 <= len(block.members) <= MOST_MEMBERS
        held = sum(bounds_deg2(member.ground) for member in block.members)
        wide = bounds_deg2(*(member.ground for member in block.members))
        assert len(block.members) == 1 or wide <= max(SMALL_DEG2, SPREAD * held) + 1e-9
        whole = shapely.union_all([member.ground for member in block.members])
        assert block.ground.equals(whole)


@given(wishes(), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_blocks_when_areas_come_in_another_order_then_the_same(
    wanted: list[Wanted], seed: int
) -> None:
    mixed = Random(seed).sample(wanted, len(wanted))
    assert search_blocks(mixed) == search_blocks(wanted)


def test_blocks_then_neighbours_together_and_others_apart() -> None:
    near = [square("a", 3, 50), square("b", 3.1, 50.1)]
    found = members(search_blocks([*near, square("far", 3, 60)]))
    assert sorted(found) == [["a", "b"], ["far"]]
    assert members(search_blocks([])) == []


def test_blocks_when_spans_differ_then_apart_and_static_layers_first() -> None:
    twins = [square("july", 3, 50, span=JULY), square("june", 3, 50), square("any", 3, 50)]
    twins[2] = replace(twins[2], span=None)
    blocks = search_blocks(twins)
    assert [block.span for block in blocks] == [None, JUNE, JULY]
    assert members(blocks) == [["any"], ["june"], ["july"]]


def test_blocks_when_a_thin_strip_would_be_wide_then_apart() -> None:
    assert len(search_blocks([square("a", 3, 50, 0.01), square("b", 13, 50, 0.01)])) == 2
    assert len(search_blocks([square("a", 3, 50, 0.01), square("b", 3, 60, 0.01)])) == 2


def test_blocks_when_many_areas_lie_on_one_spot_then_no_block_grows_too_long() -> None:
    blocks = search_blocks([square(f"{n:03d}", 3, 50) for n in range(2 * MOST_MEMBERS + 1)])
    assert [len(block.members) for block in blocks] == [MOST_MEMBERS, MOST_MEMBERS, 1]


def test_blocks_when_an_area_lies_on_both_sides_of_the_date_line_then_alone() -> None:
    cut = MultiPolygon([box(179.9, 0.1, 180, 0.2), box(-180, 0.1, -179.9, 0.2)])
    others = [square("a", 0, 0.1), square("b", 0.05, 0.1)]
    found = members(search_blocks([*others, Wanted("cut", cut, JUNE)]))
    assert sorted(found) == [["a", "b"], ["cut"]]


def test_blocks_when_five_thousand_areas_fill_a_country_then_few_searches() -> None:
    """Squares of 2.5 km, side by side, over 2.5 by 2.5 degrees."""
    n, edge = 71, 0.035
    names = iter(Random(0).sample(range(n * n), n * n))
    wanted = [
        square(str(next(names)), 3 + edge * col, 50 + edge * row, edge)
        for row in range(n)
        for col in range(n)
    ]
    assert len(search_blocks(wanted)) <= 1.2 * len(wanted) / MOST_MEMBERS


def item(name: str, ground: BaseGeometry) -> Item:
    return Item(name, "c", JUNE.start, ground)


@given(wishes(), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_handed_out_items_then_those_that_each_area_would_have_found(
    wanted: list[Wanted], seed: int
) -> None:
    """The archive has tiles of half a degree around every area, in an order of its own."""
    corners = {
        (floor(2 * x) / 2, floor(2 * y) / 2)
        for one in wanted
        for x, y in shapely.get_coordinates(one.ground)
    }
    tiles = [item(f"{x}_{y}", box(x, y, x + 0.5, y + 0.5)) for x, y in sorted(corners)]
    Random(seed).shuffle(tiles)

    def search(ground: BaseGeometry) -> list[Item]:
        return [tile for tile in tiles if shares_ground(ground, tile.footprint)]

    found: dict[str, list[Item]] = {}
    for block in search_blocks(wanted):
        found |= block.hand_out(search(block.ground))
    assert found == {one.area: search(one.ground) for one in wanted}


def test_handed_out_items_when_they_only_touch_an_area_then_not_its_own() -> None:
    block = SearchBlock((square("west", 0, 0, 1), square("east", 1, 0, 1)))
    items = [item("b", box(1, 0, 2, 1)), item("a", box(0, 0, 2, 1))]
    found = block.hand_out(items)
    assert {area: [i.id for i in rows] for area, rows in found.items()} == {
        "west": ["a"],
        "east": ["b", "a"],
    }
