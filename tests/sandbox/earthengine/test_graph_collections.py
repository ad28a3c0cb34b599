"""Collections: what passes a filter, in which order, under which names."""

from __future__ import annotations

import pytest
from shapely.geometry import box

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.graph import evaluate
from tests.sandbox.earthengine.graphing import (
    COLLECTION,
    FIRST,
    Graph,
    argument,
    call,
    collection,
    load,
    polygon,
    value,
)

DAY = 86_400_000
START = round(FIRST.timestamp() * 1000)


def filtered(filter_, of=None):
    return call("Collection.filter", collection=of or collection(), filter=filter_)


def indices(of):
    return call("AggregateFeatureCollection.array", collection=of, property="system:index")


def field(name, left, right):
    return call(f"Filter.{name}", leftField=left, rightValue=right)


def dates(start, end=None):
    told = {"start": start} | ({"end": end} if end is not None else {})
    return call(
        "Filter.dateRangeContains",
        leftValue=call("DateRange", **told),
        rightField="system:time_start",
    )


@pytest.mark.parametrize(
    ("filter_", "passing"),
    [
        (field("lessThan", "cloud", 60), ["i0"]),
        (field("lessThanOrEquals", "cloud", 60), ["i0", "i1"]),
        (field("greaterThan", "cloud", 10), ["i1"]),
        (field("greaterThanOrEquals", "cloud", 10), ["i0", "i1"]),
        (field("equals", "cloud", 10.0), ["i0"]),
        (field("equals", "kind", "even"), ["i0", "i2"]),
        (field("equals", "kind", 0), []),
        (field("notEquals", "cloud", 10), ["i1"]),
        (field("lessThan", "kind", 5), []),
        (call("Filter.not", filter=field("equals", "cloud", 10)), ["i1", "i2"]),
        (call("Filter.notNull", properties=["cloud"]), ["i0", "i1"]),
        (call("Filter.listContains", leftValue=[10, 11], rightField="cloud"), ["i0"]),
        (call("Filter.inList", leftField="kind", rightValue=["odd"]), ["i1"]),
        (field("stringStartsWith", "system:index", "i1"), ["i1"]),
        (field("stringEndsWith", "kind", "n"), ["i0", "i2"]),
        (field("stringContains", "kind", "d"), ["i1"]),
        (call("Filter.rangeContains", field="number", minValue=1, maxValue=2), ["i1", "i2"]),
        (call("Filter.calendarRange", start=2, end=3, field="day_of_month"), ["i1", "i2"]),
        (call("Filter.calendarRange", start=3, end=1, field="day_of_month"), ["i0", "i2"]),
        (call("Filter.dayOfYear", start=153, end=153), ["i0"]),
        (
            call("Filter.and", filters=[field("equals", "kind", "even"), field("lt", "number", 1)]),
            ["i0"],
        ),
        (
            call("Filter.or", filters=[field("eq", "number", 2), field("eq", "cloud", 60)]),
            ["i1", "i2"],
        ),
    ],
)
def test_filters(made, filter_, passing):
    assert value(made, indices(filtered(filter_))) == passing


@pytest.mark.parametrize(
    ("start", "end", "passing"),
    [
        (START, START + DAY, ["i0"]),
        (START + 1, START + DAY + 1, ["i1"]),
        ("2020-06-01", "2020-06-02", ["i0"]),
        ("2020-06-02", None, []),
        (START + 2 * DAY, None, ["i2"]),
        ("2020-06-01T10:30:00Z", "2020-06-03T10:30:00", ["i0", "i1"]),
        ("2020-153", "2020-154", ["i0"]),
    ],
)
def test_ranges_of_dates_are_half_open(made, start, end, passing):
    assert value(made, indices(filtered(dates(start, end)))) == passing


def test_ranges_are_half_open_where_the_catalogue_is_not_asked(made):
    listed = call("Collection.toList", collection=collection(), count=3)
    images = call("ImageCollection.fromImages", images=listed)
    numbers = call(
        "AggregateFeatureCollection.array",
        collection=filtered(dates(START, START + 2 * DAY), images),
        property="number",
    )
    assert value(made, numbers) == [0, 1]


def test_searches_look_only_where_and_when_filters_say(made):
    west, south, east, north = made.known[f"{COLLECTION}/i0"].footprint.bounds
    place = polygon(box(west, south, east, north))
    near = call("Filter.intersects", leftField=".all", rightValue=call("Feature", geometry=place))
    later = dates(START + DAY, START + 9 * DAY)
    of = filtered(
        call("Filter.and", filters=[near, later]), filtered(dates(START, START + 2 * DAY))
    )
    assert value(made, indices(of)) == ["i1"]
    ((name, ground, start, end),) = made.searches
    assert (name, (start - FIRST).days, (end - FIRST).days) == (COLLECTION, 1, 2)
    assert ground.bounds == pytest.approx((west, south, east, north))


def test_ground_elsewhere_finds_nothing(made):
    far = call("GeometryConstructors.Point", coordinates=[100, 10])
    near = call("Filter.intersects", leftField=".all", rightValue=far)
    assert value(made, call("Collection.size", collection=filtered(near))) == 0


