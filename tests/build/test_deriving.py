"""Derived shards: what is computed, and what becomes of samples whose source was lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from shapely.geometry import box

from eodata import resources
from eodata.build import deriving
from eodata.build.deriving import fill_derived
from eodata.build.shard import Shard
from eodata.core.item import Asset, Item
from eodata.core.outcome import Outcome, Status
from eodata.core.patch import Area
from eodata.core.plan import Plan
from eodata.core.recipe import Recipe
from eodata.pipeline.plan import Answers, make_plan

GROUND = box(3.0, 50.8, 3.02, 50.812)
PX = 32
SAMPLES, STEPS = 4, 3
RECIPE: dict[str, Any] = {
    "name": "small",
    "title": "Small",
    "licence": "CC0-1.0",
    "area": {"bbox": [3.0, 50.8, 3.02, 50.812], "patch": 320},
    "time": {"start": "2018-01-01", "end": "2018-01-31", "steps": STEPS},
    "modalities": {
        "mask": {"derive": "threshold", "from": "score", "above": 0.2},
        "score": {"derive": "schmitt-score", "from": "l1c"},
        "rules": {"derive": "cloud-shadow-rules", "from": "l1c"},
        "grey": {"derive": "stretch", "from": "l1c"},
        "greyer": {"derive": "stretch", "from": "grey", "sigmas": 1.0},
        "l1c": {"product": "sentinel-2-l1c", "gsd": 10, "anchor": True},
        "urban": {"derive": "class-mask", "from": "simple", "classes": [7]},
        "simple": {"derive": "class-map", "from": "igbp", "scheme": "igbp-simplified"},
        "igbp": {"product": "modis-mcd12q1", "bands": ["LC_Type1"], "gsd": 10},
    },
    "checks": {"min_valid": 0.25},
    "store": {"block": SAMPLES},
}


def make(**modalities: Any) -> Plan:
    raw = {**RECIPE, "modalities": modalities or RECIPE["modalities"]}
    recipe = Recipe.parse(raw, "small.yaml")
    read = [name for name, told in raw["modalities"].items() if "product" in told]
    assets = {"B02": Asset("B02", "b02.tif", 1e-4, 0.0, 0.0)}
    day = datetime(2018, 1, 5, tzinfo=UTC)
    records = [
        Item(f"item{n}", "c", day + timedelta(days=10 * n), GROUND.buffer(0.1), {}, assets)
        for n in range(STEPS)
    ]
    areas = {"area": Area("area", GROUND, "EPSG:32631")}
    answers = Answers(
        areas=areas,
        listed={},
        providers=dict.fromkeys(read, "sandbox"),
        items={name: {"area": records} for name in read},
        limit=SAMPLES,
    )
    return make_plan(recipe, resources.products(), resources.schemes(), answers)


class Arrays:
    """A store of arrays in memory."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[NDArray[Any], NDArray[np.bool_]]] = {}
        self.asked: list[tuple[slice, slice]] = []

    def read_block(self, name: str, rows: slice, steps: slice) -> tuple[Any, Any]:
        self.asked.append((rows, steps))
        values, valid = self.held[name]
        return values[rows, steps], valid[rows, steps]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make()


