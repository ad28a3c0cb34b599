"""Filters that compare ground. Those that need it to be shared say where, for the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shapely import box, union_all
from shapely.geometry.base import BaseGeometry

from eodata.sandbox.earthengine.expression_errors import UnsupportedError
from eodata.sandbox.earthengine.functions.filters import GROUND, operands
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import (
    Collection,
    Element,
    Feature,
    Filter,
    Geometry,
    Image,
)

EVERYWHERE = box(-180, -90, 180, 90)


def shape_of(value: Any) -> BaseGeometry | None:
    """Return the ground of whatever has one, None where there is none; images may have no end."""
    if isinstance(value, Geometry):
        return value.shape
    if isinstance(value, Image) and value.ground is None:
        return EVERYWHERE
    if isinstance(value, Feature | Image):
        return value.ground and value.ground.shape
    if isinstance(value, Collection):
        shapes = [element.ground.shape for element in value.elements if element.ground]
        return union_all(shapes) if shapes else None
    return None


def _spatial(name: str, ask: Callable[[BaseGeometry, BaseGeometry], bool], *, near: bool) -> None:
    @function(f"Filter.{name}")
    def make(
        left_field: str | None = None,
        right_value: Any = None,
        right_field: str | None = None,
        left_value: Any = None,
        max_error: Any = None,
    ) -> Filter:
        del max_error  # comparisons are exact
        who = f"Filter.{name}"
        left, right = operands(who, left_field, right_value, right_field, left_value)

        def test(one: Element, other: Element) -> bool:
            a, b = shape_of(left(one)), shape_of(right(other))
            return a is not None and b is not None and bool(ask(a, b))

        fixed = right_value if left_field in GROUND else left_value
        ground = shape_of(fixed) if fixed is not None else None
        if fixed is not None and ground is None:
            raise UnsupportedError(who, "of something without a geometry")
        return Filter(test, ground if near else None)


_spatial("intersects", lambda a, b: a.intersects(b), near=True)
_spatial("contains", lambda a, b: a.contains(b), near=True)
_spatial("isContained", lambda a, b: b.contains(a), near=True)
_spatial("disjoint", lambda a, b: a.disjoint(b), near=False)
