"""Images and collections as the REST API describes them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox
from shapely.geometry import mapping

from eodata.sandbox.earthengine.catalogue import PUBLIC
from eodata.sandbox.earthengine.grids import grid_json, type_json
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf
from eodata.sandbox.earthengine.shelves import SYNTHETIC, Shelf, from_ms

CLASSES = ("SCL", "Map", "QA", "LC_")
"""How bands begin whose pyramids hold the commonest value instead of the mean."""


def image_json(image: CatalogueImage, *, full: bool = True) -> dict[str, Any]:
    """Return what `getAsset` says of an image.

    Args:
        image: The image.
        full: False for what listings with `view=BASIC` say.
    """
    told = {"type": "IMAGE", "name": PUBLIC + image.id, "id": image.id}
    if not full:
        return told
    made = image.properties.get("GENERATION_TIME")
    size = sum(
        prod(leaf.grid.shape) * np.dtype(leaf.dtype).itemsize for leaf in image.bands.values()
    )
    own = {k: v for k, v in image.properties.items() if not k.startswith("system:")}
    return {
        **told,
        "updateTime": _stamp(image.end if made is None else from_ms(made)),
        "startTime": _stamp(image.start),
        "endTime": _stamp(image.end),
        "geometry": mapping(image.footprint),
        "bands": [band_json(name, leaf) for name, leaf in image.bands.items()],
        "properties": own,
        "sizeBytes": str(size),
    }


def band_json(name: str, leaf: Leaf) -> dict[str, Any]:
    """Return what an image says of one of its bands."""
    return {
        "id": name,
        "dataType": type_json(leaf.dtype),
        "grid": _grid_json(leaf.grid),
        "pyramidingPolicy": "MODE" if name.startswith(CLASSES) else "MEAN",
    }


def collection_json(shelf: Shelf) -> dict[str, Any]:
    """Return what `getAsset` says of a collection."""
    return {
        "type": "IMAGE_COLLECTION",
        "name": PUBLIC + shelf.id,
        "id": shelf.id,
        "updateTime": _stamp(shelf.span.end),
        "startTime": _stamp(shelf.span.start),
        "endTime": _stamp(shelf.span.end),
        "properties": {"title": f"SYNTHETIC. {shelf.title}", **SYNTHETIC},
    }


def _stamp(instant: datetime) -> str:
    """Return ISO 8601 with milliseconds where there are any, as Google's APIs write times."""
    unit = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=unit).replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def _grid_json(grid: GeoBox) -> dict[str, Any]:
    return grid_json(grid)
