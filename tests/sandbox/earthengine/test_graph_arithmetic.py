"""Arithmetic on images against NumPy: numbers, masks, matched bands, types."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from tests.sandbox.earthengine.graphing import bands, call, constant, load, same, select, value


def binary(name, one, other):
    return call(f"Image.{name}", image1=one, image2=other)


def test_binary_operations_intersect_masks_and_drop_metadata(made, arrays):
    a, b = arrays["i0", "a"], arrays["i1", "a"]
    image = binary("add", select(load("i0"), "a"), select(load("i1"), "a"))
    found = bands(made, image)
    assert list(found) == ["a"]
    assert same(found["a"], a.astype(int) + b, (a > 0) & (b > 0))
    assert "properties" not in value(made, image)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("subtract", lambda a, b: a - b),
        ("multiply", lambda a, b: a * b),
        ("min", np.minimum),
        ("max", np.maximum),
        ("lt", lambda a, b: a < b),
        ("lte", lambda a, b: a <= b),
        ("gt", lambda a, b: a > b),
        ("gte", lambda a, b: a >= b),
        ("eq", lambda a, b: a == b),
        ("neq", lambda a, b: a != b),
    ],
)
def test_operations_on_integers(made, arrays, name, expected):
    a, b = (arrays[k, "a"].astype(np.int64) for k in ("i0", "i1"))
    image = binary(name, select(load("i0"), "a"), select(load("i1"), "a"))
    assert same(bands(made, image)["a"], expected(a, b), (a > 0) & (b > 0))


def test_differences_of_unsigned_numbers_do_not_wrap(made, arrays):
    image = binary("subtract", select(load("i0"), "a"), constant(5000))
    found = bands(made, image)["a"]
    assert same(found, arrays["i0", "a"].astype(int) - 5000, arrays["i0", "a"] > 0)
    kind = value(made, image)["bands"][0]["data_type"]
    assert kind == {"type": "PixelType", "precision": "int", "min": -5000, "max": 60_535}


def test_integers_divide_into_fractions_and_division_by_zero_is_zero(made):
    image = binary("divide", constant(5), constant(2))
    found = bands(made, image)["constant"]
    assert found.dtype == np.float32
    assert np.all(found == 2.5)
    assert np.all(bands(made, binary("divide", constant(5), constant(0)))["constant"] == 0)


@pytest.mark.parametrize(("a", "b", "left"), [(7, 3, 1), (-7, 3, -1), (7.5, 2, 1.5), (7, 0, 0)])
def test_remainders_have_the_sign_of_the_dividend(made, a, b, left):
    found = bands(made, binary("mod", constant(a), constant(b)))["constant"]
    assert np.all(found == left)


def test_logic_takes_anything_but_zero_as_true(made):
    for a, b, both, either in ((2, 0.5, 1, 1), (2, 0, 0, 1), (0, 0, 0, 0)):
        assert np.all(bands(made, binary("and", constant(a), constant(b)))["constant"] == both)
        assert np.all(bands(made, binary("or", constant(a), constant(b)))["constant"] == either)
        found = bands(made, call("Image.not", value=constant(a)))["constant"]
        assert np.all(found == (a == 0))


def test_one_band_meets_all_of_the_other_whichever_side_it_is_on(made, arrays):
    for image, sign in (
        (binary("subtract", load("i0"), constant(1)), 1),
        (binary("subtract", constant(1), load("i0")), -1),
    ):
        found = bands(made, image)
        assert list(found) == ["a", "b"]
        a = arrays["i0", "a"].astype(int)
        assert same(found["a"], sign * (a - 1), a > 0)
        b = arrays["i0", "b"].astype(np.float64)
        assert np.allclose(found["b"], sign * (b - 1))


def test_bands_meet_by_name_if_names_are_the_same_else_by_order(made, arrays):
    turned = binary("multiply", select(load("i0"), "a", "b"), select(load("i1"), "b", "a"))
    named = bands(made, turned)
    assert list(named) == ["a", "b"]
    b = arrays["i0", "b"] * arrays["i1", "b"].astype(np.float64)
    assert np.allclose(named["b"], b)
    other = call("Image.rename", input=select(load("i1"), "b", "a"), names=["x", "y"])
    ordered = bands(made, binary("multiply", load("i0"), other))
    expected = arrays["i0", "b"].astype(np.float64) * arrays["i1", "a"]
    assert list(ordered) == ["a", "b"]
    assert np.allclose(ordered["b"].compressed(), expected[arrays["i1", "a"] > 0])


def test_two_bands_and_three_cannot_be_matched(made):
    three = call("Image.addBands", dstImg=load("i1"), srcImg=constant(1))
    with pytest.raises(ExpressionError, match="3 and 2 bands cannot be matched"):
        bands(made, binary("add", load("i0"), three))


@pytest.mark.parametrize(
    ("name", "number", "becomes", "dtype"),
    [
        ("toUint8", 300.7, 255, "uint8"),
        ("toByte", -3.2, 0, "uint8"),
        ("toInt16", -2.9, -2, "int16"),
        ("toUint16", 1.7, 1, "uint16"),
        ("toInt32", 2**40, 2**31 - 1, "int32"),
        ("toInt64", 1e30, 9223372036854774784, "int64"),
        ("toFloat", 0.1, np.float32(0.1), "float32"),
        ("toDouble", 3, 3.0, "float64"),
    ],
)
def test_casts_cut_off_and_clip(made, name, number, becomes, dtype):
    found = bands(made, call(f"Image.{name}", value=constant(number)))["constant"]
    assert found.dtype == dtype
    assert np.all(found == becomes)


def test_casts_keep_metadata(made):
    told = value(made, call("Image.toFloat", value=load("i1")))
    assert told["properties"]["cloud"] == 60


def test_normalized_difference_masks_negative_numbers(made, arrays):
    image = call("Image.normalizedDifference", input=load("i0"), bandNames=["a", "b"])
    a, b = arrays["i0", "a"].astype(float), arrays["i0", "b"].astype(float)
    found = bands(made, image)["nd"]
    valid = (a > 0) & (b >= 0)
    assert same(found, ((a - b) / (a + b)).astype(np.float32), valid)
    assert 0 < valid.sum() < valid.size


def test_what_is_no_number_is_masked(made, arrays):
    b = arrays["i0", "b"].astype(np.float64)
    found = bands(made, call("Image.sqrt", value=select(load("i0"), "b")))["b"]
    with np.errstate(invalid="ignore"):
        assert same(found, np.sqrt(b).astype(np.float32), b >= 0)


def test_bits_of_quality_bands(made):
    made.add("q", {"QA60": np.array([[0, 1024, 2048, 3072]] * 3, np.uint16)}, nodata=None)
    cloud = binary("bitwiseAnd", load("q"), constant(1 << 10))
    assert bands(made, cloud)["QA60"][0].tolist() == [0, 1024, 0, 1024]
    shifted = binary("rightShift", load("q"), constant(10))
    assert bands(made, shifted)["QA60"][0].tolist() == [0, 1, 2, 3]


def test_powers_are_fractions(made):
    found = bands(made, binary("pow", constant(2), constant(-1)))["constant"]
    assert np.all(found == 0.5)
