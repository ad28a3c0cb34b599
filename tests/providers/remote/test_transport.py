"""Requests to a server that misbehaves: which errors come, after how many requests."""

from __future__ import annotations

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from eodata.core.endpoint import Endpoint
from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.core.retry import RetryPolicy
from eodata.providers.breaker import drawn
from eodata.providers.remote.loop import give_up
from eodata.providers.remote.transport import Address, Traffic, Transport
from tests.providers.remote.conftest import AT_ONCE, Reading
from tests.providers.remote.file_server import Answer, FileServer

ATTEMPTS = AT_ONCE.attempts


def failed(reading: Reading, *ranges: tuple[int, int]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        reading.get(*(ranges or [(0, 100)]))
    return caught.value


def test_ranges_then_their_bytes_come_in_the_order_asked_for(
    reading: Reading, file_server: FileServer
) -> None:
    data = file_server.files["/a.bin"]
    ranges = [(i, i + 1000) for i in (90_000, 0, 500, 42)]
    assert reading.get(*ranges) == [data[a:b] for a, b in ranges]
    assert (reading.traffic.requests, reading.traffic.retried) == (4, 0)
    assert reading.traffic.bytes == 4000


def test_nothing_wanted_then_no_request(reading: Reading, file_server: FileServer) -> None:
    assert reading.get() == []
    assert not file_server.seen


def test_range_beyond_the_end_then_what_there_is_and_the_size(
    reading: Reading, file_server: FileServer
) -> None:
    wanted = [(Address(reading.url, ""), part) for part in ((99_990, 100_500), (200_000, 200_001))]
    last, beyond = reading.transport.fetch(wanted, reading.traffic)
    assert (last.data, last.size) == (file_server.files["/a.bin"][-10:], 100_000)
    assert (beyond.data, beyond.size) == (b"", 100_000)


def test_size_not_told_then_the_end_tells_it(reading: Reading, file_server: FileServer) -> None:
    file_server.due += [
        Answer(headers={"Content-Range": "bytes 99990-99999/*"}),
        Answer(headers={"Content-Range": "bytes 0-9/*"}),
    ]
    address = Address(reading.url, "")
    (last,) = reading.transport.fetch([(address, (99_990, 100_500))], Traffic())
    (first,) = reading.transport.fetch([(address, (0, 10))], Traffic())
    assert (len(last.data), last.size, len(first.data), first.size) == (10, 100_000, 10, None)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 522])
def test_waiting_may_help_then_asked_as_often_as_the_policy_says(
    status: int, reading: Reading, file_server: FileServer
) -> None:
    file_server.always = Answer(status=status)
    error = failed(reading)
    assert (type(error), error.retryable, error.retry_after) == (ProviderError, True, None)
    assert str(status) in error.found
    assert len(file_server.seen) == reading.traffic.requests == ATTEMPTS
    assert reading.traffic.retried == ATTEMPTS - 1


@pytest.mark.parametrize("status", [400, 404, 410, 416])
def test_refused_for_good_then_asked_once(
    status: int, reading: Reading, file_server: FileServer
) -> None:
    file_server.always = Answer(status=status)
    error = failed(reading)
    assert (type(error), error.retryable) == (ProviderError, False)
    assert len(file_server.seen) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_no_access_then_log_in(status: int, reading: Reading, file_server: FileServer) -> None:
    file_server.always = Answer(status=status)
    error = failed(reading)
    assert isinstance(error, AuthError)
    assert (error.exit_code, error.retryable, len(file_server.seen)) == (4, False, 1)


def test_too_many_requests_then_quota(reading: Reading, file_server: FileServer) -> None:
    file_server.always = Answer(status=429)
    error = failed(reading)
    assert isinstance(error, QuotaError)
    assert (error.exit_code, error.retryable, error.retry_after) == (5, True, None)
    assert len(file_server.seen) == ATTEMPTS


def test_longer_than_we_wait_then_the_archive_is_left_alone(
    reading: Reading, file_server: FileServer
) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1))
    file_server.always = Answer(status=429, headers={"Retry-After": in_an_hour})
    error = failed(reading)
    again = failed(reading)
    assert isinstance(error, QuotaError)
    assert isinstance(again, QuotaError)
    assert 3500 < (error.retry_after or 0) <= 3600
    assert 3500 < (again.retry_after or 0) <= 3600
    assert len(file_server.seen) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_asked_to_come_back_then_asked_again(
    status: int, reading: Reading, file_server: FileServer
) -> None:
    file_server.due.append(Answer(status=status, headers={"Retry-After": "0"}))
    assert reading.get((0, 10)) == [file_server.files["/a.bin"][:10]]
    assert reading.traffic.retried == 1


def test_time_until_the_next_attempt_then_never_less_than_asked_for() -> None:
    asked = [drawn(10.0, 10.0) for _ in range(100)]
    own = [drawn(10.0, None) for _ in range(100)]
    assert 10 <= min(asked) < max(asked) <= 15
    assert 5 <= min(own) < max(own) <= 10


@pytest.mark.parametrize(
    "answer",
    [
        Answer(sent=0),
        Answer(sent=50),
        Answer(body=b"x" * 99, headers={"Content-Length": None, "Connection": "close"}, sent=99),
        Answer(body=b"x" * 101),
        Answer(headers={"Content-Range": "bytes 1-100/100000"}),
        Answer(headers={"Content-Range": "bytes 1-99/100000"}),
        Answer(headers={"Content-Range": "bytes 0-98/100000"}, body=b"x" * 99),
        Answer(headers={"Content-Range": None}),
        Answer(headers={"Content-Range": "pages 1-2"}),
    ],
    ids=["empty", "cut", "short", "long", "shifted", "later", "fewer", "unsaid", "nonsense"],
)
def test_broken_answer_then_asked_again(
    answer: Answer, reading: Reading, file_server: FileServer
) -> None:
    file_server.due.append(answer)
    assert reading.get((0, 100)) == [file_server.files["/a.bin"][:100]]
    assert (reading.traffic.requests, reading.traffic.retried) == (2, 1)
    file_server.always = answer
    error = failed(reading)
    assert (type(error), error.retryable) == (ProviderError, True)


