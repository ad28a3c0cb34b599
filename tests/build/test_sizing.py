"""The size of a store is known before any archive is asked."""

from __future__ import annotations

import pytest

from eodata.build.locations import Wish
from eodata.build.prepare import prepare
from eodata.build.price import price
from eodata.build.sizing import size_of


@pytest.mark.parametrize("limit", [None, 5])
def test_size_from_the_recipe_alone_is_that_of_the_plan(limit) -> None:
    plan = prepare(Wish("demo", limit=limit)).plan
    size, costs = size_of(plan.recipe, len(plan.patches)), price(plan)
    assert (size.blocks, size.files) == (costs["blocks"], costs["shard_files"])
    rows = len(plan.blocks) * plan.recipe.store.block
    assert size.bytes * rows == costs["bytes_uncompressed"] * len(plan.patches)
    assert size.bytes > 1_000_000


def test_size_of_a_scaled_recipe_is_smaller() -> None:
    whole = prepare(Wish("sen12ms-cr-ts", provider="sandbox", scale="areas=1 side=2560 steps=2"))
    recipe = whole.plan.recipe
    # Two steps of the mask fit into one shard, those of the three others do not.
    assert size_of(recipe, 1).files == 2 * (2 + 2 + 2 + 1)
    # 2 steps of 13 bands of 2 bytes, 2 of 4, and a probability of 4 and a mask of 1
    assert size_of(recipe, 1).bytes == 2 * 256 * 256 * (13 * 2 + 2 * 4 + 4 + 1)
