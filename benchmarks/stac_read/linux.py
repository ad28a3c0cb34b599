"""What Linux says of processes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def children() -> set[int]:
    """Return the processes that this thread has started and that still run."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    return {int(number) for number in listed.split()}


def cpu(process: int) -> float:
    """Return the CPU time of a process so far, all threads, user and system [s]."""
    # The name of the program may hold blanks and brackets; the 14th and 15th fields come after.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(name: str) -> int:
    """Return a figure of this process's memory [bytes].

    The peak of `getrusage` begins with that of the parent process; the kernel's own does not.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
