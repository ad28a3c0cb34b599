"""Graphs written by hand, and a catalogue of small images whose numbers are arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.reproject import WGS84, reproject
from eodata.sandbox.earthengine.graph import evaluate, render
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf, PixelGrid
from eodata.sandbox.items import Layer, SandboxItem

TERMS = (10.0, 0.0, 600_000.0, 0.0, -10.0, 5_700_000.0)
GRID = PixelGrid(4, 3, TERMS, "EPSG:32631")
FIRST = datetime(2020, 6, 1, 10, 30, tzinfo=UTC)
COLLECTION = "MADE/UP"


def call(name, **arguments):
    """Return the node of a call; a trailing underscore keeps Python's own words apart."""
    told = {key.rstrip("_"): node(value) for key, value in arguments.items()}
    return {"functionInvocationValue": {"functionName": name, "arguments": told}}


def node(value):
    """Return a node: a value that is none yet is a constant, a list an array of nodes."""
    kinds = ("Value", "Reference")
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).endswith(kinds):
        return value
    if isinstance(value, list):
        return {"arrayValue": {"values": [node(item) for item in value]}}
    return {"constantValue": value}


def argument(name):
    return {"argumentReference": name}


class Graph:
    """An expression whose functions get keys of their own."""

    def __init__(self):
        self.values = {}

    def function(self, names, body):
        key = f"f{len(self.values)}"
        self.values[key] = body
        return {"functionDefinitionValue": {"argumentNames": names, "body": key}}

    def expression(self, result):
        return {"result": "result", "values": {**self.values, "result": node(result)}}


def expression(result):
    return Graph().expression(result)


@dataclass
class MadeArchive:
    """Holds arrays by item and layer, counts reads; knows no overviews."""

    arrays: dict = field(default_factory=dict)
    reads: list = field(default_factory=list)
    together: list = field(default_factory=list)

    def read(self, item, key, rows, cols, factor=1):
        assert factor == 1
        self.reads.append((item.id, key))
        return self.arrays[item.id, key][slice(*rows), slice(*cols)]

    def read_many(self, item, windows):
        self.together.append((item.id, sorted(windows)))
        return {key: self.read(item, key, *window) for key, window in windows.items()}


@dataclass
class MadeCatalogue:
    """One collection of images that share a grid; counts what is searched."""

    archive: MadeArchive = field(default_factory=MadeArchive)
    known: dict = field(default_factory=dict)
    searches: list = field(default_factory=list)

    def add(self, index, bands, properties=None, *, day=0.0, collection=COLLECTION, nodata=0):
        """Add an image; `bands` are arrays by name, `nodata` masks those of integers."""
        start = FIRST + timedelta(days=day)
        made = {name: np.asarray(array) for name, array in bands.items()}
        height, width = next(iter(made.values())).shape
        layers = {name: Layer(name, 1, str(a.dtype)) for name, a in made.items()}
        base = GeoBox((height, width), Affine(*TERMS), "EPSG:32631")
        ground = reproject(box(*base.boundingbox.bbox), "EPSG:32631", WGS84, 10)
        name = f"{collection}/{index}"
        item = SandboxItem(name, "made", start, ground, {}, base, layers)
        self.archive.arrays.update({(name, key): array for key, array in made.items()})
        leaves = {
            key: Leaf(item, key, str(a.dtype), nodata=None if a.dtype.kind == "f" else nodata)
            for key, a in made.items()
        }
        millis = round(start.timestamp() * 1000)
        told = {"system:index": index, "system:time_start": millis, **(properties or {})}
        self.known[name] = CatalogueImage(name, leaves, told, start, start, ground)

    def has_collection(self, collection):
        return any(name.rpartition("/")[0] == collection for name in self.known)

    def image(self, asset_id):
        return self.known[asset_id]

    def images(self, collection, ground, start, end):
        self.searches.append((collection, ground, start, end))
        for image in sorted(self.known.values(), key=lambda image: (image.start, image.id)):
            here = ground is None or image.footprint.intersects(ground)
            now = (start is None or image.start >= start) and (end is None or image.start < end)
            if image.id.rpartition("/")[0] == collection and here and now:
                yield image


def value(catalogue, result):
    """Return what an expression comes to."""
    return evaluate(expression(result), catalogue)


def bands(catalogue, result, grid=GRID):
    """Return the bands of an image by name, as masked arrays."""
    told = result if "result" in result else expression(result)
    return {
        band.name: np.ma.masked_array(band.values, ~band.mask)
        for band in render(told, catalogue, grid)
    }


def load(index, collection=COLLECTION):
    return call("Image.load", id=f"{collection}/{index}")


def collection(name=COLLECTION):
    return call("ImageCollection.load", id=name)


def constant(number):
    return call("Image.constant", value=number)


def polygon(outline):
    """Return the node of a polygon of shapely's."""
    ring = [list(point) for point in outline.exterior.coords]
    return call("GeometryConstructors.Polygon", coordinates=[ring], evenOdd=True)


def select(image, *names):
    return call("Image.select", input=image, bandSelectors=list(names))


def same(found, expected, valid):
    """Return whether a masked array has these numbers where it should, and no others."""
    valid = np.broadcast_to(valid, found.shape)
    return np.array_equal(~np.ma.getmaskarray(found), valid) and np.array_equal(
        found.data[valid], np.broadcast_to(expected, found.shape)[valid]
    )
