"""A server with a quota and a crowd of workers, in simulated time: what a limit makes of them."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from eodata.providers.earthengine.limit import End, Limit


@dataclass(slots=True)
class Run:
    """What came of it.

    Attributes:
        seconds: Simulated time until the last request was served [s].
        asked: Requests that were made.
        injected: Refusals and failures that had nothing to do with the quota.
        over_quota: Requests that were refused because too many were under way.
        limits: The limit after each request that ended.
    """

    seconds: float
    asked: int
    injected: int
    over_quota: int
    limits: list[int]


@dataclass(slots=True)
class Server:
    """Carries `quota` requests at once; refuses or fails some at random, at once.

    Attributes:
        quota: At a time [s].
        latency: Of an answer [s]; drawn from +- `spread` of it.
        refused: Share of requests refused for no reason.
        failed: Share that fail.
    """

    quota: Callable[[float], int]
    latency: float = 1.0
    spread: float = 0.2
    refused: float = 0.0
    failed: float = 0.0
    delay: float = 0.02
    """Until a refusal is known [s]."""


def simulate(server: Server, limit: Limit, n_requests: int, workers: int, seed: int = 1) -> Run:
    """Serve all requests; those that are not served come back after a while."""
    draw = random.Random(seed)
    order = itertools.count()
    events: list[tuple[float, int, Callable[[float], None]]] = []
    waiting, busy, working = n_requests, 0, 0
    run = Run(0.0, 0, 0, 0, [])

    def later(when: float, what: Callable[[float], None]) -> None:
        heapq.heappush(events, (when, next(order), what))

    def go(now: float) -> None:
        nonlocal waiting
        while waiting and busy < workers and limit.is_open:
            waiting -= 1
            ask(now, 1)

    def ask(now: float, attempt: int) -> None:
        nonlocal busy, working
        busy += 1
        place = limit.begin()
        run.asked += 1
        chance = draw.random()
        if chance < server.refused + server.failed:
            how = End.REFUSED if chance < server.refused else End.FAILED
            run.injected += 1
        elif working >= server.quota(now):
            how = End.REFUSED
            run.over_quota += 1
        else:
            how = End.SERVED
            working += 1
        wait = server.latency * draw.uniform(1 - server.spread, 1 + server.spread)
        later(
            now + (wait if how is End.SERVED else server.delay),
            lambda t: end(t, place, how, attempt),
        )

    def end(now: float, place, how: End, attempt: int) -> None:
        nonlocal busy, working
        busy -= 1
        limit.end(place, how)
        run.limits.append(limit.limit)
        if how is End.SERVED:
            working -= 1
            run.seconds = now
        else:
            pause = 0.25 * 2 ** (attempt - 1) * draw.uniform(0.5, 1.0)
            later(now + pause, lambda t: back(t))
        go(now)

    def back(now: float) -> None:
        nonlocal waiting
        waiting += 1
        go(now)

    go(0.0)
    while events:
        now, _, what = heapq.heappop(events)
        what(now)
    assert not waiting and not busy
    return run
