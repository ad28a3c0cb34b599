"""From what Earth Engine says of an image to an item of the core.

Every band is an asset whose address is the image. Where the bands' pixels lie is one property of
the item, so that the plan locks it and a worker need not ask again.

Raises what `MALFORMED` lists over metadata that are not what they should be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj.exceptions import CRSError
from shapely.errors import ShapelyError
from shapely.geometry import Polygon, box, shape
from shapely.geometry.base import BaseGeometry

from eodata.core.endpoint import OffsetSource
from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.reproject import split_at_date_line
from eodata.core.span import format_utc, parse_utc
from eodata.providers.offsets import coding_of

JSON = Mapping[str, Any]
GRIDS = "earthengine:grids"
"""Property of every item: a list of `{crs, affine, shape, dtype, bands}`, in the bands' order."""
MALFORMED = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, CRSError, ShapelyError,
)  # fmt: skip
SPECTRAL = re.compile(r"B\d{1,2}A?")
"""Bands of Sentinel-2 that are reflectance."""
TERMS = ("scaleX", "shearX", "translateX", "shearY", "scaleY", "translateY")
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")
"""From small to large; the first that holds a band's range is its type."""
INSTANT = timedelta(days=1)
"""What lasts no longer than this is one look at the ground, not a period."""
EARTH = box(-180, -90, 180, 90)
WHOLE_TURN = 350.0
"""What is as wide as this, and high, is a map of the Earth; else it crosses the date line."""
WKT_OF = {
    "SR-ORG:6974": "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs",
    "SR-ORG:6842": "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs",
}
"""MODIS's projection, whose codes Earth Engine knows and PROJ does not."""

RENAMED = {
    "CLOUDY_PIXEL_PERCENTAGE": "eo:cloud_cover",
    "SENSING_ORBIT_NUMBER": "sat:relative_orbit",
    "relativeOrbitNumber_start": "sat:relative_orbit",
    "orbitNumber_start": "sat:absolute_orbit",
    "PROCESSING_BASELINE": "s2:processing_baseline",
    "PRODUCT_ID": "s2:product_uri",
    "DATATAKE_IDENTIFIER": "s2:datatake_id",
    "NODATA_PIXEL_PERCENTAGE": "s2:nodata_pixel_percentage",
    "MEAN_SOLAR_AZIMUTH_ANGLE": "view:sun_azimuth",
    "instrumentMode": "sar:instrument_mode",
    "transmitterReceiverPolarisation": "sar:polarizations",
    "productType": "sar:product_type",
    "resolution_meters": "gsd",
}
"""Properties that only have another name in STAC."""


@dataclass(frozen=True, slots=True)
class BandGrid:
    """Where a band's pixels lie, and of which type they are.

    Attributes:
        grid: The band's own pixels.
        crs: As Earth Engine writes it.
        dtype: Of its numbers.
    """

    grid: GeoBox
    crs: str
    dtype: np.dtype[np.generic]


def item_of(image: JSON, collection: str, offset: OffsetSource) -> Item:
    """Return one image as an item.

    Args:
        image: Its metadata.
        collection: Asset id that was asked for.
        offset: What tells the offset of Sentinel-2's numbers.
    """
    asset_id = asset_id_of(image)
    told = image.get("properties", {})
    start = parse_utc(image["startTime"]) if image.get("startTime") else _epoch(told)
    end = parse_utc(image["endTime"]) if image.get("endTime") else start
    properties = {**_properties(told), GRIDS: _grids(image["bands"])}
    json.dumps(properties, allow_nan=False)
    return Item(
        asset_id.removeprefix(f"{collection}/"),
        collection,
        start,
        _footprint(image),
        properties,
        {band["id"]: _asset(band["id"], asset_id, offset) for band in image["bands"]},
        end if end - start > INSTANT else None,
    )


def asset_id_of(image: JSON) -> str:
    """Return an image's asset id; of a public one without the project that keeps it."""
    return str(image.get("id") or image["name"]).removeprefix("projects/earthengine-public/assets/")


def grid_of(item: Item, band: str) -> BandGrid:
    """Return where a band's pixels lie.

    Raises:
        KeyError: The item says nothing of it.
    """
    for row in item.properties[GRIDS]:
        if band in row["bands"]:
            return _band_grid(row["crs"], tuple(row["affine"]), tuple(row["shape"]), row["dtype"])
    raise KeyError(band)


def told_grid(item: Item, band: str) -> BandGrid:
    """Return where a band's pixels lie, as `grid_of` does.

    Raises:
        ProviderError: The item says nothing of it.
    """
    try:
        return grid_of(item, band)
    except MALFORMED as error:
        raise ProviderError(
            f"item {item.id}",
            f"it does not say where the pixels of band {band} lie",
            f"{error!r}.",
            "Plan again: the plan was not made with Earth Engine.",
        ) from error


