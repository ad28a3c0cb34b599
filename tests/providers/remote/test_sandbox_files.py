"""Files of the sandbox's servers, whose faults are those of real archives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pystac_client import Client

from eodata.core.endpoint import Endpoint
from eodata.core.errors import ProviderError, QuotaError
from eodata.core.retry import RetryPolicy
from eodata.providers.remote.transport import Address, Traffic, Transport

pytest_plugins = ["eodata.sandbox.pytest_plugin"]

Start = Callable[..., Any]
PARTS = [(n * 5000, n * 5000 + 700) for n in range(16)]
AT_ONCE = RetryPolicy(attempts=12, first_delay=0.0)


def fetched(server: Any, traffic: Traffic, policy: RetryPolicy = AT_ONCE) -> list[bytes]:
    """Return parts of the first file that the server lists."""
    where = {"bbox": [11.0, 48.05, 11.02, 48.06], "datetime": "2018-06-01/2018-06-12"}
    found = Client.open(server.api).search(collections=["sentinel-2-l2a"], limit=1, **where)
    url = next(found.items()).assets["scl"].href
    endpoint = Endpoint(name="test", title="Test", url=server.api, patience=20)
    wanted = [(Address(url, "sentinel-2-l2a"), part) for part in PARTS]
    return [piece.data for piece in Transport(endpoint, policy=policy).fetch(wanted, traffic)]


def test_faults_that_pass_then_the_same_bytes(sandbox_server: Start) -> None:
    plain, faulty = Traffic(), Traffic()
    expected = fetched(sandbox_server("earth-search"), plain)
    faults = "retry_after=0,429=0.1,503=0.1,asset:truncate=0.2,asset:reset@9,500@10-13"
    assert fetched(sandbox_server("earth-search", faults=faults), faulty) == expected
    assert [len(data) for data in expected] == [700] * len(PARTS)
    assert (plain.requests, plain.retried) == (len(PARTS), 0)
    assert faulty.retried > 4
    assert faulty.bytes == plain.bytes == 700 * len(PARTS)


@pytest.mark.parametrize(
    ("fault", "kind", "retryable"),
    [
        ("asset:429-bare", QuotaError, True),
        ("asset:502", ProviderError, True),
        ("asset:truncate", ProviderError, True),
        ("missing", ProviderError, False),
    ],
)
def test_faults_that_stay_then_their_error(
    sandbox_server: Start, fault: str, kind: type, retryable: bool
) -> None:
    server = sandbox_server("earth-search", faults=fault)
    with pytest.raises(ProviderError) as caught:
        fetched(server, Traffic(), RetryPolicy(attempts=3, first_delay=0.0))
    assert (type(caught.value), caught.value.retryable) == (kind, retryable)
    assert "/assets/" in caught.value.where or "seems to be down" in caught.value.found
