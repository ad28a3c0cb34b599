"""Numbers, strings, lists, dictionaries, dates, geometries and metadata."""

from __future__ import annotations

import pytest

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.graph import evaluate
from tests.sandbox.earthengine.graphing import Graph, argument, call, collection, load, value


def number(name, left, right):
    return call(f"Number.{name}", left=left, right=right)


def date(text):
    return call("Date", value=text)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (number("add", 1, 2), 3),
        (number("divide", 1, 2), 0.5),
        (number("divide", 6, 3), 2),
        (number("mod", -7, 3), -1),
        (number("lt", 1, 2), 1),
        (number("pow", 2, 10), 1024),
        (number("and", 2, 0), 0),
        (number("bitwiseAnd", 3072, 1024), 1024),
        (call("Number.toUint8", input=300.7), 255),
        (call("Number.toInt", input=-2.9), -2),
        (call("Number.round", input=2.5), 3),
        (call("Number.floor", input=-0.5), -1),
        (call("Number.not", input=0), 1),
        (call("Number.clamp", number=7, min=0, max=5), 5),
        (call("Number.parse", input="ff", radix=16), 255),
        (call("Number.format", number=7, pattern="%03d"), "007"),
        (call("Number.format", number=1.234, pattern="%.1f"), "1.2"),
        (call("String", input=3), "3"),
        (call("String.cat", string1="a", string2="b"), "ab"),
        (call("String.split", string="a_b__c", regex="_"), ["a", "b", "", "c"]),
        (call("String.slice", string="T32UPU", start=1, end=-1), "32UP"),
        (call("String.replace", input="a.b.c", regex="[.]", replacement="-"), "a-b.c"),
        (call("String.match", input="T32UPU", regex="[0-9]+"), ["32"]),
        (call("String.index", target="hello", pattern="l"), 2),
        (call("String.length", string="hello"), 5),
        (call("String.toUpperCase", string="abc"), "ABC"),
        (call("String.compareTo", string1="a", string2="b"), -1),
        (call("List.sequence", start=1, end=4), [1, 2, 3, 4]),
        (call("List.sequence", start=0, end=1, step=0.5), [0, 0.5, 1]),
        (call("List.sequence", start=5, end=1, step=-2), [5, 3, 1]),
        (call("List.sequence", start=0, end=1, count=3), [0, 0.5, 1]),
        (call("List.sequence", start=2, count=3, step=2), [2, 4, 6]),
        (call("List.sequence", start=2, end=1), []),
        (call("List.get", list=[1, 2, 3], index=-1), 3),
        (call("List.slice", list=[1, 2, 3, 4], start=1, end=3), [2, 3]),
        (call("List.set", list=[1, 2], index=-1, element=9), [1, 9]),
        (call("List.size", list=[1, 2]), 2),
        (call("List.flatten", list=[1, [2, [3]]]), [1, 2, 3]),
        (call("List.distinct", list=[1, 2, 1.0, "1", [2], [2]]), [1, 2, "1", [2]]),
        (call("List.sort", list=[3, 1, 2]), [1, 2, 3]),
        (call("List.sort", list=["c", "a", "b"], keys=[1, 3, 2]), ["c", "b", "a"]),
        (call("List.zip", list=[1, 2], other=["a", "b", "c"]), [[1, "a"], [2, "b"]]),
        (call("List.contains", list=[1, 2], element=2), True),
        (call("List.indexOf", list=[1, 2], element=3), -1),
        (call("List.removeAll", list=[1, 2, 3], other=[2]), [1, 3]),
        (call("List.join", list=["a", "b"], separator="-"), "a-b"),
        (call("List.reduce", list=[3, 1, None, 2], reducer=call("Reducer.median")), 2),
        (call("List.reduce", list=[4, 1], reducer=call("Reducer.mean")), 2.5),
        (call("Dictionary.get", dictionary={"a": 1}, key="a"), 1),
        (call("Dictionary.get", dictionary={}, key="a", defaultValue=2), 2),
        (call("Dictionary.set", dictionary={"a": 1}, key="b", value=2), {"a": 1, "b": 2}),
        (call("Dictionary.keys", dictionary={"b": 1, "a": 2}), ["a", "b"]),
        (call("Dictionary.values", dictionary={"b": 1, "a": 2}), [2, 1]),
        (call("Dictionary.fromLists", keys=["a"], values=[3]), {"a": 3}),
        (call("Dictionary.combine", first={"a": 1}, second={"a": 2}), {"a": 2}),
        (
            call("Dictionary.rename", **{"dictionary": {"a": 1}, "from": ["a"], "to": ["b"]}),
            {"b": 1},
        ),
        (call("Dictionary.select", dictionary={"a": 1, "b": 2}, selectors=["b"]), {"b": 2}),
    ],
)
def test_plain_values(made, told, expected):
    found = value(made, told)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (date("2020-02-29"), {"type": "Date", "value": 1_582_934_400_000}),
        (call("Date.millis", date=date(5)), 5),
        (call("Date.millis", date=call("Date.fromYMD", year=1970, month=1, day=2)), 86_400_000),
        (call("Date.format", date=date("2020-02-09"), format="YYYY/MM/dd D"), "2020/02/09 40"),
        (call("Date.format", date=date("2020-02-09T07:08:09")), "2020-02-09T07:08:09"),
        (call("Date.format", date=date("2020-02-09"), format="d MMM ''yy"), "9 Feb '20"),
        (call("Date.get", date=date("2020-02-29T11:00"), unit="hour"), 11),
        (call("Date.getRelative", date=date("2020-03-01"), unit="day", inUnit="year"), 60),
        (
            call("Date.difference", date=date("2020-03-01"), start=date("2020-02-28"), unit="day"),
            2,
        ),
    ],
)
def test_dates(made, told, expected):
    assert value(made, told) == expected


