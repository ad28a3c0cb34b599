"""Arrows over pictures point to where pixels lie, as long as the key says."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.catalog.colour import choose_look
from eodata.catalog.quicklook import CELL, GUTTER, MARGIN, SPACE, draw_sample
from eodata.catalog.sheet import Sheet
from eodata.catalog.shift_arrows import Mark, draw_mark
from eodata.catalog.shift_marks import mark_tracks, round_factor
from eodata.catalog.shifts import read_shifts
from eodata.catalog.track import Track
from eodata.core.band import Band
from eodata.core.errors import RecipeError
from eodata.core.shift import Shift

YELLOW = (0xFF, 0xD6, 0x0A)
# Below head (20 + 70) and dates (15): s2, scl and cloud, each with its bar, then dates and s1.
TOP, ROW = 105, CELL + 4 + SPACE
S2, SCL, CLOUD, S1 = range(4)
REFERENCE_STEP, GAP, BELOW_CLOUDS = 13, 3, 6


def pixels_of(path: Path) -> np.ndarray:
    """Return `(H, W, 3)`."""
    return (matplotlib.image.imread(path)[..., :3] * 255).round().astype(int)


@pytest.fixture(scope="module")
def plain(compared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_sample(compared.root, 0, tmp_path_factory.mktemp("plain") / "a.png")


@pytest.fixture(scope="module")
def changed(compared, plain: Path) -> tuple[np.ndarray, np.ndarray]:
    """The page with arrows, and where it differs from the page without."""
    page = pixels_of(draw_sample(compared.root, 0, plain.parent / "b.png", shifts=True))
    before = pixels_of(plain)
    return page, (page[: len(before)] != before).any(axis=-1)


def panel(page: np.ndarray, row: int, step: int) -> np.ndarray:
    """Return the picture of a step of the first strip."""
    top = TOP + row * ROW + (20 if row == S1 else 0)
    left = MARGIN + GUTTER + step * (CELL + SPACE)
    return page[top : top + CELL, left : left + CELL]


def is_colour(area: np.ndarray, colour: tuple[int, int, int], reach: int = 12) -> np.ndarray:
    return np.abs(area - np.array(colour)).max(axis=-1) <= reach


def middle_of(where: np.ndarray) -> np.ndarray:
    """Return the mean (row, col) of what is True, seen from the middle of the picture."""
    return np.argwhere(where).mean(axis=0) + 0.5 - CELL / 2


def test_without_the_option_the_picture_is_as_ever(built, plain: Path, tmp_path: Path) -> None:
    assert draw_sample(built.root, 0, tmp_path / "a.png").read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("step", [0, 1, 2, 4, 5, 8])
def test_an_arrow_points_to_where_the_picture_lies(compared, changed, step: int) -> None:
    shift = read_shifts(compared.root, 0)["s2", step]
    tip = middle_of(is_colour(panel(changed[0], S2, step), YELLOW))
    cosine = np.dot(tip, (shift.row, shift.col)) / np.linalg.norm(tip) / shift.length
    assert cosine > 0.97


def test_the_correction_is_drawn_where_the_grid_went(changed) -> None:
    different = panel(changed[1], S1, 0)
    half = CELL // 2
    # The grid was moved 1.2 px north and 0.9 px east; the number stands in the north-west.
    assert different[:half, half + 8 :].sum() > 60
    assert different[half + 8 :, half:].sum() == 0
    assert different[half + 8 :, : half - 8].sum() == 0


def test_only_pictures_of_compared_modalities_are_drawn_over(changed) -> None:
    for step in range(15):
        assert not panel(changed[1], SCL, step).any()
        assert not panel(changed[1], CLOUD, step).any()
    assert not panel(changed[1], S1, GAP).any()


def test_the_reference_has_a_ring_and_what_is_unknown_has_no_arrow(changed) -> None:
    page, _ = changed
    ring = is_colour(panel(page, S2, REFERENCE_STEP), YELLOW)
    assert ring.sum() > 10
    assert np.abs(middle_of(ring)).max() < 1
    assert not is_colour(panel(page, S2, BELOW_CLOUDS), YELLOW).any()


def test_a_sample_of_which_nothing_is_known_says_so(compared, tmp_path: Path) -> None:
    page = pixels_of(draw_sample(compared.root, 2, tmp_path / "a.png", shifts=True))
    before = pixels_of(draw_sample(compared.root, 2, tmp_path / "b.png"))
    different = (page[: len(before)] != before).any(axis=-1)
    assert panel(different, S2, 1)[: CELL // 3].any()
    assert not panel(different, S2, 1)[CELL // 3 :].any()


def test_the_same_arrows_give_the_same_picture(compared, tmp_path: Path) -> None:
    first = draw_sample(compared.root, 0, tmp_path / "a.png", shifts=True)
    again = draw_sample(compared.root, 0, tmp_path / "b.png", shifts=True)
    assert first.read_bytes() == again.read_bytes()


def test_a_store_where_nothing_is_compared_is_refused(built, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="measure_shifts"):
        draw_sample(built.root, 0, tmp_path / "a.png", shifts=True)
    assert list(tmp_path.iterdir()) == []


def track(name: str, gsd: float, statuses: list[str]) -> Track:
    bands = (Band("x", "continuous", "uint8", gsd),)
    n, edge = len(statuses), round(640 / gsd)
    dn, valid = np.zeros((n, 1, edge, edge), np.uint8), np.ones((n, edge, edge), bool)
    notes = pd.DataFrame({"status": statuses})
    look = choose_look(bands, None, dn, valid, "gray")
    return Track(name, look, dn, valid, notes, gsd, "", is_static=False)


def test_the_longest_arrow_is_about_two_fifths_of_a_picture() -> None:
    shifts = {("a", step): Shift("b@0", 0.0, 0.1 * step) for step in range(4)}
    (marked,), factor = mark_tracks([track("a", 10, ["done"] * 4)], shifts, 640)
    longest = max(mark.misfit[0] for mark in marked.marks)
    assert longest == pytest.approx(0.3 / 64 * factor)
    assert 0.27 < longest < 0.44


def test_noise_is_not_blown_up() -> None:
    sure = {("a", 0): Shift("b@0", 0.0, 0.01, error=0.0)}
    noise = {("a", 0): Shift("b@0", 0.0, 0.01, error=0.2)}
    (marked,), factor = mark_tracks([track("a", 10, ["done"])], noise, 640)
    assert mark_tracks([track("a", 10, ["done"])], sure, 640)[1] == 1000
    assert factor == round_factor(0.4 * 64 / 0.21)
    assert marked.marks[0].error == pytest.approx(20 * marked.marks[0].misfit[0])


@pytest.mark.parametrize(("error", "seen"), [(0.2, True), (0.02, False), (0.9, False)])
def test_the_error_is_a_circle_round_the_tip_inside_the_picture(
    tmp_path: Path, error: float, seen: bool
) -> None:
    page = []
    for shown in (0.0, error):
        sheet = Sheet(100)
        draw_mark(sheet, (0, 0, 100, 100), Mark((), "b@0", misfit=(0.2, 0.1), error=shown))
        sheet.save(tmp_path / "a.png", 100)
        page.append(pixels_of(tmp_path / "a.png"))
    where = np.argwhere((page[0] != page[1]).any(axis=-1))
    assert bool(len(where)) == seen
    if seen:
        radii = np.hypot(*(where + 0.5 - (60, 70)).T)
        assert np.abs(radii - 20).max() < 3


def test_an_arrow_that_is_too_long_is_cut_and_has_two_heads(tmp_path: Path) -> None:
    heads = []
    for right in (0.4, 4.0):
        sheet = Sheet(100)
        draw_mark(sheet, (0, 0, 100, 100), Mark((), "b@0", misfit=(right, 0.0)))
        sheet.save(tmp_path / "a.png", 100)
        drawn = (pixels_of(tmp_path / "a.png") < 255).any(axis=-1)
        assert not drawn[:, 97:].any()
        is_wide = drawn.sum(axis=0) >= 8  # a shaft and its outline are 5 px wide
        heads.append(int((np.diff(is_wide.astype(int)) == 1).sum()))
    assert heads == [1, 2]


def test_arrows_compare_across_modalities() -> None:
    shifts = {("a", 0): Shift("b@0", 1.0, 0.0), ("c", 0): Shift("b@0", 1.0, 0.0, moved_col=-0.5)}
    tracks = [track("a", 10, ["done"]), track("c", 20, ["done"])]
    (fine, coarse), _ = mark_tracks(tracks, shifts, 640)
    # A pixel of 20 m is twice the ground of one of 10 m.
    assert coarse.marks[0].misfit[1] == pytest.approx(2 * fine.marks[0].misfit[1])
    assert coarse.marks[0].moved[0] == pytest.approx(-fine.marks[0].misfit[1])
    assert fine.marks[0].moved is None


def test_one_wild_shift_does_not_shrink_all_others() -> None:
    shifts = {("a", step): Shift("b@0", 0.2, 0.0) for step in range(20)}
    calm = mark_tracks([track("a", 10, ["done"] * 20)], shifts, 640)[1]
    wild = {**shifts, ("a", 7): Shift("b@0", 6.0, 0.0)}
    assert mark_tracks([track("a", 10, ["done"] * 20)], wild, 640)[1] == calm


def test_marks_say_what_is_known() -> None:
    beyond = "max_shift_px: 5.00 px from a@0, limit 1; far"
    shifts = {
        ("a", 0): Shift("a@0", why="the reference"),
        ("a", 1): Shift("a@0", 0.3, 0.4, confidence=0.9),
        ("a", 2): Shift("a@0", why="no texture", moved_row=1.0),
        ("a", 3): Shift("a@0", 3.0, 4.0, confidence=0.9, why=beyond),
        ("a", 4): Shift("a@0", 0.0, 0.1, confidence=0.4),
        ("a", 5): Shift("a@0", why="nothing"),
    }
    statuses = ["done", "done", "done", "done", "rejected", "empty"]
    (marked,), _ = mark_tracks([track("a", 10, statuses)], shifts, 640)
    reference, known, blind, flagged, rejected, gap = marked.marks
    assert (reference.words, reference.is_reference) == (("reference",), True)
    assert reference.misfit is None
    assert (known.words, known.to, known.is_flagged) == (("0.50 px",), "a@0", False)
    assert (blind.words, blind.misfit) == (("not measurable: no texture",), None)
    assert blind.moved[1] > 0
    assert (flagged.words, flagged.is_flagged) == (("5.00 px", "max_shift_px", "far"), True)
    assert rejected.is_flagged
    assert rejected.words == ("0.10 px", "unsure")
    assert gap is None
    gone = mark_tracks([track("a", 10, ["empty", "done"])], shifts, 640)[0][0].marks
    assert gone[0] is None


def test_without_any_length_there_is_no_factor() -> None:
    shifts = {("a", 0): Shift("b@0", 0.0, 0.0), ("a", 1): Shift("b@0", why="no texture")}
    (marked,), factor = mark_tracks([track("a", 10, ["done"] * 2)], shifts, 640)
    assert factor == 0
    assert marked.marks[0].misfit == (0, 0)
    assert mark_tracks([track("a", 10, ["done"])], {}, 640)[0][0].marks == (None,)


@given(st.floats(1e-6, 1e9))
def test_a_factor_is_round_and_leaves_two_thirds(room: float) -> None:
    factor = round_factor(room)
    assert factor <= room
    assert factor >= min(1000, room * 0.66)
    digits = factor / 10 ** math.floor(math.log10(factor) + 1e-9)
    assert round(digits, 6) in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
