"""Where rasters lie that know it at some points only."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.control import GroundControlPoint
from rasterio.errors import CRSError

from eodata.providers.ground_control import GroundControl
from eodata.providers.source_window import source_positions, source_window

DEGREES = CRS("EPSG:4326")
UTM31 = CRS("EPSG:32631")
SQUARE = ((0, 0, 5.00, 52.00), (9, 0, 5.01, 52.00), (0, 9, 5.00, 51.99), (9, 9, 5.01, 51.99))


def control(points, crs=DEGREES) -> GroundControl:
    listed = [GroundControlPoint(col=c, row=r, x=x, y=y) for c, r, x, y in points]
    return GroundControl.of((10, 10), crs, listed)


def wavy(lon=5.0, lat=52.0):
    """Return 30 points of a mapping with bends."""
    col, row = (a.ravel() for a in np.meshgrid(np.linspace(0, 10, 6), np.linspace(0, 10, 5)))
    x = lon + 1e-4 * (col + 0.3 * np.sin(row) + 0.2 * col * row / 10)
    y = lat - 1e-4 * (row + 0.2 * np.cos(col))
    return np.stack([col, row, (x + 180) % 360 - 180, y], axis=1).tolist()


@pytest.mark.parametrize(("lon", "lat"), [(5, 52), (179.9995, -17), (-120, 89.9), (30, -89.99)])
def test_every_point_is_met_even_at_the_date_line_and_near_the_poles(lon, lat):
    points = np.array(wavy(lon, lat))
    grid = control(points)
    x, y = DEGREES.transformer_to_crs(grid.crs)(points[:, 2], points[:, 3])
    col, row = grid.pixels(x, y)
    assert np.abs(col - points[:, 0]).max() < 1e-6
    assert np.abs(row - points[:, 1]).max() < 1e-6


def test_points_on_a_map_stay_on_it():
    metres = [(c, r, 600_000 + 10 * c, 5_700_000 - 10 * r) for c, r, _, _ in SQUARE]
    grid = control(metres, UTM31)
    assert grid.crs == UTM31
    col, row = grid.pixels(np.array([[600_055.0]]), np.array([[5_699_975.0]]))
    assert (col.item(), row.item()) == pytest.approx((5.5, 2.5))


def test_a_place_that_is_none_has_no_pixel():
    col, row = control(SQUARE).pixels(np.array([0.0, np.nan]), np.array([np.nan, np.nan]))
    assert np.isnan([col, row]).all()


def test_moved_counts_pixels_otherwise_and_leaves_the_ground():
    grid = control(wavy())
    x, y = np.array([100.0]), np.array([-200.0])
    (col, row), (later, lower) = grid.pixels(x, y), grid.moved(0.5, -3).pixels(x, y)
    assert (later - col).item() == pytest.approx(0.5)
    assert (lower - row).item() == pytest.approx(-3)
    assert grid.moved(1, 1).crs is grid.crs


@pytest.mark.parametrize(
    ("points", "because"),
    [
        (SQUARE[:3], "at least 4"),
        ([(i, i, 5 + i / 100, 52 - i / 50) for i in range(6)], "one line"),
        ([*SQUARE, (4, 4, 5.00, 52.00)], "contradict"),
        ([*SQUARE, (4, 4, float("nan"), 52.0)], "nowhere"),
        ([*SQUARE, (4, 4, 5.0, 91.0)], "nowhere"),
    ],
)
def test_points_that_fix_no_place_are_refused(points, because):
    with pytest.raises(CRSError, match=because):
        control(points)


def test_points_in_space_are_refused():
    with pytest.raises(CRSError, match="neither"):
        control(SQUARE, CRS("EPSG:4978"))


def test_the_window_of_a_grid_is_found_by_points():
    metres = [(c, r, 600_000 + 10 * c, 5_700_000 - 10 * r) for c, r, _, _ in SQUARE]
    target = GeoBox((4, 4), Affine(20, 0, 600_015, 0, -20, 5_699_975), UTM31)
    window = source_window(control(metres, UTM31), target)
    assert not window.exact
    assert window.shrink == (2, 2)
    assert window.rows == (-1, 13)
    assert window.cols == (-2, 13)
    x, y = source_positions(control(metres, UTM31), target, np.array([0.5]), np.array([0.5]))
    assert (x.item(), y.item()) == pytest.approx((2.5, 3.5))


def test_a_grid_elsewhere_needs_nothing_of_it():
    away = GeoBox((4, 4), Affine(20, 0, 900_000, 0, -20, 5_000_000), UTM31)
    assert source_window(control(SQUARE), away) is None
    far = GeoBox((4, 4), Affine(20, 0, 500_000, 0, -20, 5_000_000), CRS("EPSG:32760"))
    assert source_window(control(SQUARE), far) is None
