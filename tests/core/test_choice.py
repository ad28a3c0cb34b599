"""Which step of a series the others are compared with; choices as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from shapely.geometry import box

from eodata.core.choice import Choice, reference_step
from eodata.core.item import Item

GAP = Choice((), "no acquisition in this step")


def items(*clouds: float | None) -> list[Item]:
    """Items called i0, i1 and so on; None states no cloud cover."""
    when, ground = datetime(2018, 1, 1, tzinfo=UTC), box(0, 0, 1, 1)
    stated = [{} if cloud is None else {"eo:cloud_cover": cloud} for cloud in clouds]
    return [Item(f"i{n}", "c", when, ground, told) for n, told in enumerate(stated)]


def one(*numbers: int) -> Choice:
    return Choice(numbers)


# --- reference_step


def test_step_with_the_least_cloud_then_it_is_the_reference() -> None:
    row = [one(0), one(1), one(2), one(3)]
    assert reference_step(row, items(50, 40, 30, 0.5)) == 3
    assert reference_step(row, items(1, 40, 30, 2)) == 0


@pytest.mark.parametrize(("steps", "middle"), [(3, 1), (4, 1), (5, 2), (1, 0)])
def test_steps_that_are_equally_clear_then_the_nearest_to_the_middle(
    steps: int, middle: int
) -> None:
    row = [one(n) for n in range(steps)]
    assert reference_step(row, items(*[10.0] * steps)) == middle
    assert reference_step(row, items(*[None] * steps)) == middle


def test_gap_in_the_middle_then_it_is_never_the_reference() -> None:
    assert reference_step([GAP, GAP, one(0), GAP], items(99)) == 2


def test_nothing_but_gaps_then_still_one_step() -> None:
    assert reference_step([GAP, GAP, GAP], []) == 1


def test_item_then_only_steps_that_hold_it() -> None:
    row = [one(0), one(1), one(2, 3)]
    clouds = items(0, 10, 90, 90)
    assert reference_step(row, clouds, "i3") == 2
    assert reference_step(row, clouds, "i1") == 1
    assert reference_step(row, clouds, "elsewhere") is None


def test_item_in_two_steps_then_the_better_of_them() -> None:
    row = [one(0, 3), one(1), one(2, 3)]
    assert reference_step(row, items(40, 0, 20, 50), "i3") == 2


def test_composite_then_each_acquisition_counts_once() -> None:
    # Three tiles of one cloudy pass are one acquisition: its mean, not thrice its weight.
    composite = Choice((0, 1, 2, 3), ends=(3, 4))
    told = items(80, 80, 80, 0, 45)
    assert reference_step([composite, one(4)], told) == 0
    assert reference_step([composite, one(4)], items(80, 80, 80, 0, 39)) == 1


# --- Choice


def test_acquisitions_of_a_pass_a_composite_and_a_gap() -> None:
    assert one(4, 2).acquisitions == ((4, 2),)
    assert Choice((4, 2, 7), ends=(2, 3)).acquisitions == ((4, 2), (7,))
    assert GAP.acquisitions == ()


@pytest.mark.parametrize("choice", [one(4, 2), GAP, Choice((4, 2, 7), ends=(2, 3)), Choice(())])
def test_choice_comes_back_from_json(choice: Choice) -> None:
    assert Choice.from_json(json.loads(json.dumps(choice.to_json()))) == choice


def test_choice_of_one_pass_then_nothing_about_acquisitions_is_written() -> None:
    assert one(4, 2).to_json() == [[4, 2], ""]
    assert Choice((4, 2), ends=(1, 2)).to_json() == [[4, 2], "", [1, 2]]
