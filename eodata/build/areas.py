"""Which ground: areas from a file, a box or chance. The edge where shapes become core types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from eodata import resources
from eodata.build.reading import LoadedRecipe, load_split_list
from eodata.core.errors import RecipeError
from eodata.core.grid import resolve_crs
from eodata.core.patch import Area
from eodata.core.recipe import Recipe
from eodata.core.recipe_area import SampleSpec
from eodata.core.span import Span, parse_utc
from eodata.pipeline.area_sampling import Centre, sample_centres
from eodata.pipeline.natural_earth import polygons_from
from eodata.pipeline.scale import scaled_areas, square_about


def load_areas(loaded: LoadedRecipe) -> dict[str, Area]:
    """Return the areas of a recipe by id, in file order, with their CRS resolved.

    Raises:
        RecipeError: The file is unreadable, or an area is empty, no polygon, or named twice.
    """
    areas = _areas(loaded)
    if loaded.recipe.scale is None:
        return areas
    listed = load_split_list(loaded, areas)
    return scaled_areas(areas, loaded.recipe, loaded.steps, listed)


def _areas(loaded: LoadedRecipe) -> dict[str, Area]:
    recipe, spec = loaded.recipe, loaded.recipe.area
    if spec.bbox is not None:
        ground = box(*spec.bbox)
        return {"area": Area("area", ground, resolve_crs(spec.crs, ground))}
    if spec.sample is not None:
        return {area.id: area for area in random_areas(recipe, spec.sample)}
    if spec.file is None:
        raise RecipeError("area", "no file, bbox or sample", "", "Give one of them.")
    path = resources.beside(loaded.path, spec.file, "area.file")
    areas: dict[str, Area] = {}
    for number, feature in enumerate(_features(path)):
        if not _is_wanted(feature, spec.only, path):
            continue
        area = _area(feature, number, recipe, path)
        if area.id in areas:
            raise RecipeError(
                f"{path.name}: feature {number}", f'the id "{area.id}" stands twice', "", "Rename."
            )
        areas[area.id] = area
    if not areas:
        found = "no area has these properties" if spec.only else "the file has no feature"
        raise RecipeError(str(path), found, "", "Loosen area.only." if spec.only else "Add one.")
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


def random_areas(recipe: Recipe, sample: SampleSpec) -> Iterator[Area]:
    """Yield the areas that the seeds of a recipe draw over land and towns.

    Ids are `ROIsSEED_SEASON_NUMBER`, as published datasets number theirs; a point that is dropped
    for being near another leaves a gap in the numbers.
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
            ground = square_about(point, recipe.area.crs, side, recipe.area.stride_m)
            yield Area(
                id="_".join(filter(None, (f"ROIs{draw.seed}", draw.season, str(centre.number)))),
                geometry=ground,
                crs=resolve_crs(recipe.area.crs, point),
                time=recipe.time.season(draw.season),
                season=draw.season,
                scene=str(centre.number),
            )


def _is_wanted(feature: Mapping[str, Any], only: Mapping[str, tuple[str, ...]], path: Path) -> bool:
    for key, values in only.items():
        if key not in feature:
            raise RecipeError(
                f"area.only.{key}",
                f"the areas of {path.name} have no such property",
                "",
                f"Known: {', '.join(k for k in feature if k != 'geometry')}.",
            )
        if str(_property(feature, key, "")) not in values:
            return False
    return True


def _area(feature: Mapping[str, Any], number: int, recipe: Recipe, path: Path) -> Area:
    geometry = feature["geometry"]
    name = str(_property(feature, "id", f"a{number:04d}"))
    where = f"{path.name}: area {name}"
    # A missing geometry arrives as None or as NaN.
    kind = geometry.geom_type if isinstance(geometry, BaseGeometry) else "no geometry"
    if kind == "Point" and not geometry.is_empty and recipe.area.side is not None:
        geometry = square_about(geometry, recipe.area.crs, recipe.area.side, recipe.area.stride_m)
    elif kind not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        fix = "Give area.side, the edge of its square." if kind == "Point" else "Draw one."
        raise RecipeError(where, kind, "an area is ground, so it is a polygon.", fix)
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
    season = str(_property(feature, "season", ""))
    return Area(
        id=name,
        geometry=geometry,
        crs=resolve_crs(recipe.area.crs, geometry),
        time=_time(feature, where) or recipe.time.season(season),
        season=season,
        **{key: str(_property(feature, key, "")) for key in ("split", "scene", "region")},
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
