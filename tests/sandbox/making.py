"""Items and collections made by hand, for what needs no planet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.reproject import WGS84, reproject
from eodata.core.span import Span
from eodata.sandbox.items import Layer, SandboxItem

BASE = GeoBox((1800, 1500), Affine(10, 0, 499_980, 0, -10, 5_600_040), "EPSG:32631")
START = datetime(2020, 6, 1, 10, 30, tzinfo=UTC)
LAYERS = (
    Layer("fine", 1, "uint16", nodata=0, scale=1e-4, offset=0.0),
    Layer("other", 1, "float32"),
    Layer("middle", 2, "uint16", nodata=0),
    Layer("coarse", 6, "int16"),
    Layer("classes", 2, "uint8", nodata=0),
)


def make_item(name: str = "item-0", day: float = 0, base: GeoBox = BASE) -> SandboxItem:
    return SandboxItem(
        id=name,
        collection="made",
        datetime=START + timedelta(days=day),
        footprint=reproject(box(*base.boundingbox.bbox), str(base.crs), WGS84, 5000),
        properties={"platform": "made-a"},
        base=base,
        layers={layer.key: layer for layer in LAYERS},
    )


class MadeCollection:
    """Three items whose pixels say where they are; counts what it is asked for."""

    id, title, description = "made", "Made by hand", "Pixels by a formula."
    span = Span(START, START + timedelta(days=30))

    def __init__(self) -> None:
        self.rendered: list[tuple[str, tuple[str, ...], tuple[float, float]]] = []
        self._items = [make_item(f"item-{day}", day) for day in (0, 3, 7)]

    def find(self, footprint, span, *, newest_first=False) -> Iterator[SandboxItem]:
        for item in reversed(self._items) if newest_first else self._items:
            if item.footprint.intersects(footprint) and (span is None or item.datetime in span):
                yield item

    def get(self, item_id) -> SandboxItem:
        for item in self._items:
            if item.id == item_id:
                return item
        raise LookupError(item_id)

    def render(self, item, keys, base):
        self.rendered.append((item.id, tuple(keys), (base.affine.c, base.affine.f)))
        return {key: formula(item, key, base) for key in keys}

    def truth(self, item, base):
        return {"x": np.zeros(base.shape)}

    def defects(self, item):
        return {}


def formula(item, key, base):
    """Return numbers that tell pixels apart, as a function of the absolute pixel position."""
    layer = item.layers[key]
    height, width = (size // layer.ratio for size in base.shape)
    step = base.affine.a * layer.ratio
    col = np.rint((base.affine.c - item.base.affine.c) / step).astype(int) + np.arange(width)
    row = np.rint((item.base.affine.f - base.affine.f) / step).astype(int) + np.arange(height)
    return ((7 * row[:, None] + 3 * col[None, :]) % 251).astype(layer.dtype)
