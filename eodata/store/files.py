"""The parts of a store folder, and the one way in which bytes get into it.

A file appears whole or not at all: written beside its place, flushed to the disk, then renamed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from eodata.core.errors import StoreError
from eodata.core.plan import PLAN_FORMAT, Plan

DATA = "data.zarr"
SAMPLES = "samples.parquet"
STEPS = "steps.parquet"
PLAN = "plan/plan.json"
LEDGER = "ledger.sqlite"
LEDGER_FILES = (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", f"{LEDGER}-journal")
CARD = "card.yaml"
LOCK = "build.lock"
PARTIAL = ".partial"
HALF_WRITTEN = re.compile(r"\.[0-9a-f]{16}\.partial$")
GROUP_METADATA = f"{DATA}/zarr.json"
GROUP_MARK = "eodata_format"
"""Attribute by which a Zarr group is known as ours."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that it survives a crash: whole, or not there.

    Raises:
        StoreError: The disk refuses; nothing half-written stays behind.
    """
    partial = path.with_name(f"{path.name}.{token_hex(8)}{PARTIAL}")
    try:
        _make_folder(path.parent)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def remove_file(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        StoreError: The disk refuses.
    """
    try:
        path.unlink()
        _sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(path, error) from error


def remove_tree(path: Path) -> None:
    """Remove a folder and all that is in it, if it is there.

    Raises:
        StoreError: The disk refuses.
    """
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(path, error) from error


def sweep_partials(root: Path) -> int:
    """Remove what killed runs left half-written, and return how many files that were.

    Only names that `write_bytes` gives are touched.

    Only for the one run that holds the store: it would take a file from under a writer.

    Raises:
        StoreError: The disk refuses.
    """
    leftovers = [path for path in root.rglob(f"*{PARTIAL}") if HALF_WRITTEN.search(path.name)]
    for path in leftovers:
        remove_file(path)
    return len(leftovers)


def is_store(root: Path) -> bool:
    """Return True when `root` holds a store of eodata, finished, half-removed or just begun."""
    return (root / PLAN).is_file() or _is_our_group(root / GROUP_METADATA)


def _is_our_group(metadata: Path) -> bool:
    """Tell our Zarr group from anybody else's, which must never be touched."""
    try:
        document = json.loads(metadata.read_bytes())
    except (OSError, ValueError):
        return False
    attributes = document.get("attributes") if isinstance(document, dict) else None
    return isinstance(attributes, dict) and GROUP_MARK in attributes


def write_plan(root: Path, plan: Plan) -> None:
    """Put the plan into the store; the same plan again changes nothing.

    Raises:
        StoreError: The store follows another plan, or the disk refuses.
    """
    if (root / PLAN).is_file():
        check_same_plan(root, read_plan(root).digest, plan)
        return
    write_bytes(root / PLAN, plan.dumps().encode())


def read_plan(root: Path) -> Plan:
    """Return the plan that the store follows.

    Raises:
        StoreError: There is none, or it is foreign, damaged or edited.
    """
    path = root / PLAN
    data = read_json(path, "This folder is no store of eodata; give one that a build has made.")
    if not isinstance(data, dict) or "digest" not in data or "format" not in data:
        raise StoreError(
            str(path), "it is no plan of eodata", "it states no digest.", "Give another folder."
        )
    if data["format"] != PLAN_FORMAT:
        raise StoreError(
            str(path),
            f"the plan has format {data['format']}",
            f"this eodata reads format {PLAN_FORMAT}.",
            "Use the version of eodata that built the store.",
        )
    return _parse_plan(path, data)


def check_same_plan(root: Path, digest: str, plan: Plan) -> None:
    """Refuse to go on in a store that follows another plan.

    Raises:
        StoreError: `digest`, which the store states, is not that of `plan`.
    """
    if digest != plan.digest:
        raise StoreError(
            str(root),
            f"the store follows plan {digest[:12]}, this build plan {plan.digest[:12]}",
            "rows of two plans in one store could not be told apart.",
            "Give another folder with --out, or remove this one.",
        )


def read_json(path: Path, fix: str) -> object:
    """Return what a JSON file says.

    Args:
        path: The file.
        fix: What to do when there is none.

    Raises:
        StoreError: It is missing, unreadable or no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(str(path), "there is no such file", "", fix) from None
    except OSError as error:
        raise StoreError(
            str(path), f"it cannot be read: {error.strerror}", "", "Check the disk and the rights."
        ) from error
    except ValueError as error:
        raise StoreError(
            str(path), f"it is no JSON: {error}", "the file is damaged.", "Restore it, or rebuild."
        ) from None


def _parse_plan(path: Path, data: dict[str, object]) -> Plan:
    try:
        plan = Plan.from_json(data)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise StoreError(
            str(path),
            f"it cannot be read: {type(error).__name__} {error}",
            "the file is damaged, or was edited.",
            "Restore it, or build into another folder.",
        ) from error
    if plan.digest != data["digest"]:
        raise StoreError(
            str(path),
            f"it states digest {str(data['digest'])[:12]}, its content has {plan.digest[:12]}",
            "a plan that was edited no longer says how the pixels came about.",
            "Restore it, or build the edited recipe into another folder.",
        )
    return plan


def _make_folder(folder: Path) -> None:
    """Create a folder durably: the entry of each new folder reaches the disk as well."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder; its rename is durable enough without.
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        str(path),
        f"it cannot be written: {error.strerror or error}",
        "",
        "Free space, or check the rights, and run the build again; finished tasks are kept.",
    )
