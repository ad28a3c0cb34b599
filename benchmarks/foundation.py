"""What the foundation costs: start, plan, build, resume, verify, load, on the demo.

Usage: python benchmarks/foundation.py

Medians of five in processes of their own, warm page cache. The peers are measured in the same run:
building against copying the same shards file by file, loading against `numpy.load` of the same
samples.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import eodata

RUNS = 5
EODATA = [sys.executable, "-m", "eodata"]


def median_seconds(
    work: Callable[[], object], before: Callable[[], object] = lambda: None
) -> float:
    """Return the median wall time of `work` [s]; `before` is not counted."""
    times = []
    for _ in range(RUNS):
        before()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def run(*arguments: object) -> None:
    """Run a command quietly; it must succeed."""
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True)


def load_epoch(dataset: eodata.datasets.dataset.EODataset) -> None:
    """Read every sample once, in this process."""
    for item in dataset:
        assert item["s2"].shape[0] == 30


def main() -> None:
    """Measure and print a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["EODATA_HOME"] = str(work / "home")
        store, copy, arrays = work / "demo", work / "copy", work / "arrays"
        rows = {
            "eodata --help": median_seconds(lambda: run(*EODATA, "--help")),
            "python -c pass": median_seconds(lambda: run(sys.executable, "-c", "pass")),
            "eodata plan demo": median_seconds(lambda: run(*EODATA, "plan", "demo")),
        }
        for workers in (1, 2, 4):
            rows[f"eodata build demo --workers {workers}"] = median_seconds(
                lambda n=workers: run(*EODATA, "build", "demo", "--out", store, "--workers", n),
                lambda: shutil.rmtree(store, ignore_errors=True),
            )
        rows["the same again: nothing to do"] = median_seconds(
            lambda: run(*EODATA, "build", "demo", "--out", store)
        )
        rows["eodata verify demo"] = median_seconds(lambda: run(*EODATA, "verify", store))
        rows["copy of the store's files"] = median_seconds(
            lambda: shutil.copytree(store, copy), lambda: shutil.rmtree(copy, ignore_errors=True)
        )
        dataset = eodata.open_dataset(store, modalities=["s1", "s2", "cloud"])
        rows["load 16 samples (s1, s2, cloud), one process"] = median_seconds(
            lambda: load_epoch(dataset)
        )
        arrays.mkdir()
        for number, item in enumerate(dataset):
            for name in dataset.modalities:
                np.save(arrays / f"{number}_{name}.npy", item[name].numpy())
        rows["numpy.load of the same numbers, decoded"] = median_seconds(
            lambda: [np.load(path) for path in arrays.iterdir()]
        )
        files = [path for path in store.rglob("*") if path.is_file()]
        print("| what | median of 5 |\n|---|---|")
        for name, seconds in rows.items():
            print(f"| {name} | {seconds:.3f} s |")
        size = sum(path.stat().st_size for path in files)
        print(f"\n{len(files)} files, {size:,} bytes in the demo store")


if __name__ == "__main__":
    main()
