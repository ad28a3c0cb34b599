from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.sandbox.clouds import (
    CIRRUS,
    CLEAR,
    CUMULUS,
    FOLDED,
    LAYERS,
    THICK_CLOUD,
    THIN_CLOUD,
    UNIT,
    Aloft,
    cirrus_texture,
    optical_thickness,
    spline_noise,
    texture,
    thin_thickness,
    threshold,
)
from eodata.sandbox.planet.sites import Sites


def lattice(size: int, step: float, x: float = 400_000.0, y: float = 5_600_000.0) -> Sites:
    axis = np.arange(size) * step
    return Sites(31, (x + axis)[np.newaxis, :], (y - axis)[:, np.newaxis])


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([10.0, 60.0, 997.0]),
    st.sampled_from([36.0, 700.0, 20_000.0]),
    st.integers(0, 30),
    st.integers(1, 30),
)
def test_noise_of_a_window_and_of_points_is_that_of_the_lattice(step, spacing, start, size):
    whole = lattice(60, step)
    noise = spline_noise(whole, spacing, 5)
    part = slice(start, start + size)
    window = Sites(31, whole.x[:, part], whole.y[part])
    x, y = np.broadcast_arrays(window.x, window.y)

    assert np.array_equal(spline_noise(window, spacing, 5), noise[part, part])
    points = spline_noise(Sites(31, x.ravel(), y.ravel()), spacing, 5)
    assert np.array_equal(points, noise[part, part].ravel())


def test_noise_has_mean_0_and_variance_1_and_no_jumps():
    noise = spline_noise(lattice(1200, 150.0), 1000.0, 3)

    assert abs(noise.mean()) < 0.03
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    assert np.abs(np.diff(spline_noise(lattice(200, 10.0), 1000.0, 3))).max() < 0.06


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("cover", [0.05, 0.3, 0.7])
def test_a_texture_exceeds_its_threshold_over_the_wanted_share(layer, cover):
    pattern = texture(lattice(700, layer.spacing / 3), layer, 11, 0.0)

    share = float((pattern > threshold(np.float32([cover]))).mean())

    assert share == pytest.approx(cover, abs=0.04)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_no_texture_reaches_the_threshold_of_clear_regions(layer):
    unit, folded = float(UNIT), float((UNIT - FOLDED[0]) * FOLDED[1])
    weights = np.array(layer.weights)
    most = weights * (folded if layer.billows else unit)
    most[0] = unit

    highest = most.sum() / np.sqrt((weights**2).sum())

    assert highest + layer.skirt + layer.detail < CLEAR
    assert threshold(np.float32([0.0, 0.003])).tolist() == [CLEAR, CLEAR]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_clouds_begin_softly_and_count_as_clouds_where_the_cover_says(layer):
    excess = np.linspace(-1, 6, 4001, dtype=np.float32)

    thick = optical_thickness(layer, excess)

    assert (thick[excess <= 0] == 0).all()
    assert (np.diff(thick) >= 0).all()
    assert thick.max() <= 60
    assert thick[np.searchsorted(excess, layer.skirt)] == pytest.approx(THICK_CLOUD, abs=0.15)


def test_cirrus_is_thin_and_counts_as_cloud_where_the_cover_says():
    excess = np.linspace(-1, 6, 4001, dtype=np.float32)

    thin = thin_thickness(excess)

    assert (thin[excess <= 0] == 0).all()
    assert thin.max() == 1.0
    assert thin[np.searchsorted(excess, CIRRUS.skirt)] == pytest.approx(THIN_CLOUD, abs=0.01)


@pytest.mark.parametrize("heading", [0.0, np.pi / 2, 0.8])
def test_cirrus_streaks_lie_along_the_wind(heading):
    x, y = np.meshgrid(400_000 + np.arange(40) * 9000.0, 5e6 + np.arange(40) * 9000.0)
    here = Sites(31, x.ravel(), y.ravel())
    along = here.moved(2000 * np.cos(heading), 2000 * np.sin(heading))
    across = here.moved(-2000 * np.sin(heading), 2000 * np.cos(heading))
    base, ahead, aside = (cirrus_texture(s, heading, 3, 400.0) for s in (here, along, across))

    assert np.abs(ahead - base).mean() < 0.6 * np.abs(aside - base).mean()


def test_leaving_out_fine_structure_keeps_what_is_large():
    sites = lattice(200, 500.0)

    full, coarse = texture(sites, CUMULUS, 7, 0.0), texture(sites, CUMULUS, 7, 600.0)

    assert not np.array_equal(full, coarse)
    assert np.corrcoef(full.ravel(), coarse.ravel())[0, 1] > 0.75


def test_a_layer_keeps_its_height_and_drifts_with_its_wind_during_a_day():
    morning, later = (Aloft.of(CUMULUS, 5, 31, seconds) for seconds in (36_000.0, 39_600.0))

    assert later.top == morning.top
    assert CUMULUS.heights[0] <= later.top <= CUMULUS.heights[1]
    way = np.hypot(later.east - morning.east, later.north - morning.north)
    assert 0.5 * CUMULUS.speed <= way / 3600 <= 1.5 * CUMULUS.speed
    here = Sites(31, np.array([4e5]), np.array([5e6]))
    there = here.moved(later.east - morning.east, later.north - morning.north)
    assert later.at_start(there).x == pytest.approx(morning.at_start(here).x)
    assert Aloft.of(CUMULUS, 5, 32, 0.0).top != morning.top