@lru_cache(maxsize=1024)
def _band_grid(
    crs: str, affine: tuple[float, ...], grid_shape: tuple[int, int], dtype: str
) -> BandGrid:
    grid = GeoBox(grid_shape, Affine(*affine), WKT_OF.get(crs, crs))
    return BandGrid(grid, crs, np.dtype(dtype))


def _grids(bands: list[JSON]) -> list[dict[str, Any]]:
    """Return the bands' grids, each grid and type once."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for band in bands:
        grid = band["grid"]
        crs = _crs(grid)
        affine = tuple(float(grid["affineTransform"].get(term, 0.0)) for term in TERMS)
        size = int(grid["dimensions"]["height"]), int(grid["dimensions"]["width"])
        dtype = _dtype(band["dataType"])
        _band_grid(crs, affine, size, dtype)
        found.setdefault((crs, affine, size, dtype), []).append(str(band["id"]))
    return [
        {"crs": crs, "affine": list(affine), "shape": list(size), "dtype": dtype, "bands": names}
        for (crs, affine, size, dtype), names in found.items()
    ]


def _crs(grid: JSON) -> str:
    """Return the code where there is one that means something here, else the WKT."""
    code = str(grid.get("crsCode", ""))
    if grid.get("crsWkt") and (not code or not code.startswith("EPSG:")) and code not in WKT_OF:
        return str(grid["crsWkt"])
    return code


def _dtype(told: JSON) -> str:
    """Return NumPy's name of a type of pixels; limits that are 0 are left out."""
    precision = told["precision"]
    if precision != "INT":
        return {"FLOAT": "float32", "DOUBLE": "float64"}[precision]
    limits = told.get("range", {})
    low, high = float(limits.get("min", 0)), float(limits.get("max", 0))
    for name in INTEGERS:
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return name
    raise ValueError(f"integers from {low:g} to {high:g} are not supported")


def _asset(band: str, asset_id: str, offset: OffsetSource) -> Asset:
    # The rules for offsets know a measured band by its name and by being the only one of its file.
    facts = {"name": band} if SPECTRAL.fullmatch(band) else {}
    coding = coding_of(offset, {}, {"bands": [facts]} if facts else {}, facts)
    return Asset(key=band, href=asset_id, scale=coding.scale, offset=coding.offset)


def _properties(told: JSON) -> dict[str, Any]:
    """Return what selection and decoding may need, under STAC's names."""
    found = {name: told[own] for own, name in RENAMED.items() if told.get(own) is not None}
    found |= {key: value for key, value in told.items() if key.startswith("sandbox:")}
    if "sandbox:synthetic" in found:
        found["sandbox:synthetic"] = bool(found["sandbox:synthetic"])
    found |= dict(_translated(told))
    return dict(sorted(found.items()))


def _translated(told: JSON) -> Iterator[tuple[str, Any]]:
    """Yield the properties whose values STAC writes otherwise."""
    if told.get("SPACECRAFT_NAME"):
        yield "platform", str(told["SPACECRAFT_NAME"]).lower()
    elif told.get("platform_number"):
        yield "platform", f"{told.get('familyName', 'SENTINEL-1')}{told['platform_number']}".lower()
    direction = told.get("SENSING_ORBIT_DIRECTION") or told.get("orbitProperties_pass")
    if direction:
        yield "sat:orbit_state", str(direction).lower()
    if told.get("MGRS_TILE"):
        yield "grid:code", f"MGRS-{str(told['MGRS_TILE']).removeprefix('T')}"
    if told.get("GENERATION_TIME"):
        yield "s2:generation_time", format_utc(_instant(told["GENERATION_TIME"]))
    if told.get("MEAN_SOLAR_ZENITH_ANGLE") is not None:
        yield "view:sun_elevation", 90.0 - float(told["MEAN_SOLAR_ZENITH_ANGLE"])


def _epoch(told: JSON) -> datetime:
    return _instant(told["system:time_start"])


def _instant(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def _footprint(image: JSON) -> BaseGeometry:
    """Return where an image has data; the whole Earth for one without bounds."""
    told = image.get("geometry") or image.get("properties", {}).get("system:footprint")
    if not told or not _is_bounded(told.get("coordinates")):
        return EARTH
    found = shape(told)
    if found.geom_type == "LinearRing":
        found = Polygon(found)
    if found.is_empty:
        raise ValueError("the geometry is empty")
    west, south, east, north = found.bounds
    if east - west > WHOLE_TURN and north - south > 90.0:
        return box(west, south, east, north)
    # To a decimetre, so that a plan does not hang on the last bits of a projection.
    rounded = shapely.transform(found, lambda xy: np.round(xy, 6))
    return split_at_date_line(rounded if rounded.is_valid else shapely.make_valid(rounded))


def _is_bounded(coordinates: Any) -> bool:
    """Return False for coordinates without end, which JSON has to write as text."""
    if isinstance(coordinates, list | tuple):
        return all(_is_bounded(part) for part in coordinates)
    return isinstance(coordinates, int | float) and isfinite(coordinates)
