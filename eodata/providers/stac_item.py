"""From one STAC item, 1.0 or 1.1, as plain JSON to the core's `Item`, whoever keeps it.

Raises what `MALFORMED` lists over JSON that is not what it should be; callers name the file or the
archive that it came from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

import pystac
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from eodata.core.endpoint import OffsetSource
from eodata.core.item import Asset, Item
from eodata.core.reproject import split_at_date_line
from eodata.core.span import to_utc
from eodata.providers.offsets import Coding, coding_of

JSON = Mapping[str, Any]
Locate = Callable[[str, JSON], str]
"""From an asset's key and fields to where its file is."""

PERIOD = timedelta(days=1)
"""What lasts as long is no acquisition."""
KEPT = frozenset({"platform", "constellation", "gsd", "proj:code", "grid:code"})
"""Properties that selection, decoding or the card may need; times of publishing are not among
them, so that a catalog that was merely written again yields the same plan."""
KEPT_PREFIXES = (
    "earthsearch:boa", "eo:", "eodata:", "landsat:", "mgrs:", "processing:", "s2:", "sandbox:",
    "sar:", "sat:", "view:",
)  # fmt: skip
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
"""What pystac, shapely and this module raise over JSON that is not what it should be."""


def item_of(fields: JSON, collection: str, locate: Locate, offset: OffsetSource) -> Item:
    """Read one item.

    Args:
        fields: The item's JSON.
        collection: Name of the collection that it was asked for in.
        locate: Where the file of an asset is.
        offset: What tells the offset of Sentinel-2's numbers.

    Raises:
        ValueError: It has no place or no time, or a number is none; or others of `MALFORMED`.
    """
    told = fields["properties"]
    start, end = _period(told)
    if not fields.get("geometry"):
        raise ValueError("it has no geometry, and an item is found by its place")
    return Item(
        fields["id"],
        collection,
        start,
        _footprint(fields["geometry"]),
        _properties(told),
        _assets(fields, locate, offset),
        end,
    )


def _period(told: JSON) -> tuple[datetime, datetime | None]:
    """Return the instant, or start and end of a period (UTC).

    An acquisition may state its few minutes beside its instant; what lasts for days is a period,
    whatever instant stands for it.
    """
    start, end = (
        _instant(told[key]) if told.get(key) else None for key in ("start_datetime", "end_datetime")
    )
    if told.get("datetime") and not (start and end and end - start >= PERIOD):
        return _instant(told["datetime"]), None
    if start is None:
        raise ValueError("it has no datetime, and an item is found by its time")
    return start, end


def _instant(text: str) -> datetime:
    return to_utc(datetime.fromisoformat(text))


def _properties(told: JSON) -> dict[str, Any]:
    """Return what is kept, by key.

    Raises:
        ValueError: A number is no number, or the cloud cover is none.
    """
    kept = {
        key: value
        for key, value in sorted(told.items())
        if key in KEPT or key.startswith(KEPT_PREFIXES)
    }
    json.dumps(kept, allow_nan=False)
    if kept.get("eo:cloud_cover") is not None:
        kept["eo:cloud_cover"] = float(kept["eo:cloud_cover"])
    return kept


def _footprint(geometry: JSON) -> BaseGeometry:
    found: BaseGeometry = shape(geometry)
    if found.is_empty:
        raise ValueError("the geometry is empty")
    return split_at_date_line(found if found.is_valid else shapely.make_valid(found))


def _assets(item: JSON, locate: Locate, offset: OffsetSource) -> dict[str, Asset]:
    """Return the rasters of an item by key; the bands of a stack also by their own names.

    A name that is an asset's key means that asset. A name that stands in two files means neither:
    a picture has bands called as the files that it was made from.
    """
    own, named = {}, []
    times: Counter[str] = Counter()
    for key, fields in item["assets"].items():
        if not _is_raster(fields):
            continue
        href = locate(key, fields)
        bands = _bands(fields)
        times.update({str(band["name"]) for band in bands if "name" in band})
        codings = [coding_of(offset, item["properties"], fields, band) for band in bands]
        own[key] = _asset(key, href, 1, fields, bands[0], codings[0])
        if len(bands) > 1:
            named += [
                _asset(band["name"], href, number, fields, band, coding)
                for number, (band, coding) in enumerate(zip(bands, codings, strict=True), start=1)
                if "name" in band
            ]
    return {asset.key: asset for asset in named if times[asset.key] == 1} | own


def _is_raster(fields: JSON) -> bool:
    kind = fields.get("type")
    if kind:
        return str(kind).lower().startswith(RASTER_TYPES)
    return urlsplit(fields["href"]).path.lower().endswith(RASTER_SUFFIXES)


def _bands(fields: JSON) -> list[dict[str, Any]]:
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


def _asset(key: str, href: str, number: int, fields: JSON, band: JSON, coding: Coding) -> Asset:
    if not all(number is None or isfinite(number) for number in (coding.scale, coding.offset)):
        raise ValueError(
            f'asset "{key}" has the scale {coding.scale} and the offset {coding.offset}'
        )
    nodata = band.get("nodata", fields.get("nodata"))
    nodata = fields.get("nodata") if nodata is None else nodata
    size = fields.get("file:size")
    return Asset(
        key=key,
        href=href,
        scale=coding.scale,
        offset=coding.offset,
        nodata=None if nodata is None else float(nodata),
        band=number,
        size_bytes=None if size is None else int(size),
    )
