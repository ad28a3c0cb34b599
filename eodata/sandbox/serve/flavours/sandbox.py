"""The sandbox's own flavour: STAC 1.1 without any archive's habits, every collection.

Ids, collections and asset keys are those of the sandbox. Bands are described with the common
fields of STAC 1.1 and, because clients still look there, with `eo:bands`. `raster:scale` and
`raster:offset` are what the metadata state, which a planted defect may make wrong.
"""

from __future__ import annotations

from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.serve.flavours.sentinel2 import BANDS
from eodata.sandbox.serve.flavours.shape import JSON, Flavour, Shape
from eodata.sandbox.serve.stac_item import (
    COG,
    Places,
    absent_removed,
    edges_of,
    epsg,
    extension,
    pixel_size,
    shape_of,
    transform_of,
    wkt,
)

ALWAYS = ("projection/v2.0.0", "raster/v2.0.0")
OPTICAL = ("eo/v1.1.0", "grid/v1.1.0", "mgrs/v1.0.0", "sat/v1.0.0", "view/v1.0.0")
M_PER_DEG = 111_200.0
RADAR = ("sar/v1.0.0", "sat/v1.0.0")


def _properties(item: SandboxItem) -> JSON:
    code = epsg(item)
    return {
        **{k: v for k, v in item.properties.items() if not k.startswith("proj:")},
        "proj:code": None if code is None else f"EPSG:{code}",
        "proj:wkt2": wkt(item) if code is None else None,
        "proj:bbox": edges_of(item),
        "proj:shape": shape_of(item),
        "proj:transform": transform_of(item),
    }


def _assets(item: SandboxItem, places: Places) -> JSON:
    return {key: _asset(item, layer, places) for key, layer in item.layers.items()}


def _asset(item: SandboxItem, layer: Layer, places: Places) -> JSON:
    return absent_removed(
        {
            "href": places.asset(item, layer.key),
            "type": COG,
            "title": _title(layer.key),
            "roles": ["data"],
            "gsd": _gsd(item, layer),
            "data_type": layer.dtype,
            "nodata": layer.nodata,
            "unit": layer.unit if layer.unit not in ("", "1") else None,
            "raster:spatial_resolution": _gsd(item, layer),
            "raster:scale": layer.scale,
            "raster:offset": layer.offset,
            "proj:shape": shape_of(item, layer.ratio),
            "proj:transform": transform_of(item, layer.ratio),
            "bands": [{"name": layer.key}],
            "eo:bands": _described(layer.key),
        }
    )


def _title(key: str) -> str:
    return f"{BANDS[key].title} (band {BANDS[key].number})" if key in BANDS else key


def _gsd(item: SandboxItem, layer: Layer) -> float:
    """Return the edge of a pixel [m], along the meridian where the grid is one of degrees."""
    size = pixel_size(item, layer)
    projected = item.base.crs is not None and item.base.crs.projected
    return size if projected else round(size * M_PER_DEG, 1)


def _described(key: str) -> list[JSON] | None:
    if key not in BANDS:
        return None
    band = BANDS[key]
    return [
        {
            "name": key,
            "common_name": band.common_name,
            "center_wavelength": band.wavelength,
            "full_width_half_max": band.width,
        }
    ]


def _shape(source: str, *extensions: str) -> Shape:
    return Shape(source, extension(*ALWAYS, *extensions), _properties, _assets)


SANDBOX = Flavour(
    name="sandbox",
    title="The eodata sandbox",
    prefix="",
    stac_version="1.1.0",
    shapes={
        "sentinel-2-l1c": _shape("sentinel-2-l1c", *OPTICAL),
        "sentinel-2-l2a": _shape("sentinel-2-l2a", *OPTICAL),
        "sentinel-1-grd": _shape("sentinel-1-grd", *RADAR),
        "sentinel-1-rtc": _shape("sentinel-1-rtc", *RADAR),
        "cop-dem-glo-30": _shape("cop-dem-glo-30"),
        "esa-worldcover": _shape("esa-worldcover"),
        "modis-mcd12q1": _shape("modis-mcd12q1"),
        "viirs-dnb-monthly": _shape("viirs-dnb-monthly"),
    },
)
