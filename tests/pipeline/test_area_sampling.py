"""Random places over land and towns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Geod
from scipy.stats import chisquare
from shapely import LineString, MultiPolygon, Polygon, box

import eodata
from eodata.core.errors import RecipeError
from eodata.pipeline.area_sampling import Centre, draw_points, drop_near, sample_centres
from eodata.pipeline.natural_earth import polygons_from

SPHERE = Geod(a=6_371_008.8, b=6_371_008.8)
TALL = box(0, 0, 10, 60)
TWO_IN_TALL = [(8.972138, 42.20332), (3.001663, 49.158316)]
THREE_OF_SUMMER = [
    Centre(-70.908366, 55.259498, "land", 1),
    Centre(110.961174, 30.449221, "land", 2),
    Centre(-73.671803, 45.718892, "urban", 150),
]


@pytest.fixture(scope="module")
def earth():
    (path,) = Path(eodata.__file__).parent.rglob("natural_earth_50m.npz")
    with np.load(path) as arrays:
        return polygons_from(arrays)


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def metres(a, b):
    return SPHERE.inv(a.lon, a.lat, b.lon, b.lat)[2]


def test_the_shapes_are_the_earths_land_and_towns(earth):
    land, urban = earth
    assert land.is_valid
    assert urban.is_valid
    lon, lat = np.array([[2.35, 48.85], [5.0, 45.2], [-40.0, 30.0], [51.0, 42.0], [0.0, -85.0]]).T
    assert shapely.contains_xy(land, lon, lat).tolist() == [True, True, False, False, True]
    assert shapely.contains_xy(urban, lon, lat).tolist() == [True, False, False, False, False]


def test_arrays_of_a_layer_are_missing_then_it_is_named():
    with pytest.raises(KeyError, match="land_steps"):
        polygons_from({})


def test_a_ring_after_the_first_of_a_polygon_is_a_hole():
    outer, inner = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0)], [(1, 1), (1, 2), (2, 2), (1, 1)]
    steps = np.diff(np.array([*outer, *inner]).T * 1000, prepend=0, axis=1)
    layer = {"steps": steps, "rings": np.array([0, 5, 9]), "parts": np.array([0, 0])}
    arrays = {f"{name}_{key}": v for name in ("land", "urban_areas") for key, v in layer.items()}
    land, urban = polygons_from(arrays)
    assert land.equals(urban)
    assert land.equals(Polygon(outer, [inner]))


def test_points_over_a_box_are_even_in_the_sine_of_latitude():
    lat = np.array(draw_points(TALL, 20_000, rng()))[:, 1]
    expected = np.sin(np.radians(30)) / np.sin(np.radians(60))  # 0.577; per square degree 0.5
    assert np.mean(lat < 30) == pytest.approx(expected, abs=0.011)  # three standard deviations


def test_points_over_two_boxes_go_by_their_area():
    both = MultiPolygon([box(0, -10, 10, 0), box(100, 60, 130, 70)])
    lon = np.array(draw_points(both, 20_000, rng()))[:, 0]
    south, north = 10 * np.sin(np.radians(10)), 30 * np.diff(np.sin(np.radians([60, 70])))[0]
    assert np.mean(lon < 50) == pytest.approx(south / (south + north), abs=0.011)


def test_a_part_gets_by_its_own_area_not_by_that_of_its_box():
    corner = Polygon([(0, 0), (10, 0), (10, 0.1), (0.1, 0.1), (0.1, 10), (0, 10)])
    both = MultiPolygon([corner, box(20, 0, 21, 2)])
    lon = np.array(draw_points(both, 5_000, rng()))[:, 0]
    assert np.mean(lon < 15) == pytest.approx(1.99 / 3.99, abs=0.025)


def test_points_over_land_fill_bands_of_latitude_by_area(earth):
    land, _ = earth
    edges = np.array([-60, -35, -20, -5, 5, 15, 25, 35, 45, 55, 65, 84])
    points = draw_points(land, 8_000, rng(1), (-60.0, 84.0))
    counts, _ = np.histogram([lat for _, lat in points], edges)
    lon, lat = np.meshgrid(np.arange(-179.75, 180, 0.5), np.arange(-59.75, 84, 0.5))
    dry = shapely.contains_xy(land, lon, lat)
    by_area, _ = np.histogram(lat[dry], edges, weights=np.cos(np.radians(lat[dry])))
    by_degrees, _ = np.histogram(lat[dry], edges)
    assert chisquare(counts, by_area * 8_000 / by_area.sum()).pvalue > 0.05
    assert chisquare(counts, by_degrees * 8_000 / by_degrees.sum()).pvalue < 1e-9


def test_points_lie_inside_what_they_were_drawn_over(earth):
    land, urban = earth
    centres = sample_centres(land, urban, n_land=300, n_urban=300, seed=5, apart=0.0)
    assert [c.kind for c in centres] == ["land"] * 300 + ["urban"] * 300
    assert [c.number for c in centres] == list(range(1, 601))
    lon, lat = np.array([(c.lon, c.lat) for c in centres]).T
    assert shapely.contains_xy(land, lon[:300], lat[:300]).all()
    assert shapely.contains_xy(urban, lon[300:], lat[300:]).all()
    assert lat.min() > -60


def test_latitudes_are_kept_within():
    lat = np.array(draw_points(TALL, 500, rng(), (20.0, 25.0)))[:, 1]
    assert 20 <= lat.min() < 20.1
    assert 24.9 < lat.max() <= 25


def test_a_seed_gives_the_same_points_on_every_machine(earth):
    assert draw_points(TALL, 2, rng(7)) == TWO_IN_TALL
    centres = sample_centres(*earth, n_land=100, n_urban=50, seed=1868, apart=100e3)
    assert [centres[i] for i in (0, 1, -1)] == THREE_OF_SUMMER
    assert len(centres) == 143


def test_fewer_points_are_the_first_of_more_and_land_leaves_towns_alone(earth):
    few = sample_centres(*earth, n_land=10, n_urban=5, seed=3, apart=0.0)
    more = sample_centres(*earth, n_land=5000, n_urban=6, seed=3, apart=0.0)
    places = [(c.lon, c.lat) for c in more]
    assert [(c.lon, c.lat) for c in few] == places[:10] + places[5000:5005]
    other = sample_centres(*earth, n_land=10, n_urban=5, seed=4, apart=0.0)
    assert not {(c.lon, c.lat) for c in other} & set(places)


def test_land_and_towns_of_one_shape_get_different_points():
    centres = sample_centres(TALL, TALL, n_land=20, n_urban=20, seed=3, apart=0.0)
    assert len({(c.lon, c.lat) for c in centres}) == 40


@pytest.mark.parametrize("apart", [50e3, 300e3])
def test_kept_points_are_apart_and_dropped_ones_were_too_near(earth, apart):
    everything = sample_centres(*earth, n_land=100, n_urban=50, seed=11, apart=0.0)
    kept = sample_centres(*earth, n_land=100, n_urban=50, seed=11, apart=apart)
    for c in everything:
        before = [k for k in kept if k.number < c.number]
        assert (c in kept) == all(metres(c, k) >= apart for k in before)
    assert 0 < len(kept) < 150


def test_the_rule_of_distance_in_small():
    first, near, beyond = (
        Centre(0, 0, "land", 1),
        Centre(0.5, 0, "land", 2),
        Centre(1, 0, "land", 3),
    )
    # near is dropped, so it does not drop what is near to it alone.
    assert drop_near([first, near, beyond], 100e3) == [first, beyond]
    assert drop_near([first, near, beyond], 55_000.0) == [first, near, beyond]
    assert drop_near([near, beyond], 100e3, earlier=[first]) == [beyond]
    assert drop_near([first, first], 0.0) == [first, first]


def test_distance_goes_over_the_date_line_and_along_great_circles():
    west, east = Centre(-179.9, 60, "land", 1), Centre(179.9, 60, "land", 2)
    assert metres(west, east) == pytest.approx(11_119.4, abs=1)
    assert drop_near([west, east], 11_125.0) == [west]
    assert drop_near([west, east], 11_110.0) == [west, east]
    assert drop_near([west, Centre(0.1, -60, "land", 2)], 1e9) == [west]


def test_points_of_earlier_draws_count(earth):
    first = sample_centres(*earth, n_land=100, n_urban=50, seed=1158, apart=200e3)
    second = sample_centres(*earth, n_land=100, n_urban=50, seed=1868, apart=200e3, earlier=first)
    alone = sample_centres(*earth, n_land=100, n_urban=50, seed=1868, apart=200e3)
    assert min(metres(a, b) for a in first for b in second) >= 200e3
    assert min(metres(a, b) for a in first for b in alone) < 200e3


@pytest.mark.parametrize(
    "nothing", [Polygon(), MultiPolygon(), box(0, -80, 10, -70), LineString([(0, 0), (0, 9)])]
)
def test_no_area_then_an_error_unless_no_points_are_asked_for(nothing):
    with pytest.raises(RecipeError, match="5 points are asked for and 0 found") as error:
        sample_centres(TALL, nothing, n_land=1, n_urban=5, seed=1, apart=0.0)
    assert "between -60 and 84" in error.value.because
    assert len(sample_centres(TALL, nothing, n_land=1, n_urban=0, seed=1, apart=0.0)) == 1
