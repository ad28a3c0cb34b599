"""Walk through a static STAC catalog, wherever its files lie: each one once, also in circles."""

from __future__ import annotations

from collections.abc import Iterator

import pystac
from pystac.stac_io import StacIO


def read_root(io: StacIO, address: str) -> pystac.Catalog:
    """Return the catalog or collection at an address, which reads its links by the same way.

    Raises:
        ValueError: It is no catalog; or others of what reading raises.
    """
    root = io.read_stac_object(address)
    if not isinstance(root, pystac.Catalog):
        raise ValueError(f"it is a STAC {type(root).__name__}, not a catalog")
    root._stac_io = io  # noqa: SLF001 (read_stac_object sets it too, but on links alone)
    root.set_root(root)
    return root


def collections_of(root: pystac.Catalog) -> Iterator[pystac.Collection]:
    """Yield the collections at any depth, the root included when it is one."""
    return (one for one in _catalogs(root) if isinstance(one, pystac.Collection))


def items_of(collection: pystac.Collection) -> Iterator[pystac.Item]:
    """Yield a collection's items at any depth; those of collections below it are not its own."""
    for catalog in _catalogs(collection):
        for item in catalog.get_items():
            if item.collection_id in (None, collection.id):
                yield item


def _catalogs(root: pystac.Catalog) -> Iterator[pystac.Catalog]:
    """Yield a catalog and those below it, each once, also where links lead in a circle."""
    seen: set[str | None] = set()
    left = [root]
    while left:
        one = left.pop()
        if one.self_href not in seen:
            seen.add(one.self_href)
            yield one
            left += one.get_children()
