"""How many requests are let through, in simulated time."""

from __future__ import annotations

import pytest

from eodata.providers.earthengine.limit import End, Limit
from tests.providers.earthengine.simulation import Server, simulate

SEEDS = range(8)
REQUESTS = 64 * 15
"""64 blocks of 15 requests."""


def steady(quota: int):
    return lambda now: quota


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_when_the_quota_is_half_and_faults_are_random_then_little_is_wasted(seed):
    server = Server(steady(20), refused=0.05, failed=0.02)
    run = simulate(server, Limit(40), REQUESTS, workers=40, seed=seed)
    assert run.over_quota < 0.05 * run.asked
    assert run.seconds <= 1.3 * REQUESTS / 20 * server.latency
    assert run.limits[-1] in (19, 20, 21)


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_when_only_chance_refuses_then_it_stays_where_it_is(seed):
    server = Server(steady(40), refused=0.05, failed=0.02)
    run = simulate(server, Limit(40), 10 * REQUESTS, workers=40, seed=seed)
    assert run.over_quota == 0
    assert min(run.limits) >= 30
    assert run.seconds <= 1.15 * 10 * REQUESTS / 40


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_when_the_quota_falls_then_it_follows_and_rises_again(seed):
    server = Server(lambda now: 10 if 30 < now < 90 else 30)
    run = simulate(server, Limit(30), 4000, workers=40, seed=seed)
    assert min(run.limits) in (9, 10, 11)
    assert run.limits[-1] >= 28
    assert run.over_quota < 0.03 * run.asked


def test_limit_when_the_quota_is_one_then_it_ends_at_one():
    run = simulate(Server(steady(1)), Limit(40), 60, workers=40)
    assert run.limits[-1] == 1
    assert run.seconds <= 1.3 * 60


def test_limit_when_nothing_is_carried_at_all_then_somebody_may_still_try():
    limit = Limit(3)
    places = [limit.begin() for _ in range(3)]
    assert not limit.is_open
    for place in places:
        limit.end(place, End.REFUSED)
    assert limit.is_open
    assert limit.limit == 1


def test_limit_when_a_request_is_refused_then_its_place_waits_for_the_end_of_the_round_trip():
    limit = Limit(4)
    first, second, *_ = [limit.begin() for _ in range(4)]
    limit.end(first, End.REFUSED)
    assert not limit.is_open
    limit.end(second, End.SERVED)
    assert limit.is_open


def test_limit_when_a_request_fails_then_its_place_is_free_at_once():
    limit = Limit(2)
    first, _ = limit.begin(), limit.begin()
    limit.end(first, End.FAILED)
    assert limit.is_open


def test_limit_when_the_load_is_small_then_a_quiet_time_raises_nothing():
    limit = Limit(40)
    limit.limit = 20
    for _ in range(1000):
        limit.end(limit.begin(), End.SERVED)
    assert limit.limit == 20


def test_noise_when_a_tenth_is_refused_whatever_the_limit_then_it_is_learnt():
    limit = Limit(20)
    simulate(Server(steady(40), refused=0.1), limit, 5000, workers=40)
    assert limit.noise == pytest.approx(0.1, abs=0.02)
