from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from eodata.sandbox.planet.corners import Corners
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.displacement import STILL
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.season import HABITS
from eodata.sandbox.sensors.optical import (
    MOST_TILT,
    Mottle,
    Surface,
    blurred,
    mottle_of,
    pooled,
    reflectance,
    snow_seen,
    spread,
    surface_of,
    tilt,
)
from eodata.sandbox.sensors.spectra import INDEX, spectra
from tests.sandbox.sensors.toy_world import SENSED, ToyPlanet, full, window

B02, B04, B08, B11 = (INDEX[b] for b in ("B02", "B04", "B08", "B11"))
SHAPE = (3, 4)


def ground_of(cover: Cover, **given: float) -> Ground:
    names = [name for name in Ground.__dataclass_fields__ if name != "cover"]
    values = dict.fromkeys(names, 0.0) | {"texture": 1.0} | given
    fields = {name: full(SHAPE, value) for name, value in values.items()}
    return Ground(cover=np.full(SHAPE, cover, np.uint8), **fields)


def surface(
    cover: Cover,
    green: float = 0.0,
    snow: float = 0.0,
    moisture: float = 0.0,
    hue: float = 0.0,
    **given: float,
) -> Surface:
    season = Season(full(SHAPE, green), full(SHAPE, snow), full(SHAPE, moisture))
    mottle = Mottle(full(SHAPE, 0.0), full(SHAPE, hue), full(SHAPE, 0.0))
    return surface_of(ground_of(cover, **given), season, mottle, 40.0, 180.0)


def seen(made: Surface, band: int, light: float = 1.0) -> float:
    return float(reflectance(made, band, 0.1, made.tilt * np.float32(light))[0, 0])


def test_flat_dry_ground_in_full_sun_shows_its_end_member() -> None:
    assert seen(surface(Cover.GRASS), B04) == pytest.approx(spectra().dry[Cover.GRASS, B04])
    assert seen(surface(Cover.GRASS, green=1), B08) == pytest.approx(
        spectra().leafy[Cover.GRASS, B08]
    )


def test_greenness_lies_between_end_members() -> None:
    dry, half, full_ = (seen(surface(Cover.GRASS, green=g), B08) for g in (0, 0.5, 1))
    assert half == pytest.approx((dry + full_) / 2, rel=0.01)


def test_wet_soil_is_darker_but_only_where_it_is_bare() -> None:
    bare = seen(surface(Cover.BARE, moisture=1), B11) / seen(surface(Cover.BARE), B11)
    assert bare == pytest.approx(1 - spectra().wet[B11], rel=1e-3)
    leaves = seen(surface(Cover.BARE, green=1, moisture=1), B11)
    assert leaves == pytest.approx(seen(surface(Cover.BARE, green=1), B11))


def test_snow_whitens_the_ground_and_evens_its_texture() -> None:
    assert seen(surface(Cover.GRASS, snow=1), B04) == pytest.approx(spectra().snow[B04], rel=1e-3)
    assert seen(surface(Cover.GRASS, texture=1.4), B04) > 1.35 * seen(surface(Cover.GRASS), B04)
    rough = seen(surface(Cover.GRASS, snow=1, texture=1.4), B04)
    assert rough < 1.15 * seen(surface(Cover.GRASS, snow=1), B04)


def test_slopes_towards_the_sun_are_brighter() -> None:
    south, level, north = (seen(surface(Cover.GRASS, slope_y=s), B08) for s in (0.3, 0, -0.3))
    assert south > level * 1.1
    assert north < level * 0.9


@given(
    st.floats(-5, 5, width=32),
    st.floats(-5, 5, width=32),
    st.floats(0, 89),
    st.floats(0, 360),
)
def test_light_on_slopes_is_bounded(x: float, y: float, zenith: float, azimuth: float) -> None:
    light = tilt(np.float32([x]), np.float32([y]), zenith, azimuth)
    assert 1 - MOST_TILT <= light[0] <= 1 + MOST_TILT + 1e-6


def test_light_on_a_gentle_slope_follows_the_cosine_law() -> None:
    slope, zenith = np.radians(3.0), np.radians(50.0)
    light = tilt(np.float32([0]), np.float32([np.tan(slope)]), 50.0, 180.0)
    assert light[0] == pytest.approx(np.cos(zenith - slope) / np.cos(zenith), abs=2e-3)


def test_shade_leaves_the_light_of_the_sky() -> None:
    made = surface(Cover.GRASS)
    assert seen(made, B04, light=0) == pytest.approx(0.1 * seen(made, B04))


def mottled(covers: tuple[Cover, ...], box: GeoBox, snow: float = 0.0) -> Mottle:
    planet = ToyPlanet(covers, snow=snow)
    ground = planet.ground(box)
    return mottle_of(box, STILL, ground, planet.season(ground, SENSED), 1)


