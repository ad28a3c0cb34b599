"""The catalogue: Earth Engine's asset ids over a simulated archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import cast

import shapely
from shapely.geometry.base import BaseGeometry

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine import derived
from eodata.sandbox.earthengine.images import CatalogueImage
from eodata.sandbox.earthengine.mosaics import (
    EARTH,
    LIGHTS_GRID,
    MODIS_GRID,
    WORLDCOVER_GRID,
    ElevationShelf,
    Layout,
    MosaicShelf,
    human_modification,
    of_gridded,
)
from eodata.sandbox.earthengine.sentinel1 import Sentinel1Shelf
from eodata.sandbox.earthengine.sentinel2 import Sentinel2Shelf, detected, measured
from eodata.sandbox.earthengine.shelves import Shelf
from eodata.sandbox.items import CELL, COARSE_CELL, Collection
from eodata.sandbox.sensors.gridded import Gridded
from eodata.sandbox.weather import Weather

KEPT = 20_000
"""Images that stay ready, so that reading does not search again."""
PUBLIC = "projects/earthengine-public/assets/"
"""Before an id in the name of an asset."""
OF_L2A = ("MSK_CLDPRB", "MSK_SNWPRB", "QA60")


class SandboxCatalogue:
    """All images of one simulated Earth. Threads may share it.

    Attributes:
        archive: Holds the pixels, with the bands that only Earth Engine has.
        shelves: Collections by asset id.
    """

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.archive = SandboxArchive(settings)
        self.shelves = _open_shelves(self.archive)
        # Per instance: two worlds must not share images.
        self._image = lru_cache(maxsize=KEPT)(self._find)

    def has_collection(self, collection: str) -> bool:
        """Return True when it has a collection of this asset id."""
        return collection.removeprefix(PUBLIC) in self.shelves

    def image(self, asset_id: str) -> CatalogueImage:
        """Return one image.

        Args:
            asset_id: As in `CatalogueImage.id`, or the whole name.

        Raises:
            LookupError: There is no such image.
        """
        return self._image(asset_id.removeprefix(PUBLIC))

    def images(
        self,
        collection: str,
        ground: BaseGeometry | None,
        start: datetime | None,
        end: datetime | None,
    ) -> Iterator[CatalogueImage]:
        """Yield the images of a collection by time, lazily; see `Catalogue.images`."""
        shelf = self._shelf(collection)
        first = max(start, shelf.span.start) if start else shelf.span.start
        last = min(end, shelf.span.end) if end else shelf.span.end
        if first >= last:
            return iter(())
        where = EARTH if ground is None else ground
        shapely.prepare(where)
        return shelf.images(where, Span(first, last))

    def _find(self, asset_id: str) -> CatalogueImage:
        collection, _, index = asset_id.rpartition("/")
        return self._shelf(collection).image(index)

    def _shelf(self, collection: str) -> Shelf:
        name = collection.removeprefix(PUBLIC)
        if name not in self.shelves:
            raise LookupError(f'there is no collection "{name}"')
        return self.shelves[name]


def _open_shelves(archive: SandboxArchive) -> Mapping[str, Shelf]:
    """Return all collections; the archive learns to make their bands."""
    sources, seed = archive.collections, archive.settings.seed
    elevation = cast("Gridded", sources["cop-dem-glo-30"])
    weather = Weather(seed, elevation.planet.climate)
    l1c, l2a = (
        derived.quality(sources[f"sentinel-2-{level}"], elevation.planet, weather)
        for level in ("l1c", "l2a")
    )
    angle = derived.angle(sources["sentinel-1-grd"], seed)
    mosaics = [*_mosaics(sources), human_modification(elevation.planet)]
    beside: list[Collection] = [l1c, l2a, angle, *mosaics]
    archive.collections = {**sources, **{collection.id: collection for collection in beside}}
    shelves: list[Shelf] = [
        *_sentinel2(sources["sentinel-2-l1c"], l1c, ("QA60",), "COPERNICUS/S2"),
        *_sentinel2(sources["sentinel-2-l2a"], l2a, OF_L2A, "COPERNICUS/S2_SR"),
        *_cloud_products(sources["sentinel-2-l1c"], l1c),
        Sentinel1Shelf(sources["sentinel-1-grd"], angle),
        ElevationShelf(elevation),
        *mosaics,
    ]
    return {shelf.id: shelf for shelf in shelves}


def _sentinel2(
    source: Collection, quality: derived.Derived, extra: tuple[str, ...], name: str
) -> Iterator[Shelf]:
    """Yield a level as it was processed, and harmonised."""
    for ending in ("", "_HARMONIZED"):
        bands = measured(harmonised=bool(ending), quality=quality, extra=extra)
        yield Sentinel2Shelf(name + ending, source.title, source, bands)


def _cloud_products(source: Collection, quality: derived.Derived) -> Iterator[Shelf]:
    for name, title, keys in (
        ("COPERNICUS/S2_CLOUD_PROBABILITY", "Simulated cloud probability", ("probability",)),
        (
            "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED",
            "Simulated Cloud Score+",
            ("cs", "cs_cdf"),
        ),
    ):
        yield Sentinel2Shelf(name, title, source, detected(quality, *keys), described=False)


def _mosaics(sources: Mapping[str, Collection]) -> Iterator[MosaicShelf]:
    """Yield the maps that the sandbox has as tiles, as images of the whole Earth."""
    modis, cover, lights = (
        cast("Gridded", sources[name])
        for name in ("modis-mcd12q1", "esa-worldcover", "viirs-dnb-monthly")
    )
    same = {key: key for key in modis.layers}
    name, pattern = "MODIS/061/MCD12Q1", "%Y_%m_%d"
    yield of_gridded(Layout(name, modis.title, MODIS_GRID, same, pattern, COARSE_CELL), modis)
    for version, year in (("v100", 2020), ("v200", 2021)):
        name, names = f"ESA/WorldCover/{version}", {"Map": "map"}
        layout = Layout(name, cover.title, WORLDCOVER_GRID, names, "%Y", CELL)
        yield of_gridded(layout, cover, (year,))
    same = {key: key for key in lights.layers}
    name, pattern = "NOAA/VIIRS/DNB/MONTHLY_V1/VCMCFG", "%Y%m%d"
    yield of_gridded(Layout(name, lights.title, LIGHTS_GRID, same, pattern, COARSE_CELL), lights)
