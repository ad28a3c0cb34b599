from __future__ import annotations

from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from eodata.sandbox.clouds import CUMULUS, LAYERS, THICK_CLOUD, THIN_CLOUD, Aloft
from eodata.sandbox.planet.displacement import Displacement
from eodata.sandbox.planet.sites import Sites, cut
from eodata.sandbox.shadows import SUN_CELL_M, cut_by_sun
from eodata.sandbox.sun import sun_at
from eodata.sandbox.systems import Moment, Region
from eodata.sandbox.weather import Look, Sky, Weather
from tests.sandbox.climates import Even

NAMES = [field.name for field in fields(Sky)]
JUNE = datetime(2021, 6, 1, 10, 40, tzinfo=UTC)
WEATHER = Weather(1, Even())


def square(pixels, size, x=493_000.0, y=5_630_000.0, epsg=32631):
    return GeoBox((pixels, pixels), Affine(size, 0, x, 0, -size, y), f"EPSG:{epsg}")


def part(sky, index):
    return Sky(*(getattr(sky, name)[index] for name in NAMES))


def assert_same(one, other):
    for name in NAMES:
        assert getattr(one, name).dtype == np.float32
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def day_of(wanted, grid, weather=WEATHER):
    """Return the first day of June on which all kinds of cloud that are wanted are about."""
    (piece,) = cut(grid)
    for day in range(60):
        time = JUNE + timedelta(days=day)
        region = Region(weather._systems, piece.sites, 0.0, Moment.of(time))
        kinds = {a.name for a in LAYERS if not region.is_clear_of(a.name, piece.sites)}
        if kinds == wanted and (not wanted or 5 < weather.cloud_cover(grid, time) < 60):
            return time
    raise AssertionError(f"no day with {wanted}")


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 12),
    st.tuples(st.integers(0, 89), st.integers(1, 90)),
    st.tuples(st.integers(0, 89), st.integers(1, 90)),
)
def test_a_window_is_cut_from_the_whole(day, rows, cols):
    grid, time = square(90, 40.0 if day % 2 else 10.0), JUNE + timedelta(days=day)
    height = np.arange(8100, dtype=np.float32).reshape(90, 90) / 10
    index = tuple(slice(start, min(start + count, 90)) for start, count in (rows, cols))

    whole = WEATHER.sky(grid, time, height)
    window = WEATHER.sky(grid[index], time, height[index])

    assert_same(window, part(whole, index))


@pytest.mark.parametrize("day", range(6))
def test_points_see_the_sky_of_the_grid(day):
    grid, time = square(300, 10.0), JUNE + timedelta(days=day)
    sites = cut(grid)[0].sites
    row, col = np.arange(0, 300, 7), (np.arange(0, 300, 7) * 31) % 300
    points = Sites(31, sites.x[0, col], sites.y[row, 0])

    whole = WEATHER.sky(grid, time, 100.0)

    assert_same(WEATHER.sky_at(points, time, 100.0), part(whole, (row, col)))


def test_far_points_are_worked_on_apart_and_keep_their_order():
    x, y = np.array([4e5, 5e5, 4.5e5, 6e5]), np.array([5.6e6, -1e6, 5.61e6, -7e6])

    together = WEATHER.sky_at(Sites(31, x, y), JUNE, 0.0)

    for k in range(4):
        alone = WEATHER.sky_at(Sites(31, x[k : k + 1], y[k : k + 1]), JUNE, 0.0)
        assert_same(alone, part(together, slice(k, k + 1)))


class Thorough:
    """A region that never says that there is nothing to do."""

    def __init__(self, region):
        self.level, self.air = region.level, region.air

    def is_clear_of(self, name, sites):
        return False


