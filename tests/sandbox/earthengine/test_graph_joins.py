"""Joins and links."""

from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.graph import evaluate, render
from tests.sandbox.earthengine.graphing import (
    GRID,
    Graph,
    argument,
    bands,
    call,
    collection,
    load,
    same,
    value,
)

CLOUDS = "MADE/CLOUDS"
EQUAL = call("Filter.equals", leftField="system:index", rightField="system:index")


@pytest.fixture
def clouds(made):
    """A second collection; `i1` is missing and one stands alone."""
    for k, index in enumerate(("i0", "i2", "i9")):
        made.add(index, {"p": np.full((3, 4), 10 * (k + 1), np.uint8)}, {"rank": -k}, day=k,
                 collection=CLOUDS, nodata=None)  # fmt: skip
    return made


def joined(join, condition=EQUAL, secondary=CLOUDS):
    return call(
        "Join.apply",
        join=join,
        primary=collection(),
        secondary=collection(secondary),
        condition=condition,
    )


def indices(of):
    return call("AggregateFeatureCollection.array", collection=of, property="system:index")


def test_save_first_keeps_what_matches(clouds):
    of = joined(call("Join.saveFirst", matchKey="match"))
    assert value(clouds, indices(of)) == ["i0", "i2"]
    match = call("Element.get", object=call("Collection.first", collection=of), property="match")
    assert value(clouds, match)["id"] == f"{CLOUDS}/i0"
    assert not any(search[0] == CLOUDS for search in clouds.searches)  # looked up by id


def test_outer_joins_keep_the_rest(clouds):
    of = joined(call("Join.saveFirst", matchKey="match", outer=True))
    assert value(clouds, indices(of)) == ["i0", "i1", "i2"]


def test_simple_and_inverted_joins_part_the_primary(clouds):
    assert value(clouds, indices(joined(call("Join.simple")))) == ["i0", "i2"]
    assert value(clouds, indices(joined(call("Join.inverted")))) == ["i1"]


def test_filters_of_the_secondary_hold_when_it_is_looked_up(clouds):
    some = call(
        "Collection.filter",
        collection=collection(CLOUDS),
        filter=call("Filter.lessThan", leftField="rank", rightValue=0),
    )
    of = call("Join.apply", join=call("Join.simple"), primary=collection(), secondary=some,
              condition=EQUAL)  # fmt: skip
    assert value(clouds, indices(of)) == ["i2"]


def test_save_all_orders_matches(clouds):
    near = call(
        "Filter.maxDifference",
        difference=86_400_000,
        leftField="system:time_start",
        rightField="system:time_start",
    )
    of = joined(call("Join.saveAll", matchesKey="all", ordering="rank"), near)
    told = value(clouds, of)["features"]
    found = [[m["properties"]["rank"] for m in image["properties"]["all"]] for image in told]
    assert found == [[-1, 0], [-2, -1, 0], [-2, -1]]


def test_inner_joins_give_pairs(clouds):
    told = value(clouds, joined(call("Join.inner")))
    assert told["type"] == "FeatureCollection"
    pairs = [
        (f["properties"]["primary"]["id"], f["properties"]["secondary"]["id"])
        for f in told["features"]
    ]
    assert pairs == [("MADE/UP/i0", "MADE/CLOUDS/i0"), ("MADE/UP/i2", "MADE/CLOUDS/i2")]


def test_equal_properties_are_looked_up_in_any_collection(clouds):
    equal = call("Filter.equals", leftField="number", rightField="rank")
    assert value(clouds, indices(joined(call("Join.simple"), equal))) == ["i0"]


def test_matches_are_images(clouds, arrays):
    graph = Graph()
    match = call("Element.get", object=argument("x"), property="match")
    body = call(
        "Image.updateMask",
        image=argument("x"),
        mask=call("Image.lt", image1=match, image2=call("Image.constant", value=15)),
    )
    of = call(
        "Collection.map",
        collection=joined(call("Join.saveFirst", matchKey="match")),
        baseAlgorithm=graph.function(["x"], body),
    )
    median = graph.expression(call("reduce.median", collection=of))
    found = {b.name: (b.values, b.mask) for b in render(median, clouds, GRID)}
    assert np.array_equal(found["b"][0], arrays["i0", "b"].astype(np.float64))
    assert found["b"][1].all()


def linked(index, **told):
    return call(
        "Image.linkCollection", input=load(index), imageCollection=collection(CLOUDS), **told
    )


def test_links_add_bands_and_properties(clouds):
    image = linked("i2", linkedBands=["p"], linkedProperties="rank")
    found = bands(clouds, image)
    assert list(found) == ["a", "b", "p"]
    assert same(found["p"], 20, True)
    assert value(clouds, image)["properties"]["rank"] == -1


def test_links_without_a_match_are_masked(clouds):
    found = bands(clouds, linked("i1", linkedBands="p"))
    assert same(found["p"], 0, False)
    with pytest.raises(ExpressionError, match="neither bands nor properties"):
        evaluate({"result": "r", "values": {"r": linked("i1")}}, clouds)


def test_measures_are_unsupported(clouds):
    with pytest.raises(UnsupportedError, match=r"Join\.saveFirst"):
        value(clouds, call("Join.saveFirst", matchKey="m", measureKey="d"))
    with pytest.raises(UnsupportedError, match=r"Join\.saveBest"):
        value(clouds, call("Join.saveBest", matchKey="m", measureKey="d"))
