"""A task: some files, what they hold, and how to make them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

Part = bytes | memoryview
Made = Iterator[tuple[str, Iterable[Part]]]
"""Files as they are made: path and content, the content in parts."""


@dataclass(frozen=True, slots=True)
class Task:
    """Files that are made together, because they are read together.

    Attributes:
        files: Path relative to the folder, and the mark of what the file is to hold: a file of
            another mark is not the same, even under the same name.
        make: Called in a thread with the paths that are missing; yields those files in any order.
    """

    files: Mapping[str, str]
    make: Callable[[Collection[str]], Made]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything an export has to do.

    Attributes:
        tasks: Made one by one, because a large store has a million files.
        total: Number of tasks.
        samples: Number of samples in them.
        samples_left_out: Why samples stay, and how many.
        steps_left_out: Why steps of exported samples stay, and how many.
        notes: What a person should know before using the files.
    """

    tasks: Iterator[Task]
    total: int
    samples: int
    samples_left_out: Counter[str]
    steps_left_out: Counter[str]
    notes: tuple[str, ...] = ()


def mark(*facts: object) -> str:
    """Return a short text that differs where facts differ; facts are JSON or have a text."""
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
