"""Searches: pages, times, ground."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import MultiPolygon, box, shape

from eodata.core.earthengine import EarthEngineLocation
from eodata.core.errors import ProviderError
from eodata.core.protocols import Query
from eodata.core.span import Span
from eodata.core.where import Where
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.earthengine.search import region_of
from tests.providers.earthengine.fake import SOMEWHERE, FakeEarthEngine, FakeImage

DAY, YEAR = timedelta(days=1), timedelta(days=365)
JUNE = datetime(2018, 6, 1, tzinfo=UTC)
BANDS = {"B4": (np.ones((4, 4), "uint16"), np.ones((4, 4), bool))}


def image(name: str, start: datetime, lasts: timedelta = timedelta(0), **more) -> FakeImage:
    return FakeImage(f"C/{name}", BANDS, start, start + lasts, **more)


def provider(engine: FakeEarthEngine) -> EarthEngineProvider:
    return EarthEngineProvider(EarthEngineLocation(), engine, {})


def find(engine: FakeEarthEngine, span: Span | None, ground=SOMEWHERE, **more) -> list[str]:
    return [item.id for item in provider(engine).search(Query("C", ground, span, **more))]


def test_search_then_every_page_is_asked_for_and_items_are_in_order_of_time():
    engine = FakeEarthEngine([image(f"i{k}", JUNE + (9 - k) * DAY) for k in range(9)], page=2)
    assert find(engine, Span(JUNE, JUNE + 30 * DAY)) == [f"i{k}" for k in range(8, -1, -1)]
    tokens = [asked.get("pageToken") for asked in engine.listed]
    assert tokens == [None, None, "2", "4", "6", "8"]


def test_search_then_the_start_is_included_and_the_end_is_not():
    engine = FakeEarthEngine([image(f"i{k}", JUNE + k * DAY) for k in range(4)])
    assert find(engine, Span(JUNE + DAY, JUNE + 3 * DAY)) == ["i1", "i2"]


def test_search_when_an_image_ends_after_the_span_then_its_start_decides():
    lasting = [image("s1", JUNE - timedelta(seconds=10), timedelta(seconds=25))]
    engine = FakeEarthEngine(lasting)
    assert find(engine, Span(JUNE - DAY, JUNE)) == ["s1"]
    assert find(engine, Span(JUNE, JUNE + DAY)) == []


def test_search_when_images_last_a_year_then_those_that_reach_into_the_span_are_found():
    years = [image(f"y{k}", datetime(k, 1, 1, tzinfo=UTC), YEAR) for k in range(2015, 2022)]
    engine = FakeEarthEngine(years)
    assert find(engine, Span(JUNE, JUNE + DAY)) == ["y2018"]
    assert find(engine, Span(JUNE, JUNE + YEAR)) == ["y2018", "y2019"]


def test_search_then_the_length_of_images_is_asked_once_per_collection():
    engine = FakeEarthEngine([image("a", JUNE)])
    asker = provider(engine)
    for _ in range(3):
        asker.search(Query("C", SOMEWHERE, Span(JUNE, JUNE + DAY)))
    assert [asked["pageSize"] for asked in engine.listed].count(1) == 1


def test_search_without_a_time_then_none_is_asked_for():
    engine = FakeEarthEngine([image("a", JUNE), image("b", JUNE + 9 * YEAR)])
    assert find(engine, None) == ["a", "b"]
    assert not any("startTime" in asked for asked in engine.listed)


def test_search_when_nothing_lies_there_then_nothing_is_found():
    engine = FakeEarthEngine([image("a", JUNE)])
    assert find(engine, Span(JUNE, JUNE + DAY), box(50, 1, 51, 2)) == []


def test_search_then_where_is_applied_here():
    clouds = {"a": 10, "b": 90}
    engine = FakeEarthEngine(
        [image(k, JUNE, properties={"CLOUDY_PIXEL_PERCENTAGE": v}) for k, v in clouds.items()]
    )
    where = Where.parse({"eo:cloud_cover": {"max": 20}})
    assert find(engine, Span(JUNE, JUNE + DAY), where=where) == ["a"]


def test_search_when_outlines_only_touch_then_they_share_no_ground():
    engine = FakeEarthEngine([image("a", JUNE)])
    west, south, _, north = SOMEWHERE.bounds
    assert find(engine, None, box(west - 1, south, west, north)) == []


def test_search_across_the_date_line_then_both_sides_are_asked_and_no_image_comes_twice():
    both = MultiPolygon([box(179.9, 1, 180, 2), box(-180, 1, -179.9, 2)])
    engine = FakeEarthEngine([image("a", JUNE, ground=both), image("b", JUNE, ground=SOMEWHERE)])
    assert find(engine, Span(JUNE, JUNE + DAY), both) == ["a"]
    sides = {shape(asked["region"]).centroid.x > 0 for asked in engine.listed}
    assert sides == {True, False}


def test_search_when_metadata_are_broken_then_the_image_is_named():
    engine = FakeEarthEngine([image("a", JUNE, properties={"MEAN_SOLAR_ZENITH_ANGLE": "noon"})])
    with pytest.raises(ProviderError, match="C/a"):
        find(engine, None)


@pytest.mark.parametrize("ground", [box(10, 48, 10.1, 48.1), box(-20, 60, 20, 75), SOMEWHERE])
def test_region_then_great_circles_between_its_corners_hold_the_ground(ground):
    found = shape(region_of(ground))
    corners = np.array(found.exterior.coords)
    geod = pyproj.Geod(ellps="sphere")
    bent = []
    for (x, y), (u, v) in itertools.pairwise(corners):
        bent += [(x, y), *geod.npts(x, y, u, v, 20)]
    assert shapely.Polygon(bent).contains(ground)
    assert len(corners) < 200


def test_region_at_a_pole_then_it_stays_on_earth():
    west, south, east, north = shape(region_of(box(-180, 80, 180, 90))).bounds
    assert (west, east, north) == (-180, 180, 90)
    assert south < 80
