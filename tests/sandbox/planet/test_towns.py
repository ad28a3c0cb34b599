"""Towns, their edges and their streets."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.planet.cover import BUILT, Cover
from eodata.sandbox.planet.fields import Districts
from eodata.sandbox.planet.lattice import fractal
from eodata.sandbox.planet.sites import Sites
from eodata.sandbox.planet.towns import Towns, density, lay_over, sealed

TOWNS, DISTRICTS = Towns(1), Districts(1)


def lattice(size: int, step: float) -> Sites:
    way = np.arange(size) * step
    return Sites(33, (6.6e5 + way)[np.newaxis, :], (5.4e6 + way)[:, np.newaxis])


def reach(sites: Sites, urban: float, settled: float) -> np.ndarray:
    full = [np.full(sites.shape, value, np.float32) for value in (urban, settled)]
    return TOWNS.reach(sites, DISTRICTS.bend(sites), fractal(sites, 1400.0, 5, 5), *full)


def test_villages_are_as_frequent_as_the_land_is_settled() -> None:
    sites = lattice(300, 100.0)
    shares = [(reach(sites, -20_000, settled) > 0).mean() for settled in (0.0, 0.3, 0.8)]
    assert shares[0] == 0
    assert 0.005 < shares[1] < 0.06
    assert shares[1] * 1.5 < shares[2] < 0.15


def test_villages_are_blobs_of_some_hundred_metres() -> None:
    sites = lattice(400, 40.0)
    village = reach(sites, -20_000, 0.6) > 0
    edges = (village[:, 1:] != village[:, :-1]).sum()
    chord = village.sum() / (edges / 2) * 40.0
    assert 150 < chord < 1200


def test_real_urban_areas_are_towns_with_frayed_edges() -> None:
    sites = lattice(300, 40.0)
    assert (reach(sites, 3000, 0.0) > 0).all()
    assert not (reach(sites, -3000, 0.0) > 0).any()
    assert 0.2 < (reach(sites, 0.0, 0.0) > 0).mean() < 0.8


@pytest.mark.parametrize("depth", [200.0, 8000.0])
def test_fabric_is_streets_roofs_and_gardens(depth: float) -> None:
    sites = lattice(300, 10.0)
    inside = np.full(sites.shape, depth, np.float32)
    fabric = TOWNS.fabric(sites, DISTRICTS.bend(sites), inside)
    shares = {kind: (fabric.cover == kind).mean() for kind in (*BUILT, Cover.GARDEN)}
    assert sum(shares.values()) == 1
    assert 0.15 < shares[Cover.STREET] < 0.45
    assert 0.02 < shares[Cover.BRIGHT_ROOF] < shares[Cover.DARK_ROOF]
    assert 0.1 < shares[Cover.GARDEN] < 0.6
    roof = (fabric.cover == Cover.DARK_ROOF) | (fabric.cover == Cover.BRIGHT_ROOF)
    assert np.array_equal(fabric.height > 0, roof)
    assert np.abs(fabric.tone).max() <= 1


def test_streets_are_lines() -> None:
    sites = lattice(400, 5.0)
    depth = np.full(sites.shape, 8000.0, np.float32)
    fabric = TOWNS.fabric(sites, DISTRICTS.bend(sites), depth)
    street = fabric.cover == Cover.STREET
    runs = [_longest(line) for line in (*street, *street.T)]
    # Straight streets cross the picture, so some rows or columns stay on one for long.
    assert np.percentile(street.mean(axis=1), 50) < 0.5
    assert max(runs) * 5.0 > 60


def _longest(line: np.ndarray) -> int:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
    return int((ends[1::2] - ends[0::2]).max(initial=0))


def test_cities_are_denser_and_higher_in_the_middle() -> None:
    sites = lattice(300, 10.0)
    bend = DISTRICTS.bend(sites)
    edge, core = (
        TOWNS.fabric(sites, bend, np.full(sites.shape, depth, np.float32))
        for depth in (100.0, 9000.0)
    )
    roofs = [(fabric.height > 0).mean() for fabric in (edge, core)]
    assert roofs[1] > roofs[0] + 0.1
    assert core.height.max() > edge.height.max()
    depth = np.array([-5.0, 0.0, 500.0, 9000.0], np.float32)
    assert (np.diff(density(depth)) >= 0).all()
    assert (np.diff(sealed(depth)) > 0).all()
    assert sealed(np.array([-1000.0], np.float32)) == 0


def test_laying_over_sets_what_is_marked_only() -> None:
    cover = np.array([0, 18, 7, 7], np.uint8)
    lay_over(cover, np.array([True, False, True, False]), Cover.BARE)
    assert cover.tolist() == [10, 18, 10, 7]
