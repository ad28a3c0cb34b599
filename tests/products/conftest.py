"""Real STAC items, one per archive and collection; their origin: data/stac/PROVENANCE.txt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ITEMS = Path(__file__).parents[1] / "data" / "stac" / "items"


@pytest.fixture(scope="session")
def real_items() -> dict[tuple[str, str], dict[str, Any]]:
    """The items by archive and collection."""
    found = {}
    for path in sorted(ITEMS.glob("*.json")):
        archive, collection = path.stem.split(".")
        found[archive, collection] = json.loads(path.read_text(encoding="utf-8"))
    return found
