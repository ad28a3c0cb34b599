"""Writes `pipelines.json`: graphs of the official client, so that tests need no client.

Run as `python -m tests.sandbox.earthengine.make_pipelines` with `earthengine-api` installed.
"""

from __future__ import annotations

import json
from pathlib import Path

import ee
from ee import apitestcase, serializer

FILE = Path(__file__).with_name("pipelines.json")
SQUARE = [5.5, 52.0, 5.53, 52.02]
SR = "COPERNICUS/S2_SR_HARMONIZED"
CLOUDS = "COPERNICUS/S2_CLOUD_PROBABILITY"
SCORE = "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED"
SPAN = ("2022-06-01", "2022-07-01")


def found(name: str) -> ee.ImageCollection:
    square = ee.Geometry.Rectangle(SQUARE)
    return ee.ImageCollection(name).filterBounds(square).filterDate(*SPAN)


def clear() -> ee.ImageCollection:
    return found(SR).filter(ee.Filter.lt("CLOUDY_PIXEL_PERCENTAGE", 70))


def without_shadow(image: ee.Image) -> ee.Image:
    scl = image.select("SCL")
    return image.updateMask(scl.neq(3).And(scl.lt(8).Or(scl.eq(11))))


def without_cloud(image: ee.Image) -> ee.Image:
    return image.updateMask(ee.Image(image.get("cloud")).select("probability").lt(40))


def joined() -> ee.ImageCollection:
    same = ee.Filter.equals(leftField="system:index", rightField="system:index")
    return ee.ImageCollection(ee.Join.saveFirst("cloud").apply(clear(), found(CLOUDS), same))


def indices(image: ee.Image) -> ee.Image:
    ndvi = image.normalizedDifference(["B8", "B4"]).rename("ndvi")
    return image.addBands(ndvi).copyProperties(image, ["system:time_start"])


def pipelines() -> dict[str, ee.ComputedObject]:
    """Return what to write by name."""
    linked = clear().linkCollection(ee.ImageCollection(SCORE), ["cs"])
    names = ["system:index", "CLOUDY_PIXEL_PERCENTAGE"]
    lists = ee.Reducer.toList().repeat(2)
    return {
        "indices": clear().aggregate_array("system:index"),
        "mosaic": clear().mosaic().select(["B2", "B8", "SCL"]),
        "median": clear().map(without_shadow).select(["B4", "B8"]).median(),
        "joined median": joined().map(without_cloud).select(["B4", "B8"]).median(),
        "linked mean": linked.map(lambda i: i.updateMask(i.select("cs").gte(0.6)))
        .select(["B3", "B5"]).mean().divide(10_000).toFloat(),
        "greenest": clear().map(indices).qualityMosaic("ndvi").select(["ndvi", "B4"]),
        "stack": clear().select("B4").toBands().unmask(65_535),
        "lists": clear().reduceColumns(lists, names).get("list"),
        "newest": clear().sort("system:time_start", False).first().select(["B4", "B3"], ["r", "g"]),
        "days": clear().limit(2).map(lambda i: i.set("day", i.date().format("YYYY-MM-dd")))
        .aggregate_array("day"),
    }  # fmt: skip


def main() -> None:
    """Write them."""
    case = apitestcase.ApiTestCase()
    case.setUp()
    told = {name: serializer.encode(made, for_cloud_api=True) for name, made in pipelines().items()}
    FILE.write_text(json.dumps(told, indent=1) + "\n")
    case.tearDown()


if __name__ == "__main__":
    main()
