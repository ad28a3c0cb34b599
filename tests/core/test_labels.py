"""Labels of whole samples against counting by hand, and the published joining of IGBP."""

from __future__ import annotations

import numpy as np
import pytest

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.label_plan import LabelPlan
from eodata.core.labels import UNKNOWN, SampleLabels, class_counts, label_samples

LEGEND = ((0, "none", "000000"), (2, "water", "0000ff"), (7, "wood", "00ff00"))
SIMPLIFIED = [(1, 2, 3, 4, 5), (6, 7), (8, 9), (10,), (11,), (12, 14), (13,), (15,), (16,), (17,)]
"""IGBP classes that make one, in the order of the new ones: SEN12MS scene labels (2021)."""


def rule(**changes: object) -> LabelPlan:
    told = {"name": "n", "modality": "lc", "legend": LEGEND, "recode": (), "least": 0.1}
    return LabelPlan(**{**told, **changes})


def scheme(name: str, least: float = 0.1) -> LabelPlan:
    table = resources.schemes()[name]
    legend = tuple((c.value, c.name, c.colour) for c in table.classes)
    return rule(legend=legend, recode=tuple(table.recode.items()), least=least)


def labels(plan: LabelPlan, values, valid=None) -> SampleLabels:
    values = np.asarray(values)
    valid = np.ones(values.shape, bool) if valid is None else np.asarray(valid)
    return label_samples(plan, class_counts(plan, values, valid), values[0].size)


def one_of_each(igbp: np.ndarray) -> LabelPlan:
    return rule(legend=tuple((int(v), f"class {v}", "000000") for v in igbp))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_fractions_are_those_of_counting_by_hand(dtype):
    rng = np.random.default_rng(3)
    values = rng.choice(np.array([0, 1, 2, 7, 200], dtype), (5, 9, 11))
    valid = rng.random(values.shape) < 0.6
    found = labels(rule(least=0.3), values, valid)
    for i in range(5):
        pixels = [
            int(v)
            for v, ok in zip(values[i].flat, valid[i].flat, strict=True)
            if ok and v in (0, 2, 7)
        ]
        shares = [pixels.count(value) / len(pixels) for value in (0, 2, 7)]
        assert found.fractions[i].tolist() == shares
        assert found.single[i] == shares.index(max(shares))
        assert found.multi[i].tolist() == [share >= 0.3 for share in shares]
        assert found.valid[i] == len(pixels) / 99


def test_simplified_igbp_is_the_published_sum_of_classes():
    pixels = np.arange(1, 18, dtype=np.uint8)
    seventeen = np.random.default_rng(1).integers(1, 40, 17)
    image = np.repeat(pixels, seventeen)[None, None]
    full = labels(one_of_each(pixels), image).fractions[0]
    joined = labels(scheme("igbp-simplified"), image).fractions[0]
    expected = [sum(full[c - 1] for c in group) for group in SIMPLIFIED]
    np.testing.assert_allclose(joined, expected, rtol=1e-12)
    assert np.allclose(full, seventeen / seventeen.sum())


@pytest.mark.parametrize(("new", "group"), list(enumerate(SIMPLIFIED)))
def test_simplified_igbp_when_one_class_fills_the_sample_then_it_is_all(new, group):
    for old in group:
        found = labels(scheme("igbp-simplified"), np.full((1, 2, 2), old, np.uint8))
        assert found.single.tolist() == [new]
        assert found.fractions[0].tolist() == [float(i == new) for i in range(10)]


def test_a_dropped_class_does_not_count():
    image = np.array([[[8, 9, 8, 9], [10, 10, 10, 17]]], np.uint8)  # savanna, grass, water
    found = labels(scheme("igbp-no-savanna"), image)
    assert found.valid.tolist() == [0.5]
    assert found.fractions[0].tolist() == [0, 0, 0.75, 0, 0, 0, 0, 0, 0.25]
    assert found.single.tolist() == [2]


def test_of_equal_classes_the_smallest_value_wins():
    found = labels(rule(), [[[7, 2], [2, 7]], [[7, 0], [7, 0]]])
    assert found.single.tolist() == [1, 0]


@pytest.mark.parametrize(("n", "present"), [(1, False), (2, True), (3, True)])
def test_a_class_is_present_from_least_on(n, present):
    image = np.array([[2] * n + [7] * (20 - n)]).reshape(1, 4, 5)
    assert labels(rule(least=0.1), image).multi[0].tolist() == [False, present, True]


def test_no_class_may_reach_least():
    found = labels(rule(least=0.6), [[[7, 2], [2, 7]]])
    assert not found.multi.any()
    assert found.single.tolist() == [1]


def test_invalid_pixels_do_not_count():
    found = labels(rule(), [[[7, 7], [7, 2]]], [[[False, False], [False, True]]])
    assert found.fractions[0].tolist() == [0, 1, 0]
    assert found.valid.tolist() == [0.25]


@pytest.mark.parametrize(("value", "valid"), [(2, False), (9, True), (258, True), (-254, True)])
def test_where_nothing_counts_nothing_is_known(value, valid):
    found = labels(rule(), np.full((1, 2, 2), value, np.int16), np.full((1, 2, 2), valid))
    assert found.single.tolist() == [UNKNOWN]
    assert np.isnan(found.fractions).all()
    assert not found.multi.any()
    assert found.valid.tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"legend": ()}, "has no legend"),
        ({"legend": LEGEND[::-1]}, "rising"),
        ({"legend": (LEGEND[0], LEGEND[0])}, "different"),
        ({"legend": ((256, "far", "000000"),)}, "0 to 255"),
        ({"legend": ((1, "wood", "000000"), (2, "wood", "000000"))}, 'called "wood"'),
    ],
)
def test_labels_that_no_table_can_hold_are_refused(changes, told):
    with pytest.raises(RecipeError, match=told):
        rule(**changes)
