from dataclasses import replace
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from shapely import equals_exact

from eodata.core.errors import StoreError
from eodata.core.outcome import Outcome, Status
from eodata.core.split import Placed
from eodata.store.files import SAMPLES, STEPS
from eodata.store.outcome_grid import outcome_grid
from eodata.store.reader import StoreReader
from eodata.store.tables import write_tables

ACQUIRED = datetime(2023, 3, 3, 10, 0, 0, 7, tzinfo=UTC)


@pytest.fixture
def outcomes(plan, truth):
    return [(task.id, o) for task in plan.tasks for o in truth(plan, task).outcomes]


@pytest.fixture
def tables(tmp_path, plan):
    """Write tables for other outcomes or another plan, and read them with geopandas alone."""

    def write(outcomes, plan=plan):
        write_tables(tmp_path, plan, outcomes)
        return gpd.read_parquet(tmp_path / SAMPLES), pd.read_parquet(tmp_path / STEPS)

    return write


def _with(outcomes, modality, row, step, **changes):
    return [
        (t, replace(o, **changes))
        if (t.split("-")[0], o.row, o.step) == (modality, row, step)
        else (t, o)
        for t, o in outcomes
    ]


def test_samples_when_read_with_geopandas_alone_then_every_sample_has_its_ground(built_once, plan):
    samples = gpd.read_parquet(built_once / SAMPLES)
    assert samples.crs == "EPSG:4326"
    assert list(samples["row"]) == [0, 1, 2, 3, 4]
    assert list(samples["id"]) == [p.id for p in plan.patches]
    assert list(samples["split"]) == ["train"] * 3 + ["test"] * 2
    assert list(samples["season"]) == ["spring"] * 3 + [""] * 2
    assert list(samples["proj:code"]) == ["EPSG:32632"] * 5
    assert samples["proj:bbox"][0].tolist() == [500_000, 5_429_840, 500_160, 5_430_000]
    assert equals_exact(samples.geometry[4], plan.patches[4].footprint, 1e-12)
    assert samples["start_datetime"].dtype == "datetime64[us, UTC]"
    assert samples["start_datetime"][3] == plan.areas["b"].time.start
    assert samples["end_datetime"][0] == plan.recipe.time.span.end
    box = gpd.read_parquet(built_once / SAMPLES, bbox=tuple(samples.geometry[4].centroid.bounds))
    assert list(box["row"]) == [4]


def test_samples_when_a_step_failed_then_the_sample_says_which_and_why(built_once):
    samples = gpd.read_parquet(built_once / SAMPLES)
    assert list(samples["status"]) == ["done"] * 4 + ["failed"]
    assert samples["reason"][4] == "sar step 6: HTTP 500"
    assert list(samples["s2:done"]) == [5, 4, 5, 5, 5]
    assert list(samples["lc:done"]) == [1] * 5
    assert "s2:marked" not in samples
    assert (samples["cloud:marked"] == 0.25).all()
    assert (samples["eo:cloud_cover"] == 25.0).all()


def test_samples_when_steps_are_done_then_valid_is_their_mean(built_once):
    samples, steps = gpd.read_parquet(built_once / SAMPLES), pd.read_parquet(built_once / STEPS)
    done = steps[(steps["status"] == "done") & (steps["modality"] == "s2")]
    np.testing.assert_allclose(samples["s2:valid"], done.groupby("row")["valid"].mean())


def test_samples_when_no_class_mask_is_there_then_the_stated_cloud_of_done_steps(
    tables, plan, outcomes
):
    modalities = {k: m for k, m in plan.modalities.items() if k != "cloud"}
    kept = [(t, o) for t, o in outcomes if not t.startswith("cloud")]
    samples, _ = tables(kept, replace(plan, modalities=modalities))
    assert samples["eo:cloud_cover"][0] == pytest.approx((0 + 10 + 20 + 30 + 60) / 5)
    assert samples["eo:cloud_cover"][1] == pytest.approx((0 + 10 + 30 + 60) / 4)  # 2 is rejected


def test_samples_when_nothing_was_built_then_failed_and_nulls(tables):
    samples, steps = tables([])
    assert set(samples["status"]) == {"failed"}
    assert set(samples["reason"]) == {"not built"}
    assert samples[["s2:valid", "cloud:marked", "eo:cloud_cover"]].isna().all(axis=None)
    assert set(steps["reason"]) == {"not built"}


def test_samples_when_one_step_has_no_outcome_then_failed_names_it(tables, outcomes):
    samples, _ = tables([(t, o) for t, o in outcomes if (o.row, o.step) != (0, 3)])
    assert samples["reason"][0] == "s2 step 3: not built"


def test_samples_when_the_static_layer_is_rejected_then_rejected(tables, outcomes):
    changed = _with(outcomes, "lc", 2, 0, status=Status.REJECTED, reason="no valid pixel")
    samples, _ = tables(changed)
    assert (samples["status"][2], samples["reason"][2]) == ("rejected", "lc: no valid pixel")


