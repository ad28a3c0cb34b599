"""Sentinel-2 in Earth Engine's words: two levels, plain and harmonised, and two cloud products.

All collections of one acquisition share its `system:index`: start of the data take, time at which
the tile was sensed, tile. An acquisition that was processed again has a second image, one second
later by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.earthengine.derived import QUALITY, Derived
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf
from eodata.sandbox.earthengine.shelves import make_image, to_ms
from eodata.sandbox.items import Collection, SandboxItem
from eodata.sandbox.sensors.sentinel2_items import PASS, SECOND, S2Origin
from eodata.sandbox.sensors.sentinel2_names import STAMP
from eodata.sandbox.tiles import tile

Bands = Callable[[SandboxItem], Mapping[str, Leaf]]
_INDEX = re.compile(r"(?P<started>\d{8}T\d{6})_(?P<sensed>\d{8}T\d{6})_T(?P<tile>\d\d[A-Z]{3})")


class Sentinel2Shelf:
    """One of the collections. Threads may share it."""

    def __init__(
        self, name: str, title: str, source: Collection, bands: Bands, *, described: bool = True
    ) -> None:
        """Take the acquisitions.

        Args:
            name: Asset id.
            title: One line.
            source: `sentinel-2-l1c` or `sentinel-2-l2a`.
            bands: From one of its items to what the image shows of it.
            described: Whether images carry the metadata of the product.
        """
        self.id, self.title, self.span = name, title, source.span
        self._source, self._bands, self._described = source, bands, described

    def images(self, ground: BaseGeometry, span: Span) -> Iterator[CatalogueImage]:
        """Yield images as `Shelf` does."""
        return map(self._image, self._source.find(ground, span))

    def image(self, index: str) -> CatalogueImage:
        """Return one image as `Shelf` does."""
        said = _INDEX.fullmatch(index)
        for item in self._near(said) if said else ():
            if _index(item) == index:
                return self._image(item)
        raise LookupError(f'{self.id} has no image "{index}"')

    def _near(self, said: re.Match[str]) -> Iterator[SandboxItem]:
        """Yield what a tile shows around the time that a name says."""
        try:
            sensed = datetime.strptime(said["sensed"], STAMP).replace(tzinfo=UTC)
        except ValueError:
            return  # digits that are no date
        around = Span(sensed - 2 * SECOND, sensed + PASS)
        for item in self._source.find(tile(said["tile"]).footprint, around):
            if item.datetime > sensed + 2 * SECOND:
                return
            yield item

    def _image(self, item: SandboxItem) -> CatalogueImage:
        return make_image(
            self.id,
            _index(item),
            self._bands(item),
            _properties(item) if self._described else {},
            (item.datetime, item.datetime),
            item.footprint,
        )


def measured(*, harmonised: bool, quality: Derived, extra: tuple[str, ...]) -> Bands:
    """Return what makes the bands of a level.

    Args:
        harmonised: Whether the offset is taken out that the metadata state.
        quality: What the bands of quality are read from.
        extra: Which of these there are.
    """

    def bands(item: SandboxItem) -> Mapping[str, Leaf]:
        beside = quality.beside(item)
        own = {name_of(key): _leaf(item, key, harmonised) for key in item.layers}
        return own | {key: _quality_leaf(beside, key) for key in extra}

    return bands


def detected(quality: Derived, *keys: str) -> Bands:
    """Return what makes the bands of a cloud product."""

    def bands(item: SandboxItem) -> Mapping[str, Leaf]:
        beside = quality.beside(item)
        return {key: _quality_leaf(beside, key) for key in keys}

    return bands


def name_of(key: str) -> str:
    """Return Earth Engine's name of a band: B1 for B01.

    >>> name_of("B01"), name_of("B8A"), name_of("SCL")
    ('B1', 'B8A', 'SCL')
    """
    return f"B{key[2:]}" if key.startswith("B0") else key


def _leaf(item: SandboxItem, key: str, harmonised: bool) -> Leaf:
    layer = item.layers[key]
    offset = 0.0
    if harmonised and layer.offset and layer.scale:
        offset = float(round(layer.offset / layer.scale))
    return Leaf(item, key, layer.dtype, offset=offset, nodata=layer.nodata)


def _quality_leaf(beside: SandboxItem, key: str) -> Leaf:
    return Leaf(beside, key, QUALITY[key].dtype, nodata=QUALITY[key].nodata)


def _index(item: SandboxItem) -> str:
    started, _, place = _parts(item)
    return f"{started}_{_sensed(item)}_{place}"


def _sensed(item: SandboxItem) -> str:
    later = timedelta(seconds=int(item.properties["s2:sequence"]))
    return (item.datetime + later).strftime(STAMP)


def _parts(item: SandboxItem) -> tuple[str, str, str]:
    """Return start of the data take, relative orbit and tile as the id states them."""
    _, _, started, _, orbit, place, _ = item.id.split("_")
    return started, orbit, place


def _properties(item: SandboxItem) -> dict[str, Any]:
    """Return what the metadata of the product state, under Earth Engine's names."""
    origin: S2Origin = item.origin
    said, level = item.properties, origin.level.upper()
    offset = round((item.layers["B04"].offset or 0) * 10_000)
    made = {
        "CLOUDY_PIXEL_PERCENTAGE": said["eo:cloud_cover"],
        "CLOUD_COVERAGE_ASSESSMENT": said["eo:cloud_cover"],
        "DATASTRIP_ID": said["s2:datastrip_id"],
        "DATATAKE_IDENTIFIER": said["s2:datatake_id"],
        "DATATAKE_TYPE": said["s2:datatake_type"],
        "GENERATION_TIME": to_ms(origin.generation),
        "GRANULE_ID": (
            f"{level}_T{origin.tile.name}_A{said['sat:absolute_orbit']:06d}_{_sensed(item)}"
        ),
        "MEAN_SOLAR_AZIMUTH_ANGLE": said["s2:mean_solar_azimuth"],
        "MEAN_SOLAR_ZENITH_ANGLE": said["s2:mean_solar_zenith"],
        "MGRS_TILE": origin.tile.name,
        "PROCESSING_BASELINE": origin.baseline,
        "PRODUCT_ID": item.id,
        "SENSING_ORBIT_DIRECTION": "DESCENDING",
        "SENSING_ORBIT_NUMBER": said["sat:relative_orbit"],
        "SPACECRAFT_NAME": f"Sentinel-{origin.unit[1:]}",
    }
    if level == "L2A":
        made["NODATA_PIXEL_PERCENTAGE"] = said["s2:nodata_pixel_percentage"]
    bands = (name_of(key) for key in item.layers if key.startswith("B"))
    return made | ({f"RADIO_ADD_OFFSET_{band}": offset for band in bands} if offset else {})
