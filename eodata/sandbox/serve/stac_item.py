"""What STAC items of every flavour share: places on the server, times, outlines, grids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.sandbox.items import Layer, SandboxItem

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
SYNTHETIC = "sandbox:synthetic"
"""Property of every item and collection of the sandbox, always true."""
NOT_REAL = "Simulated by the eodata sandbox: not real data"
WHOLE_EARTH = box(-180, -90, 180, 90)
SCHEMA = "https://stac-extensions.github.io/{}/schema.json"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are on this server.

    Attributes:
        api: Root of the STAC API, an absolute URL that ends with `/`.
        assets: What `/COLLECTION/ITEM/KEY.tif` is appended to, an absolute URL.
    """

    api: str
    assets: str

    def asset(self, item: SandboxItem, key: str) -> str:
        """Return the URL of a layer's file."""
        return f"{self.assets}/{item.collection}/{item.id}/{key}.tif"

    def collection(self, collection_id: str) -> str:
        """Return the URL of a collection."""
        return f"{self.api}collections/{collection_id}"

    def item(self, collection_id: str, item_id: str) -> str:
        """Return the URL of an item."""
        return f"{self.api}collections/{collection_id}/items/{item_id}"


def extension(*names: str) -> tuple[str, ...]:
    """Return the identifiers of STAC extensions.

    >>> extension("eo/v1.1.0")
    ('https://stac-extensions.github.io/eo/v1.1.0/schema.json',)
    """
    return tuple(SCHEMA.format(name) for name in names)


def timestamp(instant: datetime) -> str:
    """Write an instant as STAC items do: UTC, microseconds, Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def outline(item: SandboxItem) -> tuple[dict[str, Any], list[float]]:
    """Return the geometry as GeoJSON and its bounding box.

    A box across the date line has its west edge east of its east edge, as RFC 7946 wants.
    """
    geometry: dict[str, Any] = json.loads(shapely.to_geojson(item.footprint))
    return geometry, bounding_box(item.footprint)


def bounding_box(footprint: BaseGeometry) -> list[float]:
    """Return `[west, south, east, north]` in degrees."""
    west, south, east, north = footprint.bounds
    if west <= -180 and east >= 180 and footprint.geom_type == "MultiPolygon":
        parts = [part.bounds for part in shapely.get_parts(footprint)]
        western = [p for p in parts if p[0] <= -180]
        eastern = [p for p in parts if p[0] > -180]
        if eastern and max(p[2] for p in western) < min(p[0] for p in eastern):
            west, east = min(p[0] for p in eastern), max(p[2] for p in western)
    return [west, south, east, north]


def ground_of(bbox: tuple[float, ...]) -> BaseGeometry:
    """Return the ground inside a box that a client asked for; it may cross the date line."""
    west, south, east, north = bbox if len(bbox) == 4 else (bbox[0], bbox[1], bbox[3], bbox[4])
    if west <= east:
        return box(west, south, east, north)
    return shapely.union_all([box(west, south, 180, north), box(-180, south, east, north)])


def centre_of(item: SandboxItem) -> dict[str, float]:
    """Return the centre of the item, of its larger part where the date line cuts it [degrees]."""
    part = max(shapely.get_parts(item.footprint), key=lambda one: one.area)
    return {"lat": round(part.centroid.y, 5), "lon": round(part.centroid.x, 5)}


def epsg(item: SandboxItem) -> int | None:
    """Return the EPSG code of the item's grid, None when it has none."""
    return None if item.base.crs is None else item.base.crs.epsg


def wkt(item: SandboxItem) -> str:
    """Return the item's coordinate system as WKT 2."""
    return "" if item.base.crs is None else str(item.base.crs.wkt)


def shape_of(item: SandboxItem, ratio: int = 1) -> list[int]:
    """Return rows and columns of the layers of one ratio."""
    height, width = item.base.shape
    return [-(-height // ratio), -(-width // ratio)]


def transform_of(item: SandboxItem, ratio: int = 1) -> list[float]:
    """Return the six numbers that lead from column and row to coordinates."""
    a = item.base.affine
    six = (a.a * ratio, a.b * ratio, a.c, a.d * ratio, a.e * ratio, a.f)
    return [plain(value) for value in six]


def edges_of(item: SandboxItem) -> list[float]:
    """Return west, south, east, north of the base grid in its own coordinates."""
    return [plain(value) for value in item.base.boundingbox.bbox]


def pixel_size(item: SandboxItem, layer: Layer) -> float:
    """Return the edge of a layer's pixels in units of its coordinate system."""
    return plain(abs(item.base.affine.a) * layer.ratio)


def plain(value: float) -> float:
    """Return whole numbers as int, so that JSON has `10` and not `10.0`."""
    return int(value) if float(value).is_integer() else float(value)


def periods(item: SandboxItem) -> Iterator[tuple[str, str]]:
    """Yield `start_datetime` and `end_datetime` where the item stands for a period."""
    for key in ("start_datetime", "end_datetime"):
        if key in item.properties:
            yield key, item.properties[key]


def absent_removed(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that the archive knows: those that are not None."""
    return {key: value for key, value in properties.items() if value is not None}
