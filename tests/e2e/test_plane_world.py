"""From the command line to the torch Dataset over rasters whose values are their own coordinates.

Band vv holds the easting and vh the northing of each source pixel's centre, in the CRS of the
recipe. Whatever comes out of the Dataset must be where its sample says: any misplacement is a
number, in source pixels. Correct reads stay under 0.02 on average and 0.2 at most; the classic
half-pixel bug shows as 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely.geometry import box, mapping

import eodata
from eodata.cli.app import main
from eodata.core.span import parse_utc

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
PIXEL_M = 10.0
SIZE = 160
PATCH_M = 320


@dataclass(frozen=True)
class Case:
    """A source grid around a place, and the grid that the recipe asks for."""

    source_crs: str
    target_crs: str
    lon: float
    lat: float
    gsd: float = PIXEL_M
    phase_px: float = 0.0
    south_up: bool = False


BELGIUM = {"lon": 3.02, "lat": 50.82}
CASES = {
    "same grid": Case("EPSG:32631", "EPSG:32631", **BELGIUM),
    "half a pixel off": Case("EPSG:32631", "EPSG:32631", **BELGIUM, phase_px=0.5),
    "10 to 20 m": Case("EPSG:32631", "EPSG:32631", **BELGIUM, gsd=20),
    "UTM 31 to 32": Case("EPSG:32631", "EPSG:32632", 6.0, 50.82),
    "degrees to UTM": Case("EPSG:4326", "EPSG:32631", **BELGIUM),
    "south up": Case("EPSG:32631", "EPSG:32631", **BELGIUM, south_up=True),
    "southern hemisphere": Case("EPSG:32719", "EPSG:32719", -70.0, -33.0, phase_px=0.3),
    "sinusoidal without EPSG code": Case(SINUSOIDAL, "EPSG:32631", **BELGIUM),
    "into sinusoidal": Case("EPSG:32631", SINUSOIDAL, **BELGIUM),
}


def source_affine(case: Case, bug_px: float) -> tuple[Affine, Affine]:
    """Return the true affine of the source, and the one that its file states."""
    x, y = Transformer.from_crs("EPSG:4326", case.source_crs, always_xy=True).transform(
        case.lon, case.lat
    )
    step_x = step_y = PIXEL_M
    if case.source_crs == "EPSG:4326":
        step_y = PIXEL_M / 111_250
        step_x = step_y / np.cos(np.radians(case.lat))
    else:
        x, y = round(x / 320) * 320, round(y / 320) * 320
    left = x - SIZE / 2 * step_x + case.phase_px * step_x
    edge = -1 if case.south_up else 1
    top = y + edge * SIZE / 2 * step_y + case.phase_px * step_y
    true = Affine(step_x, 0, left, 0, -edge * step_y, top)
    return true, true @ Affine.translation(bug_px, bug_px)


def write_archive(root: Path, case: Case, bug_px: float) -> Affine:
    """Write one Sentinel-1 item whose pixels are coordinates in the CRS of the recipe."""
    true, stated = source_affine(case, bug_px)
    col, row = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    to_target = Transformer.from_crs(case.source_crs, case.target_crs, always_xy=True)
    x, y = to_target.transform(*(true @ (col, row)))
    x0, y0 = centre(case)
    item = pystac.Item("plane", None, None, parse_utc("2018-06-15"), {"platform": "sentinel-1a"})
    for key, plane in (("vv", x - x0), ("vh", y - y0)):
        path = root / "sentinel-1-rtc" / "plane" / f"{key}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "width": SIZE, "height": SIZE}
        with rasterio.open(path, "w", **profile, crs=case.source_crs, transform=stated) as file:
            file.write(plane.astype("float32"), 1)
        item.add_asset(key, pystac.Asset(str(path), media_type=pystac.MediaType.GEOTIFF))
    ground = box(case.lon - 0.05, case.lat - 0.05, case.lon + 0.05, case.lat + 0.05)
    item.geometry, item.bbox = mapping(ground), list(ground.bounds)
    extent = pystac.Extent(
        pystac.SpatialExtent([list(ground.bounds)]), pystac.TemporalExtent([[item.datetime, None]])
    )
    collection = pystac.Collection("sentinel-1-rtc", "Coordinates as backscatter.", extent)
    collection.add_item(item)
    catalog = pystac.Catalog("plane", "A world whose pixels are coordinates.")
    catalog.add_child(collection)
    catalog.normalize_hrefs(str(root))
    catalog.make_all_asset_hrefs_relative()
    catalog.save(pystac.CatalogType.SELF_CONTAINED)
    return true


def centre(case: Case) -> tuple[float, float]:
    """Return the place in the CRS of the recipe, to a kilometre so that float32 is exact."""
    to_target = Transformer.from_crs("EPSG:4326", case.target_crs, always_xy=True)
    x, y = to_target.transform(case.lon, case.lat)
    return round(x, -3), round(y, -3)


def write_recipe(path: Path, case: Case) -> Path:
    d_lat = 480 / 111_250
    d_lon = d_lat / np.cos(np.radians(case.lat))
    bbox = [case.lon - d_lon, case.lat - d_lat, case.lon + d_lon, case.lat + d_lat]
    path.write_text(
        f"""
