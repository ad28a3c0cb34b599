"""Types of pixels."""

from __future__ import annotations

import pytest

from eodata.sandbox.earthengine.pixeltype import (
    DOUBLE,
    FLOAT,
    integer,
    of_dtype,
    of_number,
    quotient,
    union,
)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, "uint8"),
        (-1, 127, "int8"),
        (0, 256, "uint16"),
        (-1, 200, "int16"),
        (0, 2**16, "uint32"),
        (-(2**31), 0, "int32"),
        (-1, 2**32, "int64"),
        (0, 2**64, "float64"),
    ],
)
def test_a_range_has_the_smallest_type_that_holds_it(low, high, dtype):
    assert integer(low, high).dtype == dtype


def test_constants_are_whole_when_they_can_be():
    assert of_number(3.0) == integer(3, 3)
    assert of_number(0.5) == DOUBLE
    assert of_number(1e300) == DOUBLE


def test_unions_widen():
    assert union([of_dtype("uint8"), of_dtype("int8")]).dtype == "int16"
    assert union([of_dtype("uint16"), FLOAT]) == FLOAT
    assert union([of_dtype("int32"), FLOAT]) == DOUBLE
    assert union([FLOAT, DOUBLE]) == DOUBLE


def test_quotients_are_never_whole():
    assert quotient(of_dtype("uint16"), of_number(10_000)) == FLOAT
    assert quotient(of_dtype("int32"), of_number(2)) == DOUBLE
    assert quotient(of_dtype("uint8"), of_number(0.1)) == DOUBLE


def test_types_are_told_with_their_range():
    assert of_dtype("uint16").info() == {
        "type": "PixelType",
        "precision": "int",
        "min": 0,
        "max": 65_535,
    }
    assert FLOAT.info() == {"type": "PixelType", "precision": "float"}
