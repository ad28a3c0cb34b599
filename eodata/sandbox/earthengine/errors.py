"""Requests that are refused, in the form of Google's APIs."""

from __future__ import annotations

import json

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
TOO_MANY = (
    "Too Many Requests: Request was rejected because the request rate or concurrency limit was "
    "exceeded."
)
"""As Earth Engine's guide to debugging quotes it."""


class EngineError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        message: In the words of Earth Engine where they are known.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message

    @property
    def body(self) -> bytes:
        """The answer, JSON."""
        name = STATUS_NAMES.get(self.status, "UNKNOWN")
        said = {"code": self.status, "message": self.message, "status": name}
        return json.dumps({"error": said}).encode()


def invalid(message: str) -> EngineError:
    """Return the refusal of what cannot be meant."""
    return EngineError(400, message)


def not_found(asset_id: str) -> EngineError:
    """Return the refusal of an asset that does not exist."""
    why = "does not exist or doesn't allow this operation."
    return EngineError(404, f"Asset 'projects/earthengine-public/assets/{asset_id}' {why}")