def test_water_is_turbid_in_plumes_and_land_has_none() -> None:
    sea, land = (mottled((c,), window(0, 0, 600, 600, 4)) for c in (Cover.SEA, Cover.GRASS))
    assert sea.plume.std() > 0.1
    assert ((sea.plume >= 0) & (sea.plume <= 1)).all()
    assert not land.plume.any()
    assert land.hue.std() > 0.1


@given(st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=5, deadline=None)
def test_mottle_of_a_part_equals_a_part_of_mottle(row: int, col: int) -> None:
    covers = (Cover.SEA, Cover.GRASS)
    whole = mottled(covers, window(0, 0, 64, 64), snow=0.5)
    part = mottled(covers, window(row, col, 30, 20), snow=0.5)
    for name in Mottle.__dataclass_fields__:
        seen = getattr(whole, name)[row : row + 30, col : col + 20]
        if getattr(part, name).any():
            np.testing.assert_array_equal(getattr(part, name), seen)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_snow_on_open_ground_lies_in_patches_of_the_right_share(share: float) -> None:
    planet, box = ToyPlanet((Cover.GRASS,), snow=share), window(0, 0, 400, 400, 2)
    ground = planet.ground(box)
    season = planet.season(ground, SENSED)
    seen = snow_seen(ground, season, mottle_of(box, STILL, ground, season, 1))
    assert seen.mean() == pytest.approx(share, abs=0.08)
    assert ((seen > 0.9) | (seen < 0.1)).mean() > 0.7


def test_snow_in_forest_is_never_whiter_than_a_forest_gets() -> None:
    planet, box = ToyPlanet((Cover.NEEDLELEAF_FOREST,), snow=0.2), window(0, 0, 400, 400, 2)
    ground = planet.ground(box)
    season = planet.season(ground, SENSED)
    seen = snow_seen(ground, season, mottle_of(box, STILL, ground, season, 1))
    most = HABITS[Cover.NEEDLELEAF_FOREST].buried
    assert seen.mean() == pytest.approx(0.2, abs=0.04)
    assert seen.max() == pytest.approx(most)


def test_low_sun_darkens_forest_more_than_meadow() -> None:
    def loss(cover: Cover) -> float:
        high, low = (
            surface_of(
                ground_of(cover),
                Season(*(full(SHAPE, v) for v in (0.5, 0.0, 0.0))),
                Mottle(*(full(SHAPE, 0.0) for _ in range(3))),
                zenith,
                180.0,
            )
            for zenith in (25.0, 65.0)
        )
        return seen(low, B08) / seen(high, B08)

    assert loss(Cover.NEEDLELEAF_FOREST) < 0.85
    assert loss(Cover.GRASS) == pytest.approx(1)


def test_red_soil_is_redder() -> None:
    red, grey = (surface(Cover.BARE, hue=h) for h in (1.0, -1.0))
    assert seen(red, B04) / seen(red, B02) > 1.3 * seen(grey, B04) / seen(grey, B02)


@pytest.mark.parametrize("ratio", [1, 2, 6])
def test_pooled_is_the_mean_of_squares(ratio: int) -> None:
    field = np.random.default_rng(0).random((12, 18), np.float32)
    means = field.reshape(12 // ratio, ratio, 18 // ratio, ratio).mean((1, 3))
    np.testing.assert_allclose(pooled(field, ratio), means, rtol=1e-5)


def test_spread_takes_the_side_that_corners_lie_on() -> None:
    left = np.repeat(np.array([[0, 0, 0, 1, 1, 1]], np.float32), 6, axis=0)
    masks = np.zeros((6, 6), np.uint8)
    none = spread(left, Corners.of(masks), 0.4)
    assert none[0].tolist() == [0.0, pytest.approx(0.15), pytest.approx(0.85), 1.0]
    masks[:, 2] = 0b0101  # the border lies a little to the right of the corners
    assert spread(left, Corners.of(masks), 0.4)[0].tolist() == [0, 0, pytest.approx(0.7), 1]


def test_spread_keeps_what_is_alike() -> None:
    even = np.full((5, 7), 0.25, np.float32)
    masks = np.full((5, 7), 0b0110, np.uint8)
    assert spread(even, Corners.of(masks), 0.33) == pytest.approx(np.full((3, 5), 0.25))


def test_blurred_keeps_the_mean_and_spreads_a_point() -> None:
    point = np.zeros((7, 7), np.float32)
    point[3, 3] = 1
    spread = blurred(point, 0.15)
    assert spread.shape == (5, 5)
    assert spread.sum() == pytest.approx(1)
    assert spread[2, 2] == pytest.approx(0.49)
    np.testing.assert_allclose(spread, spread.T)
