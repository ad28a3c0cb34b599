"""What a recipe may say about products: the rules that need the product tables. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from eodata.core.coregistration_rules import check_coregistration
from eodata.core.derived_rules import check_composite, check_derived
from eodata.core.errors import RecipeError, nearest
from eodata.core.grid import check_nesting
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import Choose, SourceModality
from eodata.core.recipe_queries import bands_of, gsd_of, gsds, is_static, product_of, source_of
from eodata.core.scheme import Scheme


def check_recipe(
    recipe: Recipe, products: Mapping[str, Product], schemes: Mapping[str, Scheme]
) -> None:
    """Refuse a recipe that no archive could fulfil.

    Args:
        recipe: A parsed recipe.
        products: All product tables by id.
        schemes: All tables of schemes by id.

    Raises:
        RecipeError: A product, band, modality or rule does not exist, or rules contradict.
        GridError: Pixels would not end where patches end.
    """
    for name, modality in recipe.modalities.items():
        if isinstance(modality, SourceModality):
            _check_source(recipe, name, modality, products)
            check_composite(name, modality, product_of(recipe, name, products))
    check_derived(recipe, products, schemes)
    _check_anchor(recipe, products)
    _check_references(recipe, products)
    check_coregistration(recipe, products)
    check_nesting(recipe.area.patch, recipe.area.stride_m, gsds(recipe, products))
    _check_chunk(recipe, products)
    _check_cell(recipe)


def _check_source(
    recipe: Recipe, name: str, modality: SourceModality, products: Mapping[str, Product]
) -> None:
    product = product_of(recipe, name, products)
    bands = bands_of(recipe, name, products)
    gsd = gsd_of(recipe, name, products)
    if product.temporal == "static" and modality.choose != Choose():
        raise RecipeError(
            f"modalities.{name}.choose",
            f"{product.id} is a static layer",
            "it has no dates to choose among; all its items are laid over each other.",
            "Remove choose.",
        )
    if modality.valid != "measured" and modality.valid not in product.validity:
        raise RecipeError(
            f"modalities.{name}.valid",
            f'{product.id} has no validity rule "{modality.valid}"',
            "",
            nearest(modality.valid, {"measured", *product.validity}),
        )
    for band in bands:
        coarser = gsd > band.gsd
        if band.kind == "continuous" or modality.resampling in (None, "mode"):
            continue
        if coarser or modality.resampling != "nearest":
            raise RecipeError(
                f"modalities.{name}.resampling",
                f'"{modality.resampling}" for the class band {band.name} '
                f"from {band.gsd:g} m to {gsd:g} m",
                "classes cannot be averaged, and nearest moves a class map by half a source pixel "
                "when it gets coarser.",
                "Use mode, or leave the key out.",
            )


def _check_anchor(recipe: Recipe, products: Mapping[str, Product]) -> None:
    anchors = [n for n, m in recipe.modalities.items() if getattr(m, "anchor", False)]
    if len(anchors) > 1:
        raise RecipeError(
            f"modalities.{anchors[1]}.anchor",
            f"{' and '.join(anchors)} are both anchors",
            "one modality leads the choice of dates.",
            f"Remove anchor from all but one, for example keep it on {anchors[0]}.",
        )
    if anchors and is_static(recipe, anchors[0], products):
        raise RecipeError(
            f"modalities.{anchors[0]}.anchor",
            "a static layer is the anchor",
            "it has no dates that could lead.",
            "Put anchor: true on a modality with a time series.",
        )


def _check_references(recipe: Recipe, products: Mapping[str, Product]) -> None:
    for name, modality in recipe.modalities.items():
        if not isinstance(modality, SourceModality):
            continue
        if modality.pair is not None:
            dated = [n for n in recipe.modalities if not is_static(recipe, n, products)]
            _check_dates(name, dated)
            _check_leader(recipe, name, "pair.with", modality.pair.with_, dated)
        if modality.follow is not None:
            _check_leader(recipe, name, "follow", modality.follow, recipe.modalities)
            _check_same_items(recipe, name, modality, modality.follow)


def _check_leader(
    recipe: Recipe, name: str, key: str, target: str, eligible: Collection[str]
) -> None:
    free = [
        n
        for n, m in recipe.modalities.items()
        if isinstance(m, SourceModality)
        and not (m.follow or m.pair or m.composite)
        and n in eligible
        and n != name
    ]
    if target not in free:
        raise RecipeError(
            f"modalities.{name}.{key}",
            f'"{target}" cannot lead {name}',
            "only a modality that chooses its own dates, one acquisition per step, can.",
            nearest(target, free),
        )


def _check_dates(name: str, dated: Collection[str]) -> None:
    if name not in dated:
        raise RecipeError(
            f"modalities.{name}.pair",
            f"{name} is a static layer",
            "a pair is close in time, so both sides need dates.",
            f"Remove pair from {name}.",
        )


def _check_same_items(recipe: Recipe, name: str, modality: SourceModality, target: str) -> None:
    other = source_of(recipe, target)
    if other.product != modality.product:
        raise RecipeError(
            f"modalities.{name}.follow",
            f"{name} reads {modality.product}, {target} reads {other.product}",
            "following means reading other bands of the very same items.",
            "Use pair: {with: …, within: …} across products.",
        )
    if modality.provider not in (None, other.provider):
        raise RecipeError(
            f"modalities.{name}.provider",
            f"{name} reads from {modality.provider}, {target} from {other.provider or 'any'}",
            "following means reading other bands of the very same items.",
            f"Name the provider of {target} alone.",
        )


def _check_chunk(recipe: Recipe, products: Mapping[str, Product]) -> None:
    edge = recipe.store.chunk
    if edge is None:
        return
    for name, gsd in gsds(recipe, products).items():
        pixels = round(recipe.area.patch / gsd)
        if pixels % edge and edge < pixels:
            raise RecipeError(
                "store.chunk",
                f"{edge} px does not divide the {pixels} px of {name}",
                "a patch must be a whole number of chunks.",
                f"Use a divisor of {pixels}, or leave the key out to store whole patches.",
            )


def _check_cell(recipe: Recipe) -> None:
    split = recipe.split
    if split is None or split.cell is None:
        return
    stride = recipe.area.stride_m
    if split.cell < stride or abs(split.cell / stride - round(split.cell / stride)) > 1e-6:
        nearest_multiple = max(1, round(split.cell / stride)) * stride
        raise RecipeError(
            "split.cell",
            f"{split.cell:g} m is no multiple of the stride of {stride:g} m",
            "a cell holds whole patches.",
            f"Use {nearest_multiple:g}.",
        )
