"""Which ground: areas from a file, a box or chance. The edge where shapes become core types."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from eodata import resources
from eodata.build.reading import LoadedRecipe, load_split_list, refuse_stranger
from eodata.core.errors import RecipeError, nearest
from eodata.core.grid import resolve_crs
from eodata.core.patch import Area
from eodata.core.recipe import Recipe
from eodata.core.recipe_area import SampleSpec
from eodata.core.span import Span, parse_utc
from eodata.pipeline.area_sampling import Centre, sample_centres
from eodata.pipeline.natural_earth import polygons_from
from eodata.pipeline.scale import first_steps, scaled_areas, square_about

MOST_WORDS = 12
"""Values of a property that a message lists."""


def load_areas(loaded: LoadedRecipe) -> dict[str, Area]:
    """Return the areas of a recipe by id, in file order, with their CRS resolved, at its scale.

    An area's own time wins over that of its season, and a season over the recipe's.

    Raises:
        GridError: An area has no coordinates in the CRS of its patches.
        RecipeError: The file is unreadable, or an area is empty, no polygon, named twice, or of a
            season without dates.
    """
    areas = _areas(loaded)
    if loaded.recipe.scale is None:
        return areas
    listed = load_split_list(loaded)
    for name in listed:
        refuse_stranger(name, areas, "split.file")
    return scaled_areas(areas, loaded.recipe, listed)


def _areas(loaded: LoadedRecipe) -> dict[str, Area]:
    recipe, spec = loaded.recipe, loaded.recipe.area
    if spec.bbox is not None:
        ground = box(*spec.bbox)
        return {"area": Area("area", ground, resolve_crs(spec.crs, ground))}
    if spec.sample is not None:
        return {area.id: area for area in random_areas(recipe, spec.sample)}
    if spec.file is None:
        raise RecipeError("area", "no file, bbox or sample", "", "Give one of them.")
    return _areas_of(resources.beside(loaded.path, spec.file, "area.file"), loaded)


def _areas_of(path: Path, loaded: LoadedRecipe) -> dict[str, Area]:
    features = _features(path)
    if not features:
        raise RecipeError(str(path), "the file has no feature", "", "Add one.")
    only = loaded.recipe.area.only
    areas: dict[str, Area] = {}
    for number, feature in enumerate(features):
        if not _is_wanted(feature, only, path):
            continue
        area = _area(feature, number, loaded, path)
        if area.id in areas:
            raise RecipeError(
                f"{path.name}: feature {number}", f'the id "{area.id}" stands twice', "", "Rename."
            )
        areas[area.id] = area
    if not areas:
        there = [f"{key}: {_some({_word(f, key) for f in features})}" for key in only]
        raise RecipeError(
            "area.only",
            f"no area of {path.name} has these properties",
            f"it has {'; '.join(there)}.",
            "Loosen area.only.",
        )
    return areas


def _some(words: Collection[str]) -> str:
    first = sorted(words)[:MOST_WORDS]
    return ", ".join(first) + (", …" if len(words) > len(first) else "")


def _features(path: Path) -> list[dict[str, Any]]:
    import geopandas
    from pyogrio.errors import DataSourceError

    read = geopandas.read_parquet if path.suffix == ".parquet" else geopandas.read_file
    try:
        frame = read(path)
    except (DataSourceError, OSError, ValueError) as error:
        raise RecipeError(
            str(path),
            f"cannot be read as vector data: {error}",
            "",
            "Use GeoJSON, GeoPackage, GeoParquet or a shapefile.",
        ) from None
    if frame.empty:
        return []
    if getattr(frame, "crs", None) is None:
        raise RecipeError(
            str(path), "has no CRS", "", "Write one into the file, EPSG:4326 is best."
        )
    frame = frame.to_crs("EPSG:4326")
    return [dict(row) for _, row in frame.iterrows()]


def random_areas(recipe: Recipe, sample: SampleSpec) -> Iterator[Area]:
    """Yield the areas that the seeds of a recipe draw over land and towns.

    Ids are `ROIsSEED_SEASON_NUMBER`, as published datasets write theirs; a point that is dropped
    for being near another leaves a gap in the numbers. They carry no key of a published place.
    """
    land, urban = polygons_from(resources.natural_earth())
    side = recipe.area.side or 0.0
    drawn: list[Centre] = []
    for draw in sample.draws:
        centres = sample_centres(
            land,
            urban,
            n_land=sample.land,
            n_urban=sample.urban,
            seed=draw.seed,
            apart=sample.apart,
            earlier=drawn,
        )
        drawn += centres
        for centre in centres:
            point = Point(centre.lon, centre.lat)
            crs = resolve_crs(recipe.area.crs, point)
            yield Area(
                id="_".join(filter(None, (f"ROIs{draw.seed}", draw.season, str(centre.number)))),
                geometry=square_about(point, crs, side, recipe.area.stride_m),
                crs=crs,
                time=recipe.time.season(draw.season),
                season=draw.season,
            )


def _is_wanted(feature: Mapping[str, Any], only: Mapping[str, tuple[str, ...]], path: Path) -> bool:
    known = [key for key in feature if key != "geometry"]
    for key in only:
        if key not in known:
            raise RecipeError(
                f"area.only.{key}",
                f"the areas of {path.name} have no such property",
                "",
                nearest(key, known),
            )
    return all(_word(feature, key) in values for key, values in only.items())


def _area(feature: Mapping[str, Any], number: int, loaded: LoadedRecipe, path: Path) -> Area:
    spec, time = loaded.recipe.area, loaded.recipe.time
    name = str(_property(feature, "id", f"a{number:04d}"))
    where = f"{path.name}: area {name}"
    if "/" in name or "\\" in name or name.startswith("."):
        raise RecipeError(where, "the id looks like a path", "ids become names.", "Rename it.")
    drawn = _ground(feature["geometry"], spec.side, where)
    season = _word(feature, "season")
    crs = resolve_crs(spec.crs, drawn)
    try:
        # Of what is drawn, not of the square: that may reach over a zone's border or the date line.
        side = spec.side if drawn.geom_type == "Point" else None
        ground = drawn if side is None else square_about(drawn, crs, side, spec.stride_m)
        own = _time(feature)
        span = time.season(season) if own is None else first_steps(own, loaded.steps, time.steps)
    except RecipeError as error:
        error.where = where
        raise
    words = {key: _word(feature, key) for key in ("split", "scene", "region")}
    return Area(name, ground, crs, span, season=season, **words)


def _ground(geometry: Any, side: float | None, where: str) -> BaseGeometry:
    """Return what a feature draws: polygons, or a point when the recipe says how long a side is."""
    # A missing geometry arrives as None or as NaN.
    kind = geometry.geom_type if isinstance(geometry, BaseGeometry) else "no geometry"
    wanted = ("Polygon", "MultiPolygon") if side is None else ("Polygon", "MultiPolygon", "Point")
    if kind not in wanted or geometry.is_empty:
        fix = "Give area.side, the edge of its square." if kind == "Point" else "Draw one."
        raise RecipeError(where, kind, "an area is ground, so it is a polygon.", fix)
    if not geometry.is_valid:
        raise RecipeError(where, "the polygon crosses itself", "", "Repair it, e.g. buffer(0).")
    west, south, east, north = geometry.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise RecipeError(
            where,
            f"it spans x {west:g} to {east:g}, y {south:g} to {north:g}",
            "these are no degrees; the file states the wrong CRS, or crosses the date line.",
            "State the right CRS in the file, or cut the area in two at the date line.",
        )
    return geometry


def _time(feature: Mapping[str, Any]) -> Span | None:
    start, end = _property(feature, "start"), _property(feature, "end")
    if (start is None) != (end is None):
        raise RecipeError("", "it has only one of start and end", "", "Give both or none.")
    if start is None:
        return None
    try:
        first, last = parse_utc(str(start)), parse_utc(str(end))
    except ValueError:
        raise RecipeError(
            "", f'"{start}" to "{end}"', "these are no times.", "Write them as 2018-07-01."
        ) from None
    return Span(first, last)


def _word(feature: Mapping[str, Any], key: str) -> str:
    """Return a property as people write it in YAML; `""` where it is missing."""
    value = _property(feature, key, "")
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _property(feature: Mapping[str, Any], key: str, default: Any = None) -> Any:
    value = feature.get(key)
    if value is None or value != value or value == "":
        return default
    # A column of whole numbers with a hole arrives as floats.
    return int(value) if isinstance(value, float) and value.is_integer() else value
