"""A whole server, asked as users ask: pystac-client finds, GDAL reads."""

from __future__ import annotations

import json

import numpy as np
import pystac_client
import pytest
import rasterio
from rasterio.windows import Window

from eodata.core.errors import EodataError
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.serve.assembly import ArchiveServer
from tests.sandbox.serve.asking import ask

pytest_plugins = ["eodata.sandbox.pytest_plugin"]

WHERE = {"bbox": [11.0, 48.05, 11.02, 48.06], "datetime": "2018-06-01/2018-06-12"}
GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "0.05",
}


def search(server, collection="sentinel-2-l2a", modifier=None, **more):
    client = pystac_client.Client.open(server.api, modifier=modifier)
    return list(client.search(collections=[collection], **(WHERE | more)).items())


@pytest.mark.parametrize("flavour", ["sandbox", "earth-search", "cdse"])
def test_what_the_api_finds_is_what_the_archive_has(sandbox_server, sandbox_archive, flavour):
    from shapely.geometry import box

    from eodata.core.span import Span, parse_utc

    span = Span(parse_utc("2018-06-01"), parse_utc("2018-06-12T00:00:00"))
    expected = sandbox_archive.collections["sentinel-2-l2a"].find(box(*WHERE["bbox"]), span)
    found = search(sandbox_server(flavour), datetime="2018-06-01/2018-06-11T23:59:59Z")
    times = sorted(item.datetime for item in found)
    assert len(times) > 3
    assert [t.replace(microsecond=0) for t in times] == [
        i.datetime.replace(microsecond=0) for i in expected
    ]


def test_gdal_reads_the_pixels_of_the_archive(sandbox_server, sandbox_archive):
    item = search(sandbox_server())[0]
    record = sandbox_archive.collections["sentinel-2-l2a"].get(item.id)
    window = Window(4000, 5000, 40, 30)
    with rasterio.Env(**GDAL), rasterio.open(item.assets["B04"].href) as source:
        found = source.read(1, window=window)
        assert source.crs.to_epsg() == record.base.crs.epsg
        assert source.shape == record.base.shape
        assert source.transform == record.base.affine
    assert (found == sandbox_archive.read(record, "B04", (5000, 5030), (4000, 4040))).all()


def test_files_and_truth_of_a_bent_item_are_those_of_the_archive():
    settings = SandboxSettings.from_text("seed=7 shift_rate=1 bend_px=3")
    worlds = SandboxArchive(settings), SandboxArchive(SandboxSettings(seed=7))
    with ArchiveServer(settings) as server:
        item = search(server)[0]
        with rasterio.Env(**GDAL), rasterio.open(item.assets["B04"].href) as source:
            found = source.read(1, window=Window(4000, 5000, 40, 30))
        told = json.loads(ask(f"{server.url}/_sandbox/truth/sentinel-2-l2a/{item.id}")[2])
    record, still = (world.collections["sentinel-2-l2a"].get(item.id) for world in worlds)
    window = (5000, 5030), (4000, 4040)
    assert (found == worlds[0].read(record, "B04", *window)).all()
    assert (found != worlds[1].read(still, "B04", *window)).any()
    assert told["world"] == "seed=7 shift_rate=1.0 bend_px=3.0"
    assert told["defects"] == worlds[0].defects(record)
    assert told["defects"]["bend"]["reach_m"] == 30


def test_an_overview_covers_the_whole_item(sandbox_server):
    item = search(sandbox_server())[0]
    with rasterio.Env(**GDAL), rasterio.open(item.assets["SCL"].href) as source:
        small = source.read(1, out_shape=(86, 86))
    assert len(np.unique(small)) > 2


def test_signed_addresses_expire_and_unsigned_ones_are_refused(sandbox_server):
    server = sandbox_server("planetary-computer")
    href = search(server)[0].assets["B04"].href
    assert ask(href)[0] == 403
    signed = json.loads(ask(f"{server.url}/api/sas/v1/sign?href={href}")[2])["href"]
    with rasterio.Env(**GDAL), rasterio.open(signed) as source:
        assert source.read(1, window=Window(4000, 5000, 8, 8)).any()


def test_requests_are_counted_and_faults_are_overcome(sandbox_server):
    server = sandbox_server(faults="asset:503@1-2")
    href = search(server)[0].assets["B04"].href
    with rasterio.Env(**GDAL, GDAL_HTTP_RETRY_CODES="503"), rasterio.open(href) as source:
        assert source.read(1, window=Window(4000, 5000, 8, 8)).any()
    assert [r.status for r in server.log.requests if "/assets/" in r.path][:2] == [503, 503]
    status, _, told = ask(f"{server.url}/_sandbox/log")
    assert status == 200
    assert json.loads(told)


def test_a_page_that_is_wrong_on_purpose_stands_in_the_log(sandbox_server):
    server = sandbox_server(faults="duplicate@1")
    search(server)
    pages = [r.fault for r in server.log.requests if r.path.endswith("/search")]
    assert pages[0] == "duplicate"
    assert set(pages[1:]) <= {None}


def test_the_truth_of_an_item_is_told(sandbox_server):
    server = sandbox_server()
    item = search(server)[0]
    path = f"{server.url}/_sandbox/truth/sentinel-2-l2a"
    assert json.loads(ask(f"{path}/{item.id}")[2]) == {"world": "seed=1", "defects": {}}
    assert ask(f"{path}/nothing")[0] == 404


def test_an_unknown_flavour_is_refused(sandbox_server):
    with pytest.raises(EodataError) as error:
        sandbox_server("erth-search")
    assert "earth-search" in error.value.fix
