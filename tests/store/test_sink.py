import pickle
from hashlib import sha256

import numpy as np
import pytest
import zarr

from eodata.core.errors import StoreError
from eodata.core.layout import ArrayLayout
from eodata.core.plan import Task
from eodata.core.protocols import Sink
from eodata.store.arrays import create_arrays
from eodata.store.files import DATA
from eodata.store.reader import StoreReader
from eodata.store.sink import ZarrSink, shard_paths


def test_write_when_every_task_wrote_then_zarr_alone_reads_the_truth(built_once, plan, truth):
    group = zarr.open_group(built_once / DATA, mode="r")
    for task in plan.tasks:
        told, block = truth(plan, task), plan.blocks[task.block]
        rows = slice(block.first_row, block.first_row + len(block.patches))
        steps = slice(task.first, task.last)
        np.testing.assert_array_equal(group[task.modality][rows, steps], told.values)
        np.testing.assert_array_equal(group[f"{task.modality}_valid"][rows, steps], told.valid)
    assert not group["s2_valid"][5:].any()


def test_write_when_shards_are_reported_then_files_have_that_size_and_checksum(
    tmp_path, plan, build
):
    shards = [shard for task in build(tmp_path, plan).values() for shard in task]
    assert len({shard.path for shard in shards}) == len(shards)
    for shard in shards:
        if shard.sha256:
            data = (tmp_path / shard.path).read_bytes()
            assert (len(data), sha256(data).hexdigest()) == (shard.size, shard.sha256)
    empty = [shard.path for shard in shards if not shard.sha256]
    assert f"{DATA}/s2/c/0/2/0/0/0" in empty
    assert f"{DATA}/s2_valid/c/1/2/0/0" in empty
    assert not any((tmp_path / path).exists() for path in empty)


def test_write_when_a_second_attempt_finds_nothing_then_the_old_file_goes(tmp_path, plan, truth):
    create_arrays(tmp_path, plan)
    sink, task = ZarrSink(tmp_path, plan), plan.tasks[0]
    told = truth(plan, task)
    written = sink.write(task, told.values, told.valid)
    again = sink.write(task, np.zeros_like(told.values), np.zeros_like(told.valid))
    assert [shard.path for shard in again] == [shard.path for shard in written]
    assert [(shard.sha256, shard.size) for shard in again] == [("", 0)] * 2
    assert not any((tmp_path / shard.path).exists() for shard in written)
    assert not StoreReader(tmp_path).read("s2", 0)[1].any()


def test_write_when_values_fill_the_whole_block_then_rows_without_patch_stay_fill(
    tmp_path, plan, truth
):
    create_arrays(tmp_path, plan)
    task = next(t for t in plan.tasks if t.block == 1)
    _, _, *rest = plan.layout(task.modality).shard
    steps = task.last - task.first
    values = np.ones((4, steps, *rest), "uint16")
    ZarrSink(tmp_path, plan).write(task, values, np.ones((4, steps, *rest[1:]), bool))
    array = zarr.open_array(tmp_path / DATA / task.modality, mode="r")
    assert (array[4, task.first] == 1).all()
    assert not array[5:].any()


def test_write_when_the_same_is_written_twice_then_same_bytes(tmp_path, plan, build):
    assert build(tmp_path / "one", plan) == build(tmp_path / "two", plan)


def test_write_when_sink_was_pickled_then_it_still_writes(tmp_path, plan, truth):
    create_arrays(tmp_path, plan)
    sink: Sink = pickle.loads(pickle.dumps(ZarrSink(tmp_path, plan)))  # noqa: S301 (our own)
    told = truth(plan, plan.tasks[0])
    assert all(s.sha256 for s in sink.write(plan.tasks[0], told.values, told.valid))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda values, valid: (values[:, :1], valid), "values"),
        (lambda values, valid: (values[:2], valid[:2]), "values"),
        (lambda values, valid: (values[..., :8], valid), "values"),
        (lambda values, valid: (values.astype("float32"), valid), "values"),
        (lambda values, valid: (values[0], valid), "values"),
        (lambda values, valid: (values, valid[:, :, None]), "valid"),
        (lambda values, valid: (values, valid.astype("uint8")), "valid"),
    ],
)
def test_write_when_arrays_do_not_fit_the_task_then_store_error(
    tmp_path, plan, truth, change, named
):
    told, task = truth(plan, plan.tasks[0]), plan.tasks[0]
    with pytest.raises(StoreError) as caught:
        ZarrSink(tmp_path, plan).write(task, *change(told.values, told.valid))
    assert task.id in caught.value.where
    assert caught.value.found.startswith(named)
    assert not list(tmp_path.iterdir())


def test_shard_paths_when_a_shard_holds_several_chunks_then_the_group_counts_shards():
    layout = ArrayLayout((64, 12, 3, 8, 8), (1, 2, 3, 8, 8), (32, 4, 3, 8, 8), "uint8")
    assert shard_paths(Task("t", "s2", block=1, first=8, last=12), layout) == (
        "data.zarr/s2/c/1/2/0/0/0",
        "data.zarr/s2_valid/c/1/2/0/0",
    )
