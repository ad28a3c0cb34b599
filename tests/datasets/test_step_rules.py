"""The published rules of choosing steps, number by number, and what gaps change about them."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.datasets.draws import draw
from eodata.datasets.step_rules import NO_STEP, Pick, fixed, fixed_subset, random_target, some

NAN = float("nan")


def series(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float64)


def draws(n: int, epoch: int) -> np.ndarray:
    return draw(n, "test", epoch)


def test_fixed_takes_the_least_cloudy_step_and_the_first_within_the_limits():
    coverage = series(0.9, 0.2, 0.3, 0.0, 0.1, 0.5)
    assert fixed(coverage, 3, 0.1, 0.5) == Pick((1, 2, 4), 3, matched=True)
    assert fixed(coverage, 2, 0.3, 0.9) == Pick((0, 2), 3, matched=True)


def test_fixed_limits_are_included():
    coverage = series(0.0, 0.1, 0.5, 0.50001, 0.09999)
    assert fixed(coverage, 2, 0.1, 0.5).inputs == (1, 2)


def test_fixed_takes_the_earliest_of_equally_clear_steps():
    assert fixed(series(0.4, 0.0, 0.2, 0.0, 0.0), 1).target == 1


def test_fixed_as_published_may_take_the_target_as_input():
    coverage = series(0.3, 0.0, 0.2, 0.4)
    assert fixed(coverage, 3) == Pick((0, 1, 2), 1, matched=True)
    assert fixed(coverage, 3, exclude_target=True) == Pick((0, 2, 3), 1, matched=True)


def test_fixed_with_too_few_within_the_limits_takes_the_first_others_and_says_so():
    coverage = series(0.0, 0.9, 0.2, 0.8, 0.3)
    assert fixed(coverage, 3, 0.1, 0.5) == Pick((1, 2, 3), 0, matched=False)


@pytest.mark.parametrize(("least", "matched"), [(1e-3, True), (0.0010001, False)])
def test_fixed_target_is_clear_up_to_a_thousandth(least, matched):
    pick = fixed(series(0.5, least, 0.6, 0.7), 2, 0.4, 1.0)
    assert pick == Pick((0, 2), 1, matched=matched)


def test_fixed_on_a_short_series_gives_what_there_is():
    assert fixed(series(0.2, 0.0), 3) == Pick((0,), 1, matched=False)
    assert fixed(series(NAN, NAN), 3) == Pick((), NO_STEP, matched=False)


def test_fixed_never_takes_a_gap():
    coverage = series(NAN, 0.3, NAN, 0.0, 0.2, NAN)
    assert fixed(coverage, 2) == Pick((1, 3), 3, matched=True)
    assert fixed(coverage, 3, 0.25, 0.35) == Pick((1, 4), 3, matched=False)


def test_fixed_subset_stays_inside_when_it_can():
    coverage = series(0.0, 0.2, 0.3, 0.0, 0.4, 0.1)
    assert fixed_subset(coverage, 2, (2, 6), 0.1, 1.0) == Pick((2, 4), 3, matched=True)


def test_fixed_subset_unmatched_inside_uses_the_whole_series():
    coverage = series(0.0, 0.2, 0.3, 0.5, 0.4, 0.1)
    assert fixed_subset(coverage, 2, (2, 6), 0.1, 1.0) == Pick((1, 2), 0, matched=True)
    assert fixed_subset(coverage, 2, (2, 3), 0.0, 1.0) == fixed(coverage, 2)


def test_random_target_draws_every_clear_step_and_no_other():
    coverage = series(0.0, 0.5, 0.0009, 0.4, 0.001, 0.0)
    targets = {random_target(coverage, 3, draws(6, epoch)).target for epoch in range(60)}
    assert targets == {0, 2, 5}


def test_random_target_without_a_clear_step_takes_the_least_cloudy():
    coverage = series(0.5, 0.2, 0.2, 0.9)
    assert {random_target(coverage, 2, draws(4, e)).target for e in range(20)} == {1}


@pytest.mark.parametrize("n", [4, 5, 7, 30])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_random_inputs_are_the_central_window_around_the_target(n, count):
    for target in range(n):
        coverage = np.full(n, 0.5)
        coverage[target] = 0.0
        pick = random_target(coverage, count, draws(n, 0))
        if n < count + 1:
            assert pick == Pick(tuple(set(range(n)) - {target}), target, matched=False)
            continue
        windows = [range(s, s + count + 1) for s in range(n - count) if s <= target <= s + count]
        expected = tuple(step for step in windows[len(windows) // 2] if step != target)
        assert pick == Pick(expected, target, matched=True)


def test_random_rules_see_the_series_without_its_gaps():
    coverage = series(0.5, NAN, 0.0, NAN, 0.6, 0.7)
    assert random_target(coverage, 2, draws(6, 0)) == Pick((4, 5), 2, matched=True)
    for epoch in range(30):
        assert set(some(coverage, 3, draws(6, epoch)).inputs) <= {0, 2, 4, 5}


def test_some_steps_come_in_order_and_each_set_equally_often():
    met: dict[tuple[int, ...], int] = {}
    for epoch in range(3000):
        pick = some(np.zeros(5), 2, draws(5, epoch))
        assert pick.matched
        met[pick.inputs] = met.get(pick.inputs, 0) + 1
    assert sorted(met) == [(a, b) for a in range(5) for b in range(a + 1, 5)]
    assert 230 < min(met.values()) <= max(met.values()) < 370  # 300 each, 4 standard deviations


def test_some_steps_of_too_few_are_all_of_them():
    assert some(series(NAN, 0.0, NAN), 2, draws(3, 0)) == Pick((1,), NO_STEP, matched=False)


def test_draws_depend_on_every_part_of_the_key_and_stay_as_they_are():
    assert draw(2, "steps", 0, 0, "a_r000").tolist() == draw(2, "steps", 0, 0, "a_r000").tolist()
    keys = [("a", 1, 23), ("a", 12, 3), ("a1", 23), ("b", 1, 23), ("a", 1, 24)]
    assert len({int(draw(1, *key)[0]) for key in keys}) == len(keys)
    # From NumPy 2; trainings that are resumed elsewhere rely on it.
    assert draw(3, "a", 1).tolist() == [
        3247280459652201710,
        11311129214884297102,
        8008898133974227034,
    ]
