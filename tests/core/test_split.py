"""Splits do not leak."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from eodata.core.errors import RecipeError
from eodata.core.grid import tile_area, utm_of
from eodata.core.patch import Area, Patch
from eodata.core.recipe import SPLITS, SplitSpec
from eodata.core.reproject import reproject
from eodata.core.split import Placed, assign, smallest_distance

UTM31 = "EPSG:32631"
THIRDS = {"train": 0.5, "val": 0.25, "test": 0.25}
SQUARE = box(3, 50, 3.1, 50.1)


def lattice(n: int, size: float = 100.0, stride: float | None = None) -> list[Patch]:
    step = stride or size
    return [
        Patch("a", UTM31, 500_000 + c * step, 5_600_000 - r * step, size, r, c)
        for r in range(n)
        for c in range(n)
    ]


def by_cell(cell: float, min_distance: float = 0.0, **fractions: float) -> SplitSpec:
    return SplitSpec(by="cell", cell=cell, fractions=fractions or THIRDS, min_distance=min_distance)


def place(
    patches: list[Patch], spec: SplitSpec | None, stride: float, seed: int = 0
) -> list[Placed]:
    areas = {p.area: Area(p.area, SQUARE, p.crs) for p in patches}
    return assign(patches, areas, spec, {}, stride, seed)


def test_assign_when_no_rule_then_all_patches_in_one_split() -> None:
    assert place(lattice(2), None, 100) == [Placed("all", "a")] * 4


@given(st.integers(2, 8), st.integers(1, 3), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_assign_by_cell_then_cells_stay_whole_and_quotas_hold(n: int, k: int, seed: int) -> None:
    patches = lattice(n)
    placed = place(patches, by_cell(100.0 * k), 100, seed)
    splits_of_cell: dict[str, set[str]] = {}
    for patch, spot in zip(patches, placed, strict=True):
        assert spot.cell == f"a_c{patch.row // k}_{patch.col // k}"
        splits_of_cell.setdefault(spot.cell, set()).add(spot.split)
    assert all(len(s) == 1 for s in splits_of_cell.values())
    cells = Counter(next(iter(s)) for s in splits_of_cell.values())
    total = len(splits_of_cell)
    for name, fraction in THIRDS.items():
        assert abs(cells[name] - fraction * total) < 1


@given(st.integers(3, 60), st.floats(0.01, 0.9), st.floats(0.01, 0.9), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_assign_when_cells_suffice_then_no_split_is_lost(
    n: int, a: float, b: float, seed: int
) -> None:
    total = a + b + 0.05
    spec = by_cell(100, train=a / total, val=b / total, test=0.05 / total)
    patches = [Patch("a", UTM31, 500_000 + 1000 * i, 0, 100, 0, i) for i in range(n)]
    placed = place(patches, spec, 100, seed)
    assert {p.split for p in placed} == set(SPLITS)
    assert len(placed) == n


def test_assign_when_a_fraction_is_zero_then_that_split_stays_empty() -> None:
    placed = place(lattice(5), by_cell(100, train=0.8, val=0.0, test=0.2), 100)
    assert Counter(p.split for p in placed) == {"train": 20, "test": 5}


def test_assign_when_seed_is_the_same_then_so_is_the_answer_and_else_not() -> None:
    patches = lattice(6)
    answers = [place(patches, by_cell(200), 100, seed) for seed in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2]


def test_assign_when_patches_are_permuted_then_each_keeps_its_split() -> None:
    patches = lattice(6)
    forward = {
        p.id: s.split for p, s in zip(patches, place(patches, by_cell(200), 100), strict=True)
    }
    patches.reverse()
    backward = place(patches, by_cell(200), 100)
    assert {p.id: s.split for p, s in zip(patches, backward, strict=True)} == forward


AREAS = {
    "a": Area("a", SQUARE, UTM31, split="test"),
    "b": Area("b", SQUARE, UTM31),
    "c": Area("c", SQUARE, UTM31),
}
FAR = [
    Patch(area, UTM31, 500_000 + i * 10_000, 5_600_000, 100, 0, 0) for i, area in enumerate("abc")
]


def test_assign_by_list_then_each_area_where_it_stands() -> None:
    placed = assign(FAR, AREAS, SplitSpec(by="area"), {"b": "val", "c": "train"}, 100, 0)
    assert [p.split for p in placed] == ["test", "val", "train"]
    assert [p.cell for p in placed] == ["a", "b", "c"]


def test_assign_by_list_when_an_area_is_missing_then_names_it() -> None:
    with pytest.raises(RecipeError) as caught:
        assign(FAR, AREAS, SplitSpec(by="area"), {"b": "val"}, 100, 0)
    assert caught.value.where == "split of area c"


def test_assign_by_list_when_a_split_is_unknown_then_names_the_nearest() -> None:
    with pytest.raises(RecipeError) as caught:
        assign(FAR, AREAS, SplitSpec(by="area"), {"b": "tset", "c": "train"}, 100, 0)
    assert caught.value.found == '"tset"'
    assert caught.value.fix == 'Did you mean "test"?'


@pytest.mark.parametrize("by", ["area", "cell"])
def test_assign_by_fractions_when_an_area_has_its_own_split_then_it_goes_there(by: str) -> None:
    spec = SplitSpec(by=by, cell=100 if by == "cell" else None, fractions={"train": 1.0})  # type: ignore[arg-type]
    assert [p.split for p in assign(FAR, AREAS, spec, {}, 100, 0)] == ["test", "train", "train"]
    wrong = {**AREAS, "a": Area("a", SQUARE, UTM31, split="trian")}
    with pytest.raises(RecipeError):
        assign(FAR, wrong, spec, {}, 100, 0)


def test_assign_by_area_with_fractions_then_areas_are_shared_out_whole() -> None:
    areas = {f"x{i}": Area(f"x{i}", SQUARE, UTM31) for i in range(8)}
    patches = [
        Patch(a, UTM31, 400_000 + i * 20_000 + j * 100, 5_600_000, 100, 0, j)
        for i, a in enumerate(areas)
        for j in range(3)
    ]
    placed = assign(patches, areas, SplitSpec(by="area", fractions=THIRDS), {}, 100, 3)
    assert Counter(p.split for p in placed) == {"train": 12, "val": 6, "test": 6}
    assert len({(p.cell, p.split) for p in placed}) == 8


@given(
    st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=25),
    st.sampled_from([0.0, 50.0, 100.0, 250.0]),
    st.sampled_from([100.0, 60.0, 130.0]),
    st.integers(0, 20),
)
@settings(max_examples=60, deadline=None)
def test_assign_when_a_distance_is_asked_for_then_it_is_kept(
    cells: set[tuple[int, int]], limit: float, stride: float, seed: int
) -> None:
    patches = [
        Patch("a", UTM31, 500_000 + c * stride, 5_600_000 - r * stride, 100, r, c)
        for r, c in sorted(cells)
    ]
    placed = place(patches, by_cell(2 * stride, limit), stride, seed)
    kept = [(p, s) for p, s in zip(patches, placed, strict=True) if not s.rejected]
    measured = smallest_distance([p for p, _ in kept], [s.split for _, s in kept])
    assert measured is None or measured >= limit
    for (p, a), (q, b) in combinations(kept, 2):
        if a.split != b.split:
            assert p.polygon.intersection(q.polygon).area == 0
            assert p.polygon.distance(q.polygon) >= limit


def test_assign_when_two_are_too_close_then_train_goes_and_the_reason_says_why() -> None:
    areas = {n: Area(n, SQUARE, UTM31, split=n) for n in SPLITS}
    patches = [
        Patch("test", UTM31, 500_000, 5_600_000, 100, 0, 0),
        Patch("val", UTM31, 500_150, 5_600_000, 100, 0, 0),
        Patch("train", UTM31, 510_000, 5_600_000, 100, 0, 0),
        Patch("val", UTM31, 510_120, 5_600_000, 100, 0, 9),
    ]
    placed = assign(patches, areas, SplitSpec(by="area", min_distance=60), {}, 100, 0)
    assert [bool(p.rejected) for p in placed] == [False, True, True, False]
    assert placed[1].rejected == "split-distance: is 50 m from test_r000_c000 of test"
    assert placed[2].rejected == "split-distance: is 20 m from val_r000_c009 of val"


def test_assign_when_overlapping_across_splits_then_always_rejected() -> None:
    patches = lattice(4, size=100, stride=50)
    placed = place(patches, by_cell(100, train=0.5, test=0.5), 50)
    kept = [(p, s.split) for p, s in zip(patches, placed, strict=True) if not s.rejected]
    assert {s for _, s in kept} == {"train", "test"}
    assert any("overlaps" in s.rejected for s in placed)
    for (p, a), (q, b) in combinations(kept, 2):
        assert a == b or p.polygon.intersection(q.polygon).area == 0


def test_assign_when_overlapping_within_one_split_then_kept() -> None:
    placed = place(lattice(4, 100, 50), by_cell(100, train=1.0), 50)
    assert not any(p.rejected for p in placed)


def test_assign_when_neighbours_only_touch_and_no_distance_is_asked_then_kept() -> None:
    assert not any(p.rejected for p in place(lattice(6), by_cell(200), 100))


def side_by_side(edge: float, south: float, cover: float) -> list[Patch]:
    """Patches of two UTM zones: train west of the meridian `edge`, test east of it."""
    east = -180.0 if edge == 180.0 else edge
    boxes = {
        "train": box(edge - 0.03, south, edge, south + 0.03),
        "test": box(east, south, east + 0.03, south + 0.03),
    }
    found = []
    for name, ground in boxes.items():
        area = Area(name, ground, utm_of(ground.centroid.x, south))
        found += tile_area(area, 300, 300, "lattice", 10, cover)
    assert len({p.crs for p in found}) == 2
    return found


BOTH = {n: Area(n, SQUARE, UTM31, split=n) for n in ("train", "test")}
MERIDIANS = pytest.mark.parametrize(
    ("edge", "south"), [(6.0, 50.0), (180.0, 66.0)], ids=["two zones", "date line"]
)


@MERIDIANS
def test_assign_when_patches_of_two_zones_overlap_then_rejected(edge: float, south: float) -> None:
    patches = side_by_side(edge, south, cover=0.3)
    placed = assign(patches, BOTH, SplitSpec(by="area"), {}, 300, 0)
    assert {p.split for p in placed if "overlaps" in p.rejected} == {"train"}


@MERIDIANS
def test_assign_when_areas_of_two_zones_touch_then_distance_is_kept_across(
    edge: float, south: float
) -> None:
    patches = side_by_side(edge, south, cover=0.999)
    rule = SplitSpec(by="area", min_distance=700)
    placed = assign(patches, BOTH, rule, {}, 300, 0)
    assert {p.split for p in placed if p.rejected} == {"train"}
    kept = [(p, s.split) for p, s in zip(patches, placed, strict=True) if not s.rejected]
    measured = smallest_distance([p for p, _ in kept], [s for _, s in kept])
    assert measured is not None
    assert 700 <= measured < 1100


def test_assign_when_the_date_line_lies_between_then_neighbours_are_seen() -> None:
    pair = []
    for name, lon in (("train", 179.99), ("test", -179.99)):
        zone = utm_of(lon, 66)
        x, y = reproject(Point(lon, 66), "EPSG:4326", zone, 1).coords[0]
        pair.append(Patch(name, zone, x, y, 100, 0, 0))
    apart = assign(pair, BOTH, SplitSpec(by="area", min_distance=700), {}, 100, 0)
    assert not any(p.rejected for p in apart)
    near = assign(pair, BOTH, SplitSpec(by="area", min_distance=1000), {}, 100, 0)
    assert [bool(p.rejected) for p in near] == [True, False]


def test_assign_when_far_north_then_degrees_do_not_hide_neighbours() -> None:
    pair = [
        Patch(n, "EPSG:32631", x, 9_300_000, 100, 0, 0)
        for n, x in (("train", 400_000), ("test", 460_000))
    ]
    areas = {n: Area(n, SQUARE, UTM31, split=n) for n in ("train", "test")}
    placed = assign(pair, areas, SplitSpec(by="area", min_distance=60_000), {}, 100, 0)
    assert placed[0].rejected
    assert not placed[1].rejected


def test_smallest_distance_when_one_split_or_no_patch_then_none() -> None:
    assert smallest_distance([], []) is None
    assert smallest_distance(lattice(2), ["train"] * 4) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(SPLITS)),
        min_size=2,
        max_size=10,
    )
)
@settings(max_examples=60, deadline=None)
def test_smallest_distance_then_that_of_all_pairs(spots: list[tuple[int, int, str]]) -> None:
    patches = [
        Patch("a", UTM31, 500_000 + 37 * c, 5_600_000 - 53 * r, 100, r, c) for r, c, _ in spots
    ]
    splits = [s for _, _, s in spots]
    brute = [
        a.polygon.distance(b.polygon)
        for (a, s), (b, t) in combinations(zip(patches, splits, strict=True), 2)
        if s != t
    ]
    measured = smallest_distance(patches, splits)
    assert measured == (pytest.approx(min(brute)) if brute else None)


def test_smallest_distance_when_half_the_earth_lies_between_then_still_measured() -> None:
    pair = [
        Patch("a", UTM31, 500_000, 5_600_000, 100, 0, 0),
        Patch("b", "EPSG:32731", 500_000, 2_000_000, 100, 0, 0),
    ]
    assert smallest_distance(pair, ["train", "test"]) == pytest.approx(1.36e7, rel=0.02)


def test_reproject_when_source_is_target_then_untouched() -> None:
    assert reproject(SQUARE, UTM31, UTM31, 1) is SQUARE
