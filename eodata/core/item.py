"""One record of an archive, whatever the archive speaks: STAC and Earth Engine both become this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isnan
from typing import Any

from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span, format_utc, parse_utc

Instant = datetime
"""For annotations inside of classes that have a field of that name."""
PASS_GAP = timedelta(hours=1)
"""Longer than the gaps within a pass, shorter than the 100 minutes to the next orbit."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file (or one band of an Earth Engine image) of an item.

    Attributes:
        key: The provider's key.
        href: Where it is, relative to the archive's root where it has one; never with a token.
        scale: Factor from the file's DN to the physical value, None when the archive says nothing.
        offset: Added after scaling, None when the archive says nothing.
        nodata: DN of a missing value as the archive's metadata states it, or None. NaN is never
            stated: it always means missing.
        band: 1-based band inside the file.
        size_bytes: Size of the file [bytes] where known.
    """

    key: str
    href: str
    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    band: int = 1
    size_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.nodata is not None and isnan(self.nodata):
            object.__setattr__(self, "nodata", None)


@dataclass(frozen=True, slots=True)
class Item:
    """One record of an archive: where, when and in which files.

    Attributes:
        id: The archive's id, unique within the collection.
        collection: The archive's name of the collection.
        datetime: Time of acquisition (UTC); the start for records that span a period.
        footprint: Where it has data, EPSG:4326, x = longitude.
        properties: The archive's own properties, JSON values only.
        assets: By key.
        end: End of the period (UTC) for records that span one, None for an instant.
    """

    id: str
    collection: str
    datetime: datetime
    footprint: BaseGeometry
    properties: dict[str, Any] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    end: Instant | None = None

    @property
    def middle(self) -> Instant:
        """The instant, or the middle of the period (UTC)."""
        return self.datetime if self.end is None else self.datetime + (self.end - self.datetime) / 2

    def lies_in(self, span: Span | None) -> bool:
        """Return True when the instant lies in the half-open span, or the period overlaps it."""
        if span is None or self.datetime in span:
            return True
        return self.end is not None and self.datetime < span.start < self.end

    @property
    def cloud(self) -> float | None:
        """Cloud cover that the archive states [%], or None."""
        value = self.properties.get("eo:cloud_cover")
        return None if value is None else float(value)

    @property
    def is_synthetic(self) -> bool:
        """True when the archive says that its pixels are simulated."""
        return self.properties.get("sandbox:synthetic") is True

    @property
    def pass_key(self) -> tuple[str, str, str]:
        """What the items of one pass share beside their time: collection, platform, orbit."""
        orbit = self.properties.get("sat:relative_orbit", "")
        return self.collection, str(self.properties.get("platform", "")), str(orbit)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of `from_json`."""
        return {
            "id": self.id,
            "collection": self.collection,
            "datetime": format_utc(self.datetime),
            **({"end": format_utc(self.end)} if self.end else {}),
            "footprint": mapping(self.footprint),
            "properties": self.properties,
            "assets": {
                key: {k: getattr(a, k) for k in _ASSET_FIELDS if getattr(a, k) is not None}
                for key, a in sorted(self.assets.items())
            },
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Item:
        """Read what `to_json` wrote."""
        return cls(
            id=data["id"],
            collection=data["collection"],
            datetime=parse_utc(data["datetime"]),
            footprint=shape(data["footprint"]),
            properties=data["properties"],
            assets={key: Asset(**fields) for key, fields in data["assets"].items()},
            end=parse_utc(data["end"]) if "end" in data else None,
        )


_ASSET_FIELDS = ("key", "href", "scale", "offset", "nodata", "band", "size_bytes")


@dataclass(frozen=True, slots=True)
class Acquisition:
    """The items of one pass and day, in the order in which they fill the ground.

    Attributes:
        items: At least one item; the first is on top.
    """

    items: tuple[Item, ...]

    @property
    def datetime(self) -> datetime:
        """Time of the earliest item (UTC)."""
        return min(item.datetime for item in self.items)

    @property
    def id(self) -> str:
        """Id of the first item; breaks ties."""
        return self.items[0].id

    @property
    def cloud(self) -> float | None:
        """Mean cloud cover of the items [%]; None when one of them does not state it."""
        stated = [item.cloud for item in self.items if item.cloud is not None]
        return sum(stated) / len(stated) if len(stated) == len(self.items) else None


def group_passes(items: Iterable[Item]) -> list[Acquisition]:
    """Group items by pass; ordered by time, then by id.

    Items of one platform and relative orbit belong to one pass when less than `PASS_GAP` lies
    between neighbours. No calendar day decides: that of UTC cuts passes at midnight, and the solar
    day differs by one on the two sides of the date line.
    """
    groups: list[list[Item]] = []
    latest: dict[tuple[str, str, str], list[Item]] = {}
    for item in sorted(items, key=lambda i: (i.datetime, i.id)):
        group = latest.get(item.pass_key)
        if group is None or item.datetime - group[-1].datetime >= PASS_GAP:
            group = latest[item.pass_key] = []
            groups.append(group)
        group.append(item)
    acquisitions = [Acquisition(tuple(group)) for group in groups]
    return sorted(acquisitions, key=lambda a: (a.datetime, a.id))
