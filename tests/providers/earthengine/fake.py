"""An Earth Engine in a few lines: images in memory, listed and computed like the real one's.

It answers at once and in this process, so that tests can say exactly what happens. What the server
does in earnest is simulated in `eodata.sandbox.earthengine`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from affine import Affine
from ee import serializer
from numpy.typing import NDArray
from shapely.geometry import Polygon, box, mapping, shape

from eodata.core.errors import ProviderError
from eodata.core.span import format_utc, parse_utc

UTM32 = "EPSG:32632"
NORTH_UP = Affine(10, 0, 600_000, 0, -10, 5_400_000)
SOMEWHERE = box(10.36, 48.65, 10.5, 48.75)
KINDS = {"u": "INT", "i": "INT"}


@dataclass
class FakeImage:
    """One image.

    Attributes:
        id: Whole asset id.
        bands: `(values, mask)` by name; `(H, W)` both.
        start: Of the acquisition (UTC).
    """

    id: str
    bands: Mapping[str, tuple[NDArray[np.generic], NDArray[np.bool_]]]
    start: datetime
    end: datetime | None = None
    affine: Affine = NORTH_UP
    crs: str = UTM32
    properties: Mapping[str, Any] = field(default_factory=dict)
    ground: Polygon = SOMEWHERE

    def metadata(self) -> dict[str, Any]:
        return {
            "name": f"projects/earthengine-public/assets/{self.id}",
            "id": self.id,
            "startTime": format_utc(self.start),
            "endTime": format_utc(self.end or self.start),
            "geometry": mapping(self.ground),
            "properties": dict(self.properties),
            "bands": [self._band(name) for name in self.bands],
        }

    def _band(self, name: str) -> dict[str, Any]:
        values, _ = self.bands[name]
        a = self.affine
        terms = {"scaleX": a.a, "shearX": a.b, "translateX": a.c}
        terms |= {"shearY": a.d, "scaleY": a.e, "translateY": a.f}
        grid = {
            "crsCode": self.crs,
            "dimensions": {"width": values.shape[1], "height": values.shape[0]},
            "affineTransform": {key: term for key, term in terms.items() if term},
        }
        return {"id": name, "grid": grid, "dataType": data_type(values.dtype)}


def data_type(dtype: np.dtype[np.generic]) -> dict[str, Any]:
    """Return a type of pixels as the REST API writes it: what is 0 is left out."""
    if dtype.kind == "f":
        return {"precision": {4: "FLOAT", 8: "DOUBLE"}[dtype.itemsize]}
    limits = np.iinfo(dtype)
    told = {"min": int(limits.min), "max": int(limits.max)}
    return {"precision": "INT", "range": {k: v for k, v in told.items() if v}}


@dataclass
class FakeEarthEngine:
    """What `Client` asks for.

    Attributes:
        images: All there are.
        page: Most images per page.
        trouble: Called with the grid of each request for pixels; raises what shall go wrong.
        log: Width and height of the requests for pixels, and the questions of the listings.
    """

    images: list[FakeImage]
    page: int = 2
    trouble: Callable[[Mapping[str, Any]], None] = lambda grid: None
    tiles: list[tuple[int, int]] = field(default_factory=list)
    grids: list[Mapping[str, Any]] = field(default_factory=list)
    listed: list[Mapping[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Everybody may ask."""

    def list_images(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.listed.append(asked)
        parent = asked["parent"]
        if not any(image.id.startswith(f"{parent}/") for image in self.images):
            raise ProviderError("earthengine", f"there is no {parent}")
        found = [image for image in self.images if _matches(image, asked)]
        first = int(asked.get("pageToken", 0))
        size = min(int(asked["pageSize"]), self.page)
        told: dict[str, Any] = {"images": [i.metadata() for i in found[first : first + size]]}
        more = first + size < len(found)
        return told | ({"nextPageToken": str(first + size)} if more else {})

    def compute_pixels(self, where: str, asked: Mapping[str, Any]) -> NDArray[np.void]:
        grid = asked["grid"]
        size = grid["dimensions"]
        with self._lock:
            self.tiles.append((size["height"], size["width"]))
            self.grids.append(grid)
        self.trouble(grid)
        graph = serializer.encode(asked["expression"])
        bands = _Evaluation(self.images, grid, graph["values"]).value(graph["result"])
        made = np.zeros(
            (size["height"], size["width"]), [(name, v.dtype) for name, (v, _) in bands.items()]
        )
        for name, (values, mask) in bands.items():
            made[name] = np.where(mask, values, 0)
        return made


def _matches(image: FakeImage, asked: Mapping[str, Any]) -> bool:
    if not image.id.startswith(f"{asked['parent']}/"):
        return False
    if "startTime" in asked and image.start < parse_utc(asked["startTime"]):
        return False
    if "endTime" in asked and (image.end or image.start) >= parse_utc(asked["endTime"]):
        return False
    return "region" not in asked or shape(asked["region"]).intersects(image.ground)


class _Evaluation:
    """Evaluates the six functions that requests are made of, on one grid."""

    def __init__(
        self, images: list[FakeImage], grid: Mapping[str, Any], nodes: Mapping[str, Any]
    ) -> None:
        self._images, self._grid, self._nodes = {i.id: i for i in images}, grid, nodes

    def value(self, key: str) -> Any:
        return self._node(self._nodes[key])

    def _node(self, node: Mapping[str, Any]) -> Any:
        if "valueReference" in node:
            return self.value(node["valueReference"])
        if "constantValue" in node:
            return node["constantValue"]
        if "arrayValue" in node:
            return [self._node(one) for one in node["arrayValue"]["values"]]
        call = node["functionInvocationValue"]
        told = {name: self._node(value) for name, value in call["arguments"].items()}
        return getattr(self, call["functionName"].replace("Image.", "_image_"))(**told)

    def _image_load(self, id: str) -> Any:  # noqa: A002 (Earth Engine's name)
        image = self._images[id]
        return {name: _picked(image, band, self._grid) for name, band in image.bands.items()}

    def _image_select(self, input: Any, bandSelectors: list[str]) -> Any:  # noqa: A002, N803
        return {name: input[name] for name in bandSelectors}

    def _image_mask(self, image: Any) -> Any:
        return {n: (m.astype(np.float32), np.ones_like(m)) for n, (_, m) in image.items()}

    def _image_constant(self, value: float) -> float:
        return value

    def _image_gte(self, image1: Any, image2: float) -> Any:
        return {n: ((v >= image2).astype(np.int32), m) for n, (v, m) in image1.items()}

    def _image_toByte(self, value: Any) -> Any:  # noqa: N802
        return {n: (v.astype(np.uint8), m) for n, (v, m) in value.items()}

    def _image_rename(self, input: Any, names: list[str]) -> Any:  # noqa: A002
        return dict(zip(names, input.values(), strict=True))

    def _image_addBands(self, dstImg: Any, srcImg: Any) -> Any:  # noqa: N802, N803
        return {**dstImg, **srcImg}


def _picked(image: FakeImage, band: Any, grid: Mapping[str, Any]) -> Any:
    """Return the pixels under the centres of a grid; of a coarser one the means of whole blocks."""
    values, mask = band
    assert grid["crsCode"] == image.crs
    affine = Affine(*(grid["affineTransform"][term] for term in TERMS))
    onto = ~image.affine @ affine
    factor = round(onto.a)
    if factor > 1:
        values, mask = _shrunk(values, mask, factor)
        onto = Affine.scale(1 / factor) @ onto
    height, width = grid["dimensions"]["height"], grid["dimensions"]["width"]
    cols, rows = np.floor(onto @ np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5))
    rows, cols = rows.astype(int), cols.astype(int)
    inside = (rows >= 0) & (rows < values.shape[0]) & (cols >= 0) & (cols < values.shape[1])
    i, j = np.where(inside, rows, 0), np.where(inside, cols, 0)
    return np.where(inside, values[i, j], 0).astype(values.dtype), inside & mask[i, j]


def _shrunk(values: Any, mask: Any, factor: int) -> Any:
    blocks = values.reshape(
        values.shape[0] // factor, factor, values.shape[1] // factor, factor
    ).mean(axis=(1, 3))
    rounded = np.rint(blocks) if values.dtype.kind in "iu" else blocks
    return rounded.astype(values.dtype), mask[::factor, ::factor]


TERMS = ("scaleX", "shearX", "translateX", "shearY", "scaleY", "translateY")
