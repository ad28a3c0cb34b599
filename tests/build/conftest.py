"""Two patches of the demo, and archives that misbehave on purpose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from odc.geo.geobox import GeoBox

from eodata.build.locations import Wish
from eodata.build.prepare import Prepared, prepare
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Pixels
from eodata.providers.archive import ArchiveProvider
from eodata.providers.registry import REGISTRY, Registration

Trouble = Callable[[Item, int], ProviderError | None]


class TroubledArchive(ArchiveProvider):
    """The demo's archive, with an error whenever `trouble(item, number of the call)` says so."""

    def __init__(self, location: str, trouble: Trouble) -> None:
        super().__init__(location)
        self.trouble = trouble
        self.calls: dict[str, int] = {}
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        with self._lock:
            self.calls[item.id] = self.calls.get(item.id, 0) + 1
            number = self.calls[item.id]
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            error = self.trouble(item, number)
            if error is not None:
                raise error
            return super().read(item, reads, geobox)
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def prepared(home: Path) -> Prepared:
    return prepare(Wish("demo", limit=2))


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Trouble], list[TroubledArchive]]:
    """Put a troubled archive in the place of the real one; returns the opened ones."""

    def install(trouble: Trouble) -> list[TroubledArchive]:
        opened: list[TroubledArchive] = []

        def open_it(location: str) -> TroubledArchive:
            opened.append(TroubledArchive(location, trouble))
            return opened[-1]

        entry = Registration("archive", "the demo's archive with trouble", "nothing", (), open_it)
        monkeypatch.setitem(REGISTRY, "archive", entry)
        return opened

    return install
