"""The real coasts, lakes and towns, and the distances to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.sandbox.planet.globe import globe

LAYERS = ("coast_km", "lake_km", "urban_km")


def at(method, *places):
    lon, lat = np.array(places, np.float64).T
    return getattr(globe(), method)(lon, lat)


def test_towns_are_on_land_and_oceans_are_not():
    london, paris, nairobi = (-0.13, 51.5), (2.35, 48.85), (36.82, -1.29)
    assert (at("coast_km", london, paris, nairobi) > 20).all()
    assert (at("coast_km", (-150, 0), (-30, 50), (80, -30), (0, 90)) == -60).all()


def test_ice_sheets_are_land_and_the_caspian_is_a_sea():
    assert (at("coast_km", (-40, 72), (106, -78), (0, -90)) == 60).all()
    assert at("coast_km", (51, 42))[0] < -20


@pytest.mark.parametrize(
    ("place", "low", "high"),
    [
        ((1.9, 47.9), 60, 60),  # Orléans
        ((4.9, 52.37), 10, 30),  # Amsterdam from the North Sea
        ((-99.2, 19.4), 60, 60),  # Mexico City
        ((2.2, 51.5), -55, -25),  # off Ostend
        ((-3.7, 56.0), -10, 10),  # Firth of Forth
        ((153.0, -27.5), 5, 35),  # Brisbane
    ],
)
def test_the_distance_to_the_coast_is_about_right(place, low, high):
    assert low <= at("coast_km", place)[0] <= high


def test_distances_grow_along_the_way_from_the_coast():
    # Straight inland from the coast of Namibia at 22 S, where the coast runs to the north.
    inland = np.arange(0.0, 0.25, 0.025)
    away = globe().coast_km(14.5 + inland, np.full(inland.shape, -22.0))
    step = 0.025 * 111.2 * np.cos(np.radians(22.0))
    assert 5 < away[0] < away[-1] < 60
    assert ((np.diff(away) > 0.7 * step) & (np.diff(away) <= 1.01 * step)).all()


def test_lakes():
    assert at("lake_km", (33.0, -1.0))[0] == 20  # Victoria
    assert at("lake_km", (6.5, 46.42))[0] > 1  # Geneva
    assert (at("lake_km", (10.0, 25.0), (33.0, 20.0)) == -20).all()


def test_a_lake_has_one_number_and_a_shore():
    lon, lat = np.array([33.0, 33.5, 32.8]), np.array([-1.0, -0.8, -1.5])
    (number,) = set(globe().lake(lon, lat))
    shore = np.stack(globe().lake_shore(int(number)))
    assert shore.shape[1] > 20
    assert (abs(shore[0] - 33) < 2).all()
    assert globe().lake(np.array([10.0]), np.array([25.0]))[0] == -1


def test_towns():
    paris, london, sahara = at("urban_km", (2.35, 48.85), (-0.1, 51.5), (10.0, 25.0))
    assert paris > 10
    assert london > 10
    assert sahara == -20


@pytest.mark.parametrize("method", LAYERS)
def test_the_date_line_is_no_border(method):
    lat = np.linspace(-90, 90, 721)
    west = getattr(globe(), method)(np.full(lat.shape, 179.9999999), lat)
    east = getattr(globe(), method)(np.full(lat.shape, -179.9999999), lat)
    assert np.isfinite(west).all()
    np.testing.assert_allclose(west, east, atol=0.01)


def test_the_cut_of_chukotka_is_no_coast():
    assert (at("coast_km", (180.0, 67.5), (-180.0, 67.5), (179.9, 67.5)) > 30).all()


@pytest.mark.parametrize("method", LAYERS)
def test_turns_around_the_globe_change_nothing(method):
    places = np.array([0.5, 170.25, -75.0]), np.array([51.3, -44.5, 45.0])
    once = getattr(globe(), method)(*places)
    again = getattr(globe(), method)(places[0] + 360.0, places[1])
    np.testing.assert_array_equal(once, again)


def test_cells_join_without_a_step():
    # Across the borders of cells (1/8 degree) and of boxes (1 degree) near the coast of Kent.
    lon = np.repeat(np.arange(0.0, 2.0, 0.125), 2) + np.tile([-1e-7, 1e-7], 16)
    for lat in (50.9, 51.25, 51.5):
        pairs = globe().coast_km(lon, np.full(lon.shape, lat)).reshape(-1, 2)
        np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], atol=0.001)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    middle=st.sampled_from([(1.3, 51.2), (180.0, -16.5), (6.5, 61.3), (-68, -54), (-60, -77.5)]),
)
def test_a_place_alone_has_the_same_distance_as_in_company(seed, middle):
    rng = np.random.default_rng(seed)
    lon, lat = (middle[axis] + rng.normal(0.0, 0.4, 40) for axis in (0, 1))
    for method in LAYERS:
        field = getattr(globe(), method)
        together = field(lon.reshape(5, 8), lat.reshape(5, 8))
        assert together.dtype == np.float32
        alone = [field(lon[k : k + 1], lat[k : k + 1])[0] for k in range(40)]
        np.testing.assert_array_equal(together.ravel(), alone)


def test_no_place_at_all_is_fine():
    empty = np.array([])
    assert globe().coast_km(empty, empty).shape == (0,)
    assert globe().lake(empty, empty).shape == (0,)
