"""Where Earth Engine is asked, for whom, and how hard: what a worker needs to open its provider."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from eodata.core.endpoint import plain_address
from eodata.core.strict import Strict

HIGH_VOLUME = "https://earthengine-highvolume.googleapis.com"
"""Google's address for many small requests."""
_GOOGLE = re.compile(r"https://[a-z0-9-]+\.googleapis\.com(/[^\s?#@\\]*)?")


class EarthEngineLocation(Strict):
    """One project's access to Earth Engine. It holds no secret."""

    project: str = Field(
        default="", description="Cloud project that the requests are counted for, one per build."
    )
    url: str = Field(default=HIGH_VOLUME, description="Root of the REST API.")
    in_flight: int = Field(
        default=40, ge=1, le=1000, description="Requests at once that the project's quota allows."
    )
    share: float = Field(
        default=1.0, gt=0, le=1, description="Part of the requests at once for one process."
    )
    anonymous: bool = Field(
        default=False, description="Send no credentials: for a simulated Earth Engine alone."
    )

    @field_validator("url")
    @classmethod
    def _address_is_plain(cls, url: str) -> str:
        return plain_address(url)

    @classmethod
    def at(cls, url: str) -> EarthEngineLocation:
        """Return the Earth Engine at another address, which gets no credentials unless Google's.

        Raises:
            RecipeError: The address is none, or holds a password.
        """
        found = cls.parse({"url": url}, "earthengine")
        if found.is_google:
            return found
        return found.model_copy(update={"anonymous": True, "project": "sandbox-project"})

    @property
    def is_google(self) -> bool:
        """True for an address that credentials may be sent to."""
        return _GOOGLE.fullmatch(self.url) is not None

    @property
    def most(self) -> int:
        """Requests at once for this process."""
        return max(1, int(self.in_flight * self.share))

    def shared(self, processes: int) -> EarthEngineLocation:
        """Return the same for each of several processes, which know nothing of each other."""
        return self.model_copy(update={"share": self.share / max(1, processes)})
