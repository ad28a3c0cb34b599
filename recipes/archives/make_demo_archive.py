"""Make the small STAC archive that ships with eodata from a WorldCereal training patch.

A maintainer's tool: it is run once, by hand, and its output is kept in the repository. It needs
``netCDF4`` besides eodata's own dependencies. The source is the folder of NetCDF files (and one
GeoTIFF) of patch ``00002806639B424A``; ``LICENCE.md`` and ``PROVENANCE.md`` beside the archive
say where it is published and how the properties that it lacks are derived.

Usage:
    python recipes/archives/make_demo_archive.py SOURCE_DIR OUT_DIR
"""

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform as warp_points

Json = dict[str, Any]
Pixels = npt.NDArray[Any]

STAC_VERSION = "1.1.0"
START = datetime(2018, 1, 1, tzinfo=UTC)
STOP = datetime(2018, 12, 1, tzinfo=UTC)
YEAR_END = "2018-12-31T23:59:59Z"

EPSG = 32631
LEFT, TOP, SIDE_M = 501360, 5629680, 640
TILE = "31UDS"
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

# common name, centre and width (micrometres) of each Sentinel-2 band, and its pixel size (metres)
S2_BANDS: dict[str, tuple[str, float, float, int]] = {
    "B02": ("blue", 0.49, 0.098, 10),
    "B03": ("green", 0.56, 0.045, 10),
    "B04": ("red", 0.665, 0.038, 10),
    "B05": ("rededge", 0.704, 0.019, 20),
    "B06": ("rededge", 0.74, 0.018, 20),
    "B07": ("rededge", 0.783, 0.028, 20),
    "B08": ("nir", 0.842, 0.145, 10),
    "B8A": ("nir08", 0.865, 0.033, 20),
    "B11": ("swir16", 1.61, 0.143, 20),
    "B12": ("swir22", 2.19, 0.242, 20),
}
SCL_CLOUD = (8, 9, 10)
SCL_CLASSES = (
    (0, "no_data"),
    (1, "saturated_or_defective"),
    (2, "dark_area_pixels"),
    (3, "cloud_shadows"),
    (4, "vegetation"),
    (5, "not_vegetated"),
    (6, "water"),
    (7, "unclassified"),
    (8, "cloud_medium_probability"),
    (9, "cloud_high_probability"),
    (10, "thin_cirrus"),
    (11, "snow"),
)

VERIFIED = "Name verified in the source code of WorldCereal."
UNVERIFIED = "Name not verified: no published legend for these codes was at hand."
LC_CLASSES = (
    (0, "no_data", "Fill value."),
    (11, "annual_cropland", f"Annual cropland (temporary crops). {VERIFIED}"),
    (13, "grassland", f"Grassland. {VERIFIED}"),
    (60, "built_up", f"Built-up. {UNVERIFIED}"),
    (99, "no_cropland", f"No cropland, unspecified: everything between parcels. {UNVERIFIED}"),
)
CT_CLASSES = (
    (0, "no_data", "Fill value: no crop type given."),
    (1200, "maize", f"Maize. {VERIFIED}"),
    (2130, "code_2130", "A crop type inside annual cropland; its name is not known."),
    (5100, "code_5100", "A crop type inside annual cropland; its name is not known."),
    (7900, "code_7900", "A crop type inside annual cropland; its name is not known."),
    (9120, "code_9120", "The crop type of every grassland pixel here; its name is not known."),
)


@dataclass(frozen=True)
class Pass:
    """A dated pass of one satellite whose relative orbit is known.

    Attributes:
        time: When the satellite was over the place of the pass.
        relative_orbit: The relative orbit it was on.
    """

    time: datetime
    relative_orbit: int


