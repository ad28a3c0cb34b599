"""Hold one STAC item with its pixels, and describe its assets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from grid import SIDE_M, asset_fields
from rasters import Pixels, nodata_of

Json = dict[str, Any]

GEOTIFF = "image/tiff; application=geotiff"

_EXTENSIONS = "https://stac-extensions.github.io"
EO = f"{_EXTENSIONS}/eo/v1.1.0/schema.json"
PROJECTION = f"{_EXTENSIONS}/projection/v2.0.0/schema.json"
RASTER = f"{_EXTENSIONS}/raster/v2.0.0/schema.json"
CLASSIFICATION = f"{_EXTENSIONS}/classification/v2.0.0/schema.json"
GRID = f"{_EXTENSIONS}/grid/v1.1.0/schema.json"
SAR = f"{_EXTENSIONS}/sar/v1.0.0/schema.json"
SAT = f"{_EXTENSIONS}/sat/v1.0.0/schema.json"
VIEW = f"{_EXTENSIONS}/view/v1.0.0/schema.json"


@dataclass(frozen=True)
class Item:
    """One STAC item and the rasters of its assets.

    Attributes:
        id: The item's id.
        properties: Its properties.
        extensions: Schemas of the extensions that it uses.
        assets: Its assets, complete.
        rasters: The pixels of each asset, by asset key.
    """

    id: str
    properties: Json
    extensions: Sequence[str]
    assets: Mapping[str, Json]
    rasters: Mapping[str, Pixels]


def iso(time: datetime) -> str:
    """Write a UTC time as STAC wants it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def asset(
    key: str, pixels: Pixels, title: str, role: str = "", *, band: str, unit: str = "", **more: Any
) -> Json:
    """Describe one GeoTIFF.

    Args:
        key: The asset's key, which names the file too.
        pixels: Its pixels.
        title: A short title.
        role: What it is besides data.
        band: Name of its one band.
        unit: Unit of its pixels, if they have one.
        **more: Further fields, put at the end.

    Returns:
        The asset.
    """
    size = SIDE_M // pixels.shape[0]
    nodata = nodata_of(pixels)
    return {
        "href": f"./{key}.tif",
        "type": GEOTIFF,
        "title": title,
        "roles": ["data", role] if role else ["data"],
        "gsd": size,
        "data_type": pixels.dtype.name,
        "nodata": "nan" if np.isnan(nodata) else nodata,
        **asset_fields(size),
        **({"unit": unit} if unit else {}),
        "bands": [{"name": band}],
        **more,
    }