@pytest.mark.parametrize(
    ("start", "delta", "unit", "end"),
    [
        ("2020-01-31", 1, "month", "2020-02-29T00:00:00"),
        ("2020-02-29", -1, "year", "2019-02-28T00:00:00"),
        ("2020-12-31", 2, "months", "2021-02-28T00:00:00"),
        ("2020-01-01", 1.5, "day", "2020-01-02T12:00:00"),
        ("2020-01-01", -1, "week", "2019-12-25T00:00:00"),
    ],
)
def test_advanced_dates(made, start, delta, unit, end):
    later = call("Date.advance", date=date(start), delta=delta, unit=unit)
    assert value(made, call("Date.format", date=later)) == end


def test_ranges_of_dates(made):
    june = call("Date.getRange", date=date("2020-06-15T10:00"), unit="month")
    ends = [
        value(made, call("Date.format", date=call(f"DateRange.{end}", dateRange=june)))
        for end in ("start", "end")
    ]
    assert ends == ["2020-06-01T00:00:00", "2020-07-01T00:00:00"]
    for text, inside in (("2020-06-01", True), ("2020-07-01", False)):
        assert value(made, call("DateRange.contains", dateRange=june, other=text)) is inside
    with pytest.raises(UnsupportedError, match="time zone"):
        value(made, call("Date", value="2020-01-01", timeZone="Europe/Berlin"))


def polygon(ring, **told):
    return call("GeometryConstructors.Polygon", coordinates=[ring], **told)


DEGREE = polygon([[10, 50], [11, 50], [11, 51], [10, 51]], evenOdd=True)


def test_areas_lengths_and_bounds(made):
    # Sphere of 6371 km: R^2 * (sin 51 - sin 50) * radians(1), and edges that bend north a little.
    flat = call("GeometryConstructors.BBox", west=10, south=50, east=11, north=51)
    assert value(made, call("Geometry.area", geometry=flat)) == pytest.approx(7.8616e9, rel=1e-3)
    bent = value(made, call("Geometry.area", geometry=DEGREE))
    assert bent == pytest.approx(7.8616e9, rel=1e-2)
    north = value(made, call("Geometry.bounds", geometry=DEGREE))["coordinates"][0]
    assert max(y for _, y in north) == pytest.approx(51.00107, abs=1e-4)
    line = call("GeometryConstructors.LineString", coordinates=[[0, 0], [1, 0]])
    assert value(made, call("Geometry.length", geometry=line)) == pytest.approx(111_195, abs=2)
    circle = call("Geometry.buffer", distance=1000,
                  geometry=call("GeometryConstructors.Point", coordinates=[10, 60]))  # fmt: skip
    area = value(made, call("Geometry.area", geometry=circle))
    assert area == pytest.approx(3.1416e6, rel=1e-2)


def test_geometries_are_told_as_they_were_written(made):
    told = value(made, DEGREE)
    assert told["type"] == "Polygon"
    assert told["coordinates"] == [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]
    point = call("GeometryConstructors.Point", coordinates=[1, 2])
    assert value(made, point) == {"type": "Point", "coordinates": [1, 2]}
    corners = call("GeometryConstructors.Rectangle", coordinates=[10, 50, 11, 51])
    assert value(made, corners)["coordinates"] == told["coordinates"]


