"""Smooth surfaces between nodes."""

import numpy as np
import pytest

from eodata.sandbox.planet.lattice import hash01
from eodata.sandbox.planet.sites import Sites
from eodata.sandbox.planet.spline import spline, spline_slopes


def lattice(x, y):
    return Sites(
        31, np.asarray(x, np.float64)[np.newaxis], np.asarray(y, np.float64)[:, np.newaxis]
    )


def random_nodes(i, j):
    return np.stack([hash01(5, i, j), hash01(6, i, j)])


def test_a_plane_comes_back_with_its_slopes():
    sites = lattice(np.arange(-500, 500, 37.0), np.arange(0, 400, 11.0))
    value, east, north = spline_slopes(
        sites, 100.0, lambda i, j: (3.0 * i - 2.0 * j + 7.0)[np.newaxis].astype(np.float32)
    )
    np.testing.assert_allclose(value[0], 0.03 * sites.x - 0.02 * sites.y + 7.0, atol=1e-4)
    np.testing.assert_allclose(east[0], 0.03, atol=1e-6)
    np.testing.assert_allclose(north[0], -0.02, atol=1e-6)


def test_slopes_are_those_of_the_surface():
    x, y = np.arange(0, 1000, 1.0), np.array([137.0])
    value, east, _ = spline_slopes(lattice(x, y), 100.0, random_nodes)
    np.testing.assert_allclose(np.gradient(value[0, 0]), east[0, 0], atol=2e-4)
    value, _, north = spline_slopes(lattice(y, x), 100.0, random_nodes)
    np.testing.assert_allclose(np.gradient(value[1, :, 0]), north[1, :, 0], atol=2e-4)


def test_slopes_have_no_steps_at_nodes():
    ends = np.arange(-3, 4) * 50.0
    x = np.sort(np.concatenate([ends - 1e-3, ends + 1e-3]))
    _, east, north = spline_slopes(lattice(x, [12.0]), 100.0, random_nodes)
    for slope in (east, north):
        np.testing.assert_allclose(slope[:, 0, 0::2], slope[:, 0, 1::2], atol=1e-6)


@pytest.mark.parametrize("step", [10.0, 160.0, 5000.0])
def test_lattice_window_and_points_agree_to_the_bit(step):
    whole = lattice(-770.0 + step * np.arange(30), 5e6 - step * np.arange(20))
    window = Sites(31, whole.x[:, 7:19], whole.y[3:9])
    x, y = (axis.ravel() for axis in np.broadcast_arrays(whole.x, whole.y))
    few = np.array([5, 77, 400])
    fields = spline_slopes(whole, 120.0, random_nodes)
    parts = spline_slopes(window, 120.0, random_nodes)
    points = spline_slopes(Sites(31, x, y), 120.0, random_nodes)
    alone = spline_slopes(Sites(31, x[few], y[few]), 120.0, random_nodes)
    for field, part, point, one in zip(fields, parts, points, alone, strict=True):
        np.testing.assert_array_equal(field[:, 3:9, 7:19], part)
        np.testing.assert_array_equal(field.reshape(2, -1), point)
        np.testing.assert_array_equal(point[:, few], one)
    np.testing.assert_array_equal(spline(whole, 120.0, random_nodes), fields[0])
