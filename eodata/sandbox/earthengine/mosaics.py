"""Maps in Earth Engine's words: an image of the whole Earth per edition, and tiles of elevation."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.core.span import Span
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf
from eodata.sandbox.earthengine.shelves import make_image
from eodata.sandbox.items import COARSE_CELL, Collection, Layer, SandboxItem
from eodata.sandbox.planet.cover import CROP, WATER
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.sensors import sinusoidal
from eodata.sandbox.sensors.gridded import Edition, Gridded, degree_box
from eodata.sandbox.sensors.lights import STEP_DEG
from eodata.sandbox.sensors.sampling import sample

Bands = dict[str, NDArray[np.generic]]
Paint = Callable[[GeoBox, Sequence[str], Edition], Bands]
EARTH = box(-180, -90, 180, 90)
MODIS_GRID = GeoBox(
    (sinusoidal.ROWS * sinusoidal.TILE_PX, sinusoidal.COLS * sinusoidal.TILE_PX),
    Affine(sinusoidal.PIXEL_M, 0, -18 * sinusoidal.EDGE_M, 0, -sinusoidal.PIXEL_M,
           9 * sinusoidal.EDGE_M),
    sinusoidal.CRS,
)  # fmt: skip
WORLDCOVER_GRID = degree_box(-180, 84, (1 / 12_000, 1 / 12_000), (144 * 12_000, 360 * 12_000))
LIGHTS_GRID = degree_box(
    -180 - STEP_DEG / 2, 75 + STEP_DEG / 2, (STEP_DEG, STEP_DEG), (140 * 240, 360 * 240)
)
HUMAN_GRID = degree_box(-180, 84, (1 / 120, 1 / 120), (144 * 120, 360 * 120))
SURVEY = datetime(2010, 12, 1, tzinfo=UTC), datetime(2015, 1, 31, tzinfo=UTC)
"""When the data of Copernicus DEM were taken; Earth Engine dates its tiles so."""
SAMPLES = 4
"""Along each axis of a pixel of human modification."""
BUILT_WEIGHT, CROP_WEIGHT = 0.9, 0.45


@dataclass(frozen=True, slots=True)
class Layout:
    """How a collection of the sandbox is laid out as images of the whole Earth.

    Attributes:
        id: Asset id.
        title: One line.
        grid: Of all images.
        names: From Earth Engine's band names to the sandbox's layers.
        index: Pattern of `system:index`, formatted with the start of an edition.
        cell: Edge of the squares that pixels are made in [px].
    """

    id: str
    title: str
    grid: GeoBox
    names: Mapping[str, str]
    index: str
    cell: int


class MosaicShelf:
    """Images of the whole Earth, one per edition. Threads may share it.

    It is the archive's collection of their records, too.
    """

    def __init__(
        self,
        layout: Layout,
        layers: Mapping[str, Layer],
        editions: Sequence[Edition],
        paint: Paint,
    ) -> None:
        """Take what the images are made of.

        Args:
            layout: Ids, names and grid.
            layers: By the sandbox's keys.
            editions: In order of time, each with an end.
            paint: From a part of the grid, keys of layers and an edition to numbers.
        """
        self.id, self.title, self.description = layout.id, layout.title, layout.title
        self._layout, self._layers, self._paint = layout, layers, paint
        self._editions = {format(edition.start, layout.index): edition for edition in editions}
        self.span = Span(editions[0].start, editions[-1].end or editions[-1].start)

    def images(self, ground: BaseGeometry, span: Span) -> Iterator[CatalogueImage]:
        """Yield images as `Shelf` does."""
        for index, edition in self._editions.items():
            if edition.start in span and shares_ground(ground, EARTH):
                yield self.image(index)

    def image(self, index: str) -> CatalogueImage:
        """Return one image as `Shelf` does."""
        record = self.get(index)
        bands = {
            name: Leaf(record, key, self._layers[key].dtype, nodata=self._layers[key].nodata)
            for name, key in self._layout.names.items()
        }
        edition: Edition = record.origin
        times = edition.start, edition.end or edition.start
        return make_image(self.id, index, bands, {}, times, EARTH)

    def get(self, item_id: str) -> SandboxItem:
        """Return the record of an image; see `Collection.get`."""
        edition = self._editions.get(item_id)
        if edition is None:
            raise LookupError(f'{self.id} has no image "{item_id}"')
        return SandboxItem(
            id=item_id,
            collection=self.id,
            datetime=edition.start,
            footprint=EARTH,
            properties={},
            base=self._layout.grid,
            layers=self._layers,
            origin=edition,
            cell=self._layout.cell,
        )

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the records; see `Collection.find`."""
        found = [index for index, edition in self._editions.items() if edition.lies_in(span)]
        for index in reversed(found) if newest_first else found:
            if shares_ground(footprint, EARTH):
                yield self.get(index)

    def render(self, item: SandboxItem, keys: Sequence[str], base: GeoBox) -> Bands:
        """Return numbers; see `Collection.render`."""
        return self._paint(base, keys, item.origin)

    def truth(self, item: SandboxItem, base: GeoBox) -> Bands:  # noqa: ARG002 (protocol)
        """Return nothing: the truth is that of the sandbox's own collections."""
        return {}

    def defects(self, item: SandboxItem) -> dict[str, Any]:  # noqa: ARG002 (protocol)
        """Return nothing: maps have no defects."""
        return {}


