"""Squares about points, and miniatures of a dataset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from eodata.core.errors import GridError, RecipeError
from eodata.core.grid import resolve_crs, tile_area
from eodata.core.patch import Area
from eodata.core.recipe import Recipe, ScaleSpec
from eodata.core.recipe_time import TimeSpec
from eodata.core.reproject import WGS84, reproject
from eodata.core.span import Span
from eodata.pipeline.scale import first_steps, scaled, scaled_areas, square_about

UTM = "EPSG:32631"
GSD = 10.0
START = datetime(2018, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
AREA = {"bbox": [3.0, 50.0, 4.0, 51.0], "patch": 640, "stride": 320}


def recipe(area=None, time=None, **more):
    return Recipe.parse(
        {
            "name": "x",
            "title": "X",
            "licence": "CC0",
            "area": AREA | (area or {}),
            "time": {"start": "2018-01-01", "end": "2018-01-31", "steps": 10} | (time or {}),
            "modalities": {"s1": {"product": "sentinel-1-grd"}},
            **more,
        },
        "x.yaml",
    )


def metric(polygon):
    """An area whose outline is given in metres of UTM zone 31."""
    return Area("a", reproject(polygon, UTM, WGS84, 100.0), UTM)


def square(left, top, side):
    return box(left, top - side, left + side, top)


def ground_of(area):
    return reproject(area.geometry, WGS84, area.crs, 1.0)


def only(area, spec, **more):
    (found,) = scaled_areas({area.id: area}, recipe(scale=spec, **more), {}).values()
    return found


def corners(area, patch, stride, align="lattice", cover=0.999):
    """North-west corners of the patches, in strides from that of the first one."""
    found = tile_area(area, patch, stride, align, GSD, cover)
    left, top = min(p.left for p in found), max(p.top for p in found)
    return sorted((round((top - p.top) / stride), round((p.left - left) / stride)) for p in found)


def days(first, last):
    return Span(START + first * DAY, START + last * DAY)


# --- squares


@settings(max_examples=150, deadline=None)
@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-89, 89),
    px=st.sampled_from([16, 64, 256]),
    overlap=st.sampled_from([1, 2, 4]),
    n=st.integers(1, 4),
    align=st.sampled_from(["lattice", "area"]),
)
@example(lon=179.9999, lat=-16.5, px=256, overlap=2, n=3, align="lattice")
@example(lon=-180.0, lat=65.0, px=256, overlap=1, n=4, align="area")
@example(lon=5.99999, lat=50.0, px=64, overlap=1, n=3, align="lattice")
@example(lon=12.0, lat=-33.0, px=64, overlap=2, n=3, align="area")
@example(lon=0.0, lat=80.0, px=256, overlap=4, n=4, align="lattice")
@example(lon=179.99, lat=80.0, px=256, overlap=4, n=4, align="area")
@example(lon=-70.0, lat=0.0, px=64, overlap=2, n=2, align="lattice")
@example(lon=180.0, lat=85.0, px=256, overlap=1, n=2, align="lattice")
@example(lon=21.0, lat=83.9, px=256, overlap=1, n=4, align="lattice")
def test_square_when_anywhere_on_earth_then_full_of_patches_about_its_point(
    lon, lat, px, overlap, n, align
):
    patch = px * GSD
    stride = patch / overlap
    side = patch + (n - 1) * stride
    point = shapely.Point(lon, lat)
    crs = resolve_crs("utm", point)
    found = square_about(point, crs, side, stride)
    assert found.is_valid
    assert -180 <= found.bounds[0] <= found.bounds[2] <= 180
    area = Area("a", found, crs)
    assert corners(area, patch, stride, align) == [(r, c) for r in range(n) for c in range(n)]
    outline, there = ground_of(area), reproject(point, WGS84, crs, 1.0)
    west, south, east, north = outline.bounds
    assert (east - west, north - south) == pytest.approx((side, side), abs=1e-3)
    assert abs((west + east) / 2 - there.x) <= stride / 2 + 1e-3
    assert abs((south + north) / 2 - there.y) <= stride / 2 + 1e-3


def test_square_when_every_pixel_of_a_patch_must_lie_inside_then_still_full():
    point = shapely.Point(20.0, 80.0)
    area = Area("a", square_about(point, "EPSG:32633", 43520, 2560), "EPSG:32633")
    assert len(corners(area, 2560, 2560, cover=1.0)) == 17**2


def test_square_when_over_the_date_line_then_in_two_parts_of_one_zone():
    found = square_about(shapely.Point(179.9999, -16.5), "EPSG:32760", 5120, 2560)
    west, east = sorted(part.bounds[0] for part in found.geoms)
    assert west == -180
    assert east > 179.9


@pytest.mark.parametrize(("lat", "crs"), [(89.99, "EPSG:3413"), (-89.99, "EPSG:3031")])
def test_square_when_a_pole_lies_in_it_then_refused(lat, crs):
    with pytest.raises(RecipeError, match="pole"):
        square_about(shapely.Point(30.0, lat), crs, 5120, 2560)


def test_square_when_the_crs_ends_before_the_point_then_refused():
    with pytest.raises(GridError, match="no coordinates"):
        square_about(shapely.Point(150, 0), "+proj=ortho +lat_0=0 +lon_0=0", 5120, 2560)


# --- time


def test_scaled_when_fewer_steps_then_the_first_ones_as_long_as_they_were():
    whole = recipe()
    small = scaled(recipe(scale={"steps": 4}))
    assert small.time.span.steps(4) == whole.time.span.steps(10)[:4]
    assert small.scale == ScaleSpec(steps=4)


def test_scaled_when_seasons_then_they_keep_as_many_steps():
    seasons = {"spring": ["2018-03-01", "2018-03-21"], "fall": ["2018-09-01", "2018-09-11"]}
    small = scaled(recipe(time={"seasons": seasons}, scale={"steps": 3}))
    assert small.time.season("spring") == days(59, 65)
    assert small.time.season("fall") == days(243, 246)


@pytest.mark.parametrize("steps", [10, 11, 1000])
def test_scaled_when_no_fewer_steps_then_the_time_is_left_alone(steps):
    assert scaled(recipe(scale={"steps": steps})).time == recipe().time


@given(
    scale=st.fixed_dictionaries(
        {},
        optional={
            "areas": st.integers(1, 9),
            "side": st.sampled_from([640.0, 5120.5, 1e6]),
            "steps": st.integers(1, 12),
        },
    ),
    steps=st.integers(1, 30),
    days=st.integers(1, 100),
)
def test_scaled_when_read_from_its_plan_and_scaled_again_then_the_same(scale, steps, days):
    end = (START + days * DAY).isoformat()
    seasons = {"spring": ["2018-03-01", "2018-05-02T12:30:00"]}
    whole = recipe(time={"end": end, "steps": steps, "seasons": seasons}, scale=scale)
    small = scaled(whole)
    again = Recipe.parse(small.to_json(), "plan.json")
    assert again == small
    assert again.to_json() == small.to_json()
    assert scaled(again) == small


@pytest.mark.parametrize("scale", [None, {}])
def test_scaled_when_nothing_is_asked_then_the_recipe_itself(scale):
    whole = recipe(scale=scale)
    assert scaled(whole) is whole


def test_scaled_then_the_title_says_what_it_is():
    spec = ScaleSpec.from_text("areas=2 side=5120 steps=4")
    small = scaled(recipe(scale=spec.model_dump()))
    assert small.title == "X (miniature: areas=2 side=5120 steps=4)"
    assert ScaleSpec.from_text("areas=2 side=5120 steps=4") == small.scale


def test_scaled_when_areas_would_be_smaller_than_a_patch_then_refused_with_the_least():
    with pytest.raises(RecipeError, match=r"scale\.side") as caught:
        scaled(recipe(scale={"side": 639}))
    assert "640" in caught.value.fix


def test_first_steps_when_a_span_then_its_beginning():
    span = Span(START, START + 30 * DAY)
    assert first_steps(span, 30, 4) == Span(START, START + 4 * DAY)
    assert first_steps(span, 4, 4) == span
    assert first_steps(span, 7, 2).steps(2) == span.steps(7)[:2]


# --- areas


def in_splits(*splits):
    names = (chr(ord("a") + i) for i in range(len(splits)))
    return {
        n: Area(n, box(3, 50, 3.1, 50.1), UTM, split=s) for n, s in zip(names, splits, strict=True)
    }


@pytest.mark.parametrize(
    ("n", "kept"),
    [(1, "a"), (2, "ae"), (3, "ade"), (4, "abde"), (5, "abdef"), (6, "abcdef"), (99, "abcdef")],
)
def test_areas_when_fewer_then_of_each_split_in_turn_and_in_order(n, kept):
    areas = in_splits("train", "train", "train", "test", "val", "test")
    found = scaled_areas(areas, recipe(scale={"areas": n}), {})
    assert "".join(found) == kept
    assert all(found[name] == areas[name] for name in found)


def test_areas_when_the_list_tells_their_split_then_so_too():
    listed = {"a": "train", "b": "train", "c": "test"}
    found = scaled_areas(in_splits("", "", ""), recipe(scale={"areas": 2}), listed)
    assert list(found) == ["a", "c"]


def test_areas_when_no_split_is_known_then_the_first_ones():
    assert list(scaled_areas(in_splits("", "", ""), recipe(scale={"areas": 2}), {})) == ["a", "b"]


@pytest.mark.parametrize(
    "polygon", [square(500_160, 5_600_320, 43_520), box(5e5, 55e5, 54e4, 58e5)]
)
def test_area_when_a_wide_square_is_made_smaller_then_whole_patches_about_its_middle(polygon):
    area = metric(polygon)
    small = only(area, {"side": 1600})
    assert corners(small, 640, 320) == [(r, c) for r in range(4) for c in range(4)]
    middle = ground_of(small).centroid
    assert middle.distance(polygon.centroid) < 320
    assert (small.id, small.crs) == (area.id, area.crs)


def test_area_of_a_point_when_made_smaller_then_its_patches_are_some_of_those_before():
    whole = Area(
        "a", square_about(shapely.Point(-70, -33), "EPSG:32719", 12_800, 320), "EPSG:32719"
    )
    small = only(whole, {"side": 1600})
    places = [
        {(p.left, p.top) for p in tile_area(a, 640, 320, "lattice", GSD, 0.999)}
        for a in (small, whole)
    ]
    assert len(places[0]) == 16
    assert places[0] < places[1]


def test_area_when_over_the_date_line_then_its_middle_is_there_too():
    whole = Area(
        "a", square_about(shapely.Point(180, -16), "EPSG:32701", 12_800, 320), "EPSG:32701"
    )
    small = only(whole, {"side": 1600})
    assert len(corners(small, 640, 320)) == 16
    assert small.geometry.bounds[::2] == (-180, 180)


CRESCENT = square(5e5, 56e5, 20_000) - square(504_000, 5_600_001, 16_001)
RING = square(5e5, 56e5, 20_000) - square(505_000, 5_595_000, 10_000)
APART = MultiPolygon([square(5e5, 56e5, 3000), square(540_000, 56e5, 4000)])


@pytest.mark.parametrize("polygon", [CRESCENT, RING, APART], ids=["crescent", "ring", "apart"])
def test_area_when_its_middle_lies_outside_then_the_square_lies_in_its_widest_place(polygon):
    small = only(metric(polygon), {"side": 1600})
    assert len(corners(small, 640, 320)) == 16
    assert ground_of(small).within(polygon.buffer(0.1))


def test_area_when_narrower_than_the_square_then_no_ground_outside_of_it():
    river = Polygon([(5e5, 56e5), (520_000, 5_599_000), (520_000, 5_598_000), (5e5, 5_599_000)])
    small = only(metric(river), {"side": 1600})
    assert ground_of(small).within(river.buffer(0.1))
    assert ground_of(small).area == pytest.approx(1600 * 1000, rel=0.1)


@pytest.mark.parametrize("side", [5000, 5001, 1e7])
def test_area_when_it_fits_into_the_square_then_it_stays_as_it_is(side):
    area = metric(square(500_007, 5_600_003, 4999.9))
    assert only(area, {"side": side}) == area


@pytest.mark.parametrize("side", [1600, 5120])
def test_areas_when_scaled_twice_then_as_when_once(side):
    for polygon in (square(500_007, 5_600_003, 40_000), RING):
        once = only(metric(polygon), {"side": side})
        twice = only(once, {"side": side})
        assert twice.geometry.symmetric_difference(once.geometry).area < 1e-12


def test_areas_when_scaled_then_time_and_words_are_kept():
    time = TimeSpec(start="2018-01-01", end="2018-02-01").span
    area = Area("a", box(3, 50, 3.5, 50.5), UTM, time, "val", "fall", "7", "europa")
    small = only(area, {"side": 1600, "steps": 2})
    assert (small.time, small.split, small.season, small.scene, small.region) == (
        time,
        "val",
        "fall",
        "7",
        "europa",
    )
