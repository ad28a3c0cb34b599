"""Product tables: the facts, and how bands are found in them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from eodata import resources
from eodata.core.errors import RecipeError
from eodata.core.product import Product

TABLE: dict[str, Any] = {
    "id": "t",
    "title": "T",
    "licence": "CC0",
    "radiometry": "x",
    "providers": {},
    "bands": [
        {"name": "vv", "dtype": "float32", "gsd": 10},
        {"name": "B08", "common_name": "nir", "dtype": "uint16", "gsd": 10},
        {"name": "red", "common_name": "pan", "dtype": "uint16", "gsd": 10},
        {"name": "B04", "common_name": "red", "dtype": "uint16", "gsd": 10},
        {"name": "qa", "dtype": "uint8", "kind": "bitmask", "gsd": 10, "auxiliary": True},
    ],
}


@pytest.mark.parametrize("name", sorted(resources.products()))
def test_shipped_table_then_consistent(name: str, tables: dict[str, Product]) -> None:
    table = tables[name]
    names = [b.name for b in table.bands]
    assert len(set(names)) == len(names)
    common = [b.common_name for b in table.bands if b.common_name]
    assert len(set(common)) == len(common)
    assert table.select("all")
    assert table.providers
    for rule in table.validity.values():
        legend = {c.value for c in table.band(rule.band).classes}
        assert set(rule.invalid) <= legend
    for provider in table.providers.values():
        assert set(provider.assets) <= set(names)
    for shown in table.display.bands if table.display else ():
        assert table.band(shown).name == shown
    for entry in table.bands:
        band = entry.to_band()
        values = [c[0] for c in band.classes]
        assert len(set(values)) == len(values)
        assert all(np.dtype(band.dtype).type(v) == v for v in values)
        json.dumps(band.nodata, allow_nan=False)
    assert Product.parse(json.loads(table.model_dump_json()), "x") == table


def test_shipped_tables_then_sentinel_2_states_its_offset_and_store_has_none(
    tables: dict[str, Product],
) -> None:
    table = tables["sentinel-2-l2a"]
    assert table.states_offset
    assert {(b.scale, b.offset) for b in table.select("all")} == {(1e-4, 0.0)}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("B08", "B08"), ("b08", "B08"), ("NIR", "B08"), ("red", "red"), ("pan", "red")],
)
def test_band_by_name_or_common_name_whatever_the_case(wanted: str, found: str) -> None:
    assert Product.parse(TABLE, "t").band(wanted).name == found


@pytest.mark.parametrize("wanted", ["", "swir", "B8"])
def test_band_when_unknown_then_refused(wanted: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Product.parse(TABLE, "t").band(wanted)
    assert caught.value.where == "product t"
    assert f'"{wanted}"' in caught.value.found


def test_band_when_misspelt_then_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match='Did you mean "B08"'):
        Product.parse(TABLE, "t").band("B8")


def test_select_all_then_leaves_auxiliary_bands_out() -> None:
    assert [b.name for b in Product.parse(TABLE, "t").select("all")] == ["vv", "B08", "red", "B04"]


def test_select_then_keeps_the_order_asked_for() -> None:
    assert [b.name for b in Product.parse(TABLE, "t").select(("qa", "nir"))] == ["qa", "B08"]


def test_select_when_one_band_has_two_names_then_refused() -> None:
    with pytest.raises(RecipeError, match='Remove "nir"'):
        Product.parse(TABLE, "t").select(("B08", "nir"))


def test_table_when_a_key_is_unknown_then_path_of_the_band() -> None:
    table = {**TABLE, "bands": [{**TABLE["bands"][0], "gds": 10}]}
    with pytest.raises(RecipeError) as caught:
        Product.parse(table, "t.yaml")
    assert caught.value.where == "t.yaml: bands.0.gds"
    assert caught.value.fix == 'Did you mean "gsd"?'
