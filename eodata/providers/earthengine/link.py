"""Requests of Earth Engine's client over HTTP: as many connections as requests, and time-outs.

The client's own has ten connections and waits for ever. What goes wrong is raised as the two errors
of Python that the client's libraries know, so statuses and bodies stay theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

import httplib2  # type: ignore[import-untyped]
import requests
from requests.adapters import HTTPAdapter

CONNECT_S = 10.0
READ_S = 180.0
"""Without a byte for so long, a request is given up; computations take minutes at worst [s]."""


class Link:
    """What the client takes for an `httplib2.Http`. Threads may share it.

    Args:
        connections: Kept open.
        patience: Seconds without a byte after which a request is given up [s].
    """

    def __init__(self, connections: int, patience: float = READ_S) -> None:
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=connections))
        self._timeout = min(CONNECT_S, patience), patience

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        redirections: int | None = None,  # noqa: ARG002 (httplib2 names it)
        connection_type: object = None,  # noqa: ARG002
    ) -> tuple[httplib2.Response, bytes]:
        """Make one request.

        Returns:
            Status and headers, and the body.

        Raises:
            ConnectionError: No complete answer came.
            TimeoutError: None came in time.
        """
        try:
            answer = self._session.request(
                method, uri, data=body, headers=headers, timeout=self._timeout
            )
        except requests.Timeout as error:
            raise TimeoutError(str(error)) from error
        except requests.RequestException as error:
            raise ConnectionError(str(error)) from error
        told = {**answer.headers, "status": str(answer.status_code)}
        return httplib2.Response(told), answer.content

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()
