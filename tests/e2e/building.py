"""What the end-to-end tests share: how a command ended, and what a store holds."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ran]
TIMEOUT_S = 120


def run_command(
    command: Sequence[object],
    environment: dict[str, str],
    cwd: Path | None = None,
    before: Callable[[], None] | None = None,
) -> Ran:
    """Run a command to its end, at most two minutes; `before` runs in the child first."""
    done = subprocess.run(
        [str(word) for word in command],
        env=environment,
        cwd=cwd,
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def array_bytes(store: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under data.zarr."""
    root = store / "data.zarr"
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
