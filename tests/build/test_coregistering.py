"""Items of a textured world that lie apart by known amounts: found, moved, and told of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from eodata.build.acquire import read_acquisition
from eodata.build.band_shifts import BandShifts
from eodata.build.composing import Image
from eodata.build.coregistering import (
    WORSE,
    Moves,
    find_band_moves,
    find_moves,
    misfits,
)
from eodata.build.moving import Move, MovedProvider
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.patch import Patch
from eodata.core.protocols import Pixels
from eodata.core.shift import Shift
from eodata.pipeline.coregister.field import Field
from tests.build.fields import modality as composite_of
from tests.build.fields import passes
from tests.build.textured import (
    LEFT,
    PX,
    READ,
    TOP,
    Textured,
    item,
    liar,
    optical,
    reference,
    window,
)

S2 = optical("B02")
WINDOW = window(160, 192)
NEAR = 0.1
"""What is left of a shift [px]."""


def found(archive: Textured, *names: str, modality: ModalityPlan = S2) -> Moves:
    """Find the moves of some items, each of them an acquisition."""
    moves = Moves()
    against = reference(WINDOW, modality)
    find_moves(archive, passes(*map(item, names)), modality, WINDOW, against, moves)
    return moves


def place(move: Move) -> tuple[float, float]:
    """Return the shift in the middle of the window."""
    row, col = move.at([WINDOW.shape[0] / 2], [WINDOW.shape[1] / 2])[0]
    return float(row), float(col)


def patches(size: float = 640.0) -> list[Patch]:
    """Two patches side by side, from the corner of the window on."""
    return [Patch("a", "EPSG:32631", LEFT + i * size, TOP, size, 0, i) for i in range(2)]


def image_of(archive: Textured, *names: str, modality: ModalityPlan = S2) -> Image:
    items = [item(name) for name in names]
    return Image(read_acquisition(archive, items, modality, window(64, 128)), None)


# --- moves


@pytest.mark.parametrize(
    "shift", [(0.4, -0.3), (2.0, -1.0), (-3.5, 2.25), (0.0, 1.5), (-5.0, -4.5)]
)
def test_displaced_item_then_it_is_read_where_it_belongs(shift: tuple[float, float]) -> None:
    archive = Textured({"a": shift})
    moves = found(archive, "a")
    assert place(moves.moves["a"]) == pytest.approx(shift, abs=NEAR)
    assert moves.refused == []
    seen = read_acquisition(moves.applied(archive), [item("a")], S2, WINDOW)
    true = read_acquisition(Textured(), [item("a")], S2, WINDOW)
    off = np.abs(seen.values.astype(float) - true.values)
    assert np.median(off) < 40  # of a standard deviation of 500


def test_items_that_lie_apart_then_each_has_its_own_move() -> None:
    shifts = {"a": (1.0, 2.0), "b": (-1.5, 0.5)}
    moves = found(Textured(shifts), "a", "b", "c")
    assert {n: place(m) for n, m in moves.moves.items()} == {
        n: pytest.approx(s, abs=NEAR) for n, s in shifts.items()
    }
    assert moves.refused == []


def test_item_in_its_place_then_it_is_left_alone_after_one_look() -> None:
    archive = Textured({"a": (0.03, -0.02)})
    moves = found(archive, "a")
    assert moves.moves == {}
    assert moves.refused == []
    assert archive.reads_of("a") == 1
    assert moves.cost == READ


def test_shift_below_least_then_it_is_left_alone() -> None:
    modality = optical("B02", least=0.9)
    assert found(Textured({"a": (0.5, 0.5)}), "a", modality=modality).moves == {}
    assert set(found(Textured({"a": (0.8, 0.8)}), "a", modality=modality).moves) == {"a"}


def test_large_shift_then_it_is_looked_at_again() -> None:
    archive = Textured({"a": (5.0, 4.5)})
    moves = found(archive, "a")
    assert archive.reads_of("a") in (2, 3)
    assert moves.cost == Cost(100 * archive.reads_of("a"), archive.reads_of("a"))
    first, second = (grid for _, grid in archive.grids[:2])
    assert first == WINDOW
    assert first.affine.f - second.affine.f == pytest.approx(50, abs=5)


class Lazy(Textured):
    """An archive that follows only nine tenths of a move of its item `a`, along rows."""

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        moved = (WINDOW.affine.f - geobox.affine.f) / PX
        self.shifts["a"] = (4.0 + 0.1 * moved, 0.0)
        return super().read(item, reads, geobox)


def test_second_look_finds_a_rest_then_both_shifts_add_up() -> None:
    archive = Lazy({"a": (4.0, 0.0)})
    moves = found(archive, "a")
    assert archive.reads_of("a") == 3
    assert len(moves.moves["a"].fields) == 2
    assert place(moves.moves["a"])[0] == pytest.approx(4.4, abs=NEAR)


@pytest.mark.parametrize("why", ["flat", "elsewhere"])
def test_nothing_to_measure_then_no_move(why: str) -> None:
    archive = Textured({"a": (2.0, 2.0)})
    if why == "flat":
        archive.flat = {"a"}
    else:
        archive.worlds = {"a": 5}
    moves = found(archive, "a")
    assert (moves.moves, moves.refused) == ({}, [])
    assert archive.reads_of("a") == 1


def test_archive_that_ignores_the_grid_then_the_move_is_refused() -> None:
    archive = Textured({"a": (2.0, -1.0), "b": (1.0, 0.0)})
    archive.deaf = {"a"}
    moves = found(archive, "a", "b")
    assert moves.refused == ["a"]
    assert set(moves.moves) == {"b"}
    assert archive.reads_of("a") == 2


def test_item_that_cannot_be_read_then_the_error_tells_what_it_took() -> None:
    archive = Textured({"a": (2.0, -1.0), "b": (1.0, 0.0)})
    archive.broken = {"b": 2}
    with pytest.raises(ProviderError, match="item b") as failed:
        found(archive, "a", "b")
    total = archive.reads_of("a") + 2
    assert failed.value.cost == Cost(100 * total, total)
    assert failed.value.retryable


def test_cost_then_that_of_moves_before_is_in_it() -> None:
    archive, moves = Textured(), Moves(cost=Cost(7, 7, 7))
    find_moves(archive, passes(item("a")), S2, WINDOW, reference(WINDOW, S2), moves)
    assert moves.cost == Cost(107, 8, 7)
    archive.broken = {"a": 2}
    with pytest.raises(ProviderError) as failed:
        find_moves(archive, passes(item("a")), S2, WINDOW, reference(WINDOW, S2), moves)
    assert failed.value.cost == Cost(207, 9, 7)


def test_item_that_contradicts_its_archive_then_the_others_are_moved() -> None:
    judged = replace(optical("B02", "B10"), states_offset=True)
    archive, moves = Textured({"a": (2.0, 0.0), "b": (0.0, 2.0)}), Moves()
    archive.black = {"a/B10"}
    against = reference(WINDOW, judged)
    find_moves(archive, passes(liar("a"), liar("b")), judged, WINDOW, against, moves)
    assert set(moves.moves) == {"b"}
    assert moves.refused == []
    assert moves.cost.requests == len(archive.grids) == 1 + archive.reads_of("b")


def test_only_compared_bands_are_read() -> None:
    modality = optical("B02", "B03", "B04", bands=(2, 0), to_bands=(2, 0))
    found = modality.only(modality.alignment.bands)
    assert [read.asset for read in found.reads] == ["B04", "B02"]
    assert [band.name for band in found.bands] == ["B04", "B02"]


# --- pixels of other lengths


def test_reference_of_longer_pixels_then_shifts_count_in_own_ones() -> None:
    archive, own = Textured({"a": (3.0, -2.0)}), optical("B02")
    where, moves = window(240, 256), Moves()
    against = reference(where, own, gsd=20.0)
    assert against.shrink == 2
    find_moves(archive, passes(item("a")), own, where, against, moves)
    assert moves.moves["a"].at([120.0], [128.0])[0] == pytest.approx((3.0, -2.0), abs=2 * NEAR)


def test_reference_of_shorter_pixels_then_shifts_count_in_own_ones() -> None:
    archive, own = Textured({"a": (3.0, -2.0)}), optical("B02", gsd=20.0)
    where, moves = window(120, 128, 20.0), Moves()
    against = reference(where, own, gsd=10.0)
    assert (against.shrink, against.view.valid.shape) == (1, (120, 128))
    find_moves(archive, passes(item("a")), own, where, against, moves)
    assert moves.moves["a"].at([60.0], [64.0])[0] == pytest.approx((1.5, -1.0), abs=NEAR)


# --- misfits

ONE = passes(item("a"))


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.25, -0.5), (-3.0, 2.0)])
def test_misfit_then_the_shift_of_the_pixels_as_they_are(shift: tuple[float, float]) -> None:
    archive, where = Textured({"a": shift}), window(64, 128)
    told = misfits(image_of(archive, "a"), S2, where, patches(), reference(where, S2), Moves(), ONE)
    assert len(told) == 2
    for one in told:
        assert (one.row, one.col) == pytest.approx(shift, abs=NEAR)
        assert (one.to, one.why, one.moved_row, one.moved_col) == ("s2@0", "", 0.0, 0.0)
        assert one.error is not None
        assert 0 < one.error < 0.2
        assert one.confidence is not None
        assert 0.5 <= one.confidence <= 1


def test_misfit_that_cannot_be_measured_then_no_numbers_and_why() -> None:
    archive, where = Textured(), window(64, 128)
    archive.flat = {"a"}
    moves = Moves({"a": moved_by(2.0, -1.0)})
    for one in misfits(
        image_of(archive, "a"), S2, where, patches(), reference(where, S2), moves, ONE
    ):
        assert (one.row, one.col, one.error, one.length) == (None, None, None, None)
        assert one.confidence is None
        assert one.why
        assert (one.moved_row, one.moved_col) == (2.0, -1.0)


def moved_by(row: float, col: float) -> Move:
    """A move that is the same everywhere."""
    constant = Field(np.array([[row, col]]), (0.0, 0.0), 1.0, (row, col), 0.01, 1.0, 9)
    return Move(WINDOW, fields=(constant,))


def test_items_of_one_pass_then_each_patch_tells_of_the_one_that_fills_it() -> None:
    archive, where = Textured({"a": (1.0, -2.0), "b": (-3.0, 0.5)}), window(64, 128)
    west, east = (read_acquisition(archive, [item(name)], S2, where) for name in "ab")
    is_east = np.arange(128) >= 64
    layer = replace(
        west,
        values=np.where(is_east, east.values, west.values),
        origin=np.broadcast_to(is_east, (64, 128)).astype(np.uint16),
    )
    moves = Moves({"b": moved_by(1.0, 0.0)}, refused=["a"])
    told = misfits(
        *(Image(layer, None), S2, where, patches(), reference(where, S2)),
        moves,
        [[item("a"), item("b")]],
    )
    assert [one.row for one in told] == pytest.approx([1.0, -3.0], abs=NEAR)
    assert [one.col for one in told] == pytest.approx([-2.0, 0.5], abs=NEAR)
    assert [(one.moved_row, one.why) for one in told] == [(0.0, WORSE), (1.0, "")]


def test_refused_move_then_the_misfit_says_so() -> None:
    archive, where = Textured({"a": (2.0, 0.0)}), window(64, 128)
    told = misfits(
        image_of(archive, "a"),
        S2,
        where,
        patches(),
        reference(where, S2),
        Moves(refused=["a"]),
        ONE,
    )
    assert {one.why for one in told} == {WORSE}
    assert told[0].row == pytest.approx(2.0, abs=NEAR)
    archive.flat = {"a"}
    told = misfits(
        image_of(archive, "a"),
        S2,
        where,
        patches(),
        reference(where, S2),
        Moves(refused=["a"]),
        ONE,
    )
    assert told[0].row is None
    assert told[0].why != WORSE, "why it cannot be measured comes first"


def test_move_that_bends_then_each_patch_tells_its_own() -> None:
    bent = Field(np.array([[1.0, 0], [0, 0], [0, 2.0]]), (0.0, 0.0), 64.0, (1, 2), 0.01, 1.0, 9)
    moves = Moves({"a": Move(WINDOW, fields=(bent,))})
    where = window(64, 128)
    told = misfits(
        image_of(Textured(), "a"), S2, where, patches(), reference(where, S2), moves, ONE
    )
    half = 2 * 0.5 / 64  # fields count from middles of pixels
    assert [(one.moved_row, one.moved_col) for one in told] == [(1.0, 1 - half), (1.0, 3 - half)]


def test_misfit_against_longer_pixels_then_in_own_ones() -> None:
    where = window(240, 240)
    seen = read_acquisition(Textured({"a": (3.0, -2.0)}), [item("a")], S2, where)
    against = reference(where, S2, gsd=20.0)
    (one,) = misfits(Image(seen, None), S2, where, patches(2400.0)[:1], against, Moves(), ONE)
    assert (one.row, one.col) == pytest.approx((3.0, -2.0), abs=2 * NEAR)
    fine = misfits(
        Image(seen, None), S2, where, patches(2400.0)[:1], reference(where, S2), Moves(), ONE
    )
    assert (fine[0].row, fine[0].col) == pytest.approx((3.0, -2.0), abs=NEAR)


# --- Moves


def test_no_moves_then_the_provider_itself_and_nothing_to_tell() -> None:
    archive, moves = Textured(), Moves()
    assert moves.applied(archive) is archive
    assert moves.told() == ""
    assert moves.at("a", 1, 3) == (0.0, 0.0)
    assert moves.cost == FREE
    assert isinstance(Moves({"a": moved_by(1, 1)}).applied(archive), MovedProvider)


def test_bands_of_an_item_then_they_are_told_as_json() -> None:
    apart = BandShifts({"B03": (0.5, -1.0)}, {"B03": (0.01, 0.0), "B04": (0.02, 0.03)})
    told = json.loads(Moves(bands={"a": apart, "b": BandShifts()}).told())
    assert told == {
        "bands": {
            "a": {
                "B03": {"shift": [0.01, 0.0], "moved": [0.5, -1.0]},
                "B04": {"shift": [0.02, 0.03], "moved": [0.0, 0.0]},
            }
        }
    }
    assert Moves(bands={"b": BandShifts()}).told() == ""


def test_bands_are_moved_before_the_item_then_both_hold() -> None:
    modality = optical("B02", "B03", steady=0)
    archive = Textured({"a": (2.0, -1.0), "a/B03": (0.0, 1.0)})
    moves = find_band_moves(archive, passes(item("a")), modality, WINDOW)
    against = reference(WINDOW, modality)
    find_moves(archive, passes(item("a")), modality, WINDOW, against, moves)
    move = moves.moves["a"]
    assert place(move) == pytest.approx((2.0, -1.0), abs=NEAR)
    assert move.bands == {"B03": pytest.approx((0.0, 1.0), abs=NEAR)}
    seen = read_acquisition(moves.applied(archive), [item("a")], modality, WINDOW).values
    assert np.median(np.abs(seen[0].astype(float) - seen[1])) < 40


def test_band_moves_when_an_item_cannot_be_read_then_the_error_tells_what_it_took() -> None:
    archive = Textured()
    archive.broken = {"b": 1}
    with pytest.raises(ProviderError, match="item b") as failed:
        find_band_moves(
            archive, passes(item("a"), item("b")), optical("B02", "B03", steady=0), WINDOW
        )
    assert failed.value.cost == Cost(200, 2)


def test_composite_then_its_shift_is_that_of_the_finished_pixels() -> None:
    modality = replace(composite_of("B02"), alignment=S2.alignment)
    where = window(64, 128)
    image = Image(read_acquisition(Textured({"a": (1.0, 0.0)}), [item("a")], modality, where), None)
    told = misfits(image, modality, where, patches(), reference(where, modality), Moves(), ONE)
    assert isinstance(told[0], Shift)
    assert told[0].row == pytest.approx(1.0, abs=NEAR)
