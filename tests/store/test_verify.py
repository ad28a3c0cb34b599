import json
import sqlite3
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from eodata.core.outcome import Status, TaskResult
from eodata.store.files import DATA, GROUP_METADATA, LEDGER, PLAN, SAMPLES, STEPS
from eodata.store.ledger import SqliteLedger
from eodata.store.sink import ZarrSink
from eodata.store.tables import write_tables
from eodata.store.verify import verify

SHARD = f"{DATA}/s2/c/0/0/0/0/0"
EMPTY_SHARD = f"{DATA}/s2/c/0/2/0/0/0"


def _failed(verdict):
    return {check.name: check.detail for check in verdict.checks if not check.ok}


@pytest.mark.parametrize("quick", [True, False])
def test_verify_when_store_is_as_built_then_ok(built_once, quick):
    verdict = verify(built_once, quick=quick)
    assert _failed(verdict) == {}
    assert verdict.ok
    assert len(verdict.checks) == 10


def test_verify_when_a_byte_is_flipped_then_the_shard_is_named(store):
    data = bytearray((store / SHARD).read_bytes())
    data[50] ^= 1
    (store / SHARD).write_bytes(data)
    failed = _failed(verify(store))
    assert failed["shards"].startswith(SHARD)
    assert "sha256" in failed["shards"]
    assert verify(store, quick=True).ok  # sizes alone cannot tell


@pytest.mark.parametrize("quick", [True, False])
def test_verify_when_a_shard_is_gone_then_it_is_named(store, quick):
    (store / SHARD).unlink()
    assert "the file is missing" in _failed(verify(store, quick=quick))["shards"]
    if not quick:
        path = store / f"{DATA}/s2_valid/c/0/0/0/0"
        path.unlink()
        assert _failed(verify(store))["pixels"].startswith("row 0, step 0: 0.000000")


def test_verify_when_a_shard_is_cut_short_then_pixels_fail_too(store):
    (store / SHARD).write_bytes((store / SHARD).read_bytes()[:-1])
    assert set(_failed(verify(store))) == {"shards", "pixels"}
    assert "the ledger says" in _failed(verify(store, quick=True))["shards"]


@pytest.mark.parametrize(
    ("place", "check"),
    [
        (f"{DATA}/s2/c/9/0/0/0/0", "strays"),
        (f"{DATA}/notes.txt", "strays"),
        (f"{SHARD}.0123.partial", "strays"),
        (f"{SAMPLES}.0123.partial", "strays"),
        (EMPTY_SHARD, "shards"),
    ],
)
def test_verify_when_a_file_is_there_that_nobody_wrote_then_it_is_named(store, place, check):
    (store / place).parent.mkdir(parents=True, exist_ok=True)
    (store / place).write_bytes(b"x")
    assert place in _failed(verify(store, quick=True))[check]


@pytest.mark.parametrize(
    ("column", "value"), [("split", "test"), ("status", "rejected"), ("s2:done", 0), ("left", 1.0)]
)
def test_verify_when_a_sample_was_edited_then_row_and_column_are_named(store, column, value):
    samples = gpd.read_parquet(store / SAMPLES)
    samples.loc[2, column] = value
    samples.to_parquet(store / SAMPLES, write_covering_bbox=True)
    detail = _failed(verify(store, quick=True))["tables"]
    assert f"{SAMPLES}, line 2, {column}" in detail


def test_verify_when_a_sample_was_moved_then_its_geometry_is_named(store):
    samples = gpd.read_parquet(store / SAMPLES)
    samples.geometry = samples.geometry.translate(1e-5)
    samples.to_parquet(store / SAMPLES, write_covering_bbox=True)
    assert "line 0, geometry" in _failed(verify(store, quick=True))["tables"]


def test_verify_when_steps_were_edited_or_dropped_then_named(store):
    steps = pd.read_parquet(store / STEPS)
    edited = steps.copy()
    edited.loc[7, "valid"] += 0.01
    edited.to_parquet(store / STEPS)
    assert f"{STEPS}, line 7, valid" in _failed(verify(store, quick=True))["tables"]
    steps[:-1].to_parquet(store / STEPS)
    assert "has 144 rows, plan and ledger have 145" in _failed(verify(store))["tables"]
    (store / STEPS).unlink()
    assert STEPS in _failed(verify(store))["tables"]


def test_verify_when_others_added_a_column_then_still_ok(store):
    steps = pd.read_parquet(store / STEPS)
    steps.assign(shift_px=0.1).to_parquet(store / STEPS)
    assert verify(store).ok


def test_verify_when_the_plan_was_edited_then_nothing_else_is_believed(store):
    path = store / PLAN
    data = json.loads(path.read_text())
    data["placed"][0][0] = "test"
    path.write_text(json.dumps(data))
    verdict = verify(store)
    assert not verdict.ok
    assert [check.name for check in verdict.checks] == ["plan"]
    assert "its content has" in verdict.checks[0].detail


