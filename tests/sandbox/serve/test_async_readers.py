"""Readers that know nothing of GDAL: async-tiff over obstore, beside GDAL and the archive."""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import async_tiff
import numpy as np
import obstore
import pystac_client
import pytest
import rasterio
from async_tiff.enums import Compression
from obstore.exceptions import GenericError, PermissionDeniedError
from obstore.store import HTTPStore
from rasterio.windows import Window

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.serve.assembly import ArchiveServer
from eodata.sandbox.serve.cog_layout import FIRST_ASK
from eodata.sandbox.serve.faults import Faults
from tests.sandbox.serve.asking import ask

WHERE = {"bbox": [11.0, 48.05, 11.02, 48.06], "datetime": "2018-06-01/2018-06-12"}
GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif"}
PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class File:
    """The address of one layer, and how obstore takes it."""

    href: str

    @property
    def names(self):
        """The archive's own names: collection, item, layer."""
        *_, collection, item, layer = urlsplit(self.href).path.split("/")
        return collection, item, layer.removesuffix(".tif")

    @property
    def path(self):
        """Below the store: obstore encodes it, and it takes no query here."""
        return unquote(urlsplit(self.href).path).lstrip("/")

    def store(self, retries=0):
        """Open the server; the query of a store's address goes with every request."""
        parts = urlsplit(self.href)
        query = f"?{parts.query}" if parts.query else ""
        backoff = {"init_backoff": PATIENCE / 6000, "max_backoff": PATIENCE / 600, "base": 2}
        return HTTPStore.from_url(
            f"{parts.scheme}://{parts.netloc}{query}",
            client_options={"allow_http": True, "timeout": PATIENCE},
            retry_config={"max_retries": retries, "retry_timeout": PATIENCE, "backoff": backoff},
        )

    async def tiff(self):
        """Read all directories."""
        return await async_tiff.TIFF.open(self.path, store=self.store())


@pytest.fixture(scope="module")
def archive():
    return SandboxArchive(SandboxSettings())


@pytest.fixture(scope="module")
def servers():
    flavours = ("earth-search", "planetary-computer")
    started = {name: ArchiveServer(SandboxSettings(), name) for name in flavours}
    with started["earth-search"], started["planetary-computer"]:
        yield started


@pytest.fixture
def server(servers):
    """The one whose files need no token; without faults once the test is over."""
    yield servers["earth-search"]
    servers["earth-search"].inject(Faults())


def find(server, collection, key, signed=True):
    """Return a file of the clearest item; then nothing was asked of the server yet."""
    found = pystac_client.Client.open(server.api).search(collections=[collection], **WHERE)
    item = min(found.items(), key=lambda item: item.properties.get("eo:cloud_cover", 0))
    href = item.assets[key].href
    if signed and "/api/stac/" in server.api:
        href = json.loads(ask(f"{server.url}/api/sas/v1/sign?href={href}")[2])["href"]
    server.log.clear()
    return File(href)


async def read_tile(file, col, row, level):
    """Return directories, bytes as they came, and numbers `(rows, cols)` of one tile."""
    tiff = await file.tiff()
    tile = await tiff.fetch_tile(col, row, level)
    came = bytes(tile.compressed_bytes)
    return tiff, came, np.asarray(await tile.decode())[..., 0]


@pytest.mark.parametrize(
    ("flavour", "collection", "key", "place"),
    [
        ("earth-search", "sentinel-2-l2a", "red", (8, 10, 0)),
        ("earth-search", "sentinel-2-l2a", "red", (3, 5, 1)),
        ("earth-search", "sentinel-2-l2a", "red", (22, 22, 0)),
        ("earth-search", "sentinel-2-l2a", "scl", (22, 4, 0)),
        ("planetary-computer", "sentinel-2-l2a", "B04", (22, 3, 0)),
        ("planetary-computer", "sentinel-2-l2a", "SCL", (1, 1, 1)),
        ("planetary-computer", "sentinel-1-rtc", "vv", (30, 20, 0)),
    ],
)
def test_tiles_are_what_gdal_and_the_archive_say(servers, archive, flavour, collection, key, place):
    file = find(servers[flavour], collection, key)
    col, row, level = place
    tiff, _, numbers = asyncio.run(read_tile(file, *place))
    with (
        rasterio.Env(**GDAL),
        rasterio.open(file.href, **({"overview_level": level - 1} if level else {})) as source,
    ):
        block = source.block_shapes[0][0]
        inside = Window(col * block, row * block, block, block).intersection(
            Window(0, 0, source.width, source.height)
        )
        expected = source.read(1, window=inside)
    rows, cols = expected.shape
    assert numbers.shape == (block, block)
    assert numbers.dtype == expected.dtype
    assert np.array_equal(numbers[:rows, :cols], expected)
    assert len(np.unique(expected)) > 1
    ifd = tiff.ifds[level]
    assert (ifd.image_height, ifd.image_width) == source.shape
    item = archive.collections[file.names[0]].get(file.names[1])
    window = (row * block, row * block + rows), (col * block, col * block + cols)
    assert np.array_equal(archive.read(item, file.names[2], *window, 2**level), expected)


