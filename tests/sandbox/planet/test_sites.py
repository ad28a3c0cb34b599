"""Frames, and grids cut into pieces by frame."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from eodata.core.errors import GridError
from eodata.sandbox.planet.displacement import STILL, Bend, Displacement
from eodata.sandbox.planet.sites import Sites, cut, from_lonlat, paint, to_lonlat, zone_at

BORDER = GeoBox((40, 60), Affine(1000, 0, 690_000, 0, -1000, 5_400_000), "EPSG:32631")
"""Crosses 6 degrees east, where zone 31 ends."""
DEGREES = GeoBox((24, 32), Affine(2**-6, 0, 5.75, 0, -(2**-6), 48.5), "EPSG:4326")
"""Crosses 6 degrees east; its steps are exact in binary."""
BENT = Displacement(30.0, -20.0, Bend(4_000.0, (20.0, 130.0), (0.3, 0.9)))


def zone_x_y(sites: Sites) -> tuple[np.ndarray, ...]:
    x, y = np.broadcast_arrays(sites.x, sites.y)
    return np.full(sites.shape, sites.zone), x, y


def mosaic(geobox: GeoBox, displacement: Displacement = STILL) -> tuple[np.ndarray, ...]:
    return paint(cut(geobox, displacement), tuple(geobox.shape), zone_x_y)


@pytest.mark.parametrize(("epsg", "y"), [(32633, 5_300_000.0), (32733, 6_100_000.0)])
def test_frame_is_the_utm_zone_without_false_northing(epsg: int, y: float) -> None:
    geobox = GeoBox((3, 4), Affine(10, 0, 500_000, 0, -10, y), f"EPSG:{epsg}")
    (piece,) = cut(geobox)
    assert piece.where is None
    assert piece.sites.is_lattice
    lon, lat = to_lonlat(piece.sites)
    x, y_back = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    assert x == pytest.approx(np.broadcast_to(piece.sites.x, x.shape), abs=1e-3)
    south = epsg // 100 == 327
    assert y_back - (10_000_000 if south else 0) == pytest.approx(
        np.broadcast_to(piece.sites.y, x.shape), abs=1e-3
    )
    assert (np.sign(lat) == (-1 if south else 1)).all()


def test_both_hemispheres_share_one_plane() -> None:
    (north,) = cut(GeoBox((1, 2), Affine(10, 0, 600_000, 0, -10, 10), "EPSG:32622"))
    (south,) = cut(GeoBox((1, 2), Affine(10, 0, 600_000, 0, -10, 10_000_010), "EPSG:32722"))
    assert np.array_equal(north.sites.y, south.sites.y)
    assert np.array_equal(north.sites.x, south.sites.x)


def test_pieces_are_disjoint_and_cover_the_grid() -> None:
    for geobox in (BORDER, DEGREES):
        pieces = cut(geobox)
        assert {piece.sites.zone for piece in pieces} == {31, 32}
        assert (sum(piece.where.astype(int) for piece in pieces) == 1).all()


def test_every_pixel_is_asked_in_the_frame_of_its_longitude() -> None:
    zone, x, y = mosaic(BORDER)
    col, row = np.meshgrid(np.arange(60) + 0.5, np.arange(40) + 0.5)
    lon, lat = pyproj.Transformer.from_crs(32631, 4326, always_xy=True).transform(
        *(BORDER.affine @ (col, row))
    )
    assert np.array_equal(zone, np.where(lon < 6, 31, 32))
    for number in (31, 32):
        there = zone == number
        sites = from_lonlat(number, lon[there], lat[there])
        assert x[there] == pytest.approx(sites.x, abs=1e-3)
        assert y[there] == pytest.approx(sites.y, abs=1e-3)


def test_grid_that_lies_wholly_in_another_frame_has_no_lattice() -> None:
    beyond = GeoBox((5, 5), Affine(1000, 0, 800_000, 0, -1000, 5_400_000), "EPSG:32631")
    (piece,) = cut(beyond)
    assert piece.sites.zone == 32
    assert not piece.sites.is_lattice


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_window_across_a_border_is_cut_from_the_whole(
    col: int, row: int, width: int, height: int
) -> None:
    for geobox in (BORDER, DEGREES):
        rows, cols = slice(row, min(row + height, 24)), slice(col, min(col + width, 32))
        for whole, window in zip(mosaic(geobox), mosaic(geobox[rows, cols]), strict=True):
            assert np.array_equal(whole[rows, cols], window)


def test_shift_shows_what_lies_where_the_pixel_comes_from() -> None:
    moved = mosaic(BORDER, Displacement(3000.0, 2000.0))
    for shifted, plain in zip(moved, mosaic(BORDER.translate_pix(-3, 2)), strict=True):
        assert np.array_equal(shifted, plain)


def test_bend_shows_what_lies_where_each_pixel_comes_from() -> None:
    zone, x, y = mosaic(BORDER, BENT)
    col, row = np.meshgrid(np.arange(60) + 0.5, np.arange(40) + 0.5)
    east, north = BENT.undone(*(BORDER.affine @ (col, row)))
    lon, _ = pyproj.Transformer.from_crs(32631, 4326, always_xy=True).transform(east, north)
    assert np.array_equal(zone, np.where(lon < 6, 31, 32))
    assert np.array_equal(x[zone == 31], east[zone == 31])
    assert np.array_equal(y[zone == 31], north[zone == 31])


@pytest.mark.parametrize(("epsg", "y"), [(32633, 5_300_000.0), (32733, 6_100_000.0)])
def test_bend_is_that_of_the_grid_s_own_coordinates(epsg: int, y: float) -> None:
    geobox = GeoBox((3, 4), Affine(10, 0, 500_000, 0, -10, y), f"EPSG:{epsg}")
    _, x, north = mosaic(geobox, BENT)
    true_x, true_y = BENT.undone(500_035.0, y - 25)
    assert x[2, 3] == true_x
    assert north[2, 3] == true_y - (10_000_000 if epsg == 32733 else 0)


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_window_of_a_bent_grid_is_cut_from_the_whole(
    col: int, row: int, width: int, height: int
) -> None:
    rows, cols = slice(row, row + height), slice(col, col + width)
    part = mosaic(BORDER[rows, cols], BENT)
    for whole, window in zip(mosaic(BORDER, BENT), part, strict=True):
        assert np.array_equal(whole[rows, cols], window)


def test_rotated_grid_is_asked_point_by_point() -> None:
    affine = Affine(10, 0, 500_000, 0, -10, 5_300_000) @ Affine.rotation(30)
    (piece,) = cut(GeoBox((4, 5), affine, "EPSG:32633"))
    assert not piece.sites.is_lattice
    x, y = affine @ (4.5, 3.5)
    assert (piece.sites.x[-1], piece.sites.y[-1]) == pytest.approx((x, y), abs=1e-3)


def test_pixels_off_the_map_are_still_somewhere() -> None:
    globe = GeoBox((3, 3), Affine(5e6, 0, -7.5e6, 0, -5e6, 7.5e6), "+proj=ortho +R=6371000")
    zone, x, y = mosaic(globe)
    assert zone[1, 1] == 31
    for corner in (0, -1):
        assert zone[corner, corner] == 31
        assert y[corner, corner] == 0
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()


def test_grid_without_crs_is_refused() -> None:
    with pytest.raises(GridError, match="no coordinate system"):
        cut(GeoBox((2, 2), Affine(10, 0, 0, 0, -10, 0), None))


def test_parts_of_lattices_and_of_points() -> None:
    (piece,) = cut(GeoBox((4, 5), Affine(10, 0, 500_000, 0, -10, 40), "EPSG:32633"))
    window = piece.sites.part((slice(1, 3), slice(2, 5)))
    assert window.shape == (2, 3)
    places = piece.sites.part((np.array([0, 3]), np.array([4, 1])))
    assert places.x.tolist() == [500_045.0, 500_015.0]
    assert places.y.tolist() == [35.0, 5.0]
    assert places.part((np.array([1]),)).x.tolist() == [500_015.0]


def test_zones_go_round_the_earth() -> None:
    assert zone_at(np.array([-180.0, -174.0, 0.0, 179.9, 180.0])).tolist() == [1, 2, 31, 60, 1]


def test_moved_by_one_number_stays_a_lattice() -> None:
    (piece,) = cut(BORDER.pad(0)[:2, :3])
    assert piece.sites.moved(5.0, -5.0).is_lattice
    scattered = piece.sites.moved(np.zeros((2, 3)), np.full((2, 3), 7.0))
    assert scattered.shape == (6,)
    assert scattered.y[0] == piece.sites.y[0, 0] + 7.0
