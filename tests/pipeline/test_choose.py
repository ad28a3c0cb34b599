"""Which acquisition fills which step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.composite import Composite, MedianComposite, SchmittComposite, TopComposite
from eodata.core.item import Acquisition, Item
from eodata.core.recipe_modality import Choose, Pair
from eodata.core.span import Span
from eodata.pipeline.choose import (
    choose_acquisition,
    composite_acquisitions,
    pair_acquisition,
    static_acquisition,
)

START = datetime(2018, 1, 1, tzinfo=UTC)
STEP = Span(START, START + timedelta(days=10))
GROUND = box(0, 0, 1, 1)


def acquisition(
    name: str, day: float, cloud: float | None = 10.0, *ground: BaseGeometry
) -> Acquisition:
    properties = {} if cloud is None else {"eo:cloud_cover": cloud}
    at = START + timedelta(days=day)
    return Acquisition(tuple(Item(name, "c", at, part, properties) for part in ground or (GROUND,)))


def chosen(rule: Choose, *candidates: Acquisition) -> str:
    answers = set()
    for seed in range(6):
        found, reason = choose_acquisition(
            Random(seed).sample(candidates, len(candidates)), STEP, GROUND, rule
        )
        answers.add(found.id if found else reason)
        assert bool(found) != bool(reason)
    (answer,) = answers
    return answer


def test_least_cloudy_then_the_clearest_wins_over_time() -> None:
    rule = Choose(by="least-cloudy")
    assert chosen(rule, acquisition("near", 5, 20), acquisition("clear", 0, 5)) == "clear"


def test_least_cloudy_when_equally_cloudy_then_the_nearest_to_the_middle() -> None:
    rule = Choose(by="least-cloudy")
    assert chosen(rule, acquisition("a", 1), acquisition("z", 6)) == "z"


def test_nearest_then_time_alone_decides() -> None:
    rule = Choose(by="nearest")
    half = box(0, 0, 0.5, 1)
    assert chosen(rule, acquisition("far", 9, 0), acquisition("near", 6, 90, half)) == "near"


def test_coverage_then_the_fullest_wins_and_parts_of_a_pass_add_up() -> None:
    rule = Choose(by="coverage-then-time")
    halves = (box(-1, 0, 0.5, 1), box(0.4, 0, 2, 1))
    part = acquisition("near", 5, 0, box(0, 0, 0.9, 1))
    assert chosen(rule, part, acquisition("full", 0, 50, *halves)) == "full"


def test_coverage_when_only_a_sliver_differs_then_time_decides() -> None:
    rule = Choose(by="coverage-then-time")
    sliver = acquisition("near", 5, 0, box(0, 0, 0.9999, 1))
    assert chosen(rule, sliver, acquisition("full", 0)) == "near"


def test_coverage_when_an_outline_crosses_itself_then_still_measured() -> None:
    bowtie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)])
    rule = Choose(by="coverage-then-time")
    both = acquisition("broken", 5, 0, bowtie, box(0, 0, 0.2, 0.2))
    assert chosen(rule, both, acquisition("full", 0)) == "full"


@pytest.mark.parametrize("by", ["least-cloudy", "coverage-then-time", "nearest"])
def test_any_rule_when_all_is_equal_then_the_smaller_id(by: str) -> None:
    rule = Choose.parse({"by": by}, "x")
    before_and_after = acquisition("b", 4), acquisition("a", 6)
    assert chosen(rule, *before_and_after, acquisition("c", 4)) == "a"


def test_step_is_half_open() -> None:
    rule = Choose(by="nearest")
    assert chosen(rule, acquisition("start", 0)) == "start"
    assert chosen(rule, acquisition("end", 10)) == "no acquisition in this step"
    assert chosen(rule, acquisition("before", -0.001)) == "no acquisition in this step"
    found, reason = choose_acquisition([], STEP, GROUND, rule)
    assert (found, reason) == (None, "no acquisition in this step")


def test_cloud_limit_then_included_and_lowest_named_when_none_is_left() -> None:
    rule = Choose(max_cloud=20)
    assert chosen(rule, acquisition("a", 5, 20.0), acquisition("b", 5, 20.1)) == "a"
    reason = chosen(rule, acquisition("a", 5, 71.4), acquisition("b", 5, 90), acquisition("o", 99))
    assert reason == "no acquisition of 2 has at most 20 % cloud (lowest 71.4 %, a)"


def test_least_cloud_then_clearer_ones_are_left_out_and_the_limits_named() -> None:
    rule = Choose(by="least-cloudy", min_cloud=30)
    assert chosen(rule, acquisition("clear", 5, 5), acquisition("a", 5, 30)) == "a"
    clear = acquisition("clear", 5, 5)
    assert chosen(rule, clear) == "no acquisition of 1 has 30 to 100 % cloud"
    between = Choose(min_cloud=30, max_cloud=40)
    assert chosen(between, clear) == "no acquisition of 1 has 30 to 40 % cloud"


def test_unknown_cloud_then_counts_as_overcast() -> None:
    unknown = acquisition("unknown", 5, None)
    assert "none states it" in chosen(Choose(max_cloud=99), unknown)
    assert chosen(Choose(), unknown) == "unknown"
    assert chosen(Choose(by="least-cloudy"), unknown, acquisition("b", 0, 99)) == "b"


WITHIN_2D = Pair.parse({"with": "s2", "within": "2d"}, "x")


def test_pair_then_nearest_in_time_and_ties_go_to_the_earlier() -> None:
    near, far = acquisition("z", 4), acquisition("a", 8)
    assert pair_acquisition([far, near], START + timedelta(days=5), GROUND, WITHIN_2D) == (near, "")
    tied = [acquisition("a", 6), acquisition("z", 4), acquisition("y", 4)]
    found, _ = pair_acquisition(tied, START + timedelta(days=5), GROUND, WITHIN_2D)
    assert found is not None
    assert found.id == "y"


def test_pair_when_the_gap_is_exactly_the_limit_then_accepted() -> None:
    found, _ = pair_acquisition([acquisition("a", 7)], START + timedelta(days=5), GROUND, WITHIN_2D)
    assert found is not None


def test_pair_when_too_far_then_both_numbers_and_the_partner() -> None:
    found, reason = pair_acquisition(
        [acquisition("a", 7.5)], START + timedelta(days=5), GROUND, WITHIN_2D
    )
    assert found is None
    assert reason == (
        "the nearest acquisition is 2.5 d from that of s2 at 2018-01-06T00:00:00Z, "
        "the limit is 2.0 d"
    )


def test_pair_when_partner_or_candidates_are_missing_then_says_which() -> None:
    assert pair_acquisition([acquisition("a", 7)], None, GROUND, WITHIN_2D) == (
        None,
        "its partner s2 is empty",
    )
    assert pair_acquisition([], START, GROUND, WITHIN_2D) == (
        None,
        "no acquisition at all to pair with s2",
    )


APART = Pair.parse({"with": "s2", "within": "4d", "apart": "1d"}, "x")
PARTNER = START + timedelta(days=5)


def test_pair_when_the_nearest_shows_a_sliver_then_one_that_shows_the_ground() -> None:
    sliver = acquisition("sliver", 5, 10.0, box(0, 0, 0.3, 1))
    whole = acquisition("whole", 6)
    most = acquisition("most", 5.5, 10.0, box(0, 0, 0.95, 1))
    at = START + timedelta(days=5)
    assert pair_acquisition([sliver, whole], at, GROUND, WITHIN_2D) == (whole, "")
    assert pair_acquisition([sliver, whole, most], at, GROUND, WITHIN_2D) == (most, "")
    assert pair_acquisition([sliver], at, GROUND, WITHIN_2D) == (sliver, "")
    beside = acquisition("beside", 5, 10.0, box(2, 0, 3, 1))
    assert pair_acquisition([beside], at, GROUND, WITHIN_2D) == (
        None,
        "no acquisition within 2.0 d shows any of the area",
    )


def test_least_cloudy_then_uncovered_ground_counts_as_hidden() -> None:
    rule = Choose(by="least-cloudy")
    corner = acquisition("corner", 5, 0.5, box(0, 0, 0.2, 1))
    whole = acquisition("whole", 6, cloud=1.0)
    beside = acquisition("beside", 5, 0.0, box(2, 0, 3, 1))
    assert choose_acquisition([corner, whole, beside], STEP, GROUND, rule) == (whole, "")
    assert choose_acquisition([beside], STEP, GROUND, rule) == (None, "no acquisition in this step")


def test_pair_apart_then_never_nearer_and_exactly_as_far_is_accepted() -> None:
    same, near, far = acquisition("same", 5), acquisition("near", 5.9), acquisition("far", 8)
    assert pair_acquisition([same, near, far], PARTNER, GROUND, APART) == (far, "")
    edge = acquisition("edge", 4)
    assert pair_acquisition([same, near, far, edge], PARTNER, GROUND, APART) == (edge, "")


def test_pair_apart_when_all_are_too_near_then_says_so() -> None:
    near = [acquisition("same", 5), acquisition("near", 5.9)]
    assert pair_acquisition(near, PARTNER, GROUND, APART) == (
        None,
        "no acquisition at least 1.0 d from that of s2",
    )


def test_pair_apart_when_the_rest_is_too_far_then_says_how_far() -> None:
    found, reason = pair_acquisition(
        [acquisition("a", 5), acquisition("b", 10)], PARTNER, GROUND, APART
    )
    assert found is None
    assert reason.startswith("the nearest acquisition is 5.0 d from that of s2")


def test_pair_with_cloud_limits_then_the_nearest_within_them() -> None:
    cloudy, clear = acquisition("cloudy", 5.5, 80), acquisition("clear", 6.5, 10)
    limits = Choose(max_cloud=20)
    assert pair_acquisition([cloudy, clear], PARTNER, GROUND, WITHIN_2D, limits) == (clear, "")
    wanted = Choose(min_cloud=50)
    assert pair_acquisition([cloudy, clear], PARTNER, GROUND, WITHIN_2D, wanted) == (cloudy, "")


def test_pair_with_cloud_limits_when_none_is_within_then_counts_those_near_in_time() -> None:
    candidates = [acquisition("a", 5.5, 80), acquisition("b", 6, 60), acquisition("far", 30, 70)]
    assert pair_acquisition(candidates, PARTNER, GROUND, WITHIN_2D, Choose(max_cloud=20)) == (
        None,
        "no acquisition of 2 has at most 20 % cloud (lowest 60 %, b)",
    )


# ---- composites ---------------------------------------------------------------------------------

LATEST = TopComposite(by="latest-on-top")
CLEAREST = TopComposite(by="least-cloudy-on-top")
MEDIAN = MedianComposite(by="median")
BEST = SchmittComposite(by="schmitt-2019")
EVERY = Choose()


def composed(composite: Composite, rule: Choose, *candidates: Acquisition) -> list[str] | str:
    answers = set()
    for seed in range(6):
        shuffled = Random(seed).sample(candidates, len(candidates))
        found, reason = composite_acquisitions(shuffled, STEP, GROUND, rule, composite)
        assert bool(found) != bool(reason)
        answers.add((*(a.id for a in found), reason))
    (answer,) = answers
    return list(answer[:-1]) or answer[-1]


def test_a_composite_takes_all_of_its_step_that_cover_some_ground() -> None:
    away = acquisition("away", 5, 0, box(2, 2, 3, 3))
    late = acquisition("late", 10)
    half = acquisition("half", 5, 0, box(0, 0, 0.5, 1))
    assert composed(MEDIAN, EVERY, away, late, half, acquisition("full", 0)) == ["full", "half"]


def test_latest_on_top_then_by_time_and_the_larger_id_of_two_at_once() -> None:
    candidates = [acquisition("b", 1), acquisition("c", 9), acquisition("a", 9)]
    assert composed(LATEST, EVERY, *candidates) == ["c", "a", "b"]


def test_least_cloudy_on_top_then_unknown_cloud_lies_below() -> None:
    candidates = [
        acquisition("some", 1, 40),
        acquisition("unknown", 2, None),
        acquisition("clear", 9, 0),
        acquisition("tied", 8, 0),
    ]
    assert composed(CLEAREST, EVERY, *candidates) == ["tied", "clear", "some", "unknown"]


def test_at_most_then_the_rule_of_choice_says_which_and_the_composite_what_lies_on_top() -> None:
    candidates = [acquisition(f"day{d}", d, 10 * d) for d in range(1, 9)]
    two = LATEST.model_copy(update={"at_most": 2})
    assert composed(two, Choose(by="least-cloudy"), *candidates) == ["day2", "day1"]
    # Of two at the same distance from the middle of the step the smaller id comes first.
    three = LATEST.model_copy(update={"at_most": 3})
    assert composed(three, Choose(by="nearest"), *candidates) == ["day6", "day5", "day4"]
    best = BEST.model_copy(update={"at_most": 3})
    assert composed(best, Choose(by="nearest"), *candidates) == ["day5", "day4", "day6"]


def test_cloud_limits_hold_for_composites_too() -> None:
    candidates = [acquisition("a", 5, 80), acquisition("b", 6, 60), acquisition("c", 6, None)]
    assert composed(MEDIAN, Choose(max_cloud=60), *candidates) == ["b"]
    assert composed(MEDIAN, Choose(max_cloud=5), *candidates) == (
        "no acquisition of 3 has at most 5 % cloud (lowest 60 %, b)"
    )
    assert composed(MEDIAN, Choose(min_cloud=70, max_cloud=90), *candidates) == ["a"]


def test_a_composite_of_nothing_says_why() -> None:
    assert composed(MEDIAN, EVERY) == "no acquisition in this step"
    away = acquisition("away", 5, 0, box(2, 2, 3, 3))
    assert composed(BEST, EVERY, away) == "no acquisition in this step"


def edition(name: str, year: int, ground: BaseGeometry = GROUND) -> Item:
    return Item(name, "c", datetime(year, 7, 1, tzinfo=UTC), ground)


def editions(*items: Item) -> list[str]:
    found = set()
    for seed in range(6):
        shuffled = Random(seed).sample(items, len(items))
        taken = static_acquisition(shuffled, GROUND, STEP.middle)
        found.add(tuple(i.id for i in taken.items) if taken else ())
    (answer,) = found
    return list(answer)


def test_a_static_layer_comes_from_the_edition_nearest_in_time() -> None:
    assert editions(edition("a", 2015), edition("b", 2018), edition("c", 2021)) == ["b"]


def test_a_static_layer_takes_other_editions_where_the_nearest_has_none() -> None:
    half = box(0, 0, 0.5, 1)
    assert editions(edition("new", 2018, half), edition("old", 2010)) == ["new", "old"]


def test_a_static_layer_keeps_every_tile_of_one_edition() -> None:
    tiles = (edition("west", 2018, box(-1, 0, 0.5, 1)), edition("east", 2018, box(0.5, 0, 2, 1)))
    assert editions(*tiles) == ["east", "west"]


def test_a_static_layer_without_items_is_none() -> None:
    assert editions() == []
