"""The files that travel with eodata: product tables, recipes, cards, the demo's archive.

A wheel carries `recipes/` and `catalog/` inside the package; an editable install finds them beside
it, in the repository.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from eodata.core.endpoint import Endpoint
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.scheme import Scheme

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """Return the shipped folder `recipes` or `catalog`."""
    packed = _PACKAGE / "_shipped" / folder
    return packed if packed.is_dir() else _PACKAGE.parent / folder


def recipe_files() -> dict[str, Path]:
    """Return the shipped recipes by name."""
    return {path.stem: path for path in sorted(shipped("recipes").glob("*.yaml"))}


def card_files() -> list[Path]:
    """Return the shipped cards, by file name."""
    return sorted(shipped("catalog").glob("*.yaml"))


@cache
def products() -> dict[str, Product]:
    """Return all product tables by id."""
    tables = [
        Product.parse(read_yaml(path), path.name)
        for path in sorted((_PACKAGE / "products").glob("*.yaml"))
    ]
    return {table.id: table for table in tables}


@cache
def endpoints() -> dict[str, Endpoint]:
    """Return all rows of the table of endpoints by name."""
    rows = [
        Endpoint.parse(read_yaml(path), path.name)
        for path in sorted((_PACKAGE / "endpoints").glob("*.yaml"))
    ]
    return {row.name: row for row in rows}


@cache
def schemes() -> dict[str, Scheme]:
    """Return all tables of schemes by id."""
    tables = [
        Scheme.parse(read_yaml(path), path.name)
        for path in sorted((_PACKAGE / "schemes").glob("*.yaml"))
    ]
    return {table.id: table for table in tables}


def natural_earth() -> Mapping[str, NDArray[np.int32]]:
    """Return the shapes of land, lakes and towns; see `eodata/data/README.md`."""
    import numpy as np  # the rest is needed by commands that start at once

    with np.load(_PACKAGE / "data" / "natural_earth_50m.npz") as arrays:
        return dict(arrays)


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a mapping with the same key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{key}" stands twice', node.value[position][0].start_mark
                )
        return super().construct_mapping(node, deep)


# PyYAML lets through what int(), date() and the like raise on a value such as 2018-02-30.
_NO_PLAIN_YAML = (
    yaml.YAMLError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)


def read_yaml(path: Path) -> object:
    """Read a YAML file as plain data: no objects are constructed, no key stands twice.

    Raises:
        RecipeError: The file cannot be read or is no plain YAML; with line and column.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecipeError(str(path), f"cannot be read: {reason}", "", "Check the path.") from None
    try:
        return yaml.load(text, _UniqueKeyLoader)  # noqa: S506 (a SafeLoader)
    except _NO_PLAIN_YAML as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise RecipeError(
            where,
            "this is no plain YAML",
            getattr(error, "problem", None) or str(error),
            "Use mappings, lists, texts, numbers and dates only; each key once.",
        ) from None


def read_csv(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the columns of a CSV file, and line number and cells of each row, blanks cut off.

    Raises:
        RecipeError: The file cannot be read.
    """
    try:
        # Spreadsheets write a byte order mark, which utf-8 would take for a part of a column.
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="")
            reader.fieldnames = columns = [name.strip() for name in reader.fieldnames or ()]
            rows = [
                (reader.line_num, {k: (v or "").strip() for k, v in row.items() if k})
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fix = "Check the path, and save it as CSV."
        raise RecipeError(str(path), f"cannot be read: {reason}", "", fix) from None
    return columns, rows


def beside(recipe: Path, relative: str, key: str) -> Path:
    """Return a file that a recipe names, which must lie in the recipe's folder.

    Args:
        recipe: The recipe's own file.
        relative: What the recipe says.
        key: Its key, for messages.

    Raises:
        RecipeError: The path is absolute, leaves the folder, or there is no such file.
    """
    folder = recipe.parent.resolve()
    try:
        target = (folder / relative).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise RecipeError(
            f"{recipe.name}: {key}", f'"{relative!a}" is no path', f"{error}.", "Check it."
        ) from None
    if Path(relative).is_absolute() or not target.is_relative_to(folder):
        raise RecipeError(
            f"{recipe.name}: {key}",
            f'"{relative}" leaves the folder of the recipe',
            "a recipe is shared as a folder, so it may only name files inside it.",
            "Move the file beside the recipe and name it by a relative path.",
        )
    if not target.is_file():
        raise RecipeError(f"{recipe.name}: {key}", f"there is no file {target}", "", "Check it.")
    return target
