"""One epoch is the same whoever reads it: workers of every kind, threads, forks at bad moments."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader

from eodata.datasets.opening import open_dataset

METHODS = multiprocessing.get_all_start_methods()
pytestmark = [
    pytest.mark.timeout(120),
    # Python 3.12 and later warn about the very thing that is tested here.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
needs_fork = pytest.mark.skipif("fork" not in METHODS, reason="this system cannot fork")


def same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    return a == b


def epoch(dataset, n_workers: int = 0, method: str | None = None) -> list:
    loader = DataLoader(
        dataset, batch_size=2, num_workers=n_workers, multiprocessing_context=method
    )
    return list(loader)


@pytest.mark.parametrize("method", METHODS)
def test_workers_deliver_the_serial_epoch_after_the_parent_has_read(source, method):
    dataset = open_dataset(source.path, status=("done", "rejected"))
    dataset[0]
    serial = epoch(dataset)
    parallel = epoch(dataset, 2, method)
    assert len(serial) == len(parallel) == 4
    assert all(same(a, b) for a, b in zip(serial, parallel, strict=True))


@needs_fork
def test_a_forked_child_opens_the_store_for_itself(source):
    dataset = open_dataset(source.path)
    dataset[0]
    parents = dataset._opened

    def read(answer) -> None:
        dataset[1]
        pid, reader = dataset._opened
        answer.send((pid == os.getpid(), reader is parents[1]))

    here, there = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=read, args=(there,))
    child.start()
    assert here.poll(60), "the forked child hangs"
    assert here.recv() == (True, False)
    child.join()


@needs_fork
def test_forks_while_other_threads_read_do_not_hang(source):
    dataset = open_dataset(source.path)
    serial = epoch(dataset)
    stop = threading.Event()

    def read_on() -> None:
        while not stop.is_set():
            for i in range(len(dataset)):
                dataset[i]

    threads = [threading.Thread(target=read_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            parallel = epoch(dataset, 2, "fork")
            assert all(same(a, b) for a, b in zip(serial, parallel, strict=True))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_eight_threads_share_one_dataset(source):
    serial = list(open_dataset(source.path))
    dataset = open_dataset(source.path)
    gate = threading.Barrier(8)

    def read(start: int) -> list:
        gate.wait()
        order = [(start + i) % len(dataset) for i in range(len(dataset))]
        return [(i, dataset[i]) for i in order * 3]

    with ThreadPoolExecutor(8) as pool:
        for items in pool.map(read, range(8)):
            assert all(same(serial[i], item) for i, item in items)
