"""The folder that an export writes into: whose it is, and which of its files are complete.

```text
DIR/.export/
├── journal.jsonl     first line: of what; then one line per finished file
├── lock              keeps a second export out
└── *.partial         files being written
```

Half-written files lie apart, because readers of published trees count whatever they list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, Self

from filelock import FileLock, Timeout

from eodata.core.errors import StoreError
from eodata.exchange.task import Part

STATE = ".export"
JOURNAL = "journal.jsonl"
FORMAT_KEY = "eodata_export"
FORMAT = 1

Head = Mapping[str, Any]
"""What the folder holds: format, store, and every setting that decides on bytes."""


class Journal:
    """The files of an export that are complete. Threads may share it.

    A line is appended after its file is in place. Nothing waits for the disk: what a power cut
    takes away is seen by its size when the export is run again.

    Attributes:
        root: The folder.
    """

    def __init__(self, root: Path, head: Head) -> None:
        self.root = root
        path = root / STATE / JOURNAL
        self._entries = dict(_entries(path))
        self._lock = Lock()
        self._file = path.open("ab")
        if path.stat().st_size == 0:
            self._append({FORMAT_KEY: FORMAT, **head})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self._file.close()

    def size(self, path: str, mark: str) -> int | None:
        """Return the bytes of a file that is there and holds what `mark` says, else None."""
        known = self._entries.get(path)
        if known is None or known[1] != mark:
            return None
        try:
            size = (self.root / path).stat().st_size
        except OSError:
            return None
        return size if size == known[0] else None

    def write(self, path: str, mark: str, parts: Iterable[Part]) -> int:
        """Write a file, whole or not at all, note it, and return its bytes.

        Raises:
            StoreError: The disk refuses.
        """
        partial = self.root / STATE / f"{token_hex(8)}.partial"
        try:
            with partial.open("wb") as file:
                size = sum(file.write(part) for part in parts)
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
            self._append({"path": path, "size": size, "mark": mark})
        except OSError as error:
            raise _refused(self.root / path, error) from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        return size

    def _append(self, line: Mapping[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._file.write(data)
            self._file.flush()


@contextmanager
def open_journal(root: Path, head: Head, *, force: bool) -> Iterator[Journal]:
    """Take a folder for an export, and go on where an earlier one of the same head stopped.

    Args:
        root: New, empty, or of an earlier export.
        head: What is to be exported.
        force: Remove what an earlier export wrote, whatever it was, and start over.

    Raises:
        StoreError: The folder holds something else, or another export writes into it.
    """
    check_folder(root, head, force=force)
    with _locked(root):
        if force:
            _remove_files(root)
        for partial in (root / STATE).glob("*.partial"):
            partial.unlink(missing_ok=True)
        _cut_torn_line(root / STATE / JOURNAL)
        with Journal(root, head) as journal:
            yield journal


def check_folder(root: Path, head: Head, *, force: bool) -> None:
    """Refuse a folder that holds something else. Changes nothing.

    Raises:
        StoreError: It is a file, holds other files, or another export.
    """
    if root.exists() and not root.is_dir():
        raise StoreError(str(root), "this is a file", "", "Give another folder.")
    found = _head(root / STATE / JOURNAL)
    if found is None:
        if root.is_dir() and any(path.name != STATE for path in root.iterdir()):
            raise StoreError(
                str(root),
                "the folder is not empty and holds no export",
                "an export never writes among other files, with --force neither.",
                "Give another folder.",
            )
        return
    differing = sorted(key for key in head if found.get(key) != head[key])
    if differing and not force:
        told = ", ".join(f"{key} {found.get(key)!r}, now {head[key]!r}" for key in differing)
        raise StoreError(
            str(root),
            f"it holds another export: {told}",
            "files of two exports in one folder could not be told apart.",
            "Give another folder, or replace what is there with --force.",
        )


def _remove_files(root: Path) -> None:
    """Remove every file that the journal names, folders that this leaves empty, and the journal."""
    journal = root / STATE / JOURNAL
    folders = set()
    for path, _ in _entries(journal):
        if Path(path).is_absolute() or ".." in Path(path).parts:
            continue  # an edited journal reaches no file outside
        (root / path).unlink(missing_ok=True)
        folders.update(list((root / path).parents)[: len(Path(path).parts) - 1])
    for folder in sorted(folders, key=lambda f: len(f.parts), reverse=True):
        with suppress(OSError):  # not empty: other files were put there
            folder.rmdir()
    journal.unlink(missing_ok=True)


def _entries(path: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield path, bytes and mark of each noted file; what cannot be read is not noted."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                yield str(entry["path"]), (int(entry["size"]), str(entry["mark"]))


def _head(path: Path) -> dict[str, Any] | None:
    """Return what the folder holds, None when it is no export of ours."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get(FORMAT_KEY) == FORMAT else None


def _cut_torn_line(path: Path) -> None:
    """Remove the line that a killed run left without its end."""
    if path.is_file() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    try:
        (root / STATE).mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / STATE / "lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            str(root), "another export is writing here", "one folder, one writer.", "Wait for it."
        ) from None
    except OSError as error:
        raise _refused(root, error) from error
    try:
        yield
    finally:
        lock.release()


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        str(path),
        f"it cannot be written: {error.strerror or error}",
        "",
        "Free space, or check the rights, and run the export again; finished files are kept.",
    )