@dataclass(frozen=True)
class Mission:
    """Two satellites that share one ground track and repeat it exactly.

    Attributes:
        cycle: Time after which the ground track repeats.
        orbits: Orbits in one cycle.
        phase: Fraction of an orbit from the place of the reference passes to this patch.
        tolerance: Largest departure from ``phase`` that still counts as a match.
        references: One known pass of each satellite, by its letter.
    """

    cycle: timedelta
    orbits: int
    phase: float
    tolerance: float
    references: Mapping[str, Pass]

    def identify(self, time: datetime) -> tuple[str, int]:
        """Tell which satellite passed here at a time, and on which relative orbit.

        Counted in orbits since its reference pass, a satellite is here after a whole number plus
        ``phase``. The twins are half an orbit apart in that count, so only one of them can fit.

        Args:
            time: When the pass was.

        Returns:
            The satellite's letter and the relative orbit.

        Raises:
            ValueError: If not exactly one satellite fits.
        """
        found = []
        for letter, known in self.references.items():
            flown = (time - known.time) / self.cycle * self.orbits - self.phase
            if abs(flown - round(flown)) <= self.tolerance:
                found.append((letter, (known.relative_orbit - 1 + round(flown)) % self.orbits + 1))
        if len(found) != 1:
            raise ValueError(f"{len(found)} satellites fit a pass at {time.isoformat()}")
        return found[0]


# S1A: absolute orbit 22812 is relative orbit (22812 - 73) % 175 + 1 = 165. S1B flies the same
# track half a cycle later.
SENTINEL_1 = Mission(
    cycle=timedelta(days=12),
    orbits=175,
    phase=-0.335,
    tolerance=0.02,
    references={
        "a": Pass(datetime(2018, 7, 16, 0, 40, 42, tzinfo=UTC), 165),
        "b": Pass(datetime(2018, 7, 22, 0, 40, 42, tzinfo=UTC), 165),
    },
)
SENTINEL_2 = Mission(
    cycle=timedelta(days=10),
    orbits=143,
    phase=-0.05,
    tolerance=0.1,
    references={
        "a": Pass(datetime(2023, 8, 15, 9, 56, 30, tzinfo=UTC), 79),
        "b": Pass(datetime(2023, 8, 10, 9, 56, 51, tzinfo=UTC), 79),
    },
)


@dataclass
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
    extensions: list[str]
    assets: dict[str, Json] = field(default_factory=dict)
    rasters: dict[str, Pixels] = field(default_factory=dict)


def iso(time: datetime) -> str:
    """Write a UTC time as STAC wants it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def rounded(value: float) -> float:
    """Round an angle that was stored in single precision."""
    return round(float(value), 6)


def open_source(folder: Path, pattern: str) -> netCDF4.Dataset:
    """Open the one NetCDF file that matches, with the values as they are stored.

    Scaling and masking stay off: the files carry ``_FillValue`` 0 together with integer
    ``scale_factor``, which decodes good pixels wrongly.

    Args:
        folder: The source folder.
        pattern: Glob of the file's name.

    Returns:
        The open dataset.

    Raises:
        ValueError: If not exactly one file matches, or its grid is not the expected one.
    """
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise ValueError(f"{len(paths)} files match {pattern} in the source folder")
    dataset = netCDF4.Dataset(paths[0])
    dataset.set_auto_maskandscale(False)
    check_grid(dataset)
    return dataset


def check_grid(dataset: netCDF4.Dataset) -> None:
    """Refuse a file whose pixel centres are not those of the archive's grid."""
    size = SIDE_M // len(dataset["x"])
    steps = np.arange(len(dataset["x"])) * size + size / 2
    if not np.array_equal(dataset["x"][:], LEFT + steps):
        raise ValueError("the x coordinates are not those of the expected grid")
    if not np.array_equal(dataset["y"][:], TOP - steps):
        raise ValueError("the y coordinates are not those of the expected grid")


def passes(dataset: netCDF4.Dataset) -> Iterator[tuple[int, datetime]]:
    """Yield the index and time of each acquisition inside the archive's period."""
    stamps = dataset["timestamp"]
    unit, _, epoch = stamps.units.partition(" since ")
    if unit != "seconds":
        raise ValueError(f"time is counted in {unit}, not seconds")
    start = datetime.fromisoformat(epoch).replace(tzinfo=UTC)
    for index, seconds in enumerate(stamps[:]):
        time = start + timedelta(seconds=int(seconds))
        if START <= time < STOP:
            yield index, time


def nodata_of(pixels: Pixels) -> float | int:
    """Tell the nodata value that the archive uses for a data type."""
    return {"f": float("nan"), "u": 0, "i": -32767}[pixels.dtype.kind]


def grid_fields(size: int) -> Json:
    """Describe the grid of an asset with square pixels of a size in metres."""
    count = SIDE_M // size
    return {"proj:shape": [count, count], "proj:transform": [size, 0, LEFT, 0, -size, TOP]}


