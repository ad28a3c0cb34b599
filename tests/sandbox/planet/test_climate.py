"""An Earth-like climate: deserts, rain forests and cold interiors where they belong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.sandbox.planet.climate import Climate

SEEDS = (0, 1, 7, 2024)


def at(method, lon, lat, *rest, seed=1):
    args = (np.array([value], np.float64) for value in (lon, lat))
    return float(getattr(Climate(seed), method)(*args, *rest)[0])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        (5, 24),  # Sahara
        (28, 24),  # Libyan desert
        (47, 23),  # Arabia
        (57, 32),  # Iran
        (104, 42.5),  # Gobi
        (83, 39),  # Taklamakan
        (133, -25.5),  # middle of Australia
        (21, -24),  # Kalahari
        (14.5, -23),  # Namib
        (-69.5, -23),  # Atacama
        (-114, 33.5),  # Sonora
    ],
)
def test_deserts_are_dry(lon, lat, seed):
    assert at("wetness", lon, lat, seed=seed) < 0.3


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("lon", "lat"), [(-62, -4), (22, 0), (114, 1), (140, -4)])
def test_rain_forests_are_wet(lon, lat, seed):
    assert at("wetness", lon, lat, seed=seed) > 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_western_europe_is_in_between(seed):
    for place in ((2.3, 48.9), (-1.5, 52.5), (9, 51)):
        assert 0.45 < at("wetness", *place, seed=seed) < 0.8


@pytest.mark.parametrize(
    ("lon", "lat", "warmth"),
    [
        (-60, -3, 27),  # Manaus
        (-0.1, 51.5, 11),  # London
        (37.6, 55.8, 6),  # Moscow
        (129.7, 62, -8),  # Yakutsk
        (77, 28.6, 25),  # Delhi
        (5.3, 60.4, 8),  # Bergen
        (116.4, 39.9, 13),  # Beijing
        (0, -90, -31),  # the pole, at the level of the sea
    ],
)
def test_warmth_at_the_sea_is_near_the_real_one(lon, lat, warmth):
    assert at("warmth", lon, lat, np.zeros(1, np.float32)) == pytest.approx(warmth, abs=3.5)


def test_it_is_colder_higher_up():
    low, high = (at("warmth", 10, 46, np.full(1, h, np.float32)) for h in (0.0, 2000.0))
    assert low - high == pytest.approx(13.0, abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat", "low", "high"),
    [
        (129.7, 62, 24, 32),  # Yakutsk
        (-150, 45, 2, 7),  # North Pacific
        (-60, -3, 0.5, 3),  # Manaus
        (-0.1, 51.5, 5, 10),  # London
        (37.6, 55.8, 13, 18),  # Moscow
        (-97, 50, 15, 20),  # Winnipeg
    ],
)
def test_seasons_are_strong_inside_continents(lon, lat, low, high):
    assert low < at("swing", lon, lat) < high


def test_continentality_grows_with_the_way_from_the_sea():
    ocean, brest, berlin, moscow = (
        at("continentality", *place) for place in ((-30, 48), (-4, 48), (13, 52), (37, 55))
    )
    assert 0 <= ocean < brest < berlin < moscow <= 1


def test_another_seed_changes_the_noise_only():
    lon, lat = np.array([2.0, 5.0]), np.array([48.0, 24.0])
    one, other = (Climate(seed).wetness(lon, lat) for seed in (1, 2))
    assert (one != other).any()
    np.testing.assert_allclose(one, other, atol=0.3)


@settings(max_examples=40, deadline=None)
@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    seed=st.integers(0, 99),
)
def test_everywhere_is_finite_and_independent_of_company(lon, lat, seed):
    climate = Climate(seed)
    lons, lats = np.array([lon, 3.0, -lon]), np.array([lat, 50.0, -lat])
    for method in ("wetness", "swing", "sea_warmth", "continentality"):
        field = getattr(climate, method)
        together = field(lons, lats)
        assert together.dtype == np.float32
        assert np.isfinite(together).all()
        assert field(lons[:1], lats[:1])[0] == together[0]
        assert field(lons[np.newaxis], lats[np.newaxis])[0, 2] == together[2]
    assert 0 <= climate.wetness(lons, lats).min() <= climate.wetness(lons, lats).max() <= 1


def test_the_date_line_is_no_border():
    lat = np.linspace(-90, 90, 91)
    for method in ("wetness", "swing", "sea_warmth"):
        field = getattr(Climate(1), method)
        west, east = (field(np.full(91, lon), lat) for lon in (180 - 1e-9, -180 + 1e-9))
        np.testing.assert_allclose(west, east, atol=1e-4)
