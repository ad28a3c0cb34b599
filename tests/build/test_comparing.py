"""What becomes of a step: nothing is moved unasked, misfits are told, and limits judge them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from eodata.build.acquire import read_acquisition
from eodata.build.comparing import Comparison, compare_step
from eodata.build.composing import Image
from eodata.build.coregistering import Moves
from eodata.build.shard import Shard
from eodata.core.grid import window_of
from eodata.core.outcome import Outcome, Status
from eodata.core.plan import Plan
from eodata.core.shift import Shift
from tests.build.compared import Held, fill, make, shard_of
from tests.build.fields import passes
from tests.build.textured import Textured, item

ALL = (0, 1, 2, 3)
NEAR = 0.15


def compared(plan: Plan, name: str, step: int, shard: Shard | None = None) -> Comparison:
    held: Any = Held(plan)
    return compare_step(plan, held, Textured(), shard or shard_of(plan, name), ALL, step)


def image_of(plan: Plan, name: str, archive: Textured) -> tuple[Image, Any]:
    modality, window = plan.modalities[name], window_of(plan.blocks[0].patches, 10)
    return Image(read_acquisition(archive, [item("a")], modality, window), None), window


# --- what is compared and moved


ONE = passes(item("a"))


def test_series_then_it_is_measured_and_not_moved() -> None:
    plan, archive = make(), Textured({"a": (1.0, -2.0)})
    shard = shard_of(plan, "s2")
    fill(plan, shard, 0)
    comparison = compared(plan, "s2", 1, shard)
    assert (comparison.name, comparison.mover) == ("s2@0", comparison.modality)
    moves = comparison.moves(archive, passes(item("a")))
    assert moves == Moves()
    assert archive.grids == [], "nothing is read to find no move"
    told = comparison.misfits(*image_of(plan, "s2", archive), moves, ONE)
    assert len(told) == len(ALL)
    for shift in told:
        assert shift is not None
        assert shift.to == "s2@0"
        assert (shift.row, shift.col) == pytest.approx((1.0, -2.0), abs=NEAR)


def test_wish_then_items_are_moved_and_what_is_left_is_told() -> None:
    plan, archive = make(s2={"coregister_to": {}}), Textured({"a": (1.0, -2.0)})
    shard = shard_of(plan, "s2")
    fill(plan, shard, 0)
    comparison = compared(plan, "s2", 1, shard)
    moves = comparison.moves(archive, passes(item("a")))
    told = comparison.misfits(*image_of(plan, "s2", moves.applied(archive)), moves, ONE)  # type: ignore[arg-type]
    for shift in told:
        assert shift is not None
        assert shift.length == pytest.approx(0, abs=NEAR)
        assert (shift.moved_row, shift.moved_col) == pytest.approx((1.0, -2.0), abs=NEAR)


def test_reference_step_then_it_is_not_moved_and_says_what_it_is() -> None:
    plan, archive = make(s2={"coregister_to": {}}), Textured({"a": (1.0, -2.0)})
    comparison = compared(plan, "s2", 0)
    assert comparison.reference is None
    moves = comparison.moves(archive, passes(item("a")))
    assert (moves, archive.grids) == (Moves(), [])
    told = comparison.misfits(*image_of(plan, "s2", archive), moves, ONE)
    assert told == [Shift("s2@0", why="the reference")] * len(ALL)


def test_nothing_to_compare_then_no_shift() -> None:
    plan = make()
    comparison = compared(plan, "extra", 1)
    assert (comparison.name, comparison.reference) == ("", None)
    archive = Textured()
    assert comparison.moves(archive, passes(item("a"))) == Moves()
    image, window = image_of(plan, "s2", archive)
    assert list(comparison.misfits(image, window, Moves(), ONE)) == [None] * len(ALL)


def test_follower_of_a_leader_that_is_moved_then_it_is_moved_alike_and_tells_nothing() -> None:
    plan, archive = make(s2={"coregister_to": {}}), Textured({"a": (1.0, -2.0)})
    leading = shard_of(plan, "s2")
    fill(plan, leading, 0)
    comparison, leader = compared(plan, "extra", 1), compared(plan, "s2", 1, leading)
    assert (comparison.mover.name, comparison.name) == ("s2", "")
    moves, same = (one.moves(archive, passes(item("a"))) for one in (comparison, leader))
    place = np.array([[64.0], [96.0]])
    np.testing.assert_array_equal(moves.moves["a"].at(*place), same.moves["a"].at(*place))
    assert moves.moves["a"].at(*place)[0] == pytest.approx((1.0, -2.0), abs=NEAR)
    # Its own pixels are twice as long: the move counts half as many of them.
    grid = window_of(plan.blocks[0].patches, 20)
    moved = moves.moves["a"].grid(grid, "B12")
    assert (grid.affine.f - moved.affine.f) / 20 == pytest.approx(0.5, abs=NEAR)
    image, window = image_of(plan, "s2", archive)
    assert list(comparison.misfits(image, window, moves, ONE)) == [None] * len(ALL)


def test_steady_band_then_bands_are_moved_in_the_reference_step_too() -> None:
    plan = make(s2={"coregister_bands": "B02"})
    archive = Textured({"a/B03": (1.0, 0.0)})
    comparison = compared(plan, "s2", 0)
    moves = comparison.moves(archive, passes(item("a")))
    assert moves.moves["a"].fields == ()
    assert moves.moves["a"].bands["B03"] == pytest.approx((1.0, 0.0), abs=NEAR)
    assert set(json.loads(comparison.told(moves))["bands"]["a"]) == {"B03"}


def test_follower_of_a_leader_whose_bands_are_moved_then_the_leader_tells() -> None:
    plan = make(s2={"coregister_bands": "B02", "coregister_to": {}})
    archive = Textured({"a/B03": (1.0, 0.0)})
    comparison = compared(plan, "extra", 0)
    moves = comparison.moves(archive, passes(item("a")))
    assert moves.told()
    assert comparison.told(moves) == ""


# --- the gate


def put(shift: Shift | None, fraction: float = 1.0, **checks: Any) -> Outcome:
    """Put a patch of which a fraction is valid into a shard of a plan with some checks."""
    shard = shard_of(make(checks=checks), "s2", block=1)
    values = np.full((2, 64, 64), 3000, np.uint16)
    valid = np.zeros((64, 64), np.bool_)
    valid[: round(64 * fraction)] = True
    shard.put(2, 1, values, valid, shift=shift)
    (outcome,) = shard.outcomes
    assert (outcome.row, outcome.step) == (6, 1)
    assert (shard.values[2, 1] == values).all(), "pixels stay, whatever the verdict"
    return outcome


FAR = Shift("s2@0", 3.0, -4.0, 0.1, 0.9)
TOLD = "max_shift_px: 5.00 px from s2@0, limit 1.5"


def test_misfit_beyond_the_limit_then_the_step_is_rejected() -> None:
    outcome = put(FAR, max_shift_px=1.5)
    assert (outcome.status, outcome.reason) == (Status.REJECTED, TOLD)
    assert outcome.shift == Shift("s2@0", 3.0, -4.0, 0.1, 0.9, why=TOLD)


def test_misfit_beyond_the_limit_and_flagged_then_the_step_is_done_and_says_so() -> None:
    outcome = put(FAR, max_shift_px=1.5, beyond_shift="flag")
    assert (outcome.status, outcome.reason) == (Status.DONE, "")
    assert outcome.shift is not None
    assert outcome.shift.why == TOLD


def test_why_of_the_shift_then_it_is_kept_behind_the_flag() -> None:
    far = Shift("s2@0", 3.0, -4.0, 0.1, 0.9, why="moving it did not bring it closer")
    outcome = put(far, max_shift_px=1.5)
    assert outcome.reason == TOLD
    assert outcome.shift is not None
    assert outcome.shift.why == f"{TOLD}; moving it did not bring it closer"


@pytest.mark.parametrize(
    "shift",
    [
        None,
        Shift("s2@0", why="no texture"),
        Shift("s2@0", why="the reference"),
        Shift("s2@0", 0.9, -1.2, 0.1, 0.9),  # as long as the limit
        Shift("s2@0", 0.0, 0.0, 0.1, 0.9, moved_row=9.0),
    ],
)
def test_misfit_that_is_small_or_unknown_then_the_step_is_done(shift: Shift | None) -> None:
    outcome = put(shift, max_shift_px=1.5)
    assert (outcome.status, outcome.reason, outcome.shift) == (Status.DONE, "", shift)


def test_no_limit_then_no_misfit_is_too_large() -> None:
    outcome = put(FAR)
    assert (outcome.status, outcome.shift) == (Status.DONE, FAR)


def test_too_few_valid_pixels_then_that_comes_first() -> None:
    outcome = put(FAR, fraction=0.25, max_shift_px=1.5, min_valid=0.5)
    assert outcome.status is Status.REJECTED
    assert outcome.reason.startswith("min_valid: 0.2500")
    assert outcome.shift is not None
    assert outcome.shift.why == TOLD
    assert put(FAR, fraction=0.0, max_shift_px=1.5).reason == "no valid pixel"


@pytest.mark.parametrize(
    ("rule", "status"), [("pass", "done"), ("flag", "done"), ("reject", "rejected")]
)
def test_misfit_that_cannot_be_measured_then_as_the_recipe_says(rule: str, status: str) -> None:
    plan = make(checks={"max_shift_px": 1.0, "unmeasured_shift": rule})
    shard = shard_of(plan, "s2")
    values, valid = shard.values[0, 0], np.ones(shard.valid.shape[2:], np.bool_)
    shard.put(0, 1, values, valid, shift=Shift("s2@0", why="no peak within reach"))
    shard.put(1, 0, values, valid, shift=Shift("s2@0", why="the reference"))
    lost, reference = shard.outcomes
    assert lost.status.value == status
    assert lost.shift is not None
    assert ("cannot be measured" in lost.shift.why) is (rule != "pass")
    assert reference.status.value == "done"
