"""Mosaics and reductions against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.functions import composites
from tests.sandbox.earthengine.graphing import (
    Graph,
    argument,
    bands,
    call,
    collection,
    constant,
    load,
    same,
    select,
    value,
)


def stacked(arrays, band="a"):
    return np.ma.masked_equal(np.stack([arrays[f"i{k}", band] for k in range(3)]), 0)


def test_mosaic_shows_the_last_that_is_not_masked(made, arrays):
    image = call("ImageCollection.mosaic", collection=collection())
    found = bands(made, image)
    assert list(found) == ["a", "b"]
    expected = arrays["i0", "a"]
    for k in (1, 2):
        newer = arrays[f"i{k}", "a"]
        expected = np.where(newer > 0, newer, expected)
    assert same(found["a"], expected, ~stacked(arrays).mask.all(axis=0))
    assert same(found["b"], arrays["i2", "b"], True)
    told = value(made, image)["bands"][0]
    assert (told["crs"], told["crs_transform"]) == ("EPSG:4326", [1, 0, 0, 0, 1, 0])
    assert found["a"].dtype == np.uint16


@pytest.mark.parametrize(
    ("name", "reduce", "dtype"),
    [
        ("median", np.ma.median, "float64"),
        ("mean", np.ma.mean, "float64"),
        ("min", np.ma.min, "uint16"),
        ("max", np.ma.max, "uint16"),
        ("sum", np.ma.sum, "float64"),
    ],
)
def test_reductions_ignore_what_is_masked(made, arrays, name, reduce, dtype):
    expected = reduce(stacked(arrays), axis=0)
    short = bands(made, call(f"reduce.{name}", collection=collection()))
    long = bands(
        made,
        call("ImageCollection.reduce", collection=collection(), reducer=call(f"Reducer.{name}")),
    )
    assert list(short) == ["a", "b"]
    assert list(long) == [f"a_{name}", f"b_{name}"]
    for found in (short["a"], long[f"a_{name}"]):
        assert same(found, expected.filled(0), ~np.ma.getmaskarray(expected))
        assert found.dtype == dtype
    assert np.ma.getmaskarray(stacked(arrays)).any()


def test_count_counts_and_is_never_masked(made, arrays):
    found = bands(made, call("reduce.count", collection=collection()))["a"]
    assert same(found, stacked(arrays).count(axis=0), True)


def test_first_takes_masked_pixels_and_first_non_null_does_not(made, arrays):
    a = arrays["i0", "a"]
    told = {
        name: bands(
            made,
            call(
                "ImageCollection.reduce", collection=collection(), reducer=call(f"Reducer.{name}")
            ),
        )["a_first"]
        for name in ("first", "firstNonNull")
    }
    assert same(told["first"], a, a > 0)
    expected = np.where(
        a > 0, a, np.where(arrays["i1", "a"] > 0, arrays["i1", "a"], arrays["i2", "a"])
    )
    assert same(told["firstNonNull"], expected, expected > 0)


def test_median_of_an_even_count_is_between_the_two(made):
    images = [constant(number) for number in (1, 10, 4, 2)]
    listed = call("ImageCollection.fromImages", images=images)
    found = bands(made, call("reduce.median", collection=listed))["constant"]
    assert np.all(found == 3)


def test_mode_takes_the_smallest_of_the_most_frequent(made):
    images = [constant(number) for number in (5, 3, 5, 3, 9)]
    listed = call("ImageCollection.fromImages", images=images)
    assert np.all(bands(made, call("reduce.mode", collection=listed))["constant"] == 3)


def test_quality_mosaic_takes_whole_pixels(made, arrays):
    image = call("ImageCollection.qualityMosaic", collection=collection(), qualityBand="b")
    found = bands(made, image)
    best = np.stack([arrays[f"i{k}", "b"] for k in range(3)]).argmax(axis=0)[np.newaxis]
    a = np.take_along_axis(np.stack([arrays[f"i{k}", "a"] for k in range(3)]), best, 0)[0]
    assert same(found["a"], a, a > 0)


def test_quality_that_is_masked_is_not_the_best(made, arrays):
    graph = Graph()
    low = call("Image.lt", image1=select(argument("x"), "b"), image2=0)
    body = call("Image.updateMask", image=argument("x"), mask=low)
    of = call("Collection.map", collection=collection(), baseAlgorithm=graph.function(["x"], body))
    image = call("ImageCollection.qualityMosaic", collection=of, qualityBand="b")
    found = bands(made, graph.expression(image))["b"]
    stack = np.stack([arrays[f"i{k}", "b"] for k in range(3)])
    best = np.where(stack < 0, stack, -np.inf).max(axis=0)
    assert same(found, best, np.isfinite(best))
    assert 0 < np.isfinite(best).sum() < best.size


def test_reductions_go_by_rows_when_there_is_much(made, monkeypatch):
    whole = bands(made, call("reduce.median", collection=collection()))
    monkeypatch.setattr(composites, "REDUCED_AT_ONCE", 15)
    parts = bands(made, call("reduce.median", collection=collection()))
    assert all(np.ma.allequal(whole[name], parts[name]) for name in ("a", "b"))
    monkeypatch.setattr(composites, "MOST_STACKED", 35)
    with pytest.raises(ExpressionError, match="memory limit"):
        bands(made, call("reduce.median", collection=collection()))


def test_bands_are_reduced_together(made, arrays):
    image = call("Image.reduce", image=load("i0"), reducer=call("Reducer.max"))
    a, b = arrays["i0", "a"], arrays["i0", "b"]
    found = bands(made, image)
    assert list(found) == ["max"]
    assert same(found["max"], np.where(a > 0, np.maximum(a, b), b), True)
    assert value(made, image)["properties"]["number"] == 0


def test_to_bands_names_bands_by_image(made, arrays):
    found = bands(made, call("ImageCollection.toBands", collection=collection()))
    assert list(found) == [f"i{k}_{band}" for k in range(3) for band in "ab"]
    assert same(found["i1_b"], arrays["i1", "b"], True)


def test_images_of_different_bands_cannot_be_reduced(made):
    mixed = call("ImageCollection.fromImages", images=[load("i0"), select(load("i1"), "a")])
    with pytest.raises(ExpressionError, match="homogeneous image collection"):
        bands(made, call("reduce.median", collection=mixed))


def test_nothing_reduces_to_an_image_without_bands(made):
    nothing = call("Collection.filter", collection=collection(), filter=call("Filter.never"))
    image = call("reduce.median", collection=nothing)
    assert value(made, image) == {"type": "Image", "bands": []}
    with pytest.raises(ExpressionError, match="no bands"):
        bands(made, image)
