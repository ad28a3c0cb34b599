"""What the product tables say of the archives is what real items of these archives say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from eodata import resources
from eodata.core.product import BandEntry, Product, ProviderEntry
from eodata.providers.stac_item import item_of

Items = dict[tuple[str, str], dict[str, Any]]

ORDER = ("archive", "earth-search", "planetary-computer", "cdse", "earthengine", "sandbox")
"""Of preference: files that a person has, free archives, those with an account, simulation."""
HERE = {"archive", "sandbox"}
UNSEEN = {
    ("earth-search", "cop-dem-glo-30"),
    ("planetary-computer", "sentinel-1-grd"),
    ("planetary-computer", "esa-worldcover"),
    ("cdse", "sentinel-2-l2a"),
    ("cdse", "sentinel-2-l1c"),
    ("cdse", "sentinel-1-grd"),
    ("cdse", "cop-dem-glo-30-dged-cog"),
    ("earthengine", "COPERNICUS/DEM/GLO30"),
    ("earthengine", "COPERNICUS/S1_GRD"),
    ("earthengine", "COPERNICUS/S2_CLOUD_PROBABILITY"),
    ("earthengine", "COPERNICUS/S2_HARMONIZED"),
    ("earthengine", "COPERNICUS/S2_SR_HARMONIZED"),
    ("earthengine", "CSP/HM/GlobalHumanModification"),
    ("earthengine", "ESA/WorldCover/v200"),
    ("earthengine", "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED"),
    ("earthengine", "MODIS/061/MCD12Q1"),
    ("earthengine", "NOAA/VIIRS/DNB/MONTHLY_V1/VCMCFG"),
}
"""Collections of which no real item is at hand: their keys follow the archives' own documents."""
ENTRIES = [
    (product.id, provider)
    for product in resources.products().values()
    for provider, entry in product.providers.items()
    if provider not in HERE and entry.radiometry == product.radiometry
]
SEEN = [
    (name, provider)
    for name, provider in ENTRIES
    if (provider, resources.products()[name].providers[provider].collection) not in UNSEEN
]
OFFSETS = {
    ("sentinel-2-l2a", "earth-search"): 0.0,
    ("sentinel-2-l2a", "planetary-computer"): -0.1,
    ("sentinel-2-c1-l2a", "earth-search"): -0.1,
    ("sentinel-2-l1c", "earth-search"): -0.1,
}
"""Of the items' pixels: all are of a baseline since 04.00, and one archive took the offset out."""


def looked_up(
    name: str, provider: str, tables: dict[str, Product], items: Items
) -> tuple[Product, ProviderEntry, dict[str, Any]]:
    product = tables[name]
    entry = product.providers[provider]
    return product, entry, items[provider, entry.collection]


def files_of(
    product: Product, entry: ProviderEntry, item: dict[str, Any]
) -> Iterator[tuple[BandEntry, dict[str, Any]]]:
    """Yield each band with its asset; a radar item has only the bands of its polarisations."""
    has = item["properties"].get("sar:polarizations")
    for band in product.bands:
        if has is None or band.name.upper() in has:
            yield band, item["assets"][entry.assets.get(band.name, band.name)]


def raster_of(asset: dict[str, Any]) -> dict[str, Any]:
    (raster,) = asset.get("raster:bands", [{}])
    return dict(raster)


@pytest.mark.parametrize(("name", "provider"), ENTRIES)
def test_entry_then_there_is_a_real_item_or_it_is_said_that_there_is_none(
    name: str, provider: str, tables: dict[str, Product], real_items: Items
) -> None:
    pair = (provider, tables[name].providers[provider].collection)
    assert (pair in real_items) != (pair in UNSEEN)


@pytest.mark.parametrize("name", resources.products())
def test_product_then_its_providers_stand_in_the_order_of_preference(
    name: str, tables: dict[str, Product]
) -> None:
    told = tuple(tables[name].providers)
    assert told == tuple(provider for provider in ORDER if provider in told)


@pytest.mark.parametrize(("name", "provider"), SEEN)
def test_band_then_the_real_item_has_its_asset_and_that_asset_is_the_band(
    name: str, provider: str, tables: dict[str, Product], real_items: Items
) -> None:
    product, entry, item = looked_up(name, provider, tables, real_items)
    assert item["collection"] == entry.collection
    found = list(files_of(product, entry, item))
    assert found
    for band, asset in found:
        for told in asset.get("eo:bands", []):
            assert band.name in (told["name"], told.get("common_name"))


