"""The folder that a build writes into: whose it is, that nobody else writes, what is laid out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eodata.core.errors import StoreError
from eodata.core.plan import Plan
from eodata.store import files
from eodata.store.arrays import create_arrays
from eodata.store.label_files import LABELS


def check_target(root: Path, plan: Plan, *, force: bool = False) -> None:
    """Refuse a folder that holds something else. Changes nothing.

    Raises:
        StoreError: The folder is no store, or a store of another plan.
    """
    if check_folder(root) or force:
        return
    found = files.read_plan(root).digest
    if found != plan.digest:
        raise StoreError(
            str(root),
            f"it holds a build of another plan ({found[:12]}, now {plan.digest[:12]})",
            "the recipe, --scale, --limit, --provider or what the archive answers has changed.",
            "Give another --out, go on as planned with --locked, or start over with --force.",
        )


def check_folder(root: Path) -> bool:
    """Return True for a folder that is free, False for a store.

    Raises:
        StoreError: It is neither.
    """
    if not root.exists() or (root.is_dir() and not _content(root)):
        return True
    if not files.is_store(root):
        raise StoreError(
            str(root),
            "the folder exists and is no eodata store" if root.is_dir() else "this is a file",
            "a build never writes among other people's files.",
            "Give another --out.",
        )
    return False


def remove_store(root: Path) -> None:
    """Remove what eodata wrote into a store, and nothing else.

    The group's metadata goes first and the plan last: whatever a crash leaves is still a store,
    and the next build lays its arrays out anew.
    """
    files.remove_file(root / files.GROUP_METADATA)
    files.remove_tree(root / files.DATA)
    files.remove_tree(root / LABELS)
    for name in (files.SAMPLES, files.STEPS, files.CARD, *files.LEDGER_FILES, files.PLAN):
        files.remove_file(root / name)


def _content(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.name != files.LOCK]


@contextmanager
def lock_target(root: Path) -> Iterator[None]:
    """Keep other builds out of this folder; the system frees the lock when the process dies.

    Raises:
        StoreError: Another build is writing here, or the folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / files.LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            str(root), "another build is writing here", "one store, one writer.", "Wait for it."
        ) from None
    except OSError as error:
        raise StoreError(
            str(root), f"cannot be written: {error.strerror}", "", "Give another --out."
        ) from None
    try:
        yield
    finally:
        lock.release()


def lay_out(root: Path, plan: Plan) -> None:
    """Write plan and array metadata where they are missing, and sweep what killed runs left.

    Raises:
        StoreError: The store follows another plan, or the disk refuses.
    """
    files.sweep_partials(root)
    files.write_plan(root, plan)
    create_arrays(root, plan)
