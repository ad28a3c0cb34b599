"""The rules for pixels that an archive brings onto the grid itself: who can, and how far. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.recipe_modality import SourceModality

MOST_PER_SIDE = 256
"""Pixels of a band along each side of one pixel of the modality; the server combines no more."""


def check_server_warp(
    name: str, modality: SourceModality, product: Product, provider: str, warpers: Iterable[str]
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
    if provider not in warpers:
        able = [other for other in warpers if other in product.providers]
        raise RecipeError(
            where,
            f"{provider} warps no pixels",
            "it hands out images and computes nothing.",
            f"Use warped_by: client{''.join(f', or provider: {other}' for other in able)}.",
        )
    bands = product.select(modality.bands)
    gsd = modality.gsd or min(band.gsd for band in bands)
    finest = min(bands, key=lambda band: band.gsd)
    if gsd > MOST_PER_SIDE * finest.gsd:
        raise RecipeError(
            where,
            f"a pixel of {gsd:g} m holds too many of {finest.name}'s, of {finest.gsd:g} m",
            f"the server combines {MOST_PER_SIDE} x {MOST_PER_SIDE} pixels at most.",
            f"Use warped_by: client, or a gsd of at most {MOST_PER_SIDE * finest.gsd:g}.",
        )
