"""What a recipe means once the product tables are known: products, bands, pixel sizes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.derivation import Derived
from eodata.core.errors import RecipeError, nearest
from eodata.core.product import BandEntry, Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality


def product_of(recipe: Recipe, name: str, products: Mapping[str, Product]) -> Product:
    """Return the product of a source modality, or of the source of a derived one.

    Raises:
        RecipeError: There is no such product.
    """
    modality = source_of(recipe, name)
    if modality.product not in products:
        raise RecipeError(
            f"modalities.{name}.product",
            f'there is no product "{modality.product}"',
            "",
            nearest(modality.product, products),
        )
    return products[modality.product]


def source_of(recipe: Recipe, name: str) -> SourceModality:
    """Return the source modality behind `name`, following derivations.

    Raises:
        RecipeError: A derived modality names one that does not exist, or itself.
    """
    seen = [name]
    modality = recipe.modalities[name]
    while isinstance(modality, Derived):
        target = modality.from_
        if target not in recipe.modalities or target in seen:
            known = set(recipe.modalities) - set(seen)
            raise RecipeError(
                f"modalities.{seen[-1]}.from",
                f'"{target}" is no other modality of this recipe',
                "a derived modality is computed from another, in the end from one that is read.",
                nearest(target, known),
            )
        seen.append(target)
        modality = recipe.modalities[target]
    return modality


def bands_of(recipe: Recipe, name: str, products: Mapping[str, Product]) -> tuple[BandEntry, ...]:
    """Return the bands that a source modality stores, in order."""
    return product_of(recipe, name, products).select(source_of(recipe, name).bands)


def gsd_of(recipe: Recipe, name: str, products: Mapping[str, Product]) -> float:
    """Return the pixel size of a modality [m]; a derived one has that of its source."""
    return source_of(recipe, name).gsd or min(b.gsd for b in bands_of(recipe, name, products))


def gsds(recipe: Recipe, products: Mapping[str, Product]) -> dict[str, float]:
    """Return the pixel size of every modality [m]."""
    return {name: gsd_of(recipe, name, products) for name in recipe.modalities}


def is_static(recipe: Recipe, name: str, products: Mapping[str, Product]) -> bool:
    """Return True for layers without a time axis of their own."""
    return product_of(recipe, name, products).temporal == "static"
