"""Which ranges are fetched together."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from eodata.providers.remote.ranges import GAP, LARGEST, Range, merged

RANGES = st.lists(
    st.tuples(st.integers(0, 500), st.integers(-5, 60)).map(lambda p: (p[0], p[0] + p[1])),
    max_size=30,
)


def bytes_of(ranges: list[Range]) -> set[int]:
    return {byte for start, stop in ranges for byte in range(start, stop)}


@given(ranges=RANGES, gap=st.integers(0, 40), largest=st.integers(1, 200))
def test_merged_then_all_is_covered_and_nothing_twice(
    ranges: list[Range], gap: int, largest: int
) -> None:
    found = merged(ranges, gap, largest)
    assert bytes_of(found) >= bytes_of(ranges)
    assert sum(stop - start for start, stop in found) == len(bytes_of(found))
    assert found == sorted(found)


@given(ranges=RANGES, gap=st.integers(0, 40), largest=st.integers(1, 200))
def test_merged_then_no_gap_is_longer_than_allowed(
    ranges: list[Range], gap: int, largest: int
) -> None:
    wanted = bytes_of(ranges)
    for start, stop in merged(ranges, gap, largest):
        inside = [byte for byte in range(start, stop) if byte in wanted]
        assert (inside[0], inside[-1]) == (start, stop - 1)
        assert all(b - a <= gap + 1 for a, b in pairwise(inside))


@given(ranges=RANGES, gap=st.integers(0, 40), largest=st.integers(1, 200))
def test_merged_then_only_what_overlaps_is_longer_than_largest(
    ranges: list[Range], gap: int, largest: int
) -> None:
    one_by_one = merged(ranges, -1, 0)
    for start, stop in merged(ranges, gap, largest):
        assert stop - start <= largest or (start, stop) in one_by_one


@given(ranges=RANGES, gap=st.integers(0, 40), largest=st.integers(1, 200))
def test_neighbours_that_could_be_one_then_they_are(
    ranges: list[Range], gap: int, largest: int
) -> None:
    for (first, end), (start, stop) in pairwise(merged(ranges, gap, largest)):
        assert start - end > gap or stop - first > largest


def test_blocks_that_touch_then_no_request_is_longer_than_largest() -> None:
    blocks = [(n * 300_000, (n + 1) * 300_000) for n in range(100)]
    found = merged(blocks)
    assert max(stop - start for start, stop in found) <= LARGEST
    assert len(found) == 8


def test_blocks_at_a_little_distance_then_one_request() -> None:
    assert merged([(0, 10), (10 + GAP, 20 + GAP)]) == [(0, 20 + GAP)]
    assert len(merged([(0, 10), (11 + GAP, 20 + GAP)])) == 2
