import multiprocessing
import pickle
import shutil

import numpy as np
import pytest

from eodata.core.errors import StoreError
from eodata.store.files import DATA, GROUP_METADATA, LEDGER, PLAN, SAMPLES
from eodata.store.reader import StoreReader


def _read_in_child(reader, queue):
    values, valid = reader.read("s2", 3)
    queue.put((int(values.astype("int64").sum()), int(valid.sum())))


@pytest.fixture(scope="session")
def whole(plan, truth):
    """All pixels of a modality as plain NumPy, `(sample, time, ...)`."""

    def assemble(name):
        shape = plan.layout(name).shape
        values = np.full(shape, plan.modalities[name].fill, plan.modalities[name].dtype)
        valid = np.zeros((*shape[:2], *shape[3:]), bool)
        for task in plan.tasks:
            if task.modality == name:
                told, row = truth(plan, task), plan.blocks[task.block].first_row
                at = slice(row, row + len(told.values)), slice(task.first, task.last)
                values[at], valid[at] = told.values, told.valid
        return values, valid

    return assemble


@pytest.mark.parametrize("name", ["s2", "sar", "lc", "cloud"])
def test_read_when_compared_with_numpy_then_equal(built_once, whole, name):
    values, valid = whole(name)
    reader = StoreReader(built_once)
    for row in range(5):
        read = reader.read(name, row)
        np.testing.assert_array_equal(read[0], values[row])
        np.testing.assert_array_equal(read[1], valid[row])


@pytest.mark.parametrize("steps", [[0], [3, 4, 5], [6, 0, 1, 3], [2, 2], [5, 4], [], range(1, 7)])
@pytest.mark.parametrize("bands", [None, [1], [2, 0], []])
def test_read_when_steps_and_bands_are_picked_then_in_that_order(built_once, whole, steps, bands):
    values, valid = (array[2][list(steps)] for array in whole("s2"))
    read = StoreReader(built_once).read("s2", 2, steps, bands)
    np.testing.assert_array_equal(read[0], values if bands is None else values[:, bands])
    np.testing.assert_array_equal(read[1], valid)
    assert read[0].dtype == np.uint16
    assert read[1].dtype == bool


def test_reader_when_only_arrays_are_there_then_it_still_knows_everything(store, plan):
    (store / LEDGER).unlink()
    shutil.rmtree((store / PLAN).parent)
    reader = StoreReader(store)
    assert reader.names == ("s2", "sar", "scl", "lc", "cloud")
    assert reader.meta["title"] == "Small store"
    for name, modality in plan.modalities.items():
        assert reader.bands(name) == modality.bands
        assert reader.shape(name) == plan.layout(name).shape
        assert reader.gsd(name) == modality.gsd
        assert reader.is_static(name) == modality.static
        assert reader.attrs(name)["role"] == modality.role
    assert reader.read("s2", 0)[1].any()


def test_reader_when_pickled_after_a_read_then_the_copy_reads_the_same(built_once):
    reader = StoreReader(built_once)
    before = reader.read("s2", 1)
    data = pickle.dumps(reader)
    assert b"LocalStore" not in data
    copy = pickle.loads(data)  # noqa: S301 (our own)
    np.testing.assert_array_equal(copy.read("s2", 1)[0], before[0])


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_reader_when_used_in_a_child_after_the_parent_read_then_the_child_reads(built_once, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    reader = StoreReader(built_once)
    values, valid = reader.read("s2", 3)
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_read_in_child, args=(reader, queue))
    child.start()
    assert queue.get(timeout=60) == (int(values.astype("int64").sum()), int(valid.sum()))
    child.join(60)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda r: r.read("s22", 0), 'Did you mean "s2"'),
        (lambda r: r.read("s2", 8), "no row 8"),
        (lambda r: r.read("s2", -1), "no row -1"),
        (lambda r: r.read("s2", 0, [7]), "no step 7"),
        (lambda r: r.read("s2", 0, None, [3]), "no band 3"),
        (lambda r: r.bands("sr"), "sar"),
    ],
)
def test_read_when_there_is_no_such_thing_then_store_error(built_once, call, named):
    with pytest.raises(StoreError, match=named):
        call(StoreReader(built_once))


def test_read_when_a_shard_is_cut_short_then_store_error(store):
    path = store / DATA / "s2" / "c" / "0" / "0" / "0" / "0" / "0"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StoreError, match="damaged"):
        StoreReader(store).read("s2", 0)


def test_reader_when_path_is_no_store_then_store_error(tmp_path):
    with pytest.raises(StoreError, match="no store"):
        StoreReader(tmp_path)
    (tmp_path / DATA).mkdir()
    (tmp_path / GROUP_METADATA).write_text("{")
    with pytest.raises(StoreError, match="no JSON"):
        StoreReader(str(tmp_path))


def test_reader_when_store_has_another_format_then_store_error(store):
    path = store / GROUP_METADATA
    path.write_text(path.read_text().replace('"eodata_format": 1', '"eodata_format": 2'))
    with pytest.raises(StoreError, match="format 2"):
        StoreReader(store)


def test_samples_when_the_build_has_not_ended_then_store_error(store):
    (store / SAMPLES).unlink()
    with pytest.raises(StoreError, match="Run the build again"):
        StoreReader(store).samples()


def test_samples_when_the_table_is_damaged_then_store_error(store):
    (store / SAMPLES).write_bytes(b"PAR1 but not really")
    with pytest.raises(StoreError, match="damaged"):
        StoreReader(store).samples()
