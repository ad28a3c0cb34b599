"""Grids of the whole Earth: every place lies in a cell, in every edition, under one id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.sensors.elevation import Elevation
from eodata.sandbox.sensors.gridded import Edition, months, years
from eodata.sandbox.sensors.landcover import ModisLandCover, WorldCover
from eodata.sandbox.sensors.lights import NightLights
from tests.sandbox.sensors.checker_world import CheckerPlanet

KINDS = (ModisLandCover, WorldCover, Elevation, NightLights)
BELGIUM = box(2.9, 50.9, 3.1, 51.1)
FIJI = (177.3, -18.2, 182.0, -16.2)
"""Over the date line."""


def collection(kind):
    return kind(SandboxSettings(), CheckerPlanet())


def ids(kind, footprint, span=None, **order):
    return [item.id for item in collection(kind).find(footprint, span, **order)]


def test_months_and_years_follow_each_other_without_gaps():
    for editions in (months((2012, 4), (2024, 12)), years(2001, 2023)):
        for before, after in pairwise(editions):
            assert before.end == after.start
    assert [e.name for e in months((2019, 11), (2020, 2))] == [
        "201911",
        "201912",
        "202001",
        "202002",
    ]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2018-03-01", "2018-04-01", True),  # inside
        ("2017-01-01", "2018-01-01", False),  # ends where it starts
        ("2019-01-01", "2020-01-01", False),  # starts where it ends
        ("2017-01-01", "2018-01-02", True),
    ],
)
def test_a_period_lies_in_the_spans_that_it_overlaps(start, end, found):
    edition = Edition("2018", datetime(2018, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC))
    span = Span(datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert edition.lies_in(span) is found
    assert edition.lies_in(None)


def test_an_instant_lies_only_in_spans_that_hold_it():
    edition = Edition("10", datetime(2021, 4, 22, tzinfo=UTC))
    day = timedelta(days=1)
    assert edition.lies_in(Span(edition.start, edition.start + day))
    assert not edition.lies_in(Span(edition.start - day, edition.start))
    assert not edition.lies_in(Span(edition.start + day, edition.start + 2 * day))


@pytest.mark.parametrize("kind", [WorldCover, Elevation, NightLights, ModisLandCover])
@given(lon=st.floats(-179.9, 179.8), lat=st.floats(-59.0, 74.0))
@settings(max_examples=25, deadline=None)
def test_every_place_lies_in_the_cells_that_are_found(kind, lon, lat):
    place = box(lon, lat, lon + 0.05, lat + 0.05)
    cells = [cell.footprint for cell in kind.grid.over(place)]
    left = place.difference(shapely.union_all(cells))
    # The sides of MODIS tiles are drawn with straight pieces, and elevation tiles are displaced
    # by half a pixel.
    assert left.area < 0.02 * place.area


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_gets_the_item_it_came_from(kind):
    made = collection(kind)
    item = next(made.find(BELGIUM, None))
    same = made.get(item.id)
    assert (same.id, same.base, same.datetime) == (item.id, item.base, item.datetime)
    assert same.collection == made.id
    assert same.footprint.equals(item.footprint)
    assert made.defects(item) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [lambda i: i + "x", lambda i: "", lambda i: i[1:]])
def test_unknown_ids_are_lookup_errors(kind, change):
    made = collection(kind)
    known = next(made.find(BELGIUM, None)).id
    with pytest.raises(LookupError, match=made.id):
        made.get(change(known))


@pytest.mark.parametrize(
    ("kind", "unknown"),
    [
        (Elevation, "Copernicus_DSM_COG_10_N30_00_W040_00_DEM"),  # Atlantic
        (WorldCover, "ESA_WorldCover_10m_2020_v200_N48E003"),  # v200 is 2021
        (WorldCover, "ESA_WorldCover_10m_2020_v100_N47E003"),  # no multiple of three degrees
        (NightLights, "SVDNB_npp_20180101-20180131_75N060W_vcmcfg_v10_c201802010000"),
        (ModisLandCover, "MCD12Q1.A2018001.h99v03.061.2019082204651"),
    ],
)
def test_ids_that_look_right_are_checked(kind, unknown):
    with pytest.raises(LookupError):
        collection(kind).get(unknown)


@pytest.mark.parametrize("kind", KINDS)
def test_items_come_in_order_and_newest_first_is_the_reverse(kind):
    span = Span(datetime(2020, 3, 1, tzinfo=UTC), datetime(2021, 9, 1, tzinfo=UTC))
    found = list(collection(kind).find(BELGIUM, span))
    assert found == sorted(found, key=lambda i: (i.datetime, i.id))
    assert ids(kind, BELGIUM, span, newest_first=True) == [i.id for i in found][::-1]
    assert len({i.id for i in found}) == len(found)


@pytest.mark.parametrize("kind", KINDS)
def test_the_date_line_is_no_border(kind):
    west, south, east, north = FIJI
    halves = MultiPolygon([box(west, south, 180, north), box(-180, south, east - 360, north)])
    whole = ids(kind, box(*FIJI))
    assert whole == ids(kind, halves)
    assert len(whole) >= 2
    assert whole == ids(kind, shapely.affinity.translate(box(*FIJI), -360))


def test_touching_a_cell_is_not_sharing_its_ground():
    assert ids(WorldCover, box(3, 48.5, 3.5, 51)) == [
        "ESA_WorldCover_10m_2020_v100_N48E003",
        "ESA_WorldCover_10m_2021_v200_N48E003",
    ]


def test_a_collection_covers_the_time_of_its_editions():
    assert collection(NightLights).span.start == datetime(2012, 4, 1, tzinfo=UTC)
    assert collection(WorldCover).span.end == datetime(2022, 1, 1, tzinfo=UTC)
    assert datetime(2021, 4, 22, tzinfo=UTC) in collection(Elevation).span
