"""`eodata recipe …`: list, show, check and start recipes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from eodata.cli.output import AsJson, human_bytes, put, put_json, put_table, say

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe, or path of a file.")
]

recipes = typer.Typer(
    help="List, show, check and start recipes.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Hang these commands under `eodata recipe`."""
    app.add_typer(recipes, name="recipe")


@recipes.command("list")
def list_recipes(as_json: AsJson = False) -> None:
    """List the recipes that travel with eodata.

    Example: eodata recipe list
    """
    from eodata.build.prepare import shipped_recipe_names
    from eodata.build.reading import load_recipe

    found = [load_recipe(name).recipe for name in shipped_recipe_names()]
    if as_json:
        put_json([{"name": r.name, "task": r.task, "title": r.title} for r in found])
    else:
        put_table(("name", "task", "title"), [(r.name, r.task, r.title) for r in found])


@recipes.command("show")
def show_recipe(
    name: Annotated[
        str, typer.Argument(metavar="[RECIPE]", help="Name of a shipped recipe, or path.")
    ] = "",
    product: Annotated[
        str, typer.Option("--product", help="Show a product table instead of a recipe.")
    ] = "",
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of recipes, for editors.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a recipe with every default written out, a product table, or the JSON Schema.

    YAML, as people write it; a recipe that is printed can be built.

    Example: eodata recipe show demo
    """
    from eodata import resources
    from eodata.build.reading import load_recipe
    from eodata.core.errors import RecipeError, nearest
    from eodata.core.recipe import Recipe

    if schema:
        put_json(Recipe.model_json_schema(by_alias=True))
    elif product:
        known = resources.products()
        if product not in known:
            raise RecipeError(
                "--product", f'there is no product "{product}"', "", nearest(product, known)
            )
        _put_document(known[product].model_dump(mode="json"), as_json=as_json)
    elif name:
        loaded = load_recipe(name)
        _put_document(loaded.recipe.to_json(), as_json=as_json)
        if loaded.recipe.area.file:
            say(f"its files lie beside {loaded.path}: copy them with it")
    else:
        raise RecipeError("recipe show", "nothing to show", "", "Name a recipe, e.g. demo.")


def _put_document(value: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(value)
        return
    import yaml

    put(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).rstrip())


@recipes.command("check")
def check_recipe(name: RecipeName, as_json: AsJson = False) -> None:
    """Check a recipe with its area and split files, and count; asks no archive.

    Example: eodata recipe check demo
    """
    from collections import Counter

    from eodata.build.areas import load_areas
    from eodata.build.prepare import lay_out_patches
    from eodata.build.reading import load_recipe
    from eodata.build.sizing import size_of

    loaded = load_recipe(name)
    areas = load_areas(loaded)
    placed = [p for _, p in lay_out_patches(loaded, areas)]
    splits = Counter("rejected" if p.rejected else p.split for p in placed)
    size = size_of(loaded.recipe, len(placed))
    if as_json:
        counts = {"areas": len(areas), "patches": len(placed), "splits": splits, **asdict(size)}
        put_json({"name": loaded.recipe.name, **counts})
    else:
        told = ", ".join(f"{n} {split}" for split, n in sorted(splits.items()))
        say(f"{loaded.path.name} is fine: {len(areas)} areas, {len(placed)} patches ({told}),")
        say(f"{size.files} files of {human_bytes(size.bytes)} before compression.")


@recipes.command("new")
def new_recipe(
    path: Annotated[Path, typer.Argument(help="File to write, ending in .yaml.")],
) -> None:
    """Start a recipe of your own from a commented example; never overwrites.

    Example: eodata recipe new my-dataset.yaml
    """
    from eodata.build.template import write_template

    say(f"wrote {write_template(path)}; now edit it, then: eodata recipe check {path}")
