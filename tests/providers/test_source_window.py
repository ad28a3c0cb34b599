"""Which part of a source a grid needs."""

from __future__ import annotations

import numpy as np
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from eodata.providers.source_window import source_positions, source_window

UTM31 = CRS("EPSG:32631")
SOURCE = GeoBox((500, 400), Affine(10, 0, 500_000, 0, -10, 5_600_000), UTM31)


def on(step: Affine, shape=(50, 60), crs=UTM31) -> GeoBox:
    return GeoBox(shape, SOURCE.affine @ step, crs)


def test_the_same_grid_is_copied_row_for_row():
    window = source_window(SOURCE, on(Affine.translation(30, 40)))
    assert window.exact
    assert (window.rows, window.cols) == ((40, 90), (30, 90))


def test_a_copy_may_reach_past_the_edges():
    window = source_window(SOURCE, on(Affine.translation(-10, 480)))
    assert window.exact
    assert (window.rows, window.cols) == ((480, 530), (-10, 50))


def test_a_hundredth_of_a_pixel_is_the_limit_of_a_copy():
    assert source_window(SOURCE, on(Affine.translation(30.009, 40))).exact
    assert not source_window(SOURCE, on(Affine.translation(30.011, 40))).exact


def test_a_scale_that_drifts_over_the_window_is_no_copy():
    assert not source_window(SOURCE, on(Affine.scale(1.001))).exact


def test_flipped_and_turned_grids_are_no_copy():
    for step in (Affine.scale(1, -1), Affine.rotation(90), Affine.scale(-1, 1)):
        assert not source_window(SOURCE, on(Affine.translation(200, 200) @ step)).exact


def test_grids_that_do_not_meet_need_nothing():
    for x, y in ((-60, 0), (400, 0), (0, -50), (0, 500), (1e6, 1e6)):
        assert source_window(SOURCE, on(Affine.translation(x, y))) is None


def test_a_source_on_the_other_side_of_the_earth_needs_nothing():
    away = GeoBox((50, 50), Affine(10, 0, 500_000, 0, -10, 5_600_000), CRS("EPSG:32701"))
    assert source_window(SOURCE, away) is None


def test_shrink_counts_source_pixels_per_target_pixel():
    window = source_window(SOURCE, on(Affine.translation(30.5, 40) @ Affine.scale(2, 3)))
    assert window.shrink == (3, 2)
    assert source_window(SOURCE, on(Affine.translation(30.5, 40))).shrink == (1, 1)
    assert source_window(SOURCE, on(Affine.scale(0.3))).shrink == (1, 1)


def test_a_window_over_the_date_line_is_found():
    fiji = GeoBox((200, 200), Affine(100, 0, 810_000, 0, -100, 8_110_000), CRS("EPSG:32760"))
    world = GeoBox((1800, 3600), Affine(0.1, 0, -180, 0, -0.1, 90), CRS("EPSG:4326"))
    window = source_window(world, fiji)
    assert (window.cols[0] < 0, window.cols[1] > 3600) == (True, True)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-20, 300),
    y=st.floats(-20, 400),
    scale=st.floats(0.2, 8),
    angle=st.floats(-180, 180),
    crs=st.sampled_from(["EPSG:32631", "EPSG:32632", "EPSG:3035", "EPSG:4326"]),
)
def test_every_pixel_that_a_kernel_may_touch_is_inside(x, y, scale, angle, crs):
    step = Affine.translation(x, y) @ Affine.rotation(angle) @ Affine.scale(scale)
    target = on(step, (40, 40))
    if crs != "EPSG:32631":
        to = UTM31.transformer_to_crs(CRS(crs))
        (x0, y0), (x1, y1) = (to(*(target.affine @ p)) for p in ((0, 0), (40, 40)))
        target = GeoBox((40, 40), Affine((x1 - x0) / 40, 0, x0, 0, (y1 - y0) / 40, y0), CRS(crs))
    source = SOURCE
    col, row = np.meshgrid(np.linspace(0, 40, 201), np.linspace(0, 40, 201))
    u, v = source_positions(source, target, col, row)
    seen = (u >= 0) & (u < 400) & (v >= 0) & (v < 500)
    window = source_window(source, target)
    if window is None:
        assert not seen.any()
        return
    kernel = 0 if window.exact else 2
    for position, (first, last), size in ((v, window.rows, 500), (u, window.cols, 400)):
        low, high = position[seen].min(initial=size), position[seen].max(initial=0)
        assert first <= max(low - kernel, -kernel) or not seen.any()
        assert last >= min(high + kernel, size + kernel) or not seen.any()
