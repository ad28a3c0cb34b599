"""Surveys of areas are made once per process, and remembered without what made them."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from eodata.build.acquire import ContradictedError
from eodata.build.best_pixels import Survey, Surveys
from eodata.core.errors import ProviderError
from eodata.core.outcome import FREE, Cost

COST = Cost(7, 1)


def test_a_survey_is_made_once_and_paid_once() -> None:
    surveys, made = Surveys(), []

    def make() -> Survey:
        made.append(1)
        return Survey((0.5,), COST)

    assert surveys.get(("s2", "area", 0), make) == (Survey((0.5,), COST), COST)
    assert surveys.get(("s2", "area", 0), make) == (Survey((0.5,), COST), FREE)
    surveys.get(("s2", "area", 1), make)
    assert len(made) == 2


def test_threads_wait_for_the_survey_that_another_makes() -> None:
    surveys, made, begun = Surveys(), [], threading.Barrier(4)
    slow = threading.Event()

    def make() -> Survey:
        made.append(1)
        slow.wait(0.2)
        return Survey((0.5,), COST)

    def ask(_: int) -> Cost:
        begun.wait(5)
        return surveys.get("key", make)[1]

    with ThreadPoolExecutor(4) as pool:
        costs = list(pool.map(ask, range(4)))
    assert len(made) == 1
    assert sorted(c.bytes_read for c in costs) == [0, 0, 0, 7]


def test_surveys_of_other_areas_do_not_wait() -> None:
    surveys, both = Surveys(), threading.Barrier(2)

    def make() -> Survey:
        both.wait(5)  # breaks unless the other one is being made meanwhile
        return Survey((), FREE)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda key: surveys.get(key, make), "ab"))
    assert found == [(Survey((), FREE), FREE)] * 2


def test_a_survey_that_failed_is_tried_again_by_the_next() -> None:
    surveys = Surveys()

    def fail() -> Survey:
        raise ProviderError("item a", "too busy", retryable=True)

    with pytest.raises(ProviderError):
        surveys.get("key", fail)
    assert surveys.get("key", lambda: Survey((0.1,), COST))[0].cloudy == (0.1,)


def test_a_survey_without_a_believed_acquisition_is_remembered_and_paid_once() -> None:
    surveys, made = Surveys(), []

    def refuse() -> Survey:
        made.append(1)
        raise ContradictedError("offset: item a", COST)

    costs = []
    for _ in range(2):
        with pytest.raises(ContradictedError, match="offset: item a") as raised:
            surveys.get("key", refuse)
        costs.append(raised.value.cost)
    assert costs == [COST, FREE]
    assert len(made) == 1


def test_a_remembered_refusal_keeps_nothing_of_the_task_alive() -> None:
    class Shard:
        """Stands for the arrays of a task."""

    alive = []

    def task(surveys: Surveys) -> None:
        shard = Shard()
        alive.append(weakref.ref(shard))

        def make():
            raise ContradictedError("no image is believed", FREE)

        with pytest.raises(ContradictedError):
            surveys.get("area", make)
        assert shard is not None

    surveys = Surveys()
    task(surveys)
    gc.collect()
    assert alive[0]() is None
    with pytest.raises(ContradictedError, match="no image is believed"):
        surveys.get("area", lambda: pytest.fail("asked again"))
