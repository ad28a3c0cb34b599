"""What the tables say of Earth Engine's collections is what its published catalogue says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eodata import resources
from eodata.core.product import Product

CATALOGUE = json.loads(
    (Path(__file__).parents[1] / "data" / "earthengine" / "catalogue.json").read_text()
)
"""By collection and band: scale and offset."""
KEPT = [
    product.id for product in resources.products().values() if "earthengine" in product.providers
]


def test_tables_then_ten_products_are_there():
    assert len(KEPT) == 10
    kept = {resources.products()[name].providers["earthengine"].collection for name in KEPT}
    assert kept == set(CATALOGUE)


@pytest.mark.parametrize("name", KEPT)
def test_band_then_the_catalogue_has_it_with_the_same_scale_and_offset(
    name: str, tables: dict[str, Product]
) -> None:
    entry = tables[name].providers["earthengine"]
    told = CATALOGUE[entry.collection]
    for band in tables[name].bands:
        scale, offset = told[entry.assets.get(band.name, band.name)]
        assert (band.scale, band.offset) == (scale, offset)


@pytest.mark.parametrize("name", KEPT)
def test_entry_then_it_is_the_quantity_of_the_product(
    name: str, tables: dict[str, Product]
) -> None:
    entry = tables[name].providers["earthengine"]
    assert entry.radiometry == tables[name].radiometry
    assert (entry.offset == "harmonised") == tables[name].states_offset
    # Cloud Score+ names the collection that it was made from.
    measured = entry.collection.removeprefix("GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED")
    assert ("HARMONIZED" in measured) == tables[name].states_offset


@pytest.mark.parametrize("name", KEPT)
def test_levels_of_the_pyramid_then_they_are_read_of_measurements_alone(
    name: str, tables: dict[str, Product]
) -> None:
    product = tables[name]
    kinds = {(band.kind, band.unit == "dB") for band in product.bands}
    assert product.providers["earthengine"].overviews == (("continuous", False) in kinds)
