"""Leaves, snow and moisture through the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.ground import Season
from eodata.sandbox.planet.season import Land, as_land, season

YEAR = [datetime(2021, 1, 5, tzinfo=UTC) + timedelta(days=10 * step) for step in range(36)]
JANUARY, MAY, JULY, AUGUST = (datetime(2021, month, 20, tzinfo=UTC) for month in (1, 5, 7, 8))


def land(kind: Cover, **known: float) -> Land:
    """A few sites of one class in Central Europe, unless said otherwise."""
    values = {
        "elevation": 200.0,
        "slope_x": 0.0,
        "slope_y": 0.0,
        "vigour": 1.0,
        "phase": 0.0,
        "texture": 1.0,
        "wetness": 0.6,
        "warmth": 9.5,
        "height": 1.0,
        "built": 0.0,
        "lat": 49.0,
        "swing": 10.0,
        "spells": 0.0,
        **known,
    }
    arrays = {name: np.full((2, 3), value, np.float32) for name, value in values.items()}
    return Land(cover=np.full((2, 3), kind, np.uint8), **arrays)


def one(ground: Land, time: datetime, seed: int = 1) -> Season:
    return season(ground, time, seed)


def green(ground: Land, time: datetime) -> float:
    return float(one(ground, time).green[0, 0])


@pytest.mark.parametrize(
    "kind", [Cover.GRASS, Cover.BROADLEAF_FOREST, Cover.SUMMER_CROP, Cover.TUNDRA, Cover.GARDEN]
)
@pytest.mark.parametrize("lat", [49.0, -49.0])
def test_plants_are_green_in_the_summer_of_their_hemisphere(kind: Cover, lat: float) -> None:
    summer, winter = (JULY, JANUARY) if lat > 0 else (JANUARY, JULY)
    assert green(land(kind, lat=lat), summer) > 2 * green(land(kind, lat=lat), winter)


def test_evergreen_plants_hardly_change() -> None:
    tropics = land(Cover.EVERGREEN_FOREST, lat=-3.0, warmth=26.0, swing=1.0, wetness=0.9)
    for ground in (tropics, land(Cover.NEEDLELEAF_FOREST)):
        course = [green(ground, time) for time in YEAR]
        assert max(course) - min(course) < 0.2


def test_winter_crops_lead_summer_crops() -> None:
    winter, summer = land(Cover.WINTER_CROP), land(Cover.SUMMER_CROP)
    assert green(winter, MAY) > 0.7 > 0.4 > green(summer, MAY)
    assert green(summer, AUGUST) > 0.7 > 0.2 > green(winter, AUGUST)
    peaks = [max(YEAR, key=lambda time, crop=crop: green(crop, time)) for crop in (winter, summer)]
    assert timedelta(days=40) < peaks[1] - peaks[0] < timedelta(days=120)


def test_late_fields_are_late() -> None:
    early, late = (land(Cover.SUMMER_CROP, phase=phase) for phase in (-10.0, 10.0))
    june = datetime(2021, 6, 10, tzinfo=UTC)
    assert green(early, june) > green(late, june) + 0.15
    assert green(early, june) == pytest.approx(green(late, june + timedelta(days=20)), abs=0.02)


def test_savanna_follows_the_rains_and_the_mediterranean_dries_in_summer() -> None:
    savanna = land(Cover.GRASS, lat=12.0, warmth=27.0, swing=3.0, wetness=0.35)
    september, february = (datetime(2021, month, 1, tzinfo=UTC) for month in (9, 2))
    assert green(savanna, september) > 2 * green(savanna, february)
    coast = land(Cover.GRASS, lat=38.0, warmth=17.0, swing=7.5, wetness=0.4)
    april = datetime(2021, 4, 1, tzinfo=UTC)
    assert green(coast, april) > 1.5 * green(coast, AUGUST)
    assert one(coast, JANUARY).moisture.mean() > one(coast, AUGUST).moisture.mean() + 0.1


def test_snow_lies_where_and_when_it_is_cold() -> None:
    siberia = land(Cover.GRASS, lat=62.0, warmth=-6.0, swing=22.0, wetness=0.5)
    assert one(siberia, JANUARY).snow.min() > 0.95
    assert one(siberia, JULY).snow.max() == 0
    tropics = land(Cover.GRASS, lat=5.0, warmth=26.0, swing=1.0)
    assert all(one(tropics, time).snow.max() == 0 for time in YEAR)
    peak = land(Cover.ROCK, lat=5.0, warmth=-8.0, swing=1.0)
    assert one(peak, JULY).snow.min() > 0.5


def test_central_europe_has_some_snow_in_some_winters() -> None:
    days = [datetime(year, 1, day, tzinfo=UTC) for year in range(2000, 2020) for day in (5, 15, 25)]
    snow = np.array([one(land(Cover.GRASS), day).snow.mean() for day in days])
    assert 0.02 < (snow > 0.3).mean() < 0.5
    assert (snow < 0.05).mean() > 0.3


def test_snow_hides_fields_more_than_forest_and_never_the_sea() -> None:
    cold = {"lat": 65.0, "warmth": -8.0, "swing": 18.0}
    snow = {
        kind: float(one(land(kind, **cold), JANUARY).snow[0, 0])
        for kind in (Cover.GRASS, Cover.NEEDLELEAF_FOREST, Cover.LAKE, Cover.SEA)
    }
    assert snow[Cover.GRASS] > 2 * snow[Cover.NEEDLELEAF_FOREST] > 0
    assert snow[Cover.LAKE] > 0.8
    assert snow[Cover.SEA] == 0


def test_ice_is_always_white_and_water_always_wet() -> None:
    assert one(land(Cover.ICE), JULY).snow.min() == 1
    assert one(land(Cover.LAKE), JULY).moisture.min() == 1


def test_shares_stay_shares_all_year_for_all_classes() -> None:
    for kind in Cover:
        for time in YEAR[::4]:
            found = one(land(kind, vigour=0.9), time)
            for share in (found.green, found.snow, found.moisture):
                assert share.dtype == np.float32
                assert share.shape == (2, 3)
                assert share.min() >= 0
                assert share.max() <= 1
            assert found.green.max() <= 0.9


def test_weeks_differ_but_days_do_not_jump() -> None:
    moisture = np.array(
        [one(land(Cover.GRASS), JULY + timedelta(hours=6 * n)).moisture[0, 0] for n in range(200)]
    )
    assert np.ptp(moisture) > 0.05
    assert np.abs(np.diff(moisture)).max() < 0.03


def test_distant_places_have_other_weather_and_neighbours_the_same() -> None:
    here, near, far = (land(Cover.GRASS, spells=place) for place in (0.0, 0.001, 0.9))
    times = [JULY + timedelta(days=7 * n) for n in range(30)]
    here, near, far = (
        np.array([one(ground, time).moisture[0, 0] for time in times])
        for ground in (here, near, far)
    )
    assert np.abs(here - near).max() < 0.005
    assert np.abs(here - far).max() > 0.05


def test_seeds_have_weather_of_their_own() -> None:
    ground = land(Cover.GRASS)
    assert one(ground, JULY, 1).moisture[0, 0] != one(ground, JULY, 2).moisture[0, 0]


def test_time_is_utc_when_it_has_no_zone() -> None:
    ground = land(Cover.GRASS)
    same = [
        datetime(2021, 4, 1, 12),  # noqa: DTZ001 (that is the point)
        datetime(2021, 4, 1, 12, tzinfo=UTC),
        datetime(2021, 4, 1, 17, tzinfo=timezone(timedelta(hours=5))),
    ]
    assert len({green(ground, time) for time in same}) == 1


def test_years_join_without_a_step() -> None:
    for kind in (Cover.WINTER_CROP, Cover.GRASS, Cover.SUMMER_CROP):
        ends = [datetime(2020, 12, 31, 23, tzinfo=UTC), datetime(2021, 1, 1, 1, tzinfo=UTC)]
        before, after = (green(land(kind), time) for time in ends)
        assert before == pytest.approx(after, abs=0.01)


def test_land_is_kept_as_it_is() -> None:
    ground = land(Cover.GRASS)
    assert as_land(ground) is ground
