"""The rules for co-registration: what may be moved onto what. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.coregistration import CoregisterSpec, nests, sight_of
from eodata.core.errors import RecipeError, nearest
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import bands_of, gsd_of, is_static, source_of

Products = Mapping[str, Product]


def check_coregistration(recipe: Recipe, products: Products) -> None:
    """Refuse references that do not exist, or that cannot be compared with what is to be moved.

    Raises:
        RecipeError: With what would do.
    """
    for name, modality in recipe.modalities.items():
        if not isinstance(modality, SourceModality):
            continue
        if modality.coregister_bands:
            _check_bands(recipe, name, modality, products)
        if modality.coregister_to is not None:
            _check_reference(recipe, name, modality.coregister_to, products)
    _check_circles(recipe)


def _check_bands(recipe: Recipe, name: str, modality: SourceModality, products: Products) -> None:
    numbers = [band.name for band in bands_of(recipe, name, products) if band.kind == "continuous"]
    wanted = modality.coregister_bands
    if wanted not in numbers:
        raise RecipeError(
            f"modalities.{name}.coregister_bands",
            f'the modality stores no band of numbers "{wanted}"',
            "bands are moved onto one of their own.",
            nearest(wanted, numbers),
        )
    if modality.composite is not None:
        raise RecipeError(
            f"modalities.{name}.coregister_bands",
            "the modality is a composite",
            "bands are compared within one acquisition.",
            "Remove one of the two.",
        )


def _check_reference(recipe: Recipe, name: str, spec: CoregisterSpec, products: Products) -> None:
    where, to = f"modalities.{name}.coregister_to", spec.modality or name
    eligible = {
        n: sight_of(bands_of(recipe, n, products))
        for n, m in recipe.modalities.items()
        if isinstance(m, SourceModality) and m.follow is None
    }
    shown = [n for n, sight in eligible.items() if sight]
    if to not in shown or name not in shown:
        told = to if name in shown else name
        raise RecipeError(
            where,
            f'"{told}" cannot be compared' if told in recipe.modalities else f'no "{told}"',
            "places are compared by reflectance, radar backscatter or classes that are read.",
            nearest(told, shown) if shown and told == to else "Remove the key.",
        )
    if eligible[to] == eligible[name] == "classes":
        raise RecipeError(
            where,
            f"{name} and {to} both hold classes",
            "legends differ, so class maps are compared with images.",
            "Name a modality of numbers.",
        )
    _check_step(recipe, where, name, spec, products)
    own, other = gsd_of(recipe, name, products), gsd_of(recipe, to, products)
    if not nests(own, other):
        raise RecipeError(
            where,
            f"{own:g} m and {other:g} m",
            "pixels of the one are no whole groups of the other's.",
            f"Give one of them a gsd that divides the other, for example {max(own, other):g}.",
        )


def _check_step(
    recipe: Recipe, where: str, name: str, spec: CoregisterSpec, products: Products
) -> None:
    to = spec.modality or name
    steps = 1 if is_static(recipe, to, products) else recipe.time.steps
    if to == name and source_of(recipe, name).composite is not None:
        raise RecipeError(
            where,
            f"{name} is a composite",
            "the acquisitions that make its own reference would not be moved.",
            "Name another modality.",
        )
    if steps == 1 and to == name:
        raise RecipeError(
            where,
            f"{name} has one step",
            "there is nothing else to move it onto.",
            "Name another modality.",
        )
    if spec.step is not None and spec.step >= steps:
        raise RecipeError(
            f"{where}.step",
            f"{spec.step}",
            f"{to} has the steps 0 to {steps - 1}.",
            f"Use {steps - 1}, or leave it out for the clearest.",
        )


def _check_circles(recipe: Recipe) -> None:
    for name in recipe.modalities:
        seen, at = [name], _moved_onto(recipe, name)
        while at and at not in seen:
            seen.append(at)
            at = _moved_onto(recipe, at)
        if at:
            raise RecipeError(
                f"modalities.{name}.coregister_to",
                " → ".join([*seen, at]),
                "in a circle nothing stands still.",
                f"Remove coregister_to from {at}.",
            )


def _moved_onto(recipe: Recipe, name: str) -> str:
    """Return the other modality that one is moved onto, `""` for none."""
    spec = getattr(recipe.modalities.get(name), "coregister_to", None)
    to = spec.modality if spec else ""
    return to if to != name else ""