def test_a_partial_tile_is_filled_with_nodata(server):
    file = find(server, "sentinel-2-l2a", "scl")
    tiff, _, numbers = asyncio.run(read_tile(file, 22, 4, 0))
    inside = tiff.ifds[0].image_width - 22 * tiff.ifds[0].tile_width
    assert 0 < inside < tiff.ifds[0].tile_width
    assert (numbers[:, inside:] == int(tiff.ifds[0].gdal_nodata)).all()
    assert numbers[:, :inside].any()


def test_directories_say_what_gdal_says(server):
    file = find(server, "sentinel-2-l2a", "red")
    tiff = asyncio.run(file.tiff())
    with rasterio.Env(**GDAL), rasterio.open(file.href) as source:
        full = tiff.ifds[0]
        assert full.geo_key_directory.projected_type == source.crs.to_epsg()
        assert full.model_pixel_scale[:2] == [source.transform.a, -source.transform.e]
        assert full.model_tiepoint[3:5] == [source.transform.c, source.transform.f]
        assert float(full.gdal_nodata) == source.nodata
        assert len(tiff.ifds) == 1 + len(source.overviews(1))
    assert {ifd.compression for ifd in tiff.ifds} == {Compression.Deflate}
    assert [ifd.new_subfile_type for ifd in tiff.ifds[1:]] == [1] * (len(tiff.ifds) - 1)
    assert "synthetic" in full.gdal_metadata


def test_opening_a_file_is_one_request_and_makes_no_pixel(server):
    file = find(server, "sentinel-2-l2a", "nir")
    tiff = asyncio.run(file.tiff())
    assert [served.range for served in server.log.requests] == [f"bytes=0-{FIRST_ASK - 1}"]
    assert tiff.header_byte_size == FIRST_ASK


def test_bytes_can_be_had_beside_numbers(server):
    file = find(server, "sentinel-2-l2a", "red")
    tiff, came, numbers = asyncio.run(read_tile(file, 8, 10, 0))
    start, stop = tiff.ifds[0].tile_byte_range(8, 10)
    (again,) = obstore.get_ranges(file.store(), file.path, starts=[start], ends=[stop])
    assert again == came
    assert zlib.decompress(came) == numbers.tobytes()


def test_neighbours_come_in_one_request(server):
    file = find(server, "sentinel-2-l2a", "red")

    async def read():
        tiff = await file.tiff()
        return await tiff.fetch_tiles([(8, 10), (9, 10), (8, 14)], 0)

    tiles = asyncio.run(read())
    assert [(tile.x, tile.y) for tile in tiles] == [(8, 10), (9, 10), (8, 14)]
    assert len(server.log.select("/assets/", status=206)) == 3


def test_a_file_needs_its_token(servers):
    server = servers["planetary-computer"]
    with pytest.raises(PermissionDeniedError, match="403"):
        obstore.get_range(
            (file := find(server, "sentinel-2-l2a", "B04", signed=False)).store(),
            file.path,
            start=0,
            end=8,
        )
    signed = find(server, "sentinel-2-l2a", "B04")
    assert obstore.get_range(signed.store(), signed.path, start=0, end=4) == b"II*\0"
    assert "sig=" in server.log.requests[0].query


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("asset:429=1", GenericError, "429 Too Many Requests"),
        ("asset:500=1", GenericError, "500 Internal Server Error"),
        ("asset:503=1", GenericError, "503 Service Unavailable"),
        ("expired=1", PermissionDeniedError, "403 Forbidden"),
        ("missing=1", FileNotFoundError, "404 Not Found"),
        ("reset=1", GenericError, "error sending request"),
        ("truncate=1", GenericError, "IncompleteBody"),
    ],
)
def test_faults_reach_the_reader_once(server, fault, error, words):
    file = find(server, "sentinel-2-l2a", "red")
    server.inject(Faults.load(fault))
    with pytest.raises(error, match=words):
        obstore.get_range(file.store(), file.path, start=0, end=FIRST_ASK)
    assert len(server.log.requests) == 1


def test_a_wrong_byte_is_noticed_when_a_tile_is_decoded(server):
    file = find(server, "sentinel-2-l2a", "red")

    async def read():
        tiff = await file.tiff()
        server.inject(Faults.load("corrupt=1"))
        tile = await tiff.fetch_tile(8, 10, 0)
        with pytest.raises(ValueError, match="corrupt deflate stream"):
            await tile.decode()

    asyncio.run(read())


def test_retries_overcome_a_fault(server):
    file = find(server, "sentinel-2-l2a", "red")
    server.inject(Faults.load("asset:503@1-2"))
    assert obstore.get_range(file.store(retries=2), file.path, start=0, end=4) == b"II*\0"
    assert [served.status for served in server.log.requests] == [503, 503, 206]
