"""The STAC providers: one transport for every archive that is a row in the table of endpoints."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache

import rasterio
import shapely
from odc.geo.geobox import GeoBox

from eodata import resources
from eodata.core.endpoint import StacLocation
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.outcome import Cost
from eodata.core.product import ProviderEntry
from eodata.core.protocols import Pixels, Query
from eodata.providers.raster_read import asset_of
from eodata.providers.remote.addresses import without_secrets
from eodata.providers.remote.object_store import ObjectStores
from eodata.providers.remote.remote_file import Arrivals, Heads, RemoteBytes, load_heads
from eodata.providers.remote.transport import Address, Traffic, Transport
from eodata.providers.remote_raster import (
    GDAL_OPTIONS,
    DamagedError,
    damage_named,
    needs_of,
    open_layer,
)
from eodata.providers.stac_item import JSON, MALFORMED, item_of
from eodata.providers.stac_search import StacSearch
from eodata.providers.static_search import StaticSearch, is_static

MOST_FETCHES = 3
"""How often a file is fetched before we believe that it is damaged where it lies."""


class StacProvider:
    """One STAC archive. Cheap to make and to pickle; threads may share an instance.

    Args:
        location: Endpoint and share.
        entries: What is known of its collections, by name; None takes it from the product tables.
    """

    synthetic = False

    def __init__(
        self, location: StacLocation, entries: Mapping[str, ProviderEntry] | None = None
    ) -> None:
        self.location = location
        self.entries = entries
        self.name = location.endpoint.name
        search = StaticSearch if is_static(location.endpoint.url) else StacSearch
        self._search: StacSearch | StaticSearch = search(location.endpoint)
        self._line = _line(location)

    @classmethod
    def open(cls, location: str) -> StacProvider:
        """Open the archive that a `StacLocation` in JSON describes."""
        return cls(StacLocation.model_validate_json(location))

    def __reduce__(self) -> tuple[type[StacProvider], tuple[object, ...]]:
        return StacProvider, (self.location, self.entries)

    def search(self, query: Query) -> list[Item]:
        """Return the items that share ground and time with the query and match its filter.

        They are ordered by time and id.

        Raises:
            NoItemsError: There is no such collection, or the ground is near a pole.
            ProviderError: The archive does not answer, or answers nonsense.
        """
        entry = self._entry(query.collection)
        shapely.prepare(query.footprint)
        found = [self._item(f, query.collection, entry) for f in self._search.items(query)]
        items = [item for item in found if query.admits(item)]
        return sorted(items, key=lambda item: (item.datetime, item.id))

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Raise when files like these cannot be opened here for want of keys.

        Raises:
            AuthError: With what to do.
        """
        if any(asset_of(item, read).href.startswith("s3://") for read in reads):
            pays = self._entry(item.collection).requester_pays
            ObjectStores(self.location.endpoint).check_keys(pays)

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        """Read bands of one item onto a grid, as `eodata.providers.warp.read_onto` does.

        The nodata value is that of the archive, else of the file, else of the product. A file that
        turns out to be damaged is fetched again, in case only the line was bad.

        Raises:
            ProviderError: A file is missing or damaged, or the archive does not deliver.
        """
        traffic = Traffic()
        entry = self._entry(item.collection)
        files = self._files(item, reads, entry, traffic)
        fetched = Counter(files.keys())
        while True:
            try:
                with _item_named(item, traffic):
                    return self._read(item, reads, geobox, entry, files, traffic)
            except DamagedError as damaged:
                if fetched[damaged.url] == MOST_FETCHES:
                    raise _given_up(item, damaged, traffic) from None
                # That file alone: what came of the others is good, and may be worse next time.
                self._line.heads.forget(damaged.url)
                files[damaged.url] = _afresh(files[damaged.url])
                fetched[damaged.url] += 1

    def _read(
        self,
        item: Item,
        reads: Sequence[BandRead],
        geobox: GeoBox,
        entry: ProviderEntry,
        files: Mapping[str, RemoteBytes],
        traffic: Traffic,
    ) -> Pixels:
        load_heads(files.values(), self._line.heads)
        with rasterio.Env(**GDAL_OPTIONS), ExitStack() as stack:
            layers = [
                stack.enter_context(open_layer(files[asset.href], asset, read, geobox, entry))
                for read in reads
                for asset in [asset_of(item, read)]
            ]
            arrivals = stack.enter_context(Arrivals(needs_of(layers, geobox)))
            found = []
            for layer in layers:
                with damage_named(layer.content):
                    arrivals.wait_for(layer.content)
                found.append(layer.onto(geobox))
        return Pixels(
            values=tuple(values for values, _, _ in found),
            valid=tuple(valid for _, valid, _ in found),
            bytes_read=sum(n_bytes for _, _, n_bytes in found),
            requests=traffic.requests,
            retried=traffic.retried,
        )

    def _files(
        self, item: Item, reads: Sequence[BandRead], entry: ProviderEntry, traffic: Traffic
    ) -> dict[str, RemoteBytes]:
        urls = {asset_of(item, read).href for read in reads}
        return {
            url: RemoteBytes(
                Address(url, item.collection, entry.requester_pays), self._line.transport, traffic
            )
            for url in sorted(urls)
        }

    def _entry(self, collection: str) -> ProviderEntry:
        """Return what is known of a collection; plain defaults for one in no table."""
        known = _entries(self.location.like or self.name) if self.entries is None else self.entries
        return known.get(collection) or ProviderEntry(collection=collection, radiometry="")

    def _item(self, fields: JSON, collection: str, entry: ProviderEntry) -> Item:
        try:
            return item_of(fields, collection, _locate, entry.offset)
        except MALFORMED as error:
            raise ProviderError(
                f"{self.name}, item {fields.get('id', '?')}",
                "the item is broken",
                f"{error!r}.",
                "Leave it out with `where:`, or report it to the archive.",
            ) from error


