"""Search a static STAC catalog on the web: every item is read once, and looked at here."""

from __future__ import annotations

import os
import threading
from typing import Any

import pystac
from pystac.stac_io import StacIO
from urllib3.util import Retry

from eodata.core.endpoint import Endpoint
from eodata.core.errors import NoItemsError, nearest
from eodata.core.protocols import Query
from eodata.providers.stac_api import PagedIO
from eodata.providers.stac_search import RETRIES, Said
from eodata.providers.static_walk import collections_of, items_of, read_root

JSON = dict[str, Any]


def is_static(url: str) -> bool:
    """Return True for the address of a file: APIs have roots without a suffix."""
    return url.endswith(".json")


class StaticSearch:
    """The search of one static catalog. Threads may share it.

    Each item is a file of its own there, so a collection is read whole, once.

    Args:
        endpoint: Its `url` is that of a catalog.json or collection.json.
        retries: When a request is made again.
    """

    def __init__(self, endpoint: Endpoint, retries: Retry = RETRIES) -> None:
        self._endpoint, self._retries = endpoint, retries
        self._lock = threading.Lock()
        self._known: dict[tuple[int, str], list[JSON]] = {}

    def items(self, query: Query) -> list[JSON]:
        """Return all items of the collection, each once; the caller looks at place and time.

        Raises:
            NoItemsError: There is no such collection.
            ProviderError: A file is missing or broken, or the server does not answer.
        """
        with self._lock, Said(self._endpoint):
            key = (os.getpid(), query.collection)
            if key not in self._known:
                self._known[key] = self._read(query.collection)
            return self._known[key]

    def collections(self) -> list[str]:
        """Return the ids of the collections.

        Raises:
            ProviderError: A file is missing or broken, or the server does not answer.
        """
        with Said(self._endpoint):
            return sorted(found.id for found in collections_of(self._root()))

    def _root(self) -> pystac.Catalog:
        patience = self._endpoint.patience
        io = PagedIO(max_retries=self._retries, timeout=(min(10.0, patience), patience))
        return read_root(_PlainIO(io), self._endpoint.url)

    def _read(self, collection: str) -> list[JSON]:
        found = {one.id: one for one in collections_of(self._root())}
        if collection not in found:
            raise NoItemsError(
                self._endpoint.name,
                f'it has no collection "{collection}"',
                "",
                nearest(collection, found),
            )
        items = items_of(found[collection])
        return list({item.id: _plain(item) for item in items}.values())


class _PlainIO(StacIO):
    """Reads what the API client's connections bring, without taking catalogs for APIs."""

    def __init__(self, io: PagedIO) -> None:
        super().__init__()
        self._io = io

    def read_text(self, source: pystac.link.HREF, *_: Any, **__: Any) -> str:
        """Return the text behind an address."""
        return self._io.read_text(source)

    def write_text(self, dest: pystac.link.HREF, txt: str, *_: Any, **__: Any) -> None:
        """Refuse: archives are only read."""
        raise ValueError(f"{dest} cannot be written: archives are read-only, {len(txt)} bytes")


def _plain(item: pystac.Item) -> JSON:
    """Return the item's JSON with whole addresses of its files."""
    item.make_asset_hrefs_absolute()
    fields: JSON = item.to_dict(include_self_link=False, transform_hrefs=False)
    return fields