name: plane
title: A world whose pixels are coordinates
licence: CC0-1.0
area: {{bbox: {[round(float(v), 7) for v in bbox]}, crs: "{case.target_crs}", patch: {PATCH_M}}}
time: {{start: 2018-06-01, end: 2018-07-01}}
archive: {{catalog: archive/catalog.json, like: planetary-computer}}
modalities:
  s1: {{product: sentinel-1-rtc, gsd: {case.gsd}, anchor: true}}
store: {{block: 4}}
"""
    )
    return path


def recovered_errors(root: Path, case: Case, bug_px: float = 0.0) -> np.ndarray:
    """Build, load, and return how far each pixel is from where its sample says [source px]."""
    write_archive(root / "archive", case, bug_px)
    recipe = write_recipe(root / "plane.yaml", case)
    store = root / "store"
    with pytest.raises(SystemExit) as ended:
        main(["build", str(recipe), "--out", str(store), "--archive", str(root / "archive")])
    assert ended.value.code == 0
    samples = geopandas.read_parquet(store / "samples.parquet").set_index("id")
    dataset = eodata.open_dataset(str(store), modalities=["s1"])
    assert len(dataset) >= 4
    n = round(PATCH_M / case.gsd)
    x0, y0 = centre(case)
    errors = []
    for item in dataset:
        sample = samples.loc[item["id"]]
        assert item["valid"]["s1"].all()
        assert tuple(item["s1"].shape) == (1, 2, n, n)
        x = sample["left"] + (np.arange(n) + 0.5) * case.gsd
        y = sample["top"] - (np.arange(n) + 0.5) * case.gsd
        found_x, found_y = item["s1"][0].double().numpy()
        errors.append(np.hypot(found_x + x0 - x[None, :], found_y + y0 - y[:, None]) / PIXEL_M)
    return np.stack(errors)


def assert_in_place(errors: np.ndarray) -> None:
    assert errors.mean() < 0.02
    assert errors.max() < 0.2


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.e2e
@pytest.mark.parametrize("name", CASES)
def test_pixels_when_read_through_everything_then_lie_where_the_sample_says(
    name: str, root: Path
) -> None:
    errors = recovered_errors(root, CASES[name])
    assert_in_place(errors)
    if name == "same grid":
        assert errors.max() < 1e-4


@pytest.mark.e2e
@pytest.mark.parametrize("name", CASES)
def test_pixels_when_the_source_is_half_a_pixel_off_then_the_check_is_red(
    name: str, root: Path
) -> None:
    errors = recovered_errors(root, CASES[name], bug_px=0.5)
    with pytest.raises(AssertionError):
        assert_in_place(errors)
    assert 0.6 < errors.mean() < 0.8  # half a pixel in x and in y
