"""Remember which stores were built here, and gather their cards with the shipped ones.

The register is a folder with one small file per store, named by a hash of the store's path: two
processes that register at once write two files, so there is nothing to lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from platformdirs import user_data_path

from eodata.catalog.card import Card
from eodata.core.errors import RecipeError, StoreError
from eodata.resources import card_files
from eodata.store.files import CARD, write_bytes

HOME_VARIABLE = "EODATA_HOME"

Entry = tuple[Path | None, Card]
"""A card and the store it stands for; None for a dataset that was not built here."""


@dataclass(frozen=True, slots=True)
class BrokenCard:
    """A card that could not be read, told instead of raised: one bad file hides no other.

    Attributes:
        path: The file.
        reason: What is wrong with it, and what to do.
    """

    path: Path
    reason: str


def home() -> Path:
    """Return the folder of the register: `$EODATA_HOME`, or the platform's folder for user data."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser() if chosen else user_data_path("eodata")


def register(root: Path) -> None:
    """Remember a store; again for a store already known changes nothing.

    Raises:
        StoreError: The folder of the register cannot be written.
    """
    root = _absolute(root)
    entry = _entry_file(root)
    try:
        write_bytes(entry, json.dumps({"path": str(root)}).encode())
    except StoreError as error:
        raise _unwritable(entry.parent, error.found) from None


def unregister(root: Path) -> None:
    """Forget a store; its files stay. Nothing happens when it is not known.

    Raises:
        StoreError: The folder of the register cannot be written.
    """
    entry = _entry_file(_absolute(root))
    try:
        entry.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(entry.parent, f"cannot be written: {error.strerror}") from None


def registered() -> list[Path]:
    """Return the stores that are known and still there, ordered by path.

    A store that is gone (moved, or on a disk that is not mounted now) is left out of the answer;
    its entry stays, because the disk may come back.
    """
    paths = (_read_entry(entry) for entry in (home() / "stores").glob("*.json"))
    return sorted(path for path in paths if path is not None and path.is_dir())


def cards(
    extra: Sequence[Path] = (), shipped: Iterable[Path] | None = None
) -> tuple[list[Entry], list[BrokenCard]]:
    """Return all cards within reach: registered stores, `extra` ones, then the shipped.

    Args:
        extra: Folders of further stores, or files of further cards.
        shipped: Card files; default: those that travel with eodata.

    Returns:
        The cards, each store once, and a record of each that could not be read.
    """
    shipped = card_files() if shipped is None else shipped
    stores = dict.fromkeys([*registered(), *(_absolute(p) for p in extra if p.is_dir())])
    files = [p for p in extra if not p.is_dir()]
    found: list[Entry] = []
    broken: list[BrokenCard] = []
    wanted: list[tuple[Path | None, Path]] = [(root, root / CARD) for root in stores]
    wanted += [(None, path) for path in [*files, *shipped]]
    for store, path in wanted:
        try:
            found.append((store, Card.load(path)))
        except RecipeError as error:
            broken.append(BrokenCard(path, str(error)))
    return found, broken


def _absolute(root: Path) -> Path:
    return root.expanduser().resolve()


def _entry_file(root: Path) -> Path:
    return home() / "stores" / f"{sha256(os.fsencode(root)).hexdigest()[:24]}.json"


def _read_entry(entry: Path) -> Path | None:
    """Return the path in an entry, None when it was removed meanwhile or is damaged."""
    try:
        path = json.loads(entry.read_bytes())["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(path) if isinstance(path, str) else None


def _unwritable(folder: Path, found: str) -> StoreError:
    return StoreError(
        str(folder),
        found,
        "the list of built stores is kept there.",
        f"Set {HOME_VARIABLE} to a folder that you may write.",
    )
