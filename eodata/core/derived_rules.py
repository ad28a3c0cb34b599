"""The rules for derived modalities, composites and labels: what each may be computed from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.class_layer import (
    Layer,
    Tables,
    check_scheme,
    layers_of,
    take_classes,
    take_layer,
)
from eodata.core.composite import HighestComposite, SchmittComposite
from eodata.core.derivation import (
    RULE_BANDS,
    S2_CLOUDLESS_BANDS,
    SCHMITT_BANDS,
    ClassMap,
    ClassMask,
    CloudScore,
    CloudShadowRules,
    Derived,
    S2Cloudless,
    Threshold,
)
from eodata.core.errors import RecipeError, nearest
from eodata.core.product import BandEntry, Product
from eodata.core.recipe import LabelSpec, Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import bands_of, is_static, product_of, source_of
from eodata.core.scheme import Scheme

GUIDE_BANDS = (*SCHMITT_BANDS[:5], "B10", "B11", "B12")
"""What a composite by Schmitt et al. 2019 reads to tell clouds and shadows from ground."""
TOA = "toa-reflectance"
SPECTRAL = {
    S2Cloudless: S2_CLOUDLESS_BANDS,
    CloudScore: SCHMITT_BANDS,
    CloudShadowRules: RULE_BANDS,
}
"""Derivations from Sentinel-2 L1C, with the bands that they need."""


def check_derived(
    recipe: Recipe, products: Mapping[str, Product], schemes: Mapping[str, Scheme]
) -> None:
    """Refuse derived modalities and labels whose source cannot feed them.

    Raises:
        RecipeError: With what would.
    """
    tables = Tables(recipe, products, schemes)
    for name, modality in recipe.modalities.items():
        if isinstance(modality, Derived):
            source_of(recipe, name)  # refuses circles and names that do not exist
            _check_one(tables, f"modalities.{name}", modality)
    for name, label in recipe.labels.items():
        _check_label(tables, f"labels.{name}", label)


def check_composite(name: str, modality: SourceModality, product: Product) -> None:
    """Refuse a composite that the product cannot feed.

    Raises:
        RecipeError: With what would.
    """
    if modality.composite is None:
        return
    where = f"modalities.{name}.composite"
    if product.temporal == "static":
        raise RecipeError(
            where,
            f"{product.id} is a static layer",
            "its items are laid over each other anyway.",
            "Remove composite.",
        )
    if isinstance(modality.composite, SchmittComposite):
        _check_spectral(where, product, product.bands, GUIDE_BANDS, "schmitt-2019")
    bands = product.select(modality.bands)
    if isinstance(modality.composite, HighestComposite):
        _check_ranked(f"{where}.band", modality.composite.band, bands)
    classes = [band for band in bands if band.kind != "continuous"]
    if modality.composite.by == "median" and classes:
        raise RecipeError(
            f"{where}.by",
            f"a median of the classes of {classes[0].name}",
            "classes have no order.",
            "Use latest-on-top, or leave the band out.",
        )


def _check_ranked(where: str, wanted: str, bands: tuple[BandEntry, ...]) -> None:
    """Refuse a band that no acquisition could be the highest in."""
    kinds = {band.name: band.kind for band in bands}
    numbers = [name for name, kind in kinds.items() if kind == "continuous"]
    if wanted in numbers:
        return
    is_class = wanted in kinds
    raise RecipeError(
        where,
        f"{wanted} holds classes" if is_class else f'the modality stores no band "{wanted}"',
        "classes have no order." if is_class else "pixels are compared by what is stored.",
        nearest(wanted, numbers) if numbers else "Store a band of numbers, or use latest-on-top.",
    )


def _check_one(tables: Tables, where: str, modality: Derived) -> None:
    source, needed = modality.from_, SPECTRAL.get(type(modality))
    if needed is not None:
        product = product_of(tables.recipe, source, tables.products)
        bands = _read_bands(tables.recipe, source, tables.products)
        _check_spectral(f"{where}.from", product, bands, needed, modality.derive)
    elif isinstance(modality, ClassMask):
        _check_legend(where, modality, take_classes(tables, where, source, modality.band))
    elif isinstance(modality, ClassMap):
        layer = take_classes(tables, where, source, modality.band)
        check_scheme(tables, where, layer, modality.scheme)
    elif isinstance(modality, Threshold):
        take_layer(tables, where, source, modality.band, "continuous")
    else:
        _check_numbers(where, source, layers_of(tables, source))


def _check_label(tables: Tables, where: str, label: LabelSpec) -> None:
    recipe = tables.recipe
    readable = [n for n in recipe.modalities if is_static(recipe, n, tables.products)]
    if label.from_ not in readable:
        raise RecipeError(
            f"{where}.from",
            f'"{label.from_}" is no static modality of this recipe',
            "labels tell of a sample as a whole, so they come from a layer without dates.",
            nearest(label.from_, readable),
        )
    layer = take_classes(tables, where, label.from_, label.band)
    if label.scheme:
        check_scheme(tables, where, layer, label.scheme)
    elif not layer.classes:
        raise RecipeError(
            f"{where}.from",
            f"the class band {layer.name} of {label.from_} has no legend",
            "labels have one column per class.",
            "Name a scheme that has a legend, or another band.",
        )


def _read_bands(
    recipe: Recipe, source: str, products: Mapping[str, Product]
) -> tuple[BandEntry, ...]:
    """Return the bands that a modality reads; none for a derived one."""
    read = isinstance(recipe.modalities[source], SourceModality)
    return bands_of(recipe, source, products) if read else ()


def _check_spectral(
    where: str,
    product: Product,
    bands: tuple[BandEntry, ...],
    needed: tuple[str, ...],
    method: str,
) -> None:
    missing = [band for band in needed if band not in {b.name for b in bands}]
    if product.radiometry == TOA and not missing:
        return
    found = f"it holds {product.id}"
    raise RecipeError(
        where,
        f"{found} without {', '.join(missing)}" if missing else found,
        f"{method} needs top-of-atmosphere reflectance of {', '.join(needed)}.",
        "Take a modality of sentinel-2-l1c with these bands.",
    )


def _check_numbers(where: str, source: str, layers: tuple[Layer, ...]) -> None:
    classes = [layer.name for layer in layers if layer.kind != "continuous"]
    if classes:
        raise RecipeError(
            f"{where}.from",
            f'"{source}" has the class band {classes[0]}',
            "classes are no numbers.",
            "Name a modality with numbers only.",
        )


def _check_legend(where: str, modality: ClassMask, layer: Layer) -> None:
    known = {entry.value for entry in layer.classes}
    unknown = [value for value in modality.classes if known and value not in known]
    if unknown:
        raise RecipeError(
            f"{where}.classes",
            f"{unknown[0]} is no class of {layer.name}",
            "",
            f"Known: {', '.join(f'{c.value} {c.name}' for c in layer.classes)}.",
        )
