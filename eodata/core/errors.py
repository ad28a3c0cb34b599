"""What can go wrong, grouped by what the person in front of the screen can do about it.

```
EodataError           1   report it: this is a bug
├── RecipeError       2   edit the recipe or the command line
│   └── GridError     2   two things are not on the same ground
├── ProviderError     3   the archive did not deliver; .retryable tells whether waiting helps
│   ├── AuthError     4   log in
│   ├── QuotaError    5   come back later
│   └── NoItemsError  6   widen the query
├── StoreError        7   the store is missing, foreign or damaged
├── IncompleteError   8   some samples failed; run the build again
└── InterruptedBuildError
                    130   Ctrl-C; run the build again to go on
```

Every message has three parts: what was found and where, why that cannot work, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from eodata.core.outcome import FREE

EXIT_OK = 0
EXIT_GAPS = 9


class EodataError(Exception):
    """Base of all errors that eodata raises on purpose.

    Attributes:
        where: Address of the problem: file and key, item id, patch id, store.
        found: What is there.
        because: The rule that it breaks, with both numbers.
        fix: What to do, with the nearest working value or the command.
    """

    exit_code = 1

    def __init__(self, where: str, found: str = "", because: str = "", fix: str = "") -> None:
        super().__init__(where, found, because, fix)
        self.where = where
        self.found = found
        self.because = because
        self.fix = fix

    def __str__(self) -> str:
        # One text alone: torch makes an error of a worker anew from what it said.
        lines = [": ".join(filter(None, (self.where, self.found)))]
        lines += [f"  {part}" for part in (self.because, self.fix) if part]
        return "\n".join(lines)


class RecipeError(EodataError, ValueError):
    """The recipe, the product table or the command line says something that cannot be done.

    It is a ValueError too, so that pydantic reports it with the key where it arose.
    """

    exit_code = 2


class GridError(RecipeError):
    """Two things that must lie on one grid do not."""


class ProviderError(EodataError):
    """An archive did not deliver.

    Attributes:
        retryable: True when the same request may succeed later.
        retry_after: Seconds that the archive asked to wait [s], or None.
        cost: What was asked for in vain.
    """

    exit_code = 3

    def __init__(
        self,
        where: str,
        found: str,
        because: str = "",
        fix: str = "",
        *,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(where, found, because, fix)
        self.retryable = retryable
        self.retry_after = retry_after
        self.cost = FREE

    def __reduce__(
        self,
    ) -> tuple[type[ProviderError], tuple[str, str, str, str], dict[str, object]]:
        """Keep keyword-only fields and notes when the error crosses a process boundary."""
        return type(self), (self.where, self.found, self.because, self.fix), dict(self.__dict__)


class AuthError(ProviderError):
    """Credentials are missing or were refused."""

    exit_code = 4


class QuotaError(ProviderError):
    """The archive wants us to slow down or to come back later."""

    exit_code = 5


class NoItemsError(ProviderError):
    """Nothing in the archive matches the recipe."""

    exit_code = 6


class StoreError(EodataError):
    """The store is missing, foreign, damaged or cannot be written."""

    exit_code = 7


class IncompleteError(EodataError):
    """The build ended with failed samples that another run may still get."""

    exit_code = 8


class InterruptedBuildError(EodataError):
    """The person pressed Ctrl-C."""

    exit_code = 130


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names the known word nearest to `word`, or lists all of them.

    >>> nearest("nri", ["nir", "red"])
    'Did you mean "nir"?'
    """
    choices = sorted({str(k) for k in known})
    # Who stops half way means a word that begins so, though another may be nearer in letters.
    begun = [c for c in choices if len(word) > 2 and c.lower().startswith(word.lower())]
    match = get_close_matches(word.lower(), [c.lower() for c in choices], n=1, cutoff=0.5)
    if begun or match:
        original = begun[0] if begun else next(c for c in choices if c.lower() == match[0])
        return f'Did you mean "{original}"?'
    return f"Known: {', '.join(choices)}." if choices else "There are none."
