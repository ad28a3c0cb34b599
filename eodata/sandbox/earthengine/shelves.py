"""What every collection of the catalogue has, and what every image says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from shapely.geometry import Polygon, mapping
from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
SYNTHETIC = {"sandbox:synthetic": 1}
"""Stands in every answer that describes an image or a collection."""


class Shelf(Protocol):
    """One collection of the catalogue. Threads may share it."""

    @property
    def id(self) -> str:
        """Asset id."""
        ...

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def span(self) -> Span:
        """Time that it covers."""
        ...

    def images(self, ground: BaseGeometry, span: Span) -> Iterator[CatalogueImage]:
        """Yield the images that share ground and begin within a span, by time and id, lazily."""
        ...

    def image(self, index: str) -> CatalogueImage:
        """Return one image by its `system:index`.

        Raises:
            LookupError: There is no such image.
        """
        ...


def to_ms(instant: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (instant - EPOCH) // MS


def from_ms(number: int) -> datetime:
    """Return the instant (UTC)."""
    return EPOCH + number * MS


def make_image(
    collection: str,
    index: str,
    bands: Mapping[str, Leaf],
    properties: Mapping[str, Any],
    times: tuple[datetime, datetime],
    footprint: BaseGeometry,
) -> CatalogueImage:
    """Return an image with all that every image says of itself.

    Args:
        collection: Asset id.
        index: Unique within the collection.
        bands: By Earth Engine's name.
        properties: Beside those of the system.
        times: Start and end (UTC); rounded down to milliseconds.
        footprint: EPSG:4326.
    """
    start, end = (to_ms(time) for time in times)
    system = {
        "system:index": index,
        "system:time_start": start,
        "system:time_end": end,
        "system:footprint": _outline(footprint),
    }
    return CatalogueImage(
        f"{collection}/{index}",
        bands,
        {**properties, **SYNTHETIC, **system},
        from_ms(start),
        from_ms(end),
        footprint,
    )


def _outline(footprint: BaseGeometry) -> dict[str, Any]:
    """Return GeoJSON, of a plain polygon its outer ring, as Earth Engine writes footprints."""
    shape = footprint.exterior if isinstance(footprint, Polygon) else footprint
    told: dict[str, Any] = _listed(mapping(shape))
    return told


def _listed(value: Any) -> Any:
    """Return the same with lists in place of tuples, as JSON has it."""
    if isinstance(value, dict):
        return {key: _listed(part) for key, part in value.items()}
    return [_listed(part) for part in value] if isinstance(value, (tuple, list)) else value
