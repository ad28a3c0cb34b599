import threading
import time
import zlib

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.io import MemoryFile

from eodata.core.errors import EodataError
from eodata.sandbox.serve.cog import VirtualCog
from eodata.sandbox.serve.cog_layout import BIG_FROM, BLOCK, FIRST_ASK, GHOST, cog_layout
from eodata.sandbox.serve.stored import stored, stored_size
from eodata.sandbox.serve.tiff_tags import BIG, CLASSIC, read_tags
from eodata.sandbox.serve.tile_cache import TileCache
from tests.sandbox.serve.ramp import ramp

UTM = GeoBox((1300, 1100), Affine(10, 0, 499980, 0, -10, 5700000), "EPSG:32631")
LATLON = GeoBox((700, 600), Affine(0.001, 0, 11, 0, -0.002, 50), "EPSG:4326")
SPHERE = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
SINUSOIDAL = GeoBox((500, 640), Affine(463.3127, 0, 9e5, 0, -463.3127, 5559752.6), SPHERE)


def virtual(grid, dtype="uint16", nodata=0.0, reads=None, room=2**28):
    def read(rows, cols, factor):
        if reads is not None:
            reads.append((rows, cols, factor))
        return ramp(rows, cols, factor, dtype)

    return VirtualCog(cog_layout(grid, dtype, nodata), read, TileCache(room), "key")


def whole(cog):
    return b"".join(cog.pieces(0, cog.size))


