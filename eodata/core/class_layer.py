"""One class band of a modality: which classes it holds, and what may be made of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eodata.core.band import Kind
from eodata.core.derivation import (
    MASKS,
    ClassMap,
    CloudScore,
    Derived,
    S2Cloudless,
    Stretch,
)
from eodata.core.errors import RecipeError, nearest
from eodata.core.product import ClassEntry, Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import bands_of
from eodata.core.scheme import Scheme


@dataclass(frozen=True, slots=True)
class Tables:
    """All that rules look things up in.

    Attributes:
        recipe: A parsed recipe.
        products: All product tables by id.
        schemes: All tables of schemes by id.
    """

    recipe: Recipe
    products: Mapping[str, Product]
    schemes: Mapping[str, Scheme]


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of a modality.

    Attributes:
        name: Of the band.
        kind: What may be done with its numbers.
        legend: Which classes it holds: `PRODUCT.BAND` or the name of a scheme; `""` for numbers.
        classes: The classes, none where no table has them.
    """

    name: str
    kind: Kind
    legend: str = ""
    classes: tuple[ClassEntry, ...] = ()


def layers_of(tables: Tables, name: str) -> tuple[Layer, ...]:
    """Return every band that a modality stores, derived ones included, in order."""
    modality = tables.recipe.modalities[name]
    if isinstance(modality, SourceModality):
        bands = bands_of(tables.recipe, name, tables.products)
        return tuple(
            Layer(b.name, b.kind, f"{modality.product}.{b.name}" if b.classes else "", b.classes)
            for b in bands
        )
    if isinstance(modality, Stretch):
        return tuple(Layer(b.name, "continuous") for b in layers_of(tables, modality.from_))
    if isinstance(modality, S2Cloudless | CloudScore):
        return (Layer(name, "continuous"),)
    if isinstance(modality, ClassMap) and modality.scheme in tables.schemes:
        scheme = tables.schemes[modality.scheme]
        return (Layer(name, "categorical", scheme.id, scheme.classes),)
    return (Layer(name, "categorical"),)


def take_layer(tables: Tables, where: str, source: str, band: str, kind: Kind) -> int:
    """Return the position of the one band that something is computed from.

    Args:
        tables: Where to look things up.
        where: Address of the one who asks, without the key.
        source: A modality of the recipe.
        band: Its band, or `""` for the only one of its kind.
        kind: What it must be.

    Raises:
        RecipeError: There is no such band, more than one without a name, or of another kind.
    """
    layers = layers_of(tables, source)
    fitting = [layer.name for layer in layers if layer.kind == kind]
    if band and band not in fitting:
        raise RecipeError(
            f"{where}.band",
            f'{source} has no {kind} band "{band}"',
            "",
            nearest(band, fitting),
        )
    if not band and len(fitting) != 1:
        names = ", ".join(layer.name for layer in layers)
        raise RecipeError(
            f"{where}.from",
            f'"{source}" has the bands {names}',
            f"it takes exactly one {kind} band.",
            f"Name it: band: {fitting[0]}." if fitting else "Name a modality that has one.",
        )
    wanted = band or fitting[0]
    return next(i for i, layer in enumerate(layers) if layer.name == wanted)


def take_classes(tables: Tables, where: str, source: str, band: str) -> Layer:
    """Return the one class band that something is computed from.

    Raises:
        RecipeError: As `take_layer`, or it is a mask: there are no classes to choose among.
    """
    modality = tables.recipe.modalities[source]
    if isinstance(modality, Derived) and isinstance(modality, MASKS):
        legends = [n for n, m in tables.recipe.modalities.items() if isinstance(m, SourceModality)]
        raise RecipeError(
            f"{where}.from",
            f'"{source}" is a 0/1 layer itself',
            "there are no classes to choose among.",
            nearest(source, legends),
        )
    return layers_of(tables, source)[take_layer(tables, where, source, band, "categorical")]


def check_scheme(tables: Tables, where: str, layer: Layer, scheme: str) -> None:
    """Refuse a scheme that does not exist, or is made for another legend.

    Raises:
        RecipeError: With those that fit.
    """
    fitting = [table.id for table in tables.schemes.values() if table.source == layer.legend]
    if scheme in fitting:
        return
    known = tables.schemes.get(scheme)
    raise RecipeError(
        f"{where}.scheme",
        f"{scheme} is made for {known.source}" if known else f'there is no "{scheme}"',
        f"{layer.name} holds {layer.legend or 'classes without a legend'}.",
        nearest(scheme, fitting) if fitting else "No scheme takes it; leave the key out.",
    )
