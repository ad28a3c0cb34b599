"""The records of the simulated archives before any protocol: what was seen, when, on which grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.planet.displacement import STILL, Displacement

CELL = 480
"""Edge of the square that pixels are made in [base px]: 480, 240 and 80 px at 10, 20 and 60 m."""
COARSE_CELL = 48
"""The same for pixels of half a kilometre, each of which holds much ground."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One raster of an item.

    Attributes:
        key: Name, unique within the item: B02, SCL, vv.
        ratio: Base pixels per pixel of this layer: 1, 2 and 6 for 10, 20 and 60 m.
        dtype: Of its numbers.
        nodata: DN of a missing value, or None.
        scale: Factor from DN to the physical value *as the metadata state it*, or None.
        offset: Added after scaling, as the metadata state it, or None.
        unit: Of the physical value.
    """

    key: str
    ratio: int
    dtype: str
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str = "1"


@dataclass(frozen=True, slots=True, eq=False)
class SandboxItem:
    """One record.

    Attributes:
        id: As the real archives write it; unique within the collection.
        collection: Id of the collection.
        datetime: Time of acquisition (UTC).
        footprint: Where it has data, EPSG:4326. Crossing the date line: a MultiPolygon.
        properties: STAC common names (`platform`, `eo:cloud_cover`, `sat:relative_orbit`, …), as
            the metadata state them. JSON values only.
        base: The whole ground of the item on its finest grid; layers cut it by their `ratio`.
        layers: By key, in the order of the instrument.
        origin: What the collection needs to make the pixels; means nothing to anybody else.
        cell: Edge of the squares that pixels are made in [base px].
    """

    id: str
    collection: str
    datetime: datetime
    footprint: BaseGeometry
    properties: Mapping[str, Any]
    base: GeoBox
    layers: Mapping[str, Layer]
    origin: Any = field(default=None, repr=False)
    cell: int = CELL

    def grid(self, key: str, factor: int = 1) -> GeoBox:
        """Return the grid of a layer, or of its overview that is `factor` times as coarse.

        The last row and column of an overview may hang over the edge by less than one pixel.
        """
        return coarser(self.base, self.layers[key].ratio * factor)


class Collection(Protocol):
    """One collection of the simulated archives. Threads may share it."""

    @property
    def id(self) -> str:
        """Name, unique within the archive."""
        ...

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def description(self) -> str:
        """A sentence or two."""
        ...

    @property
    def span(self) -> Span:
        """Time that it covers."""
        ...

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, ordered by time and id, lazily."""
        ...

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        ...

    def render(
        self, item: SandboxItem, keys: Sequence[str], base: GeoBox
    ) -> dict[str, NDArray[np.generic]]:
        """Return the numbers of some layers.

        Args:
            item: One of this collection.
            keys: Names of layers.
            base: A part of the item's base grid, or of that grid made coarser by a whole factor
                (an overview). Its shape is a multiple of every wanted layer's ratio; it may hang
                over the item's edges.

        Returns:
            By key, an array of the base's shape divided by the layer's ratio.
        """
        ...

    def truth(self, item: SandboxItem, base: GeoBox) -> dict[str, NDArray[np.generic]]:
        """Return what holds on a grid behind the numbers, by name, on the base's own pixels."""
        ...

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return which defects were planted in an item; JSON values, empty when none."""
        ...


def displacement_of(item: SandboxItem, key: str = "") -> Displacement:
    """Return how far a layer of an item lies from its place; without one, the item as a whole.

    Most collections are always in place. What is made from items of another collection, which it
    has as its origins, lies where they do.
    """
    origin = item.origin.origin if isinstance(item.origin, SandboxItem) else item.origin
    told: Displacement = origin.displacement(key) if hasattr(origin, "displacement") else STILL
    return told


def coarser(grid: GeoBox, factor: int) -> GeoBox:
    """Return a grid of the same corner whose pixels are `factor` times as large."""
    height, width = grid.shape
    shape = -(-height // factor), -(-width // factor)
    return GeoBox(shape, grid.affine @ Affine.scale(factor), grid.crs)
