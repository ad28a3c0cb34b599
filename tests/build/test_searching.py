"""What is searched for a recipe: filters, reprocessings, many areas at once. In the sandbox."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from shapely.geometry import box, mapping

from eodata import resources
from eodata.build import prepare as module
from eodata.build.areas import load_areas
from eodata.build.locations import Wish, choose_providers, find_locations
from eodata.build.prepare import prepare
from eodata.build.reading import load_recipe
from eodata.core.errors import NoItemsError, ProviderError
from eodata.core.item import Item
from eodata.core.protocols import Query
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import is_static, product_of
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.where import EVERYTHING
from eodata.pipeline.plan import search_span
from eodata.pipeline.reprocessings import SUPERSEDES
from eodata.pipeline.searches import Wanted
from eodata.providers.sandbox import SandboxProvider

RECIPE = """\
name: searching
title: A month of a simulated archive
licence: CC0-1.0
area: AREA
time: {start: 2018-05-01, end: 2018-06-01, steps: 2}
sandbox: {seed: 1, defects: {duplicates: DUPLICATES}}
modalities:
  s2: {product: sentinel-2-l2a, provider: sandbox, bands: [B04], gsd: 10, where: {WHERE}}
  scl: {product: sentinel-2-l2a, provider: sandbox, bands: [SCL], gsd: 10, follow: s2}
MORE
"""
ONE = "{bbox: [10.97, 48.24, 10.99, 48.255], patch: 640}"
MORE = """\
  s1: {product: sentinel-1-grd, provider: sandbox, gsd: 10, pair: {with: s2, within: 6d}}
  landcover: {product: esa-worldcover, provider: sandbox, gsd: 10}
  dem: {product: cop-dem-glo-30, provider: sandbox, gsd: 10}
"""


class Counting(SandboxProvider):
    """The sandbox, with a count of searches by collection."""

    def __init__(self, settings: SandboxSettings) -> None:
        super().__init__(settings)
        self.asked: list[str] = []

    def search(self, query: Query) -> list[Item]:
        self.asked.append(query.collection)
        return super().search(query)


@pytest.fixture
def write(tmp_path):
    def write_recipe(
        where: str = "", duplicates: float = 0, area: str = ONE, more: str = ""
    ) -> str:
        path: Path = tmp_path / "searching.yaml"
        parts = {"AREA": area, "DUPLICATES": str(duplicates), "WHERE": where, "MORE": more}
        text = RECIPE
        for word, part in parts.items():
            text = text.replace(word, part)
        path.write_text(text)
        return str(path)

    return write_recipe


def orbits(recipe: str) -> set[int]:
    return {item.properties["sat:relative_orbit"] for item in prepare(Wish(recipe)).plan.items}


def test_items_that_the_filter_leaves_out_are_not_in_the_plan(write):
    every = orbits(write())
    wanted = max(every)
    assert orbits(write(f'"sat:relative_orbit": {wanted}')) == {wanted}
    assert (
        prepare(Wish(write())).plan.digest
        != prepare(Wish(write('"sat:orbit_state": DESCENDING'))).plan.digest
    )


def test_a_filter_that_leaves_nothing_is_named(write):
    with pytest.raises(NoItemsError) as error:
        prepare(Wish(write('platform: "landsat-8"')))
    assert "matches where" in error.value.because
    assert error.value.where == "modality s2"


def test_of_acquisitions_that_were_processed_twice_the_later_is_planned(write):
    once, twice = (prepare(Wish(write(duplicates=share))).plan for share in (0, 1))
    steps = [row for row in twice.choices["s2"]["area"] if row.items]
    assert len(steps) == 2
    for choice in steps:
        chosen = [twice.items[i] for i in choice.items]
        tiles = [item.properties["grid:code"] for item in chosen]
        assert len(set(tiles)) == len(tiles)  # no ground is read twice
        for item in chosen:
            assert item.properties["s2:processing_baseline"] == "05.00"
            (replaced,) = item.properties[SUPERSEDES]
            assert "_N0207_" in replaced or "_N0206_" in replaced
            assert replaced in [old.id for old in once.items]
    assert not any(SUPERSEDES in item.properties for item in once.items)
    assert twice.choices["scl"] == twice.choices["s2"]


@pytest.fixture
def many(write, tmp_path):
    """Eight areas around two places; one has a time of its own."""
    corners = [
        (lon + 0.06 * (n % 2), lat + 0.05 * (n // 2))
        for lon, lat in ((10.6, 48.1), (12.4, 47.6))
        for n in range(4)
    ]
    features = [
        {
            "type": "Feature",
            "properties": {"id": f"a{n:02d}"},
            "geometry": mapping(box(lon, lat, lon + 0.03, lat + 0.02)),
        }
        for n, (lon, lat) in enumerate(corners)
    ]
    features[3]["properties"] |= {"start": "2018-06-01", "end": "2018-06-20"}
    (tmp_path / "areas.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    return write(area="{file: areas.geojson, patch: 640}", more=MORE)


def test_many_areas_are_searched_together_and_find_what_each_finds_alone(many):
    loaded = load_recipe(many)
    areas, products = load_areas(loaded), resources.products()
    chosen = choose_providers(loaded, "", find_locations(loaded, Wish(many)))
    provider = Counting(SandboxSettings())
    found = module._search_all(loaded, areas, chosen, {"sandbox": provider})
    searches = {collection: provider.asked.count(collection) for collection in provider.asked}
    assert set(found) == {"s2", "s1", "landcover", "dem"}
    # Two places; where time counts, the area with its own is a search of its own.
    assert sorted(searches.values()) == [2, 2, 3, 3]
    for name, by_area in found.items():
        modality = loaded.recipe.modalities[name]
        assert isinstance(modality, SourceModality)
        collection = product_of(loaded.recipe, name, products).providers["sandbox"].collection
        static = is_static(loaded.recipe, name, products)
        assert list(by_area) == list(areas)
        for area in areas.values():
            span = None if static else search_span(loaded.recipe, name, area)
            alone = provider.search(Query(collection, area.geometry, span))
            assert by_area[area.id] == alone
            assert len(alone) > 0


class Hanging(SandboxProvider):
    """One search never ends; Ctrl-C or an error meets another one meanwhile."""

    def __init__(self, stop: BaseException) -> None:
        super().__init__(SandboxSettings())
        self.stop, self.others = stop, threading.Barrier(2)
        self.release, self.waited = threading.Event(), threading.Event()

    def search(self, query: Query) -> list[Item]:
        self.others.wait(20)
        if query.footprint.bounds[0] < 5:
            raise self.stop
        self.release.wait(20)
        self.waited.set()
        return []


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), ProviderError("a", "b")])
def test_search_that_hangs_then_nobody_waits_for_it_after_another_failed(stop):
    provider = Hanging(stop)
    wanted = [Wanted(str(x), box(x, 48, x + 0.01, 48.01), None) for x in (0, 50)]
    try:
        with pytest.raises(type(stop)):
            module._search_areas(provider, "cop-dem-glo-30", EVERYTHING, wanted)
        assert not provider.waited.is_set()
    finally:
        provider.release.set()
