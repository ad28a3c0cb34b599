"""What an archive's answer means: class, whether waiting helps, for how long."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.providers.remote.failures import broken_off, no_ranges, refusal, seconds_of, unusable


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (429, QuotaError, True),
        (408, ProviderError, True),
        (500, ProviderError, True),
        (599, ProviderError, True),
        (401, AuthError, False),
        (403, AuthError, False),
        (404, ProviderError, False),
        (418, ProviderError, False),
        (304, ProviderError, False),
    ],
)
def test_status_then_its_class(status: int, kind: type[ProviderError], retryable: bool) -> None:
    error = refusal("a.tif", status, "7")
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.retry_after == (7.0 if retryable else None)
    assert str(status) in str(error)
    assert error.fix


@pytest.mark.parametrize("error", [broken_off("a", "b."), no_ranges("a"), unusable("a", "b")])
def test_other_failures_then_three_full_sentences(error: ProviderError) -> None:
    assert error.because.endswith(".")
    assert ".." not in str(error)
    assert error.retryable is (error.found == "no complete answer came")


def test_error_then_a_process_may_hand_it_to_another() -> None:
    error = refusal("a.tif", 429, "7")
    error.add_note("noted")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert (type(again), str(again), again.retry_after) == (QuotaError, str(error), 7.0)
    assert (again.retryable, again.__notes__) == (True, ["noted"])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0), (" 12 ", 12.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), (None, None),
        ("", None), ("soon", None), ("-3", None), ("1.5", None), ("²", None), ("Wed, 99", None),
    ],
)  # fmt: skip
def test_retry_after_then_seconds(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header) == seconds


def test_retry_after_as_a_date_then_seconds_from_now() -> None:
    until = datetime.now(UTC) + timedelta(hours=3)
    assert 10_700 < (seconds_of(format_datetime(until)) or 0) <= 10_800


@given(st.text())
def test_any_header_then_seconds_or_nothing(header: str) -> None:
    found = seconds_of(header)
    assert found is None or found >= 0
