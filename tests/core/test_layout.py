"""Chunks, shards and step groups."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.layout import MEGABYTE, ArrayLayout, array_layout
from eodata.core.recipe import StoreSpec


@st.composite
def layouts(draw: st.DrawFn) -> tuple[StoreSpec, ArrayLayout]:
    chunk = draw(st.sampled_from([None, 8, 16, 64]))
    spec = StoreSpec(
        block=draw(st.integers(1, 70)),
        chunk_steps=draw(st.integers(1, 7)),
        chunk=chunk,
        shard_mb=draw(st.floats(0.01, 64)),
    )
    layout = array_layout(
        spec,
        n_blocks=draw(st.integers(1, 5)),
        n_steps=draw(st.integers(1, 40)),
        n_bands=draw(st.integers(1, 13)),
        pixels=draw(st.sampled_from([16, 32, 64])),
        dtype=draw(st.sampled_from(["uint8", "uint16", "float32"])),
    )
    return spec, layout


@given(layouts())
@settings(max_examples=100)
def test_layout_then_shards_hold_whole_chunks(case: tuple[StoreSpec, ArrayLayout]) -> None:
    _, layout = case
    assert all(s % c == 0 for s, c in zip(layout.shard, layout.chunk, strict=True))
    assert layout.chunk[0] == 1
    assert layout.shape[0] % layout.shard[0] == 0


@given(layouts())
@settings(max_examples=100)
def test_layout_then_step_groups_tile_the_time_axis(case: tuple[StoreSpec, ArrayLayout]) -> None:
    _, layout = case
    covered = [step for first, last in layout.step_groups for step in range(first, last)]
    assert covered == list(range(layout.shape[1]))
    assert all(first % layout.shard[1] == 0 for first, _ in layout.step_groups)
    assert layout.n_shards == layout.shape[0] // layout.shard[0] * len(layout.step_groups)


@given(layouts())
@settings(max_examples=100)
def test_layout_then_shard_size_is_respected_and_used(
    case: tuple[StoreSpec, ArrayLayout],
) -> None:
    spec, layout = case
    one_chunk_of_steps = layout.shard[1] == layout.chunk[1]
    assert layout.shard_bytes <= spec.shard_mb * MEGABYTE or one_chunk_of_steps
    if len(layout.step_groups) > 1:
        one_more = layout.shard_bytes // layout.shard[1] * (layout.shard[1] + layout.chunk[1])
        assert one_more > spec.shard_mb * MEGABYTE


def test_layout_when_static_then_one_step() -> None:
    layout = array_layout(StoreSpec(chunk_steps=5), 2, 1, 1, 16, "uint8")
    assert layout.shape == (128, 1, 1, 16, 16)
    assert layout.chunk == (1, 1, 1, 16, 16)
    assert layout.step_groups == ((0, 1),)


def test_layout_when_chunk_is_larger_than_the_patch_then_the_patch() -> None:
    assert array_layout(StoreSpec(chunk=99), 1, 1, 3, 16, "uint8").chunk == (1, 1, 3, 16, 16)


@pytest.mark.parametrize(("dtype", "size"), [("uint8", 1), ("uint16", 2), ("float32", 4)])
def test_shard_bytes_then_those_of_the_type(dtype: str, size: int) -> None:
    layout = array_layout(StoreSpec(block=2), 1, 3, 2, 10, dtype)
    assert layout.shard_bytes == 2 * 3 * 2 * 10 * 10 * size
