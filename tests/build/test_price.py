"""What a build will cost counts what composites read and hold beside their pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eodata.build.locations import Wish
from eodata.build.prepare import prepare
from eodata.build.price import price


@pytest.fixture(scope="module")
def plan():
    wish = Wish("sen12ms", provider="sandbox", scale="areas=1 side=2560 images=2")
    return prepare(wish).plan


def test_reads_count_the_bands_that_decide_a_composite(plan) -> None:
    (row,) = plan.choices["s2"].values()
    n_items = sum(len(choice.items) for choice in row)
    others = sum(
        len(plan.modalities[name].reads) * len(choice.items)
        for name in ("s1", "lc")
        for by_area in plan.choices[name].values()
        for choice in by_area
    )
    # 13 bands, and 8 that decide: for the window, and once for the whole area.
    assert price(plan)["reads"] == others + n_items * (13 + 8 + 8)


def test_memory_grows_as_the_sun_goes_down(plan) -> None:
    def with_sun(degrees: float) -> int:
        items = tuple(
            replace(item, properties={**item.properties, "view:sun_elevation": degrees})
            for item in plan.items
        )
        return int(price(replace(plan, items=items))["bytes_in_memory_per_task"])

    assert with_sun(60.0) < with_sun(20.0) < with_sun(6.0)
    assert with_sun(6.0) > 500_000_000
