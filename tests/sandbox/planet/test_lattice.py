"""Hashes, and fields between the nodes of a lattice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.sandbox.planet.lattice import (
    Fractal,
    Mesh,
    Net,
    between_nodes,
    fractal,
    fractals,
    hash01,
    noise,
    ramp,
    salt,
    sphere_noise,
    sphere_noises,
)
from eodata.sandbox.planet.sites import Sites


def lattice(x0: float, y0: float, step: float, width: int, height: int) -> Sites:
    x, y = x0 + step * (np.arange(width) + 0.5), y0 - step * (np.arange(height) + 0.5)
    return Sites(31, x[np.newaxis, :], y[:, np.newaxis])


def points_of(sites: Sites) -> Sites:
    x, y = np.broadcast_arrays(sites.x, sites.y)
    return Sites(sites.zone, x.ravel(), y.ravel())


def some_fields(sites: Sites) -> list[np.ndarray]:
    return [
        noise(sites, 20.0, 7, fade=False),
        fractal(sites, 900.0, 3, 4),
        between_nodes(sites, 500.0, lambda i, j: hash01(5, i, j)),
    ]


corners = st.tuples(st.integers(-40_000, 80_000), st.integers(-900_000, 900_000)).map(
    lambda corner: (corner[0] * 10.0, corner[1] * 10.0)
)


@given(corners, st.sampled_from([10.0, 160.0, 1234.5]))
@settings(max_examples=25, deadline=None)
def test_lattice_and_points_agree_to_the_bit(corner: tuple[float, float], step: float) -> None:
    sites = lattice(*corner, step, 23, 17)
    for field, same in zip(some_fields(sites), some_fields(points_of(sites)), strict=True):
        assert field.dtype == np.float32
        assert np.array_equal(field.ravel(), same)


@given(corners, st.sampled_from([10.0, 160.0]), st.integers(0, 20), st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_window_is_the_same_window_cut_from_the_whole(
    corner: tuple[float, float], step: float, row: int, col: int
) -> None:
    sites = lattice(*corner, step, 40, 40)
    where = slice(row, row + 15), slice(col, col + 11)
    for whole, window in zip(some_fields(sites), some_fields(sites.part(where)), strict=True):
        assert np.array_equal(whole[where], window)


def test_one_site_far_from_the_others_costs_its_own_nodes_only() -> None:
    asked: list[int] = []

    def nodes(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        asked.append(np.broadcast(i, j).size)
        return hash01(1, i, j)

    sites = Sites(31, np.array([0.0, 7e5, 7e5 + 3]), np.array([-9e6, 9e6, 9e6 + 3]))
    far = between_nodes(sites, 10.0, nodes)
    assert asked == [8]
    alone = between_nodes(Sites(31, sites.x[1:], sites.y[1:]), 10.0, nodes)
    assert np.array_equal(far[1:], alone)


def test_nodes_of_a_coarse_lattice_are_only_those_in_reach() -> None:
    net = Net.around(lattice(0, 0, 1000.0, 30, 30), 10.0)
    assert len(net.columns) == 60
    assert net.rows is not None
    assert len(net.rows) == 60


@pytest.mark.parametrize("scattered", [False, True])
def test_stacked_fields_are_each_as_if_alone(scattered: bool) -> None:
    sites = lattice(500, -700, 30.0, 12, 9)
    if scattered:
        sites = Sites(31, np.linspace(0, 6e5, 40), np.linspace(-5e6, 5e6, 40))
    stack = Mesh.around(sites, 100.0, lambda i, j: np.stack([hash01(k, i, j) for k in (4, 8)]))
    for number, seed in enumerate((4, 8)):
        alone = between_nodes(sites, 100.0, lambda i, j, s=seed: hash01(s, i, j))
        assert np.array_equal(stack.at(sites)[number], alone)


def test_field_passes_through_its_nodes() -> None:
    i, j = np.arange(-5, 6), np.arange(20, 25)
    sites = Sites(31, (i * 250.0)[np.newaxis, :], (j * 250.0)[:, np.newaxis])
    field = between_nodes(sites, 250.0, lambda i, j: hash01(1, i, j), fade=True)
    assert np.array_equal(field, hash01(1, i[np.newaxis, :], j[:, np.newaxis]))


def test_faded_field_is_level_at_its_nodes() -> None:
    ends = np.arange(1, 9) * 50.0
    x = np.stack([ends - 0.5, ends, ends + 0.5]).ravel()
    sites = Sites(31, x[np.newaxis, :], np.array([[50.0]]))
    faded, straight = (
        np.diff(
            between_nodes(sites, 50.0, lambda i, j: hash01(1, i, j), fade=fade)[0].reshape(3, 8),
            axis=0,
        )
        for fade in (True, False)
    )
    assert np.abs(faded).max() < 0.001
    assert np.abs(straight).max() > 0.003


def test_one_value_at_all_nodes_is_one_value_everywhere() -> None:
    field = between_nodes(lattice(0, 0, 10, 4, 3), 50.0, lambda i, j: np.float32(0.25) + 0 * i)
    assert field.shape == (3, 4)
    assert (field == 0.25).all()


def test_fractals_in_one_go_are_the_same_as_one_by_one() -> None:
    sites = lattice(4e5, 5e6, 10.0, 31, 29)
    wanted = [Fractal(800.0, 5, 4), Fractal(400.0, 9, 2), Fractal(800.0, 70, 1, 0.7)]
    together = fractals(sites, wanted)
    for field, one in zip(together, wanted, strict=True):
        assert np.array_equal(field, fractal(sites, *one))
        assert np.abs(field).max() <= 1.0
    assert not np.array_equal(together[0], together[2])


def test_hashes_are_even_and_independent() -> None:
    i, j = np.meshgrid(np.arange(-200, 200), np.arange(-200, 200))
    draw = hash01(salt(1, "test"), i, j)
    assert draw.min() >= 0.0
    assert draw.max() < 1.0
    assert np.histogram(draw, 20, (0, 1))[0] == pytest.approx(draw.size / 20, rel=0.06)
    for other in (hash01(salt(2, "test"), i, j), draw.T, np.roll(draw, 1, 0), np.roll(draw, 1, 1)):
        assert abs(np.corrcoef(draw.ravel(), other.ravel())[0, 1]) < 0.02


def test_frames_have_noises_of_their_own() -> None:
    here = lattice(4e5, 5e6, 10.0, 20, 20)
    there = Sites(32, here.x, here.y)
    assert not np.array_equal(noise(here, 100.0, 3), noise(there, 100.0, 3))


def test_noise_on_the_sphere_has_no_seam_and_no_pole() -> None:
    lat = np.linspace(-89, 89, 50)
    west, east = (sphere_noise(np.full(50, lon), lat, 300.0, 3) for lon in (-180.0, 180.0))
    assert west == pytest.approx(east, abs=1e-5)
    lon = np.linspace(-180, 180, 50)
    around = sphere_noise(lon, np.full(50, 89.9999), 300.0, 3)
    assert np.ptp(around) < 0.01
    assert np.ptp(sphere_noise(lon, np.zeros(50), 300.0, 3)) > 0.5


def test_noises_on_the_sphere_are_each_as_if_alone() -> None:
    lon, lat = np.meshgrid(np.linspace(3, 4, 9), np.linspace(-40, -39, 7))
    for number, field in enumerate(sphere_noises(lon, lat, [40.0, 9.0], 11)):
        assert np.array_equal(field, sphere_noise(lon, lat, [40.0, 9.0][number], 11 + number))


def test_ramp_rises_or_falls_between_its_ends() -> None:
    value = np.array([-9.0, 1.0, 2.0, 3.0, 9.0], np.float32)
    assert ramp(value, 1.0, 3.0).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert ramp(value, 3.0, 1.0).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]