def asset(key: str, pixels: Pixels, title: str, roles: Sequence[str], **fields: Any) -> Json:
    """Describe one GeoTIFF.

    Args:
        key: The asset's key, which names the file too.
        pixels: Its pixels.
        title: A short title.
        roles: The asset's roles.
        **fields: Further fields, put at the end.

    Returns:
        The asset.
    """
    size = SIDE_M // pixels.shape[0]
    nodata = nodata_of(pixels)
    return {
        "href": f"./{key}.tif",
        "type": GEOTIFF,
        "title": title,
        "roles": list(roles),
        "gsd": size,
        "data_type": pixels.dtype.name,
        "nodata": "nan" if np.isnan(nodata) else nodata,
        **grid_fields(size),
        **fields,
    }


def footprint() -> tuple[Json, list[float]]:
    """Compute the patch's outline in longitude and latitude, counter-clockwise, and its box."""
    xs = [LEFT, LEFT, LEFT + SIDE_M, LEFT + SIDE_M, LEFT]
    ys = [TOP, TOP - SIDE_M, TOP - SIDE_M, TOP, TOP]
    lons, lats = warp_points(f"EPSG:{EPSG}", "EPSG:4326", xs, ys)
    ring = [[round(lon, 9), round(lat, 9)] for lon, lat in zip(lons, lats, strict=True)]
    west, south = (min(point[axis] for point in ring) for axis in (0, 1))
    east, north = (max(point[axis] for point in ring) for axis in (0, 1))
    return {"type": "Polygon", "coordinates": [ring]}, [west, south, east, north]


def cloud_percent(scl: Pixels) -> float:
    """Compute the share of cloud and cirrus in a scene classification, in percent."""
    return float(np.isin(scl, SCL_CLOUD).mean() * 100)


def s2_asset(key: str, pixels: Pixels) -> Json:
    """Describe one Sentinel-2 asset: a reflectance band or the scene classification."""
    if key == "SCL":
        return asset(
            key,
            pixels,
            "Scene classification (SCL)",
            ["data", "classification"],
            bands=[{"name": "SCL"}],
        )
    common, centre, width, _ = S2_BANDS[key]
    band = {
        "name": key,
        "common_name": common,
        "center_wavelength": centre,
        "full_width_half_max": width,
    }
    return asset(
        key,
        pixels,
        f"{key} ({common})",
        ["data", "reflectance"],
        bands=[{"name": key}],
        **{"eo:bands": [band], "raster:scale": 0.0001, "raster:offset": 0},
    )


def s2_properties(time: datetime, angles: netCDF4.Dataset, index: int, scl: Pixels) -> Json:
    """Gather the properties of one Sentinel-2 acquisition."""
    letter, orbit = SENTINEL_2.identify(time)
    return {
        "datetime": iso(time),
        "platform": f"sentinel-2{letter}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "proj:code": f"EPSG:{EPSG}",
        "grid:code": f"MGRS-{TILE}",
        "eo:cloud_cover": cloud_percent(scl),
        "view:sun_azimuth": rounded(angles["sunAzimuthAngles"][index]),
        "view:sun_elevation": rounded(90.0 - float(angles["sunZenithAngles"][index])),
        "view:azimuth": rounded(angles["viewAzimuthMean"][index]),
        "view:incidence_angle": rounded(angles["viewZenithMean"][index]),
        "sat:orbit_state": "descending",
        "sat:relative_orbit": orbit,
        "eodata:radiometry": "boa-reflectance",
        "eodata:inferred": [
            "platform",
            "eo:cloud_cover",
            "sat:orbit_state",
            "sat:relative_orbit",
        ],
    }


def sentinel_2_items(source: Path) -> Iterator[Item]:
    """Make one item for each Sentinel-2 date."""
    by_size = {
        10: open_source(source, "S2_L2A_10m_*.nc"),
        20: open_source(source, "S2_L2A_20m_*.nc"),
    }
    fine, coarse = by_size[10], by_size[20]
    if not np.array_equal(fine["timestamp"][:], coarse["timestamp"][:]):
        raise ValueError("the 10 m and 20 m files do not have the same dates")
    for index, time in passes(fine):
        rasters = {key: by_size[size][key][index] for key, (*_, size) in S2_BANDS.items()}
        rasters["SCL"] = coarse["SCL"][index]
        properties = s2_properties(time, coarse, index, rasters["SCL"])
        yield Item(
            id=f"S2{properties['platform'][-1].upper()}_{TILE}_{time:%Y%m%d}_0_L2A",
            properties=properties,
            extensions=[EO, GRID, PROJECTION, RASTER, SAT, VIEW],
            assets={key: s2_asset(key, pixels) for key, pixels in rasters.items()},
            rasters=rasters,
        )


