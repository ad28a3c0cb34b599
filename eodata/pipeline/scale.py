"""Miniatures that keep the shape of a dataset: fewer areas, smaller areas, fewer steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from math import inf, isfinite

from shapely import maximum_inscribed_circle
from shapely.geometry import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.derivation import Derived
from eodata.core.errors import GridError, RecipeError
from eodata.core.patch import Area
from eodata.core.recipe import SPLITS, Recipe, ScaleSpec
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_time import TimeSpec
from eodata.core.reproject import WGS84, reproject, split_at_date_line
from eodata.core.span import Span, to_utc

EDGE_PARTS = 96
"""Edges of a square are cut into so many parts before they bend. `tile_area` cuts outlines to a
64th of their width; what is shorter stays as it is, so there the square is straight again."""
POLES = (Point(0, 90), Point(0, -90))
FITS = 1 - 1e-6
"""Fraction of a square inside of an area from which it counts as wholly inside."""


def square_about(ground: BaseGeometry, crs: str, side: float, stride: float) -> BaseGeometry:
    """Return the square of ground about the middle of an outline, EPSG:4326.

    Its edges are straight in the CRS of its patches. Its north-west corner lies at multiples of the
    stride, so that whole patches fill it: the middle is at most half a stride off, in x and in y.

    Args:
        ground: A point or polygons, EPSG:4326.
        crs: CRS of the patches, resolved.
        side: Edge [m].
        stride: Distance of neighbouring patches [m].

    Raises:
        GridError: The CRS has no coordinates there.
        RecipeError: A pole lies in the square.
    """
    square = _square(reproject(ground, WGS84, crs, _segment(ground)).centroid, side, stride, crs)
    return _to_degrees(square, crs)


def scaled(recipe: Recipe) -> Recipe:
    """Return the recipe at its scale: the first steps, as long as they were; a title that says so.

    Seasons end after as many steps. What is scaled already stays as it is.

    Raises:
        RecipeError: No patch fits into an area of this scale.
    """
    spec = recipe.scale
    settings = {} if spec is None else spec.model_dump(exclude_none=True)
    if spec is None or not settings:
        return recipe
    if spec.side is not None and spec.side < recipe.area.patch:
        raise RecipeError(
            "scale.side",
            f"{spec.side:g} m is shorter than area.patch = {recipe.area.patch:g} m",
            "no patch fits into such an area.",
            f"Use {recipe.area.patch:g} or more.",
        )
    told = f"(miniature: {' '.join(f'{key}={value:.12g}' for key, value in settings.items())})"
    title = recipe.title if recipe.title.endswith(told) else f"{recipe.title} {told}"
    time = _first_steps(recipe.time, spec.steps or recipe.time.steps)
    modalities = {
        name: _few_images(modality, spec.images) for name, modality in recipe.modalities.items()
    }
    return recipe.model_copy(update={"title": title, "time": time, "modalities": modalities})


def _few_images(modality: SourceModality | Derived, most: int | None) -> SourceModality | Derived:
    """Return a modality whose composites take at most so many acquisitions."""
    composite = modality.composite if isinstance(modality, SourceModality) else None
    if composite is None or most is None or most >= (composite.at_most or inf):
        return modality
    few = composite.model_copy(update={"at_most": most})
    return modality.model_copy(update={"composite": few})


def scaled_areas(
    areas: Mapping[str, Area], recipe: Recipe, listed: Mapping[str, str]
) -> dict[str, Area]:
    """Return the areas that a miniature keeps, in their order, made smaller.

    Args:
        areas: All areas.
        recipe: Says the scale.
        listed: Split per area id from the recipe's list.
    """
    spec = recipe.scale or ScaleSpec()
    kept = areas if spec.areas is None else _in_turn(areas, spec.areas, listed)
    return {
        area.id: replace(area, geometry=_smaller(area, spec.side, recipe.area.stride_m))
        for area in areas.values()
        if area.id in kept
    }


def first_steps(span: Span, before: int, now: int) -> Span:
    """Return the first steps of a span, as long as they were.

    Args:
        span: Has `before` steps.
        before: Number of steps.
        now: How many of them are kept.
    """
    return span if now >= before else Span(span.start, span.steps(before)[now - 1].end)


def _first_steps(time: TimeSpec, now: int) -> TimeSpec:
    if now >= time.steps:
        return time
    seasons = {
        name: first_steps(Span(to_utc(start), to_utc(end)), time.steps, now)
        for name, (start, end) in time.seasons.items()
    }
    # Read again rather than copied, so that midnights are dates, as in every recipe.
    return TimeSpec.model_validate(
        time.model_dump()
        | {
            "end": first_steps(time.span, time.steps, now).end,
            "steps": now,
            "seasons": {name: (span.start, span.end) for name, span in seasons.items()},
        }
    )


def _in_turn(areas: Mapping[str, Area], n: int, listed: Mapping[str, str]) -> set[str]:
    """Return `n` ids, one of each split after the other, so that a small number has all splits."""
    by_split: dict[str, list[str]] = {split: [] for split in SPLITS}
    for area in areas.values():
        by_split.setdefault(area.split or listed.get(area.id, ""), []).append(area.id)
    rounds = zip_longest(*by_split.values())
    dealt = [name for turn in rounds for name in turn if name is not None]
    return set(dealt[:n])


def _smaller(area: Area, side: float | None, stride: float) -> BaseGeometry:
    """Return the part of an area in a square about its middle, or in its widest place."""
    if side is None:
        return area.geometry
    ground = reproject(area.geometry, WGS84, area.crs, _segment(area.geometry))
    left, bottom, right, top = ground.bounds
    if right - left <= side and top - bottom <= side:
        return area.geometry
    square = _square(ground.centroid, side, stride, area.crs)
    if square.intersection(ground).area < FITS * side**2:
        # The middle of a ring or a crescent lies outside of it.
        widest = Point(maximum_inscribed_circle(ground).coords[0])
        square = _square(widest, side, stride, area.crs)
    outline = _to_degrees(square, area.crs)
    inside = square.intersection(ground).area >= FITS * side**2
    return outline if inside else outline.intersection(area.geometry)


def _square(middle: Point, side: float, stride: float, crs: str) -> Polygon:
    if not (isfinite(middle.x) and isfinite(middle.y)):
        raise GridError(
            "area.crs",
            f"a place has no coordinates in {crs}",
            "a projection only holds for a part of the Earth.",
            "Use crs: utm, or a CRS that is made for this place.",
        )
    left = round((middle.x - side / 2) / stride) * stride
    top = round((middle.y + side / 2) / stride) * stride
    return box(left, top - side, left + side, top)


def _to_degrees(square: Polygon, crs: str) -> BaseGeometry:
    poles = [reproject(pole, WGS84, crs, 1.0) for pole in POLES]
    if any(isfinite(pole.x) and square.covers(pole) for pole in poles):
        raise RecipeError(
            "area.side",
            "a pole lies in the square about a point",
            "no outline in degrees goes round a pole.",
            "Use a shorter side, or a point farther from the pole.",
        )
    edge = square.bounds[2] - square.bounds[0]
    return split_at_date_line(reproject(square, crs, WGS84, edge / EDGE_PARTS))


def _segment(ground: BaseGeometry) -> float:
    """Return the length to which edges are cut before they bend [degrees]; none for a point."""
    west, south, east, north = ground.bounds
    return max(1e-4, float(max(east - west, north - south)) / EDGE_PARTS)
