"""Orders and their quality, shares of processes, and going on in the middle of an epoch."""

from __future__ import annotations

import json
from itertools import chain

import numpy as np
import pytest
import torch
import torch.distributed
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils.data import DataLoader, Subset

from eodata.core.errors import RecipeError
from eodata.datasets import EpochSampler, RandomSteps, open_dataset
from eodata.datasets.orders import block_order, full_order, shuffle_quality
from tests.datasets.series import BLOCK, N


@pytest.fixture(scope="module")
def dataset(series):
    return open_dataset(series.path, modalities=["dem"])


def rest(dataset, state: dict | None = None, **arguments) -> list[int]:
    sampler = EpochSampler(dataset, **arguments)
    if state is not None:
        sampler.load_state_dict(state)
    assert len(list(sampler)) == len(sampler)
    return list(sampler)


def test_full_order_is_a_permutation_that_seed_and_epoch_decide():
    orders = {(s, e): full_order(50, s, e).tolist() for s in range(3) for e in range(3)}
    assert all(sorted(order) == list(range(50)) for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) == 9
    assert full_order(50, 1, 2).tolist() == orders[1, 2]


def test_full_order_puts_every_sample_everywhere():
    places = np.array([np.argsort(full_order(4, 0, epoch)) for epoch in range(2000)])
    for sample in range(4):
        counts = np.bincount(places[:, sample], minlength=4)
        assert counts.min() > 420  # 500 each, 4 standard deviations
        assert counts.max() < 580