def test_order_and_limits(made):
    ordered = call("Collection.limit", collection=collection(), key="number", ascending=False)
    assert value(made, indices(ordered)) == ["i2", "i1", "i0"]
    lowest = call("Collection.limit", collection=collection(), limit=2, key="cloud")
    assert value(made, indices(lowest)) == ["i2", "i0"]  # what has no such property comes first
    assert value(made, call("Collection.first", collection=ordered))["id"] == f"{COLLECTION}/i2"
    assert value(made, call("Collection.size", collection=collection())) == 3
    assert value(made, call("Collection.first", collection=filtered(call("Filter.never")))) is None


def test_map_calls_the_function_and_keeps_the_index(made):
    graph = Graph()
    body = call(
        "Feature",
        metadata=call(
            "Dictionary.set",
            dictionary={},
            key="twice",
            value=call(
                "Number.multiply",
                left=call("Element.get", object=argument("x"), property="number"),
                right=2,
            ),
        ),
    )
    mapped = call(
        "Collection.map", collection=collection(), baseAlgorithm=graph.function(["x"], body)
    )
    told = evaluate(graph.expression(mapped), made)
    assert [f["properties"] for f in told["features"]] == [
        {"twice": 2 * k, "system:index": f"i{k}"} for k in range(3)
    ]


def test_map_sees_the_arguments_of_functions_around_it(made):
    graph = Graph()
    inner = graph.function(["y"], call("Number.add", left=argument("x"), right=argument("y")))
    rows = call("List.map", list=[10, 20], baseAlgorithm=inner)
    outer = graph.function(["x"], rows)
    told = call("List.map", list=[1, 2], baseAlgorithm=outer)
    assert evaluate(graph.expression(told), made) == [[11, 21], [12, 22]]


def test_iterate_hands_on_what_came_before(made):
    graph = Graph()
    number = call("Element.get", object=argument("x"), property="number")
    add = graph.function(["x", "sum"], call("Number.add", left=number, right=argument("sum")))
    told = call("Collection.iterate", collection=collection(), function=add, first=100)
    assert evaluate(graph.expression(told), made) == 103


def test_merged_collections_have_prefixes_and_made_ones_count(made):
    two = call("ImageCollection.merge", collection1=collection(), collection2=collection())
    found = value(made, indices(two))
    assert found == ["1_i0", "1_i1", "1_i2", "2_i0", "2_i1", "2_i2"]
    listed = call("ImageCollection.fromImages", images=[load("i2"), load("i0")])
    assert value(made, indices(listed)) == ["0", "1"]


def test_aggregates_leave_out_what_is_missing(made):
    def ask(name, property_):
        return value(
            made,
            call(f"AggregateFeatureCollection.{name}", collection=collection(), property=property_),
        )

    assert ask("array", "cloud") == [10, 60]
    assert (ask("count", "cloud"), ask("mean", "cloud"), ask("max", "cloud")) == (2, 35, 60)
    assert (ask("min", "kind"), ask("count_distinct", "kind"), ask("sum", "number")) == (
        "even",
        2,
        3,
    )


def test_reduce_columns(made):
    def ask(reducer, *selectors):
        return value(
            made,
            call(
                "Collection.reduceColumns",
                collection=collection(),
                reducer=reducer,
                selectors=list(selectors),
            ),
        )

    assert ask(call("Reducer.mean"), "cloud") == {"mean": 35}
    assert ask(call("Reducer.median"), "number") == {"median": 1}
    assert ask(call("Reducer.toList"), "cloud") == {"list": [10, 60]}
    pairs = ask(call("Reducer.toList", tupleSize=2), "number", "cloud")
    assert pairs == {"list": [[0, 10], [1, 60]]}
    twice = call("Reducer.repeat", reducer=call("Reducer.toList"), count=2)
    assert ask(twice, "number", "kind") == {"list": [[0, 1, 2], ["even", "odd", "even"]]}
    with pytest.raises(ExpressionError, match="takes 1 inputs, not 2"):
        ask(call("Reducer.mean"), "cloud", "number")


def test_elements_of_a_list_are_images_again(made):
    listed = call("Collection.toList", collection=collection(), count=2, offset=1)
    told = value(made, call("List.get", list=listed, index=-1))
    assert told["id"] == f"{COLLECTION}/i2"


def test_distinct_keeps_the_first(made):
    told = call("Collection.distinct", collection=collection(), properties=["kind"])
    assert value(made, indices(told)) == ["i0", "i1"]


def test_a_collection_that_is_not_there_is_refused(made):
    with pytest.raises(ExpressionError, match="'NOT/THERE' not found"):
        value(made, collection("NOT/THERE"))
    with pytest.raises(ExpressionError, match=f"'{COLLECTION}/x' not found"):
        value(made, load("x"))


def test_info_of_a_collection(made):
    told = value(made, filtered(field("lt", "cloud", 60)))
    assert (told["type"], told["id"], len(told["features"])) == ("ImageCollection", COLLECTION, 1)
    image = told["features"][0]
    assert [band["id"] for band in image["bands"]] == ["a", "b"]
    assert image["bands"][0]["crs"] == "EPSG:32631"
    assert image["bands"][0]["crs_transform"] == [10, 0, 600_000, 0, -10, 5_700_000]
    assert image["bands"][0]["dimensions"] == [4, 3]
    assert image["properties"]["system:time_start"] == START
