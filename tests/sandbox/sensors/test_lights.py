"""Night lights: towns shine, the country does not, and the northern summer is not seen."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.sensors.lights import NightLights
from tests.sandbox.sensors.checker_world import CheckerPlanet, part, part_at


def lights(built, month="201801", tile="75N060W", seed=1):
    made = NightLights(SandboxSettings(seed=seed), CheckerPlanet((Cover.GRASS,), built=built))
    edition = next(e for e in made.editions if e.name == month)
    return made, made.get(made.item_id(made.grid.cell(tile), edition))


def render(built, lon=3.0, lat=50.8, **which):
    made, item = lights(built, **which)
    return made.render(item, ["avg_rad", "cf_cvg"], part_at(item, lon, lat, 40))


def test_ids_and_grid_are_those_of_the_real_composites():
    item = lights(0)[1]
    assert item.id.startswith("SVDNB_npp_20180101-20180131_75N060W_vcmcfg_v10_c2018")
    assert item.base.shape == (18000, 28800)
    assert item.base.affine[:6] == pytest.approx(
        (1 / 240, 0, -60 - 1 / 480, 0, -1 / 240, 75 + 1 / 480)
    )
    # Pixels of a real composite over Burundi lie on the same lattice.
    steps = (28.997917572064434 + 1 / 480) * 240
    assert steps == pytest.approx(round(steps), abs=1e-3)


def test_the_dark_country_is_near_zero_and_often_below():
    radiance = render(0.0)["avg_rad"]
    assert radiance.dtype == np.float32
    assert abs(np.median(radiance)) < 0.3
    assert 0.03 < radiance.std() < 0.5
    assert radiance.min() < 0


def test_towns_outshine_villages():
    country, village, city = (np.median(render(b)["avg_rad"]) for b in (0.0, 0.2, 0.7))
    assert village > country + 0.5
    assert 8 < city < 80


def test_radiance_is_written_in_hundredths():
    steps = render(0.3)["avg_rad"].astype(np.float64) * 100
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


@pytest.mark.parametrize(
    ("month", "tile", "lat", "seen"),
    [
        ("201806", "75N060W", 65.0, False),
        ("201812", "75N060W", 65.0, True),
        ("201806", "00N060W", -60.0, True),
        ("201812", "00N060W", -60.0, False),
        ("201806", "75N060W", 20.0, True),
    ],
)
def test_there_is_nothing_where_the_night_is_bright(month, tile, lat, seen):
    numbers = render(0.3, lat=lat, month=month, tile=tile)
    assert numbers["cf_cvg"].dtype == np.uint16
    assert ((numbers["cf_cvg"] > 0) == seen).all()
    assert ((numbers["avg_rad"] != 0) == seen).all()


def test_months_differ_in_noise_and_worlds_in_all():
    one, other = render(0.3), render(0.3, month="201802")
    assert (one["avg_rad"] != other["avg_rad"]).mean() > 0.5
    assert np.corrcoef(one["avg_rad"].ravel(), other["avg_rad"].ravel())[0, 1] < 0.9
    assert (one["avg_rad"] != render(0.3, seed=2)["avg_rad"]).mean() > 0.5


def test_a_window_alone_equals_the_window_of_a_larger_one():
    made, item = lights(0.3)
    whole = made.render(item, ["avg_rad"], part(item, 5760, 14880, 60, 50))["avg_rad"]
    alone = made.render(item, ["avg_rad"], part(item, 5770, 14885, 20, 30))["avg_rad"]
    np.testing.assert_array_equal(alone, whole[10:30, 5:35])


def test_the_truth_is_what_shines():
    made, item = lights(0.5)
    base = part_at(item, 3.0, 50.8, 30)
    truth = made.truth(item, base)
    seen = made.render(item, ["avg_rad"], base)["avg_rad"]
    assert (truth["built"] == 0.5).all()
    np.testing.assert_allclose(seen, truth["radiance"], atol=1.0)
