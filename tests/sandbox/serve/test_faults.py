import asyncio
import http.client
import json
import socket
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.errors import RasterioIOError

from eodata.core.errors import RecipeError
from eodata.sandbox.serve.assets import asset_path
from eodata.sandbox.serve.faults import KINDS, Ask, Faults, place_of
from eodata.sandbox.serve.injector import FaultInjector
from eodata.sandbox.serve.process import SandboxProcess
from eodata.sandbox.serve.server import SandboxServer
from tests.sandbox.serve.asking import ask, echo
from tests.sandbox.serve.ramp import ramp, ramp_app, ramp_item

ITEM = ramp_item()


# --- which request a fault meets ---------------------------------------------------------------


def met(faults, path="/search", n=20, part=""):
    """Return the kinds of faults that meet the first requests to a path, one request each."""
    place = place_of(path)
    asks = [Ask(path, part, i, {"any": i, place: i}) for i in range(1, n + 1)]
    return ["+".join(rule.fault for rule in faults.due(ask)) for ask in asks]


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("503@5-8", [5, 6, 7, 8]),
        ("503@5", [5]),
        ("503@18-", [18, 19, 20]),
        ("503@every9", [9, 18]),
        ("search:503@2", [2]),
        ("asset:503", []),
        ("503=0", []),
        ("503=1", list(range(1, 21))),
        ("503", list(range(1, 21))),
    ],
)
def test_schedules_and_places(line, numbers):
    got = met(Faults.load(line))
    assert [i + 1 for i, fault in enumerate(got) if fault == "503"] == numbers


def test_rates_are_kept_and_repeatable_and_follow_the_seed():
    faults = Faults.load("503=0.2,seed=4")
    got = met(faults, n=3000)
    assert 500 < sum(map(bool, got)) < 700
    assert got == met(Faults.load("503=0.2,seed=4"), n=3000)
    assert got != met(Faults.load("503=0.2,seed=5"), n=3000)
    assert got != met(faults, "/assets/a/b/c.tif", n=3000)
    assert got != met(faults, n=3000, part="bytes=0-9")


def test_one_fault_does_not_move_another():
    alone = met(Faults.load("503=0.2"), n=500)
    both = met(Faults.load("429=0.3,503=0.2"), n=500)
    assert ["503" in faults for faults in both] == ["503" in faults for faults in alone]


def test_missing_files_stay_missing_and_others_stay_there():
    faults = Faults.load("missing=0.3")
    paths = [f"/assets/s2/item{i}/B02.tif" for i in range(200)]
    got = [set(met(faults, path)) for path in paths]
    assert all(len(kinds) == 1 for kinds in got)
    assert 30 < got.count({"missing"}) < 90
    assert set(met(faults, "/search")) == {""}


@given(st.integers(1, 1000))
def test_page_faults_are_their_own(number):
    faults = Faults.load("duplicate@3,skip@every7,503")
    expected = "duplicate" if number == 3 else "skip" if number % 7 == 0 else None
    assert faults.page_fault(number) == expected
    assert set(met(faults, n=9)) == {"503"}


def test_only_pages_that_are_too_large_are_refused():
    faults = Faults.load("limit,skip@2")
    assert [faults.page_fault(number, True) for number in (1, 2)] == ["limit", "limit"]
    assert [faults.page_fault(number, False) for number in (1, 2)] == [None, "skip"]


def test_page_faults_by_rate():
    pages = Counter(Faults.load("duplicate=0.2,skip=0.1").page_fault(n) for n in range(2000))
    assert 300 < pages["duplicate"] < 500
    assert 100 < pages["skip"] < 230


