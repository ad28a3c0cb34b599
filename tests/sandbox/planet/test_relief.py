"""Mountains, plains, coasts and lakes of the simulated ground."""

import pickle

import numpy as np
import pytest

from eodata.sandbox.planet.belts import lowlands, uplands
from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.relief import Relief
from eodata.sandbox.planet.sites import Sites, from_lonlat, to_lonlat, zone_at

SEEDS = (1, 5, 99)


def window(lon, lat, size=40, step=120.0):
    """A square lattice in the place's own frame, with its corner at the place."""
    zone = int(zone_at(np.array([lon]))[0])
    corner = from_lonlat(zone, np.array([float(lon)]), np.array([float(lat)]))
    x, y = (np.floor(axis[0] / step) * step for axis in (corner.x, corner.y))
    steps = step * np.arange(size)
    return Sites(zone, (x + steps)[np.newaxis], (y - steps)[:, np.newaxis])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("lon", "lat", "low", "high"),
    [
        (91.1, 29.7, 2800, 5500),  # Lhasa
        (86.9, 28.0, 3000, 8500),  # Everest
        (8.0, 46.3, 1200, 4500),  # Valais
        (-68.1, -16.5, 2500, 5500),  # La Paz
        (38.7, 9.0, 1500, 3800),  # Addis Ababa
        (-40, 72, 2000, 3600),  # Greenland's ice
        (106, -78, 2500, 4000),  # Vostok
        (5.0, 52.2, 1, 60),  # Utrecht
        (-60, -3.1, 1, 80),  # Manaus
        (73, 60, 1, 100),  # western Siberia
    ],
)
def test_heights_are_sane(lon, lat, low, high, seed):
    assert low < Relief(seed).elevation(window(lon, lat, 20, 500.0)).mean() < high


def test_there_are_high_mountains():
    height = Relief(1).elevation(window(86, 28.8, 60, 2000.0))
    assert 6000 < height.max() < 9500
    assert height.min() < 4500


@pytest.mark.parametrize("seed", SEEDS)
def test_mountains_are_steep_and_plains_flat(seed):
    alps, holland = (
        np.median(np.hypot(*Relief(seed).slopes(window(*place))))
        for place in ((7.8, 46.3), (5.2, 52.1))
    )
    assert 0.1 < alps < 0.7
    assert holland < 0.006


def test_the_sea_is_at_zero_and_the_land_not_below():
    sites = window(1.0, 51.4, 90, 640.0)  # Kent and the Channel
    height, coast = Relief(1).elevation(sites), globe().coast_km(*to_lonlat(sites))
    assert (height[coast <= 0] == 0).all()
    assert (height[coast > 1] > 0).all()
    assert (coast <= 0).mean() > 0.2


def test_a_steep_coast_does_not_spill_over_the_sea():
    sites = window(7.2, 62.6, 60, 300.0)  # a fjord
    height, coast = Relief(1).elevation(sites), globe().coast_km(*to_lonlat(sites))
    assert (height[coast <= 0] == 0).all()
    assert height.max() > 100


def test_narrow_bays_are_at_zero_and_islands_above():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(6.1, 11.9, 90000), rng.uniform(58, 64, 90000)  # Norway
    coast = globe().coast_km(lon, lat)
    near = np.flatnonzero((coast > -0.15) & (coast < 1.0))
    height, coast = Relief(1).elevation(from_lonlat(32, lon[near], lat[near])), coast[near]
    assert (height[coast <= 0] == 0).all()
    assert (height[coast > 0.7] > 0).all()
    assert (coast > 0.7).sum() > 100


