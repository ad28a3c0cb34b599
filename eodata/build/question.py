"""What a person asks of an archive on the command line: ground, time, conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from shapely.geometry import MultiPolygon, box
from shapely.geometry.base import BaseGeometry

from eodata.catalog.criteria import parse_bbox, parse_span
from eodata.core.errors import RecipeError
from eodata.core.span import Span
from eodata.core.where import EVERYTHING, Where


@dataclass(frozen=True, slots=True)
class Question:
    """What the person wants to see.

    Attributes:
        product: Id of a product table.
        ground: EPSG:4326, in two parts when it crosses the date line.
        span: Time; None is for products without dates alone.
        where: Conditions on the properties of items.
        provider: Who is asked; `""` takes the first of the product's table that can be used.
        endpoints: `NAME=URL`, as in `Wish`.
        archive: Catalog for the provider `archive`.
        sandbox: World of the provider `sandbox`.
    """

    product: str
    ground: BaseGeometry
    span: Span | None
    where: Where = EVERYTHING
    provider: str = ""
    endpoints: tuple[str, ...] = ()
    archive: str = ""
    sandbox: str = ""


def parse_ground(text: str) -> BaseGeometry:
    """Read `west,south,east,north` in degrees; west above east crosses the date line.

    Returns:
        One box, or one on each side of the date line; EPSG:4326.

    Raises:
        RecipeError: There are not four numbers, or they are no box on Earth.
    """
    parts = text.replace(",", " ").split()
    crosses = len(parts) == 4 and _degrees(parts[0]) > _degrees(parts[2])
    ordered = [parts[2], parts[1], parts[0], parts[3]] if crosses else parts
    try:
        west, south, east, north = parse_bbox(",".join(ordered))
    except RecipeError as error:
        raise RecipeError(
            "--bbox",
            f'"{text}"',
            error.because,
            "Write west,south,east,north in degrees, for example 11.0,48.0,11.1,48.1; west above "
            "east means that the box crosses the date line.",
        ) from None
    if not crosses:
        return box(west, south, east, north)
    sides = (box(east, south, 180, north), box(-180, south, west, north))
    return MultiPolygon([side for side in sides if side.area > 0])


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def parse_time(text: str) -> Span | None:
    """Read `start/end`, or a year, month or day; None for nothing.

    Raises:
        RecipeError: This is no span, or its end is not after its start.
    """
    try:
        return parse_span(text) if text else None
    except RecipeError as error:
        raise RecipeError("--time", error.found, error.because, error.fix) from None


def parse_where(text: str) -> Where:
    """Read conditions as recipes write them: `{sat:orbit_state: descending}`, in YAML or JSON.

    Raises:
        RecipeError: This is no mapping, or a condition says nothing.
    """
    if not text:
        return EVERYTHING
    try:
        told: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(
            "--where",
            f"{text!r} is no YAML",
            f"{getattr(error, 'problem', None) or error}.",
            "Write it as '{sat:orbit_state: descending, eo:cloud_cover: {max: 80}}', in quotes.",
        ) from None
    try:
        return Where.parse(told)
    except RecipeError as error:
        raise RecipeError("--where", error.found, error.because, error.fix) from None