def test_verify_when_array_attributes_were_edited_then_named(store):
    path = store / DATA / "s2" / "zarr.json"
    path.write_text(path.read_text().replace("0.0001", "0.0002"))
    assert "s2/zarr.json" in _failed(verify(store, quick=True))["arrays"]


def test_verify_when_the_arrays_follow_another_plan_then_named(store, plan):
    path = store / GROUP_METADATA
    path.write_text(path.read_text().replace(plan.digest, "0" * 64))
    assert "states plan 000" in _failed(verify(store, quick=True))["arrays"]


def test_verify_when_the_ledger_is_gone_then_named(store):
    (store / LEDGER).unlink()
    assert "no ledger" in _failed(verify(store))["ledger"]


def test_verify_when_an_outcome_is_missing_then_row_and_step_are_named(store):
    db = sqlite3.connect(store / LEDGER)
    with db:
        db.execute("DELETE FROM outcomes WHERE task LIKE 'sar%' AND row = 2 AND step = 3")
    db.close()
    assert "row 2, sar step 3: 0 outcomes" in _failed(verify(store, quick=True))["outcomes"]


def _finish_again(store, plan, truth, name, change):
    """Let the first task of a modality end otherwise, in store, ledger and tables alike."""
    task = next(t for t in plan.tasks if t.modality == name)
    told = change(truth(plan, task))
    with SqliteLedger(store) as ledger:
        shards = ZarrSink(store, plan).write(task, told.values, told.valid)
        ledger.finish(TaskResult(task.id, told.outcomes, shards), 2)
        write_tables(store, plan, ledger.outcomes())


def test_verify_when_pixels_are_not_as_valid_as_told_then_row_and_step_are_named(
    store, plan, truth
):
    def change(told):
        valid = told.valid.copy()
        valid[2, 1, 0, 0] ^= True
        return replace(told, valid=valid)

    _finish_again(store, plan, truth, "s2", change)
    failed = _failed(verify(store))
    assert set(failed) == {"pixels"}
    assert failed["pixels"].startswith("row 2, step 1:")
    assert verify(store, quick=True).ok


def test_verify_when_valid_pixels_are_nan_then_named(store, plan, truth):
    def change(told):
        return replace(told, values=np.full_like(told.values, np.nan))

    _finish_again(store, plan, truth, "sar", change)
    assert "NaN" in _failed(verify(store))["pixels"]


def test_verify_when_a_gap_has_pixels_or_a_done_step_has_none_then_named(store, plan, truth):
    def ghost(told):
        first = replace(told.outcomes[0], status=Status.EMPTY)
        return replace(told, outcomes=(first, *told.outcomes[1:]))

    def hollow(told):
        zero = np.zeros_like(told.valid)
        outcomes = tuple(replace(o, valid=0.0) for o in told.outcomes)
        return replace(told, valid=zero, outcomes=outcomes)

    _finish_again(store, plan, truth, "s2", ghost)
    assert "row 0, s2 step 0: empty" in _failed(verify(store))["outcomes"]
    _finish_again(store, plan, truth, "s2", hollow)
    failed = _failed(verify(store))
    assert set(failed) == {"outcomes"}
    assert "row 0, s2 step 0: done without a valid pixel" in failed["outcomes"]


@pytest.mark.parametrize(
    ("distance", "said"),
    [(400.0, "0 m"), (480.0, "0 m"), (1400.0, "920 m"), (1480.0, ""), (1479.0, "999 m")],
)
def test_verify_when_splits_are_too_near_then_the_patch_is_named(
    tmp_path, build, make_plan, distance, said
):
    # Area a ends 480 m east of its corner; the recipe wants 1000 m between the splits.
    build(tmp_path, make_plan(distance=distance))
    failed = _failed(verify(tmp_path, quick=True))
    if not said:
        assert failed == {}
        return
    assert set(failed) == {"splits"}
    assert ("(and 1 more)" in failed["splits"]) == (distance == 400.0)
    assert said in failed["splits"]
    assert "b_r000_c000" in failed["splits"]


def test_verify_when_the_near_patches_are_rejected_then_ok(tmp_path, build, make_plan):
    near = make_plan(distance=480.0)
    placed = tuple(
        replace(p, rejected="split-distance") if p.split == "train" else p for p in near.placed
    )
    build(tmp_path, replace(near, placed=placed))
    assert verify(tmp_path).ok


def test_verify_when_patches_of_two_splits_overlap_then_also_without_a_min_distance(
    tmp_path, build, make_plan
):
    def near(distance):
        plan = make_plan(distance=distance)
        split = plan.recipe.split.model_copy(update={"min_distance": 0.0})
        return replace(plan, recipe=plan.recipe.model_copy(update={"split": split}))

    build(tmp_path / "touch", near(480.0))
    assert verify(tmp_path / "touch", quick=True).ok
    build(tmp_path / "overlap", near(479.0))
    detail = _failed(verify(tmp_path / "overlap", quick=True))["splits"]
    assert detail == "patch b_r000_c000 overlaps a patch of another split"
