"""What went wrong with a request, by class: whether waiting helps, and for how long.

| what                                             | class                         |
|--------------------------------------------------|-------------------------------|
| 429                                              | quota; wait as long as asked  |
| 408, 425, 5xx                                    | waiting helps                 |
| reset, time-out, a body that ends early          | waiting helps                 |
| 401, 403                                         | a new token, then log in      |
| 404, 410, 416, other 4xx, no ranges              | for good                      |
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from eodata.core.errors import AuthError, ProviderError, QuotaError

TRANSIENT = frozenset({408, 425, *range(500, 600)})
DENIED = frozenset({401, 403})
GONE = frozenset({404, 410})


def refusal(where: str, status: int, retry_after: str | None = None) -> ProviderError:
    """Return the error for an answer that is none of the wanted.

    Args:
        where: What was asked for, without secrets.
        status: HTTP status.
        retry_after: The header of that name.
    """
    found = f"the archive answers {status} {_phrase(status)}".rstrip()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return QuotaError(
            where,
            found,
            "it wants fewer requests.",
            "Wait, and run the same command again.",
            retryable=True,
            retry_after=seconds_of(retry_after),
        )
    if status in TRANSIENT:
        return ProviderError(
            where,
            found,
            "",
            "Run the same command again later.",
            retryable=True,
            retry_after=seconds_of(retry_after),
        )
    if status in DENIED:
        return AuthError(where, found, "", "Check account and keys: eodata doctor")
    if status in GONE:
        return ProviderError(
            where,
            found,
            "the file is gone, though the archive lists it.",
            "Plan again, so that other items are chosen.",
        )
    return ProviderError(where, found, "", "Plan again; if it stays, report it to the archive.")


def broken_off(where: str, why: str) -> ProviderError:
    """Return the error for an answer that did not come, or not in full."""
    return ProviderError(
        where,
        "no complete answer came",
        f"{why.rstrip('.')}.",
        "Run the same command again later.",
        retryable=True,
    )


def unusable(where: str, why: str) -> ProviderError:
    """Return the error for an address at which nobody will ever answer."""
    return ProviderError(
        where,
        "the address cannot be opened",
        f"{why.rstrip('.')}.",
        "Plan without this item, or report it to the archive.",
    )


def given_up(where: str) -> ProviderError:
    """Return the error for requests that were cancelled because somebody does not want to wait."""
    return ProviderError(
        where,
        "its requests were given up",
        "",
        "Run the same command again to go on.",
        retryable=True,
    )


def no_ranges(where: str) -> ProviderError:
    """Return the error for a server that sends whole files only."""
    return ProviderError(
        where,
        "the server sends the whole file where a part was asked for",
        "files are read by parts, and whole ones would fill memory and line.",
        "Take another provider, or download the files and use the provider archive.",
    )


def seconds_of(retry_after: str | None) -> float | None:
    """Return what a Retry-After header asks for [s], None when it asks for nothing sensible."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
