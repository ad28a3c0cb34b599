"""What happened: one outcome per sample, modality and step, and the result of a task."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from eodata.core.shift import Shift


class Status(StrEnum):
    """How a step of a sample ended."""

    DONE = "done"
    """Pixels are in the store."""
    EMPTY = "empty"
    """The recipe's own rule found nothing for this step; no error."""
    REJECTED = "rejected"
    """A check refused it, the recipe's or ours; where pixels were judged, they are in the store."""
    FAILED = "failed"
    """It could not be read; no pixels."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one (sample, modality, step) ended.

    Attributes:
        row: Position on the sample axis.
        step: Position on the time axis.
        status: One of four.
        reason: Why it is not done; `""` when it is.
        valid: Fraction of valid pixels, in [0, 1].
        marked: Fraction of valid pixels that a mask marks, None for other modalities.
        clipped: Number of DN that an offset would have taken below zero.
        retryable: True for a failure that waiting may mend.
        measured: What was measured on the way, as JSON: the limits of a stretch, the acquisitions
            that a composite took pixels from; `""` for nothing.
        shift: How far its pixels lie from their reference; None where nothing is compared.
    """

    row: int
    step: int
    status: Status
    reason: str = ""
    valid: float = 0.0
    marked: float | None = None
    clipped: int = 0
    retryable: bool = False
    measured: str = ""
    shift: Shift | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to read something.

    Attributes:
        bytes_read: Bytes of pixels read from the provider, before resampling.
        requests: Requests to the archive, failed attempts included.
        retried: Attempts among them that failed and were made again.
    """

    bytes_read: int = 0
    requests: int = 0
    retried: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Return the sum."""
        return Cost(
            self.bytes_read + other.bytes_read,
            self.requests + other.requests,
            self.retried + other.retried,
        )


FREE = Cost()


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One file that a task wrote.

    Attributes:
        path: Relative to the store, with forward slashes.
        sha256: Of the bytes; `""` when all numbers are fill and there is no file.
        size: Bytes.
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a finished task reports to the conductor.

    Attributes:
        task: Id.
        outcomes: One per (row, step).
        shards: Files written.
        seconds: Wall time [s].
        cost: Bytes and requests that it took.
    """

    task: str
    outcomes: tuple[Outcome, ...]
    shards: tuple[ShardFile, ...]
    seconds: float = 0.0
    cost: Cost = FREE

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that another run may mend."""
        return tuple(o for o in self.outcomes if o.status is Status.FAILED)