@pytest.mark.parametrize("buffer", [1, 2, 5, 100])
def test_block_order_reads_few_blocks_at_a_time(buffer):
    blocks = np.repeat(np.arange(12), [4] * 11 + [2])
    order = block_order(blocks, 3, 0, buffer)
    assert sorted(order) == list(range(len(blocks)))
    assert order.tolist() != block_order(blocks, 3, 1, buffer).tolist()
    # Once a group of blocks is left, it never comes back.
    met, groups = blocks[order], []
    while len(met):
        group = list(dict.fromkeys(met.tolist()))[:buffer]
        size = int(np.isin(met, group).sum())
        assert set(met[:size].tolist()) <= set(group)
        groups.append(group)
        met = met[size:]
    assert len(groups) == -(-12 // buffer)
    if buffer < 12:
        in_store_order = [list(range(i, min(i + buffer, 12))) for i in range(0, 12, buffer)]
        assert [sorted(group) for group in groups] != in_store_order


def test_block_order_with_one_group_is_the_full_shuffle():
    blocks = np.repeat(np.arange(5), 3)
    assert block_order(blocks, 1, 2, 5).tolist() == full_order(15, 1, 2).tolist()


def test_block_order_shuffles_inside_a_block_too():
    blocks = np.zeros(6, np.int64)
    assert len({tuple(block_order(blocks, 0, epoch, 1)) for epoch in range(20)}) > 15


def brute_quality(order: np.ndarray, blocks: np.ndarray) -> tuple[float, float]:
    met = blocks[order]
    together = [met[i] == met[i + 1] for i in range(len(met) - 1)]
    distances = [j - i for i in range(len(met)) for j in range(i + 1, len(met)) if met[i] == met[j]]
    return float(np.mean(together)), float(np.mean(distances)) / ((len(met) + 1) / 3)


@pytest.mark.parametrize("buffer", [1, 3, 9])
def test_quality_is_what_counting_gives(buffer):
    blocks = np.repeat(np.arange(9), [5, 1, 7, 4, 4, 2, 6, 3, 5])
    order = block_order(blocks, 0, 0, buffer)
    found = shuffle_quality(order, blocks)
    assert (found.neighbours, found.spread) == pytest.approx(brute_quality(order, blocks))


def test_quality_rises_with_the_buffer_to_that_of_a_full_shuffle():
    blocks = np.arange(4096) // 64
    met = [shuffle_quality(block_order(blocks, 0, 0, b), blocks) for b in (1, 4, 16, 64)]
    assert [one.spread for one in met] == pytest.approx([1 / 64, 4 / 64, 16 / 64, 1], rel=0.05)
    assert [one.neighbours for one in met] == pytest.approx(
        [1 - 1 / 64, 1 / 4, 1 / 16, met[3].neighbours_full], abs=0.02
    )
    assert met[0].neighbours_full == pytest.approx(63 / 4095)
    full = [shuffle_quality(full_order(4096, 0, e), blocks) for e in range(30)]
    assert np.mean([one.spread for one in full]) == pytest.approx(1, rel=0.01)
    assert np.mean([one.neighbours for one in full]) == pytest.approx(63 / 4095, rel=0.05)


def test_quality_where_no_block_has_two_samples():
    found = shuffle_quality(np.array([2, 0, 1]), np.array([4, 5, 6]))
    assert (found.neighbours, found.neighbours_full, found.spread) == (0, 0, 1)


def test_blocks_of_the_dataset_are_the_shards_of_the_store(series, source):
    assert open_dataset(series.path).blocks.tolist() == [row // BLOCK for row in range(N)]
    assert open_dataset(source.path).blocks.tolist() == [0, 0, 0, 1, 1, 2]
    assert EpochSampler(open_dataset(series.path), shuffle="blocks", buffer=1).quality().spread < 1


def test_the_sampler_gives_an_epoch_and_repeats_it_until_told(dataset):
    sampler = EpochSampler(dataset, seed=5)
    first = list(sampler)
    assert sorted(first) == list(range(N))
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert rest(dataset, shuffle="none") == list(range(N))
    assert sorted(rest(dataset, shuffle="blocks", buffer=2)) == list(range(N))
    assert rest(dataset, seed=6) != first


def test_iterating_tells_the_dataset_its_epoch_before_the_first_position(series):
    dataset = open_dataset(series.path, modalities=["s2"], steps=RandomSteps(2))
    sampler = EpochSampler(dataset)
    sampler.set_epoch(7)
    assert dataset.epoch == 0
    iter(sampler)
    assert dataset.epoch == 7


@pytest.mark.parametrize("shuffle", ["full", "blocks", "none"])
@pytest.mark.parametrize("world", [1, 2, 3, 4, 11])
def test_processes_share_an_epoch(dataset, shuffle, world):
    for uneven, lengths in (("pad", -(-N // world)), ("drop", N // world)):
        shares = [
            rest(dataset, shuffle=shuffle, uneven=uneven, rank=r, world_size=world)
            for r in range(world)
        ]
        assert [len(share) for share in shares] == [lengths] * world
        together = [position for share in shares for position in share]
        if uneven == "pad":
            assert set(together) == set(range(N))
            extra = sorted(together)
            for position in range(N):
                extra.remove(position)
            first = rest(dataset, shuffle=shuffle)
            assert set(extra) == set((first * 2)[: world * lengths - N])
        else:
            assert len(set(together)) == len(together) == world * lengths


@pytest.mark.parametrize("uneven", ["pad", "drop"])
@pytest.mark.parametrize("world", [1, 3])
@pytest.mark.parametrize("shuffle", ["full", "blocks"])
def test_what_is_left_after_a_resume_is_what_was_left(dataset, shuffle, world, uneven):
    arguments = {"shuffle": shuffle, "buffer": 2, "uneven": uneven, "world_size": world}
    for rank in range(world):
        sampler = EpochSampler(dataset, rank=rank, **arguments)
        sampler.set_epoch(4)
        whole = list(sampler)
        for consumed in range(len(whole)):
            state = json.loads(json.dumps(sampler.state_dict()))
            assert rest(dataset, state, rank=rank, **arguments) == whole[consumed:]
            sampler.advance(1)


def test_another_number_of_processes_goes_on_where_the_others_stopped(dataset):
    before = [EpochSampler(dataset, rank=r, world_size=2) for r in range(2)]
    done = [list(sampler)[:3] for sampler in before]
    for sampler in before:
        sampler.advance(3)
    assert before[0].state_dict() == before[1].state_dict()
    state = before[0].state_dict()
    after = [rest(dataset, state, rank=r, world_size=4) for r in range(4)]
    assert sorted(chain(*done, *after)) == list(range(N))


def test_the_end_of_an_epoch_is_the_start_of_the_next(dataset):
    sampler = EpochSampler(dataset)
    sampler.advance(N - 1)
    assert (sampler.epoch, len(sampler)) == (0, 1)
    sampler.advance(1)
    assert (sampler.epoch, sampler.consumed, len(sampler)) == (1, 0, N)
    sampler.set_epoch(1)
    sampler.advance(2)
    sampler.set_epoch(1)
    assert len(sampler) == N - 2, "telling the epoch again must not lose the place"
    sampler.set_epoch(2)
    assert len(sampler) == N


def test_what_is_dropped_at_the_end_does_not_hold_up_the_epoch(dataset):
    sampler = EpochSampler(dataset, uneven="drop", rank=0, world_size=4)
    sampler.advance(2)
    assert (sampler.epoch, sampler.consumed) == (1, 0)


def test_a_loader_that_drops_its_last_batch_still_goes_from_epoch_to_epoch(dataset):
    sampler = EpochSampler(dataset)
    loader = DataLoader(dataset, batch_size=4, sampler=sampler, drop_last=True)
    met = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        assert len(loader) == 2
        for batch in loader:
            met.append(batch["row"].tolist())
            sampler.advance(len(batch["row"]))
    assert (sampler.epoch, len(sampler)) == (2, 2)
    first = list(EpochSampler(dataset))
    assert met[:2] == [first[:4], first[4:8]]
    assert len(met) == 6


@pytest.mark.parametrize("n", [-1, N + 1])
def test_more_than_there_is_cannot_be_consumed(dataset, n):
    sampler = EpochSampler(dataset)
    with pytest.raises(ValueError, match=f"{N} samples are left of epoch 0, not {n}"):
        sampler.advance(n)
    with pytest.raises(ValueError, match="counted from 0"):
        sampler.set_epoch(-1)


@pytest.mark.parametrize("n_workers", [0, 2])
def test_a_loader_that_fetches_ahead_resumes_after_the_batches_consumed(dataset, n_workers):
    def train(sampler: EpochSampler, stop: int, epochs: int) -> list:
        settings = {"batch_size": 3, "num_workers": n_workers}
        if n_workers:
            settings |= {"prefetch_factor": 4, "multiprocessing_context": "fork"}
        loader, steps = DataLoader(dataset, sampler=sampler, **settings), []
        for epoch in range(sampler.epoch, epochs):
            sampler.set_epoch(epoch)
            for batch in loader:
                steps.append((epoch, batch["row"].tolist()))
                sampler.advance(len(batch["row"]))
                if len(steps) == stop:
                    return steps
        return steps

    straight = train(EpochSampler(dataset), 99, 3)
    assert [len(rows) for _, rows in straight] == [3, 3, 3, 1] * 3
    for stop in range(1, len(straight)):
        first = EpochSampler(dataset)
        before = train(first, stop, 3)
        second = EpochSampler(dataset)
        second.load_state_dict(first.state_dict())
        assert before + train(second, 99, 3) == straight
        if n_workers and stop >= 2:
            break  # one stop at an odd place is enough for processes


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"seed": 1}, "seed was 1 and is 0"),
        ({"shuffle": "blocks"}, "shuffle was 'blocks' and is 'full'"),
        ({"buffer": 3}, "buffer was 3 and is 16"),
        ({"uneven": "drop"}, "uneven was 'drop' and is 'pad'"),
    ],
)
def test_a_state_of_another_order_is_refused(dataset, change, part):
    state = EpochSampler(dataset, **change).state_dict()
    with pytest.raises(RecipeError, match=part):
        EpochSampler(dataset).load_state_dict(state)


def test_a_state_of_other_samples_is_refused(dataset):
    state = EpochSampler(Subset(dataset, range(9))).state_dict()
    for other in (dataset, Subset(dataset, range(1, 10))):
        with pytest.raises(RecipeError, match="samples was"):
            EpochSampler(other).load_state_dict(state)
    with pytest.raises(RecipeError, match="state was None and is 1"):
        EpochSampler(dataset).load_state_dict({})


def test_a_subset_is_sampled_by_its_own_positions(dataset):
    part = Subset(Subset(dataset, [8, 7, 5, 0]), [0, 1, 3])
    sampler = EpochSampler(part, shuffle="blocks", buffer=1)
    for epoch in range(10):
        sampler.set_epoch(epoch)
        rows = [part[i]["row"] for i in sampler]
        assert sorted(rows) == [0, 7, 8]
        assert rows[1] != 0, "rows 7 and 8 lie in one shard"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"shuffle": "chunks"}, '"chunks"'),
        ({"uneven": "cut"}, '"cut"'),
        ({"buffer": 0}, "buffer=0"),
        ({"rank": 2, "world_size": 2}, "rank=2"),
    ],
)
def test_what_no_sampler_can_be_is_said(dataset, arguments, part):
    with pytest.raises(RecipeError, match=part):
        EpochSampler(dataset, **arguments)


def test_anything_but_a_dataset_of_ours_is_refused():
    with pytest.raises(RecipeError, match="was given a list"):
        EpochSampler([1, 2, 3])


def test_rank_and_size_are_those_of_torch_distributed(dataset):
    torch.distributed.init_process_group("fake", store=FakeStore(), rank=1, world_size=4)
    try:
        inside = list(EpochSampler(dataset))
    finally:
        torch.distributed.destroy_process_group()
    assert inside == rest(dataset, rank=1, world_size=4)
    assert len(EpochSampler(dataset)) == N
