"""What Earth Engine says of itself; see `eodata/sandbox/data/README.md` for where it comes from."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from importlib.resources import files
from typing import Any


def discovery(root: str) -> dict[str, Any]:
    """Return the description of all methods.

    Args:
        root: Address of the server, without a slash at the end.
    """
    found: dict[str, Any] = json.loads(_text("earthengine_discovery"))
    return {**found, "rootUrl": f"{root}/", "baseUrl": f"{root}/"}


def algorithms() -> bytes:
    """Return the list of all functions, JSON."""
    return _text("earthengine_algorithms")


@lru_cache(maxsize=2)
def _text(name: str) -> bytes:
    return gzip.decompress((files("eodata.sandbox") / "data" / f"{name}.json.gz").read_bytes())
