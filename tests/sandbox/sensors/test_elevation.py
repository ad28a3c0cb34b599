"""Copernicus DEM: the real tiles, and the planet with what stands on it."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.sensors.elevation import NOISE_M, SEEN_OF_TREES, Elevation, width_of
from tests.sandbox.sensors.checker_world import CheckerPlanet, part

TILE = "Copernicus_DSM_COG_10_N48_00_E003_00_DEM"


def render(covers, tile=TILE, window=(1000, 700, 30, 30)):
    made = Elevation(SandboxSettings(), CheckerPlanet(covers))
    item = made.get(tile)
    return made.render(item, ["data"], part(item, *window))["data"]


def test_tiles_lie_where_the_real_ones_lie():
    made = Elevation(SandboxSettings(), CheckerPlanet())
    pole = made.get("Copernicus_DSM_COG_10_S90_00_W180_00_DEM").base
    assert pole.shape == (3600, 360)
    assert pole.affine[:6] == pytest.approx(
        (0.002777777777777778, 0, -180.0013888888889, 0, -0.0002777777777777778, -88.99986111111112)
    )
    island = made.get("Copernicus_DSM_COG_10_N00_00_E006_00_DEM").base
    assert island.shape == (3600, 3600)
    assert island.affine.c == pytest.approx(5.9998611111111115, abs=1e-12)
    assert island.affine.f == pytest.approx(1.000138888888889, abs=1e-12)


@pytest.mark.parametrize(
    ("south", "width"),
    [
        (0, 1),
        (49, 1),
        (50, 1.5),
        (60, 2),
        (70, 3),
        (80, 5),
        (85, 10),
        (-50, 1),
        (-51, 1.5),
        (-90, 10),
    ],
)
def test_pixels_grow_wider_towards_the_poles(south, width):
    assert width_of(south) == width


def test_forest_stands_above_the_ground_and_the_sea_is_flat():
    ground = render((Cover.BARE,))
    assert ground.dtype == np.float32
    assert np.abs(ground - 100).max() <= NOISE_M
    assert ground.std() > 0.1
    assert render((Cover.BROADLEAF_FOREST,)).mean() == pytest.approx(
        100 + 20 * SEEN_OF_TREES, abs=0.2
    )
    assert (render((Cover.SEA,)) == 0).all()
    assert (render((Cover.LAKE,)) == 100).all()


def test_a_window_alone_equals_the_window_of_a_larger_one():
    whole = render(tuple(Cover), window=(480, 960, 60, 70))
    np.testing.assert_array_equal(
        render(tuple(Cover), window=(503, 971, 20, 30)), whole[23:43, 11:41]
    )


def test_the_truth_tells_the_ground_from_what_stands_on_it():
    made = Elevation(SandboxSettings(), CheckerPlanet((Cover.BROADLEAF_FOREST,)))
    item = made.get(TILE)
    truth = made.truth(item, part(item, 0, 0, 5, 5))
    assert (truth["elevation"] == 100).all()
    assert (truth["height"] == 20).all()
    assert (truth["cover"] == Cover.BROADLEAF_FOREST).all()