def test_line_and_file_say_the_same(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text(
        "seed: 7\njitter: 0.1\nretry_after: 3\nrules:\n"
        "  - {fault: 429, rate: 0.1, where: asset}\n"
        "  - {fault: reset, requests: 5-8}\n"
        "  - {fault: 500, requests: 5}\n"
        "  - {fault: latency, amount: 0.2, every: 10}\n"
    )
    line = "asset:429=0.1, reset@5-8, 500@5,latency=0.2@every10,jitter=0.1,seed=7,retry-after=3"
    assert Faults.load(str(path)) == Faults.load(line)
    assert Faults.load("") == Faults()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("resett=0.1", 'Did you mean "reset"'),
        ("429=2", "less than or equal to 1"),
        ("latency", "needs an amount"),
        ("429@x", "name=rate"),
        ("moon:429", "moon"),
        ("429=a", "number"),
        ("429@every0", "every"),
    ],
)
def test_wrong_faults_are_refused_with_a_hint(line, words):
    with pytest.raises(RecipeError, match=words):
        Faults.load(line)


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        Faults.load(str(tmp_path / "none.yaml"))
    path = tmp_path / "faults.yml"
    path.write_text("rules:\n  - {fault: 429, amount: 3}")
    with pytest.raises(RecipeError, match="has no amount"):
        Faults.load(str(path))
    path.write_text("rules:\n  - {fault: 429, rat: 3}")
    with pytest.raises(RecipeError, match='Did you mean "rate"'):
        Faults.load(str(path))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/assets/s2/one/B02.tif", "asset"),
        ("/v1/search", "search"),
        ("/collections/s2/items", "search"),
        ("/sas/token/s2", "sign"),
        ("/sas/sign", "sign"),
        ("/collections", "other"),
        ("/", "other"),
    ],
)
def test_places(path, place):
    assert place_of(path) == place


# --- what a fault does, over real sockets ------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    with SandboxServer(echo) as server:
        yield server


def under(server, line, path="/search", **more):
    """Have these faults alone, ask once, and check that the log names the fault."""
    server.inject(Faults.load(line))
    server.log.clear()
    return ask(server.url + path, **more)


def only_fault(server):
    (served,) = server.log.requests
    return served.fault


@pytest.mark.parametrize(
    ("kind", "status", "path"),
    [
        ("429", 429, "/search"),
        ("500", 500, "/search"),
        ("502", 502, "/search"),
        ("503", 503, "/search"),
        ("missing", 404, "/assets/a/b/c.tif"),
        ("expired", 403, "/assets/a/b/c.tif"),
    ],
)
def test_refusals(server, kind, status, path):
    got, _, body = under(server, f"{kind}@1", path)
    assert (got, only_fault(server)) == (status, kind)
    assert set(json.loads(body)) == {"code", "description"}
    assert ask(server.url + path)[0] == 200
    assert server.log.requests[1].fault is None


def test_retry_after_in_seconds_as_a_date_and_not_at_all(server):
    assert under(server, "429,retry-after=7")[1]["retry-after"] == "7"
    assert "retry-after" not in under(server, "429-bare")[1]
    now = datetime.now(UTC)
    then = parsedate_to_datetime(under(server, "429-date,retry-after=7")[1]["retry-after"])
    assert timedelta(seconds=7) <= then - now < timedelta(seconds=9)
    assert only_fault(server) == "429-date"


def test_latency_and_jitter(server):
    seconds = []
    under(server, "latency=0.05,jitter=0.1")
    for _ in range(5):
        began = time.perf_counter()
        assert ask(server.url)[0] == 200
        seconds.append(time.perf_counter() - began)
    assert min(seconds) >= 0.05
    assert max(seconds) - min(seconds) > 0.01
    assert {served.fault for served in server.log.requests} == {"latency"}


