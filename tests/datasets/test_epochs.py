"""The epoch reaches every worker, however it was started, and broken workers say so and end."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader, Subset

from eodata.core.errors import StoreError
from eodata.datasets import EpochSampler, RandomSteps, TargetSteps, open_dataset
from eodata.datasets.epoch import Epoch
from tests.datasets.series import N

METHODS = multiprocessing.get_all_start_methods()
pytestmark = [
    pytest.mark.timeout(120),
    # Python 3.12 and later warn about the very thing that is tested here.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
POISON = 5


class Failing:
    """A transform that breaks on one sample, until it is told to stop."""

    def __init__(self) -> None:
        self.broken = torch.ones(1).share_memory_()

    def __call__(self, item: dict) -> dict:
        if item["row"] == POISON and self.broken:
            raise ArithmeticError(f"sample {item['id']} is poison")
        return item


def open_random(path, **arguments):
    return open_dataset(path, modalities=["s2"], steps=RandomSteps(2), **arguments)


def steps_of(loader: DataLoader) -> dict[int, list[int]]:
    return {
        row: steps
        for batch in loader
        for row, steps in zip(batch["row"].tolist(), batch["steps"].tolist(), strict=True)
    }


def expected_steps(path, epoch: int, seed: int = 0) -> dict[int, list[int]]:
    dataset = open_random(path, seed=seed)
    dataset.set_epoch(epoch)
    return {item["row"]: item["steps"].tolist() for item in dataset}


@pytest.mark.parametrize("method", METHODS)
def test_epochs_and_errors_reach_workers_that_live_on(series, method):
    failing = Failing()
    dataset = open_random(series.path, transform=failing)
    dataset[0]
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=EpochSampler(dataset),
        num_workers=2,
        persistent_workers=True,
        multiprocessing_context=method,
        timeout=60,
    )
    with pytest.raises(ArithmeticError, match=f"sample b_r00{POISON} is poison"):
        steps_of(loader)
    failing.broken.zero_()
    met = []
    for epoch in (0, 1, 2, 1):
        loader.sampler.set_epoch(epoch)
        met.append(steps_of(loader))
        assert met[-1] == expected_steps(series.path, epoch)
    assert met[1] == met[3]
    assert met[0] != met[1]


@pytest.mark.parametrize("n_workers", [0, 1, 2])
def test_items_depend_on_seed_epoch_and_sample_alone(series, n_workers):
    dataset = open_random(series.path, seed=8)
    part = Subset(dataset, [7, 3, 0, 9, 4])
    dataset.set_epoch(2)
    found = steps_of(
        DataLoader(
            part,
            batch_size=2,
            num_workers=n_workers,
            multiprocessing_context="fork" if n_workers else None,
        )
    )
    expected = expected_steps(series.path, 2, seed=8)
    assert found == {row: expected[row] for row in (7, 3, 0, 9, 4)}


def test_targets_are_the_same_from_workers(series):
    dataset = open_dataset(series.path, steps=TargetSteps("random", 2, clear=0.4))
    dataset.set_epoch(3)
    here = list(DataLoader(dataset, batch_size=4))
    there = list(DataLoader(dataset, batch_size=4, num_workers=2, multiprocessing_context="fork"))
    for a, b in zip(here, there, strict=True):
        assert torch.equal(a["target"]["s2"], b["target"]["s2"])
        assert torch.equal(a["coverage"].nan_to_num(-1), b["coverage"].nan_to_num(-1))
        assert torch.equal(a["s2"], b["s2"])


def test_threads_share_epoch_and_dataset(series):
    dataset = open_random(series.path)
    dataset.set_epoch(6)
    expected = expected_steps(series.path, 6)
    with ThreadPoolExecutor(8) as pool:
        for item in pool.map(dataset.__getitem__, list(range(N)) * 6):
            assert item["steps"].tolist() == expected[item["row"]]


def test_a_store_that_vanishes_is_an_error_in_the_training_loop(series, tmp_path):
    dataset = open_random(series.path)
    dataset.path = tmp_path / "gone"
    loader = DataLoader(
        dataset, batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60
    )
    with pytest.raises(StoreError, match="gone"):
        steps_of(loader)


DYING = """
import os, sys
from torch.utils.data import DataLoader
from eodata.datasets import RandomSteps, open_dataset

dataset = open_dataset(sys.argv[1], steps=RandomSteps(2), transform=lambda item: os._exit(1))
loader = DataLoader(
    dataset, batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60
)
try:
    list(loader)
except RuntimeError as error:
    print(error)
"""


def test_a_worker_that_dies_is_an_error_in_the_training_loop(series):
    # In a process of its own: torch raises from a signal handler, wherever the program stands.
    told = subprocess.run(
        [sys.executable, "-c", DYING, series.path],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert "exited unexpectedly" in told.stdout


def test_copies_of_an_epoch_count_for_themselves():
    epoch = Epoch(3)
    for again in (copy.deepcopy(epoch), pickle.loads(pickle.dumps(epoch))):  # noqa: S301
        assert again.get() == 3
        again.set(5)
        assert epoch.get() == 3


def test_an_epoch_before_the_first_is_refused(series):
    with pytest.raises(ValueError, match="counted from 0, not -1"):
        open_random(series.path).set_epoch(-1)
