"""Read what people wrote: recipes and split lists. The edge where files become core types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from eodata import resources
from eodata.core.errors import RecipeError, nearest
from eodata.core.recipe import Recipe, ScaleSpec
from eodata.core.recipe_rules import check_recipe
from eodata.pipeline.scale import scaled


@dataclass(frozen=True, slots=True)
class LoadedRecipe:
    """A checked recipe and the file it came from.

    Attributes:
        recipe: At the scale that is asked for.
        path: Its file.
        steps: How many steps the file says, before any scale.
    """

    recipe: Recipe
    path: Path
    steps: int


def load_recipe(name_or_path: str, scale: ScaleSpec | None = None) -> LoadedRecipe:
    """Load and check a recipe: a bare name means a shipped one, anything else a file.

    Args:
        name_or_path: Of the recipe.
        scale: Makes a miniature, instead of the scale that the recipe itself may say.

    Raises:
        RecipeError: It does not exist, or says something that cannot be done.
    """
    path = find_recipe(name_or_path)
    recipe = Recipe.parse(resources.read_yaml(path), path.name)
    try:
        check_recipe(recipe, resources.products(), resources.schemes())
    except RecipeError as error:
        error.where = f"{path.name}: {error.where}"
        raise
    steps = recipe.time.steps
    if scale is not None:
        recipe = recipe.model_copy(update={"scale": scale})
    return LoadedRecipe(scaled(recipe), path, steps)


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
    # The list of a miniature names areas that are left out; `load_areas` has looked at all of them.
    scale = loaded.recipe.scale
    if scale is not None and scale.areas is not None:
        areas = ()
    for row in _rows(path):
        if areas:
            refuse_stranger(row["id"], areas, path.name)
        if listed.get(row["id"], row["split"]) != row["split"]:
            raise RecipeError(
                f"{path.name}: {row['id']}",
                f"it stands in {listed[row['id']]} and in {row['split']}",
                "an area has one split.",
                "Remove one of the rows.",
            )
        listed[row["id"]] = row["split"]
    return listed


def refuse_stranger(name: str, areas: Collection[str], where: str) -> None:
    """Refuse an id that is no area's.

    Args:
        name: The id.
        areas: Ids of all areas.
        where: Who names it.

    Raises:
        RecipeError: There is no such area; names the nearest one.
    """
    if name not in areas:
        raise RecipeError(f"{where}: {name}", "there is no such area", "", nearest(name, areas))


def _rows(path: Path) -> list[dict[str, str]]:
    columns, rows = resources.read_csv(path)
    missing = {"id", "split"} - set(columns)
    if missing:
        raise RecipeError(
            str(path), f"there is no column {' and '.join(sorted(missing))}", "", "Add it."
        )
    return [row for _, row in rows]