def s1_asset(key: str, pixels: Pixels) -> Json:
    """Describe one Sentinel-1 asset: a polarisation."""
    name = key.upper()
    return asset(
        key,
        pixels,
        f"{name} backscatter, sigma0",
        ["data"],
        unit="dB",
        bands=[{"name": name}],
        **{"sar:polarizations": [name]},
    )


def decibels(stored: Pixels) -> Pixels:
    """Decode stored Sentinel-1 integers to dB, with NaN where nothing was measured."""
    values = np.where(stored == 0, np.nan, stored.astype("float64") * 1e-4)
    return values.astype("float32")


def s1_properties(time: datetime) -> Json:
    """Gather the properties of one Sentinel-1 acquisition."""
    letter, orbit = SENTINEL_1.identify(time)
    return {
        "datetime": iso(time),
        "platform": f"sentinel-1{letter}",
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "gsd": 20,
        "proj:code": f"EPSG:{EPSG}",
        "grid:code": f"MGRS-{TILE}",
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:polarizations": ["VV", "VH"],
        "sar:product_type": "GRD",
        "sat:orbit_state": "ascending",
        "sat:relative_orbit": orbit,
        "eodata:radiometry": "sigma0-db",
        "eodata:inferred": [
            "platform",
            "sar:frequency_band",
            "sar:instrument_mode",
            "sat:relative_orbit",
            "eodata:radiometry",
        ],
    }


def sentinel_1_items(source: Path) -> Iterator[Item]:
    """Make one item for each Sentinel-1 pass."""
    dataset = open_source(source, "S1_GRD-ASCENDING_20m_*.nc")
    for index, time in passes(dataset):
        rasters = {key: decibels(dataset[key.upper()][index]) for key in ("vv", "vh")}
        properties = s1_properties(time)
        letter = properties["platform"][-1].upper()
        yield Item(
            id=f"S1{letter}_IW_GRDH_{TILE}_{time:%Y%m%dT%H%M%S}",
            properties=properties,
            extensions=[GRID, PROJECTION, SAR, SAT],
            assets={key: s1_asset(key, pixels) for key, pixels in rasters.items()},
            rasters=rasters,
        )


def static_properties(gsd: int) -> Json:
    """Gather the properties of an item that stands for the whole year."""
    return {
        "datetime": None,
        "start_datetime": iso(START),
        "end_datetime": YEAR_END,
        "gsd": gsd,
        "proj:code": f"EPSG:{EPSG}",
        "grid:code": f"MGRS-{TILE}",
        "eodata:inferred": ["start_datetime", "end_datetime"],
    }


def dem_items(source: Path) -> Iterator[Item]:
    """Make the one item of the elevation model."""
    with rasterio.open(source / f"dem_{TILE}.tif") as raster:
        if raster.transform != from_origin(LEFT, TOP, 20, 20) or raster.crs.to_epsg() != EPSG:
            raise ValueError("the elevation model is not on the expected grid")
        pixels = raster.read(1)
    described = asset("dem", pixels, "Elevation", ["data"], unit="m", bands=[{"name": "elevation"}])
    yield Item(
        id=f"worldcereal_dem_{TILE}",
        properties=static_properties(20)
        | {"eodata:note": "The origin does not state which elevation model this is."},
        extensions=[GRID, PROJECTION],
        assets={"dem": described},
        rasters={"dem": pixels},
    )


def classes(rows: Sequence[Sequence[Any]]) -> list[Json]:
    """Describe classes for the classification extension; value 0 is nodata."""
    names = ("value", "name", "description")
    described = [dict(zip(names, row, strict=False)) for row in rows]
    return [row | ({"nodata": True} if row["value"] == 0 else {}) for row in described]


