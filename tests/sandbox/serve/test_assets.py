import http.client
import threading
import time
import urllib.request
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.windows import Window

from eodata.sandbox.serve.assets import MEDIA_TYPE, Assets, asset_path, cog_size
from eodata.sandbox.serve.process import SandboxProcess
from eodata.sandbox.serve.server import SandboxServer
from tests.sandbox.serve import asking
from tests.sandbox.serve.ramp import RampArchive, ramp, ramp_app, ramp_item

ITEM = ramp_item()
GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_MAX_RETRY": "0"}


@pytest.fixture(scope="module")
def world():
    with SandboxProcess(ramp_app) as server:
        yield server


@pytest.fixture
def near():
    """A server whose archive tells what it was asked."""
    archive = RampArchive()
    assets = Assets(archive)
    with SandboxServer(assets) as server:
        yield SimpleNamespace(url=server.url, archive=archive)
    assets.close()


def ask(world, key="B02", method="GET", path=None, **headers):
    return asking.ask(world.url + (path or asset_path(ITEM, key)), method, None, **headers)


def remote(world, key, item=ITEM):
    return f"/vsicurl/{world.url}{asset_path(item, key)}"


@pytest.mark.parametrize("key", ["B02", "B11", "vv", "SCL", "z"])
def test_gdal_reads_windows_and_overviews_by_ranges(world, key):
    with rasterio.Env(**GDAL):
        with rasterio.open(remote(world, key)) as source:
            window = Window(430, 400, 120, 190)
            expected = ramp((400, 590), (430, 550), 1, source.dtypes[0])
            assert np.array_equal(source.read(1, window=window), expected)
            assert source.crs.to_epsg() == 32631
            assert source.transform == ITEM.grid(key).affine
        with rasterio.open(remote(world, key), overview_level=0) as source:
            height, width = ITEM.grid(key, 2).shape
            expected = ramp((0, height), (0, width), 2, source.dtypes[0])
            assert np.array_equal(source.read(1), expected)


def test_gdal_asks_for_no_more_than_it_needs(world):
    world.log.clear()
    fresh = {"CPL_VSIL_CURL_NON_CACHED": f"/vsicurl/{world.url}"}
    with rasterio.Env(**GDAL, **fresh), rasterio.open(remote(world, "SCL")) as source:
        source.read(1, window=Window(0, 0, 16, 16))
    asked = [(served.method, served.status) for served in world.log.requests]
    assert asked == [("HEAD", 200), ("GET", 206), ("GET", 206)]
    assert world.log.counts()["bytes"] < 16384 + 480 * 480 + 2 * 16384


def test_bigtiff_is_read_at_its_far_end(world):
    big = ramp_item("big", 40_000)
    assert cog_size(big, "vv") > 2**32
    with rasterio.Env(**GDAL), rasterio.open(remote(world, "vv", big)) as source:
        rows, cols = (39_990, 40_000), (39_880, 39_900)
        assert np.array_equal(source.read(1, window=(rows, cols)), ramp(rows, cols, 1, "float32"))


def test_whole_file_opens_and_has_the_announced_size(world):
    status, headers, body = ask(world, "vv")
    assert status == 200
    assert headers["content-type"] == MEDIA_TYPE
    assert int(headers["content-length"]) == len(body) == cog_size(ITEM, "vv")
    with MemoryFile(body) as memory, memory.open() as source:
        assert np.array_equal(source.read(1), ramp((0, 1300), (0, 1200), 1, "float32"))


def test_ranges_are_parts_of_the_whole(world):
    _, headers, body = ask(world)
    size, etag = len(body), headers["etag"]
    for text, start, stop in [
        ("bytes=0-0", 0, 1),
        ("bytes=100-600000", 100, 600_001),
        (f"bytes={size - 10}-", size - 10, size),
        ("bytes=-10", size - 10, size),
        (f"bytes=0-{size + 5}", 0, size),
    ]:
        status, headers, part = ask(world, Range=text)
        assert (status, part) == (206, body[start:stop])
        assert headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert headers["etag"] == etag


def test_tiles_are_cells_of_the_archive(near):
    for key, block in (("B02", 480), ("B11", 240)):
        near.archive.reads.clear()
        ask(near, key, Range="bytes=-9")
        ((_, _, rows, cols, _),) = near.archive.reads
        assert (rows[0] % block, cols[0] % block) == (0, 0)
        height, width = ITEM.grid(key).shape
        assert (rows, cols) == ((height - height % block, height), (width - width % block, width))


@pytest.mark.parametrize("text", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "items=0-1", "bytes=x-"])
def test_ranges_that_mean_nothing_or_too_much_are_ignored(world, text):
    status, _, body = ask(world, "SCL", Range=text)
    assert status == 200
    assert len(body) == cog_size(ITEM, "SCL")


