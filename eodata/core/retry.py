"""When a failed attempt is tried again, and after how long. The only place that knows."""

from __future__ import annotations

from dataclasses import dataclass

from eodata.core.errors import ProviderError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off for errors that waiting may mend.

    Attributes:
        attempts: Attempts at one task or request, the first included.
        first_delay: Before the second attempt [s]; doubles each time.
        longest_delay: Upper bound, also for what an archive asks for [s].
    """

    attempts: int = 4
    first_delay: float = 1.0
    longest_delay: float = 120.0

    def delay(self, error: ProviderError, attempt: int) -> float:
        """Return how long to wait after a failed attempt [s]."""
        wanted = error.retry_after
        if wanted is None:
            wanted = self.first_delay * 2.0 ** (attempt - 1)
        return min(wanted, self.longest_delay)

    def is_last(self, attempt: int) -> bool:
        """Return True when no attempt follows this one."""
        return attempt >= self.attempts
