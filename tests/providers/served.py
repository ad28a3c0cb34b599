"""The sandbox's servers as archives of the STAC providers, and the truth behind their items."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from eodata import resources
from eodata.core.endpoint import Endpoint, StacLocation
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.product import ProviderEntry
from eodata.core.sandbox_spec import SandboxSettings
from eodata.providers.stac import StacProvider
from eodata.sandbox.serve.assembly import ArchiveServer

PROVIDERS = {
    "sandbox": "stac",
    "earth-search": "earth-search",
    "planetary-computer": "planetary-computer",
    "cdse": "cdse",
}
"""Which provider reads which flavour; `stac` knows nothing beforehand."""
_FILE = re.compile(r"/assets/[^/]+/(?P<item>[^/]+)/(?P<key>[^/]+)\.tif$")


class Servers:
    """Servers of one world, one for each form of archive, started when they are asked for."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self._known: dict[str, ArchiveServer] = {}

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *what: object) -> None:
        self._stack.close()

    def at(self, flavour: str) -> ArchiveServer:
        if flavour not in self._known:
            server = ArchiveServer(self.settings, flavour)
            self._known[flavour] = self._stack.enter_context(server)
        return self._known[flavour]

    def provider(self, flavour: str) -> StacProvider:
        """Return a provider of the product tables' words."""
        return provider_of(self.at(flavour), flavour)


def endpoint_of(server: ArchiveServer, flavour: str) -> Endpoint:
    """Return the row of the archive that a server imitates, at the server's address."""
    rows = resources.endpoints()
    plain = Endpoint(name="stac", title="a STAC API", url=server.api)
    return rows.get(flavour, plain).at(server.api)


def provider_of(server: ArchiveServer, flavour: str) -> StacProvider:
    """Open the provider that reads a server."""
    return StacProvider(StacLocation(endpoint=endpoint_of(server, flavour)))


def entry_of(product: str, flavour: str) -> ProviderEntry:
    """Return how an archive keeps a product."""
    table = resources.products()[product]
    own = ProviderEntry(collection=product, radiometry=table.radiometry)
    return table.providers.get(PROVIDERS[flavour], own)


def reads_of(
    product: str, flavour: str, bands: Sequence[str], resampling: str = "bilinear"
) -> tuple[BandRead, ...]:
    """Return what is read of bands; classes by the most frequent or the nearest."""
    table, entry = resources.products()[product], entry_of(product, flavour)
    found = []
    for name in bands:
        band = table.band(name).to_band()
        exact = "mode" if resampling == "average" else "nearest"
        how = resampling if band.kind == "continuous" else exact
        found.append(BandRead(band, entry.assets.get(name, name), how))
    return tuple(found)


def truth_of(item: Item, reads: Sequence[BandRead], known: Sequence[Item]):
    """Return the item of the provider `sandbox` behind a served one, and the same reads of it."""
    files = [_FILE.search(item.assets[read.asset].href) for read in reads]
    (behind,) = {file["item"] for file in files}
    (found,) = [one for one in known if one.id == behind]
    return found, tuple(replace(r, asset=f["key"]) for r, f in zip(reads, files, strict=True))
