"""Earth Search v1 as it shows items: keys `blue`, `scl`; ids like S2A_33TWL_20230815_0_L2A.

Key names, types and extension declarations follow items of July 2025. What differs:

- All files are Cloud Optimized GeoTIFFs over HTTP; there are no JPEG 2000 twins (`blue-jp2`), no
  previews and no XML.
- Levels of Sentinel-1 are those of the sandbox (sigma nought in decibels), not raw amplitudes.
- `earthsearch:boa_offset_applied` tells whether the numbers that are served here still hold the
  offset, and `raster:bands` agrees with it. The real archive takes the offset out of the pixels of
  new products, says so in the flag, and leaves -0.1 in `raster:bands`.
- Shares of scene classes are there only where the archive knows them.
- The form of the DEM's properties is a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from eodata.core.span import Span
from eodata.sandbox.items import Collection, Layer, SandboxItem
from eodata.sandbox.serve.flavours.sentinel2 import BANDS, finder, identifiers, offset_taken_out
from eodata.sandbox.serve.flavours.sentinel2 import product as product_of
from eodata.sandbox.serve.flavours.shape import JSON, Flavour, Naming, Shape
from eodata.sandbox.serve.stac_item import (
    COG,
    WHOLE_EARTH,
    Places,
    absent_removed,
    centre_of,
    edges_of,
    epsg,
    extension,
    periods,
    pixel_size,
    shape_of,
    timestamp,
    transform_of,
)

SENTINEL_2 = extension(
    "grid/v1.1.0",
    "mgrs/v1.0.0",
    "processing/v1.1.0",
    "projection/v1.1.0",
    "sentinel-2/v1.0.0",
    "raster/v1.1.0",
    "view/v1.0.0",
    "eo/v1.1.0",
)
SENTINEL_1 = extension(
    "projection/v1.1.0",
    "sat/v1.0.0",
    "processing/v1.1.0",
    "sar/v1.0.0",
    "raster/v1.1.0",
)
DEM = extension("projection/v1.1.0")
SOFTWARE = {"eodata-sandbox": "1"}
POLAR = "CX"
"""Bands of latitude beyond 72 degrees."""
SLOT_S = 6000
"""A little less than an orbit [s]: no two passes of a satellite begin in one slot."""
NOT_HERE = {"s2:mgrs_tile", "s2:granule_id", "s2:mean_solar_zenith", "s2:mean_solar_azimuth"}
"""What other archives say of Sentinel-2."""
OTHER_LAYERS = {
    "SCL": ("scl", "Scene classification map (SCL)"),
    "AOT": ("aot", "Aerosol optical thickness (AOT)"),
    "WVP": ("wvp", "Water vapour (WVP)"),
}


def sequence(item: SandboxItem) -> int:
    """Return which of the day's products of its tile an item is.

    The first one is 0, and the same processed again later is 1. In polar zones, which a satellite
    sees several times a day, the number is that of the orbit in the day, processed again plus 20.
    """
    said = product_of(item.id)
    again = (said.made - said.sensed).days > 60
    if said.tile[2] not in POLAR:
        return int(again)
    seconds = said.sensed.hour * 3600 + said.sensed.minute * 60 + said.sensed.second
    return seconds // SLOT_S + 20 * again


def sentinel2_name(item: SandboxItem) -> str:
    """Return the id of a Sentinel-2 item; leading zeros of the zone are dropped."""
    said = product_of(item.id)
    tile = said.tile.lstrip("0")
    return f"{said.platform}_{tile}_{said.sensed:%Y%m%d}_{sequence(item)}_{said.level}"


def _place(name: str) -> tuple[str, datetime]:
    try:
        _, tile, day, _, _ = name.split("_")
        return tile, datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        raise LookupError(f'"{name}" is no id of a Sentinel-2 item here') from None


def _sentinel2_properties(item: SandboxItem) -> JSON:
    known, said, names = item.properties.get, product_of(item.id), identifiers(item)
    made = timestamp(said.made)
    properties = {
        "created": made,
        "platform": f"sentinel-{said.platform[1:].lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": known("eo:cloud_cover"),
        "proj:epsg": epsg(item),
        "proj:centroid": centre_of(item),
        "mgrs:utm_zone": said.zone,
        "mgrs:latitude_band": said.tile[2],
        "mgrs:grid_square": said.tile[3:],
        "grid:code": f"MGRS-{said.tile.lstrip('0')}",
        "view:azimuth": known("view:azimuth"),
        "view:incidence_angle": known("view:incidence_angle"),
        "view:sun_azimuth": known("view:sun_azimuth"),
        "view:sun_elevation": known("view:sun_elevation"),
        "s2:tile_id": names.pop("s2:granule_id"),
        "s2:generation_time": made,
        **names,
        "s2:sequence": str(sequence(item)),
        "processing:software": SOFTWARE,
        "updated": made,
    }
    if said.level == "L2A":
        properties["earthsearch:boa_offset_applied"] = offset_taken_out(item)
    # Shares of classes and the like come as they are, where the archive has them.
    more = {k: v for k, v in item.properties.items() if k.startswith("s2:") and k not in NOT_HERE}
    return {**more, **properties}


def _sentinel2_assets(item: SandboxItem, places: Places) -> JSON:
    assets = {}
    for key, layer in item.layers.items():
        if key in BANDS:
            assets[BANDS[key].name] = _band_asset(item, layer, places)
        elif key in OTHER_LAYERS:
            name, title = OTHER_LAYERS[key]
            assets[name] = {**_asset(item, layer, title, places), "roles": ["data"]}
    return assets


def _band_asset(item: SandboxItem, layer: Layer, places: Places) -> JSON:
    band = BANDS[layer.key]
    described = {
        "name": band.key,
        "common_name": band.common_name,
        "center_wavelength": band.wavelength,
        "full_width_half_max": band.width,
    }
    title = f"{band.title} - {pixel_size(item, layer)}m"
    return {**_asset(item, layer, title, places), "eo:bands": [described]}


def _asset(item: SandboxItem, layer: Layer, title: str, places: Places) -> JSON:
    size = pixel_size(item, layer)
    raster: JSON = {"nodata": layer.nodata, "data_type": layer.dtype, "spatial_resolution": size}
    if layer.scale is not None:
        raster |= {"scale": layer.scale, "offset": layer.offset or 0}
    return {
        "href": places.asset(item, layer.key),
        "type": COG,
        "title": title,
        "gsd": size,
        "proj:shape": shape_of(item, layer.ratio),
        "proj:transform": transform_of(item, layer.ratio),
        "raster:bands": [raster],
        "roles": ["data", "reflectance"],
    }


def sentinel1_name(item: SandboxItem) -> str:
    """Return the id of a Sentinel-1 item: the product's name without its checksum."""
    return re.sub(r"_[0-9A-F]{4}$", "", item.id)


