"""CRS, lattice, patches and windows."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo import CRS
from shapely.geometry import box

from eodata.core.errors import GridError
from eodata.core.grid import (
    check_nesting,
    crs_wkt,
    hilbert_index,
    hilbert_order,
    place_in,
    resolve_crs,
    tile_area,
    utm_of,
    window_of,
)
from eodata.core.patch import Area, Patch
from eodata.core.reproject import WGS84, reproject

UTM31 = "EPSG:32631"
# odc-geo 0.5 multiplies affines with `*`, which affine 3.1 is going to deprecate.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m +no_defs"
FLANDERS = box(3.0, 50.8, 3.02, 50.812)


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (3.02, 50.82, 32631),
        (0.0, 0.0, 32631),
        (-0.001, -0.001, 32730),
        (-70.0, -33.0, 32719),
        (180.0, 10.0, 32601),
        (-180.0, 10.0, 32601),
        (179.999, 10.0, 32660),
        (-180.00000000000003, 10.0, 32660),
        (5.0, 60.0, 32632),
        (2.99, 60.0, 32631),
        (3.0, 56.0, 32632),
        (3.0, 55.99, 32631),
        (5.0, 64.0, 32631),
        (8.9, 78.0, 32631),
        (9.0, 78.0, 32633),
        (20.9, 78.0, 32633),
        (21.0, 78.0, 32635),
        (33.0, 78.0, 32637),
        (41.9, 78.0, 32637),
        (42.0, 78.0, 32638),
        (10.0, 71.9, 32632),
        (0.0, 84.0, 32631),
        (0.0, 84.1, 3413),
        (50.0, 90.0, 3413),
        (50.0, -84.1, 3031),
    ],
)
def test_utm_of_place_then_its_zone(lon: float, lat: float, epsg: int) -> None:
    assert utm_of(lon, lat) == f"EPSG:{epsg}"


@given(st.floats(-180, 180), st.floats(-84, 84))
@settings(max_examples=100)
def test_utm_of_any_place_then_a_projected_crs_that_exists(lon: float, lat: float) -> None:
    code = int(utm_of(lon, lat).removeprefix("EPSG:"))
    assert 32601 <= code <= 32660 or 32701 <= code <= 32760


def test_resolve_crs_when_utm_then_zone_of_the_centre() -> None:
    assert resolve_crs("UTM", FLANDERS) == UTM31


@pytest.mark.parametrize("wanted", ["EPSG:3035", "EPSG:3413", SINUSOIDAL])
def test_resolve_crs_when_projected_in_metres_then_the_same_crs(wanted: str) -> None:
    resolved = resolve_crs(wanted, FLANDERS)
    assert CRS(resolved) == CRS(wanted)
    assert resolve_crs(resolved, FLANDERS) == resolved
    assert crs_wkt(resolved).startswith("PROJCRS")


def test_resolve_crs_when_without_epsg_code_then_still_usable_as_a_grid() -> None:
    crs = resolve_crs(SINUSOIDAL, FLANDERS)
    (patch, *_) = tile_area(Area("m", FLANDERS, crs), 320, 320, "lattice", 10, 0.999)
    assert patch.geobox(10).crs == CRS(SINUSOIDAL)
    assert patch.footprint.within(FLANDERS.buffer(1e-4))


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ("EPSG:2263", "foot"),
        ("EPSG:4326", "degree"),
        ("EPSG:4978", "3 axes"),
        ("EPSG:32631+5773", "3 axes"),
        ("EPSG:99999", "no coordinate reference system"),
        ("", "no coordinate reference system"),
        ("mercator please", "no coordinate reference system"),
    ],
)
def test_resolve_crs_when_not_in_metres_or_unknown_then_refused(wanted: str, word: str) -> None:
    with pytest.raises(GridError) as caught:
        resolve_crs(wanted, FLANDERS)
    assert caught.value.where == "area.crs"
    assert word in caught.value.found
    assert "EPSG:3035" in caught.value.fix


def test_check_nesting_when_all_divide_then_accepts() -> None:
    check_nesting(2560, 1280, {"s2": 10, "s1": 20, "fine": 0.1, "third": 10 / 3 * 0.5 * 0.6})


def test_check_nesting_when_gsd_does_not_divide_then_names_both_numbers_and_neighbours() -> None:
    with pytest.raises(GridError) as caught:
        check_nesting(2560, 2560, {"s2": 10, "b01": 60})
    error = caught.value
    assert error.where == "modalities.b01.gsd"
    assert "60 m" in error.found
    assert "2560 m (42.67 px)" in error.found
    assert "area.patch = 2520 or 2580" in error.fix
    for remedy in (2520, 2580):
        check_nesting(remedy, remedy, {"b01": 60})


def test_check_nesting_when_only_the_stride_is_off_then_names_the_stride() -> None:
    with pytest.raises(GridError) as caught:
        check_nesting(100, 30, {"s1": 20})
    assert "area.stride = 20 or 40" in caught.value.fix


@pytest.mark.parametrize("gsd", [60.0, 1e9])
def test_check_nesting_when_pixel_is_larger_than_patch_then_refused(gsd: float) -> None:
    with pytest.raises(GridError) as caught:
        check_nesting(50, 50, {"s1": gsd})
    assert f"area.patch = {gsd:g}," in caught.value.fix


@st.composite
def areas(draw: st.DrawFn) -> Area:
    west, south = draw(st.floats(0.5, 5.0)), draw(st.floats(-60, 60))
    width, height = draw(st.floats(0.01, 0.05)), draw(st.floats(0.01, 0.05))
    ground = box(west, south, west + width, south + height)
    return Area("x", ground, draw(st.sampled_from([utm_of(west, south), SINUSOIDAL])))


@given(areas(), st.sampled_from([320.0, 333.3, 640.0]), st.sampled_from(["lattice", "area"]))
@settings(max_examples=30, deadline=None)
def test_tile_area_when_stride_is_patch_then_no_overlap_and_all_inside(
    area: Area, patch: float, align: str
) -> None:
    found = tile_area(area, patch, patch, align, 20, 0.999)
    ground = reproject(area.geometry, WGS84, area.crs, 1e-3)
    assert [(p.row, p.col) for p in found] == sorted({(p.row, p.col) for p in found})
    for p in found:
        assert p.polygon.intersection(ground).area >= 0.998 * patch**2
    for a, b in combinations(found[:40], 2):
        assert a.polygon.intersection(b.polygon).area <= 1e-6


@given(areas(), st.sampled_from([(640.0, 640.0), (640.0, 320.0), (640.0, 250.0), (200.0, 320.0)]))
@settings(max_examples=30, deadline=None)
def test_tile_area_when_on_the_lattice_then_corners_are_multiples_of_the_stride(
    area: Area, sizes: tuple[float, float]
) -> None:
    patch, stride = sizes
    for p in tile_area(area, patch, stride, "lattice", 10, 0.5):
        assert p.left / stride == pytest.approx(round(p.left / stride), abs=1e-9)
        assert p.top / stride == pytest.approx(round(p.top / stride), abs=1e-9)


@given(areas(), st.sampled_from([(640.0, 640.0), (640.0, 250.0), (200.0, 320.0)]))
@settings(max_examples=20, deadline=None)
def test_tile_area_then_every_lattice_patch_inside_is_found(
    area: Area, sizes: tuple[float, float]
) -> None:
    patch, stride = sizes
    found = {(p.left, p.top) for p in tile_area(area, patch, stride, "lattice", 10, 0.5)}
    ground = reproject(area.geometry, WGS84, area.crs, area.geometry.length / 256)
    left, bottom, right, top = ground.bounds
    expected = set()
    for i in range(math.floor(left / stride) - 4, math.ceil(right / stride) + 4):
        for j in range(math.floor(bottom / stride) - 4, math.ceil(top / stride) + 4):
            x, y = i * stride, j * stride
            share = box(x, y - patch, x + patch, y).intersection(ground).area / patch**2
            if share > 0.5001:
                expected.add((x, y))
            elif share > 0.4999:
                found.discard((x, y))
    assert found == expected


def test_tile_area_when_two_areas_share_ground_then_one_lattice() -> None:
    a = Area("a", box(3.0, 50.8, 3.05, 50.83), UTM31)
    b = Area("b", box(3.013, 50.811, 3.07, 50.85), UTM31)
    corners_a = {(p.left, p.top) for p in tile_area(a, 320, 320, "lattice", 10, 0.999)}
    corners_b = {(p.left, p.top) for p in tile_area(b, 320, 320, "lattice", 10, 0.999)}
    both = a.geometry.intersection(b.geometry)
    shared = tile_area(Area("c", both, UTM31), 320, 320, "lattice", 10, 0.999)
    assert len(shared) > 20
    assert {(p.left, p.top) for p in shared} <= corners_a & corners_b


@given(areas(), st.sampled_from([10.0, 20.0, 60.0]))
@settings(max_examples=20, deadline=None)
def test_tile_area_when_aligned_to_the_area_then_corner_is_a_multiple_of_the_snap(
    area: Area, snap: float
) -> None:
    left, _, _, top = reproject(area.geometry, WGS84, area.crs, 1e-3).bounds
    first = tile_area(area, 240, 240, "area", snap, 0.01)[0]
    x0, y0 = first.left - first.col * 240, first.top + first.row * 240
    assert x0 % snap == pytest.approx(0)
    assert y0 % snap == pytest.approx(0)
    assert abs(x0 - left) <= snap / 2 + 1
    assert abs(y0 - top) <= snap / 2 + 1


def test_tile_area_when_stride_is_shorter_then_patches_overlap_and_edges_are_reached() -> None:
    ground = reproject(box(499_840, 5_600_000, 501_120, 5_601_280), UTM31, WGS84, 10)
    found = tile_area(Area("a", ground, UTM31), 640, 320, "lattice", 10, 0.99)
    assert {p.left for p in found} == {499_840, 500_160, 500_480}
    assert len(found) == 9
    assert found[0].polygon.intersection(found[1].polygon).area == 640 * 320


@pytest.mark.parametrize("patch", [320.0, 333.3])
def test_tile_area_when_cover_is_one_then_inner_patches_stay(patch: float) -> None:
    area = Area("a", box(3.0, 50.8, 3.05, 50.83), UTM31)
    whole = tile_area(area, patch, patch, "lattice", 10, 1.0)
    assert len(whole) == len(tile_area(area, patch, patch, "lattice", 10, 0.999999)) > 50


def test_tile_area_when_smaller_than_a_patch_then_nothing() -> None:
    assert tile_area(Area("a", FLANDERS, UTM31), 50_000, 50_000, "lattice", 10, 0.999) == []


def test_tile_area_when_area_is_outside_the_projection_then_refused() -> None:
    north = Area("north", box(0, 89, 1, 90), "EPSG:3031")
    with pytest.raises(GridError) as caught:
        tile_area(north, 1000, 1000, "lattice", 10, 0.999)
    assert "north" in caught.value.where


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
def test_hilbert_curve_visits_every_cell_once_and_steps_to_neighbours(order: int) -> None:
    n = 1 << order
    cells = {hilbert_index(x, y, order): (x, y) for x in range(n) for y in range(n)}
    assert sorted(cells) == list(range(n * n))
    for a, b in pairwise(cells[i] for i in range(n * n)):
        assert abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1


@pytest.mark.parametrize("side", [2, 4])
def test_hilbert_order_when_lattice_is_full_then_aligned_runs_are_squares(side: int) -> None:
    patches = [Patch("a", UTM31, 0, 0, 10, r, c) for r in range(8) for c in range(8)]
    ordered = hilbert_order(reversed(patches))
    for start in range(0, 64, side * side):
        run = ordered[start : start + side * side]
        rows, cols = {p.row for p in run}, {p.col for p in run}
        assert (len(rows), len(cols)) == (side, side)
        assert max(rows) - min(rows) == max(cols) - min(cols) == side - 1


def test_hilbert_order_when_empty_or_single_then_unchanged() -> None:
    single = Patch("a", UTM31, 0, 0, 10, 0, 0)
    assert hilbert_order([]) == []
    assert hilbert_order([single]) == [single]


@st.composite
def lattices(draw: st.DrawFn) -> tuple[list[Patch], list[float]]:
    gsds = draw(st.sampled_from([[10.0], [10.0, 20.0, 60.0], [0.5, 1.5], [10 / 3, 10.0]]))
    size = 120.0 * draw(st.integers(1, 3))
    stride = size if draw(st.booleans()) else 60.0
    x0, y0 = 60.0 * draw(st.integers(2000, 14_000)), 60.0 * draw(st.integers(0, 150_000))
    cells = draw(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
    return [Patch("a", UTM31, x0 + c * stride, y0 - r * stride, size, r, c) for r, c in cells], gsds


@given(lattices())
@settings(max_examples=40, deadline=None)
def test_place_in_window_then_the_very_grid_of_the_patch(
    case: tuple[list[Patch], list[float]],
) -> None:
    patches, gsds = case
    for gsd in gsds:
        window = window_of(patches, gsd)
        for patch in patches:
            rows, cols = place_in(window, patch, gsd)
            cut, own = window[rows, cols], patch.geobox(gsd)
            assert cut.shape == own.shape
            assert cut.crs == own.crs
            assert cut.affine.almost_equals(own.affine, precision=1e-6)


@given(lattices())
@settings(max_examples=40, deadline=None)
def test_geobox_when_gsd_differs_then_edges_coincide(
    case: tuple[list[Patch], list[float]],
) -> None:
    patches, gsds = case
    for patch in patches:
        for gsd in gsds:
            bounds = patch.geobox(gsd).boundingbox.bbox
            assert bounds == pytest.approx(patch.polygon.bounds, abs=1e-6)


def test_window_of_then_as_small_as_its_patches() -> None:
    a = Patch("a", UTM31, 500_000, 5_600_000, 160, 0, 0)
    b = Patch("a", UTM31, 500_320, 5_599_840, 160, 1, 2)
    assert tuple(window_of([a, b], 20).shape) == (16, 24)


def test_window_of_when_patches_are_off_the_lattice_then_refused() -> None:
    a = Patch("a", UTM31, 500_000, 5_600_000, 160, 0, 0)
    for b in (
        Patch("a", UTM31, 500_005, 5_600_000, 160, 0, 1),
        Patch("a", UTM31, 500_160, 5_600_005, 160, 0, 1),
        Patch("a", "EPSG:32632", 500_160, 5_600_000, 160, 0, 1),
    ):
        with pytest.raises(GridError):
            window_of([a, b], 10)
