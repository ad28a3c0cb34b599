"""A file that is replaced at the archive between two reads: never the pixels of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.io import MemoryFile
from shapely.geometry import box

from eodata.core.endpoint import Endpoint, StacLocation
from eodata.core.item import Asset, Item
from eodata.providers.stac import StacProvider
from tests.providers.remote.file_server import FileServer

UTM32 = "EPSG:32632"
WEST, NORTH, GSD = 500_000, 5_300_000, 10
GRID = GeoBox((64, 64), Affine(GSD, 0, 502_000, 0, -GSD, 5_298_000), CRS(UTM32))


def raster(size: int, west: float) -> bytes:
    """A GeoTIFF without compression, so without anything that would betray a mixture.

    Each pixel says how many pixels east of `WEST` it lies.
    """
    east = (west - WEST) / GSD + np.arange(size)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=size, height=size, count=1, dtype="uint16", crs=UTM32,
            transform=Affine(GSD, 0, west, 0, -GSD, NORTH), tiled=True, blockxsize=256,
            blockysize=256,
        ) as dataset:  # fmt: skip
            dataset.write(np.broadcast_to(east, (1, size, size)).astype(np.uint16))
        return bytes(memory.read())


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer().running() as running:
        yield running


def test_file_of_another_size_then_read_from_its_beginning(server: FileServer, band_read) -> None:
    endpoint = Endpoint(name="stac", title="An archive", url=f"{server.url}/v1", patience=5)
    provider = StacProvider(StacLocation(endpoint=endpoint), {})
    time, asset = datetime(2020, 1, 1, tzinfo=UTC), Asset("b", f"{server.url}/a.tif")
    item = Item("one", "things", time, box(0, 0, 1, 1), {}, {"b": asset})
    server.files["/a.tif"] = raster(1024, WEST)
    east = np.broadcast_to(np.arange(200, 264), GRID.shape)
    assert np.array_equal(provider.read(item, [band_read("b", "nearest")], GRID).values[0], east)
    server.files["/a.tif"] = raster(1280, WEST + 1000)
    assert np.array_equal(provider.read(item, [band_read("b", "nearest")], GRID).values[0], east)
