"""Every shipped recipe gives the plan that it gave before, on every machine.

Recipes that read from real archives are planned in the sandbox, two areas each.

When a plan changes on purpose: `EODATA_UPDATE_GOLDEN=1 python -m pytest tests/golden`, look at the
difference, and say in the changelog why stores that were built before no longer match.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eodata import resources
from eodata.build.locations import Wish
from eodata.build.prepare import prepare

FOLDER = Path(__file__).parent
AT_HOME = ("demo", "sandbox-mini")
"""Recipes that bring their pixels along."""


def wish(name: str) -> Wish:
    if name in AT_HOME:
        return Wish(name, limit=2)
    return Wish(name, provider="sandbox", scale="areas=2 side=2560 steps=3")


@pytest.mark.parametrize("name", resources.recipe_files())
def test_plan_of_two_patches_then_as_before(name: str) -> None:
    plan = prepare(wish(name)).plan
    found = {
        "digest": plan.digest,
        "patches": [patch.id for patch in plan.patches],
        "placed": [placed.split for placed in plan.placed],
        "tasks": [task.id for task in plan.tasks],
        "choices": {
            modality: {
                area: ["+".join(plan.items[i].id for i in c.items) or c.reason for c in row]
                for area, row in by_area.items()
            }
            for modality, by_area in plan.choices.items()
        },
    }
    path = FOLDER / f"{name}.json"
    if os.environ.get("EODATA_UPDATE_GOLDEN"):
        path.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(path.read_text())
