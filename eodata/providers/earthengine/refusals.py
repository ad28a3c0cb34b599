"""What went wrong with a request to Earth Engine: whether waiting helps, or asking for less.

| what                                          | class                                   |
|-----------------------------------------------|-----------------------------------------|
| 429, "Too many concurrent …"                  | quota; fewer at once                    |
| quota of the day or month used up             | quota; come back later                  |
| memory or time limit of one computation, size | too much: half of it                    |
| 408, 5xx, reset, time-out, a cut body         | waiting helps                           |
| 401, 403, no or stale credentials             | log in                                  |
| 404, other 400                                | for good, with the server's own words   |
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import ee
import httplib2  # type: ignore[import-untyped]
from google.auth import exceptions as google_errors
from googleapiclient import errors as api_errors  # type: ignore[import-untyped]

from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.providers.earthengine.access import LOG_IN
from eodata.providers.remote.addresses import cleaned
from eodata.providers.remote.failures import DENIED, TRANSIENT, broken_off, refusal

CAUGHT = (
    ee.EEException,
    api_errors.Error,
    google_errors.GoogleAuthError,
    httplib2.HttpLib2Error,
    OSError,
    ValueError,
)
"""What the client, its libraries and the reader of arrays raise over requests and answers."""
_TOO_MUCH = re.compile(
    r"memory limit|computation timed out|total request size|too many pixels|capacity exceeded", re.I
)
_TOO_MANY = re.compile(r"too many concurrent|rate limit|quota exceeded|resource.exhausted", re.I)
_USED_UP = re.compile(
    r"(daily|monthly|per day|per month|eecu).{0,80}(quota|limit|exceed|exhaust)"
    r"|(quota|limit).{0,80}(daily|monthly|per day|per month|eecu)",
    re.I | re.S,
)


class TooMuchError(ProviderError):
    """One request asks for more than the server computes at once; half of it may go."""


def refused(where: str, error: BaseException) -> ProviderError:
    """Return our error for one of `CAUGHT`.

    Args:
        where: What was asked for, without secrets.
        error: What was raised.
    """
    told = cleaned(str(error)).strip()[:500] or type(error).__name__
    answer = next((one for one in _causes(error) if isinstance(one, api_errors.HttpError)), None)
    if answer is None:
        return _without_status(where, error, told)
    status = int(answer.resp.status)
    return _by_status(where, status, told, answer.resp.get("retry-after"))


def _by_status(where: str, status: int, told: str, retry_after: str | None) -> ProviderError:
    if _USED_UP.search(told) and status in (429, *DENIED):
        return _used_up(where, told)
    if status == 429 or (status in (400, *DENIED) and _TOO_MANY.search(told)):
        return _saying(refusal(where, 429, retry_after), told)
    if _TOO_MUCH.search(told):
        return _too_much(where, told)
    if status in DENIED:
        return _denied(where, f"Earth Engine answers {status}", told)
    if status in TRANSIENT or status == 404:
        return _saying(refusal(where, status, retry_after), told)
    return ProviderError(
        where,
        f"Earth Engine refuses the request ({status})",
        _sentence(told),
        "Plan again; if it stays, report it.",
    )


def _without_status(where: str, error: BaseException, told: str) -> ProviderError:
    """Return the error for what has no status: nothing was answered, or nothing could be sent."""
    if isinstance(error, google_errors.TransportError):
        return broken_off(where, told)
    if isinstance(error, google_errors.GoogleAuthError):
        return _denied(where, "the credentials are not accepted", told)
    if isinstance(error, ee.EEException):
        if _TOO_MUCH.search(told):
            return _too_much(where, told)
        if _TOO_MANY.search(told):
            return _saying(refusal(where, 429), told)
        return ProviderError(where, "Earth Engine's client refuses the request", _sentence(told))
    return broken_off(where, told)


def _used_up(where: str, told: str) -> QuotaError:
    return QuotaError(
        where,
        "the project's quota is used up",
        _sentence(told),
        "Run the same command again when it is renewed: everything finished is kept.",
    )


def _too_much(where: str, told: str) -> TooMuchError:
    return TooMuchError(
        where,
        "the server cannot compute that much at once",
        _sentence(told),
        "Run the same command again later; if it stays, report it.",
    )


def _denied(where: str, found: str, told: str) -> AuthError:
    return AuthError(
        where,
        found,
        _sentence(told),
        f"{LOG_IN}, and check that the project is registered for Earth Engine: eodata doctor",
    )


def _saying(error: ProviderError, told: str) -> ProviderError:
    error.because = _sentence(told)
    return error


def _sentence(told: str) -> str:
    return f"{told.rstrip('.')}."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from; the client raises its own while handling the other."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
