"""Collections whose items are cells of a grid over the Earth: by year, by month, or once for all.

Land cover, elevation and night lights come like this: a search is arithmetic on the grid, an id
says cell and edition, and nothing has to be listed.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor
from typing import Any, ClassVar, Protocol

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span, format_utc
from eodata.sandbox.footprints import may_hold_land, within_180
from eodata.sandbox.items import CELL, Layer, SandboxItem
from eodata.sandbox.planet.planet import Planet


@dataclass(frozen=True, slots=True)
class Edition:
    """One issue of a gridded product.

    Attributes:
        name: As ids have it: `2018`, `201801`.
        start: First instant that it stands for.
        end: First instant after; None when it stands for one instant.
    """

    name: str
    start: datetime
    end: datetime | None = None

    def lies_in(self, span: Span | None) -> bool:
        """Return True when the instant lies in the half-open span, or the period overlaps it."""
        if span is None or self.start in span:
            return True
        return self.end is not None and self.start < span.start < self.end


def years(first: int, last: int) -> tuple[Edition, ...]:
    """Return one edition per calendar year, both ends included."""
    return tuple(
        Edition(str(y), datetime(y, 1, 1, tzinfo=UTC), datetime(y + 1, 1, 1, tzinfo=UTC))
        for y in range(first, last + 1)
    )


def months(first: tuple[int, int], last: tuple[int, int]) -> tuple[Edition, ...]:
    """Return one edition per calendar month `(year, month)`, both ends included."""
    count = (last[0] - first[0]) * 12 + last[1] - first[1] + 2
    edges = [divmod(first[0] * 12 + first[1] - 1 + n, 12) for n in range(count)]
    starts = [datetime(year, month + 1, 1, tzinfo=UTC) for year, month in edges]
    return tuple(Edition(f"{start:%Y%m}", start, end) for start, end in pairwise(starts))


@dataclass(frozen=True, slots=True, eq=False)
class GridCell:
    """One cell of a grid.

    Attributes:
        name: As ids have it.
        base: Its pixels.
        footprint: Its ground, EPSG:4326.
        bounds: West, south, east, north [degrees], for what asks whether there is land.
    """

    name: str
    base: GeoBox
    footprint: BaseGeometry
    bounds: tuple[float, float, float, float]


class CellGrid(Protocol):
    """A grid of cells over the Earth."""

    def over(self, footprint: BaseGeometry) -> Iterator[GridCell]:
        """Yield the cells that share ground with a footprint, ordered by name."""
        ...

    def cell(self, name: str) -> GridCell:
        """Return one cell.

        Raises:
            LookupError: The grid has no such cell.
        """
        ...


@dataclass(frozen=True, slots=True)
class DegreeGrid:
    """Cells of whole degrees.

    Attributes:
        size: Width and height of a cell [degrees].
        south: Southern edge of the lowest row [degrees].
        north: Northern edge of the highest row [degrees].
        name: From the south-west corner `(west, south)` [degrees] to the name of a cell.
        pixels: From the south-west corner to the pixels.
    """

    size: tuple[int, int]
    south: int
    north: int
    name: Callable[[int, int], str]
    pixels: Callable[[int, int], GeoBox]

    def over(self, footprint: BaseGeometry) -> Iterator[GridCell]:
        """Yield the cells that share ground with a footprint, ordered by name."""
        ground = within_180(footprint)
        shapely.prepare(ground)
        corners = {c for part in shapely.get_parts(ground) for c in self._corners(part.bounds)}
        for _, corner in sorted((self.name(*corner), corner) for corner in corners):
            cell = _degree_cell(self, *corner)
            if shares_ground(ground, cell.footprint):
                yield cell

    def cell(self, name: str) -> GridCell:
        """Return one cell.

        Raises:
            LookupError: The grid has no such cell.
        """
        return _degree_cell(self, *_corner_by_name(self)[name])

    def _corners(self, bounds: tuple[float, float, float, float]) -> Iterator[tuple[int, int]]:
        """Yield the corners of cells that may touch a box; pixels may hang over by a little."""
        (wide, high), slack = self.size, 0.01
        west, south, east, north = bounds
        for col in range(floor((west - slack + 180) / wide), ceil((east + slack + 180) / wide)):
            for row in range(
                max(0, floor((south - slack - self.south) / high)),
                min((self.north - self.south) // high, ceil((north + slack - self.south) / high)),
            ):
                yield (col % (360 // wide)) * wide - 180, self.south + row * high


@lru_cache(maxsize=4096)
def _degree_cell(grid: DegreeGrid, west: int, south: int) -> GridCell:
    base, (wide, high) = grid.pixels(west, south), grid.size
    edges = base.boundingbox
    footprint = box(edges.left, edges.bottom, edges.right, edges.top)
    footprint = footprint.intersection(box(-180, -90, 180, 90))
    return GridCell(
        grid.name(west, south), base, footprint, (west, south, west + wide, south + high)
    )


@lru_cache(maxsize=8)
def _corner_by_name(grid: DegreeGrid) -> Mapping[str, tuple[int, int]]:
    return {
        grid.name(west, south): (west, south)
        for west in range(-180, 180, grid.size[0])
        for south in range(grid.south, grid.north, grid.size[1])
    }


class Gridded(ABC):
    """A collection of the cells of a grid, each in every edition. Threads may share it.

    Attributes:
        id: Of the collection.
        title: One line.
        description: A sentence or two.
        grid: The cells.
        editions: In order of time.
        layers: By key.
        pattern: What ids look like, with groups `cell` and `edition`.
        square: Edge of the squares that pixels are made in [px].
    """

    id: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    grid: ClassVar[CellGrid]
    editions: ClassVar[tuple[Edition, ...]]
    layers: ClassVar[Mapping[str, Layer]]
    pattern: ClassVar[re.Pattern[str]]
    square: ClassVar[int] = CELL

    def __init__(self, settings: SandboxSettings, planet: Planet) -> None:
        self.seed, self.planet = settings.seed, planet

    @property
    def span(self) -> Span:
        """Time that it covers."""
        last = self.editions[-1]
        return Span(self.editions[0].start, last.end or last.start + timedelta(seconds=1))

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, ordered by time and id, lazily."""
        editions = [edition for edition in self.editions if edition.lies_in(span)]
        cells: Sequence[GridCell] | None = None
        for edition in reversed(editions) if newest_first else editions:
            if cells is None:
                cells = list(self.grid.over(footprint))
                cells = cells[::-1] if newest_first else cells
            yield from (self._item(c, edition) for c in cells if self.exists(c))

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        said = self.pattern.fullmatch(item_id)
        editions = {edition.name: edition for edition in self.editions}
        try:
            if said is not None:
                cell, edition = self.grid.cell(said["cell"]), editions[said["edition"]]
                if self.exists(cell) and self.item_id(cell, edition) == item_id:
                    return self._item(cell, edition)
        except KeyError:
            pass  # an unknown cell or edition is an unknown item
        raise LookupError(f'{self.id} has no item "{item_id}"')

    def exists(self, cell: GridCell) -> bool:
        """Return True when the product has this cell: where there is land, unless overridden."""
        return may_hold_land(cell.bounds)

    def defects(self, item: SandboxItem) -> dict[str, Any]:  # noqa: ARG002 (protocol)
        """Return which defects were planted in an item: none in maps."""
        return {}

    def render(
        self, item: SandboxItem, keys: Sequence[str], base: GeoBox
    ) -> dict[str, NDArray[np.generic]]:
        """Return the numbers of some layers; see `Collection.render`."""
        return self.paint(base, keys, item.origin)

    def truth(self, item: SandboxItem, base: GeoBox) -> dict[str, NDArray[np.generic]]:
        """Return what holds behind the numbers; see `Collection.truth`."""
        return self.behind(base, item.origin)

    @abstractmethod
    def item_id(self, cell: GridCell, edition: Edition, /) -> str:
        """Return the id, as the real archives write it."""

    @abstractmethod
    def properties(self, cell: GridCell, edition: Edition, /) -> dict[str, Any]:
        """Return what the metadata state beside the times."""

    @abstractmethod
    def paint(
        self, base: GeoBox, keys: Sequence[str], edition: Edition, /
    ) -> dict[str, NDArray[np.generic]]:
        """Return the numbers of some layers of an edition on a part of the grid."""

    @abstractmethod
    def behind(self, base: GeoBox, edition: Edition, /) -> dict[str, NDArray[np.generic]]:
        """Return what holds behind the numbers, by name."""

    def _item(self, cell: GridCell, edition: Edition) -> SandboxItem:
        return SandboxItem(
            id=self.item_id(cell, edition),
            collection=self.id,
            datetime=edition.start,
            footprint=cell.footprint,
            properties={**_period(edition), **self.properties(cell, edition)},
            base=cell.base,
            layers=self.layers,
            origin=edition,
            cell=self.square,
        )


def _period(edition: Edition) -> dict[str, str]:
    if edition.end is None:
        return {}
    return {
        "start_datetime": format_utc(edition.start),
        "end_datetime": format_utc(edition.end - timedelta(seconds=1)),
    }


def degree_box(
    west: float, north: float, step: tuple[float, float], shape: tuple[int, int]
) -> GeoBox:
    """Return pixels of EPSG:4326 by their north-west edge and size `(x, y)` [degrees]."""
    return GeoBox(shape, Affine(step[0], 0, west, 0, -step[1], north), "EPSG:4326")


def by_key(*layers: Layer) -> Mapping[str, Layer]:
    """Return layers by their keys, in order."""
    return {layer.key: layer for layer in layers}