@pytest.fixture
def store() -> Arrays:
    """Clouds over half of each image, other ones in each; classes of IGBP with strangers."""
    rng = np.random.default_rng(1)
    held = Arrays()
    shape = (SAMPLES, STEPS, 13, PX, PX)
    dn = rng.integers(300, 2500, shape).astype(np.uint16)
    dn[:, :, 10] = 20
    bright = np.linspace(4000, 9000, SAMPLES * STEPS).reshape(SAMPLES, STEPS, 1, 1, 1)
    cloud = np.broadcast_to(bright, (*shape[:3], PX, PX // 2)).astype(np.uint16).copy()
    cloud[:, :, 11:] = cloud[:, :, 11:] * 0.7
    dn[..., : PX // 2] = cloud
    valid = np.ones((SAMPLES, STEPS, PX, PX), np.bool_)
    valid[1, :, :4] = False
    held.held["l1c"] = dn, valid
    classes = rng.choice([0, 1, 5, 13, 17, 99], (SAMPLES, 1, 1, PX, PX)).astype(np.uint8)
    held.held["igbp"] = classes, np.ones((SAMPLES, 1, PX, PX), np.bool_)
    return held


def derived(plan: Plan, store: Arrays, name: str, lost: Sequence[Outcome] = ()) -> Shard:
    """Derive the only shard of a modality, and put it into the store for others."""
    (task,) = [task for task in plan.tasks if task.modality == name]
    shard = Shard(plan, task)
    fill_derived(plan, store, shard, lost)  # type: ignore[arg-type]
    store.held[name] = shard.values, shard.valid
    return shard


EVERY = ["score", "mask", "rules", "grey", "greyer", "simple", "urban"]


@pytest.mark.parametrize("pixels", [1, PX * PX, 2 * PX * PX, 3 * PX * PX])
def test_batches_equal_all_at_once(
    plan: Plan, store: Arrays, monkeypatch: Any, pixels: int
) -> None:
    for name in EVERY:
        whole = derived(plan, store, name)
        with monkeypatch.context() as patched:
            patched.setattr(deriving, "BATCH_PIXELS", pixels)
            store.asked.clear()
            parts = derived(plan, store, name)
        assert len(store.asked) > 1, name
        np.testing.assert_array_equal(parts.values, whole.values)
        np.testing.assert_array_equal(parts.valid, whole.valid)
        assert parts.outcomes == whole.outcomes


def test_batches_are_no_larger_than_asked_for(plan: Plan, store: Arrays, monkeypatch: Any) -> None:
    monkeypatch.setattr(deriving, "BATCH_PIXELS", 2 * PX * PX)
    derived(plan, store, "score")
    sizes = [(r.stop - r.start) * (t.stop - t.start) for r, t in store.asked]
    assert max(sizes) == 2
    assert sum(sizes) == SAMPLES * STEPS


def test_every_sample_and_step_has_one_outcome(plan: Plan, store: Arrays) -> None:
    for name in EVERY:
        shard = derived(plan, store, name)
        steps = 1 if plan.modalities[name].static else STEPS
        assert [(o.row, o.step) for o in shard.outcomes] == [
            (row, step) for row in range(SAMPLES) for step in range(steps)
        ]
        assert {o.status for o in shard.outcomes} == {Status.DONE}


def test_marked_is_told_of_masks_alone_and_counts_valid_pixels_alone(
    plan: Plan, store: Arrays
) -> None:
    for name in EVERY:
        shard = derived(plan, store, name)
        if name not in ("mask", "rules", "urban"):
            assert {o.marked for o in shard.outcomes} == {None}
            continue
        for o in shard.outcomes:
            usable = shard.valid[o.row, o.step]
            assert o.marked == float(shard.values[o.row, o.step, 0][usable].mean())
    assert any(0 < (o.marked or 0) < 1 for o in shard.outcomes)


def test_a_chain_from_numbers_to_a_mask(plan: Plan, store: Arrays) -> None:
    score = derived(plan, store, "score")
    mask = derived(plan, store, "mask")
    marked = mask.values[:, :, 0] == 1
    np.testing.assert_array_equal(marked, (score.values[:, :, 0] > 0.2) & score.valid)
    assert marked[0, 0, :, 2].all()
    assert not marked[0, 0, :, -2].any()
    order = [task.modality for task in plan.tasks]
    assert order.index("l1c") < order.index("score") < order.index("mask")


def test_the_limits_of_a_stretch_are_told(plan: Plan, store: Arrays) -> None:
    told = [json.loads(o.measured)["limits"] for o in derived(plan, store, "grey").outcomes]
    bands = [band.name for band in plan.modalities["l1c"].bands]
    assert all(list(limits) == bands for limits in told)
    dn, valid = store.held["l1c"]
    seen = dn[1, 2, 3][valid[1, 2]] * 1e-4
    low, high = told[1 * STEPS + 2]["B04"]
    assert low == pytest.approx(seen.mean() - 2.5 * seen.std(), abs=1e-6)
    assert high == pytest.approx(seen.mean() + 2.5 * seen.std(), abs=1e-6)
    assert {o.measured for o in derived(plan, store, "score").outcomes} == {""}


def test_classes_that_no_scheme_lists_become_invalid(plan: Plan, store: Arrays) -> None:
    shard = derived(plan, store, "simple")
    old = store.held["igbp"][0][:, 0, 0]
    known = np.isin(old, [1, 5, 13, 17])
    np.testing.assert_array_equal(shard.valid[:, 0], known)
    expected = np.select([old == 1, old == 5, old == 13, old == 17], [1, 1, 7, 10], 0)
    np.testing.assert_array_equal(shard.values[:, 0, 0], expected)
    assert shard.outcomes[0].valid == known[0].mean()
    assert known[0].mean() < 1


def test_an_image_of_strangers_alone_is_rejected(plan: Plan, store: Arrays) -> None:
    store.held["igbp"][0][2] = 99
    outcomes = derived(plan, store, "simple").outcomes
    assert [o.status for o in outcomes].count(Status.REJECTED) == 1
    assert (outcomes[2].status, outcomes[2].reason) == (Status.REJECTED, "no valid pixel")


def test_static_sources_have_one_step(plan: Plan, store: Arrays) -> None:
    derived(plan, store, "simple")
    assert derived(plan, store, "urban").values.shape == (SAMPLES, 1, 1, PX, PX)


# ---- what becomes of lost ones ------------------------------------------------------------------

FATES = [
    Outcome(0, 1, Status.FAILED, "item a: it is gone"),
    Outcome(1, 0, Status.FAILED, "item b: too busy", retryable=True),
    Outcome(2, 2, Status.EMPTY, "no acquisition in this step"),
    Outcome(3, 0, Status.REJECTED, "offset: item c: of 1024 px …"),
]


def test_samples_without_pixels_share_the_fate_of_their_source(plan: Plan, store: Arrays) -> None:
    values, valid = store.held["l1c"]
    for fate in FATES:
        values[fate.row, fate.step], valid[fate.row, fate.step] = 0, False
    whole = {name: derived(plan, store, name, FATES) for name in ("score", "rules", "grey")}
    # The next of the chain hears from its own source, which shared their fate.
    lost = [o for o in whole["score"].outcomes if o.status is not Status.DONE]
    whole["mask"] = derived(plan, store, "mask", lost)
    for name, shard in whole.items():
        found = {(o.row, o.step): o for o in shard.outcomes}
        assert len(found) == SAMPLES * STEPS
        for fate in FATES:
            assert found[fate.row, fate.step] == fate, name
            assert not shard.valid[fate.row, fate.step].any()
        done = [o for o in shard.outcomes if o.status is Status.DONE]
        assert len(done) == SAMPLES * STEPS - len(FATES)
    fill = whole["score"].values[0, 1]
    assert np.isnan(fill).all()


def test_pixels_of_others_do_not_change_when_some_are_lost(plan: Plan, store: Arrays) -> None:
    before = derived(plan, store, "rules").values.copy()
    values, valid = store.held["l1c"]
    values[0, 1], valid[0, 1] = 0, False
    after = derived(plan, store, "rules", FATES[:1]).values
    np.testing.assert_array_equal(after[1:], before[1:])
    np.testing.assert_array_equal(after[0, [0, 2]], before[0, [0, 2]])


def test_a_rejected_source_with_pixels_is_derived_and_judged_anew(
    plan: Plan, store: Arrays
) -> None:
    _, valid = store.held["l1c"]
    valid[0, 0, 4:] = False
    reason = "min_valid: 0.1250 of the pixels, limit 0.25"
    lost = [Outcome(0, 0, Status.REJECTED, reason, valid=0.125)]
    first = derived(plan, store, "score", lost).outcomes[0]
    assert (first.status, first.reason, first.valid) == (Status.REJECTED, reason, 0.125)
    assert not np.isnan(store.held["score"][0][0, 0, 0, :4]).any()


def test_nothing_seen_and_no_fate_told_then_it_is_rejected(plan: Plan, store: Arrays) -> None:
    store.held["l1c"][1][3, 1] = False
    outcome = derived(plan, store, "score").outcomes[3 * STEPS + 1]
    assert (outcome.status, outcome.reason) == (Status.REJECTED, "no valid pixel")
    assert (outcome.row, outcome.step) == (3, 1)


def test_a_block_of_which_nothing_was_seen_is_not_computed(plan: Plan, store: Arrays) -> None:
    store.held["l1c"][1][:] = False
    lost = [
        Outcome(row, step, Status.EMPTY, "no acquisition in this step")
        for row in range(SAMPLES)
        for step in range(STEPS)
    ]
    for name in ("score", "rules", "grey"):
        shard = derived(plan, store, name, lost)
        assert shard.outcomes == lost
        assert not shard.valid.any()


def test_what_is_read_cannot_be_derived(plan: Plan, store: Arrays) -> None:
    (task,) = [task for task in plan.tasks if task.modality == "l1c"]
    with pytest.raises(TypeError, match="l1c is read"):
        fill_derived(plan, store, Shard(plan, task), ())  # type: ignore[arg-type]


# ---- the last block -----------------------------------------------------------------------------


def test_a_block_that_is_not_full_derives_its_own_patches_alone(plan: Plan, store: Arrays) -> None:
    short = replace(plan, patches=plan.patches[:3], placed=plan.placed[:3])
    shard = derived(short, store, "score")
    assert {o.row for o in shard.outcomes} == {0, 1, 2}
    assert shard.values.shape[0] == SAMPLES
    assert not shard.valid[3].any()