def _sentinel1_find(collection: Collection, name: str) -> SandboxItem:
    said = re.fullmatch(r"S1[A-Z]_IW_GRDH_1S\w\w_(\d{8}T\d{6})_\d{8}T\d{6}_\w{6}_\w{6}", name)
    if said is not None:
        start = datetime.strptime(said[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        for item in collection.find(WHOLE_EARTH, Span(start, start + timedelta(minutes=1))):
            if sentinel1_name(item) == name:
                return item
    raise LookupError(f'{collection.id} has no item "{name}"')


def _sentinel1_properties(item: SandboxItem) -> JSON:
    known = item.properties
    return {
        **{k: v for k, v in known.items() if k.startswith(("sar:", "sat:"))},
        **dict(periods(item)),
        "platform": known.get("platform"),
        "proj:epsg": epsg(item),
        "proj:bbox": edges_of(item),
        "proj:shape": shape_of(item),
        "proj:transform": transform_of(item),
        "proj:centroid": centre_of(item),
        "constellation": "sentinel-1",
        "processing:software": SOFTWARE,
        "created": timestamp(item.datetime),
        "updated": timestamp(item.datetime),
    }


def _sentinel1_assets(item: SandboxItem, places: Places) -> JSON:
    return {
        key: {
            "href": places.asset(item, key),
            "type": COG,
            "title": f"{key.upper()} Data",
            "description": "Simulated backscatter, sigma nought",
            "raster:bands": [absent_removed({"nodata": layer.nodata, "data_type": layer.dtype})],
            "roles": ["data"],
        }
        for key, layer in item.layers.items()
    }


def _dem_properties(item: SandboxItem) -> JSON:
    return {
        "platform": "tandem-x",
        "gsd": 30,
        **dict(periods(item)),
        "proj:epsg": epsg(item),
        "proj:shape": shape_of(item),
        "proj:transform": transform_of(item),
    }


def _dem_assets(item: SandboxItem, places: Places) -> JSON:
    key = next(iter(item.layers))
    return {"data": {"href": places.asset(item, key), "type": COG, "roles": ["data"]}}


def _page(limit: int, returned: int, matched: int | None) -> JSON:
    context = {"limit": limit, "returned": returned}
    if matched is not None:
        context["matched"] = matched
    return {"stac_version": "1.0.0", "stac_extensions": [], "context": context}


_NAMING = Naming(sentinel2_name, finder(sentinel2_name, _place))

EARTH_SEARCH = Flavour(
    name="earth-search",
    title="Earth Search, simulated",
    prefix="/v1",
    stac_version="1.0.0",
    shapes={
        "sentinel-2-l1c": Shape(
            "sentinel-2-l1c", SENTINEL_2, _sentinel2_properties, _sentinel2_assets, _NAMING
        ),
        "sentinel-2-l2a": Shape(
            "sentinel-2-l2a", SENTINEL_2, _sentinel2_properties, _sentinel2_assets, _NAMING
        ),
        "sentinel-1-grd": Shape(
            "sentinel-1-grd",
            SENTINEL_1,
            _sentinel1_properties,
            _sentinel1_assets,
            Naming(sentinel1_name, _sentinel1_find),
        ),
        "cop-dem-glo-30": Shape("cop-dem-glo-30", DEM, _dem_properties, _dem_assets),
    },
    page=_page,
)
