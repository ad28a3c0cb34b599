"""Ask endpoints whether they can be reached: once, briefly, all at the same time."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from eodata import resources
from eodata.build.locations import ANY_STAC
from eodata.core.endpoint import Endpoint, StacLocation
from eodata.core.errors import ProviderError
from eodata.providers.remote.addresses import cleaned

if TYPE_CHECKING:
    import requests

PATIENCE_S = 3.0
"""An endpoint that does not answer within this time counts as not reachable [s]."""
NO_ROUTE = frozenset(
    {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
)
"""The system says that nobody is there; waiting a few seconds would not help."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What an endpoint answered.

    Attributes:
        collections: How many it has; None when it cannot be reached.
        complete: False when it lists more than it counts and than one page holds.
        why: Why it cannot be reached, or `""`.
    """

    collections: int | None
    complete: bool = True
    why: str = ""

    def __str__(self) -> str:
        if self.collections is None:
            return f"not reachable: {self.why}"
        return f"reachable ({'' if self.complete else 'at least '}{self.collections} collections)"


def endpoints_at(locations: Mapping[str, str]) -> list[Endpoint]:
    """Return the endpoints that `stac_locations` found."""
    return [StacLocation.model_validate_json(text).endpoint for text in locations.values()]


def keys_of(endpoint: Endpoint) -> dict[str, bool]:
    """Return which variables hold the endpoint's keys, and whether they are set; no values."""
    rule = endpoint.object_store
    names = () if rule is None else (rule.access_key, rule.secret_key)
    return {name: bool(os.environ.get(name)) for name in names}


def reach_all(endpoints: Sequence[Endpoint], patience: float = PATIENCE_S) -> dict[str, Reach]:
    """Ask every endpoint for its collections at the same time, without a second attempt.

    Args:
        endpoints: Each name once.
        patience: For all of them together [s].

    Returns:
        By name of the endpoint.
    """
    if find_spec("requests") is None:
        missing = Reach(None, why="asking takes packages: pip install eodata[stac]")
        return {one.name: missing for one in endpoints}
    found: dict[str, Reach] = {}

    def ask(endpoint: Endpoint) -> None:
        found[endpoint.name] = _reach(endpoint, patience)

    # Daemons: looking up a name may take far longer than our patience, and cannot be broken off.
    threads = [threading.Thread(target=ask, args=(one,), daemon=True) for one in endpoints]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = Reach(None, why=f"no answer within {patience:g} s")
    return {one.name: found.get(one.name, late) for one in endpoints}


def refuse_unreachable(provider: str, locations: Mapping[str, str]) -> None:
    """Say at once that nobody is there, where a search would try for long; else do nothing.

    Raises:
        ProviderError: The connection is refused, or there is no way to the host.
    """
    if provider not in resources.endpoints() and provider != ANY_STAC:
        return
    endpoint = StacLocation.model_validate_json(locations[provider]).endpoint
    why = _nobody_there(endpoint)
    if why:
        raise ProviderError(
            f"{endpoint.name} ({endpoint.url})",
            f"it cannot be reached: {why}",
            "without an answer from the archive nothing can be listed.",
            "Check network, proxy and address (eodata doctor --online), or look at what needs no "
            "network: --provider sandbox, or --provider archive with --archive PATH.",
            retryable=True,
        )


def _nobody_there(endpoint: Endpoint) -> str:
    """Return why no connection comes about, `""` when one does or when that is not certain."""
    import requests

    try:
        requests.head(endpoint.url, timeout=PATIENCE_S, allow_redirects=False).close()
    except requests.RequestException as error:
        certain = any(
            isinstance(cause, socket.gaierror) or getattr(cause, "errno", None) in NO_ROUTE
            for cause in _causes(error)
        )
        return _reason(error) if certain else ""
    return ""


def _reach(endpoint: Endpoint, patience: float) -> Reach:
    import requests

    try:
        with requests.get(f"{endpoint.url}/collections", timeout=patience) as answer:
            return _read(answer)
    except requests.Timeout:
        return Reach(None, why=f"no answer within {patience:g} s")
    except requests.RequestException as error:
        return Reach(None, why=_reason(error))


def _read(answer: requests.Response) -> Reach:
    if answer.status_code != HTTPStatus.OK:
        return Reach(None, why=f"it answers {answer.status_code} {answer.reason}".rstrip())
    try:
        told: Any = answer.json()
        listed, counted = len(told["collections"]), told.get("numberMatched")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Reach(None, why="what answers there is no STAC API")
    more = any(link.get("rel") == "next" for link in told.get("links", ()))
    if isinstance(counted, int):
        return Reach(counted)
    return Reach(listed, complete=not more)


def _reason(error: requests.RequestException) -> str:
    """Return the first cause that the system names, in a few words and without secrets."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "there is no such host, or no network"
        if isinstance(cause, OSError) and cause.errno is not None:
            return (cause.strerror or os.strerror(cause.errno)).lower()
    return cleaned(str(error)) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from, the innermost first."""
    if error is not None:
        yield from _causes(error.__cause__ or error.__context__)
        yield error