@pytest.mark.parametrize(("lon", "lat"), [(33.0, -1.0), (6.5, 46.45), (-87.0, 43.5)])
def test_lakes_are_flat_and_land_comes_down_to_them(lon, lat):
    sites = window(lon, lat, 60, 700.0)
    height, east, _ = Relief(1).surface(sites)
    lake = globe().lake_km(*to_lonlat(sites))
    inside = lake > 0
    assert inside.sum() > 10
    assert np.ptp(height[inside]) < 0.01
    assert abs(east[inside]).max() < 1e-5
    shore = (lake < -0.7) & (lake > -2)
    if shore.any():
        assert abs(height[shore] - height[inside].mean()).mean() < 120


def test_slopes_are_those_of_the_ground():
    height, east, north = Relief(1).surface(window(7.8, 46.3, 200, 5.0))
    np.testing.assert_allclose(np.gradient(height, 5.0, axis=1)[:, 1:-1], east[:, 1:-1], atol=0.01)
    np.testing.assert_allclose(-np.gradient(height, 5.0, axis=0)[1:-1], north[1:-1], atol=0.01)


@pytest.mark.parametrize("step", [10.0, 160.0])
@pytest.mark.parametrize(("lon", "lat"), [(6.4, 46.5), (7.2, 62.6)])
def test_a_window_alone_equals_the_window_cut_from_a_larger_one(lon, lat, step):
    relief, whole = Relief(1), window(lon, lat, 96, step)
    part = Sites(whole.zone, whole.x[:, 30:47], whole.y[11:60])
    x, y = (axis.ravel() for axis in np.broadcast_arrays(whole.x, whole.y))
    some = np.arange(0, x.size, 501)
    fields = relief.surface(whole)
    alone, points = (relief.surface(sites) for sites in (part, Sites(whole.zone, x[some], y[some])))
    for field, window_field, point_field in zip(fields, alone, points, strict=True):
        assert field.dtype == np.float32
        np.testing.assert_array_equal(field[11:60, 30:47], window_field)
        np.testing.assert_array_equal(field.ravel()[some], point_field)
    np.testing.assert_array_equal(relief.elevation(whole), fields[0])


def test_the_ground_goes_on_across_frames():
    lat = np.linspace(44.0, 48.0, 300)
    west, east = (
        Relief(1).elevation(from_lonlat(zone, np.full(lat.shape, 12.0), lat)) for zone in (32, 33)
    )
    assert west.max() > 1500
    assert np.median(abs(west - east)) < 0.2
    assert abs(west - east).max() < 10


def test_poles_and_the_date_line_are_finite():
    for lon, lat in ((179.99, 67.0), (-179.99, -16.6), (3.0, 89.5), (-177.0, -89.9)):
        fields = Relief(1).surface(window(lon, lat, 12, 400.0))
        assert all(np.isfinite(field).all() for field in fields)


def test_another_seed_is_another_ground():
    sites = window(8, 46)
    assert abs(Relief(1).elevation(sites) - Relief(2).elevation(sites)).mean() > 50


def test_a_relief_can_be_sent_to_another_process():
    sites = window(6.5, 46.45, 8)
    relief = Relief(3)
    before = relief.elevation(sites)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(relief)).elevation(sites),  # noqa: S301
        before,
    )


def test_belts_end_at_their_foot():
    lon, lat = np.array([8.0, -30.0, -60.0]), np.array([46.5, 40.0, -4.0])
    base, ridge = uplands(lon, lat, np.zeros(3, np.float32))
    assert base[0] > 700
    assert ridge[0] > 2000
    assert (base[1:] == 0).all()
    plain = lowlands(lon, lat)
    assert plain[2] > 0.8
    assert (plain[:2] == 0).all()


def test_belts_do_not_depend_on_company():
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-180, 180, 300), rng.uniform(-89, 89, 300)
    frayed = rng.uniform(-1, 1, 300).astype(np.float32)
    base, ridge = uplands(lon, lat, frayed)
    for k in range(0, 300, 7):
        one = slice(k, k + 1)
        alone = uplands(lon[one], lat[one], frayed[one])
        assert (alone[0][0], alone[1][0]) == (base[k], ridge[k])
