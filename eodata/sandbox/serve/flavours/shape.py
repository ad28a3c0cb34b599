"""How one archive shows the sandbox: which collections, and items of what form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eodata.sandbox.items import Collection, SandboxItem
from eodata.sandbox.serve.stac_item import (
    NOT_REAL,
    SYNTHETIC,
    Places,
    absent_removed,
    outline,
    timestamp,
)

JSON = dict[str, Any]
LARGEST = 1000
"""Items on a page at most, unless the archive has another limit."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How an archive calls the items of a collection.

    Attributes:
        name: From an item to its id in this archive.
        find: Back from the id; raises LookupError for unknown ids.
    """

    name: Callable[[SandboxItem], str] = lambda item: item.id
    find: Callable[[Collection, str], SandboxItem] = lambda collection, name: collection.get(name)


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of the items of one collection.

    Attributes:
        source: Id of the sandbox's collection behind it.
        extensions: Identifiers of STAC extensions that its items declare.
        properties: From an item to its properties, without `datetime`; None means unknown.
        assets: From an item to its assets.
        naming: What its items are called.
        about: Fields that the collection has beside the usual ones.
    """

    source: str
    extensions: tuple[str, ...]
    properties: Callable[[SandboxItem], JSON]
    assets: Callable[[SandboxItem, Places], JSON]
    naming: Naming = Naming()
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flavour:
    """One archive's way of showing the sandbox.

    Attributes:
        name: As people choose it.
        title: Of the landing page.
        prefix: Path of the API below the server's root, as that archive has it.
        stac_version: Of items and collections.
        shapes: By the archive's id of the collection.
        largest: Largest page [items].
        page: From (limit, returned, matched or None) to fields of a page of items beside the
            usual ones.
    """

    name: str
    title: str
    prefix: str
    stac_version: str
    shapes: Mapping[str, Shape]
    largest: int = LARGEST
    page: Callable[[int, int, int | None], JSON] = lambda *_: {}


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """A collection as an archive offers it.

    Attributes:
        id: In this archive.
        shape: Of its items.
        source: The simulated collection.
        stac_version: Of its items.
    """

    id: str
    shape: Shape
    source: Collection
    stac_version: str

    def name(self, item: SandboxItem) -> str:
        """Return an item's id in this archive."""
        return self.shape.naming.name(item)

    def find(self, name: str) -> SandboxItem:
        """Return the item of an id in this archive.

        Raises:
            LookupError: There is no such item.
        """
        return self.shape.naming.find(self.source, name)

    def outline_of(self, item: SandboxItem) -> JSON:
        """Return an item without links and assets: all that a filter can ask for."""
        geometry, bbox = outline(item)
        properties = {
            "datetime": timestamp(item.datetime),
            **self.shape.properties(item),
            SYNTHETIC: True,
        }
        # A null `datetime` means something: that start and end say more.
        kept = {"datetime": properties.pop("datetime"), **absent_removed(properties)}
        return {
            "type": "Feature",
            "stac_version": self.stac_version,
            "stac_extensions": list(self.shape.extensions),
            "id": self.name(item),
            "collection": self.id,
            "geometry": geometry,
            "bbox": bbox,
            "properties": kept,
        }

    def feature(self, item: SandboxItem, places: Places) -> JSON:
        """Return an item as this archive shows it."""
        lean = self.outline_of(item)
        lean["assets"] = self.shape.assets(item, places)
        lean["links"] = self._links(lean["id"], places)
        return lean

    def _links(self, name: str, places: Places) -> list[JSON]:
        home = places.collection(self.id)
        return [
            {"rel": "self", "type": "application/geo+json", "href": places.item(self.id, name)},
            {"rel": "parent", "type": "application/json", "href": home},
            {"rel": "collection", "type": "application/json", "href": home},
            {"rel": "root", "type": "application/json", "href": places.api},
            {"rel": "about", "type": "application/json", "href": home, "title": NOT_REAL},
        ]
