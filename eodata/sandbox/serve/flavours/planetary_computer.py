"""Planetary Computer as it shows items: asset keys `B02`, `vv`; URLs that must be signed.

Key names, types and extension declarations follow items of 2024. What differs:

- There are no files but the layers: no `AOT`, `WVP`, `visual`, previews, tiles and XML.
- `datetime` is when the tile was seen; the real archive gives the start of the datatake.
- Shares of scene classes are there only where the archive knows them.
- Nothing in an item tells the offset of Sentinel-2, as in the real archive: readers go by
  `s2:processing_baseline`.
- Real items were never simulated: `file:size`, `file:checksum` and `s1:` fields are left out.
- The form of WorldCover's properties is a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.serve.flavours.sentinel2 import BANDS, finder, identifiers
from eodata.sandbox.serve.flavours.sentinel2 import product as product_of
from eodata.sandbox.serve.flavours.shape import JSON, Flavour, Naming, Shape
from eodata.sandbox.serve.stac_item import (
    COG,
    Places,
    edges_of,
    epsg,
    extension,
    pixel_size,
    shape_of,
    timestamp,
    transform_of,
)

TITLES = {
    "coastal": "Coastal aerosol", "blue": "Blue", "green": "Green", "red": "Red",
    "rededge1": "Vegetation red edge 1", "rededge2": "Vegetation red edge 2",
    "rededge3": "Vegetation red edge 3", "nir": "NIR", "nir08": "Vegetation red edge 4",
    "nir09": "Water vapor", "swir16": "SWIR (1.6)", "swir22": "SWIR (2.2)",
}  # fmt: skip
RENAMED = {"nir08": "rededge", "nir09": None}
"""Where they are not those of Earth Search."""
OTHER_LAYERS = {
    "SCL": "Scene classfication map (SCL)",  # the spelling is the archive's
    "AOT": "Aerosol optical thickness (AOT)",
    "WVP": "Water vapour (WVP)",
}
_SENTINEL_2_ID = re.compile(
    r"S2[A-Z]_MSIL2A_(\d{8}T\d{6})_R\d{3}_T(\d{2}[C-X][A-Z]{2})_\d{8}T\d{6}"
)


def sentinel2_name(item: SandboxItem) -> str:
    """Return the id of a Sentinel-2 item: the product's name without its baseline."""
    return re.sub(r"_N\d{4}_", "_", item.id)