def test_geometries_in_another_crs_become_degrees(made):
    utm = call("GeometryConstructors.Point", coordinates=[500_000, 0], crs="EPSG:32631")
    near = polygon([[2.9, -0.1], [3.1, -0.1], [3.1, 0.1], [2.9, 0.1]])
    assert value(made, call("Geometry.contains", left=near, right=utm)) is True
    assert value(made, call("Geometry.intersects", left=DEGREE, right=utm)) is False


@pytest.mark.parametrize(
    "told",
    [
        call("GeometryConstructors.Point", coordinates=["a", 1]),
        call("GeometryConstructors.Polygon", coordinates=[]),
        call("GeometryConstructors.Polygon", coordinates=[[[0, 0], [1, 1]]]),
        call("GeometryConstructors.Polygon", coordinates=[[0, 0], [1, 1], 3]),
        polygon([[0, 0], [0, 1], [1, 1]], evenOdd=False),
    ],
)
def test_geometries_that_are_none_are_refused(made, told):
    with pytest.raises(ExpressionError):
        value(made, told)


def test_metadata_are_read_and_set(made):
    image = call("Element.set", object=load("i0"), key="new", value=[1, 2])
    image = call("Element.setMulti", object=image, properties={"kind": "other", "number": None})
    told = value(made, call("Element.toDictionary", element=image))
    assert told == {"cloud": 10, "kind": "other", "new": [1, 2]}
    names = value(made, call("Element.propertyNames", element=load("i0")))
    assert set(names) == {"system:index", "system:time_start", "cloud", "kind", "number"}
    assert value(made, call("Element.get", object=load("i0"), property="missing")) is None
    date_ = call("Date.format", date=call("Image.date", image=load("i0")))
    assert value(made, date_) == "2020-06-01T10:30:00"


def test_copied_properties_leave_the_system_out(made):
    blank = call("Image.constant", value=1)
    copied = call("Element.copyProperties", destination=blank, source=load("i0"), exclude=["kind"])
    assert value(made, copied)["properties"] == {"cloud": 10, "number": 0}
    chosen = call(
        "Element.copyProperties", destination=blank, source=load("i0"), properties=["system:index"]
    )
    assert value(made, chosen)["properties"] == {"system:index": "i0"}


def test_bands_are_selected_named_and_added(made):
    def names(image):
        return value(made, call("Image.bandNames", image=image))

    def selected(*selectors, **told):
        return call("Image.select", input=load("i0"), bandSelectors=list(selectors), **told)

    assert names(selected("b", 0)) == ["b", "a"]
    assert names(selected("[ab]")) == ["a", "b"]
    assert names(selected("a", "b", newNames=["x", "y"])) == ["x", "y"]
    assert names(selected("a", "a")) == ["a", "a_1"]
    twice = {"dstImg": load("i0"), "srcImg": load("i1")}
    assert names(call("Image.addBands", **twice)) == ["a", "b", "a_1", "b_1"]
    assert names(call("Image.addBands", **twice, names=["b"])) == ["a", "b", "b_1"]
    assert names(call("Image.addBands", **twice, overwrite=True)) == ["a", "b"]
    assert names(call("Image.cat", images=[load("i0"), 5])) == ["a", "b", "constant"]
    with pytest.raises(ExpressionError, match="1 names for 2 bands"):
        names(call("Image.rename", input=load("i0"), names=["x"]))


def test_lists_are_mapped_filtered_and_iterated(made):
    graph = Graph()
    square = graph.function(["x"], number("multiply", argument("x"), argument("x")))
    squares = call("List.map", list=[1, 2, 3], baseAlgorithm=square)
    assert evaluate(graph.expression(squares), made) == [1, 4, 9]
    add = graph.function(["x", "sum"], number("add", argument("x"), argument("sum")))
    total = call("List.iterate", list=squares, function=add, first=0)
    assert evaluate(graph.expression(total), made) == 14
    low = call("Filter.lt", leftField="item", rightValue=5)
    some = call("List.filter", list=squares, filter=low)
    assert evaluate(graph.expression(some), made) == [1, 4]


def test_metadata_become_pixels(made):
    told = value(made, call("Image.metadata", image=load("i0"), property="cloud"))
    assert told["bands"][0]["id"] == "cloud"
    assert told["bands"][0]["data_type"]["precision"] == "double"


def test_geometry_of_a_collection_covers_all(made):
    ground = call("Collection.geometry", collection=collection())
    own = call("Element.geometry", feature=load("i0"))
    assert value(made, call("Geometry.contains", left=ground, right=own)) is True