@dataclass(frozen=True, slots=True)
class _Line:
    """What all providers of one endpoint share in a process."""

    transport: Transport
    heads: Heads


_lines_lock = threading.Lock()


def _line(location: StacLocation) -> _Line:
    """Return the line of an endpoint, the same one for all who ask, also when they ask at once."""
    with _lines_lock:
        return _new_line(location)


@lru_cache(maxsize=16)
def _new_line(location: StacLocation) -> _Line:
    return _Line(Transport(location.endpoint, location.share), Heads())


@lru_cache(maxsize=16)
def _entries(provider: str) -> Mapping[str, ProviderEntry]:
    """Return the provider's entries in the product tables, by collection."""
    entries = (product.providers.get(provider) for product in resources.products().values())
    return {entry.collection: entry for entry in entries if entry is not None}


def _locate(_: str, fields: JSON) -> str:
    """Return where a file is; an alternate address over HTTP when the main one is none."""
    main = str(fields["href"])
    alternate = fields.get("alternate", {}).get("https", {}).get("href")
    chosen = main if main.startswith(("https://", "http://")) or not alternate else alternate
    return without_secrets(chosen)


@contextmanager
def _item_named(item: Item, traffic: Traffic) -> Iterator[None]:
    """Name the item in what the transport says, which knows addresses alone; and what it took."""
    try:
        yield
    except ProviderError as error:
        error.cost = Cost(0, traffic.requests, traffic.retried)
        if item.id not in error.where:
            error.where = f"item {item.id}, {error.where}"
        raise


def _given_up(item: Item, damaged: DamagedError, traffic: Traffic) -> ProviderError:
    error = ProviderError(
        f"item {item.id}, {damaged.url}",
        "the file cannot be read",
        f"{damaged.reason.rstrip('.')}. It was fetched {MOST_FETCHES} times.",
        "The file is damaged at the archive, or is no raster: plan without this item.",
    )
    error.cost = Cost(0, traffic.requests, traffic.retried)
    return error


def _afresh(file: RemoteBytes) -> RemoteBytes:
    """Return the same file, of which nothing has been fetched yet."""
    return RemoteBytes(file.address, file.transport, file.traffic)