@pytest.mark.parametrize(
    ("grid", "dtype", "nodata"),
    [
        (UTM, "uint16", 0.0),
        (UTM, "int16", -9999.0),
        (LATLON, "float32", float("nan")),
        (SINUSOIDAL, "uint8", 255.0),
        (UTM, "uint8", None),
    ],
)
def test_file_holds_grid_numbers_and_overviews(grid, dtype, nodata):
    cog = virtual(grid, dtype, nodata)
    data = whole(cog)
    assert len(data) == cog.size
    with MemoryFile(data) as memory, memory.open() as source:
        assert source.shape == grid.shape
        assert source.transform == grid.affine
        assert source.crs == CRS.from_wkt(grid.crs.to_wkt())
        assert source.dtypes == (dtype,)
        assert np.array_equal(source.nodata, nodata, equal_nan=nodata is not None)
        assert source.block_shapes == [(BLOCK, BLOCK)]
        assert source.tags()["synthetic"] == "true"
        assert source.tags()["AREA_OR_POINT"] == "Area"
        expected = ramp((0, grid.shape[0]), (0, grid.shape[1]), 1, dtype)
        assert np.array_equal(source.read(1), expected)
        factors = source.overviews(1)
    assert factors == [f for f in (2, 4, 8) if max(grid.shape) * 2 / f >= 512]
    for number, factor in enumerate(factors):
        with MemoryFile(data) as memory, memory.open(overview_level=number) as source:
            height, width = -(-grid.shape[0] // factor), -(-grid.shape[1] // factor)
            assert np.array_equal(source.read(1), ramp((0, height), (0, width), factor, dtype))
            assert np.array_equal(source.nodata, nodata, equal_nan=nodata is not None)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_range_is_the_same_bytes_as_in_the_whole_file(data):
    cog, reference = virtual(LATLON), FILE
    start = data.draw(st.integers(0, len(reference) - 1))
    stop = data.draw(st.integers(start + 1, len(reference)))
    assert b"".join(cog.pieces(start, stop)) == reference[start:stop]


FILE = whole(virtual(LATLON))


def test_small_range_makes_one_tile_and_the_header_none():
    reads = []
    cog = virtual(UTM, reads=reads)
    header = len(cog.layout.header)
    assert header == FIRST_ASK
    assert len(cog.layout.header.rstrip(b"\0")) < 16384  # What GDAL asks for first.
    list(cog.pieces(0, header))
    assert reads == []
    list(cog.pieces(cog.size - 5, cog.size))
    assert reads == [((960, 1300), (960, 1100), 1)]
    list(cog.pieces(header, header + 1))
    assert reads[1:] == [((0, 325), (0, 275), 4)]


def test_order_within_the_file_is_that_of_a_cog():
    layout = cog_layout(UTM, "uint16", 0)
    assert layout.header[8 : 8 + len(GHOST)] == GHOST
    at, places = int.from_bytes(layout.header[4:8], "little"), []
    firsts = []
    while at:
        places.append(at)
        directory = b"II*\0" + at.to_bytes(4, "little") + layout.header[8:]
        tags = read_tags(directory)
        firsts.append(int.from_bytes(tags[324].payload[:4], "little"))
        n_tags = int.from_bytes(layout.header[at : at + 2], "little")
        at = int.from_bytes(layout.header[at + 2 + 12 * n_tags :][:4], "little")
    assert places == sorted(places)
    assert places[0] == 8 + len(GHOST)
    assert firsts == sorted(firsts, reverse=True)
    assert firsts[-1] == len(layout.header)


@pytest.mark.parametrize(("shape", "kib"), [((28_320, 21_120), 48), ((40_000, 30_000), 112)])
def test_opening_a_large_file_makes_no_pixel_either(shape, kib):
    """GDAL asks for 16, 32 and 64 KiB, async-tiff for 32 and 64, until it has all directories."""
    header = cog_layout(GeoBox(shape, UTM.affine, UTM.crs), "float32", 0).header
    assert len(header) == kib * 1024
    assert kib * 256 < len(header.rstrip(b"\0")) < len(header)


def test_edge_tiles_are_filled_with_nodata():
    cog = virtual(GeoBox((10, 20), UTM.affine, UTM.crs), "int16", -7)
    tile = zlib.decompress(whole(cog)[len(cog.layout.header) :])
    pixels = np.frombuffer(tile, "<i2").reshape(BLOCK, BLOCK)
    assert np.array_equal(pixels[:10, :20], ramp((0, 10), (0, 20), 1, "int16"))
    assert (pixels[10:] == -7).all()
    assert (pixels[:, 20:] == -7).all()


def test_large_files_are_bigtiff():
    grid = GeoBox((40_000, 30_000), Affine(10, 0, 499980, 0, -10, 9e6), "EPSG:32631")
    assert cog_layout(grid, "uint8", 0).header[:4] == b"II*\0"
    cog = virtual(grid, "float32", float("nan"))
    assert cog.size > BIG_FROM
    assert cog.layout.header[:4] == b"II+\0"


@given(st.binary(min_size=1, max_size=200_000))
def test_stored_streams_are_zlib_of_known_length(data):
    stream = stored(data)
    assert zlib.decompress(stream) == data
    assert len(stream) == stored_size(len(data))


def test_stored_streams_of_several_blocks_notice_any_wrong_byte():
    data = bytes(range(256)) * 600
    stream = stored(data)
    assert zlib.decompress(stream) == data
    for at in (0, 1, 3, 2 + 5 + 70_000, len(stream) - 1):
        wrong = bytearray(stream)
        wrong[at] ^= 1
        with pytest.raises(zlib.error):
            zlib.decompress(wrong)


def test_tiles_may_be_smaller_but_only_as_tiff_allows():
    cog = VirtualCog(
        cog_layout(UTM, "uint16", 0, 80), lambda *a: ramp(*a, "uint16"), TileCache(), "key"
    )
    with MemoryFile(whole(cog)) as memory, memory.open() as source:
        assert source.block_shapes == [(80, 80)]
        assert np.array_equal(source.read(1), ramp((0, 1300), (0, 1100), 1, "uint16"))
    for block in (0, 8, 100):
        with pytest.raises(EodataError, match="multiple of 16"):
            cog_layout(UTM, "uint16", 0, block)


@pytest.mark.parametrize(
    ("grid", "dtype", "word"),
    [
        (UTM, "complex64", "complex64"),
        (UTM.rotate(10), "uint8", "north up"),
        (GeoBox((9, 9), UTM.affine, None), "uint8", "CRS"),
    ],
)
def test_what_no_archive_has_is_refused(grid, dtype, word):
    with pytest.raises(EodataError, match=word):
        cog_layout(grid, dtype, 0)


def test_tags_of_a_foreign_file_are_read():
    with MemoryFile() as memory:
        kind = {"driver": "GTiff", "count": 1, "dtype": "uint8", "BIGTIFF": "YES"}
        with memory.open(width=4, height=3, transform=UTM.affine, nodata=3, **kind):
            pass
        tags = read_tags(memory.read())
    assert tags[256].count == 1
    assert tags[42113].payload == b"3\0"
    assert np.frombuffer(tags[33550].payload).tolist() == [10, 10, 0]


@pytest.mark.parametrize("data", [b"", b"MM\0*" + bytes(60), b"II*\0\x08\0\0\0\xff"])
def test_bytes_that_are_no_tiff_are_refused(data):
    with pytest.raises(EodataError, match="little-endian"):
        read_tags(data)


@pytest.mark.parametrize("flavour", [CLASSIC, BIG])
def test_flavours_start_as_the_formats_say(flavour):
    start = flavour.start(0x1234)
    assert len(start) == flavour.header
    assert int.from_bytes(start[-flavour.room :], "little") == 0x1234


def test_cache_makes_a_tile_once_for_all_threads():
    cache, made, together = TileCache(), [], threading.Barrier(6)

    def make():
        made.append(1)
        time.sleep(0.05)
        return b"tile"

    def ask():
        together.wait()
        assert cache.get("key", make) == b"tile"

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_cache_is_bounded_and_forgets_the_longest_unused():
    cache, made = TileCache(room=30), []

    def get(key, size=10):
        return cache.get(key, lambda: made.append(key) or bytes(size))

    for key in "abcadab":
        get(key)
    assert made == list("abcdb")  # a was used again in time; d pushed b out, b then c
    get("huge", 31)
    assert cache.used == 30


def test_cache_forgets_failures():
    cache = TileCache()

    def fail():
        raise OSError("archive")

    with pytest.raises(OSError, match="archive"):
        cache.get("key", fail)
    assert cache.get("key", lambda: b"later") == b"later"