@pytest.mark.parametrize("text", ["bytes=99999999999-", "bytes=-0"])
def test_ranges_behind_the_end_are_refused(world, text):
    status, headers, _ = ask(world, Range=text)
    assert status == 416
    assert headers["content-range"] == f"bytes */{cog_size(ITEM, 'B02')}"


def test_head_says_what_get_would_and_makes_no_pixel(near):
    status, headers, body = ask(near, "z", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == cog_size(ITEM, "z")
    assert headers["accept-ranges"] == "bytes"
    assert near.archive.reads == []


def test_conditions_on_the_etag(world):
    etag = ask(world, method="HEAD")[1]["etag"]
    assert etag != ask(world, "B11", "HEAD")[1]["etag"]
    assert ask(world, If_None_Match=f'"other", W/{etag}')[0] == 304
    assert ask(world, If_None_Match='"other"', Range="bytes=0-9")[0] == 206
    assert ask(world, If_Range=etag, Range="bytes=0-9")[0] == 206
    assert ask(world, If_Range='"other"', Range="bytes=0-9")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none/one/B02.tif",
        "/assets/ramp/none/B02.tif",
        "/assets/ramp/one/none.tif",
        "/assets/ramp/one/B02.tif.aux.xml",
        "/assets/ramp/one/",
        "/",
    ],
)
def test_what_is_not_there_is_not_found(world, path):
    status, headers, body = ask(world, path=path)
    assert status == 404
    assert headers["content-type"] == "application/json"
    assert path.encode() in body


def test_files_are_read_only(world):
    status, headers, _ = ask(world, method="DELETE")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_signed_urls_are_checked():
    def admit(path, query):
        return None if query == "sig=good" else f"no entry to {path}"

    with SandboxServer(Assets(RampArchive(), admit=admit)) as server:
        world = SimpleNamespace(url=server.url)
        path = asset_path(ITEM, "B02")
        assert ask(world, path=f"{path}?sig=good", Range="bytes=0-1")[0] == 206
        status, _, body = ask(world, path=path)
        assert status == 403
        assert b"no entry to /assets/ramp/one/B02.tif" in body


def test_gdal_threads_get_right_pixels(world):
    item, wrong = ramp_item("big", 40_000), []

    def read(number):
        with rasterio.open(remote(world, "B02", item)) as source:
            for row in range(3):
                rows, cols = (480 * row, 480 * row + 60), (7 * number, 7 * number + 60)
                got = source.read(1, window=(rows, cols))
                wrong.extend([1] * (not np.array_equal(got, ramp(rows, cols, 1, "uint16"))))

    with rasterio.Env(**GDAL):
        in_threads(read, 8)
    assert wrong == []


def test_tiles_are_made_once_for_all_threads(near):
    whole, got = ask(near)[2], []
    near.archive.reads.clear()

    def read(number):
        got.append(ask(near, "vv", Range=f"bytes=0-{900_000 * (number + 1)}")[2])

    in_threads(read, 6)
    assert len(near.archive.reads) == len(set(near.archive.reads)) > 3
    assert len(set(got)) == 6
    longest = max(got, key=len)
    assert all(longest.startswith(body) for body in got)
    assert ask(near)[2] == whole


def in_threads(call, n_threads):
    threads = [threading.Thread(target=call, args=(number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class SlowArchive(RampArchive):
    seconds = 0.1

    def read(self, item, key, rows, cols, factor=1):
        time.sleep(self.seconds)
        return super().read(item, key, rows, cols, factor)


def test_slow_pixels_do_not_hold_up_other_requests():
    archive = SlowArchive()
    archive.seconds = 0.8
    assets = Assets(archive, threads=2)
    with SandboxServer(assets) as server:
        world = SimpleNamespace(url=server.url)
        slow = threading.Thread(target=ask, args=(world,), kwargs={"Range": "bytes=-9"})
        slow.start()
        time.sleep(0.05)
        began = time.perf_counter()
        assert ask(world, path="/assets/none")[0] == 404
        assert time.perf_counter() - began < 0.5
        slow.join()
    assets.close()


def test_no_tile_is_made_for_a_client_that_has_gone():
    archive = SlowArchive()
    assets = Assets(archive)
    with SandboxServer(assets) as server:
        url = server.url + asset_path(ITEM, "B02")
        with urllib.request.urlopen(url) as answer:  # noqa: S310 (ours)
            answer.read(10)
        time.sleep(0.25)
        n_made = len(archive.reads)
        time.sleep(0.25)
        assert len(archive.reads) == n_made < 9
    assets.close()


class BrokenArchive(RampArchive):
    def read(self, item, key, rows, cols, factor=1):
        raise OSError("no pixels today")


def test_failure_to_make_pixels_is_a_server_error(caplog):
    with SandboxServer(Assets(BrokenArchive())) as server:
        world = SimpleNamespace(url=server.url)
        assert ask(world, Range="bytes=40000-40001")[0] == 500
        with pytest.raises(http.client.IncompleteRead):
            ask(world)  # The header went out before anything could be known.
    assert "no pixels today" in caplog.text
