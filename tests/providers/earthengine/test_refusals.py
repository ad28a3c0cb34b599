"""What went wrong, by class."""

from __future__ import annotations

import json
import pickle

import ee
import httplib2
import pytest
from google.auth import exceptions as google_errors
from googleapiclient.errors import HttpError

from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.providers.earthengine.refusals import TooMuchError, refused

WHERE = "earthengine (C/one)"


def raised(status: int, message: str, **headers: str) -> ee.EEException:
    """Return what the client raises: its own error, which knows nothing of the answer."""
    body = json.dumps({"error": {"code": status, "message": message}}).encode()
    told = {"status": str(status), "content-type": "application/json", **headers}
    try:
        try:
            raise HttpError(httplib2.Response(told), body)
        except HttpError:
            raise ee.EEException(message)  # noqa: B904 (so does the client)
    except ee.EEException as error:
        return error


CASES = [
    (429, "Too many concurrent aggregations.", QuotaError, True),
    (429, "Quota exceeded for quota metric 'Requests' per minute.", QuotaError, True),
    (400, "Too many concurrent aggregations.", QuotaError, True),
    (403, "Rate Limit Exceeded", QuotaError, True),
    (429, "Quota exceeded: EECU-seconds per month of the noncommercial tier.", QuotaError, False),
    (403, "The daily quota of this project is exhausted.", QuotaError, False),
    (400, "User memory limit exceeded.", TooMuchError, False),
    (400, "Computation timed out.", TooMuchError, False),
    (400, "Total request size (51 bytes) must be less than or equal to 50.", TooMuchError, False),
    (500, "An internal error has occurred", ProviderError, True),
    (503, "The service is currently unavailable.", ProviderError, True),
    (408, "Request Timeout", ProviderError, True),
    (401, "Request had invalid authentication credentials.", AuthError, False),
    (403, "Caller does not have permission", AuthError, False),
    (404, "Asset 'C/one' not found.", ProviderError, False),
    (400, "Image.select: Band pattern 'B99' did not match any bands.", ProviderError, False),
]


@pytest.mark.parametrize(("status", "message", "kind", "retryable"), CASES)
def test_answer_then_its_class_follows_from_status_and_words(status, message, kind, retryable):
    error = refused(WHERE, raised(status, message))
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.where == WHERE
    assert message.rstrip(".") in error.because


def test_quota_when_the_server_names_a_time_then_it_is_kept():
    error = refused(WHERE, raised(429, "Too many requests", **{"retry-after": "17"}))
    assert error.retry_after == 17


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (ConnectionError("reset by peer"), ProviderError, True),
        (TimeoutError("timed out"), ProviderError, True),
        (ValueError("magic string is not correct"), ProviderError, True),
        (google_errors.TransportError("no route"), ProviderError, True),
        (google_errors.RefreshError("invalid_grant: Token has been revoked"), AuthError, False),
        (ee.EEException("User memory limit exceeded."), TooMuchError, False),
        (ee.EEException("Too many concurrent aggregations."), QuotaError, True),
        (ee.EEException("Cannot encode object"), ProviderError, False),
    ],
)
def test_error_without_an_answer_then_its_kind_tells(error, kind, retryable):
    found = refused(WHERE, error)
    assert type(found) is kind
    assert found.retryable is retryable


def test_message_then_secrets_in_addresses_are_not_shown():
    told = "no answer at https://me:pw@host/v1?key=secret&token=abc"
    error = refused(WHERE, ConnectionError(told))
    assert "secret" not in str(error) and "pw" not in str(error) and "abc" not in str(error)
    assert "https://host/v1" in str(error)


def test_too_much_then_it_survives_a_pickle():
    dumped = pickle.dumps(refused(WHERE, raised(400, "Computation timed out.")))
    error = pickle.loads(dumped)  # noqa: S301 (our own bytes)
    assert isinstance(error, TooMuchError)
    assert "Computation timed out" in str(error)
