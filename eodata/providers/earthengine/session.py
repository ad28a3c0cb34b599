"""Earth Engine's own client, opened once per process, and what we ask of it: two things.

The client keeps its connection in a global, so a process talks to one Earth Engine for one project
at a time. Opening it here takes two requests; `ee.Initialize` would also download the list of all
functions and, from another host and without a time-out, that of deprecated data sets.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import ee
import google.auth.credentials
import numpy as np
from google.auth.credentials import with_scopes_if_required
from numpy.typing import NDArray

from eodata.core.earthengine import EarthEngineLocation
from eodata.core.errors import AuthError
from eodata.providers.earthengine.access import LOG_IN, NAME_PROJECT, find_access
from eodata.providers.earthengine.link import Link
from eodata.providers.earthengine.refusals import CAUGHT, refused

JSON = Mapping[str, Any]
Place = tuple[int, str, str, bool]
"""Process, address, project, and whether without credentials."""


class Client(Protocol):
    """What is asked of Earth Engine. Threads may share it; nothing is tried twice."""

    def check(self) -> None:
        """Raise when requests cannot be made.

        Raises:
            AuthError: There are no credentials or no project; with what to do.
            ProviderError: The server does not answer.
        """
        ...

    def list_images(self, asked: JSON) -> JSON:
        """Return one page of a collection: `images`, and `nextPageToken` when there is more.

        Raises:
            ProviderError: The server does not answer, or refuses.
        """
        ...

    def compute_pixels(self, where: str, asked: JSON) -> NDArray[np.void]:
        """Return pixels as a structured array `(height, width)`, one field per band.

        Args:
            where: What is asked for, for messages.
            asked: Expression and grid.

        Raises:
            ProviderError: The server does not answer, or refuses.
        """
        ...


class Session:
    """The client of one location. Threads may share it."""

    def __init__(self, location: EarthEngineLocation) -> None:
        self._location = location

    def check(self) -> None:
        """Raise when requests cannot be made, as `Client` says."""
        with self._said(self._location.url), self._pointed():
            pass

    def list_images(self, asked: JSON) -> JSON:
        """Return one page, as `Client` says."""
        with self._said(str(asked["parent"])), self._pointed():
            found: JSON = ee.data.listImages(dict(asked))
            return found

    def compute_pixels(self, where: str, asked: JSON) -> NDArray[np.void]:
        """Return pixels, as `Client` says."""
        with self._said(where), self._pointed():
            return np.asarray(ee.data.computePixels({**asked, "fileFormat": "NUMPY_NDARRAY"}))

    @contextmanager
    def _pointed(self) -> Iterator[None]:
        """Have the client point at this location meanwhile; those of another one wait."""
        own = os.getpid(), self._location.url, self._location.project, self._location.anonymous
        with _turn.changed:
            _turn.changed.wait_for(lambda: _turn.is_free_for(own))
            if _turn.at != own:
                _turn.at, _turn.users = None, 0
                self._open()
                _turn.at = own
            _turn.users += 1
        try:
            yield
        finally:
            with _turn.changed:
                _turn.users -= 1
                _turn.changed.notify_all()

    def _open(self) -> None:
        """Point the client at this location."""
        credentials, project = self._credentials()
        ee.data.reset()
        # What is asked again, and when, is the governor's business.
        ee.data.setMaxRetries(0)
        ee.data.initialize(
            credentials=credentials,
            api_base_url=f"{self._location.url}/api",
            tile_base_url=self._location.url,
            cloud_api_base_url=self._location.url,
            project=project,
            http_transport=Link(self._location.in_flight),
        )

    def _credentials(self) -> tuple[google.auth.credentials.Credentials, str]:
        """Return credentials and project.

        Raises:
            AuthError: One of them is missing, or would go to somebody else.
        """
        where, project = f"earthengine ({self._location.url})", self._location.project
        if self._location.anonymous:
            nobody = google.auth.credentials.AnonymousCredentials()  # type: ignore[no-untyped-call]
            return nobody, project or "nobody"
        if not self._location.is_google:
            raise AuthError(
                where,
                "it is no address of Google's",
                "credentials are sent to Google alone.",
                "Correct the address.",
            )
        found = _log_in(where)
        own = getattr(found, "quota_project_id", None) or getattr(found, "project_id", None)
        project = project or find_access().project or own or ""
        if not project:
            raise AuthError(where, "no project is named", "", f"{NAME_PROJECT}.")
        return found, project

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Turn what the client raises into our errors."""
        try:
            yield
        except CAUGHT as error:
            raise refused(f"earthengine ({what})", error) from None


@dataclass(slots=True)
class _Turn:
    """Whose turn it is to use the client.

    Attributes:
        at: Where it points; None when nowhere.
        users: Requests under way there.
        changed: Guards both.
    """

    at: Place | None = None
    users: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def is_free_for(self, own: Place) -> bool:
        """Return True when the client points there, or nobody uses it; a fork begins anew."""
        return self.at is None or self.at == own or self.users == 0 or self.at[0] != own[0]


_turn = _Turn()


def _log_in(where: str) -> google.auth.credentials.Credentials:
    """Return the credentials that are found where Google's tools look for them.

    Raises:
        AuthError: There are none.
    """
    try:
        found = ee.data.get_persistent_credentials()
    except ee.EEException:
        raise AuthError(
            where,
            "there are no credentials",
            "neither of `earthengine authenticate`, nor GOOGLE_APPLICATION_CREDENTIALS, nor of "
            "gcloud.",
            f"{LOG_IN}. Without an account: --provider sandbox",
        ) from None
    # An account has its scopes; a service account gets those that the client asks for.
    scoped: google.auth.credentials.Credentials = with_scopes_if_required(  # type: ignore[no-untyped-call]
        found, ee.oauth.SCOPES
    )
    return scoped