def test_connection_reset_then_asked_again(reading: Reading, file_server: FileServer) -> None:
    """Once more without our doing: aiohttp cannot know whether the connection was merely old."""
    file_server.due += [Answer(reset=True)] * 2
    assert reading.get((0, 100)) == [file_server.files["/a.bin"][:100]]
    assert (len(file_server.seen), reading.traffic.retried) == (3, 1)
    file_server.always = Answer(reset=True)
    error = failed(reading)
    assert (type(error), error.retryable) == (ProviderError, True)


def test_endless_answer_then_not_read_to_its_end(reading: Reading, file_server: FileServer) -> None:
    file_server.always = Answer(body=b"x" * 1000, headers={"Content-Length": "1000000"})
    assert "bytes came, 100 were asked for" in failed(reading).because
    assert reading.traffic.bytes == 0


def test_whole_file_instead_of_a_part_then_for_good(
    reading: Reading, file_server: FileServer
) -> None:
    file_server.always = Answer(status=200, body=b"all of it")
    error = failed(reading)
    assert "whole file" in error.found
    assert (error.retryable, len(file_server.seen)) == (False, 1)


def test_no_answer_then_given_up(endpoint: Endpoint, file_server: FileServer) -> None:
    reading = Reading(endpoint.model_copy(update={"patience": 0.05}))
    file_server.always = Answer(hang=True)
    error = failed(reading)
    assert error.retryable
    assert "nothing came" in error.because
    assert len(file_server.seen) == ATTEMPTS


def test_nobody_there_then_waiting_may_help(endpoint: Endpoint, file_server: FileServer) -> None:
    reading = Reading(endpoint)
    reading.url = "http://127.0.0.1:9/a.bin"
    assert failed(reading).retryable


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/a", "http://[::1/a", "http://a:b/"])
def test_address_that_is_none_then_for_good(url: str, reading: Reading) -> None:
    reading.url = url
    assert not failed(reading).retryable


def test_pages_that_lead_in_a_circle_then_for_good(
    reading: Reading, file_server: FileServer
) -> None:
    file_server.always = Answer(status=302, headers={"Location": "/a.bin"})
    assert not failed(reading).retryable


def test_one_range_fails_then_the_others_are_given_up(
    endpoint: Endpoint, file_server: FileServer
) -> None:
    reading = Reading(endpoint.model_copy(update={"patience": 1000}))
    file_server.due += [Answer(hang=True)] * 3
    file_server.always = Answer(status=404)
    error = failed(reading, (0, 1), (1, 2), (2, 3), (3, 4))
    assert "404" in error.found
    # Their connections are free again.
    file_server.always = None
    assert len(reading.get(*[(i, i + 1) for i in range(64)])) == 64


def test_many_threads_then_never_more_requests_than_allowed(
    endpoint: Endpoint, file_server: FileServer
) -> None:
    file_server.hold = 4
    reading = Reading(endpoint.model_copy(update={"in_flight": 8}))
    reading.transport = Transport(endpoint.model_copy(update={"in_flight": 8}), share=0.5)
    found: list[list[bytes]] = []
    threads = [
        threading.Thread(target=lambda: found.append(reading.get(*[(i, i + 9) for i in range(10)])))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = file_server.files["/a.bin"]
    assert found == [[data[i : i + 9] for i in range(10)]] * 12
    assert (file_server.peak, len(file_server.seen)) == (4, 120)


def test_share_of_few_then_at_least_one(endpoint: Endpoint) -> None:
    assert Transport(endpoint.model_copy(update={"in_flight": 2}), share=0.1).in_flight == 1


def test_archive_down_then_left_alone(endpoint: Endpoint, file_server: FileServer) -> None:
    file_server.always = Answer(status=500)
    reading = Reading(endpoint.model_copy(update={"in_flight": 2}), RetryPolicy(attempts=1))
    for _ in range(12):
        failed(reading)
    error = failed(reading)
    assert "seems to be down" in error.found
    assert error.retryable
    assert 0 < (error.retry_after or 0) <= 30
    assert len(file_server.seen) == 12


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=403),
        Answer(status=500),
        Answer(sent=3),
        Answer(status=200),
        Answer(reset=True),
    ],
    ids=["denied", "down", "cut", "whole", "reset"],
)
def test_address_with_secrets_then_no_error_shows_them(
    answer: Answer, reading: Reading, file_server: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    reading.url = f"{file_server.url}/a.bin?sig=SECRET".replace("//", "//me:PASSWORD@")
    file_server.always = answer
    error = failed(reading)
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error) + caplog.text
    assert "SECRET" not in shown
    assert "PASSWORD" not in shown
    assert "/a.bin" in error.where


def test_requests_that_are_given_up_then_an_error_that_waiting_may_mend(
    file_server: FileServer, reading: Reading
) -> None:
    file_server.always = Answer(hang=True)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(reading.get, (0, 10))
        file_server.wait_for(1)
        give_up()
        error = asked.exception(timeout=20)
    assert isinstance(error, ProviderError)
    assert error.retryable
    file_server.always = None
    assert reading.get((0, 10)) == [file_server.files["/a.bin"][:10]]
