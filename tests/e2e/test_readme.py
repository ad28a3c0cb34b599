"""What the README says works, word for word."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from eodata import resources
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_rules import check_recipe
from eodata.pipeline.serving import serving
from tests.e2e.building import run_command

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.e2e
def test_readme_commands_then_all_succeed_in_an_empty_folder(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (commands,) = [b for b in blocks("") if "pip install ." in b]
    lines = [line for line in commands.splitlines() if line.startswith("eodata ")]
    assert len(lines) == 5
    eodata = Path(sys.executable).parent / "eodata"
    for line in lines:
        ran = run_command([eodata, *shlex.split(line)[1:]], environment, cwd=tmp_path)
        assert ran.code == 0, (line, ran.err)
    assert (tmp_path / "sample.png").exists()


@pytest.mark.e2e
def test_readme_python_then_runs(demo: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "demo").symlink_to(demo)
    for block in blocks("python"):
        main = "if __name__ == '__main__':\n" + "".join(f"    {x}\n" for x in block.splitlines())
        ran = run_command([sys.executable, "-c", main], environment, cwd=tmp_path)
        assert ran.code == 0, ran.err


def test_readme_recipe_then_is_the_shipped_one_in_short() -> None:
    text = blocks("yaml")[0]
    shown = Recipe.parse(yaml.safe_load(text), "README.md")
    shipped = Recipe.parse(resources.read_yaml(resources.recipe_files()["demo"]), "demo.yaml")
    assert shown.modalities == shipped.modalities
    assert (shown.area, shown.time, shown.split) == (shipped.area, shipped.time, shipped.split)


def test_readme_recipe_for_archives_then_the_archives_can_serve_it() -> None:
    told = {"name": "munich", "title": "Munich", "licence": "CC-BY-4.0"}
    recipe = Recipe.parse({**told, **yaml.safe_load(blocks("yaml")[1])}, "README.md")
    check_recipe(recipe, resources.products(), resources.schemes())
    for modality in recipe.modalities.values():
        assert isinstance(modality, SourceModality)
        assert "planetary-computer" in serving(resources.products()[modality.product])


@pytest.mark.e2e
def test_readme_look_then_it_works_on_the_sandbox(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (line,) = re.findall(r"^eodata catalog items .*$", README.read_text(), re.MULTILINE)
    eodata = Path(sys.executable).parent / "eodata"
    asked = [*shlex.split(line)[1:], "--provider", "sandbox"]
    ran = run_command([eodata, *asked], environment, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "S2B_MSIL2A_20230" in ran.out
