"""Pixels that Earth Engine brings onto the grid: where they lie, and how they differ from ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from eodata.core.earthengine import EarthEngineLocation
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox import plane
from eodata.sandbox.earthengine.server import EarthEngineServer
from tests.providers.earthengine.made import by_server
from tests.providers.earthengine.test_same_pixels import (
    BEFORE,
    CRS,
    GRIDS,
    PLANE,
    PLANET,
    assert_same,
    centres,
    looked_up,
    north_up,
)

ONTO = GRIDS | {
    "twice as coarse": north_up(649_100, 5_324_900, 20, 48),
    "twice as coarse and half off": north_up(649_105, 5_324_905, 20, 48),
    "six times coarser": north_up(649_080, 5_324_880, 60, 24),
    "twice as coarse in the next zone": north_up(202_300, 5_330_000, 20, 48, CRS("EPSG:32633")),
}
WARPED = [name for name in ONTO if name != "its own"]


@pytest.fixture(scope="module")
def planets() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(PLANET) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


@pytest.fixture(scope="module")
def planes() -> Iterator[EarthEngineProvider]:
    with EarthEngineServer(PLANE) as server:
        yield EarthEngineProvider(EarthEngineLocation.at(server.url))


@pytest.mark.parametrize("how", ["bilinear", "cubic"])
@pytest.mark.parametrize("name", WARPED)
def test_pixels_lie_where_the_grid_says(planes, name, how):
    grid, world = ONTO[name], SandboxProvider(PLANE)
    item, reads = looked_up(planes, "sentinel-2-l2a", ("B02", "B03"), BEFORE, how)
    behind, same = looked_up(world, "sentinel-2-l2a", ("B02", "B03"), BEFORE, how)
    record = world.archive.collections[behind.collection].get(behind.id)
    found = planes.read(item, by_server(reads), grid)
    assert all(valid.all() for valid in found.valid)
    assert found.requests == 1
    assert found.bytes_read == 2 * 2 * grid.shape[0] * grid.shape[1]
    wanted = [plane.number_at(record, read.asset, *centres(grid, record.base)) for read in same]
    off = np.hypot(*(v - w for v, w in zip(found.values, wanted, strict=True))) / plane.PER_PX
    assert off.mean() < 0.02
    assert off.max() < 0.2


@pytest.mark.parametrize("name", [name for name in WARPED if name != "six times coarser"])
@pytest.mark.parametrize("how", ["bilinear", "cubic"])
def test_measurements_are_ours_but_for_the_last_digit(planets, name, how):
    item, reads = looked_up(planets, "sentinel-2-l2a", ("B03", "B04", "B11"), BEFORE, how)
    found = planets.read(item, by_server(reads), ONTO[name])
    ours = planets.read(item, reads, ONTO[name])
    for k in range(3):
        assert np.array_equal(found.valid[k], ours.valid[k])
        assert found.values[k].dtype == ours.values[k].dtype
        off = np.abs(found.values[k].astype(int) - ours.values[k].astype(int))
        assert off.max() <= 1
        assert (off > 0).mean() < 0.01


def test_much_coarser_grid_is_averaged_from_all_pixels(planets):
    """Ours is the level of the pyramid, so the truth is what our warp makes of the world."""
    item, reads = looked_up(planets, "sentinel-2-l2a", ("B04",), BEFORE, "average")
    behind, same = looked_up(SandboxProvider(PLANET), "sentinel-2-l2a", ("B04",), BEFORE, "average")
    grid = ONTO["six times coarser"]
    found = planets.read(item, by_server(reads), grid).values[0].astype(int)
    truth = SandboxProvider(PLANET).read(behind, same, grid).values[0].astype(int)
    assert np.abs(found - truth).max() <= 1


@pytest.mark.parametrize("name", WARPED)
def test_decibels_are_averaged_as_power(planets, name):
    item, reads = looked_up(planets, "sentinel-1-grd", ("vv",), BEFORE, "bilinear")
    found = planets.read(item, by_server(reads), ONTO[name])
    ours = planets.read(item, reads, ONTO[name])
    assert np.array_equal(found.valid[0], ours.valid[0])
    assert np.abs(found.values[0] - ours.values[0]).max() < 0.01


@pytest.mark.parametrize("name", ONTO)
@pytest.mark.parametrize(("how", "most"), [("nearest", 0.001), ("mode", 0.015)])
def test_classes_are_ours_but_for_borders(planets, name, how, most):
    item, reads = looked_up(planets, "esa-worldcover", ("map",), BEFORE, "nearest")
    found = planets.read(item, by_server(reads, resampling=how), ONTO[name])
    ours = planets.read(item, [replace(reads[0], resampling=how)], ONTO[name])
    assert found.bytes_read < ours.bytes_read
    assert np.array_equal(found.valid[0], ours.valid[0])
    assert len(np.unique(ours.values[0])) > 3
    assert (found.values[0] != ours.values[0]).mean() < most
    if how == "nearest" and "next zone" not in name:
        assert_same(found, ours)


def test_own_grid_and_finer_ones_are_read_as_ever(planets):
    for bands, name in ((("B04",), "its own"), (("B11", "B01"), "its own"), (("B11",), "rotated")):
        item, reads = looked_up(planets, "sentinel-2-l2a", bands, BEFORE, "bilinear")
        ours = planets.read(item, reads, ONTO[name])
        found = planets.read(item, by_server(reads), ONTO[name])
        assert_same(found, ours)
        assert found.bytes_read == ours.bytes_read
