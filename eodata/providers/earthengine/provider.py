"""The provider `earthengine`: images of Google Earth Engine, read on their own pixels."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import shapely
from odc.geo.geobox import GeoBox

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.outcome import Cost
from eodata.core.product import ProviderEntry
from eodata.core.protocols import Composed, Pixels, Query
from eodata.providers.earthengine.compose import composed, composite_layers
from eodata.providers.earthengine.fetch import Fetcher, Layers
from eodata.providers.earthengine.governor import Governor, Traffic
from eodata.providers.earthengine.images import MALFORMED, item_of
from eodata.providers.earthengine.search import Search
from eodata.providers.earthengine.session import JSON, Client, Session
from eodata.providers.earthengine.wanted import grouped, wanted_of


class EarthEngineProvider:
    """One project's access to Earth Engine. Cheap to make and to pickle; threads may share it.

    Args:
        location: Where, for which project.
        client: Whom to ask; None takes Earth Engine's own.
        entries: What is known of its collections, by name; None takes it from the product tables.
    """

    name = "earthengine"
    # A simulated Earth Engine says so in every image.
    synthetic = False

    def __init__(
        self,
        location: EarthEngineLocation,
        client: Client | None = None,
        entries: Mapping[str, ProviderEntry] | None = None,
    ) -> None:
        self.location = location
        self._given = client, entries
        self._own = None if client is None else _new_line(location, client)

    @classmethod
    def open(cls, location: str) -> EarthEngineProvider:
        """Open the Earth Engine that an `EarthEngineLocation` in JSON describes."""
        return cls(EarthEngineLocation.model_validate_json(location))

    @property
    def _line(self) -> _Line:
        return _line(self.location) if self._own is None else self._own

    def __reduce__(self) -> tuple[type[EarthEngineProvider], tuple[object, ...]]:
        return EarthEngineProvider, (self.location, *self._given)

    def search(self, query: Query) -> list[Item]:
        """Return the images that share ground and time with the query and match its filter.

        They are ordered by time and id.

        Raises:
            AuthError: There are no credentials, or they are refused.
            ProviderError: There is no such collection, or the server does not answer.
        """
        entry = self._entry(query.collection)
        shapely.prepare(query.footprint)
        found = (_item(image, query.collection, entry) for image in self._line.search.images(query))
        items = [item for item in found if query.admits(item)]
        return sorted(items, key=lambda item: (item.datetime, item.id))

    def check_access(
        self,
        item: Item,  # noqa: ARG002 (every image takes the same credentials)
        reads: Sequence[BandRead],  # noqa: ARG002
    ) -> None:
        """Raise when there are no credentials or no project.

        Raises:
            AuthError: With what to do.
            ProviderError: The server does not answer.
        """
        self._line.governor.run(self._line.client.check, Traffic())

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        """Read bands of one image onto a grid, as `eodata.providers.warp.read_onto` does.

        What Earth Engine masks is not valid. A target that is much coarser is read from a level of
        the pyramid, where the product's table says that levels are means of pixels. Bands that
        shall be `warped_by` the server come as pixels of the target.

        Raises:
            ProviderError: The image is gone, the server does not deliver, or the grid is too
                coarse for it.
        """
        entry, traffic = self._entry(item.collection), Traffic()
        wanted = [wanted_of(item, read, geobox, entry) for read in reads]
        groups = grouped(wanted)
        self._fill(list(groups.values()), traffic)
        onto = [one.onto(geobox, groups) for one in wanted]
        return Pixels(
            values=tuple(values for values, _, _ in onto),
            valid=tuple(valid for _, valid, _ in onto),
            bytes_read=sum(n_bytes for _, _, n_bytes in onto),
            requests=traffic.requests,
            retried=traffic.retried,
        )

    def compose(
        self,
        passes: Sequence[Sequence[Item]],
        reads: Sequence[BandRead],
        geobox: GeoBox,
        by: str,
        rule: tuple[BandRead, tuple[int, ...]] | None,
    ) -> Composed | None:
        """Have Earth Engine make the composite that `Composer` describes.

        Returns:
            None where an image's pixels are not those of the grid, copied.

        Raises:
            ProviderError: An image is gone, or the server does not deliver.
        """
        layers, traffic = composite_layers(passes, reads, geobox, by, rule), Traffic()
        if layers is None:
            return None
        self._fill([layers], traffic)
        return composed(layers, reads, Cost(0, traffic.requests, traffic.retried))

    def _fill(self, wanted: Sequence[Layers], traffic: Traffic) -> None:
        """Fetch layers; an error says what it took."""
        try:
            self._line.fetcher.fill(wanted, traffic)
        except ProviderError as error:
            error.cost = Cost(0, traffic.requests, traffic.retried)
            raise

    def _entry(self, collection: str) -> ProviderEntry:
        """Return what is known of a collection; plain defaults for one in no table."""
        known = _entries() if self._given[1] is None else self._given[1]
        return known.get(collection) or ProviderEntry(collection=collection, radiometry="")


def _item(image: JSON, collection: str, entry: ProviderEntry) -> Item:
    try:
        return item_of(image, collection, entry.offset)
    except MALFORMED as error:
        raise ProviderError(
            f"earthengine, image {image.get('id') or image.get('name', '?')}",
            "its metadata are broken",
            f"{error!r}.",
            "Leave it out with `where:`, or report it.",
        ) from error


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, ProviderEntry]:
    """Return the provider's entries in the product tables, by collection."""
    name = EarthEngineProvider.name
    entries = (product.providers.get(name) for product in resources.products().values())
    return {entry.collection: entry for entry in entries if entry is not None}


@dataclass(frozen=True, slots=True)
class _Line:
    """What all providers of one project share in a process."""

    client: Client
    governor: Governor
    search: Search
    fetcher: Fetcher


def _new_line(location: EarthEngineLocation, client: Client) -> _Line:
    governor = Governor(f"earthengine ({location.url})", location.most)
    fetcher = Fetcher(client, governor, location.most)
    return _Line(client, governor, Search(client, governor), fetcher)


_lines_lock = threading.Lock()


def _line(location: EarthEngineLocation) -> _Line:
    """Return the line of a location, the same one for all who ask, also when they ask at once."""
    with _lines_lock:
        return _known_line(location, os.getpid())


@lru_cache(maxsize=16)
def _known_line(location: EarthEngineLocation, _: int) -> _Line:
    return _new_line(location, Session(location))
