"""Backscatter by class, season, angle, slope and wind, against what real scenes show."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from eodata.sandbox.planet.cover import BUILT, FOREST, WATER, Cover
from eodata.sandbox.planet.sites import Sites
from eodata.sandbox.sensors.backscatter import RESPONSES, Look, sigma0
from tests.sandbox.sensors.checker_world import CheckerPlanet

JULY = datetime(2018, 7, 1, tzinfo=UTC)
SITES = Sites(31, 3e5 + np.arange(200.0)[np.newaxis, :] * 90, 5e6 + np.arange(50.0)[:, np.newaxis])


def seen(cover, *, incidence=38.0, wind=0.5, dew=0.0, azimuth=90.0, relief=True, **planet):
    world = CheckerPlanet((cover,), **planet)
    ground = world.ground_at(SITES)
    one = np.ones(ground.cover.shape, np.float32)
    look = Look(one * np.float32(incidence), azimuth, one * np.float32(wind), one * np.float32(dew))
    made = sigma0(ground, world.season(ground, JULY), look, relief=relief)
    assert all(field.dtype == np.float32 for field in made.values())
    return {key: float(np.median(field)) for key, field in made.items()}


# Medians over the year of a patch in Belgium, and of scenes in Chile and Finland; sigma nought.
@pytest.mark.parametrize(
    ("cover", "state", "vv", "vh"),
    [
        (Cover.GRASS, {"green": 0.7, "moisture": 0.6}, -12.2, -18.3),
        (Cover.SUMMER_CROP, {"green": 0.9, "moisture": 0.5}, -8.7, -15.6),  # maize in August
        (Cover.SUMMER_CROP, {"green": 0.0, "moisture": 0.45}, -11.7, -21.9),  # in May
        (Cover.BROADLEAF_FOREST, {"green": 0.8, "moisture": 0.4}, -11.4, -16.9),
        (Cover.DARK_ROOF, {"green": 0.0, "built": 0.5}, -5.1, -14.4),
    ],
)
def test_levels_are_within_two_decibels_of_real_ones(cover, state, vv, vh):
    found = seen(cover, **state)
    assert found["vv"] == pytest.approx(vv, abs=2)
    assert found["vh"] == pytest.approx(vh, abs=2)


def test_every_cover_has_a_response_and_vh_is_weaker():
    assert set(RESPONSES) == set(Cover)
    for cover in Cover:
        found = seen(cover)
        assert -30 < found["vv"] < 0
        assert found["vh"] < found["vv"] - 4


@pytest.mark.parametrize("cover", list(Cover))
def test_backscatter_falls_with_the_angle(cover):
    near, far = seen(cover, incidence=31), seen(cover, incidence=45)
    for key in ("vv", "vh"):
        assert 0.5 < near[key] - far[key] < 6


def test_wind_roughens_water_and_nothing_else():
    for cover in (*WATER, Cover.GRASS):
        gain = seen(cover, wind=1)["vv"] - seen(cover, wind=0)["vv"]
        assert (gain > 5) == (cover in WATER)


def test_water_is_darkest_and_towns_are_brightest():
    levels = {cover: seen(cover)["vv"] for cover in Cover}
    assert max(levels[c] for c in WATER) < min(levels[c] for c in FOREST)
    assert min(levels[c] for c in BUILT[1:]) > max(levels[c] for c in FOREST[1:])


def test_crops_brighten_as_they_grow_and_forest_does_not():
    def growth(cover):
        return seen(cover, green=0.9)["vh"] - seen(cover, green=0.1)["vh"]

    assert growth(Cover.SUMMER_CROP) > 3
    assert abs(growth(Cover.NEEDLELEAF_FOREST)) < 0.5


@pytest.mark.parametrize("cause", ["moisture", "dew"])
def test_wet_soil_is_brighter(cause):
    low, high = {"moisture": (0.3, 0.5), "dew": (-0.1, 0.1)}[cause]
    for cover in (Cover.BARE, Cover.GRASS):
        assert seen(cover, **{cause: high})["vv"] > seen(cover, **{cause: low})["vv"] + 0.8


def test_melting_snow_is_darker_than_dry_snow_and_bare_ground():
    bare, dry, melting = (seen(Cover.GRASS, snow=s)["vv"] for s in (0.0, 1.0, 0.5))
    assert melting < dry - 1 < bare - 1


def test_slopes_that_face_the_sensor_are_brighter():
    flat = seen(Cover.GRASS)["vv"]
    # The beam goes east: ground that rises towards the east faces it.
    facing, away = (seen(Cover.GRASS, slope=s)["vv"] for s in (0.2, -0.2))
    assert 0.5 < facing - flat < 2.5
    assert facing - flat == pytest.approx(flat - away, abs=1e-3)
    assert seen(Cover.GRASS, slope=0.2, azimuth=270)["vv"] == pytest.approx(away, abs=1e-3)
    assert seen(Cover.GRASS, slope=0.2, relief=False)["vv"] == pytest.approx(flat, abs=1e-4)
    assert seen(Cover.GRASS, slope=5.0)["vv"] - flat < 4  # nothing folds over


def test_a_few_buildings_are_very_bright():
    ground = CheckerPlanet((Cover.DARK_ROOF,)).ground_at(SITES)
    ground.height[:] = np.linspace(4, 30, ground.height.size).reshape(ground.height.shape)
    one = np.ones(ground.cover.shape, np.float32)
    season = CheckerPlanet().season(ground, JULY)
    look = Look(one * np.float32(38), 80.0, one, one * 0)
    vv = sigma0(ground, season, look, ("vv",))["vv"]
    low, median, high = np.percentile(vv, [5, 50, 99])
    assert high - median > 5
    assert median - low < 2


def test_only_wanted_polarisations_are_made():
    ground = CheckerPlanet().ground_at(SITES)
    one = np.ones(ground.cover.shape, np.float32)
    season = CheckerPlanet().season(ground, JULY)
    assert list(sigma0(ground, season, Look(one * 38, 80.0, one, one), ("vh",))) == ["vh"]
