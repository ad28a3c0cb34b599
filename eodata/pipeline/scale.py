"""Miniatures that keep the shape of a dataset: fewer areas, smaller areas, fewer steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest

from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.core.grid import resolve_crs
from eodata.core.patch import Area
from eodata.core.recipe import SPLITS, Recipe, ScaleSpec
from eodata.core.reproject import WGS84, reproject, split_at_date_line
from eodata.core.span import Span

EDGE_PARTS = 64
"""Edges of a square are cut into so many parts before they bend."""


def square_about(point: BaseGeometry, crs: str, side: float, stride: float) -> BaseGeometry:
    """Return the square of ground about a point, EPSG:4326.

    Its edges are straight in the CRS of its patches. Its north-west corner lies at multiples of the
    stride, so that whole patches fill it: the middle is at most half a stride from the point.

    Args:
        point: EPSG:4326.
        crs: As a recipe says it.
        side: Edge [m].
        stride: Distance of neighbouring patches [m].
    """
    target = resolve_crs(crs, point)
    middle = reproject(point, WGS84, target, 1.0).centroid
    left = round((middle.x - side / 2) / stride) * stride
    top = round((middle.y + side / 2) / stride) * stride
    square = box(left, top - side, left + side, top)
    return split_at_date_line(reproject(square, target, WGS84, side / EDGE_PARTS))


def scaled(recipe: Recipe) -> Recipe:
    """Return the recipe with the steps of its scale: the first ones, as long as they were.

    What is scaled already stays as it is.
    """
    spec = recipe.scale
    if spec is None or spec.steps is None or spec.steps >= recipe.time.steps:
        return recipe
    steps = recipe.time.span.steps(recipe.time.steps)[: spec.steps]
    time = recipe.time.model_copy(update={"end": steps[-1].end, "steps": len(steps)})
    return recipe.model_copy(update={"time": time})


def scaled_areas(
    areas: Mapping[str, Area],
    recipe: Recipe,
    steps: int,
    listed: Mapping[str, str],
) -> dict[str, Area]:
    """Return the areas that a miniature keeps, in their order, made smaller.

    Args:
        areas: All areas.
        recipe: Says the scale; already scaled itself.
        steps: How many steps it had before.
        listed: Split per area id from the recipe's list.
    """
    spec = recipe.scale or ScaleSpec()
    kept = areas if spec.areas is None else _in_turn(areas, spec.areas, listed)
    return {
        area.id: replace(
            area,
            geometry=_smaller(area, spec.side, recipe.area.stride_m),
            time=_shorter(area.time, steps, recipe.time.steps),
        )
        for area in areas.values()
        if area.id in kept
    }


def _in_turn(areas: Mapping[str, Area], n: int, listed: Mapping[str, str]) -> set[str]:
    """Return `n` ids, one of each split after the other, so that a small number has all splits."""
    by_split: dict[str, list[str]] = {split: [] for split in SPLITS}
    for area in areas.values():
        by_split.setdefault(area.split or listed.get(area.id, ""), []).append(area.id)
    rounds = zip_longest(*by_split.values())
    dealt = [name for turn in rounds for name in turn if name is not None]
    return set(dealt[:n])


def _smaller(area: Area, side: float | None, stride: float) -> BaseGeometry:
    if side is None:
        return area.geometry
    square = square_about(area.geometry.centroid, area.crs, side, stride)
    return square if square.within(area.geometry) else square.intersection(area.geometry)


def _shorter(time: Span | None, before: int, now: int) -> Span | None:
    return time if time is None else Span(time.start, time.steps(before)[now - 1].end)
