"""Searching STAC APIs: those that behave, those that do not, and what a real one answered."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import MultiPolygon, box
from urllib3.util import Retry

from eodata.core.endpoint import Endpoint
from eodata.core.errors import AuthError, NoItemsError, ProviderError, QuotaError
from eodata.core.protocols import Query
from eodata.core.span import Span, parse_utc
from eodata.core.where import Where
from eodata.providers.stac_item import item_of
from eodata.providers.stac_search import MOST_PASSES, RETRIES, StacSearch
from tests.providers.remote.file_server import Answer, FileServer, Seen

pytest_plugins = ["eodata.sandbox.pytest_plugin"]

JSON = dict[str, Any]
ANSWERS = Path(__file__).parents[1] / "data/stac/answers"
AT_ONCE = RETRIES.new(total=2, backoff_factor=0, backoff_jitter=0)
"""Three attempts, without waiting."""
GROUND = box(4, 50, 5, 51)
QUERY = Query("things", GROUND, None)
CONFORMS = [
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
]


@dataclass
class Api:
    """A STAC API of things, `t0` to `t(n - 1)`, that counts them or not.

    Attributes:
        number: How many items there are.
        counts: How it says how many match: by name of the field, `""` for not at all.
        claimed: What it counts, when that is not the truth.
        spoil: What becomes of a page: from the number of the pass and the ids to ids.
    """

    number: int = 10
    counts: str = "numberMatched"
    claimed: int | None = None
    conforms: list[str] | None = field(default_factory=lambda: CONFORMS)
    spoil: Callable[[int, list[str]], list[str]] = lambda _, ids: ids
    passes: int = 0
    url: str = ""

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/v1/search":
            return answer(self._page(json.loads(seen.body)))
        if seen.path == "/v1/collections":
            return answer({"collections": [{"id": "things"}, {"id": "others"}], "links": []})
        landing: JSON = {"type": "Catalog", "stac_version": "1.0.0", "id": "api", "links": []}
        return answer(landing | ({} if self.conforms is None else {"conformsTo": self.conforms}))

    def _page(self, body: JSON) -> JSON:
        start, limit = body.get("token", 0), body["limit"]
        self.passes += start == 0
        ids = self.spoil(self.passes, [f"t{n}" for n in range(start, start + limit)])
        links = [{"rel": "self", "href": "x"}]
        if start + limit < self.number:
            more = {"method": "POST", "body": body | {"token": start + limit}}
            links.append({"rel": "next", "href": f"{self.url}/search", **more})
        page = {"features": [{"id": i} for i in ids if int(i[1:]) < self.number], "links": links}
        count = self.number if self.claimed is None else self.claimed
        told = {
            "numberMatched": {"numberMatched": count},
            "context": {"context": {"matched": count}},
        }
        return {"type": "FeatureCollection"} | told.get(self.counts, {}) | page


def answer(told: object, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(told).encode())


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer().running() as server:
        yield server


def searching(server: FileServer, api: Callable[[Seen], Answer], page: int = 4) -> StacSearch:
    server.always = api
    if isinstance(api, Api):
        api.url = f"{server.url}/v1"
    endpoint = Endpoint(name="test", title="Test", url=f"{server.url}/v1", page=page, patience=5)
    return StacSearch(endpoint, AT_ONCE)


def found(search: StacSearch, query: Query = QUERY) -> list[str]:
    return sorted(item["id"] for item in search.items(query))


def bodies(server: FileServer) -> list[JSON]:
    return [json.loads(seen.body) for seen in server.seen if seen.path == "/v1/search"]


def all_of(number: int) -> list[str]:
    return sorted(f"t{n}" for n in range(number))


def failure(search: StacSearch, query: Query = QUERY) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        search.items(query)
    return caught.value


@pytest.mark.parametrize("counts", ["numberMatched", "context"])
def test_counted_pages_then_one_pass(server: FileServer, counts: str) -> None:
    assert found(searching(server, Api(counts=counts))) == all_of(10)
    assert len(bodies(server)) == 3
    assert bodies(server)[0] == {"collections": ["things"], "bbox": [4, 50, 5, 51], "limit": 4}


def test_pages_without_count_then_a_second_pass_with_other_pages(server: FileServer) -> None:
    assert found(searching(server, Api(counts=""))) == all_of(10)
    assert [body["limit"] for body in bodies(server)] == [4, 4, 4, 3, 3, 3, 3]


def test_one_page_without_count_then_believed(server: FileServer) -> None:
    assert found(searching(server, Api(number=3, counts=""))) == all_of(3)
    assert len(bodies(server)) == 1


@pytest.mark.parametrize("counts", ["numberMatched", ""])
def test_items_that_come_twice_then_each_once(server: FileServer, counts: str) -> None:
    api = Api(counts=counts, spoil=lambda _, ids: [f"t{max(int(ids[0][1:]) - 1, 0)}", *ids])
    assert found(searching(server, api)) == all_of(10)


@pytest.mark.parametrize("counts", ["numberMatched", ""])
def test_item_that_falls_between_pages_then_found_by_the_next_pass(
    server: FileServer, counts: str
) -> None:
    api = Api(counts=counts, spoil=lambda n, ids: [i for i in ids if i != "t4" or n > 1])
    assert found(searching(server, api)) == all_of(10)


def test_item_lost_in_two_passes_then_the_count_makes_us_ask_on(server: FileServer) -> None:
    api = Api(spoil=lambda n, ids: [i for i in ids if i != "t4" or n > 3])
    assert found(searching(server, api)) == all_of(10)
    assert api.passes == 4


def test_count_of_more_than_there_is_then_a_warning_and_what_there_is(
    server: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    api = Api(claimed=11)
    assert found(searching(server, api)) == all_of(10)
    assert api.passes == MOST_PASSES
    (record,) = caplog.records
    assert "counts 11 items of things, and gave 10" in record.getMessage()


def test_count_that_is_cut_off_then_all_are_found(server: FileServer) -> None:
    api = Api(claimed=5)
    assert found(searching(server, api)) == all_of(10)
    assert api.passes == 2


def test_other_items_in_each_pass_then_an_error(server: FileServer) -> None:
    api = Api(counts="", spoil=lambda n, ids: [i for i in ids if int(i[1:]) % 6 == n])
    error = failure(searching(server, api, page=5))
    assert "different items" in error.found
    assert (error.retryable, api.passes) == (True, MOST_PASSES)


def test_empty_page_in_the_middle_then_the_pages_after_it_are_read(server: FileServer) -> None:
    api = Api(counts="", spoil=lambda _, ids: [] if "t4" in ids else ids)
    assert {"t0", "t9"} <= set(found(searching(server, api)))


def test_pages_in_a_circle_then_an_error(server: FileServer) -> None:
    link = {"rel": "next", "href": f"{server.url}/v1/search", "method": "POST", "body": {}}
    page = {"features": [{"id": "a"}], "links": [link]}
    landing = {"stac_version": "1.0.0"}
    search = searching(server, lambda s: answer(page if s.path == "/v1/search" else landing))
    assert "circle" in failure(search).because


def test_next_page_by_get_then_read(server: FileServer) -> None:
    link = {"rel": "next", "href": f"{server.url}/v1/more?token=2"}
    pages = {
        "/v1/search": {"features": [{"id": "a"}], "links": [link]},
        "/v1/more": {"features": [{"id": "b"}], "links": []},
        "/v1": {"stac_version": "1.0.0"},
    }
    assert found(searching(server, lambda seen: answer(pages[seen.path]))) == ["a", "b"]


def test_links_of_the_landing_page_then_followed(server: FileServer) -> None:
    links = [{"rel": "search", "href": f"{server.url}/find"}, {"rel": "data", "href": "./kinds"}]
    pages = {
        "/find": {"features": []},
        "/v1/kinds": {"collections": [{"id": "things"}]},
        "/v1": {"stac_version": "1.0.0", "links": links},
    }
    assert found(searching(server, lambda seen: answer(pages[seen.path]))) == []
    assert [seen.path for seen in server.seen] == ["/v1", "/find", "/v1/kinds"]


def test_nothing_there_then_nothing(server: FileServer) -> None:
    assert found(searching(server, Api(number=0))) == []


def test_no_such_collection_then_the_nearest_is_named(server: FileServer) -> None:
    search = searching(server, Api(number=0))
    error = failure(search, Query("thing", GROUND, None))
    assert isinstance(error, NoItemsError)
    assert (error.exit_code, error.retryable) == (6, False)
    assert 'Did you mean "things"?' in error.fix
    assert search.collections() == ["others", "things"]


def test_span_then_a_closed_interval(server: FileServer) -> None:
    span = Span(parse_utc("2022-06-01"), parse_utc("2022-06-20T12:00:00"))
    search = searching(server, Api())
    found(search, Query("things", GROUND, span))
    assert bodies(server)[0]["datetime"] == "2022-06-01T00:00:00Z/2022-06-20T12:00:00Z"


@pytest.mark.parametrize(
    ("conforms", "sent"),
    [
        (CONFORMS, True),
        ([uri.replace("v1.0.0", "v1.0.0-rc.2") for uri in CONFORMS], True),
        (CONFORMS[:2], False),
        ([CONFORMS[0], CONFORMS[2]], False),
        ([], False),
        (None, False),
    ],
)
def test_condition_then_sent_to_those_who_understand(
    server: FileServer, conforms: list[str] | None, sent: bool
) -> None:
    where = Where.parse({"eo:cloud_cover": {"max": 40}, "platform": "sentinel-2a"})
    search = searching(server, Api(conforms=conforms))
    found(search, Query("things", GROUND, None, where))
    filters = {"filter": where.to_cql2(), "filter-lang": "cql2-json"} if sent else {}
    told = {key: value for key, value in bodies(server)[0].items() if "filter" in key}
    assert told == filters
    assert bool(where.to_cql2())


def test_ground_at_the_date_line_then_two_questions_and_each_item_once(server: FileServer) -> None:
    ground = MultiPolygon([box(179, -17, 180, -16), box(-180, -17, -179.5, -16)])
    assert found(searching(server, Api()), Query("things", ground, None)) == all_of(10)
    boxes = {tuple(body["bbox"]) for body in bodies(server)}
    assert boxes == {(179, -17, 180, -16), (-180, -17, -179.5, -16)}


@pytest.mark.parametrize("ground", [box(10, 83, 12, 84.1), box(10, -80.2, 12, -79)])
def test_ground_near_a_pole_then_refused_before_anybody_is_asked(
    server: FileServer, ground: Any
) -> None:
    error = failure(searching(server, Api()), Query("things", ground, None))
    assert isinstance(error, NoItemsError)
    assert not server.seen


def test_ground_up_to_where_utm_ends_then_asked(server: FileServer) -> None:
    assert found(searching(server, Api()), Query("things", box(10, -80, 12, 84), None))


@pytest.mark.parametrize("place", ["/v1", "/v1/search", "/v1/collections"])
@pytest.mark.parametrize(
    ("status", "kind", "exit_code", "retryable"),
    [
        (400, ProviderError, 3, False), (401, AuthError, 4, False), (403, AuthError, 4, False),
        (404, ProviderError, 3, False), (429, QuotaError, 5, True), (500, ProviderError, 3, True),
        (503, ProviderError, 3, True),
    ],
)  # fmt: skip
def test_refusal_then_our_error_after_so_many_requests(
    server: FileServer, place: str, status: int, kind: type, exit_code: int, retryable: bool
) -> None:
    api, told = (
        Api(number=0),
        {"description": "No, see https://x.org/?sig=SECRET and /a?sig=SECRET"},
    )
    search = searching(server, lambda s: answer(told, status) if s.path == place else api(s))
    error = failure(search)
    assert (type(error), error.exit_code, error.retryable) == (kind, exit_code, retryable)
    assert "https://x.org/" in error.because
    assert "SECRET" not in "".join(traceback.format_exception(error)) + repr(error)
    asked = [seen for seen in server.seen if seen.path == place]
    assert len(asked) == (3 if retryable else 1)


@pytest.mark.parametrize("place", ["/v1", "/v1/search", "/v1/collections"])
@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b"null", b'"x"', b"{}", b'{"features": {}}', b"\xff\xfe", b'{"a": '],
)
def test_no_stac_then_an_error_instead_of_nothing(
    server: FileServer, place: str, body: bytes
) -> None:
    api = Api(number=0)
    nonsense = Answer(status=200, body=body)
    error = failure(searching(server, lambda s: nonsense if s.path == place else api(s)))
    assert type(error) is ProviderError
    assert error.exit_code == 3
    assert not any(word in error.because for word in ("Error", "object")), "no Python"


def test_page_that_is_none_then_the_address_is_doubted_and_not_the_items(
    server: FileServer,
) -> None:
    error = failure(searching(server, lambda _: answer({"code": "NotFound"}, 404)))
    assert "address" in error.fix
    assert "item" not in error.fix


@pytest.mark.parametrize(
    "page",
    [
        {"features": [{}]},
        {"features": [7]},
        {"features": [{"id": ["a"]}]},
        {"features": [], "numberMatched": "many"},
        {"features": [], "context": 7},
        {"features": [], "links": 7},
        {"features": [], "links": [{"rel": "next"}]},
        {"features": [], "links": ["next"]},
    ],
)
def test_page_that_is_broken_then_an_error(server: FileServer, page: JSON) -> None:
    api = Api()
    error = failure(searching(server, lambda s: answer(page) if s.path == "/v1/search" else api(s)))
    assert (type(error), error.retryable) == (ProviderError, False)
    assert "no STAC" in error.found


@pytest.mark.parametrize(
    "page", [{"features": [], "numberMatched": None, "context": None, "links": None}]
)
def test_page_with_null_where_nothing_is_told_then_understood(
    server: FileServer, page: JSON
) -> None:
    api = Api()
    search = searching(server, lambda s: answer(page) if s.path == "/v1/search" else api(s))
    assert found(search) == []


def test_refused_for_a_moment_then_asked_again(server: FileServer) -> None:
    search = searching(server, Api())
    server.due += [answer({}, 503), Answer(status=429, headers={"Retry-After": "0"})]
    assert found(search) == all_of(10)


@pytest.mark.parametrize("fault", [Answer(reset=True), Answer(status=200, body=b"12345", sent=2)])
def test_connection_breaks_then_waiting_may_help(server: FileServer, fault: Answer) -> None:
    error = failure(searching(server, lambda _: fault))
    assert (type(error), error.retryable) == (ProviderError, True)
    assert server.url in error.where


def test_nobody_there_then_waiting_may_help() -> None:
    endpoint = Endpoint(name="test", title="Test", url="http://127.0.0.1:9/v1", patience=1)
    assert failure(StacSearch(endpoint, AT_ONCE)).retryable


def test_asked_to_wait_for_long_then_a_minute_at_most() -> None:
    assert RETRIES.parse_retry_after("3600") == 60
    assert isinstance(RETRIES, Retry)


def test_many_threads_then_one_landing_page(server: FileServer) -> None:
    search = searching(server, Api())
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(found(search))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [all_of(10)] * 8
    assert [seen.path for seen in server.seen].count("/v1") == 1


def ids_of(server: Any, page: int) -> list[str]:
    endpoint = Endpoint(name="test", title="Test", url=server.api, page=page)
    span = Span(parse_utc("2018-06-01"), parse_utc("2018-07-01"))
    query = Query("sentinel-2-l2a", box(11.0, 48.05, 11.02, 48.06), span)
    return found(StacSearch(endpoint, AT_ONCE), query)


@pytest.mark.parametrize("flavour", ["earth-search", "planetary-computer", "cdse"])
def test_pages_of_the_sandbox_that_lose_and_repeat_items_then_all_are_found(
    sandbox_server: Callable[..., Any], flavour: str
) -> None:
    expected = ids_of(sandbox_server(flavour), page=250)
    assert len(expected) > 8
    assert len(set(expected)) == len(expected)
    assert ids_of(sandbox_server(flavour, faults="duplicate@every2,skip@2"), page=4) == expected


def replay(url: str) -> Callable[[Seen], Answer]:
    """Answer as Earth Search did; its listing ends with the second page, and counts no more."""
    told = {
        name: (ANSWERS / f"earth-search.{name}.json")
        .read_text(encoding="utf-8")
        .replace("https://earth-search.aws.element84.com", url)
        for name in ("landing", "search-1", "search-2")
    }
    first, second = json.loads(told["search-1"]), json.loads(told["search-2"])
    second["links"] = []
    for page in (first, second):
        page["numberMatched"] = page["context"]["matched"] = 20
    (following,) = [link["body"] for link in first["links"] if link["rel"] == "next"]

    def answered(seen: Seen) -> Answer:
        if seen.path == "/v1":
            return Answer(status=200, body=told["landing"].encode())
        return answer(second if json.loads(seen.body) == following else first)

    return answered


def test_answers_of_earth_search_then_every_item_is_read(server: FileServer) -> None:
    search = searching(server, replay(server.url), page=10)
    where = Where.parse({"eo:cloud_cover": {"max": 40}})
    items = search.items(Query("sentinel-2-l2a", GROUND, None, where))
    assert len({item["id"] for item in items}) == len(items) == 20
    assert [list(body) for body in bodies(server)] == [["limit", "bbox", "collections"], ["next"]]
    read = {
        item["id"]: item_of(item, item["collection"], lambda _, a: a["href"], "flag")
        for item in items
    }
    assert read["S2B_24MVV_20250731_0_L2A"].assets["red"].offset == 0
    assert read["S2B_24MVV_20250731_0_L2A"].assets["scl"].offset is None
    assert read["S2B_24MVV_20250731_0_L1C"].properties["s2:processing_baseline"] == "05.11"
    radar = [item for item in read.values() if item.collection == "sentinel-1-grd"]
    assert [set(item.assets) for item in radar] == [{"hh"}] * 3
    assert all(item.footprint.is_valid for item in read.values())
