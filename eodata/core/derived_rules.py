"""The rules for derived modalities, composites and labels: what each may be computed from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.band import Kind
from eodata.core.composite import SchmittComposite
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
    Stretch,
    Threshold,
)
from eodata.core.errors import RecipeError, nearest
from eodata.core.product import BandEntry, Product
from eodata.core.recipe import Recipe
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
    for name, modality in recipe.modalities.items():
        if isinstance(modality, Derived):
            source_of(recipe, name)  # refuses circles and names that do not exist
            _check_one(recipe, name, modality, products, schemes)
    for name, label in recipe.labels.items():
        where = f"labels.{name}"
        readable = [n for n in recipe.modalities if is_static(recipe, n, products)]
        if label.from_ not in readable:
            raise RecipeError(
                f"{where}.from",
                f'"{label.from_}" is no static modality of this recipe',
                "labels tell of a sample as a whole, so they come from a layer without dates.",
                nearest(label.from_, readable),
            )
        _check_classes(recipe, f"{where}.from", label.from_, products)
        if label.scheme:
            check_scheme(recipe, where, label.from_, label.scheme, products, schemes)


def layers_of(
    recipe: Recipe, name: str, products: Mapping[str, Product]
) -> tuple[tuple[str, Kind], ...]:
    """Return name and kind of every band that a modality stores, derived ones included."""
    modality = recipe.modalities[name]
    if isinstance(modality, SourceModality):
        return tuple((band.name, band.kind) for band in bands_of(recipe, name, products))
    if isinstance(modality, Stretch):
        return layers_of(recipe, modality.from_, products)
    counted = isinstance(modality, S2Cloudless | CloudScore)
    return ((name, "continuous" if counted else "categorical"),)


def check_scheme(
    recipe: Recipe,
    where: str,
    source: str,
    scheme: str,
    products: Mapping[str, Product],
    schemes: Mapping[str, Scheme],
) -> None:
    """Refuse a scheme that does not exist, or is made for another legend.

    Raises:
        RecipeError: With those that fit.
    """
    legend = _legend(recipe, source, products)
    fitting = [table.id for table in schemes.values() if table.source == legend]
    if scheme not in fitting:
        known = scheme in schemes
        found = f"{scheme} is made for {schemes[scheme].source}" if known else f'no "{scheme}"'
        raise RecipeError(
            f"{where}.scheme",
            found,
            f"{source} holds {legend}.",
            nearest(scheme, fitting) if fitting else "No scheme takes it; leave the key out.",
        )


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
    classes = [band for band in product.select(modality.bands) if band.kind != "continuous"]
    if modality.composite.by == "median" and classes:
        raise RecipeError(
            f"{where}.by",
            f"a median of the classes of {classes[0].name}",
            "classes have no order.",
            "Use latest-on-top, or leave the band out.",
        )


def _check_one(
    recipe: Recipe,
    name: str,
    modality: Derived,
    products: Mapping[str, Product],
    schemes: Mapping[str, Scheme],
) -> None:
    where, source = f"modalities.{name}.from", modality.from_
    needed = SPECTRAL.get(type(modality))
    if needed is not None:
        bands = _read_bands(recipe, source, products)
        _check_spectral(where, product_of(recipe, source, products), bands, needed, modality.derive)
    elif isinstance(modality, ClassMask | ClassMap):
        _check_classes(recipe, where, source, products)
        if isinstance(modality, ClassMask):
            _check_legend(recipe, name, modality, products, schemes)
        else:
            check_scheme(recipe, f"modalities.{name}", source, modality.scheme, products, schemes)
    else:
        single = isinstance(modality, Threshold)
        _check_numbers(where, source, layers_of(recipe, source, products), single=single)


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


def _check_classes(
    recipe: Recipe, where: str, source: str, products: Mapping[str, Product]
) -> None:
    if isinstance(recipe.modalities[source], ClassMask | CloudShadowRules | Threshold):
        legends = [n for n, m in recipe.modalities.items() if isinstance(m, SourceModality)]
        raise RecipeError(
            where,
            f'"{source}" is a 0/1 layer itself',
            "there are no classes to choose among.",
            nearest(source, legends),
        )
    layers = layers_of(recipe, source, products)
    if len(layers) != 1 or layers[0][1] != "categorical":
        raise RecipeError(
            where,
            f'"{source}" has the bands {", ".join(name for name, _ in layers)}',
            "it takes exactly one categorical band.",
            "Add a modality with only the class band, and name it here.",
        )


def _check_numbers(
    where: str, source: str, layers: tuple[tuple[str, Kind], ...], *, single: bool
) -> None:
    classes = [name for name, kind in layers if kind != "continuous"]
    if classes or (single and len(layers) > 1):
        raise RecipeError(
            where,
            f'"{source}" has the bands {", ".join(name for name, _ in layers)}',
            "it takes exactly one band of numbers." if single else "classes are no numbers.",
            "Name a modality with only such bands.",
        )


def _legend(recipe: Recipe, name: str, products: Mapping[str, Product]) -> str:
    """Return `PRODUCT.BAND` of a class layer, or the scheme that a derived one has."""
    modality = recipe.modalities[name]
    if isinstance(modality, ClassMap):
        return modality.scheme
    if isinstance(modality, SourceModality):
        return f"{modality.product}.{bands_of(recipe, name, products)[0].name}"
    return "0 and 1"


def _check_legend(
    recipe: Recipe,
    name: str,
    modality: ClassMask,
    products: Mapping[str, Product],
    schemes: Mapping[str, Scheme],
) -> None:
    source = recipe.modalities[modality.from_]
    if isinstance(source, SourceModality):
        entries = bands_of(recipe, modality.from_, products)[0].classes
    elif isinstance(source, ClassMap) and source.scheme in schemes:
        entries = schemes[source.scheme].classes
    else:
        entries = ()
    known = {entry.value for entry in entries}
    unknown = [value for value in modality.classes if known and value not in known]
    if unknown:
        raise RecipeError(
            f"modalities.{name}.classes",
            f"{unknown[0]} is no class of {modality.from_}",
            "",
            f"Known: {', '.join(f'{c.value} {c.name}' for c in entries)}.",
        )
