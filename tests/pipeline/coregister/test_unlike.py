"""Tiles of unlike sensors on made-up ground: patches whose borders both sides see."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.frequencies import LEAST
from eodata.pipeline.coregister.unlike import class_edges, surface_unlike

FINE = 4
"""Pixels of the ground per pixel of an image: planted shifts are whole numbers of them."""
CLASSES = 7
SIZE = 64
REACH = 6
LOOKS = 4.4


def ground(seed, size=SIZE):
    """Classes of fine pixels, with room for shifts around an image of `size`."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(
        rng.normal(size=(CLASSES, *[(size + 16) * FINE] * 2)), (0, 14, 14)
    )
    return smooth.argmax(axis=0)


def seen(classes, levels, shift=(0, 0), size=SIZE):
    """Means over pixels of what each class looks like; content stands `shift` fine pixels on."""
    top, left = (8 * FINE - step for step in shift)
    part = levels[classes][top : top + size * FINE, left : left + size * FINE]
    return part.reshape(size, FINE, size, FINE).mean(axis=(1, 3))


def optical(classes, seed, shift=(0, 0), size=SIZE):
    rng = np.random.default_rng(seed)
    bands = [seen(classes, rng.uniform(0.02, 0.4, CLASSES), shift, size) for _ in range(3)]
    return (np.stack(bands) + rng.normal(0, 0.004, (3, size, size))).astype(np.float32)


def radar(classes, seed, shift=(0, 0), size=SIZE):
    """VV and VH in decibels, with speckle."""
    rng = np.random.default_rng(seed)
    bands = [seen(classes, 10 ** rng.uniform(-1.8, -0.6, CLASSES), shift, size) for _ in range(2)]
    speckle = rng.gamma(LOOKS, 1 / LOOKS, (2, size, size))
    return (10 * np.log10(np.stack(bands) * speckle)).astype(np.float32)


def view(values, valid=None):
    valid = np.ones(values.shape[1:], np.bool_) if valid is None else valid
    return View(np.ascontiguousarray(values, np.float32), valid)


def noise(seed, size=SIZE, bands=2):
    return np.random.default_rng(seed).normal(size=(bands, size, size)).astype(np.float32)


