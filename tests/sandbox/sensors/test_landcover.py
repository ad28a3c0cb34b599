"""MODIS and WorldCover say what the planet is, on their own grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.sensors import legends
from eodata.sandbox.sensors.landcover import ModisLandCover, WorldCover
from tests.sandbox.sensors.checker_world import CheckerPlanet, part, part_at

TILE = "ESA_WorldCover_10m_2021_v200_N48E003"
LAYERS = ["LC_Type1", "LC_Prop1", "LC_Prop2", "LC_Prop3"]


def modis(planet=None):
    made = ModisLandCover(SandboxSettings(), planet or CheckerPlanet())
    return made, made.get(made_id(made, "h18v03"))


def made_id(made, name):
    return made.item_id(made.grid.cell(name), made.editions[17])


def worldcover(planet=None):
    made = WorldCover(SandboxSettings(), planet or CheckerPlanet())
    return made, made.get(TILE)


def test_a_modis_id_looks_like_the_real_ones():
    made, item = modis()
    assert item.id.startswith("MCD12Q1.A2018001.h18v03.061.20")
    assert item.properties["start_datetime"] == "2018-01-01T00:00:00Z"
    assert item.properties["end_datetime"] == "2018-12-31T23:59:59Z"
    assert made.pattern.fullmatch(item.id)


@pytest.mark.parametrize(
    ("cover", "expected"),
    [
        (Cover.WINTER_CROP, (12, 31, 36, 30)),
        (Cover.BROADLEAF_FOREST, (4, 14, 10, 10)),
        (Cover.LAKE, (17, 3, 3, 3)),
    ],
)
def test_pure_ground_is_its_own_class_in_all_layers(cover, expected):
    made, item = modis(CheckerPlanet((cover,)))
    numbers = made.render(item, LAYERS, part(item, 800, 500, 4, 6))
    for key, value in zip(LAYERS, expected, strict=True):
        assert numbers[key].dtype == np.uint8
        assert numbers[key].shape == (4, 6)
        assert (numbers[key] == value).all()


def test_a_modis_pixel_is_the_mixture_of_its_samples():
    planet = CheckerPlanet((Cover.GRASS, Cover.BROADLEAF_FOREST), size=2000)
    made, item = modis(planet)
    base = part_at(item, 3.0, 50.8, 12)
    truth, igbp = made.truth(item, base), made.render(item, ["LC_Type1"], base)["LC_Type1"]
    assert set(np.unique(truth["cover"])) == {Cover.GRASS, Cover.BROADLEAF_FOREST}
    pure = truth["purity"] == 1
    assert (igbp[pure & (truth["cover"] == Cover.GRASS)] == 10).all()
    assert (igbp[pure & (truth["cover"] == Cover.BROADLEAF_FOREST)] == 4).all()
    assert pure.any()
    assert 8 in igbp[~pure]  # a third of trees: woody savanna


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=5, deadline=None)
def test_a_window_alone_equals_the_window_of_a_larger_one(row, col):
    made, item = modis(CheckerPlanet(size=700))
    whole = made.render(item, LAYERS, part(item, 800, 500, 48, 48))
    alone = made.render(item, LAYERS, part(item, 800 + row, 500 + col, 8, 8))
    for key in LAYERS:
        np.testing.assert_array_equal(alone[key], whole[key][row : row + 8, col : col + 8])


def test_beyond_the_date_line_a_modis_tile_has_no_data():
    made = ModisLandCover(SandboxSettings(), CheckerPlanet())
    item = made.get(made_id(made, "h23v01"))  # east Siberia, cut by the edge of the Earth
    igbp = made.render(item, ["LC_Type1"], part(item, 2000, 0, 3, 2400))["LC_Type1"]
    assert igbp[1, 0] != 255
    assert igbp[1, -1] == 255


def test_an_overview_keeps_the_classes():
    made, item = modis()
    numbers = made.render(item, LAYERS, part(item, 20, 10, 5, 5, factor=8))
    assert set(np.unique(numbers["LC_Type1"])) <= set(range(1, 18))


def test_worldcover_is_the_planet_point_by_point():
    made, item = worldcover(CheckerPlanet(tuple(Cover)))
    base = part_at(item, 3.5, 49.5, 40)
    numbers, truth = made.render(item, ["map"], base)["map"], made.truth(item, base)["cover"]
    assert numbers.dtype == np.uint8
    for cover in np.unique(truth):
        if cover not in (Cover.SEA, Cover.WETLAND):
            assert (numbers[truth == cover] == legends.WORLDCOVER[Cover(cover)]).all()


def test_worldcover_has_no_data_on_the_open_sea():
    made = WorldCover(SandboxSettings(), CheckerPlanet((Cover.SEA,)))
    item = made.get("ESA_WorldCover_10m_2021_v200_N51E003")
    near = made.render(item, ["map"], part_at(item, 3.05, 51.35, 8))["map"]  # off Zeebrugge
    far = made.render(item, ["map"], part_at(item, 3.3, 53.0, 8))["map"]
    assert (near == 80).all()
    assert (far == 0).all()


def test_the_sea_ends_at_the_same_places_in_any_window():
    made = WorldCover(SandboxSettings(), CheckerPlanet((Cover.SEA,)))
    item = made.get("ESA_WorldCover_10m_2021_v200_N51E003")
    row, col = 29200, 600  # some 20 km off the coast
    whole = made.render(item, ["map"], part(item, row, col, 900, 130))["map"]
    assert set(np.unique(whole)) == {0, 80}
    alone = made.render(item, ["map"], part(item, row + 133, col + 77, 60, 50))["map"]
    np.testing.assert_array_equal(alone, whole[133:193, 77:127])
