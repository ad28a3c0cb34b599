"""Who may ask now: slots, pauses, and the breaker; on a clock of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from eodata.core.errors import ProviderError, QuotaError
from eodata.providers.breaker import COOL_DOWN_S, PATIENCE_REQUESTS, DownError
from eodata.providers.remote.gate import LONGEST_PAUSE_S, Gate

DOWN = ProviderError("a", "b", retryable=True)
GONE = ProviderError("a", "b")


def quota(seconds: float | None = None) -> QuotaError:
    return QuotaError("a", "b", retryable=True, retry_after=seconds)


class Clock:
    """Time passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate("archive", 3, clock, clock.sleep)


async def ask(gate: Gate, outcome: BaseException | None = None) -> None:
    async with gate:
        if outcome is not None:
            raise outcome


def outcome_of(gate: Gate, outcome: BaseException | None = None) -> str:
    """Return what became of a request: made, failed, or refused by the gate."""
    try:
        asyncio.run(ask(gate, outcome))
    except (ProviderError, asyncio.CancelledError) as error:
        return "failed" if error is outcome else "refused"
    return "made"


def broken(gate: Gate, times: int = PATIENCE_REQUESTS) -> Gate:
    assert [outcome_of(gate, DOWN) for _ in range(times)] == ["failed"] * times
    return gate


def test_many_at_once_then_only_as_many_as_there_are_slots(gate: Gate) -> None:
    under_way, peak = 0, 0

    async def one() -> None:
        nonlocal under_way, peak
        async with gate:
            under_way += 1
            peak = max(peak, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(20)))

    asyncio.run(all_of_them())
    assert peak == 3


def test_refused_or_failed_then_the_slot_is_free_again(gate: Gate, clock: Clock) -> None:
    broken(gate)
    assert [outcome_of(gate) for _ in range(10)] == ["refused"] * 10
    clock.now += COOL_DOWN_S
    assert [outcome_of(gate) for _ in range(10)] == ["made"] * 10


def test_a_failure_less_than_patience_then_still_open(gate: Gate) -> None:
    broken(gate, PATIENCE_REQUESTS - 1)
    assert outcome_of(gate) == "made"
    broken(gate, PATIENCE_REQUESTS - 1)
    assert outcome_of(gate) == "made"


def test_many_slots_then_each_may_fail_twice(clock: Clock) -> None:
    gate = Gate("archive", 20, clock, clock.sleep)
    assert outcome_of(broken(gate, 39)) == "made"
    assert outcome_of(broken(gate, 40)) == "refused"


@pytest.mark.parametrize("answer", [GONE, quota()], ids=["gone", "quota"])
def test_considered_answer_then_the_archive_is_alive(gate: Gate, answer: ProviderError) -> None:
    broken(gate, PATIENCE_REQUESTS - 1)
    assert outcome_of(gate, answer) == "failed"
    broken(gate, PATIENCE_REQUESTS - 1)
    assert outcome_of(gate) == "made"


def test_broken_then_the_refusal_says_for_how_long(gate: Gate, clock: Clock) -> None:
    broken(gate)
    clock.now += 10
    with pytest.raises(ProviderError) as caught:
        asyncio.run(ask(gate))
    assert (caught.value.retryable, caught.value.retry_after) == (True, COOL_DOWN_S - 10)
    assert clock.waited == []


def test_cooled_down_then_one_request_tries_while_others_are_refused(
    gate: Gate, clock: Clock
) -> None:
    broken(gate)
    clock.now += COOL_DOWN_S

    async def two() -> None:
        async with gate:
            with pytest.raises(ProviderError):
                await ask(gate)

    asyncio.run(two())
    assert outcome_of(gate) == "made"


def test_trial_fails_then_left_alone_once_more(gate: Gate, clock: Clock) -> None:
    broken(gate)
    clock.now += COOL_DOWN_S
    assert [outcome_of(gate, DOWN), outcome_of(gate)] == ["failed", "refused"]
    clock.now += COOL_DOWN_S
    assert [outcome_of(gate, GONE), outcome_of(gate)] == ["failed", "made"]


def test_trial_is_cancelled_then_another_one_may_try_later(gate: Gate, clock: Clock) -> None:
    broken(gate)
    clock.now += COOL_DOWN_S
    assert outcome_of(gate, asyncio.CancelledError()) == "failed"
    clock.now += COOL_DOWN_S
    assert outcome_of(gate) == "made"


def test_archive_asks_to_wait_then_all_do(gate: Gate, clock: Clock) -> None:
    assert outcome_of(gate, quota(7.0)) == "failed"

    async def three() -> None:
        await asyncio.gather(*(ask(gate) for _ in range(3)))

    asyncio.run(three())
    assert clock.now >= 1007
    assert clock.waited[0] == 7


def test_two_pauses_then_the_longer_one_holds(gate: Gate, clock: Clock) -> None:
    outcome_of(gate, quota(9.0))
    clock.now += 9
    outcome_of(gate, quota(8.0))
    clock.now += 1
    assert outcome_of(gate) == "made"
    assert clock.now == 1017


def test_pause_too_long_to_wait_then_refused_until_it_is_over(gate: Gate, clock: Clock) -> None:
    outcome_of(gate, quota(LONGEST_PAUSE_S + 100))
    with pytest.raises(QuotaError) as caught:
        asyncio.run(ask(gate))
    assert caught.value.retry_after == LONGEST_PAUSE_S + 100
    assert clock.waited == []
    clock.now += 100
    assert outcome_of(gate) == "made"


def test_cancelled_while_it_waits_then_no_slot_is_lost(gate: Gate) -> None:
    async def cancelled() -> None:
        async with gate, gate, gate:
            waiting = [asyncio.ensure_future(ask(gate)) for _ in range(5)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        async with gate, gate, gate:
            pass

    asyncio.run(asyncio.wait_for(cancelled(), 20))


def test_refused_while_down_then_told_what_the_last_one_met(gate: Gate) -> None:
    broken(gate)
    with pytest.raises(DownError) as refused:
        asyncio.run(ask(gate))
    assert "the last one met: b" in refused.value.because
