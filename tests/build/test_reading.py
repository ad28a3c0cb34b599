"""Where files become recipes and split lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eodata import resources
from eodata.build.reading import (
    LoadedRecipe,
    find_recipe,
    load_recipe,
    load_split_list,
)
from eodata.core.errors import RecipeError
from eodata.core.recipe import ScaleSpec

RECIPE = """
name: tiny
title: Tiny
licence: CC0
area: {file: areas.geojson, patch: 320}
time: {start: 2018-01-01, end: 2018-02-01}
modalities: {s1: {product: sentinel-1-grd}}
split: {by: area, file: splits.csv}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recipe in it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "tiny.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path / "inner"


@pytest.fixture
def loaded(folder: Path) -> LoadedRecipe:
    return load_recipe(str(folder / "tiny.yaml"))


def refused(call: Any, *args: Any) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        call(*args)
    return caught.value


# --- YAML


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\ntitle: b\nname: c\n", 'the key "name" stands twice'),
        ("area: {patch: 1, patch: 2}\n", 'the key "patch" stands twice'),
        ("- {x: {y: 1, y: 1}}\n", 'the key "y" stands twice'),
        ("x: !!python/object/apply:os.system ['touch PWNED']\n", "python/object/apply"),
        ("x: !!python/name:os.system\n", "python/name"),
        ("x: !mine 3\n", "!mine"),
        ("x: [1, 2\n", "expected"),
        ("start: 2018-02-30\n", "day"),
        ("x: !!int abc\n", "abc"),
        ("x: !!timestamp noon\n", ""),
        ("x: !!bool perhaps\n", "perhaps"),
        ("{[1, 2]: 3}\n", "unhashable"),
        ("a: *nowhere\n", "nowhere"),
        ("x: \x07\n", "special characters"),
        ("[" * 5000, ""),
    ],
)
def test_read_yaml_when_no_plain_yaml_then_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    error = refused(resources.read_yaml, path)
    assert error.where.startswith(str(path))
    assert told in error.because
    assert not Path("PWNED").exists()


def test_read_yaml_when_a_key_stands_twice_then_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("area:\n  patch: 1\n  patch: 2\n", encoding="utf-8")
    assert refused(resources.read_yaml, path).where == f"{path}:3:3"


def test_read_yaml_when_keys_repeat_in_different_mappings_then_accepted(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: {x: 1}\nb: {x: 1}\n", encoding="utf-8")
    assert resources.read_yaml(path) == {"a": {"x": 1}, "b": {"x": 1}}


def test_read_yaml_when_not_utf8_or_not_there_then_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"title: caf\xe9\n")
    assert "utf-8" in refused(resources.read_yaml, path).found
    assert "No such file" in refused(resources.read_yaml, tmp_path / "y.yaml").found
    assert refused(resources.read_yaml, tmp_path).found


# --- files that a recipe names


@pytest.mark.parametrize(
    "relative", ["../secret.txt", "a/../../secret.txt", "/etc/passwd", "link.txt", "linked/x.txt"]
)
def test_beside_when_the_path_leaves_the_folder_then_refused(folder: Path, relative: str) -> None:
    outside = folder.parent / "secret.txt"
    outside.write_text("secret", encoding="utf-8")
    (folder.parent / "out").mkdir()
    (folder.parent / "out" / "x.txt").write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(outside)
    (folder / "linked").symlink_to(folder.parent / "out")
    error = refused(resources.beside, folder / "tiny.yaml", relative, "area.file")
    assert error.where == "tiny.yaml: area.file"
    assert "leaves the folder" in error.found


def test_beside_when_absolute_but_inside_then_still_refused(folder: Path) -> None:
    path = folder / "tiny.yaml"
    assert "leaves" in refused(resources.beside, path, str(path), "k").found


@pytest.mark.parametrize("relative", ["nowhere.csv", ".", "deeper", "loop", "nul\0byte"])
def test_beside_when_there_is_no_such_file_then_refused(folder: Path, relative: str) -> None:
    (folder / "deeper").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    error = refused(resources.beside, folder / "tiny.yaml", relative, "split.file")
    assert error.where == "tiny.yaml: split.file"


def test_beside_when_inside_then_the_file(folder: Path) -> None:
    (folder / "deeper").mkdir()
    (folder / "deeper" / "x.csv").write_text("", encoding="utf-8")
    (folder / "near.csv").symlink_to(folder / "deeper" / "x.csv")
    wanted = (folder / "deeper" / "x.csv").resolve()
    for relative in ("deeper/x.csv", "deeper/../near.csv", "./near.csv"):
        assert resources.beside(folder / "tiny.yaml", relative, "k") == wanted


