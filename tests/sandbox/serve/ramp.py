"""An archive whose pixel values say where they are, with the two members that servers need."""

from datetime import UTC, datetime
from threading import Lock

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.serve.assets import Assets

EDGE = 1300


def ramp_item(item_id: str = "one", edge: int = EDGE) -> SandboxItem:
    layers = {
        "B02": Layer("B02", 1, "uint16", 0),
        "B11": Layer("B11", 2, "uint16", 0),
        "vv": Layer("vv", 1, "float32", float("nan")),
        "SCL": Layer("SCL", 1, "uint8"),
        "z": Layer("z", 1, "int16", -9999),
    }
    return SandboxItem(
        item_id,
        "ramp",
        datetime(2020, 6, 1, tzinfo=UTC),
        box(3, 50, 4, 51),
        {},
        GeoBox((edge, edge - 100), Affine(10, 0, 499980, 0, -10, 5700000), "EPSG:32631"),
        layers,
    )


def ramp(rows: tuple[int, int], cols: tuple[int, int], factor: int, dtype: str) -> np.ndarray:
    row, col = np.arange(*rows)[:, None], np.arange(*cols)[None]
    return ((row * 7 + col * 3 + factor * 11) % 30000).astype(dtype)


class RampCollection:
    def __init__(self, items: list[SandboxItem]) -> None:
        self.items = {item.id: item for item in items}

    def get(self, item_id: str) -> SandboxItem:
        return self.items[item_id]


class RampArchive:
    def __init__(self, *items: SandboxItem) -> None:
        self.collections = {"ramp": RampCollection(list(items) or [ramp_item()])}
        self.reads = []
        self.lock = Lock()

    def read(self, item, key, rows, cols, factor=1):
        height, width = item.grid(key, factor).shape
        assert 0 <= rows[0] < rows[1] <= height
        assert 0 <= cols[0] < cols[1] <= width
        with self.lock:
            self.reads.append((item.id, key, rows, cols, factor))
        return ramp(rows, cols, factor, item.layers[key].dtype)


def ramp_app():
    return Assets(RampArchive(ramp_item(), ramp_item("big", 40_000)), edition="ramp")