def blobs(seed, share, size=SIZE):
    """Where clouds are not."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), 4)
    return field > np.quantile(field, share)


def peak(surface):
    """The highest entry, and between pixels by a parabola along each axis."""
    top = np.unravel_index(surface.argmax(), surface.shape)
    place = []
    for axis, at in enumerate(top):
        low, mid, high = (surface.take(at + k, axis)[top[1 - axis]] for k in (-1, 0, 1))
        place.append(at + (low - high) / (2 * (low - 2 * mid + high)) - len(surface) // 2)
    return np.array(place)


def pooled(make, count=8):
    return sum(make(seed) for seed in range(count))


def test_a_planted_shift_of_optics_against_radar_is_found():
    def surface(seed):
        classes = ground(seed)
        image, reference = optical(classes, seed, (9, -6)), radar(classes, seed)
        return surface_unlike(view(image), view(reference), REACH)

    assert np.hypot(*(peak(pooled(surface)) - (2.25, -1.5))) <= 0.3


def test_a_planted_shift_of_radar_against_optics_is_found():
    def surface(seed):
        classes = ground(seed)
        image, reference = radar(classes, seed, (-5, 3)), optical(classes, seed)
        return surface_unlike(view(image), view(reference), REACH)

    assert np.hypot(*(peak(pooled(surface)) - (-1.25, 0.75))) <= 0.3


def test_without_a_shift_there_is_no_bias():
    def surface(seed):
        classes = ground(seed)
        return surface_unlike(view(optical(classes, seed)), view(radar(classes, seed)), REACH)

    assert np.hypot(*peak(pooled(surface))) <= 0.15


def test_large_forms_do_not_make_the_peak_broad():
    def surface(seed):
        classes = ground(seed)
        return surface_unlike(view(optical(classes, seed)), view(radar(classes, seed)), REACH)

    found = pooled(surface)
    assert found[REACH, [REACH - 3, REACH + 3]].mean() < 0.12 * found[REACH, REACH]


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_clouds_do_not_hide_the_shift(share):
    def surface(seed):
        classes = ground(seed, 96)
        image, valid = optical(classes, seed, (8, 8), 96), blobs(seed, share, 96)
        image[:, ~valid] = 0.9
        return surface_unlike(view(image, valid), view(radar(classes, seed, size=96)), REACH)

    assert np.hypot(*(peak(pooled(surface)) - 2)) <= 0.3


def test_holes_at_the_same_place_do_not_hide_the_shift():
    def surface(seed):
        classes, valid = ground(seed, 96), blobs(seed, 0.3, 96)
        image, reference = optical(classes, seed, (8, -8), 96), radar(classes, seed, size=96)
        return surface_unlike(view(image, valid), view(reference, valid), REACH)

    assert np.hypot(*(peak(pooled(surface)) - (2, -2))) <= 0.3


@pytest.mark.parametrize("width", [0, 2])
def test_holes_at_the_same_place_are_no_evidence(width):
    def at_zero(seed):
        valid = blobs(seed, 0.4, 96)
        sides = []
        for side in (1000, 2000):
            image = ndimage.gaussian_filter(noise(side + seed, 96), (0, width, width))
            image += np.linspace(0, 3, 96)[:, np.newaxis]
            image[:, ~valid] = 50
            sides.append(view(image, valid))
        return surface_unlike(*sides, REACH)[REACH, REACH]

    found = [at_zero(seed) for seed in range(60)]
    assert abs(np.mean(found)) < 0.5


def test_what_lies_under_a_hole_is_ignored():
    classes, valid = ground(0), blobs(0, 0.3)
    image, reference = optical(classes, 0), view(radar(classes, 0))
    other = np.where(valid, image, np.float32(1e4))
    surface = surface_unlike(view(image, valid), reference, REACH)
    assert (surface_unlike(view(other, valid), reference, REACH) == surface).all()


def test_neither_sign_nor_gain_of_a_band_matters():
    classes = ground(1)
    image, reference = optical(classes, 1), view(radar(classes, 1))
    other = image * np.array([-1, 500, -0.01], np.float32)[:, np.newaxis, np.newaxis] + 7
    surface = surface_unlike(view(image), reference, REACH)
    found = surface_unlike(view(other), reference, REACH)
    assert surface.max() > 6
    np.testing.assert_allclose(found, surface, atol=0.05)


def test_opposite_contrast_matches_as_well_as_the_same():
    classes = ground(2)
    levels = np.random.default_rng(2).uniform(0, 1, CLASSES)
    image = view(seen(classes, levels)[np.newaxis])
    negative = view(-seen(classes, levels, (4, 8))[np.newaxis])
    surface = surface_unlike(image, negative, REACH)
    assert np.unravel_index(surface.argmax(), surface.shape) == (REACH - 1, REACH - 2)


def test_the_sides_may_change_places():
    classes = ground(3)
    one, other = view(optical(classes, 3, (7, 2))), view(radar(classes, 3))
    surface, back = surface_unlike(one, other, REACH), surface_unlike(other, one, REACH)
    assert surface.max() > 6
    there, again = peak(surface), peak(back)
    np.testing.assert_allclose(there, -again, atol=0.01)


def test_a_surface_without_common_structure_is_in_units_of_the_noise():
    surfaces = [
        surface_unlike(view(noise(seed)), view(noise(seed + 500)), REACH) for seed in range(30)
    ]
    assert surfaces[0].shape == (2 * REACH + 1,) * 2
    assert surfaces[0].dtype == np.float32
    assert abs(np.mean(surfaces)) < 0.1
    assert 0.85 < np.std(surfaces) < 1.15
    assert 0.7 < np.std(np.sum(surfaces, axis=0)) / np.sqrt(30) < 1.3


def test_little_ground_makes_no_loud_surface():
    valid = np.zeros((SIZE, SIZE), np.bool_)
    valid[5:30, 5:30] = True
    loudest = [
        np.abs(surface_unlike(view(noise(seed), valid), view(noise(seed + 500)), REACH)).max()
        for seed in range(20)
    ]
    assert np.median(loudest) < 4


@pytest.mark.parametrize("size", [LEAST, (40, 130)])
def test_tiles_of_any_shape_are_compared(size):
    height, width = (size, size) if isinstance(size, int) else size
    image = noise(0, 160)[:, :height, :width]
    moved = noise(0, 160)[:, 1 : height + 1, :width]
    surface = surface_unlike(view(image), view(-moved), 4)
    assert np.unravel_index(surface.argmax(), surface.shape) == (5, 4)


def nothing(size=SIZE):
    return np.zeros((size, size), np.bool_)


def half(size=SIZE):
    valid = nothing(size)
    valid[:, : size // 2] = True
    return valid


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        (view(noise(0), nothing()), view(noise(1))),
        (view(noise(0)), view(noise(1), nothing())),
        (view(noise(0), half()), view(noise(1), ~half())),
        (view(np.full((2, SIZE, SIZE), 0.1)), view(noise(1))),
        (view(noise(0)), view(np.full((1, SIZE, SIZE), -12.3))),
        (view(noise(0, LEAST - 1)), view(noise(1, LEAST - 1))),
    ],
    ids=["unseen", "unseen reference", "apart", "flat", "flat reference", "small"],
)
def test_what_cannot_be_compared_is_none(image, reference):
    assert surface_unlike(image, reference, REACH) is None


def test_a_reach_of_more_than_a_third_of_the_tile_is_refused():
    one, other = view(noise(0, 27)), view(noise(1, 27))
    assert surface_unlike(one, other, 9) is not None
    assert surface_unlike(one, other, 10) is None


def test_a_flat_band_beside_others_does_no_harm():
    classes = ground(4)
    image, reference = optical(classes, 4), view(radar(classes, 4))
    digits = np.random.default_rng(4).integers(0, 2, (1, SIZE, SIZE)) * np.float32(2**-14)
    with_flat = np.concatenate([image, np.float32(1000) + digits])
    surface = surface_unlike(view(image), reference, REACH)
    assert (surface_unlike(view(with_flat), reference, REACH) == surface).all()


def test_the_views_are_left_as_they_were():
    classes, valid = ground(5), blobs(5, 0.2)
    image = optical(classes, 5)
    kept, seen_before = image.copy(), valid.copy()
    first = surface_unlike(view(image, valid), view(radar(classes, 5)), REACH)
    assert (image == kept).all()
    assert (valid == seen_before).all()
    assert (surface_unlike(view(image, valid), view(radar(classes, 5)), REACH) == first).all()


def test_a_class_map_is_compared_with_optics():
    def surface(seed):
        classes = ground(seed)
        names = np.array([80, 10, 50, 20, 40, 95, 60])[classes]
        middle = slice(8 * FINE + FINE // 2, (8 + SIZE) * FINE, FINE)
        shown = class_edges(names[middle, middle], np.ones((SIZE, SIZE), np.bool_))
        return surface_unlike(view(optical(classes, seed, (-8, 6))), view(shown), REACH)

    # The middle of four fine pixels is a corner: classes are read an eighth of a pixel beyond it.
    assert np.hypot(*(peak(pooled(surface)) - (-2 + 0.125, 1.5 + 0.125))) <= 0.2


def test_classes_become_bands_in_rising_order():
    classes = np.array([[30, 10, 10], [30, 20, 20]])
    shown = class_edges(classes, np.array([[True, True, True], [False, True, True]]))
    assert shown.dtype == np.float32
    assert shown.tolist() == [
        [[0, 1, 1], [0, 0, 0]],
        [[0, 0, 0], [0, 1, 1]],
        [[1, 0, 0], [0, 0, 0]],
    ]


def test_rare_classes_are_taken_together():
    classes = np.zeros((40, 40), np.uint8)
    classes[20:] = 1
    classes[0, 0], classes[5, 5] = 7, 9
    shown = class_edges(classes, np.ones((40, 40), np.bool_))
    assert len(shown) == 3
    assert np.argwhere(shown[2]).tolist() == [[0, 0], [5, 5]]
    assert (shown.sum(axis=0) == 1).all()


def test_a_class_map_that_nobody_knows_is_flat():
    shown = class_edges(np.ones((30, 30), np.int16), np.zeros((30, 30), np.bool_))
    assert shown.shape == (1, 30, 30)
    assert not shown.any()