def label_items(source: Path) -> Iterator[Item]:
    """Make the one item of the land-cover and crop-type labels."""
    dataset = open_source(source, "OUTPUT_POLY-110_10m_*.nc")
    rasters = {"lc": dataset["LC"][:].astype("uint8"), "ct": dataset["CT"][:]}
    if not np.array_equal(rasters["lc"], dataset["LC"][:]):
        raise ValueError("the land-cover codes do not fit eight bits")
    rows = {"lc": ("Land cover", LC_CLASSES), "ct": ("Crop type", CT_CLASSES)}
    assets = {}
    for key, (title, known) in rows.items():
        if not set(np.unique(rasters[key])) <= {row[0] for row in known}:
            raise ValueError(f"{key} has a code without a class")
        legend = {"classification:classes": classes(known)}
        bands = [{"name": key}]
        roles = ["data", "labels"]
        assets[key] = asset(key, rasters[key], title, roles, bands=bands, **legend)
    yield Item(
        id=f"worldcereal_labels_{TILE}_2018",
        properties=static_properties(10),
        extensions=[CLASSIFICATION, GRID, PROJECTION],
        assets=assets,
        rasters=rasters,
    )


@dataclass(frozen=True)
class Collection:
    """What a collection says of itself, and how its items are read.

    Attributes:
        id: The collection's id, which names its folder too.
        title: A short title.
        description: What it holds.
        providers: Who made the data.
        read: Reads the items from the source folder.
    """

    id: str
    title: str
    description: str
    providers: tuple[Json, ...]
    read: Callable[[Path], Iterator[Item]]


ESA = {
    "name": "ESA",
    "roles": ["producer", "licensor"],
    "url": "https://sentinels.copernicus.eu",
}
WORLDCEREAL = {
    "name": "WorldCereal",
    "roles": ["processor"],
    "url": "https://github.com/WorldCereal/worldcereal-classification",
}
LPIS = {"name": "LPIS Flanders", "roles": ["producer", "licensor"]}

COLLECTIONS = (
    Collection(
        id="sentinel-2-l2a",
        title="Sentinel-2 L2A, patch in 31UDS, 2018",
        description="Bottom-of-atmosphere reflectance, one GeoTIFF per band, and the scene"
        " classification of a 640 m patch in Flanders. Digital numbers times 0.0001 are"
        " reflectance.",
        providers=(ESA, WORLDCEREAL),
        read=sentinel_2_items,
    ),
    Collection(
        id="sentinel-1-grd",
        title="Sentinel-1 GRD, ascending, patch in 31UDS, 2018",
        description="Terrain-corrected backscatter (sigma0) in dB, VV and VH, of a 640 m patch in"
        " Flanders, from two ascending relative orbits.",
        providers=(ESA, WORLDCEREAL),
        read=sentinel_1_items,
    ),
    Collection(
        id="worldcereal-dem",
        title="Elevation, patch in 31UDS",
        description="Elevation in metres of a 640 m patch in Flanders. The origin does not state"
        " which elevation model this is. The dates are nominal: the data does not change.",
        providers=(WORLDCEREAL,),
        read=dem_items,
    ),
    Collection(
        id="worldcereal-labels",
        title="Land cover and crop type, patch in 31UDS, 2018",
        description="Land-cover and crop-type codes of WorldCereal, rasterised from the parcels of"
        " the Flemish LPIS of 2018, of a 640 m patch in Flanders.",
        providers=(LPIS, WORLDCEREAL),
        read=label_items,
    ),
)


def link(rel: str, href: str, media_type: str = "application/json", **fields: str) -> Json:
    """Make a link."""
    return {"rel": rel, "href": href, "type": media_type, **fields}


def write_json(path: Path, content: Json) -> None:
    """Write JSON the same way every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_geotiff(path: Path, pixels: Pixels) -> None:
    """Write one band as a single deflated strip, with nothing but its place and nodata."""
    height, width = pixels.shape
    size = SIDE_M / width
    profile = {
        "driver": "GTiff",
        "dtype": pixels.dtype.name,
        "count": 1,
        "height": height,
        "width": width,
        "crs": f"EPSG:{EPSG}",
        "transform": from_origin(LEFT, TOP, size, size),
        "nodata": nodata_of(pixels),
        "compress": "deflate",
        "zlevel": 9,
        "predictor": 3 if pixels.dtype.kind == "f" else 2,
        "tiled": False,
        "blockysize": height,
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels, 1)


def write_item(folder: Path, collection: str, item: Item) -> None:
    """Write an item and its rasters into a folder of the item's own."""
    geometry, bbox = footprint()
    content = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": item.extensions,
        "id": item.id,
        "geometry": geometry,
        "bbox": bbox,
        "properties": item.properties,
        "links": [
            link("root", "../../catalog.json"),
            link("parent", "../collection.json"),
            link("collection", "../collection.json"),
        ],
        "assets": item.assets,
        "collection": collection,
    }
    write_json(folder / item.id / f"{item.id}.json", content)
    for key, pixels in item.rasters.items():
        write_geotiff(folder / item.id / f"{key}.tif", pixels)


