"""Expressions that are malformed, endless, too large, or ask for too much."""

from __future__ import annotations

import pytest

from eodata.sandbox.earthengine.expression import DEEPEST, MOST_NODES, Call, Constant, decode
from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.graph import evaluate, render
from tests.sandbox.earthengine.graphing import (
    GRID,
    Graph,
    argument,
    bands,
    call,
    collection,
    constant,
    expression,
    load,
    value,
)


def test_every_kind_of_node(made):
    told = {
        "result": "0",
        "values": {
            "0": {
                "dictionaryValue": {
                    "values": {
                        "list": {"arrayValue": {"values": [{"valueReference": "1"}] * 2}},
                        "long": {"integerValue": "9007199254740993"},
                        "plain": {"constantValue": {"a": [1, None, True, "x"]}},
                    }
                }
            },
            "1": {"constantValue": 3},
        },
    }
    assert evaluate(told, made) == {
        "list": [3, 3],
        "long": 9007199254740993,
        "plain": {"a": [1, None, True, "x"]},
    }


def test_a_function_may_be_the_value_of_a_node(made):
    graph = Graph()
    graph.values["twice"] = graph.function(
        ["x"], call("Number.multiply", left=argument("x"), right=2)
    )
    told = {
        "functionInvocationValue": {
            "functionReference": "twice",
            "arguments": {"x": {"constantValue": 21}},
        }
    }
    assert evaluate({"result": "r", "values": {**graph.values, "r": told}}, made) == 42


def test_keys_that_are_shared_are_one_node():
    told = {
        "result": "0",
        "values": {
            "0": call("Number.add", left={"valueReference": "1"}, right={"valueReference": "1"}),
            "1": {"constantValue": 1},
        },
    }
    root = decode(told)
    assert isinstance(root, Call)
    assert root.arguments["left"] is root.arguments["right"]
    assert isinstance(root.arguments["left"], Constant)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, "malformed"),
        ([], "malformed"),
        ({"result": "0", "values": {}}, "no value '0'"),
        ({"result": "0", "values": {"0": {}}}, "one kind"),
        ({"result": "0", "values": {"0": {"constantValue": 1, "arrayValue": {}}}}, "one kind"),
        ({"result": "0", "values": {"0": 5}}, "malformed"),
        ({"result": "0", "values": {"0": {"valueReference": "0"}}}, "refers to itself"),
        ({"result": "0", "values": {"0": {"argumentReference": "x"}}}, "x belongs to no function"),
        ({"result": "0", "values": {"0": {"functionInvocationValue": {}}}}, "malformed"),
    ],
)
def test_malformed_expressions_are_refused(made, told, why):
    with pytest.raises(ExpressionError, match=why):
        evaluate(told, made)


def test_a_loop_through_a_function_is_found(made):
    told = {"result": "0", "values": {
        "0": {"functionDefinitionValue": {"argumentNames": ["x"], "body": "1"}},
        "1": call("List.map", list=[1], baseAlgorithm={"valueReference": "0"}),
    }}  # fmt: skip
    with pytest.raises(ExpressionError, match="refers to itself"):
        evaluate(told, made)


def test_what_is_unknown_is_named(made):
    with pytest.raises(UnsupportedError, match=r"Image\.focalMean is unsupported") as caught:
        bands(made, call("Image.focalMean", image=load("i0")))
    assert caught.value.name == "Image.focalMean"
    with pytest.raises(UnsupportedError, match="bytesValue"):
        evaluate(expression({"bytesValue": "aGVsbG8="}), made)
    with pytest.raises(UnsupportedError, match="argument kernel"):
        bands(made, call("Image.abs", value=load("i0"), kernel=3))


def test_arguments_that_are_missing_or_of_another_kind_are_named(made):
    with pytest.raises(ExpressionError, match="Parameter 'input' is required"):
        bands(made, call("Image.select", bandSelectors=["a"]))
    with pytest.raises(ExpressionError, match="Parameter 'image1' is required"):
        bands(made, call("Image.add", image1=None, image2=1))
    with pytest.raises(ExpressionError, match=r"argument 'image2' \(str\) is no number"):
        bands(made, call("Image.add", image1=load("i0"), image2="x"))
    with pytest.raises(ExpressionError, match=r"'x' did not match any bands.*a, b"):
        bands(made, call("Image.select", input=load("i0"), bandSelectors=["x"]))


def test_only_images_have_pixels(made):
    with pytest.raises(ExpressionError, match="gives no image but int"):
        render(expression(5), made, GRID)
    with pytest.raises(ExpressionError, match="gives no image but Collection"):
        render(expression(collection()), made, GRID)
    with pytest.raises(UnsupportedError, match="Filter"):
        value(made, call("Filter.always"))


def test_bands_are_rendered_in_the_order_asked_for(made):
    found = render(expression(load("i0")), made, GRID, ["b", "a"])
    assert [band.name for band in found] == ["b", "a"]
    with pytest.raises(ExpressionError, match="'c' is not among a, b"):
        render(expression(load("i0")), made, GRID, ["c"])