# --- recipes


def test_find_recipe_when_bare_name_then_a_shipped_one() -> None:
    assert find_recipe("demo") == resources.recipe_files()["demo"]


def test_find_recipe_when_misspelt_then_names_the_nearest() -> None:
    assert refused(find_recipe, "dmeo").fix == 'Did you mean "demo"?'


def test_find_recipe_when_the_path_does_not_exist_then_refused(folder: Path) -> None:
    assert "no file" in refused(find_recipe, str(folder / "other.yaml")).found
    assert "no file" in refused(find_recipe, str(folder)).found


@pytest.mark.parametrize("name", sorted(resources.recipe_files()))
def test_shipped_recipe_then_loads(name: str) -> None:
    loaded = load_recipe(name)
    assert loaded.recipe.name == name
    assert loaded.steps == loaded.recipe.time.steps


def test_load_recipe_when_a_scale_is_given_then_instead_of_its_own(folder: Path) -> None:
    path = folder / "tiny.yaml"
    text = RECIPE.replace("02-01}", "02-01, steps: 31}") + "scale: {steps: 7, areas: 3}\n"
    path.write_text(text, encoding="utf-8")
    own, given = load_recipe(str(path)), load_recipe(str(path), ScaleSpec(steps=2))
    assert (own.recipe.time.steps, own.steps) == (7, 31)
    assert (given.recipe.time.steps, given.steps) == (2, 31)
    assert given.recipe.scale == ScaleSpec(steps=2)


def test_load_recipe_when_a_rule_is_broken_then_names_the_file(folder: Path) -> None:
    path = folder / "tiny.yaml"
    path.write_text(RECIPE.replace("sentinel-1-grd", "sentinel-1-gdr"), encoding="utf-8")
    error = refused(load_recipe, str(path))
    assert error.where == "tiny.yaml: modalities.s1.product"
    assert '"sentinel-1-grd"' in error.fix


# --- split lists


def test_load_split_list_then_split_per_area(folder: Path, loaded: LoadedRecipe) -> None:
    (folder / "splits.csv").write_text("note,id,split\nx,a,train\n,b,val\n,a,train\n")
    assert load_split_list(loaded) == {"a": "train", "b": "val"}


def test_load_split_list_when_saved_by_a_spreadsheet_then_read(
    folder: Path, loaded: LoadedRecipe
) -> None:
    (folder / "splits.csv").write_bytes(b"\xef\xbb\xbfid,split\r\na,test\r\n")
    assert load_split_list(loaded) == {"a": "test"}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"id,set\na,train\n", "no column split"),
        (b"", "no column id and split"),
        (b"id,split\na,train\na,val\n", "train and in val"),
        (b"id,split\n\xe9,train\n", "utf-8"),
    ],
)
def test_load_split_list_when_wrong_then_refused(
    folder: Path, loaded: LoadedRecipe, content: bytes, word: str
) -> None:
    (folder / "splits.csv").write_bytes(content)
    error = refused(load_split_list, loaded)
    assert "splits.csv" in error.where
    assert word in error.found


def test_load_split_list_when_a_row_is_short_then_no_split(
    folder: Path, loaded: LoadedRecipe
) -> None:
    (folder / "splits.csv").write_text("id,split\na\n")
    assert load_split_list(loaded) == {"a": ""}


def test_load_split_list_when_none_is_named_then_empty(folder: Path) -> None:
    path = folder / "tiny.yaml"
    path.write_text(RECIPE.replace(", file: splits.csv", ""), encoding="utf-8")
    assert load_split_list(load_recipe(str(path))) == {}


def test_load_split_list_when_areas_are_left_out_then_their_rows_are_no_error(
    folder: Path,
) -> None:
    (folder / "splits.csv").write_text("id,split\na,train\nb,val\n")
    loaded = load_recipe(str(folder / "tiny.yaml"), ScaleSpec(areas=1))
    assert load_split_list(loaded, ["a"]) == {"a": "train", "b": "val"}
    whole = load_recipe(str(folder / "tiny.yaml"), ScaleSpec(steps=1))
    assert refused(load_split_list, whole, ["a"]).where == "splits.csv: b"


def test_load_split_list_when_a_row_names_no_area_then_the_nearest(
    folder: Path, loaded: LoadedRecipe
) -> None:
    (folder / "splits.csv").write_text("id, split\n north , train\nsuoth,val\n".replace(", ", ","))
    assert load_split_list(loaded) == {"north": "train", "suoth": "val"}
    error = refused(load_split_list, loaded, ["north", "south"])
    assert error.where == "splits.csv: suoth"
    assert error.fix == 'Did you mean "south"?'