def test_skipping_clear_layers_changes_no_bit():
    skipped = 0
    for day in range(12):
        moment = Moment.of(JUNE + timedelta(days=day))
        (piece,) = cut(square(60, 10.0))
        region = Region(WEATHER._systems, piece.sites, 40_000.0, moment)
        layers = WEATHER._layers(31, moment)
        rays = cut_by_sun(piece.sites, JUNE, SUN_CELL_M)[0]
        quick, full = Look(region, layers, 10.0), Look(Thorough(region), layers, 10.0)

        skipped += sum(region.is_clear_of(a.layer.name, piece.sites) for a in layers)
        for one, other in zip(quick.clouds(piece.sites), full.clouds(piece.sites), strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(quick.sunlit(rays), full.sunlit(rays))

    assert skipped > 5


class OneCell:
    """A region with one cumulus of 300 m radius in a clear sky."""

    def is_clear_of(self, name, sites):
        return name != "cumulus"

    def level(self, name, sites):
        far = np.hypot(sites.x - 500_000.0, sites.y - 5_600_000.0)
        return ((far - 300.0) / 10.0).astype(np.float32)


@pytest.mark.parametrize("hour", [7, 9, 12, 15])
def test_the_shadow_of_one_cloud_lies_where_geometry_says(hour):
    time = datetime(2021, 5, 10, hour, tzinfo=UTC)
    (piece,) = cut(square(1200, 10.0, 494_000.0, 5_606_000.0))
    cumulus = Aloft(CUMULUS, 5, top=1500.0, size=1.0, heading=0.0, east=0.0, north=0.0)
    look = Look(OneCell(), (cumulus, cumulus), 10.0)
    zenith, azimuth = np.radians(sun_at(3.0, 50.55, time))

    thick, _, top = look.clouds(piece.sites)
    sunlit = np.ones(thick.shape, np.float32)
    for rays in cut_by_sun(piece.sites, time, SUN_CELL_M):
        sunlit[rays.where] = look.sunlit(rays)

    (cloud_y, cloud_x), (dark_y, dark_x) = (
        np.mean(np.nonzero(mask), axis=1) * 10.0 for mask in (thick > 2, sunlit < 0.5)
    )
    length = 1500.0 * np.tan(zenith)
    assert dark_x - cloud_x == pytest.approx(-length * np.sin(azimuth), abs=25)
    assert dark_y - cloud_y == pytest.approx(length * np.cos(azimuth), abs=25)
    assert (top[thick > 0] == 1500.0).all()
    assert (sunlit < 0.5).sum() == pytest.approx((thick > 2).sum(), rel=0.15)


def test_the_shadows_of_a_cumulus_field_are_the_field_displaced():
    time = day_of({"cumulus"}, square(60, 400.0, 488_000.0))
    sky = WEATHER.sky(square(800, 20.0), time, 0.0)
    zenith, azimuth = np.radians(sun_at(3.0, 50.75, time))
    cloud, dark = sky.thick > 1, sky.sunlit < 0.6

    def agreement(factor):
        way = sky.top.max() * np.tan(zenith) * factor / 20.0
        rows, cols = round(way * np.cos(azimuth)), round(-way * np.sin(azimuth))
        inner = slice(200, 600)
        moved = np.roll(cloud, (rows, cols), (0, 1))[inner, inner]
        return (moved & dark[inner, inner]).sum() / (moved | dark[inner, inner]).sum()

    assert cloud.mean() > 0.03
    assert agreement(1.0) > 0.8
    assert agreement(1.0) > 2 * max(agreement(-1.0), agreement(0.5), agreement(1.5))


def test_a_clear_sky_is_all_clear():
    grid = square(60, 10.0)
    clear = Weather(1, Even(wetness=0.0))
    time = day_of(set(), grid, clear)

    sky = clear.sky(grid, time, 0.0)

    assert not sky.thick.any()
    assert not sky.top.any()
    assert (sky.sunlit[sky.thin == 0] > 0.5).all()


def test_everything_stays_in_its_range():
    for day in range(8):
        sky = WEATHER.sky(square(200, 160.0), JUNE + timedelta(days=day), 500.0)
        assert 0 <= sky.thick.min() <= sky.thick.max() <= 60
        assert 0 <= sky.thin.min() <= sky.thin.max() <= 1
        assert 0 < sky.sunlit.min() <= sky.sunlit.max() <= 1
        assert ((sky.top > 0) == (sky.thick > 0)).all()
        assert ((sky.top == 0) | ((sky.top > 1300) & (sky.top <= 9500))).all()
        assert 0.02 <= sky.haze.min() <= sky.haze.max() <= 0.6
        assert 0.05 <= sky.vapour.min() <= sky.vapour.max() <= 6


def test_high_ground_has_higher_tops_and_less_air_above():
    low, high = (WEATHER.sky(square(90, 300.0), JUNE, h) for h in (0.0, 2000.0))
    cloudy = low.thick > 0

    assert cloudy.any()
    assert high.top[cloudy] == pytest.approx(low.top[cloudy] + 2000)
    assert high.vapour == pytest.approx(0.41 * low.vapour, rel=0.02)
    assert (high.haze < 0.5 * low.haze).all()


def test_a_displaced_world_is_the_same_world_elsewhere():
    grid, time = square(80, 10.0), JUNE + timedelta(days=1)
    height = np.float32(30.0)

    displaced = WEATHER.sky(grid, time, height, Displacement(250.0, -130.0))
    there = WEATHER.sky(square(80, 10.0, 493_000.0 - 250, 5_630_000.0 + 130), time, height)

    assert_same(displaced, there)


def test_grids_of_any_crs_and_across_frames_see_one_sky():
    time = JUNE + timedelta(days=1)
    across = GeoBox((40, 60), Affine(0.002, 0, 5.94, 0, -0.002, 50.1), "EPSG:4326")

    sky = WEATHER.sky(across, time, 0.0)

    for name in NAMES:
        assert getattr(sky, name).shape == (40, 60)
        assert np.isfinite(getattr(sky, name)).all()
    assert np.abs(np.diff(sky.haze, axis=1)).max() < 0.002  # air and systems know no frames


def test_the_sky_is_finite_at_the_ends_of_the_world_and_at_night():
    for epsg, x, y in [(32601, 170_000.0, 9_300_000.0), (32731, 500_000.0, 1_300_000.0)]:
        for hour in (0, 6, 12, 18):
            time = datetime(2021, 3, 20, hour, tzinfo=UTC)
            sky = WEATHER.sky(square(20, 40.0, x, y, epsg), time, 0.0)
            assert all(np.isfinite(values).all() for values in astuple(sky))


def test_nodes_beyond_the_sites_are_known_even_under_a_sun_overhead():
    overhead = datetime(2024, 3, 20, 3, 6, tzinfo=UTC)
    cloudy = Weather(1, Even(wetness=1.0, warmth=27.0))
    corner = Sites(53, np.array([543_965.0]), np.array([-35.0]))  # 16 km nodes at 544 and 0 km

    assert np.isfinite(cloudy.sky_at(corner, overhead, 0.0).thick).all()


def test_two_seeds_and_two_days_have_different_skies():
    grid = square(60, 2000.0)
    one, other, tomorrow = (
        weather.sky(grid, time, 0.0).thick
        for weather, time in (
            (WEATHER, JUNE),
            (Weather(2, Even()), JUNE),
            (WEATHER, JUNE + timedelta(days=1)),
        )
    )

    assert not np.array_equal(one, other)
    assert not np.array_equal(one, tomorrow)


def test_the_sky_hardly_changes_in_a_second():
    grid = square(200, 20.0)
    time = day_of({"cumulus"}, square(60, 400.0, 488_000.0))

    now, soon = (WEATHER.sky(grid, time + timedelta(seconds=s), 0.0).thick for s in (0, 1))

    assert not np.array_equal(now, soon)
    assert np.abs(soon - now).mean() < 0.5


def test_the_cover_from_coarse_samples_is_that_of_the_full_grid():
    differences = []
    for day in range(10):
        time = JUNE + timedelta(days=day)
        sky = WEATHER.sky(square(340, 160.0), time, 0.0)
        full = 100 * ((sky.thick > THICK_CLOUD) | (sky.thin > THIN_CLOUD)).mean()
        differences.append(WEATHER.cloud_cover(square(27, 2000.0), time) - full)

    assert np.abs(differences).max() < 5
    assert np.abs(differences).mean() < 1.5


def test_only_seen_pixels_count_for_the_cover():
    grid, time = square(20, 4000.0), day_of({"cumulus"}, square(60, 400.0, 488_000.0))
    thick, thin = WEATHER.thickness(cut(grid)[0].sites, time)
    cloudy = (thick > THICK_CLOUD) | (thin > THIN_CLOUD)

    assert 0 < WEATHER.cloud_cover(grid, time) < 100
    assert WEATHER.cloud_cover(grid, time, cloudy) == 100
    assert WEATHER.cloud_cover(grid, time, ~cloudy) == 0
    assert WEATHER.cloud_cover(grid, time, np.zeros((20, 20), bool)) == 0


def covers(weather):
    places = [(epsg, y) for epsg in (32631, 32634, 32638) for y in (5.3e6, 5.7e6)]
    return np.array(
        [
            weather.cloud_cover(square(14, 8000.0, 450_000.0, y, epsg), JUNE + timedelta(days=d))
            for d in range(0, 360, 9)
            for epsg, y in places
        ]
    )


def test_acquisitions_of_middle_latitudes_are_mostly_overcast_or_clear():
    cover = covers(WEATHER)

    assert 48 < cover.mean() < 68
    assert 0.08 < (cover < 10).mean() < 0.28
    assert (cover > 90).mean() > 0.22
    assert ((cover > 40) & (cover < 60)).mean() < 0.2


def test_deserts_are_mostly_clear():
    grid = square(14, 8000.0, 450_000.0, 2.7e6)
    dry = Weather(1, Even(wetness=0.0, warmth=26.0))
    cover = np.array([dry.cloud_cover(grid, JUNE + timedelta(days=3 * d)) for d in range(150)])

    assert 5 < cover.mean() < 25
    assert (cover < 10).mean() > 0.5
