"""Rasters and static catalogs, written small and fresh for each test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Polygon, mapping
from shapely.geometry.base import BaseGeometry

from eodata.core.band import Band
from eodata.core.modality_plan import BandRead

UTM31 = "EPSG:32631"
NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_600_000)


def write_raster(path: Path, layers, transform=NORTH_UP, crs=UTM31, **options) -> Path:
    """Write `(H, W)` or `(B, H, W)`."""
    layers = np.asarray(layers)
    layers = layers[np.newaxis] if layers.ndim == 2 else layers
    count, height, width = layers.shape
    profile = {"driver": "GTiff", "interleave": "band"} | options
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        **profile,
        count=count,
        height=height,
        width=width,
        dtype=layers.dtype,
        transform=transform,
        crs=crs,
    ) as file:
        file.write(layers)
    return path


def outline(path: Path) -> BaseGeometry:
    """Return the ground that a raster covers, EPSG:4326."""
    with rasterio.open(path) as file:
        w, h = file.width, file.height
        corners = Polygon([file.transform @ c for c in ((0, 0), (w, 0), (w, h), (0, h))])
        to_degrees = Transformer.from_crs(file.crs.to_wkt(), "EPSG:4326", always_xy=True)
    return shapely.transform(corners, to_degrees.transform, interleaved=False)


class Archive:
    """A static catalog in the making; `save` writes it with pystac."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = pystac.Catalog("test", "A catalog for a test.")

    def collection(self, name: str) -> pystac.Collection:
        known = self.catalog.get_child(name)
        if known is None:
            span = [[datetime(2018, 1, 1, tzinfo=UTC), None]]
            extent = pystac.Extent(
                pystac.SpatialExtent([[-180, -90, 180, 90]]), pystac.TemporalExtent(span)
            )
            known = pystac.Collection(name, "A collection for a test.", extent)
            self.catalog.add_child(known)
        return known

    def add(
        self, item_id, layers=None, *, when="2018-06-01", collection="c", footprint=None, **options
    ) -> pystac.Item:
        """Add an item with one single-band GeoTIFF per entry of `layers` (key -> `(H, W)`)."""
        item = pystac.Item(
            item_id, footprint, None, datetime.fromisoformat(when).replace(tzinfo=UTC), {}
        )
        for key, array in (layers or {}).items():
            path = self.root / collection / item_id / f"{key}.tif"
            write_raster(path, array, **options)
            item.add_asset(key, pystac.Asset(str(path), media_type=pystac.MediaType.GEOTIFF))
            item.geometry = footprint or mapping(outline(path))
        self.collection(collection).add_item(item)
        return item

    def save(self) -> Path:
        self.catalog.normalize_hrefs(str(self.root))
        self.catalog.make_all_asset_hrefs_relative()
        self.catalog.save(pystac.CatalogType.SELF_CONTAINED)
        return self.root


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "archive")


def band_read(asset, resampling="nearest", **facts) -> BandRead:
    facts = {"kind": "continuous", "dtype": "float32", "gsd": 10.0} | facts
    return BandRead(Band(name=asset, **facts), asset, resampling)


@pytest.fixture(name="write_raster")
def _write_raster():
    return write_raster


@pytest.fixture(name="band_read")
def _band_read():
    return band_read