def test_samples_when_no_step_of_the_anchor_is_done_then_rejected(tables, plan, outcomes):
    changed = outcomes
    for step in range(7):
        changed = _with(changed, "s2", 2, step, status=Status.EMPTY, reason="no item")
    samples, _ = tables(changed)
    assert samples["status"][2] == "rejected"
    assert samples["reason"][2] == "no step of s2 is done, s2 step 0: no item"
    assert samples["s2:done"][2] == 0
    assert np.isnan(samples["s2:valid"][2])


def test_samples_when_the_plan_rejected_the_patch_then_its_reason_stands(tables, plan, outcomes):
    placed = (Placed("train", "a", "split-distance: overlaps"), *plan.placed[1:])
    samples, _ = tables(outcomes, replace(plan, placed=placed))
    assert samples["status"][0] == "rejected"
    assert samples["reason"][0] == "split-distance: overlaps"


def test_samples_when_crs_has_no_code_then_null(tables, make_plan):
    crs = "+proj=laea +lat_0=12.3 +lon_0=45.6 +datum=WGS84 +units=m"
    samples, _ = tables([], make_plan(crs=(crs, crs)))
    assert samples["proj:code"].isna().all()
    assert set(samples["crs"]) == {crs}


def test_steps_when_read_back_then_one_row_per_sample_modality_and_step(built_once, plan, outcomes):
    steps = StoreReader(built_once).steps()
    assert len(steps) == 5 * (4 * 7 + 1)
    keys = steps[["row", "modality", "step"]].apply(tuple, axis=1)
    assert keys.is_unique
    assert list(keys[:3]) == [(0, "s2", 0), (0, "s2", 1), (0, "s2", 2)]
    told = {(o.row, t.split("-")[0], o.step): o for t, o in outcomes}
    for key, line in zip(keys, steps.itertuples(), strict=True):
        o = told[key]
        assert line.id == plan.patches[o.row].id
        assert (line.status, line.reason, line.valid) == (o.status, o.reason, o.valid)
        assert line.clipped == o.clipped
        assert (o.marked is None and np.isnan(line.marked)) or line.marked == o.marked


def test_steps_when_items_were_chosen_then_their_facts_stand(built_once, plan):
    steps = StoreReader(built_once).steps().set_index(["row", "modality", "step"])
    first = steps.loc[(0, "s2", 1)]
    assert list(first["items"]) == ["S2_1"]
    assert first["datetime"] == ACQUIRED + timedelta(days=10)
    assert first["start"] == plan.spans("a")[1].start
    assert first["end"] == plan.spans("a")[1].end
    assert (first["platform"], first["relative_orbit"]) == ("sentinel-2a", 22)
    assert first["sun_azimuth"] == 151.5
    assert first["cloud_cover"] == 10.0
    assert pd.isna(first["orbit_state"])
    assert steps.loc[(3, "s2", 1), "start"] == plan.spans("b")[1].start
    assert steps.loc[(0, "cloud", 1), "datetime"] == first["datetime"]


def test_steps_when_there_is_a_gap_then_nulls_and_no_items(built_once):
    steps = StoreReader(built_once).steps()
    gap = steps[(steps["modality"] == "s2") & (steps["step"] == 4)].iloc[0]
    assert pd.isna(gap["datetime"])
    assert list(gap["items"]) == []
    assert pd.isna(gap["relative_orbit"])
    assert steps["relative_orbit"].dtype == "Int64"
    assert steps["datetime"].dtype == "datetime64[us, UTC]"


def test_steps_when_layer_is_static_then_step_zero_spans_the_whole_time(built_once, plan):
    steps = StoreReader(built_once).steps()
    static = steps[steps["modality"] == "lc"].iloc[3]
    assert (static["step"], static["row"]) == (0, 3)
    assert (static["start"], static["end"]) == (
        plan.areas["b"].time.start,
        plan.areas["b"].time.end,
    )


def test_tables_when_stored_then_zstd_and_geoparquet_with_a_covering(built_once):
    steps = pq.ParquetFile(built_once / STEPS)
    assert steps.metadata.row_group(0).column(0).compression == "ZSTD"
    assert str(steps.schema_arrow.field("start").type) == "timestamp[us, tz=UTC]"
    geo = pq.read_schema(built_once / SAMPLES).metadata[b"geo"]
    assert b'"version": "1.1.0"' in geo
    assert b'"covering"' in geo


@pytest.mark.parametrize(
    "told",
    [
        ("s2-b0000-t000", Outcome(4, 0, Status.DONE)),
        ("s2-b0000-t000", Outcome(0, 2, Status.DONE)),
        ("s9-b0000-t000", Outcome(0, 0, Status.DONE)),
    ],
)
def test_write_tables_when_an_outcome_is_foreign_to_the_plan_then_store_error(tmp_path, plan, told):
    with pytest.raises(StoreError, match="another plan"):
        write_tables(tmp_path, plan, [told])
    assert not list(tmp_path.iterdir())


def test_outcome_grid_when_an_outcome_comes_twice_then_it_was_seen_twice(plan, outcomes):
    seen = outcome_grid(plan, [*outcomes, outcomes[0]]).seen
    assert seen[0, 0] == 2
    assert (np.sort(seen.ravel())[:-1] == 1).all()
