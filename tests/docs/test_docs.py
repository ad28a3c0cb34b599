"""What the pages say is what the code does; whatever drifts turns red here."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import sqlite3
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest
import yaml
import zarr
from pydantic import TypeAdapter
from typer.main import get_command

import eodata
from eodata import resources
from eodata.cli.app import app
from eodata.core import (
    composite,
    coregistration,
    derivation,
    errors,
    recipe,
    recipe_area,
    recipe_modality,
    sandbox_spec,
)
from eodata.core.derivation import Derived
from eodata.core.errors import EXIT_GAPS, EXIT_OK, EodataError
from eodata.core.outcome import Status
from eodata.core.recipe import Recipe
from eodata.core.recipe_rules import check_recipe
from eodata.core.strict import Strict

Page = Callable[[str], str]
Script = Callable[[str], ModuleType]

ROOT = Path(__file__).parents[2]
PACKAGE = Path(eodata.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = ("docs", "eodata", "recipes", "catalog", "benchmarks", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(p for name in FOLDERS for p in (ROOT / name).rglob("*.md"))])
LONGEST_MODULE = 400
LONGEST_README = 150
REFUSED = {"util", "utils", "helper", "helpers", "common", "manager", "handler"}
REFUSED |= {"chip", "granule", "scene"}
PUBLISHED_WORDS = {"common_name", "scene", "scenes"}
"""Words that published data use as keys."""
MODELS = {
    model.__name__: model
    for module in (
        sandbox_spec,
        recipe,
        recipe_area,
        recipe_modality,
        composite,
        coregistration,
        derivation,
    )
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Strict) and model not in (Strict, Derived)
}
MACHINE_PATH = re.compile(r"(?<![\w.:/)\]}*<>~-])/[A-Za-z][\w.-]*/|\b[A-Z]:\\|file:///")


def commands() -> Iterator[tuple[str, typing.Any]]:
    """Yield `(words, command)` of every command that does something."""

    def walk(command: typing.Any, words: str) -> Iterator[tuple[str, typing.Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words, command
        for name, one in (inner or {}).items():
            yield from walk(one, f"{words} {name}")

    yield from walk(get_command(app), "eodata")


COMMANDS = dict(commands())


def example_of(command: typing.Any) -> str:
    lines = [line.strip() for line in inspect.cleandoc(command.help or "").splitlines()]
    return next((line for line in lines if line.startswith("Example: eodata ")), "")


@pytest.mark.parametrize("words", COMMANDS)
def test_command_then_it_has_help_and_stands_in_the_reference(words: str, page: Page) -> None:
    first = (COMMANDS[words].help or "").split("\n")[0]
    assert first.endswith(".")
    assert f"\n### {words}\n" in page("cli.md")
    assert example_of(COMMANDS[words]) in page("cli.md")


@pytest.mark.parametrize("words", COMMANDS)
def test_command_then_its_example_is_a_command_line_of_it(words: str) -> None:
    typed = shlex.split(example_of(COMMANDS[words]).removeprefix("Example: "))
    assert typed[: len(words.split())] == words.split()
    COMMANDS[words].make_context(words, typed[len(words.split()) :])


@pytest.mark.parametrize("name", ["make_cli_reference", "make_recipe_reference"])
def test_generated_page_then_it_is_up_to_date(name: str, script: Script) -> None:
    module = script(name)
    assert module.main(["--check"]) == 0, f"run python docs/{name}.py"


@pytest.mark.parametrize("name", ["make_cli_reference", "make_recipe_reference"])
def test_generated_page_when_its_end_differs_then_the_check_fails(
    name: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script(name)
    copy = tmp_path / module.PAGE.name
    copy.write_text(module.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(module, "PAGE", copy)
    assert module.main([]) == 0
    text = copy.read_text(encoding="utf-8")
    copy.write_text(text + "one line too many\n", encoding="utf-8")
    assert module.main(["--check"]) == 1
    assert module.main([]) == 0
    assert copy.read_text(encoding="utf-8") == text


def test_errors_then_every_class_and_code_stands_in_one_table(page: Page) -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, EodataError)
    ]
    expected = {(str(c.exit_code), f"`{c.__name__}`") for c in classes}
    expected |= {(str(EXIT_OK), "–"), (str(EXIT_GAPS), "–")}
    assert {(row[0], row[1]) for row in table(page("cli.md"), "| code |")} == expected


def test_recipe_reference_when_read_as_a_recipe_then_it_is_one(page: Page) -> None:
    (text,) = blocks(page("recipe-reference.md"), "yaml")
    written = Recipe.parse(yaml.safe_load(text), "reference")
    check_recipe(written, resources.products(), resources.schemes())


def test_recipe_reference_then_it_names_every_reserved_name(page: Page) -> None:
    (sentence,) = re.findall(r"cannot be called (.*?)\.", page("recipe-reference.md"), re.DOTALL)
    assert set(re.findall(r"`(\w+)`", sentence)) == recipe.RESERVED_NAMES


def test_recipe_examples_then_each_is_a_value_of_its_key(script: Script) -> None:
    examples: dict[str, str] = script("make_recipe_reference").EXAMPLES
    for full, text in examples.items():
        model, key = full.split(".")
        fields: dict[str, typing.Any] = MODELS[model].model_fields
        field = next(f for name, f in fields.items() if key in (name, f.alias))
        limited = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else None
        TypeAdapter(limited or field.annotation).validate_python(yaml.safe_load(text))


def test_recipe_reference_then_every_model_has_its_keys_there(page: Page) -> None:
    generated = page("recipe-reference.md").split("## Every key")[1]
    keys = [field.alias or name for m in MODELS.values() for name, field in m.model_fields.items()]
    assert Counter(re.findall(r"^\| `(\w+)` \|", generated, re.M)) == Counter(keys)


def test_store_examples_when_run_with_zarr_and_geopandas_alone_then_they_work(
    page: Page, store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    read, check_digest = blocks(page("store-format.md"), "python")
    assert "eodata" not in read
    found: dict[str, typing.Any] = {}
    exec(read, found)  # noqa: S102 (our own page)
    exec(check_digest, {})  # noqa: S102 (our own page)
    assert found["physical"].shape == (10, 16, 16)
    assert 0 < found["physical"][:3].mean() < 1
    assert "flanders_r000_c000 EPSG:32631" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "elided"), [("group", "plan_digest"), ("s1", "crs_wkt")])
def test_store_attributes_then_they_are_those_of_the_page(
    name: str, elided: str, page: Page, store: Path
) -> None:
    after = page("store-format.md").split(f"<!-- attributes: {name} -->")[1]
    stated = json.loads(blocks(after, "json")[0])
    group = zarr.open_group(store / "data.zarr", mode="r")
    found = dict((group if name == "group" else group[name]).attrs)
    assert stated.pop(elided) == "…"
    assert found.pop(elided)
    assert stated == found


def test_array_metadata_then_it_is_that_of_the_page(page: Page, store: Path) -> None:
    after = page("store-format.md").split("### Metadata of an array")[1]
    stated = json.loads(blocks(after, "json")[0])
    found = json.loads((store / "data.zarr/s1/zarr.json").read_bytes())
    del found["attributes"]
    stated["shape"][0] = 4  # the page shows the whole demo
    assert stated == found


@pytest.mark.parametrize("name", ["samples", "steps"])
def test_table_then_its_columns_types_and_nulls_are_those_of_the_page(
    name: str, page: Page, store: Path
) -> None:
    after = page("store-format.md").split(f"<!-- columns: {name} -->")[1]
    frame = pq.read_table(store / f"{name}.parquet")
    stated = {row[0].strip("`"): row for row in table(after, "| column |")}
    assert list(dict.fromkeys(_pattern(c) for c in frame.column_names)) == list(stated)
    for column in frame.column_names:
        row = stated[_pattern(column)]
        assert _arrow(str(frame.schema.field(column).type)) == row[1], column
        if row[4].startswith("never"):
            assert frame[column].null_count == 0, column


def _pattern(column: str) -> str:
    return re.sub(r"^\w+(?=:(done|valid|marked|shift)$)", "NAME", column)


def _arrow(kind: str) -> str:
    kind = kind.replace("large_string", "string").replace("element: ", "")
    kind = re.sub(r"struct<xmin: double.*>", "struct<double>", kind)
    return kind.replace("<", "&lt;").replace(">", "&gt;")


def test_plan_then_its_keys_are_those_of_the_page(page: Page, store: Path) -> None:
    after = page("store-format.md").split("<!-- keys: plan -->")[1]
    stated = [row[0].strip("`") for row in table(after, "| key |")]
    assert stated == list(json.loads((store / "plan/plan.json").read_bytes()))


def test_ledger_then_its_tables_and_columns_are_those_of_the_page(page: Page, store: Path) -> None:
    after = page("store-format.md").split("<!-- tables: ledger -->")[1]
    stated = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in table(after, "| table")}
    with sqlite3.connect(store / "ledger.sqlite") as ledger:
        tables = [n for (n,) in ledger.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        found = {t: [c[1] for c in ledger.execute(f"PRAGMA table_info({t})")] for t in tables}
    ledger.close()
    assert stated == found


def test_store_then_every_file_of_it_is_on_the_page(page: Page, store: Path) -> None:
    picture = blocks(page("store-format.md"), "text")[0]
    for path in store.iterdir():
        assert f"─ {path.name}" in picture


def test_statuses_then_they_are_those_of_the_page(page: Page) -> None:
    stated = {row[0].strip("`") for row in table(page("store-format.md"), "| status | of")}
    assert stated == {status.value for status in Status}


def identifiers(path: Path) -> Iterator[str]:
    """Yield every name that a module uses or defines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for field in ("id", "attr", "arg", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name


def defined(path: Path) -> Iterator[str]:
    """Yield the names that a module makes up itself."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname


def parts(name: str) -> list[str]:
    """Return the words of an identifier in lower case.

    >>> parts("ClassMask"), parts("_gsd_of")
    (['class', 'mask'], ['gsd', 'of'])
    """
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def test_glossary_then_every_identifier_in_it_is_used(page: Page) -> None:
    terms = set(re.findall(r"\*\*`(\w+)`\*\*", page("glossary.md")))
    used = {word for path in MODULES for name in identifiers(path) for word in parts(name)}
    used |= {word.removesuffix("s") for word in used}
    assert len(terms) > 40
    assert terms <= used


@pytest.mark.parametrize("path", MODULES, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_module_then_it_is_short_and_uses_no_refused_word(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE
    bad = [n for n in defined(path) if n not in PUBLISHED_WORDS and REFUSED & set(parts(n))]
    assert not bad


def test_glossary_then_the_refused_words_stand_there(page: Page) -> None:
    refused = page("glossary.md").split("## Refused")[1]
    assert {w for w in REFUSED if w not in ("util", "helper")} <= set(re.findall(r"\w+", refused))


def test_architecture_then_every_module_is_named_once(page: Page) -> None:
    named = Counter(
        re.findall(r"^\| `((?:\w+/)+\w+\.py|resources\.py)` \|", page("architecture.md"), re.M)
    )
    there = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if path.name not in ("__init__.py", "__main__.py")
    }
    assert named == Counter(there)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_page_then_its_links_lead_to_files_and_headings(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, heading = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        assert file.is_relative_to(ROOT), link
        if heading:
            lines = file.read_text(encoding="utf-8").splitlines()
            headings = [line.lstrip("# ").lower() for line in lines if line.startswith("#")]
            assert heading in [re.sub(r"[^\w -]", "", h).replace(" ", "-") for h in headings]


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda p: p.stem
)
def test_page_then_it_names_no_path_of_a_machine(path: Path) -> None:
    assert not MACHINE_PATH.findall(path.read_text(encoding="utf-8"))


def test_readme_then_it_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def table(text: str, head: str) -> list[list[str]]:
    """Return the cells of the first table whose head begins so, without head and rule."""
    lines = text[text.index(head) :].splitlines()[2:]
    end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:end]]
