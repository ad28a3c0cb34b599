"""Masks and conditional replacement against NumPy."""

from __future__ import annotations

import numpy as np
from affine import Affine
from shapely.geometry import Point

from eodata.core.reproject import WGS84, reproject
from tests.sandbox.earthengine.graphing import (
    GRID,
    TERMS,
    bands,
    call,
    constant,
    load,
    polygon,
    same,
    select,
    value,
)

BIGGER = GRID.__class__(8, 3, TERMS, GRID.crs)
"""Four more columns than the images have."""


def greater(image, number):
    return call("Image.gt", image1=image, image2=constant(number))


def test_mask_becomes_an_image_of_zeros_and_ones(made, arrays):
    found = bands(made, call("Image.mask", image=load("i0")))
    assert same(found["a"], (arrays["i0", "a"] > 0).astype(np.float32), True)
    assert same(found["b"], np.float32(1), True)


def test_update_mask_narrows(made, arrays):
    image = call("Image.updateMask", image=load("i0"), mask=greater(select(load("i1"), "a"), 1500))
    found = bands(made, image)
    a, other = arrays["i0", "a"], arrays["i1", "a"]
    assert same(found["a"], a, (a > 0) & (other > 1500))
    assert same(found["b"], arrays["i0", "b"], other > 1500)
    assert value(made, image)["properties"]["cloud"] == 10


def test_setting_the_mask_lets_zeros_appear(made, arrays):
    found = bands(made, call("Image.mask", image=load("i0"), mask=constant(1)))
    assert same(found["a"], arrays["i0", "a"], True)


def test_self_mask_hides_zeros(made, arrays):
    image = call("Image.selfMask", image=greater(select(load("i0"), "b"), 0))
    assert same(bands(made, image)["b"], 1, arrays["i0", "b"] > 0)


def test_unmask_fills_the_footprint_alone_unless_told_otherwise(made, arrays):
    a = arrays["i0", "a"]
    image = select(load("i0"), "a")
    inside = bands(made, call("Image.unmask", input=image, value=constant(7)), BIGGER)["a"]
    expected = np.concatenate([np.where(a > 0, a, 7), np.zeros((3, 4), int)], axis=1)
    valid = np.arange(8) < 4
    assert same(inside, expected, valid)
    told = call("Image.unmask", input=image, value=constant(7), sameFootprint=False)
    everywhere = bands(made, told, BIGGER)["a"]
    assert same(everywhere, np.where(valid, expected, 7), True)


def test_unmask_defaults_to_zero_and_keeps_metadata(made, arrays):
    image = call("Image.unmask", input=load("i0"))
    assert same(bands(made, image)["a"], arrays["i0", "a"], True)
    assert value(made, image)["properties"]["number"] == 0


def test_unmask_takes_the_mask_of_the_filling(made, arrays):
    a, other = arrays["i0", "a"], arrays["i1", "a"]
    image = call("Image.unmask", input=select(load("i0"), "a"), value=select(load("i1"), "a"))
    found = bands(made, image)["a"]
    assert same(found, np.where(a > 0, a, other), (a > 0) | (other > 0))


def test_where_replaces_what_the_test_says_and_nothing_else(made, arrays):
    a, test, new = (arrays[k, "a"] for k in ("i0", "i1", "i2"))
    image = call(
        "Image.where",
        input=select(load("i0"), "a"),
        test=greater(select(load("i1"), "a"), 1500),
        value=select(load("i2"), "a"),
    )
    due = (test > 1500) & (new > 0)
    assert same(bands(made, image)["a"], np.where(due, new, a), a > 0)
    assert due.any()


def test_where_takes_the_larger_type(made):
    image = call("Image.where", input=load("i0"), test=constant(1), value=constant(0.1))
    found = bands(made, image)["a"]
    assert np.all(found.compressed() == 0.1)


def test_remapped_classes(made, arrays):
    told = {"image": load("i0"), "from": [1000, 3000], "to": [1, 0.5]}
    a = arrays["i0", "a"]
    expected = np.where(a == 1000, 1, 0.5)
    found = bands(made, call("Image.remap", **told))
    assert list(found) == ["remapped"]
    assert same(found["remapped"], expected, (a == 1000) | (a == 3000))
    other = bands(made, call("Image.remap", **told, defaultValue=7))["remapped"]
    assert same(other, np.where(a == 2000, 7, expected), a > 0)


def test_clip_goes_by_pixel_centres(made):
    x, y = Affine(*TERMS) @ (1.5, 1.5)
    circle = Point(x, y).buffer(11)
    ring = reproject(circle, GRID.crs, WGS84, 1)
    found = bands(made, call("Image.clip", input=constant(1), geometry=polygon(ring)))["constant"]
    centres = [[Affine(*TERMS) @ (c + 0.5, r + 0.5) for c in range(4)] for r in range(3)]
    expected = [[circle.contains(Point(p)) for p in row] for row in centres]
    assert np.array_equal(~np.ma.getmaskarray(found), expected)
    assert np.sum(expected) == 5
