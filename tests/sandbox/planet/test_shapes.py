"""Distances in cells against the same distances to every edge of the layer."""

import numpy as np
import pytest
import shapely

from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.shapes import KM_PER_DEG, Shapes


def slow(shapes, lon, lat):
    """The signed distance of one place to all edges."""
    edges, east = shapes._edges, np.cos(np.radians(lat))
    x, dx = (edges[0] - lon) * east, (edges[2] - edges[0]) * east
    y, dy = edges[1] - lat, edges[3] - edges[1]
    along = np.clip(-(x * dx + y * dy) / (dx * dx + dy * dy + 1e-20), 0, 1)
    far = np.hypot(x + along * dx, y + along * dy).min() * KM_PER_DEG
    inside = shapely.intersects_xy(shapes._polygons, lon, lat).any()
    return min(far, shapes._reach) * (1 if inside else -1)


@pytest.mark.parametrize("layer", ["_land", "_lakes", "_urban"])
def test_cells_leave_out_no_edge_that_matters(layer):
    shapes = getattr(globe(), layer)
    rng = np.random.default_rng(4)
    edge = rng.integers(0, shapes._edges.shape[1], 60)
    lat = np.clip(shapes._edges[1, edge] + rng.normal(0, 0.2, 60), -90, 90)
    lon = shapes._edges[0, edge] + rng.normal(0, 0.3, 60)
    lon = (lon + 180) % 360 - 180
    expected = [slow(shapes, *place) for place in zip(lon, lat, strict=True)]
    np.testing.assert_allclose(shapes.distance(lon, lat), expected, atol=2e-4)


def test_the_owner_is_the_polygon_around_or_nearest():
    shapes = globe()._lakes
    rng = np.random.default_rng(8)
    lon, lat = rng.uniform(24, 30, 200), rng.uniform(60, 64, 200)  # Finland
    owner, far = shapes.owner(lon, lat), shapes.distance(lon, lat)
    for k in np.flatnonzero(np.abs(far) < 19):
        place = np.array([lon[k], lat[k]])
        flat = shapely.transform(
            shapes._polygons, lambda p, at=place: (p - at) * [np.cos(np.radians(at[1])), 1.0]
        )
        rings = shapely.boundary(flat)
        assert owner[k] == shapely.distance(rings, shapely.points(0, 0)).argmin()
    (inside, desert) = shapes.owner(np.array([33.0, 10.0]), np.array([-1.0, 25.0]))
    assert shapes._polygons[inside].covers(shapely.points(33, -1))
    assert desert == -1


def test_boxes_know_what_their_middle_is():
    shapes = Shapes("land", reach_km=60.0)
    row, col = (axis[::97] for axis in np.nonzero(shapes.boxes))
    known = shapes.boxes[row, col]
    inside = [
        shapely.intersects_xy(shapes._polygons, *place).any()
        for place in zip(col - 179.5, row - 89.5, strict=True)
    ]
    np.testing.assert_array_equal(known > 0, inside)
