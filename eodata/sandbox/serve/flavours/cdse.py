"""Copernicus Data Space as its STAC API shows items: asset keys like `B02_10m`, files in S3.

Known from answers of 2026: ids (the product's name), names and types of the properties, keys of
the assets, that `href` is an `s3://` address and that `alternate.https.href` is the way over
HTTP. What differs or is a guess:

- The bucket is called `sandbox`, so that nobody takes the address for that of a real product;
  only the HTTP address works. Files are Cloud Optimized GeoTIFFs, not JPEG 2000.
- Bands are there at their own resolution only; the real archive has coarser copies too.
- `processing:baseline` stands beside `processing:version`, which is the name in the real items.
- Guesses: which versions of extensions are declared, how bands are described, and everything about
  Sentinel-1 (collection `sentinel-1-grd`) and the DEM (`cop-dem-glo-30-dged-cog`).
- `auth:schemes`, `storage:schemes`, `statistics` and private fields are left out.
"""

from __future__ import annotations

from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.serve.flavours.sentinel2 import BANDS, absolute_orbit, identifiers
from eodata.sandbox.serve.flavours.sentinel2 import product as product_of
from eodata.sandbox.serve.flavours.shape import JSON, Flavour, Shape
from eodata.sandbox.serve.stac_item import (
    COG,
    Places,
    absent_removed,
    epsg,
    extension,
    periods,
    pixel_size,
    shape_of,
    timestamp,
    transform_of,
)

DESIGNATORS = {
    "S2A": "2015-028A", "S2B": "2017-013A", "S2C": "2024-157A",
    "S1A": "2014-016A", "S1B": "2016-025A", "S1C": "2024-233A",
}  # fmt: skip
BUCKET = "s3://sandbox"
ALWAYS = ("alternate-assets/v1.2.0", "projection/v2.0.0", "processing/v1.2.0")


def _sentinel2_properties(item: SandboxItem) -> JSON:
    known, said, names = item.properties.get, product_of(item.id), identifiers(item)
    when, made = timestamp(item.datetime), timestamp(said.made)
    return {
        "gsd": 10,
        "created": made,
        "updated": made,
        "published": made,
        "platform": f"sentinel-{said.platform[1:].lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "grid:code": f"MGRS-{said.tile}",
        "start_datetime": when,
        "end_datetime": when,
        "product:type": names["s2:product_type"],
        "eo:cloud_cover": known("eo:cloud_cover"),
        "eo:snow_cover": known("eo:snow_cover"),
        "sat:orbit_state": known("sat:orbit_state"),
        "sat:absolute_orbit": absolute_orbit(item),
        "sat:relative_orbit": said.orbit,
        "sat:platform_international_designator": DESIGNATORS.get(said.platform),
        "view:azimuth": known("view:azimuth"),
        "view:incidence_angle": known("view:incidence_angle"),
        "view:sun_azimuth": known("view:sun_azimuth"),
        "view:sun_elevation": known("view:sun_elevation"),
        "eopf:datatake_id": names["s2:datatake_id"],
        "eopf:datastrip_id": names["s2:datastrip_id"],
        "eopf:instrument_mode": names["s2:datatake_type"],
        "processing:level": said.level[:2],
        "processing:version": said.baseline,
        "processing:baseline": said.baseline,
        "processing:datetime": made,
        "processing:facility": "eodata sandbox",
    }


def _sentinel2_assets(item: SandboxItem, places: Places) -> JSON:
    said = product_of(item.id)
    folder = f"Sentinel-2/MSI/{said.level}/{said.sensed:%Y/%m/%d}/{said.name}.SAFE"
    assets = {}
    for key, layer in item.layers.items():
        size = pixel_size(item, layer)
        name = f"{key}_{size}m" if said.level == "L2A" else key
        assets[name] = _asset(item, layer, f"{folder}/T{said.tile}_{name}.tif", places)
    return assets


def _asset(item: SandboxItem, layer: Layer, path: str, places: Places) -> JSON:
    band = BANDS.get(layer.key)
    described: JSON = {"name": layer.key}
    if band is not None:
        described |= {
            "eo:common_name": band.name
            if band.common_name != "rededge"
            else f"rededge07{band.name[-1]}",
            "eo:center_wavelength": band.wavelength,
            "eo:full_width_half_max": band.width,
        }
    return absent_removed(
        {
            "href": f"{BUCKET}/{path}",
            "type": COG,
            "title": layer.key if band is None else f"{band.title} (band {band.number})",
            "roles": ["data"],
            "gsd": pixel_size(item, layer),
            "data_type": layer.dtype,
            "nodata": layer.nodata,
            "raster:scale": layer.scale,
            "raster:offset": layer.offset,
            "proj:code": f"EPSG:{epsg(item)}",
            "proj:shape": shape_of(item, layer.ratio),
            "proj:transform": transform_of(item, layer.ratio),
            "bands": [described],
            "alternate": {"https": {"href": places.asset(item, layer.key)}},
        }
    )


def _sentinel1_properties(item: SandboxItem) -> JSON:
    return {
        **item.properties,
        "constellation": "sentinel-1",
        "processing:level": "L1",
        "processing:facility": "eodata sandbox",
    }


def _grid_properties(item: SandboxItem) -> JSON:
    return {"gsd": item.properties.get("gsd"), **dict(periods(item))}


def _plain_assets(folder: str) -> JSON:
    def assets(item: SandboxItem, places: Places) -> JSON:
        return {
            key: _asset(item, layer, f"{folder}/{item.id}/{key}.tif", places)
            for key, layer in item.layers.items()
        }

    return {"assets": assets}


_SENTINEL_2 = extension(
    *ALWAYS,
    "eo/v2.0.0",
    "grid/v1.1.0",
    "product/v0.1.0",
    "raster/v2.0.0",
    "sat/v1.0.0",
    "view/v1.0.0",
)

CDSE = Flavour(
    name="cdse",
    title="Copernicus Data Space Ecosystem, simulated",
    prefix="/v1",
    stac_version="1.1.0",
    shapes={
        "sentinel-2-l1c": Shape(
            "sentinel-2-l1c", _SENTINEL_2, _sentinel2_properties, _sentinel2_assets
        ),
        "sentinel-2-l2a": Shape(
            "sentinel-2-l2a", _SENTINEL_2, _sentinel2_properties, _sentinel2_assets
        ),
        "sentinel-1-grd": Shape(
            "sentinel-1-grd",
            extension(*ALWAYS, "sar/v1.0.0", "sat/v1.0.0"),
            _sentinel1_properties,
            **_plain_assets("Sentinel-1/SAR/GRD"),
        ),
        "cop-dem-glo-30-dged-cog": Shape(
            "cop-dem-glo-30",
            extension(*ALWAYS),
            _grid_properties,
            **_plain_assets("auxdata/CopDEM_COG"),
        ),
    },
)
