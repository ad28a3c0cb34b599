"""What lies where on Earth."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache

import numpy as np
import pytest

from eodata.sandbox.planet.climate import Climate
from eodata.sandbox.planet.cover import BUILT, CROP, FOREST, WATER, Cover
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.landscape import Landscape
from eodata.sandbox.planet.relief import Relief
from eodata.sandbox.planet.season import Land
from eodata.sandbox.planet.sites import Sites, from_lonlat, zone_at

LANDSCAPE = Landscape(1, Climate(1), Relief(1))
ROIS = [
    *((-118.74, 34.61), (-59.02, -33.89), (-5.62, 34.0), (10.63, 44.78), (17.25, 48.98)),
    *((20.1, 43.77), (25.03, -33.2), (28.81, 40.03), (28.96, 41.05), (117.37, 39.27)),
    *((118.91, 33.81), (144.46, -18.07), (-93.27, 45.0), (-3.96, 40.49), (3.7, 51.05)),
    *((19.03, 47.58), (23.39, 6.47), (38.6, 25.28), (78.94, 21.5), (138.36, 35.88)),
]
"""Centres of some published areas of SEN12MS-CR-TS, all on land."""
PLACES = {
    "sahara": (10.0, 25.0),
    "amazon": (-62.0, -4.0),
    "siberia": (100.0, 62.0),
    "greenland": (-40.0, 74.0),
    "paris": (2.35, 48.86),
    "moravia": (17.25, 48.98),
    "atlantic": (-30.0, 40.0),
    "steppe": (66.0, 49.0),
    "yakutia": (129.0, 62.0),
}


@lru_cache
def ground(place: str) -> Land:
    """20 km x 20 km around a place, a site every 200 m."""
    lon, lat = PLACES[place]
    return LANDSCAPE.ground(sites_around(lon, lat, 100, 200.0))


def sites_around(lon: float, lat: float, size: int, step: float) -> Sites:
    zone = int(zone_at(np.array(lon)))
    middle = from_lonlat(zone, np.array([lon]), np.array([lat]))
    x, y = np.round(middle.x[0], -1) + 5.0, np.round(middle.y[0], -1) + 5.0
    way = (np.arange(size) - size // 2) * step
    return Sites(zone, (x + way)[np.newaxis, :], (y - way)[:, np.newaxis])


def share(cover: np.ndarray, *kinds: Cover) -> float:
    return float(np.isin(cover, kinds).mean())


@pytest.mark.parametrize(
    ("place", "kinds", "least"),
    [
        ("sahara", (Cover.BARE, Cover.SAND, Cover.ROCK), 0.95),
        ("amazon", (Cover.EVERGREEN_FOREST,), 0.6),
        ("siberia", (Cover.NEEDLELEAF_FOREST, Cover.TUNDRA, Cover.WETLAND), 0.5),
        ("greenland", (Cover.ICE,), 0.99),
        ("paris", (*BUILT, Cover.GARDEN), 0.9),
        ("moravia", (*CROP, *FOREST, Cover.GRASS), 0.7),
        ("atlantic", (Cover.SEA,), 1.0),
        ("steppe", (Cover.GRASS, Cover.SHRUB, *CROP), 0.8),
    ],
)
def test_classes_are_where_they_are_on_earth(
    place: str, kinds: tuple[Cover, ...], least: float
) -> None:
    assert share(ground(place).cover, *kinds) >= least


def test_farmland_has_all_that_farmland_has() -> None:
    cover = ground("moravia").cover
    for kinds in ((Cover.SUMMER_CROP,), (Cover.WINTER_CROP,), (Cover.GRASS,), FOREST, BUILT):
        assert share(cover, *kinds) > 0.01, kinds


def test_rois_lie_on_land() -> None:
    for lon, lat in ROIS:
        zone = int(zone_at(np.array(lon)))
        cover = LANDSCAPE.ground(from_lonlat(zone, np.array([lon]), np.array([lat]))).cover
        assert cover[0] != Cover.SEA, (lon, lat)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_fields_of_the_ground_keep_their_ranges(place: str) -> None:
    land = ground(place)
    assert set(np.unique(land.cover)) <= set(Cover)
    for item in fields(Ground):
        array = getattr(land, item.name)
        assert array.shape == (100, 100), item.name
        assert array.dtype == (np.uint8 if item.name == "cover" else np.float32), item.name
        assert np.isfinite(array).all(), item.name
    for name in ("vigour", "wetness", "built"):
        assert getattr(land, name).min() >= 0.0, name
        assert getattr(land, name).max() <= 1.0, name
    assert land.elevation.min() >= 0.0
    assert np.abs(land.phase).max() <= 20.0
    assert 0.4 < land.texture.min() <= land.texture.max() < 1.7
    assert land.texture.mean() == pytest.approx(1.0, abs=0.06)


def test_water_is_flat_and_the_sea_is_at_zero() -> None:
    coast = LANDSCAPE.ground(sites_around(28.98, 41.02, 100, 60.0))
    sea, water = coast.cover == Cover.SEA, np.isin(coast.cover, WATER)
    assert 0.05 < sea.mean() < 0.95
    assert (coast.elevation[sea] == 0).all()
    assert (coast.slope_x[water] == 0).all()
    assert (coast.slope_y[water] == 0).all()
    assert (coast.height[water] == 0).all()


class Plateau(Relief):
    """A hundred metres everywhere, the sea too, rising towards the east."""

    def elevation(self, sites: Sites) -> np.ndarray:
        return np.full(sites.shape, 100.0, np.float32)

    def surface(self, sites: Sites) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        slope = np.full(sites.shape, 0.01, np.float32)
        return self.elevation(sites), slope, 0 * slope


def test_relief_ends_where_the_coast_of_the_landscape_is() -> None:
    coast = Landscape(1, Climate(1), Plateau(1)).ground(sites_around(28.98, 41.02, 100, 60.0))
    sea = coast.cover == Cover.SEA
    assert (coast.elevation == np.where(sea, 0.0, 100.0)).all()
    assert (coast.slope_x[~np.isin(coast.cover, WATER)] > 0).all()


def test_nothing_is_sown_in_the_taiga() -> None:
    assert share(ground("yakutia").cover, *CROP) < 0.01


def test_heights_are_those_of_trees_houses_and_fields() -> None:
    land, town = ground("moravia"), ground("paris")
    trees = land.height[np.isin(land.cover, FOREST)]
    assert trees.min() > 6
    assert 15 < trees.mean() < 30
    assert trees.max() < 45
    assert land.height[np.isin(land.cover, CROP)].max() < 3
    roofs = town.height[np.isin(town.cover, BUILT) & (town.cover != Cover.STREET)]
    assert roofs.min() >= 4
    assert 15 < roofs.max() < 45
    assert (town.height[town.cover == Cover.STREET] == 0).all()


def test_built_is_about_the_sealed_share_of_the_neighbourhood() -> None:
    land = LANDSCAPE.ground(sites_around(17.25, 48.98, 500, 20.0))
    sealed = np.isin(land.cover, BUILT).reshape(20, 25, 20, 25).mean(axis=(1, 3))
    built = land.built.reshape(20, 25, 20, 25).mean(axis=(1, 3))
    assert np.corrcoef(sealed.ravel(), built.ravel())[0, 1] > 0.9
    assert built.sum() == pytest.approx(sealed.sum(), rel=0.6)
    assert ground("paris").built.mean() == pytest.approx(
        share(ground("paris").cover, *BUILT), abs=0.15
    )
    assert (ground("sahara").built == 0).all()


def test_ten_metre_pixels_vary_within_a_forest_and_less_within_a_field() -> None:
    land = LANDSCAPE.ground(sites_around(17.25, 48.98, 300, 10.0))
    left, right = land.cover[:, :-1], land.cover[:, 1:]
    steps = np.abs(np.diff(land.texture, axis=1))
    same_field = (left == right) & (np.diff(land.phase, axis=1) == 0)
    forest = (left == right) & np.isin(left, FOREST)
    assert 0.005 < steps[same_field & np.isin(left, CROP)].mean() < 0.03
    assert steps[forest].mean() > 0.03


def test_fields_of_crops_are_large_patches_with_one_phase() -> None:
    land = LANDSCAPE.ground(sites_around(17.25, 48.98, 300, 10.0))
    crop = np.isin(land.cover, CROP)
    assert crop.mean() > 0.2
    inner = crop[:, :-1] & crop[:, 1:]
    assert (np.diff(land.phase, axis=1)[inner] == 0).mean() > 0.9
    assert len(np.unique(land.phase[crop])) > 40
