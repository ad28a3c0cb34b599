"""Metadata of images, features and collections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.functions.convert import to_float
from eodata.sandbox.earthengine.functions.filters import read
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import (
    Collection,
    Feature,
    Geometry,
    Image,
    with_properties,
)

SYSTEM = "system:"


@function("Feature")
def feature(
    geometry: Geometry | None = None,
    metadata: dict[str, Any] | None = None,
    geometry_key: str | None = None,
) -> Feature:
    """Return a feature."""
    del geometry_key
    return Feature(geometry, metadata or {})


@function("Element.get")
def get(object_: Image | Feature | Collection, property_: str) -> Any:
    """Return a property, null where it is missing."""
    return read(object_, property_)


@function("Element.getNumber")
def get_number(object_: Image | Feature | Collection, property_: str) -> float:
    """Return a property that is a number."""
    return to_float(_present(object_, property_))


@function("Element.getString")
def get_string(object_: Image | Feature | Collection, property_: str) -> str:
    """Return a property that is a string."""
    value = _present(object_, property_)
    if not isinstance(value, str):
        raise ExpressionError(f"Element.getString: {property_!r} is no string.")
    return value


@function("Element.set")
def set_one(object_: Image | Feature | Collection, key: str, value: Any = None) -> Any:
    """Return the element with a property; null removes it."""
    return with_properties(object_, {key: value})


@function("Element.setMulti")
def set_several(object_: Image | Feature | Collection, properties: dict[str, Any]) -> Any:
    """Return the element with some properties."""
    return with_properties(object_, properties)


@function("Element.toDictionary")
def to_dictionary(
    element: Image | Feature | Collection, properties: list[str] | None = None
) -> dict[str, Any]:
    """Return some properties, all but those of the system when none are named."""
    if properties is not None:
        return {name: read(element, name) for name in properties}
    return {k: v for k, v in element.properties.items() if not k.startswith(SYSTEM)}


@function("Element.propertyNames")
def property_names(element: Image | Feature | Collection) -> list[str]:
    """Return the names of all properties."""
    return list(element.properties)


@function("Element.copyProperties", "Image.copyProperties")
def copy_properties(
    destination: Image | Feature | None = None,
    source: Image | Feature | None = None,
    properties: list[str] | None = None,
    exclude: list[str] | None = None,
) -> Any:
    """Return the first element with properties of the second: those named, or all but system's."""
    if destination is None or source is None:
        raise ExpressionError("Element.copyProperties: an element is missing.")
    if properties is not None and exclude is not None:
        raise ExpressionError("Element.copyProperties: either properties or exclude.")
    left_out = set(exclude or ())
    copied = to_dictionary(source, properties)
    return with_properties(destination, {k: v for k, v in copied.items() if k not in left_out})


@function("Feature.setGeometry")
def set_geometry(feature: Feature, geometry: Geometry | None = None) -> Feature:
    """Return the feature somewhere else."""
    return replace(feature, ground=geometry)


def _present(element: Any, name: str) -> Any:
    value = read(element, name)
    if value is None:
        raise ExpressionError(f"There is no property {name!r}.")
    return value
