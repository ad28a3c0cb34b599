"""The public STAC API validator, against schemas that lie beside the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from stac_api_validator.validations import QueryConfig, validate_api
from stac_validator.stac_validator import StacValidate

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import Collection, SandboxItem
from eodata.sandbox.serve.api import create_app
from eodata.sandbox.serve.flavours import FLAVOURS, offers
from eodata.sandbox.serve.flavours.described import describe
from eodata.sandbox.serve.listing import WHOLE_EARTH
from eodata.sandbox.serve.stac_item import Places
from tests.sandbox.serve.api_server import serving
from tests.sandbox.serve.fake_archive import fake_archive

SCHEMAS = Path(__file__).parents[2] / "data" / "stac_schemas"
CLASSES = [
    "core",
    "collections",
    "features",
    "filter",
    "item-search",
    "item-search#sort",
    "item-search#fields",
    "item-search#query",
]
JUNE = datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 6, 20, tzinfo=UTC)
GROUND = {"type": "Polygon", "coordinates": [[[2, 50], [4, 50], [4, 51], [2, 51], [2, 50]]]}
QUERY = {
    "sandbox": QueryConfig("eo:cloud_cover", 21.0, 21.0, 50, 50, 50, 50, "platform", "sentinel",
                           "2a", "inel", "instruments", "msi"),
    "planetary-computer": QueryConfig("eo:cloud_cover", 21.0, 21.0, 50, 50, 50, 50, "platform",
                                      "Sentinel", "2A", "inel", "instruments", "msi"),
}  # fmt: skip
UNPUBLISHED_HERE = {
    "sandbox": set(),
    "earth-search": {
        "item-assets/v1.0.0",
        "processing/v1.1.0",
        "projection/v1.1.0",
        "sentinel-2/v1.0.0",
    },
    "planetary-computer": {"item-assets/v1.0.0", "eo/v1.0.0", "projection/v1.1.0"},
    "cdse": {"eo/v2.0.0", "processing/v1.2.0", "product/v0.1.0"},
}
"""Extensions whose schemas no package brings, so that nobody checks their fields here."""


pytestmark = pytest.mark.filterwarnings("ignore:get_all_items is deprecated:DeprecationWarning")


@pytest.fixture
def missing(monkeypatch) -> Iterator[set[str]]:
    """Answer requests for schemas from files; collect the addresses that have none."""
    absent: set[str] = set()
    send = requests.adapters.HTTPAdapter.send

    def answer(self, request, **words):
        if request.url.startswith("http://127.0.0.1:"):
            return send(self, request, **words)
        path = SCHEMAS / request.url.partition("://")[2].rstrip("#")
        found = requests.Response()
        found.status_code, found.url, found.request = 200, request.url, request
        found._content = path.read_bytes() if path.is_file() else b"{}"
        if not path.is_file():
            absent.add(request.url)
        return found

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    from stac_validator.utilities import fetch_and_parse_schema

    fetch_and_parse_schema.cache_clear()
    yield absent
    fetch_and_parse_schema.cache_clear()


@dataclass(frozen=True, slots=True)
class Part:
    """What a collection of the simulated Earth has at some places and times; itself otherwise.

    Attributes:
        whole: The collection.
        ground: Places.
        time: Times; None for all.
        found: What was found before, so that some hundred searches make few items anew.
    """

    whole: Collection
    ground: BaseGeometry
    time: Span | None
    found: dict[tuple[bytes, Span | None], list[SandboxItem]] = field(default_factory=dict)

    def __getattr__(self, name):
        return getattr(self.whole, name)

    def find(self, footprint, span, *, newest_first=False):
        """List what lies in both."""
        ground, time = self.ground.intersection(footprint), span or self.time
        if span is not None and self.time is not None:
            start, end = max(span.start, self.time.start), min(span.end, self.time.end)
            if start >= end:
                return iter(())
            time = Span(start, end)
        key = ground.wkb, time
        if key not in self.found:
            self.found[key] = [] if ground.is_empty else list(self.whole.find(ground, time))
        return iter(self.found[key][:: -1 if newest_first else 1])


@dataclass(frozen=True, slots=True)
class PartOfArchive:
    """Some weeks of all collections at two places."""

    collections: dict[str, Part]


@pytest.fixture(scope="module")
def part_of_archive():
    """Real listings; of the whole Earth some searches of the validator would take minutes."""
    # The validator's own search for ids is at 20 degrees.
    ground, june = box(3, 50.6, 3.05, 50.65) | box(20.5, 20.5, 20.55, 20.55), Span(*JUNE)
    whole = SandboxArchive(SandboxSettings()).collections
    times = {name: june if name.startswith("sentinel") else None for name in whole}
    return PartOfArchive({name: Part(whole[name], ground, time) for name, time in times.items()})


def validate(name, archive=None, cover=21.0):
    query = QUERY.get(name, QUERY["sandbox"])
    with serving(create_app(archive or fake_archive(), name)) as url:
        _, errors = validate_api(
            root_url=f"{url}{FLAVOURS[name].prefix}/",
            ccs_to_validate=CLASSES,
            collection="sentinel-2-l2a",
            geometry=json.dumps(GROUND),
            auth_bearer_token=None,
            auth_query_parameter=None,
            fields_nested_property="properties.eo:cloud_cover",
            validate_pagination=True,
            query_config=replace(query, query_eq_value=cover, query_neq_value=cover),
            transaction_collection=None,
            headers={},
            open_assets_urls=False,
        )
    return list(errors)


@pytest.mark.parametrize("name", FLAVOURS)
def test_the_public_validator_finds_no_errors(name, missing, part_of_archive):
    listed = list(part_of_archive.collections["sentinel-2-l2a"].find(WHOLE_EARTH, None))
    assert len(listed) > 12  # More than one page.
    assert validate(name, part_of_archive, listed[0].properties["eo:cloud_cover"]) == []
    assert {url.split("github.io/")[1].rsplit("/", 1)[0] for url in missing} == UNPUBLISHED_HERE[
        name
    ]


def test_items_of_the_simulated_earth_are_valid(missing):
    ground, june = box(4.3, 50.7, 4.4, 50.8), Span(*JUNE)
    places = Places("http://127.0.0.1:1/", "http://127.0.0.1:1/assets")
    collections = SandboxArchive(SandboxSettings()).collections
    for chosen in FLAVOURS.values():
        shown = offers(chosen, collections)
        assert set(shown) == set(chosen.shapes)
        for offer in shown.values():
            span = june if offer.id.startswith("sentinel") else None
            item = next(offer.source.find(ground, span))
            assert offer.find(offer.name(item)).id == item.id
            for made in (offer.feature(item, places), describe(offer, places)):
                checked = StacValidate()
                assert checked.validate_dict(made), (chosen.name, offer.id, checked.message)


def test_the_validator_would_see_a_mistake(missing, monkeypatch):
    from eodata.sandbox.serve.flavours import sandbox

    monkeypatch.setattr(sandbox, "COG", 3)
    assert any("failed stac-validator" in error for error in validate("sandbox"))
