"""Which steps items hold: numbers, dates and targets come from the steps that the rules chose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import zarr
from torch.utils.data import default_collate

from eodata.core.errors import RecipeError
from eodata.datasets import RandomSteps, TargetSteps, open_dataset, step_rules
from eodata.datasets.chunking import Chunking, chunking_of
from tests.datasets.series import FEW, GAPPY, N, T

PLAIN = {"bbox", "dates", "id", "present", "row", "split", "valid"}


def same_frames(part: dict, whole: dict, name: str, steps: list[int]) -> bool:
    """Whether a part holds exactly these steps; -1 stands for a gap."""
    for at, step in enumerate(steps):
        if step < 0:
            blank = not part["valid"][name][at].any() and not part["present"][name][at]
            if not (blank and part["dates"][name][at] == -1 and not part[name][at].any()):
                return False
            continue
        pairs = [(part[name], whole[name])]
        pairs += [(part[key][name], whole[key][name]) for key in ("valid", "present", "dates")]
        if not all(torch.equal(a[at], b[step]) for a, b in pairs):
            return False
    return len(part[name]) == len(steps)


@pytest.fixture(scope="module")
def whole(series):
    return list(open_dataset(series.path))


def test_without_a_choice_items_are_as_they_were(whole):
    assert set(whole[0]) == {"s2", "s1", "cloud", "dem"} | PLAIN
    assert whole[0]["s2"].shape == (T, 3, 4, 4)


@pytest.mark.parametrize("steps", [[2], [5, 0, 3], (1, 1), np.array([7, 6]), range(2, 5)])
def test_listed_steps_come_in_the_order_written(series, whole, steps):
    dataset = open_dataset(series.path, steps=steps)
    for row, item in enumerate(dataset):
        assert item["steps"].tolist() == list(steps)
        for name in ("s2", "s1", "cloud"):
            assert same_frames(item, whole[row], name, list(steps))
        assert torch.equal(item["dem"], whole[row]["dem"])
        assert item["present"]["dem"].tolist() == [True]


def test_listed_steps_that_are_gaps_stay_gaps(series):
    item = open_dataset(series.path, steps=[0, 1])[GAPPY]
    assert item["present"]["s1"].tolist() == [False, True]
    assert not item["valid"]["s1"][0].any()
    assert item["present"]["s2"].tolist() == [True, True]


def test_random_steps_are_done_ordered_and_differ_by_epoch(series, whole):
    dataset = open_dataset(series.path, modalities=["s2", "s1"], steps=RandomSteps(3))
    met = set()
    for epoch in range(12):
        dataset.set_epoch(epoch)
        for row, item in enumerate(dataset):
            steps = item["steps"].tolist()
            known = [step for step in steps if step >= 0]
            assert known == sorted(known)
            assert len(known) == (2 if row == FEW else 3)
            assert item["present"]["s1"].tolist() == [step >= 0 for step in steps]
            assert all(same_frames(item, whole[row], name, steps) for name in ("s2", "s1"))
            if row == GAPPY:
                assert 0 not in steps
            met.add((row, tuple(steps)))
    assert len(met) > 60


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("limits", [(0.0, 1.0), (0.15, 0.45), (0.65, 0.7)])
def test_fixed_targets_follow_the_tables(series, whole, exclude, limits):
    wanted = TargetSteps("fixed", 3, *limits, exclude_target=exclude)
    dataset = open_dataset(series.path, modalities=["s2", "s1", "dem"], steps=wanted)
    for row, item in enumerate(dataset):
        coverage = series.coverage(row, "s2", "s1")
        pick = step_rules.fixed(coverage, 3, *limits, exclude_target=exclude)
        steps = [*pick.inputs, -1, -1, -1][:3]
        assert item["steps"].tolist() == steps
        assert item["target"]["steps"].tolist() == [pick.target]
        assert item["matched"].item() is pick.matched
        expected = [coverage[step] if step >= 0 else np.nan for step in (*steps, pick.target)]
        told = [*item["coverage"].tolist(), *item["target"]["coverage"].tolist()]
        assert np.allclose(told, expected, equal_nan=True)
        for name in ("s2", "s1"):
            assert same_frames(item, whole[row], name, steps)
            assert same_frames(item["target"], whole[row], name, [pick.target])
    assert (item["matched"].item(), row) == (False, FEW)


def test_samples_of_one_epoch_draw_steps_of_their_own(series):
    items = open_dataset(series.path, modalities=["s1"], steps=RandomSteps(3))
    drawn = {tuple(item["steps"].tolist()) for item in items}
    assert len(drawn) > 6


def test_chunks_are_decoded_once_however_many_of_their_steps_are_asked_for():
    chunking = Chunking(block=1, steps=3)
    assert chunking.whole(np.array([7, 0, 6, 0]), 8).tolist() == [0, 1, 2, 6, 7]
    assert chunking.whole(np.array([], np.int64), 8).tolist() == []
    assert Chunking(1, 1).whole(np.array([5, 2]), 8).tolist() == [2, 5]


@pytest.mark.parametrize(("sharded", "expected"), [(True, (3, 4)), (False, (3, 8))])
def test_chunking_is_read_from_the_metadata_of_an_array(tmp_path, sharded, expected):
    settings = {"chunks": (1, 4, 2), "shards": (3, 8, 2)} if sharded else {"chunks": (3, 8, 2)}
    array = zarr.create_array(tmp_path / "a", shape=(6, 8, 2), dtype="uint8", **settings)
    assert chunking_of(array.metadata.to_dict()) == expected


def test_targets_are_read_of_the_modalities_asked_for(series):
    wanted = TargetSteps(modalities=["s2"])
    item = open_dataset(series.path, steps=wanted)[0]
    assert set(item["target"]) == {"s2", "valid", "present", "dates", "steps", "coverage"}
    assert set(item["target"]["valid"]) == {"s2"}
    assert item["s1"].shape[0] == 3


def test_random_targets_move_with_the_epoch_and_depend_on_nothing_else(series):
    wanted = TargetSteps("random", 2, clear=0.35, modalities=["s2"])
    dataset = open_dataset(series.path, modalities=["s2"], steps=wanted, seed=3)
    epochs = []
    for epoch in (0, 1, 2, 1):
        dataset.set_epoch(epoch)
        epochs.append([item["target"]["steps"].item() for item in dataset])
    assert epochs[1] == epochs[3]
    assert epochs[0] != epochs[1] != epochs[2]
    backwards = open_dataset(series.path, modalities=["s2"], steps=wanted, seed=3)
    assert [backwards[i]["target"]["steps"].item() for i in range(N)][::-1] == epochs[0][::-1]
    other = open_dataset(series.path, modalities=["s2"], steps=wanted, seed=4)
    assert [item["target"]["steps"].item() for item in other] != epochs[0]


def test_fixedsubset_searches_the_range_first(series):
    wanted = TargetSteps("fixedsubset", 2, subset=(2, 7), clear=0.5)
    for row, item in enumerate(open_dataset(series.path, modalities=["s2"], steps=wanted)):
        coverage = series.coverage(row, "s2")
        pick = step_rules.fixed_subset(coverage, 2, (2, 7), clear=0.5)
        assert (tuple(item["steps"].tolist()), item["target"]["steps"].item()) == (
            tuple([*pick.inputs, -1][:2]),
            pick.target,
        )


def test_coverage_may_come_from_what_the_archive_states(series):
    wanted = TargetSteps("fixed", 2, 0.35, 0.55, cloud="s2")
    item = open_dataset(series.path, modalities=["s2"], steps=wanted)[0]
    assert item["steps"].tolist() == [4, 5]
    assert item["coverage"].tolist() == pytest.approx([0.4, 0.5])
    assert item["target"]["steps"].item() == 0


def test_batches_collate_whatever_is_missing(series):
    dataset = open_dataset(series.path, steps=TargetSteps("fixed", 4))
    batch = default_collate(list(dataset))
    assert batch["s2"].shape == (N, 4, 3, 4, 4)
    assert batch["target"]["s2"].shape == (N, 1, 3, 4, 4)
    assert batch["steps"].shape == batch["coverage"].shape == (N, 4)
    assert batch["matched"].tolist() == [row != FEW for row in range(N)]
    assert "(4, 3, 4, 4)" in repr(dataset)


def test_a_gap_of_raw_numbers_is_zero(series):
    item = open_dataset(series.path, steps=RandomSteps(3), modalities=["s2"], decode=False)[FEW]
    assert item["s2"].dtype == torch.int32
    assert item["s2"][:2].any()
    assert not item["s2"][2].any()


@pytest.mark.parametrize(
    ("steps", "parts"),
    [
        ([], ["the list is empty", "0 to 7"]),
        (3, ["3 is no list of steps", "RandomSteps(3)"]),
        ("fixed", ["'fixed' is no list"]),
        ([1.5], ["[1.5] is no list"]),
        ([8], ["no step 8"]),
        ([-1], ["no step -1"]),
        (RandomSteps(0), ["count is 0", "1 to 8"]),
        (RandomSteps(9), ["count is 9"]),
        (TargetSteps("fix"), ['no rule "fix"']),
        (TargetSteps(min_cov=0.5, max_cov=0.2), ["min_cov=0.5"]),
        (TargetSteps(max_cov=20), ["max_cov=20", "fraction"]),
        (TargetSteps("random", max_cov=0.5), ["neighbours"]),
        (TargetSteps("fixedsubset"), ["subset=None"]),
        (TargetSteps("fixed", subset=(0, 3)), ["no other"]),
        (TargetSteps("fixedsubset", subset=(3, 9)), ["(3, 9)"]),
        (TargetSteps(cloud="clod"), ['Did you mean "cloud"']),
        (TargetSteps(cloud="s1"), ["nothing tells how cloudy", "s1"]),
        (TargetSteps(modalities=["dem"]), ['"dem" is not opened, or has no steps']),
    ],
)
def test_what_cannot_be_chosen_is_said_with_a_way_out(series, steps, parts):
    with pytest.raises(RecipeError) as caught:
        open_dataset(series.path, steps=steps)
    for part in parts:
        assert part in str(caught.value)


def test_a_store_that_tells_no_coverage_says_so(source):
    with pytest.raises(RecipeError, match="nothing tells how cloudy"):
        open_dataset(source.path, steps=TargetSteps())


def test_static_layers_alone_have_no_steps_to_choose(series):
    with pytest.raises(RecipeError, match="none of dem has a time axis"):
        open_dataset(series.path, modalities=["dem"], steps=[0])
