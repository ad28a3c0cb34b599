"""Read what people wrote: recipes, areas, split lists. The edge where files become core types."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata import resources
from eodata.core.errors import RecipeError, nearest
from eodata.core.grid import resolve_crs
from eodata.core.patch import Area
from eodata.core.recipe import Recipe
from eodata.core.recipe_rules import check_recipe
from eodata.core.span import Span, parse_utc


@dataclass(frozen=True, slots=True)
class LoadedRecipe:
    """A checked recipe and the file it came from."""

    recipe: Recipe
    path: Path


def load_recipe(name_or_path: str) -> LoadedRecipe:
    """Load and check a recipe: a bare name means a shipped one, anything else a file.

    Raises:
        RecipeError: It does not exist, or says something that cannot be done.
    """
    path = find_recipe(name_or_path)
    recipe = Recipe.parse(resources.read_yaml(path), path.name)
    try:
        check_recipe(recipe, resources.products())
    except RecipeError as error:
        error.where = f"{path.name}: {error.where}"
        raise
    return LoadedRecipe(recipe, path)


def find_recipe(name_or_path: str) -> Path:
    """Return the file of a recipe.

    Raises:
        RecipeError: There is none; names the nearest shipped recipe.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not path.is_file():
            raise RecipeError(
                "recipe",
                f"there is no file {name_or_path}",
                "",
                "Check the path, or list the shipped recipes: eodata recipe list",
            )
        return path
    shipped = resources.recipe_files()
    if name_or_path not in shipped:
        fix = nearest(name_or_path, shipped)
        raise RecipeError(
            "recipe",
            f'there is no shipped recipe "{name_or_path}"',
            "a bare name means a recipe that travels with eodata; a path ends in .yaml.",
            fix,
        )
    return shipped[name_or_path]


def load_areas(loaded: LoadedRecipe) -> dict[str, Area]:
    """Return the areas of a recipe by id, in file order, with their CRS resolved.

    Raises:
        RecipeError: The file is unreadable, or an area is empty, no polygon, or named twice.
    """
    spec = loaded.recipe.area
    if spec.bbox is not None:
        ground = box(*spec.bbox)
        return {"area": Area("area", ground, resolve_crs(spec.crs, ground))}
    if spec.file is None:
        raise RecipeError("area", "neither file nor bbox", "", "Give one of them.")
    path = resources.beside(loaded.path, spec.file, "area.file")
    areas: dict[str, Area] = {}
    for number, feature in enumerate(_features(path)):
        area = _area(feature, number, spec.crs, path)
        if area.id in areas:
            raise RecipeError(
                f"{path.name}: feature {number}", f'the id "{area.id}" stands twice', "", "Rename."
            )
        areas[area.id] = area
    if not areas:
        raise RecipeError(str(path), "the file has no feature", "", "Add at least one polygon.")
    return areas


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


def _area(feature: Mapping[str, Any], number: int, crs: str, path: Path) -> Area:
    geometry = feature["geometry"]
    name = str(_property(feature, "id", f"a{number:04d}"))
    where = f"{path.name}: area {name}"
    # A missing geometry arrives as None or as NaN.
    kind = geometry.geom_type if isinstance(geometry, BaseGeometry) else "no geometry"
    if kind not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        raise RecipeError(where, kind, "an area is ground, so it is a polygon.", "Draw one.")
    if not geometry.is_valid:
        raise RecipeError(where, "the polygon crosses itself", "", "Repair it, e.g. buffer(0).")
    if "/" in name or "\\" in name or name.startswith("."):
        raise RecipeError(where, "the id looks like a path", "ids become names.", "Rename it.")
    west, south, east, north = geometry.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise RecipeError(
            where,
            f"it spans x {west:g} to {east:g}, y {south:g} to {north:g}",
            "these are no degrees; the file states the wrong CRS, or crosses the date line.",
            "State the right CRS in the file, or cut the area in two at the date line.",
        )
    return Area(
        id=name,
        geometry=geometry,
        crs=resolve_crs(crs, geometry),
        time=_time(feature, where),
        split=str(_property(feature, "split", "")),
        season=str(_property(feature, "season", "")),
    )


def _time(feature: Mapping[str, Any], where: str) -> Span | None:
    start, end = _property(feature, "start"), _property(feature, "end")
    if (start is None) != (end is None):
        raise RecipeError(where, "it has only one of start and end", "", "Give both or none.")
    if start is None:
        return None
    try:
        return Span(parse_utc(str(start)), parse_utc(str(end)))
    except RecipeError as error:
        error.where = where
        raise
    except ValueError:
        raise RecipeError(
            where, f'"{start}" to "{end}"', "these are no times.", "Write them as 2018-07-01."
        ) from None


def _property(feature: Mapping[str, Any], key: str, default: Any = None) -> Any:
    value = feature.get(key)
    if value is None or value != value or value == "":
        return default
    # A column of whole numbers with a hole arrives as floats.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def load_split_list(loaded: LoadedRecipe, areas: Collection[str] = ()) -> dict[str, str]:
    """Return the split per area id from the recipe's CSV; empty when it names none.

    Args:
        loaded: The recipe.
        areas: Ids of its areas; without them ids are not checked.

    Raises:
        RecipeError: A column is missing, an id is no area, or stands twice with different splits.
    """
    split = loaded.recipe.split
    if split is None or split.file is None:
        return {}
    path = resources.beside(loaded.path, split.file, "split.file")
    listed: dict[str, str] = {}
    for row in _rows(path):
        if areas and row["id"] not in areas:
            raise RecipeError(
                f"{path.name}: {row['id']}", "there is no such area", "", nearest(row["id"], areas)
            )
        if listed.get(row["id"], row["split"]) != row["split"]:
            raise RecipeError(
                f"{path.name}: {row['id']}",
                f"it stands in {listed[row['id']]} and in {row['split']}",
                "an area has one split.",
                "Remove one of the rows.",
            )
        listed[row["id"]] = row["split"]
    return listed


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        # Spreadsheets write a byte order mark, which utf-8 alone would take for a part of "id".
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="")
            missing = {"id", "split"} - set(reader.fieldnames or ())
            rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecipeError(str(path), f"cannot be read: {error}", "", "Save it as CSV.") from None
    if missing:
        raise RecipeError(
            str(path), f"there is no column {' and '.join(sorted(missing))}", "", "Add it."
        )
    return rows
