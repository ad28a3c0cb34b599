"""Requests that cannot be answered, as STAC APIs say it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class RefusedError(Exception):
    """A request that cannot be answered.

    Attributes:
        status: HTTP status.
        why: What was asked and why that cannot work.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why

    @property
    def body(self) -> dict[str, str]:
        """The answer as JSON: `code` and `description`."""
        return {"code": HTTPStatus(self.status).phrase.replace(" ", ""), "description": self.why}


def not_found(what: str) -> RefusedError:
    """Return the answer to who asks for what is not there."""
    return RefusedError(404, f"there is no {what}")


def refusal_of(error: Any) -> RefusedError:
    """Return what an error of ours or of the web framework says."""
    if isinstance(error, RefusedError):
        return error
    if hasattr(error, "status_code"):
        return RefusedError(error.status_code, str(error.detail))
    if isinstance(error, OverflowError):
        return RefusedError(400, f"a time or a number is out of range: {error}")
    # What the framework checked: which parts of the request, and what is wrong with each.
    problems = [f"{'.'.join(str(p) for p in e['loc'][1:])}: {e['msg']}" for e in error.errors()]
    return RefusedError(400, "; ".join(problems))
