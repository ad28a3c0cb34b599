"""A recipe that says everything, as a YAML file would."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

RECIPE: dict[str, Any] = {
    "name": "full",
    "title": "Everything that a recipe may say",
    "licence": "CC-BY-4.0",
    "keywords": ["a"],
    "area": {"bbox": [3.0, 50.8, 3.05, 50.83], "patch": 320, "stride": 320},
    "time": {"start": date(2018, 1, 1), "end": date(2018, 12, 1), "steps": 4},
    "archive": {"catalog": "archive/catalog.json"},
    "modalities": {
        "s2": {
            "product": "sentinel-2-l2a",
            "bands": ["B02", "B04"],
            "gsd": 10,
            "anchor": True,
            "choose": {"by": "nearest", "max_cloud": 50},
        },
        "s1": {"product": "sentinel-1-grd", "pair": {"with": "s2", "within": "14d"}},
        "scl": {"product": "sentinel-2-l2a", "bands": ["SCL"], "gsd": 20, "follow": "s2"},
        "cloud": {"derive": "class-mask", "from": "scl", "classes": [8, 9]},
        "landcover": {"product": "worldcereal-labels", "role": "target"},
    },
    "split": {"by": "cell", "cell": 640, "fractions": {"train": 0.5, "val": 0.25, "test": 0.25}},
    "checks": {"min_valid": 0.5},
    "store": {"block": 4},
}


@pytest.fixture
def raw() -> dict[str, Any]:
    """A fresh copy, to be spoilt."""
    return deepcopy(RECIPE)