def test_bandwidth_is_shared_by_the_connections_of_a_client(server):
    server.inject(Faults.load("bandwidth=20e3"))
    began = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(server.url,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.perf_counter() - began > 0.4  # Twice 4 kB and a little.
    assert json.loads(ask(server.url)[2])["path"] == "/"


def test_reset_is_a_reset(server):
    with pytest.raises(ConnectionResetError):
        under(server, "reset@1")
    assert only_fault(server) == "reset"
    assert server.log.requests[0].status == 0
    assert ask(server.url)[0] == 200


def test_hang_ends_with_the_clients_patience_or_the_servers(server):
    server.inject(Faults.load("hang@1-2,patience=0.3"))
    began = time.perf_counter()
    with socket.create_connection(server.url[7:].split(":")) as client:
        client.settimeout(0.1)
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            client.recv(1)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server.url)
    assert 0.3 < time.perf_counter() - began < 5
    assert ask(server.url)[0] == 200


def test_truncated_body(server, caplog):
    with pytest.raises(http.client.IncompleteRead) as caught:
        under(server, "truncate@1")
    (served,) = server.log.requests
    assert (served.status, served.fault) == (200, "truncate")
    assert 0 < served.bytes == len(caught.value.partial) < 4000
    assert caught.value.partial == ask(server.url + "/search")[2][: served.bytes]
    assert caplog.text == ""


def test_corrupt_body_has_one_wrong_byte_and_is_no_json(server):
    right = under(server, "")[2]
    wrong = under(server, "corrupt@1")[2]
    assert only_fault(server) == "corrupt"
    assert sum(a != b for a, b in zip(right, wrong, strict=True)) == 1
    with pytest.raises(ValueError, match=r"control character|Expecting"):
        json.loads(wrong)


def test_faults_of_bodies_leave_answers_without_body_alone(server):
    for line in ("truncate", "corrupt"):
        assert under(server, line, method="HEAD")[0] == 200
        assert only_fault(server) is None


def test_expired_token_stays_refused_until_signed_again(server):
    url = server.url + "/assets/a/b/c.tif"
    server.inject(Faults.load("expired@2"))
    assert [ask(url + "?sig=1")[0] for _ in range(4)] == [200, 403, 403, 403]
    assert ask(server.url + "/assets/a/b/d.tif?sig=1")[0] == 403
    assert [ask(url + "?sig=2")[0] for _ in range(2)] == [200, 200]
    assert ask(server.url + "/search?sig=1")[0] == 200