def nested(depth):
    told = constant(1)
    for _ in range(depth):
        told = call("Image.add", image1=told, image2=1)
    return told


def test_depth_is_limited_and_what_is_allowed_is_evaluated(made):
    deep = DEEPEST - 1
    assert bands(made, nested(deep))["constant"][0, 0] == deep + 1
    with pytest.raises(ExpressionError, match="calls deep"):
        bands(made, nested(DEEPEST + 1))


def test_what_recursion_builds_at_run_time_is_refused_when_too_deep(made):
    graph = Graph()
    add = graph.function(["x", "sum"], call("Image.add", image1=argument("sum"), image2=1))
    told = call(
        "List.iterate", list=call("List.sequence", start=1, end=2000), function=add,
        first=constant(0),
    )  # fmt: skip
    with pytest.raises(ExpressionError, match="too deeply"):
        render(graph.expression(told), made, GRID)


def test_size_is_limited(made):
    with pytest.raises(ExpressionError, match=f"more than {MOST_NODES} nodes"):
        evaluate(expression([1] * (MOST_NODES + 1)), made)


def test_doubling_ends(made):
    values = {"0": {"constantValue": [1] * 1000}}
    texts = {"0": {"constantValue": "x" * 1000}}
    for k in range(1, 60):
        again = {"valueReference": str(k - 1)}
        values[str(k)] = call("List.cat", list=again, other=again)
        texts[str(k)] = call("String.cat", string1=again, string2=again)
    for told, name in ((values, r"List\.cat"), (texts, r"String\.cat")):
        with pytest.raises(ExpressionError, match=f"{name} gives more than"):
            evaluate({"result": "59", "values": told}, made)


def test_loops_within_loops_end(made):
    graph = Graph()
    many = call("List.sequence", start=1, end=1000)
    body = call("List.size", list=[argument(f"x{k}") for k in range(4)])
    for k in range(4):
        looped = call("List.map", list=many, baseAlgorithm=graph.function([f"x{k}"], body))
        body = call("List.size", list=looped)
    with pytest.raises(ExpressionError, match="too many steps"):
        evaluate(graph.expression(body), made)


def test_results_that_are_large_by_sharing_are_refused(made):
    values = {"0": {"constantValue": 1}}
    for k in range(1, 60):
        values[str(k)] = {"arrayValue": {"values": [{"valueReference": str(k - 1)}] * 2}}
    with pytest.raises(ExpressionError, match="more than 2000000 values"):
        evaluate({"result": "59", "values": values}, made)


@pytest.mark.parametrize(
    "told",
    [
        call("List.sequence", start=0, end=1e12),
        call("List.repeat", value=1, count=10**9),
        call("Number.pow", left=10, right=1e9),
        call("Number.leftShift", left=1, right=10**9),
        call("Number.format", number=1, pattern="%0999999d"),
        call("Number.divide", left=1, right=0),
        call("Date.advance", date=call("Date", value="2020-01-01"), delta=10**9, unit="year"),
        call("Date.format", date=call("Date", value=10**18)),
        call("String.match", input="a" * 40, regex="(a+)+$"),
        call("String.match", input="a" * 5000, regex="a*a*a*b"),
        call("Date", value="soon"),
        call("List.get", list=[1], index=1),
        call("Dictionary.get", dictionary={"a": 1}, key="b"),
    ],
)
def test_hostile_values_are_refused(made, told):
    if told["functionInvocationValue"]["functionName"] == "Number.leftShift":
        assert value(made, told) == 2.0**63
        return
    with pytest.raises(ExpressionError):
        value(made, told)


def test_pixels_are_limited(made):
    total = constant(0)
    for _ in range(100):
        total = call("Image.add", image1=total, image2=1)
    huge = GRID.__class__(10_000, 10_000, GRID.affine, GRID.crs)
    with pytest.raises(ExpressionError, match="too large"):
        render(expression(total), made, huge)


def test_searches_are_limited(made):
    for k in range(5001):
        made.known[f"MANY/{k}"] = made.known["MADE/UP/i0"].__class__(
            **{name: getattr(made.known["MADE/UP/i0"], name)
               for name in ("bands", "properties", "start", "end", "footprint")},
            id=f"MANY/{k}",
        )  # fmt: skip
    with pytest.raises(ExpressionError, match="over 5000 elements"):
        value(made, call("Collection.size", collection=collection("MANY")))
    first = call("Collection.first", collection=collection("MANY"))
    assert value(made, first)["id"].startswith("MANY/")


def test_only_the_case_that_is_due_is_evaluated(made):
    unknown = call("Image.focalMean")
    told = call("If", condition=1, trueCase="yes", falseCase=unknown)
    assert value(made, told) == "yes"
    assert value(made, call("If", condition=0, trueCase=unknown)) is None
