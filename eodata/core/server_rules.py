"""The rules for work that is left to an archive, composites and warps: who can, of what. Pure."""

from __future__ import annotations

from collections.abc import Collection

from eodata.core.composite import SchmittComposite
from eodata.core.errors import RecipeError
from eodata.core.product import BandEntry, Product
from eodata.core.recipe_modality import SourceModality

MOST_PER_SIDE = 256
"""Pixels of a band along each side of one pixel of the modality; the server combines no more."""


def check_server_composite(
    name: str,
    modality: SourceModality,
    product: Product,
    provider: str,
    composers: Collection[str],
    *,
    trusts_offsets: bool,
) -> None:
    """Refuse `made_by: server` where the archive could not make the pixels that eodata makes.

    Args:
        name: Of the modality.
        modality: As the recipe says it.
        product: What it reads.
        provider: Who was chosen to deliver it.
        composers: The providers that can make composites.
        trusts_offsets: The recipe's `checks.trust_offsets`.

    Raises:
        RecipeError: With what would.
    """
    composite = modality.composite
    if composite is None or isinstance(composite, SchmittComposite):
        return
    if composite.made_by == "client":
        return
    where = f"modalities.{name}.composite.made_by"
    _check_able(where, provider, product, composers, "makes no composites")
    _check_pixel_size(where, modality, product)
    if product.states_offset and not trusts_offsets:
        raise RecipeError(
            where,
            f"nobody would see the single images of {product.id}",
            "their pixels are compared with the offset that the archive states, and a composite "
            "has none to compare.",
            "Add checks: {trust_offsets: true}, or use made_by: client.",
        )


def check_server_warp(
    name: str, modality: SourceModality, product: Product, provider: str, warpers: Collection[str]
) -> None:
    """Refuse `warped_by: server` where the archive cannot.

    Args:
        name: Of the modality.
        modality: As the recipe says it.
        product: What it reads.
        provider: Who was chosen to deliver it.
        warpers: The providers that can.

    Raises:
        RecipeError: With what would.
    """
    if modality.warped_by == "client":
        return
    where = f"modalities.{name}.warped_by"
    _check_able(where, provider, product, warpers, "warps no pixels")
    bands, gsd = _bands_and_gsd(modality, product)
    finest = min(bands, key=lambda band: band.gsd)
    if gsd > MOST_PER_SIDE * finest.gsd:
        raise RecipeError(
            where,
            f"a pixel of {gsd:g} m holds too many of {finest.name}'s, of {finest.gsd:g} m",
            f"the server combines {MOST_PER_SIDE} x {MOST_PER_SIDE} pixels at most.",
            f"Use warped_by: client, or a gsd of at most {MOST_PER_SIDE * finest.gsd:g}.",
        )


def _check_able(
    where: str, provider: str, product: Product, able: Collection[str], lacks: str
) -> None:
    if provider in able:
        return
    key = where.rpartition(".")[2]
    others = "".join(f", or provider: {name}" for name in able if name in product.providers)
    raise RecipeError(
        where,
        f"{provider} {lacks}",
        "it hands out images and computes nothing.",
        f"Use {key}: client{others}.",
    )


def _bands_and_gsd(
    modality: SourceModality, product: Product
) -> tuple[tuple[BandEntry, ...], float]:
    bands = product.select(modality.bands)
    return bands, modality.gsd or min(band.gsd for band in bands)


def _check_pixel_size(where: str, modality: SourceModality, product: Product) -> None:
    """Refuse bands that would have to be resampled: before and after a median are not the same."""
    bands, gsd = _bands_and_gsd(modality, product)
    other = [band for band in bands if band.kind == "continuous" and band.gsd != gsd]
    if other:
        sizes = ", ".join(f"{size:g}" for size in sorted({band.gsd for band in bands}))
        raise RecipeError(
            where,
            f"{other[0].name} has pixels of {other[0].gsd:g} m, the modality of {gsd:g} m",
            "the server composes pixels as they are, and resampling afterwards would give others.",
            f"Make a modality for the bands of each size ({sizes} m), or use made_by: client.",
        )
