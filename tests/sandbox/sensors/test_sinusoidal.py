"""The sinusoidal grid of MODIS: the real tiles, and only those with land."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo import CRS
from shapely.geometry import box

from eodata.sandbox.sensors import sinusoidal
from eodata.sandbox.sensors.sinusoidal import SinusoidalGrid, tile_may_hold_land, to_lonlat

GRID = SinusoidalGrid()


def test_the_tile_of_belgium_lies_where_the_real_one_lies():
    base = GRID.cell("h18v03").base
    assert base.shape == (2400, 2400)
    assert base.affine.c == pytest.approx(0.0, abs=1e-3)
    assert base.affine.f == pytest.approx(6671703.118, abs=1e-3)
    assert base.affine.a == pytest.approx(463.31271653, abs=1e-6)


def test_the_grid_agrees_with_that_of_a_real_product():
    # A 250 m product over Brazil: its west edge lies on the same lattice of half pixels.
    left = (-6073798.057320992 + 18 * sinusoidal.EDGE_M) / (sinusoidal.PIXEL_M / 2)
    assert left == pytest.approx(round(left), abs=1e-3)


@given(lon=st.floats(-179.9, 179.9), lat=st.floats(-85, 85))
@settings(max_examples=50, deadline=None)
def test_a_place_is_found_in_the_tile_whose_pixels_hold_it(lon, lat):
    x, y = CRS("EPSG:4326").transformer_to_crs(CRS(sinusoidal.CRS))(lon, lat)
    assert to_lonlat(np.array([x]), np.array([y])) == (
        pytest.approx(lon, abs=1e-6),
        pytest.approx(lat, abs=1e-6),
    )
    found = GRID.over(box(lon - 0.02, lat - 0.02, lon + 0.02, lat + 0.02))
    edges = [cell.base.boundingbox for cell in found]
    assert any(e.left <= x <= e.right and e.bottom <= y <= e.top for e in edges)


@pytest.mark.parametrize("name", ["h36v03", "h18v18", "h00v00", "h18", "x18v03"])
def test_there_are_no_tiles_off_the_grid_or_off_the_earth(name):
    with pytest.raises(LookupError):
        GRID.cell(name)


@pytest.mark.parametrize(("name", "land"), [("h18v04", True), ("h14v05", False), ("h03v06", True)])
def test_tiles_of_the_open_sea_are_known(name, land):
    assert tile_may_hold_land(name) is land


def test_names_come_in_order():
    names = [cell.name for cell in GRID.over(box(-30, 30, 60, 70))]
    assert names == sorted(names)
    assert {"h18v03", "h20v02", "h17v04"} <= set(names)