def test_concurrency_cap_counts_what_is_under_way():
    release, entered = threading.Event(), threading.Semaphore(0)

    async def slow(scope, receive, send):
        assert scope["type"] == "http"
        entered.release()
        await asyncio.to_thread(release.wait, 5)
        await echo(scope, receive, send)

    with SandboxServer(slow, faults=Faults.load("concurrency=2,retry-after=3")) as server:
        got = []
        threads = [
            threading.Thread(target=lambda: got.append(ask(server.url)[0])) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
            assert entered.acquire(timeout=5)
        status, headers, _ = ask(server.url)
        assert (status, headers["retry-after"]) == (429, "3")
        release.set()
        for thread in threads:
            thread.join()
        assert got == [200, 200]
        assert [ask(server.url)[0] for _ in range(20)] == [200] * 20
        assert server.log.counts()["faults"] == {"concurrency": 1}


def test_who_has_an_answer_may_ask_again_at_once():
    async def lingering(scope, receive, send):
        await echo(scope, receive, send)
        await asyncio.Event().wait()

    async def call():
        statuses = []

        async def send(message):
            statuses.extend([message["status"]] if "status" in message else [])

        injector = FaultInjector(lingering, Faults.load("concurrency=1"))
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        tasks = []
        for _ in range(3):
            tasks.append(asyncio.ensure_future(injector(dict(scope), None, send)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return statuses

    assert asyncio.run(call()) == [200, 200, 200]


def test_reruns_are_alike(server):
    runs = []
    for _ in range(2):
        server.inject(Faults.load("429=0.3,500=0.3,seed=3"))
        runs.append([ask(f"{server.url}/search/{i % 3}")[0] for i in range(30)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 429, 500}


def test_paths_of_the_sandbox_itself_are_left_alone(server):
    under(server, "503")
    assert ask(server.url + "/_sandbox/log")[0] == 200
    assert ask(server.url + "/_sandbox/truth")[0] == 200
    assert len(server.log.requests) == 1


def test_faults_are_shown_and_changed_over_http(server):
    url = server.url + "/_sandbox/faults"
    under(server, "503@1,seed=5")
    assert Faults.parse(json.loads(ask(url)[2]), "answer") == server.faults
    wanted = Faults.load("429-bare=0.5,retry-after=9")
    assert ask(url, "PUT", wanted.model_dump_json().encode())[0] == 200
    assert server.faults == wanted
    status, _, body = ask(url, "PUT", b'{"rules": [{"fault": "429", "rat": 1}]}')
    assert status == 400
    assert 'Did you mean \\"rate\\"' in body.decode()
    assert ask(url, "PUT", b"{")[0] == 400
    assert ask(url, "POST", b"{}")[0] == 405
    assert server.faults == wanted


def test_in_process_clients_see_a_reset_too():
    async def call():
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        await FaultInjector(echo, Faults.load("reset"))(scope, None, None)

    with pytest.raises(ConnectionResetError):
        asyncio.run(call())


def test_every_kind_of_fault_is_tested_here():
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'"{kind}' not in text and f",{kind}" not in text] == []


# --- what GDAL makes of it ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def files():
    with SandboxProcess(ramp_app) as server:
        yield server


def gdal_window(server, line, **options):
    server.inject(Faults.load(line))
    server.log.clear()
    rows, cols = (500, 560), (510, 600)
    options = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "CPL_VSIL_CURL_NON_CACHED": f"/vsicurl/{server.url}",
        "GDAL_HTTP_TIMEOUT": "5",
        **options,
    }
    url = f"/vsicurl/{server.url}{asset_path(ITEM, 'B02')}"
    with rasterio.Env(**options), rasterio.open(url) as source:
        got = source.read(1, window=(rows, cols))
    return np.array_equal(got, ramp(rows, cols, 1, "uint16"))


RETRY = {"GDAL_HTTP_MAX_RETRY": "3", "GDAL_HTTP_RETRY_DELAY": "0.02"}


@pytest.mark.parametrize("line", ["corrupt", "truncate"])
def test_gdal_notices_what_is_wrong_with_pixels(files, line):
    with pytest.raises(RasterioIOError):
        gdal_window(files, line)
    assert line in files.log.counts()["faults"]
    assert gdal_window(files, "")


def test_gdal_never_takes_a_wrong_byte_for_a_pixel(files):
    outcomes = []
    for seed in range(25):
        try:
            outcomes.append(gdal_window(files, f"corrupt,seed={seed}"))
        except RasterioIOError:
            outcomes.append("error")
    # GDAL asks for a little more than a tile: the wrong byte may lie where it does not look.
    assert set(outcomes) <= {"error", True}
    assert outcomes.count("error") > 20


@pytest.mark.parametrize("kind", ["429", "429-date", "429-bare", "500", "502", "503", "reset"])
def test_gdal_gets_there_in_the_end(files, kind):
    assert gdal_window(files, f"{kind}@1-3,retry-after=0", **RETRY)
    assert files.log.counts()["faults"] == {kind: 3}


@pytest.mark.parametrize("kind", ["missing", "expired", "503"])
def test_gdal_fails_on_what_stays(files, kind):
    with pytest.raises(RasterioIOError):
        gdal_window(files, kind)


def test_wrong_bytes_of_headers_are_not_made(files):
    # A TIFF header has no checksum: a wrong byte there could move the file on the ground.
    files.inject(Faults.load(""))
    url = files.url + asset_path(ITEM, "B02")
    right = ask(url)[2]
    for seed in range(5):
        files.inject(Faults.load(f"corrupt,seed={seed}"))
        assert ask(url, Range="bytes=0-899")[2] == right[:900]
        wrong = ask(url)[2]
        assert wrong != right
        assert wrong[:900] == right[:900]