def _place(name: str) -> tuple[str, datetime]:
    said = _SENTINEL_2_ID.fullmatch(name)
    if said is None:
        raise LookupError(f'"{name}" is no id of a Sentinel-2 item here')
    return said[2], datetime.strptime(said[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def _sentinel2_properties(item: SandboxItem) -> JSON:
    known, said = item.properties.get, product_of(item.id)
    elevation = known("view:sun_elevation")
    return {
        **{k: v for k, v in item.properties.items() if k.startswith("s2:")},
        "platform": f"Sentinel-{said.platform[1:]}",
        "proj:epsg": epsg(item),
        "instruments": ["msi"],
        "s2:mgrs_tile": said.tile,
        "constellation": "Sentinel 2",
        "eo:cloud_cover": known("eo:cloud_cover"),
        "sat:orbit_state": known("sat:orbit_state"),
        "sat:relative_orbit": said.orbit,
        "s2:generation_time": timestamp(said.made),
        "s2:mean_solar_zenith": None if elevation is None else 90.0 - elevation,
        "s2:mean_solar_azimuth": known("view:sun_azimuth"),
        **identifiers(item),
    }


def _sentinel2_assets(item: SandboxItem, places: Places) -> JSON:
    return {key: _msi_asset(item, layer, places) for key, layer in item.layers.items()}


def _msi_asset(item: SandboxItem, layer: Layer, places: Places) -> JSON:
    size = pixel_size(item, layer)
    asset = {
        "href": places.asset(item, layer.key),
        "proj:bbox": edges_of(item),
        "proj:shape": shape_of(item, layer.ratio),
        "proj:transform": transform_of(item, layer.ratio),
        "gsd": float(size),
        "type": COG,
        "roles": ["data"],
        "title": OTHER_LAYERS.get(layer.key, layer.key),
    }
    if layer.key not in BANDS:
        return asset
    band = BANDS[layer.key]
    words = f"Band {band.number} - {TITLES.get(band.name, band.title)}"
    described = {
        "name": band.key,
        "common_name": RENAMED.get(band.name, band.common_name),
        "description": words,
        "center_wavelength": band.wavelength,
        "full_width_half_max": band.width,
    }
    kept = {key: value for key, value in described.items() if value is not None}
    return {**asset, "title": f"{words} - {size}m", "eo:bands": [kept]}


def _sentinel1_properties(item: SandboxItem) -> JSON:
    stated = item.properties
    platform = str(stated.get("platform", "sentinel-1a"))
    return {
        **{k: v for k, v in stated.items() if k.startswith(("sar:", "sat:"))},
        # This archive writes these two times, and no others, with a blank.
        **{
            key: str(datetime.fromisoformat(stated[key]))
            for key in ("start_datetime", "end_datetime")
            if key in stated
        },
        "platform": platform.upper(),
        "constellation": "Sentinel-1",
        "proj:bbox": edges_of(item),
        "proj:epsg": epsg(item),
        "proj:shape": shape_of(item),
        "proj:transform": [*transform_of(item), 0.0, 0.0, 1.0],
    }


def _sentinel1_assets(item: SandboxItem, places: Places) -> JSON:
    received = {"v": "vertical", "h": "horizontal"}
    return {
        key: {
            "href": places.asset(item, key),
            "type": COG,
            "roles": ["data"],
            "title": f"{key.upper()}: {received.get(key[0], key[0])} transmit, "
            f"{received.get(key[-1], key[-1])} receive",
            "description": "Simulated terrain-corrected backscatter, gamma nought",
            "raster:bands": [
                {
                    "nodata": layer.nodata,
                    "data_type": layer.dtype,
                    "spatial_resolution": pixel_size(item, layer),
                }
            ],
        }
        for key, layer in item.layers.items()
    }


def _grid_properties(item: SandboxItem) -> JSON:
    return {
        "proj:epsg": epsg(item),
        "proj:shape": shape_of(item),
        "proj:transform": transform_of(item),
    }


def _dem_properties(item: SandboxItem) -> JSON:
    return {"gsd": 30, "platform": "TanDEM-X", **_grid_properties(item)}


def _worldcover_properties(item: SandboxItem) -> JSON:
    stated = item.properties
    times = {k: stated[k] for k in ("start_datetime", "end_datetime") if k in stated}
    return {**times, **_grid_properties(item)}


def _file(item: SandboxItem, layer: Layer, title: str, places: Places) -> JSON:
    return {
        "href": places.asset(item, layer.key),
        "title": title,
        "type": COG,
        "roles": ["data"],
    }


def _dem_assets(item: SandboxItem, places: Places) -> JSON:
    layer = next(iter(item.layers.values()))
    corner = "_".join(item.id.split("_")[4:8])
    return {"data": _file(item, layer, corner, places)}


def _worldcover_assets(item: SandboxItem, places: Places) -> JSON:
    layer = next(iter(item.layers.values()))
    asset = _file(item, layer, "Land Cover Classes", places)
    return {"map": {**asset, "raster:bands": [{"nodata": layer.nodata, "data_type": layer.dtype}]}}


PLANETARY_COMPUTER = Flavour(
    name="planetary-computer",
    title="Planetary Computer, simulated",
    prefix="/api/stac/v1",
    stac_version="1.0.0",
    shapes={
        "sentinel-2-l2a": Shape(
            "sentinel-2-l2a",
            extension("eo/v1.0.0", "sat/v1.0.0", "projection/v1.1.0"),
            _sentinel2_properties,
            _sentinel2_assets,
            Naming(sentinel2_name, finder(sentinel2_name, _place)),
        ),
        "sentinel-1-rtc": Shape(
            "sentinel-1-rtc",
            extension("sar/v1.0.0", "sat/v1.0.0", "projection/v1.1.0", "raster/v1.1.0"),
            _sentinel1_properties,
            _sentinel1_assets,
        ),
        "cop-dem-glo-30": Shape(
            "cop-dem-glo-30", extension("projection/v1.0.0"), _dem_properties, _dem_assets
        ),
        "esa-worldcover": Shape(
            "esa-worldcover",
            extension("projection/v1.0.0", "raster/v1.1.0"),
            _worldcover_properties,
            _worldcover_assets,
        ),
    },
)
