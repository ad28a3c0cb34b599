"""What the servers need beside the base installation."""

from __future__ import annotations

from importlib.util import find_spec

from eodata.core.errors import EodataError

PACKAGES = ("cql2", "stac_fastapi", "uvicorn")


def check_installed() -> None:
    """Refuse to go on without the packages of the extra `sandbox`; imports none of them.

    Raises:
        EodataError: One is missing.
    """
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise EodataError(
            "sandbox",
            f"{', '.join(missing)} is not installed",
            "the servers are made with it.",
            "Install the extra: pip install 'eodata[sandbox]'.",
        )
