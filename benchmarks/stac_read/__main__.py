"""The command line: runs cases, prints Markdown tables."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.stac_read import serving, tiles
from benchmarks.stac_read.cases import CASES, SWEEP, Case
from benchmarks.stac_read.job import Job, job_of, native_size

LIMIT_S = 300
"""Longest time for a case [s]."""
HEAD = (
    "case | s | x bound | requests per block | MB fetched | native MB/s | peak MB over the start "
    "| CPU s client | CPU s server | server's share of a core"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a case took.

    Attributes:
        client: What its process said of itself.
        requests: That the server answered.
        n_bytes: That it sent.
        server_cpu: That it used [s].
    """

    client: dict[str, Any]
    requests: int
    n_bytes: int
    server_cpu: float


def run(case: Case, path: Path, line: serving.Line, latency_ms: float) -> Figures | None:
    """Run a case in a process of its own; None when it failed or took too long."""
    line.be(latency_ms)
    options = json.dumps(asdict(case.options))
    # GDAL remarks on every array that is warped in memory.
    python = [sys.executable, "-W", "ignore:Dataset has no geotransform"]
    command = [*python, "-m", "benchmarks.stac_read.client", case.reader, str(path), options]
    before = line.cpu()
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, check=True, timeout=LIMIT_S, text=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return None
    used = line.cpu() - before
    counts = line.server.log.counts()
    return Figures(json.loads(done.stdout), counts["requests"], counts["bytes"], used)


def row(name: str, found: Figures | None, bound: float, job: Job) -> str:
    """Return a row of the table."""
    if found is None:
        return f"| {name} | failed |{' |' * (HEAD.count('|') - 1)}"
    client, n_blocks = found.client, len(job.blocks)
    seconds = client["seconds"]
    return (
        f"| {name} | {seconds:.1f} | {seconds / bound:.2f} | {found.requests / n_blocks:.1f} "
        f"| {found.n_bytes / 1e6:.0f} | {native_size(job) / seconds / 1e6:.1f} "
        f"| {client['peak'] / 1e6:.0f} | {client['cpu']:.1f} | {found.server_cpu:.1f} "
        f"| {found.server_cpu / seconds:.2f} |"
    )


def compare(
    job: Job, line: serving.Line, cases: dict[str, Case], latencies: Sequence[float]
) -> None:
    """Run the cases and print a table for each latency."""
    line.be_open()
    ranges = tiles.needed(job)
    tiles.fetch(ranges)
    needed = tiles.size(ranges)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        job.save(path)
        for latency in latencies:
            bound = needed / serving.BANDWIDTH + latency / 1000
            print(f"\n{latency:g} ms; {needed / 1e6:.0f} MB needed, bound {bound:.1f} s\n")
            print(f"| {HEAD} |\n|{'---|' * (HEAD.count('|') + 1)}", flush=True)
            means: dict[str, Any] = {}
            for name, case in cases.items():
                found = run(case, path, line, latency)
                print(row(name, found, bound, job), flush=True)
                if found:
                    means[name] = found.client["means"]
            tell_differences(means)


def tell_differences(means: dict[str, list[list[float]]]) -> None:
    """Say where cases read other numbers than the first."""
    first, *others = means or [""]
    for name in others:
        pairs = zip(chain(*means[first]), chain(*means[name]), strict=True)
        far = max(abs(a - b) / max(abs(a), 1) for a, b in pairs)
        if far > 1e-3:
            print(f"{name} and {first}: means of a band differ by up to {100 * far:.2f} %")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stac_read")
    parser.add_argument("--blocks", type=int, default=16)
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 20, 80], help="ms")
    parser.add_argument("--tiles", choices=["stored", "deflate"], default="stored")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument(
        "--sweep", default="", help="try all variants of: odc, eodata, gdal or async-tiff"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "stac_read")
    asked = parser.parse_args()
    with serving.serving(asked.tiles, asked.folder) as line:
        job = job_of(line.items(), asked.blocks)
        tried = {name: case for name, case in SWEEP.items() if name.startswith(asked.sweep)}
        chosen = {name: CASES[name] for name in asked.cases}
        compare(job, line, tried if asked.sweep else chosen, asked.latency)


if __name__ == "__main__":
    main()
