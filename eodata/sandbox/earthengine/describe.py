"""Values as `getInfo` gives them: JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.collections import gathered
from eodata.sandbox.earthengine.pixeltype import PixelType
from eodata.sandbox.earthengine.values import (
    Band,
    Collection,
    Date,
    DateRange,
    Feature,
    Geometry,
    Image,
    Projection,
)

MOST_VALUES = 2_000_000


def described(value: Any) -> Any:
    """Return a value as JSON.

    Raises:
        ExpressionError: It is too large.
        UnsupportedError: It is something that has no form in JSON here, such as a filter.
    """
    return _told(value, Count())


@dataclass(slots=True)
class Count:
    """Values that were told."""

    told: int = 0

    def one_more(self) -> None:
        """Count one.

        Raises:
            ExpressionError: There were too many.
        """
        self.told += 1
        if self.told > MOST_VALUES:
            raise ExpressionError(f"The result has more than {MOST_VALUES} values.")


def _told(value: Any, count: Count) -> Any:
    count.one_more()
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_told(item, count) for item in value]
    if isinstance(value, dict):
        return {str(key): _told(item, count) for key, item in value.items()}
    for kind, tell in TELLERS.items():
        if isinstance(value, kind):
            return tell(value, count)
    raise UnsupportedError(f"Telling a {type(value).__name__}")


def _number(value: float) -> float:
    """Return a number as JSON has it: whole ones without a fraction."""
    if not math.isfinite(value):
        raise ExpressionError("The result is no finite number.")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _image(image: Image, count: Count) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "Image", "bands": [_band(band, count) for band in image.bands]}
    if image.id:
        told |= {"id": image.id, "version": 1}
    return told | ({"properties": _told(dict(image.properties), count)} if image.properties else {})


def _band(band: Band, count: Count) -> dict[str, Any]:
    count.one_more()
    source = band.source
    told: dict[str, Any] = {"id": band.name, "data_type": source.kind.info()}
    if source.shape:
        told["dimensions"] = [source.shape[1], source.shape[0]]
    return told | {"crs": source.projection.crs, "crs_transform": list(source.projection.transform)}


def _feature(feature: Feature, count: Count) -> dict[str, Any]:
    told = {
        "type": "Feature",
        "geometry": feature.ground and _geometry(feature.ground, count),
        "properties": _told(dict(feature.properties), count),
    }
    return told | ({"id": feature.id} if feature.id else {})


def _collection(collection: Collection, count: Count) -> dict[str, Any]:
    features = [_told(element, count) for element in gathered(collection.elements)]
    told: dict[str, Any] = {"features": features}
    if collection.properties:
        told["properties"] = _told(dict(collection.properties), count)
    # A function may have made features of images.
    if not collection.images or any(told["type"] != "Image" for told in features):
        return {"type": "FeatureCollection", "columns": {}} | told
    named = {"id": collection.query.id, "version": 1} if collection.query else {}
    return {"type": "ImageCollection", "bands": []} | named | told


def _geometry(ground: Geometry, count: Count) -> dict[str, Any]:
    return {str(key): _told(value, count) for key, value in ground.told.items()}


def _projection(projection: Projection, _: Count) -> dict[str, Any]:
    return {
        "type": "Projection",
        "crs": projection.crs,
        "transform": list(projection.transform),
    }


def _range(span: DateRange, _: Count) -> dict[str, Any]:
    return {"type": "DateRange", "dates": [span.start.millis, span.end.millis]}


TELLERS: dict[type, Any] = {
    Image: _image,
    Feature: _feature,
    Collection: _collection,
    Geometry: _geometry,
    Date: lambda date, _: {"type": "Date", "value": date.millis},
    DateRange: _range,
    Projection: _projection,
    PixelType: lambda kind, _: kind.info(),
}
