"""What the end-to-end tests share: how a command ended, and what a store holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


def array_bytes(store: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under data.zarr."""
    root = store / "data.zarr"
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
