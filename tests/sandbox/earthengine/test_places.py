"""Where pixel centres lie on another grid, against every centre transformed by itself."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from eodata.sandbox.earthengine.places import exact, locate, lonlat
from eodata.sandbox.sensors.sinusoidal import CRS as SINUSOIDAL

TILE = GeoBox((1800, 1500), Affine(10, 0, 499_980, 0, -10, 5_600_040), "EPSG:32631")
ROTATED = Affine(8, 3, 505_000, 3.1, -9, 5_590_000)


@pytest.mark.parametrize(
    ("affine", "crs"),
    [
        (Affine(10, 0, 505_003.7, 0, -10, 5_590_001.2), "EPSG:32631"),
        (ROTATED, "EPSG:32631"),
        (Affine(10, 0, 75_000, 0, -10, 5_620_000), "EPSG:32632"),
        (Affine(1e-4, 0, 3.05, 0, -1e-4, 50.5), "EPSG:4326"),
        (Affine(1000, 0, 0, 0, -1000, 6_000_000), "EPSG:32632"),
        (Affine(463, 0, 200_000, 0, -463, 5_600_000), SINUSOIDAL),
        (Affine(20, 0, 3_800_000, 0, -20, 3_050_000), "EPSG:3035"),
    ],
)
def test_knots_are_right_to_a_thousandth_of_a_pixel(affine, crs):
    output = GeoBox((150, 270), affine, crs)
    for found, true in zip(locate(TILE, output), exact(TILE, output), strict=True):
        assert np.abs(np.broadcast_to(found, true.shape) - true).max() < 1e-3


def test_between_conformal_projections_errors_do_not_cancel_out():
    # Far from the centre of its zone, where knots that are 32 px apart are too few.
    output = GeoBox((200, 200), Affine(900, 0, -900_000, 0, -900, 8_500_000), "EPSG:32631")
    far = GeoBox((1, 1), Affine(10, 0, 499_980, 0, -10, 5_600_040), "EPSG:32629")
    for found, true in zip(locate(far, output), exact(far, output), strict=True):
        assert np.abs(found - true).max() < 1e-3


@pytest.mark.parametrize("turned", [False, True])
def test_errors_count_along_either_axis(turned):
    # Mercator's northing alone is not straight in degrees.
    source = GeoBox((1, 1), Affine(10, 0, 0, 0, -10, 8_000_000), "EPSG:3857")
    steps = Affine(0, 2e-3, 10, -2e-3, 0, 60) if turned else Affine(2e-3, 0, 10, 0, -2e-3, 60)
    output = GeoBox((300, 300), steps, "EPSG:4326")
    for found, true in zip(locate(source, output), exact(source, output), strict=True):
        assert np.abs(np.broadcast_to(found, true.shape) - true).max() < 1e-3


def test_what_a_projection_does_not_have_is_not_finite():
    output = GeoBox((4, 4), Affine(30, 0, 0, 0, -30, 150), "EPSG:4326")
    places = locate(TILE, output)
    assert not np.isfinite(places.row).all()


def test_longitudes_and_latitudes():
    places = lonlat(GeoBox((2, 3), Affine(0.5, 0, 10, 0, -0.5, 50), "EPSG:4326"))
    assert np.allclose(places.col, [[10.25, 10.75, 11.25]])
    assert np.allclose(places.row, [[49.75], [49.25]])
