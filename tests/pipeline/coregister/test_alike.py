import numpy as np
import pytest

from eodata.pipeline.coregister.alike import surface_alike, taper
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.frequencies import LEAST
from eodata.pipeline.coregister.peaks import find_peaks
from tests.pipeline.coregister.ground import ground, seen

SHIFTS = [(0, 0), (0.5, 0), (0, -0.5), (2.3, -1.7), (-4.75, 5), (0.25, 0.25)]


def peak(image, reference, reach=6):
    surface = surface_alike(image, reference, reach)
    found = find_peaks(surface[np.newaxis])
    return found.places[0], found.heights[0], surface


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("size", [64, 128])
def test_a_shift_is_found_between_pixels_and_without_bias(size, shift):
    world = ground(1, size)
    place, height, surface = peak(seen(world, *shift), seen(world))
    assert place == pytest.approx(shift, abs=0.02)
    assert height > 30
    assert surface.shape == (13, 13)
    assert surface.dtype == np.float32


def test_a_shift_belongs_to_the_image():
    world = ground(1)
    rows, cols = np.s_[10:138], np.s_[12:140]
    image, reference = (
        View(world[:, r, c].astype(np.float32), np.ones((128, 128), np.bool_))
        for r, c in ((rows, cols), (np.s_[12:140], np.s_[11:139]))
    )
    assert (image.values[:, 5, 5] == reference.values[:, 3, 6]).all()
    assert peak(image, reference)[0] == pytest.approx((2, -1), abs=0.02)


def test_contrast_and_unit_do_not_matter():
    world = ground(2)
    dim = seen(world, 1.3, 0.6)
    dim = View(np.float32(1e-4) * dim.values + 0.3, dim.valid)
    assert peak(dim, seen(world))[0] == pytest.approx((1.3, 0.6), abs=0.02)


def test_bands_count_alike():
    world = ground(3, bands=2)
    image, reference = seen(world, -2.4, 1.1), seen(world)
    loud = View(image.values * np.array([1, 1e5], np.float32)[:, None, None], image.valid)
    again = surface_alike(loud, reference, 6)
    assert np.abs(again - surface_alike(image, reference, 6)).max() < 0.1
    quiet = View(reference.values[:1], reference.valid), View(image.values[:1], image.valid)
    assert again.max() > 1.2 * surface_alike(quiet[1], quiet[0], 6).max()


def test_without_common_ground_it_is_noise_of_unit_strength():
    entries = [surface_alike(seen(ground(i)), seen(ground(i + 50)), 6) for i in range(20)]
    assert np.mean(entries) == pytest.approx(0, abs=0.1)
    assert np.std(entries) == pytest.approx(1, abs=0.15)
    assert np.max(entries) < 6


def test_the_same_holes_on_both_sides_do_not_pull_towards_no_shift():
    world, other = ground(4), ground(5)
    holes = np.ones((128, 128), np.bool_)
    holes[20:60, 30:80] = holes[80:100, 60:128] = holes[:15, :] = False
    place, _, _ = peak(seen(world, 3.4, -2.2, holes), seen(world, 0, 0, holes))
    assert place == pytest.approx((3.4, -2.2), abs=0.05)
    unrelated = surface_alike(seen(world, 0, 0, holes), seen(other, 0, 0, holes), 6)
    assert unrelated[6, 6] < 3


def test_what_lies_under_invalid_pixels_does_not_matter():
    world = ground(6)
    valid = np.random.default_rng(0).random((128, 128)) > 0.02
    valid[40:70, 20:90] = False
    image, reference = seen(world, 1.5, 2.5, valid), seen(world)
    wild = View(np.where(valid, image.values, np.float32(3e4)), valid)
    assert (surface_alike(wild, reference, 6) == surface_alike(image, reference, 6)).all()


def test_a_bright_cloud_that_nobody_told_does_not_drown_the_ground():
    world = ground(7)
    cloudy = []
    for view, at in ((seen(world, -3.3, 0.7), 10), (seen(world), 60)):
        values = view.values.copy()
        values[:, at : at + 50, at : at + 50] += 1e6 * np.abs(ground(8 + at, 18)[:, :50, :50])
        cloudy.append(View(values.astype(np.float32), view.valid))
    assert peak(*cloudy)[0] == pytest.approx((-3.3, 0.7), abs=0.1)


def test_noise_is_borne():
    world = ground(9)
    image, reference = seen(world, 2.6, 3.1, noise=0.3, seed=1), seen(world, noise=0.3, seed=2)
    assert peak(image, reference)[0] == pytest.approx((2.6, 3.1), abs=0.1)


@pytest.mark.parametrize("shape", [(24, 24), (29, 200), (101, 37)])
def test_tiles_may_have_any_shape(shape):
    world = ground(10, 200)
    image, reference = (
        View(view.values[:, : shape[0], : shape[1]], view.valid[: shape[0], : shape[1]])
        for view in (seen(world, 1.4, -0.7), seen(world))
    )
    assert peak(image, reference)[0] == pytest.approx((1.4, -0.7), abs=0.15)


def test_a_tile_must_be_large_enough_for_its_reach():
    small = seen(ground(0, LEAST - 1))
    assert surface_alike(small, small, 4) is None
    wide = seen(ground(0, 48))
    assert surface_alike(wide, wide, 17) is None
    assert surface_alike(wide, wide, 16) is not None


def test_nothing_to_compare_is_no_answer():
    view = seen(ground(0))
    nowhere = View(view.values, np.zeros_like(view.valid))
    flat = View(np.full_like(view.values, 7), view.valid)
    east = np.zeros_like(view.valid)
    east[:, 70:] = True
    assert surface_alike(nowhere, view, 6) is None
    assert surface_alike(view, nowhere, 6) is None
    assert surface_alike(view, flat, 6) is None
    assert surface_alike(flat, flat, 6) is None
    assert surface_alike(View(view.values, east), View(view.values, ~east), 6) is None


def test_weights_fall_to_nothing_along_every_border():
    valid = np.ones((60, 60), np.bool_)
    valid[30, 30] = False
    weights = taper(valid)
    assert weights[30, 30] == 0
    assert weights[30, 31] < 0.05
    assert weights[0].max() < 0.05
    assert weights[15, 15] == 1
    assert (taper(np.ones((60, 60), np.bool_))[:20] == weights[:20]).all()
