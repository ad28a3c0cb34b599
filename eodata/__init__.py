"""Build, search and read Earth-observation datasets.

Importing this package loads nothing heavy: `open_dataset` brings torch when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eodata.datasets.opening import open_dataset

    __version__: str

__all__ = ["__version__", "open_dataset"]


def __getattr__(name: str) -> Any:
    if name == "open_dataset":
        return import_module("eodata.datasets.opening").open_dataset
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'eodata' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """Return the installed version, `0+source` when run from a folder that was never installed."""
    try:
        return metadata.version("eodata")
    except metadata.PackageNotFoundError:
        return "0+source"
