"""Requests that are refused on purpose, and the quota: what is refused, when, in which words."""

from __future__ import annotations

import asyncio
import json

import ee
import pytest
from google.auth.exceptions import GoogleAuthError

from eodata.core.errors import RecipeError
from eodata.sandbox.earthengine.app import Quota
from eodata.sandbox.earthengine.faults import REFUSALS, Disturbances, Refusing, place_of
from tests.sandbox.earthengine.engine import JUNE, connected, grid

pytest_plugins = ["eodata.sandbox.pytest_plugin"]
ASSETS = "/v1/projects/earthengine-public/assets/"
PIXELS = f"{ASSETS}COPERNICUS/S2/a:getPixels"
QUESTION = {"parent": "COPERNICUS/S2", **JUNE, "pageSize": 2}


def scope(path=PIXELS, method="POST"):
    return {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }


class Echo:
    """An application that answers with the body that it was sent."""

    async def __call__(self, scope, receive, send):
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


def ask(app, path=PIXELS, body=b"{}"):
    """Return status, headers and body of an answer."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope(path), receive, send))
    headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


def statuses(text, paths, body=b"{}"):
    app = Refusing(Echo(), Disturbances.load(text))
    return [ask(app, path, body)[0] for path in paths]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/$discovery/rest", "start"),
        ("/v1/projects/p/algorithms", "start"),
        (f"{ASSETS}COPERNICUS/S2:listAssets", "list"),
        (f"{ASSETS}COPERNICUS/S2/a", "get"),
        (PIXELS, "pixels"),
        ("/v1/projects/p/image:computePixels", "compute"),
        ("/v1/projects/p/value:compute", "compute"),
    ],
)
def test_requests_are_told_apart(path, place):
    assert place_of(scope(path)) == place


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_has_its_status_and_googles_form(name):
    app = Refusing(Echo(), Disturbances.load(name))
    status, headers, body = ask(app)
    error = json.loads(body)["error"]
    assert (status, error["message"]) == REFUSALS[name]
    assert error["code"] == status
    assert error["status"].isupper()
    assert ("retry-after" in headers) == (name == "429")


def test_what_is_not_refused_arrives_whole():
    app = Refusing(Echo(), Disturbances.load("memory@2"))
    assert [ask(app, body=b"[1]")[::2] for _ in range(3)] == [
        (200, b"[1]"),
        (400, ask(Refusing(Echo(), Disturbances.load("memory")))[2]),
        (200, b"[1]"),
    ]


def test_places_count_their_own_requests():
    listing, image = f"{ASSETS}COPERNICUS/S2:listAssets", f"{ASSETS}COPERNICUS/S2/a"
    paths = [listing, PIXELS, image, PIXELS, listing, PIXELS]
    assert statuses("pixels:503@2", paths) == [200, 200, 200, 503, 200, 200]
    assert statuses("429@every3", paths) == [200, 200, 429, 200, 200, 429]


def test_start_up_is_never_refused():
    assert statuses("401", ["/$discovery/rest", "/v1/projects/p/algorithms", PIXELS]) == [
        200,
        200,
        401,
    ]


def test_rates_are_drawn_by_question_and_attempt_and_again_the_same():
    bodies = [json.dumps({"n": n}).encode() for n in range(200)]

    def run(text):
        app = Refusing(Echo(), Disturbances.load(text))
        return [ask(app, body=body)[0] for body in bodies]

    first = run("429=0.25,503=0.25,seed=3")
    assert first == run("429=0.25,503=0.25,seed=3")
    assert first != run("429=0.25,503=0.25,seed=4")
    assert 30 < first.count(429) < 70
    assert 20 < first.count(503) < 60
    app = Refusing(Echo(), Disturbances.load("429=0.5"))
    assert {ask(app, body=bodies[0])[0] for _ in range(20)} == {200, 429}


def test_faults_of_the_connection_are_the_servers():
    wanted = Disturbances.load("429=0.1,latency=0.2,jitter=0.1,reset@5,seed=9,retry_after=4")
    assert [rule.fault for rule in wanted.connection.rules] == ["latency", "reset"]
    assert (wanted.connection.seed, wanted.connection.retry_after) == (9, 4)
    assert [refusal.name for refusal in wanted.refusals] == ["429"]
    assert ask(Refusing(Echo(), Disturbances.load("429,retry_after=4")))[1]["retry-after"] == "4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memry=0.1", "no fault"),
        ("duplicate=0.1", "Earth Engine has no fault"),
        ("concurrency=4", "Earth Engine has no fault"),
        ("search:429", 'no requests "search"'),
        ("429=2", "less than or equal to 1"),
    ],
)
def test_what_is_no_fault_is_refused(text, message):
    with pytest.raises(RecipeError, match=message):
        Disturbances.load(text)


def test_requests_beyond_the_quota_are_refused_until_one_is_answered():
    async def run():
        inside, leave = asyncio.Event(), asyncio.Event()

        async def slow(scope, receive, send):
            inside.set()
            await leave.wait()
            await Echo()(scope, receive, send)

        async def call(path=PIXELS):
            sent = []

            async def receive():
                return {"type": "http.request", "body": b"{}"}

            async def send(message):
                sent.append(message)

            await app(scope(path), receive, send)
            return sent[0]["status"]

        app = Quota(slow, 1)
        first = asyncio.ensure_future(call())
        await inside.wait()
        refused = await call("/v1/projects/p/value:compute")
        listing = asyncio.ensure_future(call(f"{ASSETS}COPERNICUS/S2:listAssets"))
        leave.set()
        return refused, await first, await listing, await call()

    assert asyncio.run(run()) == (429, 200, 200, 200)


def test_the_client_overcomes_what_waiting_mends(earthengine_server):
    server = earthengine_server(faults="list:429-bare@1")
    with connected(server.url, retries=1):
        assert len(ee.data.listImages(QUESTION)["images"]) == 2
    asked = server.log.select(":listAssets")
    assert [(request.status, request.fault) for request in asked] == [
        (429, "429-bare"),
        (200, None),
    ]


def test_the_client_reports_the_rest(earthengine_server):
    server = earthengine_server(faults="pixels:memory@1,pixels:403@2", quota=0)
    asked = {
        "assetId": "COPERNICUS/S2/20180618T101026_20180618T101728_T32UPU",
        "bandIds": ["B4"],
        "grid": grid(690_000, 5_330_000, 8),
        "fileFormat": "NPY",
    }
    with connected(server.url):
        for message in ("User memory limit exceeded.", "does not have permission", "Too Many"):
            with pytest.raises(ee.EEException, match=message) as refused:
                ee.data.getPixels(asked)
        assert refused.value.__context__.resp.status == 429


def test_credentials_that_are_refused_end_in_an_error_of_google_auth(earthengine_server):
    with (
        connected(earthengine_server(faults="401").url),
        pytest.raises(GoogleAuthError, match="cannot be refreshed"),
    ):
        ee.data.getAsset("COPERNICUS/S2")
