"""What a step is compared with: from the shard that fills, or from the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eodata.build.reference import Reference, reach_of, reference_of
from eodata.build.shard import Shard
from eodata.core.grid import place_in, window_of
from eodata.core.plan import Plan
from eodata.pipeline.coregister.view import shrunk, view_of
from eodata.store.sink import shard_paths
from tests.build.compared import Held, fill, make, shard_of, shown
from tests.build.textured import Textured, item, optical, reference, window

ALL = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make()


def of(
    plan: Plan,
    store: Held,
    shard: Shard,
    step: int,
    positions: Any = ALL,
    mover: str = "",
) -> Reference | None:
    modality = plan.modalities[mover] if mover else shard.modality
    held: Any = store
    return reference_of(plan, held, Textured(), shard, modality, positions, step)


def expected(plan: Plan, name: str, block: int, positions: Any, factor: int, bands: Any) -> Any:
    """Return the view of the world on the window of some patches, shrunk."""
    modality = plan.modalities[name]
    patches = [plan.blocks[block].patches[p] for p in positions]
    grid = window_of(patches, modality.gsd)
    valid = np.zeros(tuple(grid.shape), np.bool_)
    for patch in patches:
        valid[place_in(grid, patch, modality.gsd)] = True
    told = [modality.bands[i] for i in bands]
    values = shown(grid, modality)[list(bands)]
    return shrunk(view_of(values, valid, told, "optical"), factor)


def assert_shows(found: Reference | None, view: Any) -> None:
    assert found is not None
    np.testing.assert_array_equal(found.view.valid, view.valid)
    np.testing.assert_allclose(found.view.values, view.values, atol=1e-6)


def test_nothing_to_compare_then_none(plan: Plan) -> None:
    for name in ("dem", "extra"):
        store = Held(plan)
        assert of(plan, store, shard_of(plan, name), 0) is None
        assert store.asked == []


def test_reference_step_then_it_is_compared_with_nothing(plan: Plan) -> None:
    assert plan.reference_step("s2", plan.patches[0].area) == 0
    assert of(plan, Held(plan), shard_of(plan, "s2"), 0) is None
    assert of(plan, Held(plan), shard_of(plan, "s1"), 0) is not None


def test_reference_in_the_same_shard_then_the_store_is_not_asked(plan: Plan) -> None:
    store, shard = Held(plan), shard_of(plan, "s2")
    fill(plan, shard, 0)
    found = of(plan, store, shard, 2)
    assert store.asked == []
    assert found is not None
    assert (found.name, found.shrink) == ("s2@0", 1)
    # green before blue, as they are compared
    assert_shows(found, expected(plan, "s2", 0, ALL, 1, (1, 0)))
    assert found.view.valid.mean() == pytest.approx(4 / 6)  # the patches are no rectangle


def test_reference_in_a_later_shard_that_fills_then_from_there_too() -> None:
    plan = make(shard_mb=0.14, s2={"coregister_to": {"step": 3}})
    store, shard = Held(plan), shard_of(plan, "s2", block=1, first=2)
    assert (shard.task.first, shard.task.last) == (2, 4)
    fill(plan, shard, 3)
    assert_shows(of(plan, store, shard, 2), expected(plan, "s2", 1, ALL, 1, (1, 0)))
    assert store.asked == []


def test_reference_in_another_shard_then_it_comes_from_the_store() -> None:
    plan = make(shard_mb=0.001, s2={"coregister_to": {"step": 1}})
    store, shard = Held(plan), shard_of(plan, "s2", block=1, first=2)
    assert (shard.task.first, shard.task.last) == (2, 3)
    found = of(plan, store, shard, 2)
    assert store.asked == [("s2", slice(4, 8), slice(1, 2))]
    assert found is not None
    assert found.name == "s2@1"
    assert found.alignment.moves
    assert_shows(found, expected(plan, "s2", 1, ALL, 1, (1, 0)))


def test_steps_of_a_block_then_their_reference_is_read_once(plan: Plan) -> None:
    store = Held(plan)
    first, *others = (of(plan, store, shard_of(plan, "s1"), step) for step in range(4))
    assert len(store.asked) == 1
    assert first is not None
    assert all(other is not None and other.view is first.view for other in others)
    of(plan, store, shard_of(plan, "s1", block=1), 0)
    of(plan, store, shard_of(plan, "coarse"), 0)
    assert [rows.start for _, rows, _ in store.asked] == [0, 4]  # B11 is compared at 20 m too
    of(plan, store, shard_of(plan, "s1"), 0, (1, 2))
    assert store.asked[2:] == [("s2", slice(1, 3), slice(0, 1))]


def test_reference_that_is_written_anew_then_it_is_read_again(plan: Plan, tmp_path: Path) -> None:
    store = Held(plan, path=tmp_path)
    files = [tmp_path / p for p in shard_paths(shard_of(plan, "s2").task, plan.layout("s2"))]
    for second in (1, 1, 2):
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            os.utime(file, (second, second))
        of(plan, store, shard_of(plan, "s1"), 0)
    assert len(store.asked) == 2


def test_some_patches_of_a_block_then_only_their_rows_and_their_window(plan: Plan) -> None:
    store = Held(plan)
    found = of(plan, store, shard_of(plan, "s1", block=1), 1, (1, 2))
    assert store.asked == [("s2", slice(5, 7), slice(0, 1))]
    assert_shows(found, expected(plan, "s2", 1, (1, 2), 2, (1, 0)))
    shard = shard_of(plan, "s2", block=1)
    fill(plan, shard, 0)
    assert_shows(of(plan, store, shard, 1, (1, 2)), expected(plan, "s2", 1, (1, 2), 1, (1, 0)))


def test_compared_modality_of_longer_pixels_then_the_reference_is_shrunk(plan: Plan) -> None:
    found = of(plan, Held(plan), shard_of(plan, "s1"), 0)
    assert found is not None
    assert (found.name, found.shrink) == ("s2@0", 1)
    assert_shows(found, expected(plan, "s2", 0, ALL, 2, (1, 0)))


def test_reference_of_longer_pixels_then_the_compared_modality_is_shrunk() -> None:
    plan = make(s2={"coregister_to": "s1"}, checks={"measure_shifts": False})
    found = of(plan, Held(plan), shard_of(plan, "s2"), 0)
    assert found is not None
    assert found.shrink == 2
    assert found.name.startswith("s1@")
    assert found.view.values.shape == (2, 64, 96)


def test_band_of_longer_pixels_on_fine_ones_then_both_sides_are_shrunk(plan: Plan) -> None:
    # B11 has pixels of 20 m, and is stored on those of 10 m.
    found = of(plan, Held(plan), shard_of(plan, "coarse"), 0)
    assert found is not None
    assert found.shrink == 2
    assert found.view.valid.shape == (64, 96)


def test_follower_then_it_is_compared_as_its_leader_is() -> None:
    plan = make(s2={"coregister_to": {}})
    store, shard = Held(plan), shard_of(plan, "extra")
    assert of(plan, store, shard, 0, mover="s2") is None
    found = of(plan, store, shard, 1, mover="s2")
    assert store.asked == [("s2", slice(0, 4), slice(0, 1))]
    assert_shows(found, expected(plan, "s2", 0, ALL, 1, (1, 0)))


def test_lost_sample_of_the_reference_then_its_ground_is_not_valid(plan: Plan) -> None:
    found = of(plan, Held(plan, lost=[1]), shard_of(plan, "s1"), 0)
    assert found is not None
    view = expected(plan, "s2", 0, (0, 2, 3), 2, (1, 0))
    assert found.view.valid.sum() == view.valid.sum()


def test_compare_then_the_shift_of_the_image(plan: Plan) -> None:
    shard = shard_of(plan, "s2")
    fill(plan, shard, 0)
    found = of(plan, Held(plan), shard, 1)
    assert found is not None
    modality = plan.modalities["s2"]
    grid = window_of(plan.blocks[0].patches, 10)
    moved = Textured({"a": (1.5, -0.75)}).read(item("a"), modality.reads, grid)
    values = np.stack([moved.values[i] for i in (1, 0)])
    bands = [modality.bands[i] for i in (1, 0)]
    finding = found.compare(values, moved.valid[0], bands)
    assert finding.field is not None
    assert finding.field.mean == pytest.approx((1.5, -0.75), abs=0.1)
    nothing = found.compare(values, np.zeros_like(moved.valid[0]), bands)
    assert nothing.field is None
    assert nothing.why
    assert found.compare(np.full_like(values, 7), moved.valid[0], bands).field is None


@pytest.mark.parametrize(
    ("reach", "factor", "found"), [(6, 1, 7), (6, 2, 4), (7, 2, 5), (6, 50, 2), (1, 1, 2)]
)
def test_reach_then_in_pixels_of_the_comparison(reach: int, factor: int, found: int) -> None:
    assert reach_of(reach, factor) == found


def test_shift_within_reach_alone_is_found() -> None:
    where = window(160, 160)
    modality = optical("B02", reach=3)
    near, far = (Textured({"a": (row, 0.0)}) for row in (2.0, 6.0))
    against = reference(where, modality)
    for archive, known in ((near, True), (far, False)):
        pixels = archive.read(item("a"), modality.reads, where)
        told = against.compare(np.stack(pixels.values), pixels.valid[0], modality.bands)
        assert (told.field is not None and abs(told.field.mean[0] - 2) < 0.1) is known


def test_steps_of_one_shard_then_their_reference_is_worked_out_once(plan: Plan) -> None:
    shard = shard_of(plan, "s2")
    fill(plan, shard, 0)
    store = Held(plan)
    first, second = (of(plan, store, shard, step) for step in (1, 2))
    assert first is not None
    assert second is not None
    assert first.view is second.view
    assert first.kept is second.kept
