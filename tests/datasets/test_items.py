"""What an item holds: the numbers of the store, at the right row, in the promised types."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from eodata.core.band import Band
from eodata.datasets.dataset import to_physical
from eodata.datasets.index import NO_DATE
from eodata.datasets.opening import open_dataset


def test_decoded_values_are_physical_where_valid_and_zero_elsewhere(source):
    dataset = open_dataset(source.path, modalities=["s2", "s1"])
    for item in dataset:
        for name in ("s2", "s1"):
            usable = source.usable(name, item["row"])
            assert np.array_equal(item["valid"][name].numpy(), usable)
            assert item[name].dtype == torch.float32
            for channel, band in enumerate(dataset.bands[name]):
                physical = band.physical(source.values[name][item["row"]][:, channel])
                expected = np.where(usable, physical, np.float32(0))
                assert np.array_equal(item[name][:, channel].numpy(), expected)


def test_class_maps_and_bitmasks_stay_integers(source):
    for item in open_dataset(source.path, modalities=["lc", "qa"]):
        for name in ("lc", "qa"):
            expected = source.values[name][item["row"]].astype(np.int64)
            expected[
                ~np.broadcast_to(source.usable(name, item["row"])[:, None], expected.shape)
            ] = 0
            assert item[name].dtype == torch.int64
            assert np.array_equal(item[name].numpy(), expected)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("s2", torch.int32), ("s1", torch.float32), ("lc", torch.uint8), ("qa", torch.int64)],
)
def test_raw_values_are_what_is_stored(source, name, dtype):
    for item in open_dataset(source.path, modalities=[name], decode=False):
        assert item[name].dtype == dtype
        stored = source.values[name][item["row"]]
        assert np.array_equal(item[name].numpy(), stored, equal_nan=name == "s1")


def test_steps_that_are_not_done_are_invalid_even_with_pixels_on_disk(source):
    seen = set()
    for item in open_dataset(source.path):
        for name in ("s2", "s1", "lc", "qa"):
            status = source.status[name][item["row"]]
            assert np.array_equal(item["present"][name].numpy(), status == "done")
            gone = status != "done"
            assert not item["valid"][name][torch.from_numpy(gone)].any()
            assert source.valid[name][item["row"]][gone].any() or not gone.any()
            seen |= set(status)
    assert seen == {"done", "empty", "rejected", "failed"}


def test_dates_are_posix_seconds_and_minus_one_in_gaps(source):
    for item in open_dataset(source.path):
        for name in ("s2", "lc"):
            instants = source.instants[name][item["row"]]
            gap = np.isnat(instants)
            assert item["dates"][name].dtype == torch.int64
            assert np.array_equal(
                item["dates"][name].numpy(), np.where(gap, NO_DATE, instants.astype(np.int64))
            )


def test_items_come_in_row_order_with_their_own_place(source):
    dataset = open_dataset(source.path, status=("done", "rejected"))
    assert dataset.rows.tolist() == [0, 1, 2, 4, 5, 6, 8, 9]
    for position, row in enumerate(dataset.rows):
        item = dataset[position]
        assert item["id"] == dataset.ids[position] == f"a_r{row:03d}"
        assert item["row"] == row
        assert item["bbox"].dtype == torch.float64
        assert item["bbox"].tolist() == [10 + row, 50, 10.5 + row, 50.5]


def test_negative_positions_count_from_the_end(source):
    dataset = open_dataset(source.path)
    assert dataset[-1]["id"] == dataset[len(dataset) - 1]["id"] == dataset.ids[-1]
    assert dataset[np.int64(1)]["id"] == dataset.ids[1]


@pytest.mark.parametrize("position", [6, -7])
def test_a_position_out_of_range_is_an_index_error(source, position):
    with pytest.raises(IndexError, match=f"no sample {position}; the dataset has 6"):
        open_dataset(source.path)[position]


@pytest.mark.parametrize("position", [slice(0, 2), [0, 1], 1.0, "a_r000"])
def test_anything_but_an_integer_is_a_type_error(source, position):
    with pytest.raises(TypeError, match="Subset"):
        open_dataset(source.path)[position]


def test_default_collate_batches_items(source):
    dataset = open_dataset(source.path, split="train")
    batch = default_collate([dataset[i] for i in range(3)])
    assert batch["s2"].shape == (3, 4, 4, 8, 8)
    assert batch["valid"]["lc"].shape == (3, 1, 4, 4)
    assert batch["dates"]["s1"].shape == (3, 4)
    assert batch["bbox"].shape == (3, 4)
    assert batch["row"].tolist() == [0, 1, 2]
    assert batch["split"] == ["train"] * 3


def test_items_are_the_callers_to_change(source):
    dataset = open_dataset(source.path)
    before = dataset[0]["dates"]["s2"].clone()
    dataset[0]["dates"]["s2"].zero_()
    dataset[0]["bbox"].zero_()
    assert torch.equal(dataset[0]["dates"]["s2"], before)
    assert dataset[0]["bbox"].any()


def test_transform_has_the_last_word(source):
    dataset = open_dataset(source.path, transform=lambda item: item["row"] * 10)
    assert [dataset[i] for i in range(3)] == [0, 10, 20]


def test_pickle_after_a_read_holds_no_open_store(source):
    dataset = open_dataset(source.path)
    first = dataset[0]
    assert dataset._opened is not None
    again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 (our own bytes)
    assert again._opened is None
    assert torch.equal(again[0]["s2"], first["s2"])


def test_nothing_is_open_before_the_first_item(source):
    dataset = open_dataset(source.path)
    assert dataset._opened is None
    assert len(pickle.dumps(dataset)) < 20_000


def test_repr_shows_each_modality_with_its_shape(source):
    lines = repr(open_dataset(source.path, modalities=["s1", "lc"])).splitlines()
    assert lines[0].endswith("tiny: 6 samples (4 train, 2 val)")
    assert lines[1:] == [
        "  s1: (T, C, H, W) = (4, 2, 8, 8), vv vh",
        "  lc: (T, C, H, W) = (1, 1, 4, 4), map",
    ]


def test_class_numbers_beside_measurements_are_not_scaled():
    bands = (
        Band("B04", "continuous", "uint16", 10.0, scale=1e-4, offset=-0.1),
        Band("SCL", "categorical", "uint16", 20.0, scale=2.0, offset=1.0),
    )
    dn = np.full((1, 2, 1, 2), 7, np.uint16)
    out = to_physical(dn, np.array([[[True, False]]]), bands)
    assert out.dtype == np.float32
    assert out[0, :, 0, 0].tolist() == [bands[0].physical(dn)[0, 0, 0, 0], 7]
    assert out[0, :, 0, 1].tolist() == [0, 0]
