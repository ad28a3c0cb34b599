"""What a build came to: counts, exit code, and the sentences that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from eodata.core.errors import EXIT_GAPS, EXIT_OK, IncompleteError
from eodata.core.outcome import Outcome, Status


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The end of a build.

    Attributes:
        store: Folder of the store.
        digest: Of the plan.
        samples: Rows of the store.
        tasks: Tasks of the plan.
        tasks_run: Tasks run now; the others were done before.
        outcomes: Number of (sample, modality, step) by status.
        reasons: The commonest reasons for what is not done, with their counts.
        retryable: Tasks with failures that waiting may mend.
        permanent: Tasks with failures that come again until their reason is mended.
        max_failed: Fraction of failures that the recipe allows.
        files: Files in the store.
        bytes: Bytes of the store.
        seconds: Wall time of this run [s].
        requests: Requests to archives over all runs, failed attempts included.
        retried: Attempts among them that failed and were made again.
        synthetic: True when any pixel is simulated.
        warning: What did not work although the store is as the other fields say; `""` mostly.
    """

    store: str
    digest: str
    samples: int
    tasks: int
    tasks_run: int
    outcomes: dict[str, int]
    reasons: dict[str, int]
    retryable: int
    permanent: int
    max_failed: float
    files: int
    bytes: int
    seconds: float
    requests: int = 0
    retried: int = 0
    synthetic: bool = False
    warning: str = ""

    @property
    def failed_fraction(self) -> float:
        """Failures as a fraction of all (sample, modality, step)."""
        return self.outcomes.get(Status.FAILED, 0) / max(1, sum(self.outcomes.values()))

    @property
    def exit_code(self) -> int:
        """0 complete, 9 complete with losses that the recipe allows, 8 incomplete."""
        if self.failed_fraction > self.max_failed:
            return IncompleteError.exit_code
        lost = self.outcomes.get(Status.FAILED, 0) + self.outcomes.get(Status.REJECTED, 0)
        return EXIT_GAPS if lost else EXIT_OK

    @property
    def verdict(self) -> str:
        """The exit code in words."""
        return {
            EXIT_OK: "complete",
            EXIT_GAPS: "complete with losses that the recipe allows",
            IncompleteError.exit_code: "incomplete",
        }[self.exit_code]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "verdict": self.verdict, "exit_code": self.exit_code}


def count_outcomes(outcomes: Iterable[Outcome]) -> tuple[dict[str, int], dict[str, int]]:
    """Return counts by status, and counts by reason of what failed or was rejected."""
    by_status: Counter[str] = Counter({status.value: 0 for status in Status})
    by_reason: Counter[str] = Counter()
    for outcome in outcomes:
        by_status[outcome.status.value] += 1
        if outcome.status in (Status.FAILED, Status.REJECTED):
            by_reason[outcome.reason] += 1
    return dict(by_status), dict(by_reason.most_common(10))


def count_failures(failures: Iterable[tuple[str, str, bool]]) -> tuple[int, int]:
    """Return how many tasks with failures waiting may mend, and how many it may not.

    Args:
        failures: `(task, reason, retryable)` of each task with failures.
    """
    by_kind = Counter(retryable for _, _, retryable in failures)
    return by_kind[True], by_kind[False]
