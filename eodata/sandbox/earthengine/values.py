"""What expressions are made of, besides numbers, strings, lists and dictionaries.

Images and collections are recipes: no pixel is made and no archive is searched before somebody
asks. Masks are all or nothing here; where Earth Engine has a fraction, anything above zero counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from eodata.sandbox.earthengine.images import Leaf, PixelGrid
from eodata.sandbox.earthengine.pixeltype import PixelType

Numbers = NDArray[np.generic]
Valid = NDArray[np.bool_]
INDEX = "system:index"
START = "system:time_start"


class Pixels(NamedTuple):
    """One band on a grid.

    Attributes:
        values: `(H, W)`; 0 where masked.
        valid: `(H, W)`, False where masked.
    """

    values: Numbers
    valid: Valid


class Canvas(Protocol):
    """One grid that bands are computed on; remembers what it made."""

    @property
    def grid(self) -> PixelGrid:
        """Return the grid."""
        ...

    def pixels(self, source: Source) -> Pixels:
        """Return a source's pixels on the grid, in its type."""
        ...

    def sampled(self, leaf: Leaf, method: str) -> Pixels:
        """Return a band of the catalogue on the grid."""
        ...

    def beside(self, grid: PixelGrid) -> Canvas:
        """Return a canvas of another grid that draws on the same budget."""
        ...

    def inside(self, ground: Geometry) -> Valid:
        """Return which pixel centres lie in a geometry, `(H, W)`."""
        ...


@dataclass(frozen=True, slots=True)
class Projection:
    """A CRS, and the affine from pixel corners to it; `scaleX, shearX, translateX, …`."""

    crs: str
    transform: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


COMPOSITE = Projection("EPSG:4326")
"""What composites and constants have: one degree, which stands for no grid of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where a band's pixels come from.

    Attributes:
        kind: Type of its numbers.
        make: Computes them.
        projection: The band's own; `COMPOSITE` when it has none.
        leaf: The band of the catalogue when it is one, untouched.
        shape: Height and width of the band's own grid when it has an end.
    """

    kind: PixelType
    make: Callable[[Canvas], Pixels]
    projection: Projection = COMPOSITE
    leaf: Leaf | None = None
    shape: tuple[int, int] | None = None


class Band(NamedTuple):
    """A source under a name."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Ground.

    Attributes:
        shape: EPSG:4326, great circles already cut to short straight edges.
        told: GeoJSON of it as it was written.
    """

    shape: BaseGeometry
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Bands with metadata. `ground` is None where an image has no end."""

    bands: tuple[Band, ...]
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    ground: Geometry | None = None

    @property
    def names(self) -> list[str]:
        """Return the names of the bands in order."""
        return [band.name for band in self.bands]


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """Metadata with or without a geometry."""

    ground: Geometry | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


class Replay:
    """Elements that are found once, when somebody gets to them, and then remembered."""

    def __init__(self, elements: Iterator[Element]) -> None:
        self._rest, self._known = elements, list[Element]()

    def __iter__(self) -> Iterator[Element]:
        """Yield the elements in order; several may do so at once."""
        at = 0
        while True:
            if at == len(self._known):
                found = next(self._rest, None)
                if found is None:
                    return
                self._known.append(found)
            yield self._known[at]
            at += 1


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A collection of the catalogue with what its elements must meet.

    Attributes:
        id: Of the collection.
        filters: All of them.
    """

    id: str
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """Elements in order.

    Attributes:
        elements: Images or features.
        images: Whether they are images.
        properties: Of the collection.
        query: What finds them, while nothing but filters happened to them.
    """

    elements: Replay
    images: bool
    properties: Mapping[str, Any] = field(default_factory=dict)
    query: Query | None = None


Element: TypeAlias = Image | Feature
HasProperties: TypeAlias = Image | Feature | Collection


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """An instant [ms since 1970, UTC]."""

    millis: int


@dataclass(frozen=True, slots=True)
class DateRange:
    """Half-open: `[start, end)`."""

    start: Date
    end: Date


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """A condition on one element, or on two of a join.

    Attributes:
        test: From the left and the right element to whether it holds; alone, an element is both.
        ground: Whatever passes shares ground with this, if given.
        start: Whatever passes begins then or later, if given.
        end: Whatever passes begins before, if given.
        equal: The properties that must be equal in the left and the right element, if that is all.
    """

    test: Callable[[Element, Element], bool]
    ground: BaseGeometry | None = None
    start: Date | None = None
    end: Date | None = None
    equal: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """From the matches of one primary element to the elements that take its place.

    Attributes:
        place: Of element and matches.
        pairs: Whether they are features that hold pairs.
    """

    place: Callable[[Element, Iterator[Element]], Iterator[Element]]
    pairs: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the expression; `call` takes its arguments in order."""

    names: tuple[str, ...]
    call: Callable[..., Any]


def with_properties(element: Any, properties: Mapping[str, Any]) -> Any:
    """Return an element with some properties set; what is None is removed."""
    merged = {**element.properties, **properties}
    return replace(element, properties={k: v for k, v in merged.items() if v is not None})
