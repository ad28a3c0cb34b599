import numpy as np
import pytest
from scipy import ndimage

from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.measure import measure_shift
from eodata.pipeline.coregister.tiles import LARGEST, LEAST_SHARED, cut
from tests.pipeline.coregister.ground import ground, seen

WORLD = ground(1, 256)


def everywhere(size):
    return np.ones((size, size), np.bool_)


def part(view, rows, cols):
    return View(view.values[:, rows, cols], view.valid[rows, cols])


@pytest.mark.parametrize("shift", [(0, 0), (-5, 5), (2.6, 0.4)])
def test_a_shift_is_measured(shift):
    found = measure_shift(seen(WORLD, *shift), seen(WORLD), alike=True)
    assert found.field.mean == pytest.approx(shift, abs=0.02)
    assert found.field.confidence > 0.99
    assert found.field.n_tiles == 4


def test_unlike_sensors_are_measured_too():
    image = seen(WORLD, 1.8, -2.2)
    inverted = View(5 - 1e-3 * image.values, image.valid)
    assert measure_shift(inverted, seen(WORLD), alike=True).field is None
    field = measure_shift(inverted, seen(WORLD), alike=False).field
    assert field.mean == pytest.approx((1.8, -2.2), abs=0.1)
    assert field.confidence > 0.9


@pytest.mark.parametrize("shape", [(24, 24), (64, 64), (40, 256), (200, 131)])
def test_windows_may_have_any_shape(shape):
    rows, cols = np.s_[: shape[0]], np.s_[: shape[1]]
    image, reference = (part(view, rows, cols) for view in (seen(WORLD, 1.2, -0.6), seen(WORLD)))
    field = measure_shift(image, reference, alike=True).field
    assert field.mean == pytest.approx((1.2, -0.6), abs=0.15)


def test_a_smooth_field_is_measured():
    world = ground(2, 512)
    reference = seen(world)
    rows, cols = np.mgrid[:512, :512].astype(np.float64)
    down, right = 1 + 0.004 * (rows - 256), -0.5 - 0.003 * (cols - 256)
    moved = ndimage.map_coordinates(
        reference.values[0], [rows - down, cols - right], mode="nearest"
    )
    image = View(moved[np.newaxis].astype(np.float32), reference.valid)
    field = measure_shift(image, reference, alike=True).field
    assert not field.is_constant
    truth = np.stack([down.ravel(), right.ravel()], axis=1)
    off = np.abs(field.at(rows.ravel(), cols.ravel()) - truth)
    assert np.median(off) < 0.05


def test_clouds_at_the_same_place_do_not_hide_a_shift():
    valid = everywhere(256)
    valid[20:200, 40:180] = False
    image, reference = seen(WORLD, 3.5, -2.5, valid), seen(WORLD, 0, 0, valid)
    assert measure_shift(image, reference, alike=True).field.mean == pytest.approx(
        (3.5, -2.5), abs=0.05
    )
    other = seen(ground(9, 256), 0, 0, valid)
    assert measure_shift(image, other, alike=True).field is None


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_unrelated_ground_is_not_measurable(alike, size):
    for seed in range(8):
        one, other = seen(ground(20 + seed, size)), seen(ground(40 + seed, size))
        assert measure_shift(one, other, alike=alike).field is None


@pytest.mark.parametrize("alike", [True, False])
def test_what_shows_nothing_is_not_measurable(alike):
    view = seen(WORLD)
    flat = View(np.full_like(view.values, 3), view.valid)
    hidden = View(view.values, ~view.valid)
    for image, reference, why in (
        (view, flat, "no texture"),
        (flat, flat, "no texture"),
        (view, hidden, "no ground in common"),
        (hidden, hidden, "no ground in common"),
        (
            part(view, np.s_[:23], np.s_[:]),
            part(view, np.s_[:23], np.s_[:]),
            "less than 24 px to compare",
        ),
    ):
        found = measure_shift(image, reference, alike=alike)
        assert (found.field, found.why) == (None, why)


