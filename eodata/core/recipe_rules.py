"""What a recipe may say about products: the rules that need the product tables. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from eodata.core.errors import RecipeError, nearest
from eodata.core.grid import check_nesting
from eodata.core.product import BandEntry, Product
from eodata.core.recipe import Choose, ClassMask, Recipe, SourceModality


def check_recipe(recipe: Recipe, products: Mapping[str, Product]) -> None:
    """Refuse a recipe that no archive could fulfil.

    Args:
        recipe: A parsed recipe.
        products: All product tables by id.

    Raises:
        RecipeError: A product, band, modality or rule does not exist, or rules contradict.
        GridError: Pixels would not end where patches end.
    """
    for name, modality in recipe.modalities.items():
        if isinstance(modality, SourceModality):
            _check_source(recipe, name, modality, products)
        else:
            _check_class_mask(recipe, name, modality, products)
    _check_anchor(recipe, products)
    _check_references(recipe, products)
    check_nesting(recipe.area.patch, recipe.area.stride_m, gsds(recipe, products))
    _check_chunk(recipe, products)
    _check_cell(recipe)


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
    while isinstance(modality, ClassMask):
        target = modality.from_
        if target not in recipe.modalities or target in seen:
            known = set(recipe.modalities) - set(seen)
            raise RecipeError(
                f"modalities.{seen[-1]}.from",
                f'"{target}" is no other modality of this recipe',
                "a derived modality is computed from one that is read.",
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


def _check_class_mask(
    recipe: Recipe, name: str, modality: ClassMask, products: Mapping[str, Product]
) -> None:
    source = source_of(recipe, name)
    if source is not recipe.modalities[modality.from_]:
        readable = [n for n, m in recipe.modalities.items() if isinstance(m, SourceModality)]
        raise RecipeError(
            f"modalities.{name}.from",
            f'"{modality.from_}" is a class mask itself',
            "a derived modality is computed from one that is read.",
            nearest(modality.from_, readable),
        )
    bands = products[product_of(recipe, name, products).id].select(source.bands)
    if len(bands) != 1 or bands[0].kind != "categorical":
        raise RecipeError(
            f"modalities.{name}.from",
            f'"{modality.from_}" has the bands {", ".join(b.name for b in bands)}',
            "a class mask is made from exactly one categorical band.",
            "Add a modality with only the class band, and name it here.",
        )
    legend = {c.value for c in bands[0].classes}
    unknown = [value for value in modality.classes if legend and value not in legend]
    if unknown:
        raise RecipeError(
            f"modalities.{name}.classes",
            f"{unknown[0]} is no class of {bands[0].name}",
            "",
            f"Known: {', '.join(f'{c.value} {c.name}' for c in bands[0].classes)}.",
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
        if isinstance(modality, ClassMask):
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
        and not (m.follow or m.pair)
        and n in eligible
        and n != name
    ]
    if target not in free:
        raise RecipeError(
            f"modalities.{name}.{key}",
            f'"{target}" cannot lead {name}',
            "only a modality that chooses its own dates can.",
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
