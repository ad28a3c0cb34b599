import numpy as np
import pytest

from eodata.pipeline.coregister.consensus import consensus
from eodata.pipeline.coregister.evidence import Evidence
from eodata.pipeline.coregister.field import Field
from eodata.pipeline.coregister.peaks import find_peaks
from eodata.pipeline.coregister.pooling import Pool, groups

REACH = 6
STEPS = np.arange(-REACH, REACH + 1)


def surface(row, col, height, width=0.85, seed=None):
    """A peak in noise that hangs together like that of a real comparison."""
    made = height * np.exp(
        -((STEPS[:, None] - row) ** 2 + (STEPS[None, :] - col) ** 2) / (2 * width**2)
    )
    if seed is not None:
        noise = np.random.default_rng(seed).normal(size=(2 * REACH + 3,) * 2)
        noise = sum(np.roll(noise, (r, c), (0, 1)) for r in (0, 1) for c in (0, 1)) / 2
        made += noise[1:-1, 1:-1]
    return made.astype(np.float32)


def window(shift, count=16, height=12.0, width=0.85, seed=0):
    """Evidence of tiles of 128 px whose shifts are a function of their middles."""
    edge = int(count**0.5)
    middles = [(128 * r + 63.5, 128 * c + 63.5) for r in range(edge) for c in range(edge)]
    return [
        Evidence(surface(*shift(*middle), height, width, seed + i), *middle, 1.0)
        for i, middle in enumerate(middles)
    ]


def constant(row, col):
    return lambda *_: (row, col)


def sheared(row, col):
    return 1 + 0.002 * row - 0.001 * col, -0.5 + 0.003 * col


def bent(row, col):
    down, right = row / 256 - 1, col / 256 - 1
    return 0.5 + down * down - right, -1 + 0.8 * down * right


@pytest.mark.parametrize("place", [(0, 0), (0.5, -0.5), (2.3, 1.7), (-4.8, 4.9)])
@pytest.mark.parametrize("width", [0.85, 1.5, 2.5])
def test_peaks_are_found_between_whole_pixels(place, width):
    found = find_peaks(surface(*place, 20, width)[np.newaxis])
    assert found.places[0] == pytest.approx(place, abs=0.03)
    assert found.widths[0] == pytest.approx(width, rel=0.25)


def test_a_slanted_peak_is_found():
    row, col = STEPS[:, None] - 0.4, STEPS[None, :] + 1.3
    slanted = np.exp(-(row**2 - 1.2 * row * col + col**2) / 2).astype(np.float32)
    assert find_peaks(slanted[np.newaxis]).places[0] == pytest.approx((0.4, -1.3), abs=0.02)


def test_of_a_broad_peak_all_of_it_counts():
    noisy = np.stack([surface(0.3, -0.2, 12, 2.5, seed) for seed in range(200)])
    off = find_peaks(noisy).places - (0.3, -0.2)
    assert np.sqrt(np.square(off).mean()) < 0.25


def test_one_shift_is_found_and_called_constant():
    found = consensus(window(constant(2.25, -1.5)))
    field = found.field
    assert found.why == ""
    assert field.is_constant
    assert field.mean == pytest.approx((2.25, -1.5), abs=0.05)
    assert field.at([0, 500], [0, 900]) == pytest.approx(np.array([field.mean] * 2))
    assert 0.01 <= field.error < 0.1
    assert field.confidence > 0.99
    assert field.n_tiles == 16


def test_tiles_too_weak_alone_speak_together():
    evidence = window(constant(-1.4, 3.2), height=3.0, width=1.5)
    assert consensus(evidence[:1]).field is None
    assert consensus(evidence).field.mean == pytest.approx((-1.4, 3.2), abs=0.4)


@pytest.mark.parametrize(("shift", "terms"), [(sheared, 3), (bent, 6)])
@pytest.mark.parametrize(
    ("count", "height", "within"), [(16, 30, 0.1), (64, 12, 0.1), (64, 5, 0.3)]
)
def test_a_smooth_field_is_found(shift, terms, count, height, within):
    stretch = 512 / (128 * count**0.5)

    def near(row, col):
        return shift(stretch * row, stretch * col)

    field = consensus(window(near, count, height)).field
    rows, cols = np.random.default_rng(3).uniform(30, 128 * count**0.5 - 30, (2, 50))
    truth = np.stack(near(rows, cols), axis=1)
    assert len(field.terms) >= terms
    assert np.median(np.abs(field.at(rows, cols) - truth)) < within
    assert field.error < within
    assert field.confidence > 0.9


def test_noise_of_tiles_is_not_taken_for_a_field():
    found = [consensus(window(constant(0.3, 0.2), height=8.0, seed=100 * i)) for i in range(20)]
    assert all(one.field.is_constant for one in found)


def test_a_field_of_next_to_nothing_is_called_constant():
    tilted = window(lambda row, _: (1 + 1e-4 * (row - 256), 1.0), height=3000.0)
    assert consensus(tilted).field.is_constant


