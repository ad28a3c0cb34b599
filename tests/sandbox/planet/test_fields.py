"""Districts, the fields in them and the roads between them."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.planet.fields import DISTRICT_M, Cells, Districts, Lay, share
from eodata.sandbox.planet.sites import Sites

DISTRICTS = Districts(1)


def lattice(x0: float, y0: float, size: int, step: float) -> Sites:
    way = np.arange(size) * step
    return Sites(33, (x0 + way)[np.newaxis, :], (y0 + way)[:, np.newaxis])


def lay_of(sites: Sites, parts: int = 1, offset: float = 0.0) -> Lay:
    return Lay.of(sites, DISTRICTS.bend(sites), parts, offset)


@pytest.fixture(scope="module")
def dense() -> tuple[Lay, np.ndarray, np.ndarray, np.ndarray]:
    lay = lay_of(lattice(6.6e5, 5.4e6, 500, 8.0))
    plots = DISTRICTS.plots(lay)
    return lay, plots.bits, plots.district, plots.edge


def test_fields_are_rectangles_of_the_stated_size(
    dense: tuple[Lay, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, bits, _, edge = dense
    kinds, counts = np.unique(bits, return_counts=True)
    assert 100 < len(kinds) < 3000
    assert counts.max() * 64 <= 1200 * 300 * 1.02
    inside = bits[100:400, 100:400]
    # Half the width of a field is the largest distance to its edge.
    widest = max(edge[bits == kind].max() for kind in np.unique(inside)[:50])
    assert 15 < widest <= 150


def test_edge_is_the_distance_to_the_next_field(
    dense: tuple[Lay, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, bits, district, edge = dense
    assert edge.min() >= 0
    same = district[:, 1:] == district[:, :-1]
    changes = (bits[:, 1:] != bits[:, :-1]) & same
    assert changes.sum() > 1000
    assert np.maximum(edge[:, 1:], edge[:, :-1])[changes].max() <= 8.0 + 1e-3
    inside = (bits[:, 1:] == bits[:, :-1]) & same
    assert np.abs(edge[:, 1:] - edge[:, :-1])[inside].max() <= 8.0 + 0.1


def test_edge_grows_by_a_metre_per_metre(
    dense: tuple[Lay, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, bits, _, edge = dense
    rows, cols = np.gradient(edge, 8.0)
    alone = np.ones(bits.shape, bool)
    for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
        alone &= np.roll(bits, shift, axis) == bits
    rise = np.hypot(rows, cols)[1:-1, 1:-1][alone[1:-1, 1:-1]]
    # But for the ridges, where two edges are equally far.
    assert (np.abs(rise - 1.0) < 0.02).mean() > 0.75


def test_borders_inside_a_district_are_straight(
    dense: tuple[Lay, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, bits, district, edge = dense
    home = district == district[250, 250]
    # The pixels along the long edges of one field lie on few straight lines: a fit is tight.
    kinds, counts = np.unique(bits[home], return_counts=True)
    field = home & (bits == kinds[np.argmax(counts)])
    rows, cols = np.nonzero(field & (edge > 3))
    points = np.stack([cols, rows], axis=1).astype(float)
    points -= points.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    along = points @ axes
    box = np.prod(np.ptp(along, axis=0) + 1)
    assert len(points) / box > 0.8


def test_districts_differ_in_direction_and_size() -> None:
    lay = lay_of(lattice(6.6e5, 5.4e6, 60, 400.0))
    plots = DISTRICTS.plots(lay)
    turns = share(np.unique(plots.district), 8)
    assert len(turns) > 20
    assert np.ptp(turns) > 0.7


def test_listed_cells_and_single_cells_give_the_same() -> None:
    sites = lattice(6.6e5, 5.4e6, 40, 100.0)
    x, y = np.broadcast_arrays(sites.x, sites.y)
    listed = lay_of(sites)
    assert listed.cells.place is not None
    scattered = np.concatenate([x.ravel(), [2e5]]), np.concatenate([y.ravel(), [-8e6]])
    single = lay_of(Sites(33, *scattered))
    assert single.cells.place is None
    for left, right in zip(
        (DISTRICTS.plots(listed).bits, DISTRICTS.roads(listed), listed.across),
        (DISTRICTS.plots(single).bits, DISTRICTS.roads(single), single.across),
        strict=True,
    ):
        assert np.array_equal(left.ravel(), right[:-1])


def test_cells_spread_their_values() -> None:
    base_i, base_j = np.array([[5, 5, 6]]), np.array([[-1], [0]])
    step = np.array([[0, 1, 0], [-1, 0, 0]], np.float32)
    cells = Cells.of(base_i, base_j, step, np.zeros((2, 3), np.float32))
    assert cells.spread(cells.i).tolist() == [[5, 6, 6], [4, 5, 6]]
    assert cells.spread(cells.j).tolist() == [[-1, -1, -1], [0, 0, 0]]


def test_unbent_metres_run_straight_through_a_district() -> None:
    lay = lay_of(lattice(6.6e5, 5.4e6, 300, 10.0))
    steps = np.diff(lay.x, axis=1)
    home = np.diff(lay.cells.spread(lay.cells.i), axis=1) == 0
    assert steps[home] == pytest.approx(10.0, abs=0.01)
    assert (steps[~home] < -DISTRICT_M / 2).all()


def test_parts_nest_in_districts() -> None:
    sites = lattice(6.6e5, 5.4e6, 200, 37.0)
    whole, part = lay_of(sites), lay_of(sites, 3)
    inside = (whole.across > 0.01) & (whole.across < 0.99)  # float32 lines differ by a hair
    district = whole.cells.spread(whole.cells.i)[inside]
    assert np.array_equal(district, part.cells.spread(part.cells.i)[inside] // 3)


def test_roads_are_thin_lines_along_the_borders_of_districts() -> None:
    lay = lay_of(lattice(6.6e5, 5.4e6, 600, 10.0))
    roads = DISTRICTS.roads(lay)
    assert 0.002 < roads.mean() < 0.02
    rim = np.minimum.reduce([lay.across, 1 - lay.across, lay.along, 1 - lay.along])
    assert rim[roads].max() * DISTRICT_M < 12
    near = (rim * DISTRICT_M < 5).sum()
    assert 0.4 < (roads & (rim * DISTRICT_M < 5)).sum() / near < 0.95


def test_lines_bend_without_steps_or_folds() -> None:
    sites = lattice(6.6e5, 5.4e6, 400, 25.0)
    east, north = DISTRICTS.bend(sites)
    assert 0.1 < np.ptp(east) < 0.9
    for steps in (np.diff(east, axis=1), np.diff(north, axis=0)):
        folds = np.abs(steps) * DISTRICT_M >= 25.0
        assert folds.mean() < 0.002
