"""Endpoints as data: where an archive's STAC API is, how its files are opened, how hard to ask.

One YAML row per archive, parsed into this model. A new archive is a new row, not new code.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import ConfigDict, Field, field_validator

from eodata.core.errors import RecipeError
from eodata.core.strict import Strict

_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")


def plain_address(url: str) -> str:
    """Return the root of an archive without a slash at its end.

    Raises:
        RecipeError: It is no http(s) address, or has a user, a password or a query.
    """
    if not _ADDRESS.fullmatch(url):
        raise RecipeError(
            "url",
            "the address of an archive is no plain http(s):// address",
            "it is shown in plans and messages, so it has no user, password or query.",
            "Write it as https://example.org/stac/v1; accounts belong into ~/.netrc.",
        )
    return url.rstrip("/")


class TokenRule(Strict):
    """How a file's URL becomes one that opens: a token is appended as its query."""

    path: str = Field(
        description="Where tokens are handed out, on the endpoint's own host; {collection} is "
        "filled in. The answer holds `token` and `msft:expiry`."
    )
    hosts: tuple[str, ...] = Field(
        default=(),
        description="Hosts that get the token, with * as a wildcard, beside the endpoint's own.",
    )


class ObjectStoreRule(Strict):
    """How files with an s3:// address are reached."""

    url: str = Field(default="", description="Address of the object store; none means AWS.")
    region: str = ""
    anonymous: bool = Field(
        default=False, description="Buckets whose readers do not pay open without keys."
    )
    access_key: str = Field(description="Environment variable that holds the access key.")
    secret_key: str = Field(description="Environment variable that holds the secret key.")


class Endpoint(Strict):
    """One STAC API.

    Its address is written into plans and messages, so it never holds a password.
    """

    # Of an address that is refused, nobody shall see the password.
    model_config = ConfigDict(hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    url: str = Field(description="Root of the API, without a slash at the end.")
    in_flight: int = Field(
        default=32, ge=1, le=256, description="Requests for pixels that may be under way at once."
    )
    patience: float = Field(
        default=30.0, gt=0, description="Seconds without a byte after which a request is given up."
    )
    page: int = Field(default=250, ge=1, le=10_000, description="Items per page of a search.")
    token: TokenRule | None = None
    object_store: ObjectStoreRule | None = None
    note: str = Field(default="", description="What a user must know, in one sentence.")

    @field_validator("url")
    @classmethod
    def _address_is_plain(cls, url: str) -> str:
        return plain_address(url)

    def at(self, url: str) -> Endpoint:
        """Return the same archive at another address.

        Raises:
            RecipeError: The address is none, or holds a password.
        """
        return Endpoint.parse(self.model_dump() | {"url": url}, self.name)


class StacLocation(Strict):
    """Where and how a STAC archive is read: what a worker needs to open its provider."""

    endpoint: Endpoint
    like: str = Field(
        default="", description="Endpoint whose collections and asset keys it has, if any."
    )
    share: float = Field(
        default=1.0, gt=0, le=1, description="Part of the requests at once for one process."
    )

    def shared(self, processes: int) -> StacLocation:
        """Return the same for each of several processes, which know nothing of each other."""
        return self.model_copy(update={"share": self.share / max(1, processes)})


OffsetSource = Literal["stated", "flag", "baseline", "harmonised"]
"""Who says whether Sentinel-2's numbers hold the offset of -0.1 that baseline 04.00 brought."""
