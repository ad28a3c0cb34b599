"""Read the items of one collection from a static STAC catalog (1.0 or 1.1) on this machine.

pystac resolves links and migrates old versions. Nothing is fetched from the network: a link to a
remote file is an error that says so.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

import pystac
import shapely
from pystac.stac_io import StacIO
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from eodata.core.errors import ProviderError, nearest
from eodata.core.item import Asset, Item
from eodata.core.span import Span, to_utc

OFFSET_APPLIED = "earthsearch:boa_offset_applied"
KEPT = frozenset({"platform", "constellation", "gsd", "proj:code", OFFSET_APPLIED})
"""Properties that selection, decoding or the card may need; times of publishing are not among
them, so that a catalog that was merely written again yields the same plan."""
KEPT_PREFIXES = ("eo:", "sat:", "sar:", "view:", "s2:", "processing:", "eodata:")
RASTER_TYPES = ("image/tiff", "image/jp2", "image/vnd.stac.geotiff")
RASTER_SUFFIXES = (".tif", ".tiff", ".jp2")
MALFORMED = (
    pystac.STACError,
    pystac.STACTypeError,
    shapely.errors.ShapelyError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
)
"""What pystac and shapely raise over JSON that is not what it should be."""
REFETCH = "Fetch the catalog again, or mend this file."


@dataclass(frozen=True, slots=True)
class Record:
    """An item with the end of its time.

    Attributes:
        item: As the core knows it.
        end: End of the period (UTC) for records that span one, None for an instant.
    """

    item: Item
    end: datetime | None

    def lies_in(self, span: Span | None) -> bool:
        """Return True when the instant lies in the half-open span, or the period overlaps it."""
        if span is None or self.item.datetime in span:
            return True
        return self.end is not None and self.item.datetime < span.start < self.end


def read_collection(catalog: Path, collection: str) -> list[Record]:
    """Read one collection, ordered by time and id, each id once.

    Args:
        catalog: A catalog.json or collection.json; hrefs of assets become relative to its folder.
        collection: Id of the collection, at any depth.

    Raises:
        ProviderError: A file is missing or broken, the collection does not exist, or an item lacks
            place or time.
    """
    with _own_errors(catalog):
        found = {child.id: child for child in _collections(_read_root(catalog))}
        if collection not in found:
            raise ProviderError(
                str(catalog),
                f'there is no collection "{collection}"',
                f"the catalog holds {', '.join(sorted(found)) or 'no collection at all'}.",
                nearest(collection, found) if found else "Give another catalog.",
            )
        records = [
            _record(item, collection, catalog.parent)
            for item in found[collection].get_items(recursive=True)
            if item.collection_id in (None, collection)
        ]
    return _unique(records, catalog)


def _unique(records: list[Record], catalog: Path) -> list[Record]:
    """Order by time and id; two links to one item are one, two items of one id are an error."""
    unique: dict[str, Record] = {}
    for record in sorted(records, key=lambda r: (r.item.datetime, r.item.id)):
        if unique.setdefault(record.item.id, record) != record:
            raise ProviderError(
                str(catalog),
                f"two different items have the id {record.item.id}",
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
                _without_token(href),
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
    io = _DiskIO()
    root = io.read_stac_object(str(catalog.absolute()))
    if not isinstance(root, pystac.Catalog):
        raise ProviderError(
            str(catalog), f"this is a STAC {type(root).__name__}", "", "Give a catalog.json."
        )
    root._stac_io = io  # noqa: SLF001 (read_stac_object sets it too, but on catalogs alone)
    root.set_root(root)
    return root


def _collections(root: pystac.Catalog) -> Iterator[pystac.Collection]:
    if isinstance(root, pystac.Collection):
        yield root
    for child in root.get_children():
        yield from _collections(child)


def _record(item: pystac.Item, collection: str, root: Path) -> Record:
    where = item.self_href
    start = item.datetime or item.common_metadata.start_datetime
    if start is None or not item.geometry:
        raise ProviderError(
            where,
            f"item {item.id} has no {'geometry' if start else 'datetime'}",
            "an item is found by its place and time.",
            REFETCH,
        )
    end = None if item.datetime else item.common_metadata.end_datetime
    try:
        footprint, assets = _footprint(item.geometry), _assets(item, root.absolute())
        properties = _properties(item)
    except MALFORMED as exc:
        raise ProviderError(where, f"item {item.id} is broken", f"{exc!r}.", REFETCH) from exc
    record = Item(item.id, collection, to_utc(start), footprint, properties, assets)
    return Record(record, to_utc(end) if end else None)


def _properties(item: pystac.Item) -> dict[str, Any]:
    """Return what is kept, by key.

    Raises:
        ValueError: A number is no number, or the cloud cover is none.
    """
    kept = {
        key: value
        for key, value in sorted(item.properties.items())
        if key in KEPT or key.startswith(KEPT_PREFIXES)
    }
    json.dumps(kept, allow_nan=False)
    if kept.get("eo:cloud_cover") is not None:
        kept["eo:cloud_cover"] = float(kept["eo:cloud_cover"])
    return kept


def _footprint(geometry: Mapping[str, Any]) -> BaseGeometry:
    found: BaseGeometry = shape(geometry)
    if found.is_empty:
        raise ValueError("the geometry is empty")
    return found if found.is_valid else shapely.make_valid(found)


def _assets(item: pystac.Item, root: Path) -> dict[str, Asset]:
    """Return the rasters of an item by key; the bands of a stack also by their own names.

    A name that is an asset's key means that asset, and a name that two stacks share means neither.
    """
    own, named = {}, []
    # Earth Search states the offset beside pixels from which it has been taken already.
    applied = item.properties.get(OFFSET_APPLIED) is True
    for key, asset in item.assets.items():
        fields = asset.to_dict()
        if not _is_raster(fields):
            continue
        href = _relative(asset.get_absolute_href() or asset.href, root, item, key)
        bands = _bands(fields)
        own[key] = _asset(key, href, 1, fields, bands[0], offset_is_applied=applied)
        if len(bands) > 1:
            named += [
                _asset(band["name"], href, number, fields, band, offset_is_applied=applied)
                for number, band in enumerate(bands, start=1)
                if "name" in band
            ]
    times = Counter(asset.key for asset in named)
    return {asset.key: asset for asset in named if times[asset.key] == 1} | own


def _is_raster(fields: Mapping[str, Any]) -> bool:
    kind = fields.get("type")
    if kind:
        return str(kind).lower().startswith(RASTER_TYPES)
    return urlsplit(fields["href"]).path.lower().endswith(RASTER_SUFFIXES)


def _bands(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is said about each band; STAC 1.0 says it in two lists of its own words."""
    if "bands" in fields:
        return list(fields["bands"]) or [{}]
    raster, eo = fields.get("raster:bands", []), fields.get("eo:bands", [])
    merged: list[dict[str, Any]] = [{} for _ in range(max(len(raster), len(eo), 1))]
    for band, facts in zip(merged, raster, strict=False):
        band |= {"raster:scale": facts.get("scale"), "raster:offset": facts.get("offset")}
        band["nodata"] = facts.get("nodata")
    for band, facts in zip(merged, eo, strict=False):
        band |= facts
    return merged


def _asset(
    key: str,
    href: str,
    number: int,
    fields: Mapping[str, Any],
    band: Mapping[str, Any],
    *,
    offset_is_applied: bool,
) -> Asset:
    def stated(word: str) -> float | None:
        value = band.get(word)
        value = fields.get(word) if value is None else value
        return None if value is None else float(value)

    scale, offset = stated("raster:scale"), stated("raster:offset")
    if not all(number is None or isfinite(number) for number in (scale, offset)):
        raise ValueError(f'asset "{key}" has the scale {scale} and the offset {offset}')
    size = fields.get("file:size")
    return Asset(
        key=key,
        href=href,
        scale=scale,
        offset=0.0 if offset_is_applied else offset,
        nodata=stated("nodata"),
        band=number,
        size_bytes=None if size is None else int(size),
    )


def _relative(href: str, root: Path, item: pystac.Item, key: str) -> str:
    """Return an href relative to the catalog's folder; a remote one stays, without its token."""
    if is_remote(href):
        return _without_token(href)
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


def _without_token(href: str) -> str:
    parts = urlsplit(href)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
