"""Patches, their outlines, and blocks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo import CRS
from shapely.geometry import MultiPolygon, Point, box

from eodata.core.patch import Patch, make_blocks
from eodata.core.reproject import WGS84, reproject

PATCH = Patch("x", "EPSG:32631", 500_000.0, 5_600_000.0, 160.0, 3, 12)


def test_geobox_then_square_north_up_from_the_corner() -> None:
    grid = PATCH.geobox(20)
    assert tuple(grid.shape) == (8, 8)
    assert tuple(grid.affine)[:6] == (20, 0, 500_000, 0, -20, 5_600_000)
    assert grid.crs == CRS("EPSG:32631")


def test_id_is_readable_and_unique_beyond_a_thousand_rows() -> None:
    assert PATCH.id == "x_r003_c012"
    assert Patch("x", "EPSG:32631", 0, 0, 1, 1000, 2000).id == "x_r1000_c2000"


@pytest.mark.parametrize(
    ("crs", "left", "top"),
    [
        ("EPSG:32631", 500_000, 5_600_000),
        ("EPSG:32719", 300_000, 6_300_000),
        ("EPSG:3413", 500_000, -900_000),
        ("EPSG:3031", 1_200_000, 800_000),
        ("EPSG:3035", 4_000_000, 3_000_000),
    ],
)
def test_footprint_contains_the_centre_and_little_else(crs: str, left: float, top: float) -> None:
    patch = Patch("x", crs, left, top, 2560, 0, 0)
    footprint = patch.footprint
    centre = reproject(Point(patch.centre), crs, WGS84, 1)
    assert footprint.is_valid
    assert footprint.contains(centre)
    back = reproject(footprint, WGS84, crs, 1)
    assert back.symmetric_difference(patch.polygon).area < 1e-3 * patch.polygon.area


def test_footprint_when_the_patch_crosses_the_date_line_then_two_narrow_parts() -> None:
    x, y = reproject(Point(180, 18), WGS84, "EPSG:32601", 1).coords[0]
    footprint = Patch("x", "EPSG:32601", x - 5000, y + 5000, 10_000, 0, 0).footprint
    assert isinstance(footprint, MultiPolygon)
    assert footprint.is_valid
    parts = sorted(part.bounds[0] for part in footprint.geoms)
    assert parts[0] == -180
    assert 179.9 < parts[1] < 180
    assert footprint.area == pytest.approx(0.0945 * 0.0904, rel=0.05)


@given(st.integers(0, 40), st.integers(1, 9))
@settings(max_examples=50)
def test_make_blocks_then_rows_are_the_order_of_the_patches(n: int, size: int) -> None:
    patches = [Patch("x", "EPSG:32631", 0, 0, 1, i, 0) for i in range(n)]
    blocks = make_blocks(patches, size)
    rows = {b.first_row + i: p for b in blocks for i, p in enumerate(b.patches)}
    assert rows == dict(enumerate(patches))
    assert [b.number for b in blocks] == list(range(len(blocks)))
    assert all(len(b.patches) == size for b in blocks[:-1])
    assert all(b.size == size for b in blocks)


def test_groups_when_a_block_holds_two_areas_then_one_window_each() -> None:
    patches = [Patch(a, "EPSG:32631", 0, 0, 1, i, 0) for i, a in enumerate("aabbb")]
    (block,) = make_blocks(patches, 8)
    assert block.groups() == [("a", (0, 1)), ("b", (2, 3, 4))]


def test_groups_when_parts_of_an_area_are_far_apart_then_one_window_each() -> None:
    corners = [0, 160, 320, 60_000, 60_160]
    patches = [Patch("a", "EPSG:32631", x, 0, 160, 0, i) for i, x in enumerate(corners)]
    (block,) = make_blocks(patches, 8)
    assert block.groups() == [("a", (0, 1, 2)), ("a", (3, 4))]
    assert block.window_area((0, 1, 2)) == 3 * 160**2


def test_polygon_is_the_square_south_east_of_the_corner() -> None:
    assert PATCH.polygon.equals(box(500_000, 5_599_840, 500_160, 5_600_000))
    assert PATCH.centre == (500_080, 5_599_920)
