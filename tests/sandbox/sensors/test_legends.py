"""What mixtures of cover are called in the legends of MODIS, and points in that of WorldCover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.sites import Sites
from eodata.sandbox.sensors import legends
from eodata.sandbox.sensors.legends import Mixture
from tests.sandbox.sensors.checker_world import CheckerPlanet

C = Cover
IGBP = set(range(1, 18))
LCCS = {
    legends.lccs_cover: {1, 2, 3, 11, 12, 13, 14, 15, 16, 21, 22, 31, 32, 41, 42, 43},
    legends.lccs_use: {1, 2, 3, 9, 10, 20, 25, 30, 35, 36, 40},
    legends.lccs_water: {1, 2, 3, 10, 20, 27, 30, 40, 50, 51},
}


def mixture(parts: dict[Cover, float], warmth: float = 10.0, wetness: float = 0.5) -> Mixture:
    shares = np.zeros((len(Cover), 1), np.float32)
    for cover, share in parts.items():
        shares[cover] = share
    one = np.ones(1, np.float32)
    return Mixture(shares, one * np.float32(warmth), one * np.float32(wetness))


@pytest.mark.parametrize(
    ("parts", "warmth", "expected"),
    [
        # IGBP, LCCS1, LCCS2, LCCS3 by the definitions of MCD12Q1
        ({C.SEA: 1}, 10, (17, 3, 3, 3)),
        ({C.ICE: 0.8, C.ROCK: 0.2}, -20, (15, 2, 2, 2)),
        ({C.NEEDLELEAF_FOREST: 0.9, C.LAKE: 0.1}, 3, (1, 11, 10, 10)),
        ({C.NEEDLELEAF_FOREST: 0.9, C.TUNDRA: 0.1}, -9, (3, 13, 10, 10)),
        ({C.EVERGREEN_FOREST: 1}, 26, (2, 12, 10, 10)),
        ({C.BROADLEAF_FOREST: 0.8, C.GRASS: 0.2}, 10, (4, 14, 10, 10)),
        ({C.BROADLEAF_FOREST: 0.4, C.NEEDLELEAF_FOREST: 0.4, C.GRASS: 0.2}, 8, (5, 15, 10, 10)),
        ({C.BROADLEAF_FOREST: 0.4, C.EVERGREEN_FOREST: 0.4, C.GRASS: 0.2}, 20, (5, 16, 10, 10)),
        ({C.SHRUB: 0.8, C.BARE: 0.2}, 18, (6, 41, 40, 40)),
        ({C.SHRUB: 0.4, C.BARE: 0.6}, 18, (16, 43, 40, 40)),
        ({C.SHRUB: 0.4, C.BARE: 0.5, C.GRASS: 0.1}, 18, (7, 42, 40, 40)),
        ({C.TUNDRA: 1}, -8, (7, 43, 40, 51)),
        ({C.BROADLEAF_FOREST: 0.4, C.GRASS: 0.6}, 10, (8, 21, 20, 20)),
        ({C.BROADLEAF_FOREST: 0.2, C.GRASS: 0.8}, 24, (9, 31, 30, 30)),
        ({C.BROADLEAF_FOREST: 0.2, C.GRASS: 0.8}, 8, (10, 31, 30, 30)),
        ({C.GRASS: 1}, 8, (10, 31, 30, 30)),
        ({C.WETLAND: 0.7, C.LAKE: 0.3}, 15, (11, 31, 30, 50)),
        ({C.WETLAND: 0.6, C.BROADLEAF_FOREST: 0.4}, 15, (11, 21, 20, 27)),
        ({C.WINTER_CROP: 0.5, C.SUMMER_CROP: 0.4, C.GRASS: 0.1}, 10, (12, 31, 36, 30)),
        ({C.STREET: 0.2, C.DARK_ROOF: 0.2, C.GARDEN: 0.6}, 10, (13, 32, 9, 30)),
        ({C.WINTER_CROP: 0.5, C.BROADLEAF_FOREST: 0.3, C.GRASS: 0.2}, 10, (14, 21, 25, 20)),
        ({C.SAND: 0.7, C.ROCK: 0.3}, 25, (16, 1, 1, 1)),
    ],
)
def test_mixtures_are_called_as_the_definitions_say(parts, warmth, expected):
    made = mixture(parts, warmth)
    found = tuple(
        int(legend(made)[0])
        for legend in (legends.igbp, legends.lccs_cover, legends.lccs_use, legends.lccs_water)
    )
    assert found == expected


@given(
    st.lists(st.integers(0, len(Cover) - 1), min_size=25, max_size=25),
    st.floats(-30, 30),
    st.floats(0, 1),
)
def test_every_mixture_has_a_class_of_the_legend(samples, warmth, wetness):
    counts = np.bincount(samples, minlength=len(Cover)) / 25
    made = mixture({Cover(n): share for n, share in enumerate(counts)}, warmth, wetness)
    assert int(legends.igbp(made)[0]) in IGBP
    for legend, values in LCCS.items():
        assert int(legend(made)[0]) in values


@given(
    st.lists(st.sampled_from([C.NEEDLELEAF_FOREST, C.GRASS, C.TUNDRA]), min_size=25, max_size=25)
)
def test_a_cold_country_has_neither_savanna_nor_evergreen_larch(samples):
    counts = np.bincount(samples, minlength=len(Cover)) / 25
    parts = {Cover(n): share for n, share in enumerate(counts)}
    assert int(legends.igbp(mixture(parts, -10))[0]) in {3, 7, 8, 10}


def test_worldcover_names_every_cover():
    assert set(legends.WORLDCOVER) == set(Cover)
    assert set(legends.WORLDCOVER.values()) == {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}


@pytest.mark.parametrize(("warmth", "elevation", "value"), [(27, 1, 95), (27, 50, 90), (8, 1, 90)])
def test_wetland_on_warm_coasts_is_mangrove(warmth, elevation, value):
    site = Sites(31, np.array([5e5]), np.array([1e6]))
    planet = CheckerPlanet((C.WETLAND,), warmth=warmth)
    ground = planet.ground_at(site)
    ground.elevation[:] = elevation
    assert legends.worldcover(ground).tolist() == [value]
