"""Tables of schemes: complete, and true to the legends that they are made from."""

from __future__ import annotations

from typing import Any

import pytest

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.scheme import Scheme

TABLE: dict[str, Any] = {
    "id": "two",
    "title": "Two classes",
    "source": "modis-mcd12q1.LC_Type1",
    "recode": {1: 1, 2: 1, 17: 2},
    "classes": [
        {"value": 1, "name": "forest", "colour": "009900"},
        {"value": 2, "name": "water", "colour": "1c0dff"},
    ],
}
PUBLISHED = [0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 6, 8, 9, 10]
"""Simplified class by IGBP class 0 to 17, as the data fusion contest of 2020 has it."""
SCHEMES = sorted(resources.schemes())


def test_a_table_is_read() -> None:
    scheme = Scheme.parse(TABLE, "two.yaml")
    assert scheme.recode == {1: 1, 2: 1, 17: 2}
    assert [entry.name for entry in scheme.classes] == ["forest", "water"]


def test_a_class_without_name_and_colour_is_refused() -> None:
    with pytest.raises(RecipeError, match="3 stands in no entry of classes"):
        Scheme.parse({**TABLE, "recode": {1: 1, 2: 3}}, "two.yaml")


@pytest.mark.parametrize("key", ["recode", "classes"])
def test_an_empty_table_is_refused(key: str) -> None:
    empty: Any = {} if key == "recode" else []
    with pytest.raises(RecipeError):
        Scheme.parse({**TABLE, key: empty}, "two.yaml")


@pytest.mark.parametrize("name", SCHEMES)
def test_a_shipped_scheme_takes_classes_of_its_source_and_misses_none_of_its_own(
    name: str, tables: dict[str, Product]
) -> None:
    scheme = resources.schemes()[name]
    product, band = scheme.source.split(".")
    old = {entry.value for entry in tables[product].band(band).classes}
    assert set(scheme.recode) <= old
    assert set(scheme.recode.values()) == {entry.value for entry in scheme.classes}
    assert len({entry.value for entry in scheme.classes}) == len(scheme.classes)
    assert max([*scheme.recode, *scheme.recode.values()]) <= 255


def test_simplified_igbp_is_the_published_one() -> None:
    recode = resources.schemes()["igbp-simplified"].recode
    assert [recode.get(old, 0) for old in range(18)] == PUBLISHED


def test_without_savanna_the_later_classes_move_down() -> None:
    full = resources.schemes()["igbp-simplified"].recode
    less = resources.schemes()["igbp-no-savanna"].recode
    assert less == {old: new if new < 3 else new - 1 for old, new in full.items() if new != 3}