class ElevationShelf:
    """`COPERNICUS/DEM/GLO30`: tiles of one degree. Threads may share it."""

    id, title, span = "COPERNICUS/DEM/GLO30", "Simulated Copernicus DEM GLO-30", Span(*SURVEY)

    def __init__(self, source: Collection) -> None:
        """Take `cop-dem-glo-30`."""
        self._source = source

    def images(self, ground: BaseGeometry, span: Span) -> Iterator[CatalogueImage]:
        """Yield images as `Shelf` does."""
        if SURVEY[0] in span:
            yield from map(self._image, self._source.find(ground, None))

    def image(self, index: str) -> CatalogueImage:
        """Return one image as `Shelf` does."""
        return self._image(self._source.get(index))

    def _image(self, item: SandboxItem) -> CatalogueImage:
        bands = {"DEM": Leaf(item, "data", "float32")}
        return make_image(self.id, item.id, bands, {}, SURVEY, item.footprint)


def of_gridded(layout: Layout, source: Gridded, years: Container[int] = range(3000)) -> MosaicShelf:
    """Return a gridded collection of the sandbox as images of the whole Earth.

    Args:
        layout: Ids, names and grid.
        source: The collection.
        years: Whose editions are shown.
    """
    editions = [edition for edition in source.editions if edition.start.year in years]
    return MosaicShelf(layout, source.layers, editions, source.paint)


def human_modification(planet: Planet) -> MosaicShelf:
    """Return `CSP/HM/GlobalHumanModification`: towns and fields by their shares, 0 to 1."""

    def paint(base: GeoBox, keys: Sequence[str], _: Edition) -> Bands:
        return dict.fromkeys(keys, _modified(planet, base))

    layout = Layout(
        "CSP/HM/GlobalHumanModification",
        "Simulated human modification, 1 km",
        HUMAN_GRID,
        {"gHM": "gHM"},
        "%Y",
        COARSE_CELL,
    )
    year = Edition("2016", datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 12, 31, tzinfo=UTC))
    return MosaicShelf(layout, {"gHM": Layer("gHM", 1, "float32")}, [year], paint)


def _modified(planet: Planet, base: GeoBox) -> NDArray[np.float32]:
    """Return how far people have changed each pixel, NaN where all of it is water."""
    (height, width), affine = base.shape, base.affine
    lon, lat = np.meshgrid(
        affine.c + affine.a * (np.arange(width * SAMPLES) + 0.5) / SAMPLES,
        affine.f + affine.e * (np.arange(height * SAMPLES) + 0.5) / SAMPLES,
    )
    found = sample(planet, lon.ravel(), lat.ravel(), ("cover", "built"))
    square = height, SAMPLES, width, SAMPLES

    def share(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(values.reshape(square).mean(axis=(1, 3)), np.float64)

    crops, water = share(np.isin(found["cover"], CROP)), share(np.isin(found["cover"], WATER))
    untouched = (1 - BUILT_WEIGHT * share(found["built"])) * (1 - CROP_WEIGHT * crops)
    return np.where(water < 1, 1 - untouched, np.nan).astype(np.float32)
