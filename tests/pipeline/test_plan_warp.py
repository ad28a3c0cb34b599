"""Who brings pixels onto the grid stands in the plan, for all that a modality reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from eodata.core.modality_plan import ModalityPlan
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.pipeline.plan import plan_modality

Planner = Callable[..., Plan]


@pytest.fixture
def planned(raw: dict[str, Any], tables: dict[str, Product]) -> Callable[..., ModalityPlan]:
    def plan(**said: Any) -> ModalityPlan:
        raw["modalities"]["s2"] |= said
        recipe = Recipe.parse(raw, "x.yaml")
        return plan_modality(recipe, "s2", tables, {}, {"s2": "archive", "s1": "archive"}, {})

    return plan


def test_server_then_every_band_and_the_rule_of_validity_say_so(planned) -> None:
    found = planned(warped_by="server")
    assert found.validity is not None
    reads = [*found.reads, found.validity[0]]
    assert {read.warped_by for read in reads} == {"server"}


def test_nothing_said_then_it_is_the_client(planned) -> None:
    found = planned()
    assert {read.warped_by for read in found.reads} == {"client"}


def test_plan_when_the_server_warps_then_another_digest_and_it_is_read_back(
    plan_of: Planner, raw: dict[str, Any]
) -> None:
    plain = plan_of()
    raw["modalities"]["s2"]["warped_by"] = "server"
    plan = plan_of()
    assert plan.digest != plain.digest
    assert Plan.from_json(json.loads(plan.dumps())) == plan
