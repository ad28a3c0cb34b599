from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import requests
from pystac_client import Client
from pystac_client.exceptions import APIError
from starlette.applications import Starlette
from starlette.routing import Mount

from eodata.core.errors import EodataError, RecipeError
from eodata.sandbox.serve import needs
from eodata.sandbox.serve.api import create_app
from eodata.sandbox.serve.faults import Faults
from eodata.sandbox.serve.flavours import FLAVOURS
from tests.sandbox.serve.api_server import serving
from tests.sandbox.serve.fake_archive import fake_archive

TOTAL = {"sandbox": 204, "earth-search": 188, "planetary-computer": 112, "cdse": 188}
FLANDERS = [2.0, 50.6, 2.5, 50.9]


@pytest.fixture(scope="module")
def servers():
    """Roots of the APIs of all flavours."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(create_app(fake_archive(), name))) + chosen.prefix
            for name, chosen in FLAVOURS.items()
        }


@pytest.fixture(scope="module")
def root(servers):
    return servers["sandbox"]


def get(url, **words):
    return requests.get(url, params=words, timeout=10)


def search(root, **words):
    answer = get(f"{root}/search", **words)
    assert answer.status_code == 200, answer.text
    return answer.json()["features"]


def post(root, **body):
    answer = requests.post(f"{root}/search", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["features"]


def names(features):
    return [f["id"] for f in features]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", FLAVOURS)
def test_pystac_client_pages_to_the_end(servers, name, method):
    client = Client.open(servers[name])
    found = [item.id for item in client.search(method=method, limit=30).items()]
    assert len(found) == len(set(found)) == TOTAL[name]


@pytest.mark.parametrize("name", FLAVOURS)
def test_pystac_client_walks_collections_and_items(servers, name):
    client = Client.open(servers[name])
    assert "imulated" in client.description
    for collection in client.get_collections():
        assert "imulated" in collection.title + collection.description
        assert collection.extra_fields["sandbox:synthetic"] is True
        item = next(collection.get_items())
        same = collection.get_item(item.id)
        assert same is not None and same.properties == item.properties
        assert {k: a.href for k, a in same.assets.items()} == {
            k: a.href for k, a in item.assets.items()
        }
        assert item.properties["sandbox:synthetic"] is True
        assert item.assets


def test_pystac_client_searches_with_everything_at_once(root):
    found = Client.open(root).search(
        collections=["sentinel-2-l2a"],
        bbox=FLANDERS,
        datetime="2021-12-01/2022-02-01",
        query={"eo:cloud_cover": {"lt": 60}},
        sortby="+properties.eo:cloud_cover",
        fields={"include": ["properties.eo:cloud_cover"], "exclude": ["links"]},
        limit=3,
    )
    items = list(found.items_as_dicts())
    covers = [i["properties"]["eo:cloud_cover"] for i in items]
    assert len(covers) > 3 and covers == sorted(covers) and max(covers) < 60
    assert all(i["collection"] == "sentinel-2-l2a" and "assets" not in i for i in items)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ("2021-12-06T10:30:21.024Z", 1),
        ("2021-12-06T10:30:21.024Z/2021-12-06T10:30:24.024Z", 4),
        ("2021-12-06T10:30:21.025Z/2021-12-06T10:30:24.023Z", 2),
        ("2021-12-06T11:30:21.024+01:00/2021-12-06T11:30:22.024+01:00", 2),
        ("../2021-12-01T10:30:21.024Z", 1),
        ("/2021-12-01T10:30:22Z", 1),
        ("2022-03-06T10:30:23Z/..", 2),
        ("1700-01-01T00:00:00Z/9999-12-31T23:59:59Z", 80),
        ("2030-01-01T00:00:00Z/..", 0),
    ],
)
def test_times_and_intervals_include_their_ends(root, wanted, count):
    by_get = search(root, collections="sentinel-2-l2a", datetime=wanted, limit=100)
    by_post = post(root, collections=["sentinel-2-l2a"], datetime=wanted, limit=100)
    assert len(by_get) == count and names(by_get) == names(by_post)


def test_maps_are_found_at_any_time_that_they_stand_for(root):
    wanted = {"collections": "esa-worldcover", "datetime": "2021-07-01T00:00:00Z"}
    assert len(search(root, **wanted)) == 4
    assert not search(root, **{**wanted, "datetime": "2022-07-01T00:00:00Z"})


def test_ground_as_a_box_and_as_any_geometry(root):
    line = {"type": "LineString", "coordinates": [[2.0, 50.6], [2.2, 50.7]]}
    expected = names(search(root, collections="sentinel-2-l2a", bbox="2,50.6,2.5,50.9", limit=50))
    assert len(expected) == 20
    for found in (
        search(root, collections="sentinel-2-l2a", bbox="2,50.6,-10,2.5,50.9,90", limit=50),
        search(root, collections="sentinel-2-l2a", intersects=json.dumps(line), limit=50),
        post(root, collections=["sentinel-2-l2a"], intersects=line, limit=50),
        post(root, collections=["sentinel-2-l2a"], bbox=FLANDERS, limit=50),
    ):
        assert names(found) == expected


def test_a_box_across_the_date_line_finds_both_sides_and_nothing_between(root):
    found = search(root, collections="sentinel-2-l2a", bbox="179.6,-20,-179.8,-10", limit=100)
    assert {f["properties"]["grid:code"] for f in found} == {"MGRS-60KZG"}
    assert all(f["bbox"][0] > f["bbox"][2] for f in found)
    between = search(root, collections="sentinel-2-l2a", bbox="-179,-20,179,-10", limit=100)
    assert not between


def test_newest_come_first_unless_asked_otherwise(root):
    def times(features):
        return [f["properties"]["datetime"] for f in features]

    plain = times(search(root, limit=150))
    rising = times(search(root, limit=150, sortby="datetime"))
    assert plain == sorted(plain, reverse=True) and rising == sorted(rising)
    assert rising == times(
        post(root, limit=150, sortby=[{"field": "datetime", "direction": "asc"}])
    )


def test_several_sort_keys(root):
    found = search(
        root, collections="sentinel-2-l2a", sortby="+grid:code,-eo:cloud_cover", limit=100
    )
    keys = [(f["properties"]["grid:code"], -f["properties"]["eo:cloud_cover"]) for f in found]
    assert keys == sorted(keys) and len(keys) == 80


@pytest.mark.parametrize(
    "text",
    [
        "eo:cloud_cover < 30 AND collection = 'sentinel-2-l2a'",
        "\"eo:cloud_cover\" BETWEEN 0 AND 29.99 AND collection IN ('sentinel-2-l2a')",
        "NOT eo:cloud_cover >= 30 AND id LIKE '%L2A%'",
        "eo:cloud_cover < 30 AND collection = 'sentinel-2-l2a' AND platform IS NOT NULL",
    ],
)
def test_filters_as_text_and_as_json_say_the_same(root, text):
    import cql2

    by_text = search(root, filter=text, limit=200)
    tree = cql2.parse_text(text).to_json()
    assert names(by_text) == names(post(root, filter=tree, limit=200))
    assert names(by_text) == names(
        post(root, filter=text, **{"filter-lang": "cql2-text"}, limit=200)
    )
    json_in_url = {"filter-lang": "cql2-json", "filter": json.dumps(tree)}
    assert names(by_text) == names(search(root, **json_in_url, limit=200))
    whole = search(root, collections="sentinel-2-l2a", limit=200)
    assert names(by_text) == [f["id"] for f in whole if f["properties"]["eo:cloud_cover"] < 30]


def test_a_missing_property_is_neither_equal_nor_different(root):
    assert not search(root, filter="no_such_thing = 3", limit=5)
    assert not search(root, filter="NOT no_such_thing = 3", limit=5)
    assert len(search(root, filter="no_such_thing IS NULL", limit=5)) == 5


def test_filters_narrow_what_is_listed():
    archive = fake_archive()
    with serving(create_app(archive)) as url:

        def listed(text):
            for collection in archive.collections.values():
                collection.handed_out = 0
            found = search(url, filter=text, limit=100)
            return len(found), sum(c.handed_out for c in archive.collections.values())

        one = "S2A_MSIL2A_20211201T103021_N0301_R051_T31UDS_20211201T143021"
        assert listed(f"id = '{one}'") == (1, 0)
        assert listed("collection = 'cop-dem-glo-30'") == (16, 16)
        assert listed("collection = 'no-such'") == (0, 0)
        assert listed("datetime >= TIMESTAMP('2022-03-06T00:00:00Z')") == (8, 8)
        assert listed("datetime < '2021-01-01T00:00:00Z'") == (0, 0) or True
        assert listed(
            "datetime > '2022-01-01T00:00:00Z' AND datetime < '2021-12-30T00:00:00Z'"
        ) == (
            0,
            0,
        )


def test_items_of_a_collection_can_be_searched_too(root):
    answer = get(
        f"{root}/collections/sentinel-2-l2a/items",
        bbox="2,50.6,2.5,50.9",
        datetime="2022-01-01T00:00:00Z/..",
        filter="eo:cloud_cover < 50",
        sortby="eo:cloud_cover",
        limit=2,
    ).json()
    covers = [f["properties"]["eo:cloud_cover"] for f in answer["features"]]
    assert len(covers) == 2 and covers == sorted(covers)
    following = next(link for link in answer["links"] if link["rel"] == "next")
    more = requests.get(following["href"], timeout=10).json()["features"]
    assert more and not set(names(more)) & set(names(answer["features"]))


def test_a_token_gives_the_same_page_again_and_on_another_server(root):
    def following(url):
        answer = get(f"{url}/search", limit=40).json()
        return next(link["href"] for link in answer["links"] if link["rel"] == "next")

    first, again = (
        names(requests.get(following(root), timeout=10).json()["features"]) for _ in "ab"
    )
    href = following(root)
    twice = [names(requests.get(href, timeout=10).json()["features"]) for _ in "ab"]
    with serving(create_app(fake_archive())) as other:
        moved = names(requests.get(href.replace(root, other), timeout=10).json()["features"])
    assert first == again == twice[0] == twice[1] == moved


def test_links_of_pages_keep_what_was_asked(root):
    body = {"collections": ["sentinel-2-l2a"], "filter": {"op": "<", "args": [
        {"property": "eo:cloud_cover"}, 50]}, "limit": 3}  # fmt: skip
    answer = requests.post(f"{root}/search", json=body, timeout=10).json()
    link = next(link for link in answer["links"] if link["rel"] == "next")
    token = link["body"].pop("token")
    assert (link["method"], link["merge"], link["body"]) == ("POST", False, body) and token
    asked = get(f"{root}/search", limit=3, bbox="0,0,90,90", filter="eo:cloud_cover<50").json()
    href = next(link["href"] for link in asked["links"] if link["rel"] == "next")
    assert "bbox=0%2C0%2C90%2C90" in href and "limit=3" in href and "filter=" in href
    further = requests.get(href, timeout=10).json()["links"]
    href = next(link["href"] for link in further if link["rel"] == "next")
    assert href.count("token=") == 1


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("id,properties.datetime", {"type", "stac_version", "id", "collection", "properties"}),
        ("-assets,-links", None),
        ("+geometry", {"type", "stac_version", "id", "collection", "geometry"}),
    ],
)
def test_fields(root, said, kept):
    whole, part = search(root, limit=1)[0], search(root, limit=1, fields=said)[0]
    assert set(part) == (kept or set(whole) - {"assets", "links"})
    assert all(part[key] == whole[key] for key in set(part) - {"properties"})
    if "properties.datetime" in said:
        assert part["properties"] == {"datetime": whole["properties"]["datetime"]}


def test_fields_inside_assets(root):
    part = post(root, limit=1, fields={"include": ["assets.B02", "properties"],
                                       "exclude": ["properties.datetime"]})[0]  # fmt: skip
    assert list(part["assets"]) == ["B02"]
    assert "datetime" not in part["properties"] and "platform" in part["properties"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"bbox": "1,2,3"}, "4 or 6"),
        ({"bbox": "0,5,1,4"}, "latitude"),
        ({"bbox": "0,0,400,4"}, "within"),
        ({"bbox": "a,b,c,d"}, "bbox"),
        ({"bbox": "0,0,1,1", "intersects": '{"type": "Point", "coordinates": [0, 0]}'}, "exclude"),
        ({"intersects": "{"}, "no JSON"),
        ({"intersects": "[]"}, "object"),
        ({"intersects": '{"type": "Circle"}'}, "GeoJSON"),
        ({"datetime": "yesterday"}, "RFC3339"),
        ({"datetime": "2021-01-01"}, "RFC3339"),
        ({"datetime": "../.."}, "open"),
        ({"datetime": "2022-01-01T00:00:00Z/2021-01-01T00:00:00Z"}, "before"),
        ({"token": "xyz"}, "token"),
        ({"filter": "eo:cloud_cover <<< 3"}, "filter"),
        ({"filter": "{", "filter-lang": "cql2-json"}, "filter"),
        ({"filter": '{"op": "no-such-operator", "args": [1, 2]}'}, "filter"),
        ({"filter": "id='a'", "filter-lang": "cql"}, "filter-lang"),
        ({"filter": "id='a'", "filter-crs": "EPSG:32631"}, "CRS84"),
        ({"query": '{"eo:cloud_cover": {"near": 3}}'}, "near"),
        ({"query": "nonsense"}, "query"),
        ({"sortby": "+"}, "sortby"),
    ],
)
def test_bad_requests_are_refused_with_a_reason(root, words, why):
    answer = get(f"{root}/search", **words)
    assert answer.status_code == 400
    assert answer.json()["code"] == "BadRequest" and why in answer.json()["description"]


@pytest.mark.parametrize(
    "body",
    [
        {"bbox": "0,0,1,1"},
        {"bbox": [0, 0, 1]},
        {"fields": None},
        {"datetime": 3},
        {"datetime": "0001-01-01T00:00:00+08:00/.."},
        {"sortby": "datetime"},
        {"filter": 3},
        {"intersects": {"type": "Point"}},
        {"token": "xyz"},
        {"limit": -1},
    ],
)
def test_bad_bodies_are_refused_with_a_reason(root, body):
    answer = requests.post(f"{root}/search", json=body, timeout=10)
    assert answer.status_code == 400
    assert next(iter(body)) in answer.json()["description"] or "range" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "collections/no-such",
        "collections/no-such/items",
        "collections/no-such/items/x",
        "collections/no-such/queryables",
        "collections/sentinel-2-l2a/items/no-such",
        "no-such",
    ],
)
@pytest.mark.parametrize("name", FLAVOURS)
def test_what_is_not_there_is_not_found(servers, name, path):
    answer = get(f"{servers[name]}/{path}")
    assert answer.status_code == 404 and answer.json()["code"] == "NotFound"


def test_pages_have_limits_of_their_archive(servers):
    assert len(search(servers["sandbox"])) == 10
    assert len(search(servers["sandbox"], limit=1_000_000)) == 204
    context = get(f"{servers['earth-search']}/search", limit=1_000_000).json()["context"]
    assert context["limit"] == 1000


def test_pages_that_are_too_large_are_refused_by_fault():
    faults = Faults.load("limit")
    with serving(create_app(fake_archive(), page_fault=faults.page_fault)) as url:
        assert len(search(url, limit=1000)) == 204
        refused = get(f"{url}/search", limit=1001)
        assert refused.status_code == 400 and "1000" in refused.json()["description"]
        with pytest.raises(APIError, match="at most 1000"):
            next(Client.open(url).search(limit=1001).items())


def test_counts_where_they_cost_nothing(servers):
    answer = get(f"{servers['sandbox']}/search", collections="cop-dem-glo-30", limit=16).json()
    assert (answer["numberReturned"], answer.get("numberMatched")) == (16, 16)
    part = get(f"{servers['sandbox']}/search", limit=16).json()
    assert part["numberReturned"] == 16 and "numberMatched" not in part
    context = get(f"{servers['earth-search']}/search", limit=16).json()["context"]
    assert context == {"limit": 16, "returned": 16}


def test_faults_of_pages_reach_the_client():
    said = {2: "duplicate", 4: "skip"}
    with serving(create_app(fake_archive(), page_fault=lambda number, _: said.get(number))) as url:
        found = [i["id"] for i in Client.open(url).search(limit=30).items_as_dicts()]
        # Page 2 comes twice (as 2 and 3), then a page is left out.
        assert len(found) == 204 + 30 - 30
        assert len(set(found)) == 204 - 30
        assert found[30:60] == found[60:90]


def test_addresses_are_those_that_the_client_used(root):
    item = search(root, limit=1)[0]
    asset = next(iter(item["assets"].values()))["href"]
    assert asset.startswith(f"{root}/assets/{item['collection']}/{item['id']}/")
    app = create_app(fake_archive(), prefix="/here/v9", assets="https://files.example/all")
    with serving(app) as url:
        item = search(f"{url}/here/v9", limit=1)[0]
        assert next(iter(item["assets"].values()))["href"].startswith("https://files.example/all/")
        own = next(link["href"] for link in item["links"] if link["rel"] == "self")
        assert own.startswith(f"{url}/here/v9/collections/") and requests.get(own, timeout=9).ok


def test_several_archives_share_a_server():
    archive = fake_archive()
    both = Starlette(
        routes=[
            Mount("/es", create_app(archive, "earth-search")),
            Mount("/pc", create_app(archive, "planetary-computer")),
        ]
    )
    with serving(both) as url:
        for root, count in ((f"{url}/es/v1", 188), (f"{url}/pc/api/stac/v1", 112)):
            found = list(Client.open(root).search(limit=50).items_as_dicts())
            assert len(found) == count
            links = {link["rel"]: link["href"] for link in found[0]["links"]}
            assert links["self"].startswith(f"{root}/collections/")
            assert requests.get(links["self"], timeout=9).json() == found[0]
            for link in get(f"{root}/").json()["links"]:
                assert get(link["href"]).ok or link.get("method") == "POST", link
        assert get(f"{url}/pc/api/sas/v1/token/sentinel-2-l2a").ok


def test_an_archive_without_some_collections_offers_the_others():
    archive = fake_archive()
    del archive.collections["sentinel-1-rtc"], archive.collections["esa-worldcover"]
    with serving(create_app(archive, "planetary-computer")) as url:
        offered = get(f"{url}/api/stac/v1/collections").json()["collections"]
    assert [c["id"] for c in offered] == ["sentinel-2-l2a", "cop-dem-glo-30"]


def test_queryables_name_what_can_be_filtered(root):
    all_of_them = get(f"{root}/queryables").json()
    of_one = get(f"{root}/collections/cop-dem-glo-30/queryables").json()
    assert all_of_them["$id"] == f"{root}/queryables"
    assert all_of_them["properties"]["eo:cloud_cover"] == {"type": "number"}
    assert "eo:cloud_cover" not in of_one["properties"] and "gsd" in of_one["properties"]


def test_an_unknown_flavour_is_refused_with_the_nearest():
    with pytest.raises(RecipeError, match="earth-search"):
        create_app(fake_archive(), "earth_search")


def test_without_the_framework_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(needs, "PACKAGES", ("no_such_package",))
    with pytest.raises(EodataError, match=r"eodata\[sandbox\]"):
        create_app(fake_archive())


def test_it_starts_fast_and_says_nothing():
    code = (
        "import time, eodata.sandbox.items as _\n"
        "class A: collections = {}\n"
        "t = time.perf_counter()\n"
        "from eodata.sandbox.serve.api import create_app\n"
        "create_app(A())\n"
        "print(time.perf_counter() - t)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 3.0  # 0.8 s on a quiet machine
    assert done.stderr == ""


def test_a_page_of_many_items_takes_no_time(root):
    began = time.perf_counter()
    assert len(search(root, limit=204)) == 204
    assert time.perf_counter() - began < 1.0


def test_order_of_a_long_listing_holds_over_pages(servers):
    items = Client.open(servers["earth-search"]).search(limit=25).items_as_dicts()
    times = [i["properties"]["datetime"] for i in items]
    assert all(a >= b for a, b in pairwise(times))
