"""Read the items of one collection from a static STAC catalog (1.0 or 1.1) on this machine.

pystac resolves links and migrates old versions. Nothing is fetched from the network: a link to a
remote file is an error that says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pystac
from pystac.stac_io import StacIO

from eodata.core.errors import ProviderError, nearest
from eodata.core.item import Item
from eodata.providers.remote.addresses import without_secrets
from eodata.providers.stac_item import MALFORMED, item_of
from eodata.providers.static_walk import collections_of, items_of, read_root

REFETCH = "Fetch the catalog again, or mend this file."


def read_collection(catalog: Path, collection: str) -> list[Item]:
    """Read one collection, ordered by time and id, each id once.

    Args:
        catalog: A catalog.json or collection.json; hrefs of assets become relative to its folder.
        collection: Id of the collection, at any depth.

    Raises:
        ProviderError: A file is missing or broken, the collection does not exist, or an item lacks
            place or time.
    """
    with _own_errors(catalog):
        found = {child.id: child for child in collections_of(_read_root(catalog))}
        if collection not in found:
            raise ProviderError(
                str(catalog),
                f'there is no collection "{collection}"',
                f"the catalog holds {', '.join(sorted(found)) or 'no collection at all'}.",
                nearest(collection, found) if found else "Give another catalog.",
            )
        items = [_item(item, collection, catalog.parent) for item in items_of(found[collection])]
    return _unique(items, catalog)


def _unique(items: list[Item], catalog: Path) -> list[Item]:
    """Order by time and id; two links to one item are one, two items of one id are an error."""
    unique: dict[str, Item] = {}
    for item in sorted(items, key=lambda i: (i.datetime, i.id)):
        if unique.setdefault(item.id, item) != item:
            raise ProviderError(
                str(catalog),
                f"two different items have the id {item.id}",
                "an id names one record of a collection.",
                "Rename one of them, or remove its link.",
            )
    return list(unique.values())


@contextmanager
def _own_errors(catalog: Path) -> Iterator[None]:
    """Unwrap our errors: pystac hides whatever a link runs into behind a STACError."""
    try:
        yield
    except pystac.STACError as exc:
        if isinstance(exc.__cause__, ProviderError):
            raise exc.__cause__ from None
        raise ProviderError(str(catalog), "its links are broken", f"{exc}.", REFETCH) from exc


class _DiskIO(StacIO):
    """Reads STAC files from disk and turns every defect into an error with the file's name."""

    def read_text(self, source: pystac.link.HREF, *_: Any, **__: Any) -> str:
        """Return the text of a local file."""
        href = os.fspath(source)
        if is_remote(href):
            raise ProviderError(
                without_secrets(href),
                "a link of the catalog leads to another machine",
                "an archive is a static catalog whose files lie in one folder.",
                "Download the linked file into the folder and make the link relative.",
            )
        try:
            return Path(_local(href)).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ProviderError(
                _local(href),
                "there is no such file",
                "",
                "Give the path of a catalog.json, or remove the link that leads here.",
            ) from None
        except (OSError, UnicodeDecodeError) as exc:
            raise ProviderError(_local(href), "it cannot be read", f"{exc}.", REFETCH) from exc

    def write_text(self, dest: pystac.link.HREF, _: str, *__: Any, **___: Any) -> None:
        """Refuse: an archive is only read."""
        raise ProviderError(os.fspath(dest), "archives are read-only")

    def read_stac_object(
        self,
        source: pystac.link.HREF,
        root: pystac.Catalog | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> pystac.STACObject:
        """Read one STAC file."""
        try:
            return super().read_stac_object(source, root, *args, **kwargs)
        except MALFORMED as exc:
            where = _local(os.fspath(source))
            raise ProviderError(where, "this is no valid STAC file", f"{exc!r}.", REFETCH) from exc


def _read_root(catalog: Path) -> pystac.Catalog:
    try:
        return read_root(_DiskIO(), str(catalog.absolute()))
    except ValueError as exc:
        raise ProviderError(str(catalog), f"{exc}", "", "Give a catalog.json.") from None


def _item(item: pystac.Item, collection: str, root: Path) -> Item:
    def locate(key: str, _: Mapping[str, Any]) -> str:
        asset = item.assets[key]
        href = asset.get_absolute_href() or asset.href
        return _relative(href, root.absolute(), item, key)

    fields = item.to_dict(include_self_link=False, transform_hrefs=False)
    try:
        return item_of(fields, collection, locate, "stated")
    except MALFORMED as exc:
        where, reason = item.self_href, str(exc) if type(exc) is ValueError else repr(exc)
        raise ProviderError(where, f"item {item.id} is broken", f"{reason}.", REFETCH) from exc


def _relative(href: str, root: Path, item: pystac.Item, key: str) -> str:
    """Return an href relative to the catalog's folder; a remote one stays, without its token."""
    if is_remote(href):
        return without_secrets(href)
    path = Path(os.path.relpath(_local(href), root))
    if ".." in path.parts or path.is_absolute():
        raise ProviderError(
            item.self_href,
            f'asset "{key}" of item {item.id} lies outside of the archive: {path.as_posix()}',
            "a plan names files relative to the catalog, so they must lie in its folder.",
            f"Move or link the file below {root}.",
        )
    return path.as_posix()


def is_remote(href: str) -> bool:
    """Return True for hrefs that are no local path: https, s3, gs and the like."""
    return "://" in href and urlsplit(href).scheme != "file"


def _local(href: str) -> str:
    return url2pathname(urlsplit(href).path) if href.startswith("file://") else href
