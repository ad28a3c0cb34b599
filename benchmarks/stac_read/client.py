"""The process of one case: reads, then prints what it took as one line of JSON.

Usage: python -m benchmarks.stac_read.client READER JOB OPTIONS
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.stac_read.job import Job
from benchmarks.stac_read.linux import cpu, memory
from benchmarks.stac_read.taking import Options, Taken


def main(reader: str, job: str, options: str) -> None:
    """Read a job with a reader."""
    read = import_module(f"benchmarks.stac_read.read_{reader}").read
    what, how, taken = Job.load(Path(job)), Options(**json.loads(options)), Taken()
    rss, used, started = memory("VmRSS"), cpu(os.getpid()), time.perf_counter()
    read(what, how, taken)
    seconds = time.perf_counter() - started
    told = {"seconds": seconds, "cpu": cpu(os.getpid()) - used, "peak": memory("VmHWM") - rss}
    means = [taken.means[number] for number in range(len(what.blocks))]
    print(json.dumps({**told, "means": means}))


if __name__ == "__main__":
    main(*sys.argv[1:])