@pytest.mark.parametrize(("name", "provider"), SEEN)
def test_band_then_type_nodata_and_scale_are_those_of_the_real_item(
    name: str, provider: str, tables: dict[str, Product], real_items: Items
) -> None:
    product, entry, item = looked_up(name, provider, tables, real_items)
    for band, asset in files_of(product, entry, item):
        raster = raster_of(asset)
        assert raster.get("data_type", band.dtype) == band.dtype
        assert raster.get("nodata", band.nodata) == band.nodata
        assert raster.get("scale", band.scale) == band.scale
        if not product.states_offset:
            assert raster.get("offset", band.offset) == band.offset


@pytest.mark.parametrize(("name", "provider"), SEEN)
def test_band_then_its_gsd_is_that_of_the_real_item(
    name: str, provider: str, tables: dict[str, Product], real_items: Items
) -> None:
    product, entry, item = looked_up(name, provider, tables, real_items)
    told = item["properties"]
    spacing = told.get("gsd") or told.get("sar:pixel_spacing_range")
    for band, asset in files_of(product, entry, item):
        assert band.gsd == raster_of(asset).get("spatial_resolution", asset.get("gsd", spacing))


@pytest.mark.parametrize(("name", "provider"), OFFSETS)
def test_sentinel_2_then_the_rule_of_the_entry_finds_what_the_pixels_hold(
    name: str, provider: str, tables: dict[str, Product], real_items: Items
) -> None:
    product, entry, item = looked_up(name, provider, tables, real_items)
    record = item_of(item, entry.collection, lambda _, fields: str(fields["href"]), entry.offset)
    for band in product.select("all"):
        asset = record.assets[entry.assets.get(band.name, band.name)]
        assert (asset.scale, asset.offset) == (band.scale, OFFSETS[name, provider])


def test_sentinel_2_then_every_seen_entry_is_checked_and_no_other_product_has_a_rule(
    tables: dict[str, Product],
) -> None:
    assert set(OFFSETS) == {(n, p) for n, p in SEEN if tables[n].states_offset}
    for product in tables.values():
        rules = {entry.offset for entry in product.providers.values()}
        assert product.states_offset or rules <= {"stated"}


@pytest.mark.parametrize(("name", "provider"), SEEN)
def test_entry_then_the_reader_pays_for_files_in_an_object_store_of_aws_alone(
    name: str, provider: str, tables: dict[str, Product], real_items: Items
) -> None:
    product, entry, item = looked_up(name, provider, tables, real_items)
    in_bucket = {asset["href"].startswith("s3://") for _, asset in files_of(product, entry, item)}
    assert in_bucket == {entry.requester_pays}
    assert item["properties"].get("storage:requester_pays", entry.requester_pays) in in_bucket


def test_io_lulc_then_its_legend_is_that_of_the_real_item(
    tables: dict[str, Product], real_items: Items
) -> None:
    (band,) = tables["io-lulc"].bands
    told = real_items["planetary-computer", "io-lulc-annual-v02"]["assets"]["data"]["file:values"]
    legend = {value: entry["summary"].lower() for entry in told for value in entry["values"]}
    assert legend.pop(band.nodata) == "no data"
    assert {c.value: c.name for c in band.classes} == legend


def test_landsat_then_the_nodata_of_quality_is_its_bit_of_fill(
    tables: dict[str, Product], real_items: Items
) -> None:
    item = real_items["planetary-computer", "landsat-c2-l2"]
    bits = {
        field["name"]: field for field in item["assets"]["qa_pixel"]["classification:bitfields"]
    }
    assert tables["landsat-c2-l2"].band("qa_pixel").nodata == 2 ** bits["fill"]["offset"]


@pytest.mark.parametrize("provider", ["earth-search", "planetary-computer", "cdse"])
def test_grd_then_uncalibrated_amplitudes_are_a_product_of_their_own_placed_by_points(
    provider: str, tables: dict[str, Product]
) -> None:
    asked, real = tables["sentinel-1-grd"], tables["sentinel-1-grd-dn"]
    assert asked.providers[provider].radiometry == real.radiometry != asked.radiometry
    assert asked.providers[provider].collection == real.providers[provider].collection
    assert real.providers[provider].placed_by == "points"
