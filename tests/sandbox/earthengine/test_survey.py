"""What an image needs is known before it is computed, and looked up image by image."""

from __future__ import annotations

import numpy as np

from eodata.sandbox.earthengine import canvas
from tests.sandbox.earthengine.graphing import (
    TERMS,
    Graph,
    argument,
    bands,
    call,
    collection,
    load,
    select,
)

TOGETHER = [(f"MADE/UP/i{k}", ["a", "b"]) for k in range(3)]


def masked_median():
    graph = Graph()
    low = call("Image.lt", image1=select(argument("x"), "b"), image2=0)
    body = call("Image.updateMask", image=select(argument("x"), "a"), mask=low)
    of = call("Collection.map", collection=collection(), baseAlgorithm=graph.function(["x"], body))
    return graph.expression(call("reduce.median", collection=of))


def test_bands_of_an_image_are_made_together(made):
    bands(made, masked_median())
    assert made.archive.together == TOGETHER


def test_what_is_needed_twice_is_read_once(made):
    doubled = call("Image.add", image1=load("i0"), image2=load("i0"))
    bands(made, select(doubled, "a"))
    assert made.archive.reads.count(("MADE/UP/i0", "a")) == 1


def test_what_cannot_be_kept_is_read_when_it_is_due(made, monkeypatch):
    before = bands(made, masked_median())["a"]
    made.archive.together.clear()
    monkeypatch.setattr(canvas, "KEPT_BYTES", 50)
    after = bands(made, masked_median())["a"]
    assert not made.archive.together
    assert np.ma.allequal(before, after)


def test_images_that_are_computed_elsewhere_first_are_left_out(made, arrays):
    forced = {"crs": call("Projection", crs="EPSG:32631"), "crsTransform": list(TERMS)}
    found = bands(made, call("Image.reproject", image=load("i0"), **forced))
    assert not made.archive.together
    assert np.array_equal(found["b"].data, arrays["i0", "b"])