def test_a_strong_field_does_not_blur_what_tiles_say_together():
    field = consensus(window(lambda row, col: (0.014 * (row - 256), 0.014 * (256 - col)))).field
    assert field.mean == pytest.approx((0, 0), abs=0.1)
    assert field.confidence > 0.99


def test_groups_are_of_neighbours():
    for long, short in ((0, 1), (1, 0)):
        places = np.zeros((16, 2))
        places[:, long], places[:, short] = np.divmod(np.arange(16), 2)
        bodies = groups(Pool(np.zeros((16, 13, 13), np.float32), places, np.ones(16)), 4)
        assert [len(body.places) for body in bodies] == [4] * 4
        assert all(np.ptp(body.places, axis=0).max() == 1 for body in bodies)


def test_tiles_that_only_just_agree_are_not_sure():
    pair = [
        Evidence(surface(row, 0, 30, 2.0, seed), 50, 50 + 100 * seed, 1.0)
        for seed, row in enumerate((0, 2.6))
    ]
    field = consensus(pair).field
    assert field is None or field.confidence < 0.9


def test_a_few_strangers_do_not_move_the_field():
    evidence = window(sheared, height=15.0)
    for i, seed in ((3, 70), (9, 71)):
        stranger = evidence[i]
        evidence[i] = Evidence(surface(-4, 4, 40, seed=seed), stranger.row, stranger.col, 1.0)
    field = consensus(evidence).field
    middles = np.array([[one.row, one.col] for one in evidence])
    truth = np.array([sheared(*middle) for middle in middles])
    assert np.abs(field.at(*middles.T) - truth).max() < 0.2
    assert field.n_tiles == 14


def test_one_loud_tile_does_not_shout_the_others_down():
    evidence = window(constant(1, 1))
    evidence[0] = Evidence(surface(-3, -3, 1000), 63.5, 63.5, 1.0)
    assert consensus(evidence).field.mean == pytest.approx((1, 1), abs=0.1)


def test_noise_is_no_finding():
    findings = [consensus(window(constant(0, 0), height=0.0, seed=50 * i)) for i in range(40)]
    assert all(found.field is None for found in findings)
    assert {found.why for found in findings} == {"no agreement", "no peak within reach"}


def test_a_house_divided_is_no_finding():
    halves = window(constant(3, 3), height=20)[:8] + window(constant(-3, 0), height=20)[8:]
    assert consensus(halves).field is None


def test_one_tile_is_judged_by_its_height():
    clear, faint = (Evidence(surface(1.3, 2.4, high, seed=2), 50, 50, 1.0) for high in (15, 2))
    assert consensus([faint]).field is None
    field = consensus([clear]).field
    assert field.mean == pytest.approx((1.3, 2.4), abs=0.15)
    assert field.confidence > 0.9
    assert field.is_constant


def test_a_peak_is_believed_the_more_the_higher_it_is():
    sure = [
        found.field.confidence if found.field else 0
        for high in (2, 5, 6, 8, 20)
        for found in [consensus([Evidence(surface(0, 0, high, seed=4), 50, 50, 1.0)])]
    ]
    assert sure == sorted(sure)
    assert sure[0] == 0
    assert sure[-1] > 0.99


@pytest.mark.parametrize("place", [(6, 0), (7.5, 2), (0, -6.2)])
def test_a_peak_at_the_rim_is_no_answer(place):
    found = consensus(window(constant(*place), height=30))
    assert found.field is None
    assert found.why == "no peak within reach"


def test_contrast_turned_over_is_no_answer():
    upside_down = Evidence(surface(1, 1, -40, seed=5) + surface(-4, -4, 12), 50, 50, 1.0)
    assert consensus([upside_down]).field is None


def test_without_evidence_there_is_no_finding():
    assert consensus([]).field is None
    assert consensus([]).why == "no texture"


def test_the_order_of_tiles_does_not_matter():
    evidence = window(sheared)
    one, other = consensus(evidence).field, consensus(evidence[::-1]).field
    assert one.terms == pytest.approx(other.terms, abs=1e-6)
    assert one.confidence == pytest.approx(other.confidence, abs=1e-6)


def test_field_beyond_the_tiles_then_the_shift_of_their_border() -> None:
    terms = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    found = Field(terms, (0.0, 0.0), 100.0, (0.0, 0.0), 0.01, 1.0, 9, (-50.0, 50.0, -20.0, 30.0))
    assert found.at([50, 60, 900], [0, 0, 0])[:, 0].tolist() == [0.5, 0.5, 0.5]
    assert found.at([0, 0], [-20, -500])[:, 1].tolist() == [-0.4, -0.4]
    assert found.at([10], [10]).tolist() == [[0.1, 0.2]]


def test_field_covers_the_ground_that_was_compared() -> None:
    terms = np.zeros((1, 2))
    found = Field(terms, (0.0, 0.0), 1.0, (0.0, 0.0), 0.01, 1.0, 9, (0.0, 10.0, -5.0, 5.0))
    assert found.covers(10, -5)
    assert not found.covers(10.5, 0)
    assert not found.covers(3, 6)
