"""The filter language of listings, and pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from shapely.geometry import Point, box

from eodata.sandbox.earthengine.errors import EngineError
from eodata.sandbox.earthengine.filters import parse, reach
from eodata.sandbox.earthengine.images import CatalogueImage
from eodata.sandbox.earthengine.listing import page

START = datetime(2018, 6, 1, 10, 17, 28, 112000, tzinfo=UTC)
PROPERTIES = {
    "CLOUD": 12.5,
    "TILE": "32UPU",
    "ORBIT": 65,
    "POLARISATION": ["VV", "VH"],
    "system:index": "a",
    "sandbox:synthetic": 1,
    "NAME": "a b",
}
IMAGE = CatalogueImage(
    "X/Y/a", {}, PROPERTIES, START, START + timedelta(seconds=25), box(11, 48, 12, 49)
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "properties.CLOUD<12.6 AND properties.CLOUD >= 12.5",
        'properties.TILE="32UPU"',
        "properties.TILE=32UPU",
        "properties.TILE!=33UPU",
        'properties.NAME = "a b"',
        "properties.NAME = 'a b'",
        "properties.ORBIT = 65.0",
        'properties.ORBIT = "65"',
        "properties.ORBIT > -1",
        "properties.POLARISATION:VH",
        "properties.CLOUD:*",
        "properties.system:index=a AND properties.sandbox:synthetic = 1",
        "NOT properties.TILE = x",
        "NOT properties.NOTHING > 0",
        "properties.TILE = x OR properties.TILE = 32UPU",
        "properties.ORBIT = 65 AND properties.TILE = x OR properties.TILE = 32UPU",
        "(properties.ORBIT = 1 AND properties.TILE = x) OR id = X/Y/a",
        "type = IMAGE AND name = projects/earthengine-public/assets/X/Y/a",
        'startTime >= "2018-06-01T10:17:28.112Z" AND endTime < "2018-06-01T10:18:00Z"',
        "startTime < 2018-06-02",
        "intersects(\"{'type': 'Point', 'coordinates': [11.5, 48.5]}\")",
        'intersects("POLYGON ((10 48, 11.1 48, 11.1 49, 10 48))")',
    ],
)
def test_filters_that_hold(text):
    assert parse(text).holds(IMAGE)


@pytest.mark.parametrize(
    "text",
    [
        "properties.CLOUD<12.5",
        "properties.CLOUD = word",
        "properties.NOTHING = 1",
        "properties.NOTHING != 1",
        "properties.POLARISATION:HH",
        "properties.NOTHING:*",
        "NOT (properties.ORBIT = 65)",
        # OR binds closer than AND.
        "properties.TILE = 32UPU OR properties.ORBIT = 65 AND properties.TILE = x",
        'startTime > "2018-06-01T10:17:28.112Z"',
        'endTime < "2018-06-01T10:17:53Z"',
        'intersects("POINT (13 48)")',
        # What only touches shares no ground.
        'intersects("POLYGON ((10 48, 11 48, 11 49, 10 49, 10 48))")',
    ],
)
def test_filters_that_do_not_hold(text):
    assert not parse(text).holds(IMAGE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("properties.A = 1 properties.B = 2", "AND or the end expected"),
        ("properties.A =", "a value expected, not the end"),
        ("properties.A ~ 1", "an operator expected"),
        ("(properties.A = 1", "\\) expected"),
        ("= 1", "a field expected"),
        ("colour = 1", "no field colour"),
        ("near(1)", "no function near"),
        ("startTime > soon", '"soon" is no time'),
        ("startTime:2018", "by a colon"),
        ('intersects("{}")', "GeoJSON or WKT"),
        ("intersects(\"{'type': 'Disc'}\")", "GeoJSON or WKT"),
        ('intersects("POINT")', "GeoJSON or WKT"),
        ('properties.A = "open', "Invalid filter at character"),
    ],
)
def test_filters_that_cannot_be_read_say_why(text, message):
    with pytest.raises(EngineError, match=message) as refused:
        parse(text)
    assert refused.value.status == 400


def test_the_reach_is_what_must_hold_of_place_and_time():
    told = reach(
        parse(
            'startTime >= "2018-01-01" AND startTime > "2018-02-01" AND endTime < "2018-07-01" '
            'AND intersects("POINT (11 48)") AND properties.A = 1'
        )
    )
    assert told == (
        Point(11, 48),
        datetime(2018, 2, 1, tzinfo=UTC),
        datetime(2018, 7, 1, tzinfo=UTC),
    )
    loose = 'startTime > "2018-01-01" OR intersects("POINT (11 48)")'
    assert reach(parse(loose)) == (None, None, None)
    assert reach(parse('NOT startTime > "2018-01-01"')) == (None, None, None)


class Few:
    """A catalogue of one collection whose images begin in the same moment, or a day later."""

    archive = None

    def __init__(self, starts):
        self.all = [
            CatalogueImage(
                f"X/{n}", {}, {"N": n}, START + timedelta(days=d), START + timedelta(days=d),
                box(11, 48, 12, 49),
            )
            for n, d in enumerate(starts)
        ]  # fmt: skip

    def images(self, collection, ground, start, end):
        assert collection == "X"
        return (
            i for i in self.all if (not start or i.start >= start) and (not end or i.start < end)
        )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("text", ["", "properties.N != 2", 'startTime > "2018-06-01T11:00:00Z"'])
def test_pages_hold_each_image_once_in_order(size, text):
    few = Few([0, 0, 0, 1, 1, 2, 2, 2])
    wanted = [i.id for i in few.all if parse(text).holds(i)]
    token, got = "", []
    for _ in range(10):
        part = page(few, "X", text, size, token)
        assert len(part.images) <= size
        got += [image.id for image in part.images]
        token = part.token
        if not token:
            break
    assert got == wanted


def test_tokens_hold_for_one_question_and_sizes_are_numbers():
    few = Few([0, 1, 2])
    token = page(few, "X", "", 1).token
    assert [i.id for i in page(few, "X", "", 1, token).images] == ["X/1"]
    with pytest.raises(EngineError, match="another collection or filter"):
        page(few, "X", "properties.N = 1", 1, token)
    for broken in ("x", token[:-4], "e30="):
        with pytest.raises(EngineError, match="Invalid page token"):
            page(few, "X", "", 1, broken)
    with pytest.raises(EngineError, match="must not be negative"):
        page(few, "X", "", -1)