@pytest.mark.parametrize("shift", [(8, 0), (0, -14), (6.4, 6.4)])
def test_a_shift_beyond_reach_is_not_measurable(shift):
    assert measure_shift(seen(WORLD, *shift), seen(WORLD), alike=True).field is None
    assert measure_shift(seen(WORLD, *shift), seen(WORLD), alike=True, reach=15).field is not None


def test_a_pattern_that_repeats_is_not_taken_for_a_shift_within_reach():
    stripes = ground(3, 256) + np.tile(ground(4, 0)[:, :16, :16], (1, 18, 18))
    assert measure_shift(seen(stripes, 0, 14.5), seen(stripes), alike=True).field is None


def test_the_same_answer_comes_every_time():
    image, reference = seen(WORLD, 0.7, 0.1, noise=1.0, seed=3), seen(WORLD, noise=1.0, seed=4)
    one, other = (measure_shift(image, reference, alike=True).field for _ in range(2))
    assert (one.terms == other.terms).all()
    assert (one.error, one.confidence) == (other.error, other.confidence)


def view_of(shape, seed=0):
    values = np.random.default_rng(seed).normal(size=(1, *shape)).astype(np.float32)
    return View(values, np.ones(shape, np.bool_))


@pytest.mark.parametrize(
    ("shape", "count"), [((64, 64), 1), ((256, 256), 4), ((96, 700), 5), ((1024, 1024), 64)]
)
def test_tiles_cover_the_window_once(shape, count):
    view = view_of(shape)
    tiles = cut(view, view, 64)
    covered = np.zeros(shape, int)
    for tile in tiles:
        covered[tile.rows, tile.cols] += 1
        assert tile.of(view).valid.shape == covered[tile.rows, tile.cols].shape
    assert len(tiles) == count
    assert (covered == 1).all()
    assert tiles[-1].middle == (np.mean([tiles[-1].rows.start, shape[0] - 1]), tiles[-1].middle[1])


def test_tiles_grow_before_they_are_left_out():
    view = view_of((1100, 1500))
    assert len(cut(view, view, 200)) == 9 * 12
    large = cut(view, view, 64)
    assert len(large) == 5 * 6
    assert max(tile.cols.stop - tile.cols.start for tile in large) <= LARGEST
    assert len(cut(view, view, 7)) == 7


def test_the_most_promising_tile_of_each_part_is_kept():
    view = view_of((2048, 2048))
    loud = np.arange(2048) % 512 >= 256
    values = view.values * np.where(np.logical_and.outer(loud, loud), np.float32(9), np.float32(1))
    clear = View(values, view.valid)
    kept = [tile.middle for tile in cut(clear, clear, 16)]
    assert kept == [(512 * r + 383.5, 512 * c + 383.5) for r in range(4) for c in range(4)]


def test_what_is_loud_on_one_side_alone_promises_nothing():
    view = view_of((2048, 2048))
    values = view.values.copy()
    values[:, :, 1024:] *= 100
    faint = view.values.copy()
    faint[:, 256:] *= np.float32(0.1)
    kept = cut(View(values, view.valid), View(faint, view.valid), 4)
    assert {tile.rows.start for tile in kept} == {0}


def test_parts_with_more_tiles_fill_up_for_those_with_fewer():
    view = view_of((2048, 2048))
    valid = everywhere(2048)
    valid[:1024, :1400] = False
    assert len(cut(View(view.values, valid), view, 40)) == 40


def test_tiles_with_too_little_common_ground_are_left_out():
    view = view_of((256, 256))
    valid = everywhere(256)
    valid[:128, :128] = False
    valid[:128, : int(128 * LEAST_SHARED) + 2] = True
    valid[140:, :128] = False
    kept = cut(View(view.values, valid), view, 64)
    assert [tile.middle for tile in kept] == [(63.5, 63.5), (63.5, 191.5), (191.5, 191.5)]
    assert kept[0].weight == pytest.approx(valid[:128, :128].mean())
    assert cut(part(view, np.s_[:20], np.s_[:]), part(view, np.s_[:20], np.s_[:]), 9) == []
