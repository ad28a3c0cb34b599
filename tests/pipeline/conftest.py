"""A recipe with every kind of modality, and an archive's answers written by hand."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import box

from eodata import resources
from eodata.core.item import Asset, Item
from eodata.core.patch import Area
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.pipeline.plan import Answers, make_plan

WEST = box(3.00, 50.80, 3.02, 50.812)
EAST = box(3.05, 50.80, 3.07, 50.812)
START = datetime(2018, 1, 1, tzinfo=UTC)
RECIPE: dict[str, Any] = {
    "name": "small",
    "title": "Small",
    "licence": "CC0",
    "seed": 7,
    "area": {"bbox": [3.0, 50.8, 3.07, 50.812], "patch": 320},
    "time": {"start": "2018-01-01", "end": "2018-01-31", "steps": 3},
    "modalities": {
        # The pair and the follower stand before their leader, as a recipe may have them.
        "s1": {"product": "sentinel-1-grd", "pair": {"with": "s2", "within": "3d"}},
        "cloud": {"derive": "class-mask", "from": "scl", "classes": [8, 9]},
        "scl": {"product": "sentinel-2-l2a", "bands": ["SCL"], "gsd": 10, "follow": "s2"},
        "s2": {"product": "sentinel-2-l2a", "bands": ["B02", "B11"], "gsd": 10, "anchor": True},
        "dem": {"product": "worldcereal-dem", "gsd": 20},
    },
    "split": {"by": "cell", "cell": 640, "fractions": {"train": 0.5, "val": 0.25, "test": 0.25}},
    "store": {"block": 4, "shard_mb": 0.02},
}


def record(name: str, collection: str, day: float, **more: Any) -> Item:
    """An item over both areas."""
    properties = {"platform": "p", "sat:relative_orbit": 1, **more}
    assets = {"B02": Asset("B02", f"{name}/B02.tif", 1e-4, 0.0, 0.0)}
    ground = box(2.9, 50.7, 3.2, 50.9)
    return Item(name, collection, START + timedelta(days=day), ground, properties, assets)


def records() -> dict[str, list[Item]]:
    """Two dates in the first step, one in the second, none in the third; radar in between."""
    return {
        "s2": [
            record("s2_a", "sentinel-2-l2a", 2),
            record("s2_b", "sentinel-2-l2a", 5),
            record("s2_c", "sentinel-2-l2a", 16),
        ],
        "s1": [
            record("s1_a", "sentinel-1-grd", 4),
            record("s1_b", "sentinel-1-grd", 5.5),
            record("s1_c", "sentinel-1-grd", 26),
        ],
        "dem": [record("dem_a", "worldcereal-dem", -400)],
    }


@pytest.fixture
def raw() -> dict[str, Any]:
    """The recipe as data, a fresh copy."""
    return deepcopy(RECIPE)


@pytest.fixture
def areas() -> dict[str, Area]:
    """Two areas, the east first."""
    return {n: Area(n, g, "EPSG:32631") for n, g in (("east", EAST), ("west", WEST))}


@pytest.fixture
def answers() -> dict[str, list[Item]]:
    """What the archive answers by modality, a fresh copy."""
    return records()


Planner = Callable[..., Plan]


@pytest.fixture
def plan_of(raw: dict[str, Any], tables: dict[str, Product], areas: dict[str, Area]) -> Planner:
    """Plan the recipe `raw` with the answers above, some of them replaced."""

    def planner(items: dict[str, list[Item]] | None = None, **more: Any) -> Plan:
        found = records() if items is None else items
        recipe = Recipe.parse(raw, "x.yaml")
        ground = more.pop("areas", areas)
        answers = Answers(
            areas=ground,
            listed={},
            providers={n: "archive" for n in recipe.modalities if n != "cloud"},
            items={n: {a: list(rows) for a in ground} for n, rows in found.items()},
            **more,
        )
        return make_plan(recipe, tables, resources.schemes(), answers)

    return planner