def summaries(items: Sequence[Item]) -> Json:
    """Summarise the properties of a collection's items."""
    found: Json = {"proj:code": [f"EPSG:{EPSG}"]}
    for name in ("platform", "sat:orbit_state", "sat:relative_orbit", "eodata:radiometry"):
        values = sorted({item.properties[name] for item in items if name in item.properties})
        if values:
            found[name] = values
    name = "eo:cloud_cover"
    clouds = [item.properties[name] for item in items if name in item.properties]
    if clouds:
        found[name] = {"minimum": min(clouds), "maximum": max(clouds)}
    return found


def item_assets(item: Item) -> Json:
    """Describe the assets that every item of a collection has, with the SCL's legend."""
    described = {
        key: {name: value for name, value in content.items() if name != "href"}
        for key, content in item.assets.items()
    }
    if "SCL" in described:
        described["SCL"]["classification:classes"] = classes(SCL_CLASSES)
    return described


def interval(items: Sequence[Item]) -> list[str]:
    """Tell the first and last time of a collection's items."""
    starts = [item.properties["datetime"] or item.properties["start_datetime"] for item in items]
    ends = [item.properties["datetime"] or item.properties["end_datetime"] for item in items]
    return [min(starts), max(ends)]


def collection_extensions(items: Sequence[Item]) -> list[str]:
    """Name the extensions whose fields a collection itself carries."""
    used = set(items[0].extensions) - {GRID, VIEW}
    if "SCL" in items[0].assets:
        used.add(CLASSIFICATION)
    return sorted(used)


def write_collection(root: Path, collection: Collection, items: Sequence[Item]) -> None:
    """Write a collection and all its items, in place of what was there."""
    folder = root / collection.id
    shutil.rmtree(folder, ignore_errors=True)
    content = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": collection_extensions(items),
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "license": "other",
        "providers": list(collection.providers),
        "extent": {
            "spatial": {"bbox": [footprint()[1]]},
            "temporal": {"interval": [interval(items)]},
        },
        "summaries": summaries(items),
        "item_assets": item_assets(items[0]),
        "links": [
            link("root", "../catalog.json"),
            link("parent", "../catalog.json"),
            link("license", "../LICENCE.md", "text/markdown"),
            *(link("item", f"./{item.id}/{item.id}.json") for item in items),
        ],
    }
    write_json(folder / "collection.json", content)
    for item in items:
        write_item(folder, collection.id, item)


def write_catalog(root: Path) -> None:
    """Write the catalog over the collections."""
    children = [
        link("child", f"./{collection.id}/collection.json", title=collection.title)
        for collection in COLLECTIONS
    ]
    content = {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "eodata-demo",
        "title": "eodata demo archive",
        "description": "A real year of a 640 m patch in Flanders (tile 31UDS, 2018): Sentinel-2,"
        " Sentinel-1, elevation, and land cover. Contains modified Copernicus Sentinel data 2018.",
        "links": [
            link("root", "./catalog.json"),
            link("license", "./LICENCE.md", "text/markdown"),
            *children,
        ],
    }
    write_json(root / "catalog.json", content)


def make(source: Path, out: Path) -> None:
    """Make the whole archive, replacing the collections that are already there.

    Args:
        source: Folder with the patch's NetCDF files and its elevation model.
        out: Folder to write to; other files in it, such as ``LICENCE.md``, stay.
    """
    for collection in COLLECTIONS:
        items = list(collection.read(source))
        write_collection(out, collection, items)
        print(f"{collection.id}: {len(items)} items")
    write_catalog(out)


def main() -> None:
    """Read the command line and make the archive."""
    parser = argparse.ArgumentParser(description="Make the STAC archive that ships with eodata.")
    parser.add_argument("source", type=Path, help="folder with the patch's NetCDF files")
    parser.add_argument("out", type=Path, help="folder to write the archive to")
    arguments = parser.parse_args()
    make(arguments.source, arguments.out)


if __name__ == "__main__":
    main()
