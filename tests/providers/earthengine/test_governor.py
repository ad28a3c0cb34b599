"""Requests through the governor, made by real threads against a server with a quota."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.core.retry import RetryPolicy
from eodata.providers.breaker import COOL_DOWN_S, PATIENCE_REQUESTS
from eodata.providers.earthengine.governor import Governor, Traffic

SOON = RetryPolicy(attempts=7, first_delay=0.005, longest_delay=1.0)


class Busy:
    """Serves `quota` requests at once, each for a while; refuses and fails some at random."""

    def __init__(self, quota: int, seconds: float, refused: float = 0.0, failed: float = 0.0):
        self.quota, self.seconds, self.refused, self.failed = quota, seconds, refused, failed
        self.asked = self.injected = self.over_quota = self.working = 0
        self._lock, self._draw = threading.Lock(), random.Random(1)

    def __call__(self) -> str:
        with self._lock:
            self.asked += 1
            chance = self._draw.random()
            if chance < self.refused + self.failed:
                self.injected += 1
                kind = QuotaError if chance < self.refused else ProviderError
                raise kind("server", "not now", retryable=True)
            if self.working >= self.quota:
                self.over_quota += 1
                raise QuotaError("server", "too many", retryable=True)
            self.working += 1
        time.sleep(self.seconds)
        with self._lock:
            self.working -= 1
        return "served"


def test_threads_when_the_quota_is_half_and_faults_are_random_then_all_are_served():
    server, governor, traffic = Busy(20, 0.05, 0.05, 0.02), Governor("s", 40, SOON), Traffic()
    requests = 64 * 12
    with ThreadPoolExecutor(40) as pool:
        jobs = [pool.submit(governor.run, server, traffic) for _ in range(requests)]
    assert [job.result() for job in jobs] == ["served"] * requests
    assert traffic.requests == server.asked == requests + traffic.retried
    assert server.over_quota < 0.05 * server.asked
    assert governor.limit in range(17, 22)


def test_request_when_it_fails_twice_then_it_is_made_a_third_time_after_longer_waits():
    waits: list[float] = []
    told = [ProviderError("s", "", retryable=True), QuotaError("s", "", retryable=True)]
    traffic = Traffic()

    def request() -> str:
        if told:
            raise told.pop()
        return "served"

    policy = RetryPolicy(attempts=3, first_delay=1.0)
    assert Governor("s", 2, policy, sleep=waits.append).run(request, traffic) == "served"
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0
    assert (traffic.requests, traffic.retried) == (3, 2)


def test_request_when_the_server_names_a_time_then_nobody_returns_before():
    waits: list[float] = []
    told = [QuotaError("s", "", retryable=True, retry_after=7.0)]

    def request() -> None:
        if told:
            raise told.pop()

    Governor("s", 2, sleep=waits.append).run(request, Traffic())
    assert 7.0 <= waits[0] <= 10.5


@pytest.mark.parametrize(
    "error",
    [
        ProviderError("s", "no such band"),
        AuthError("s", "who are you"),
        QuotaError("s", "used up for today"),
        QuotaError("s", "", retryable=True, retry_after=3600.0),
    ],
)
def test_request_when_waiting_does_not_help_then_it_is_made_once(error):
    traffic = Traffic()

    def request() -> None:
        raise error

    with pytest.raises(ProviderError) as caught:
        Governor("s", 2, sleep=pytest.fail).run(request, traffic)
    assert caught.value is error
    assert traffic.requests == 1


def test_request_when_every_attempt_fails_then_the_last_error_comes_out():
    def request() -> None:
        raise ProviderError("s", "reset", retryable=True)

    traffic = Traffic()
    policy = RetryPolicy(attempts=3, first_delay=0.0)
    with pytest.raises(ProviderError, match="reset") as caught:
        Governor("s", 2, policy).run(request, traffic)
    assert caught.value.retryable
    assert traffic.requests == 3


def test_server_when_nothing_is_answered_then_it_is_left_alone_for_a_while():
    now = [0.0]
    governor = Governor("s", 2, RetryPolicy(attempts=1), clock=lambda: now[0])

    def request() -> None:
        raise ProviderError("s", "reset", retryable=True)

    for _ in range(PATIENCE_REQUESTS):
        with pytest.raises(ProviderError, match="reset"):
            governor.run(request, Traffic())
    with pytest.raises(ProviderError, match="seems to be down") as caught:
        governor.run(pytest.fail, Traffic())
    assert caught.value.retry_after == COOL_DOWN_S
    now[0] = COOL_DOWN_S + 1
    assert governor.run(lambda: "served", Traffic()) == "served"
    assert governor.run(lambda: "served", Traffic()) == "served"


def test_place_when_a_request_is_a_bug_of_ours_then_it_is_given_back():
    governor = Governor("s", 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            governor.run(lambda: 1 / 0, Traffic())
    assert governor.run(lambda: "served", Traffic()) == "served"
