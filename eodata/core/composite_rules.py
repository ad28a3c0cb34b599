"""The rules for composites that an archive makes: who can, and of what. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from eodata.core.composite import SchmittComposite
from eodata.core.errors import RecipeError
from eodata.core.product import Product
from eodata.core.recipe_modality import SourceModality


def check_server_composite(
    name: str,
    modality: SourceModality,
    product: Product,
    provider: str,
    composers: Iterable[str],
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
    if provider not in composers:
        able = [other for other in composers if other in product.providers]
        raise RecipeError(
            where,
            f"{provider} makes no composites",
            "it hands out images and computes nothing.",
            f"Use made_by: client{''.join(f', or provider: {other}' for other in able)}.",
        )
    _check_pixel_size(where, modality, product)
    if product.states_offset and not trusts_offsets:
        raise RecipeError(
            where,
            f"nobody would see the single images of {product.id}",
            "their pixels are compared with the offset that the archive states, and a composite "
            "has none to compare.",
            "Add checks: {trust_offsets: true}, or use made_by: client.",
        )


def _check_pixel_size(where: str, modality: SourceModality, product: Product) -> None:
    """Refuse bands that would have to be resampled: before and after a median are not the same."""
    bands = product.select(modality.bands)
    gsd = modality.gsd or min(band.gsd for band in bands)
    other = [band for band in bands if band.kind == "continuous" and band.gsd != gsd]
    if other:
        sizes = ", ".join(f"{size:g}" for size in sorted({band.gsd for band in bands}))
        raise RecipeError(
            where,
            f"{other[0].name} has pixels of {other[0].gsd:g} m, the modality of {gsd:g} m",
            "the server composes pixels as they are, and resampling afterwards would give others.",
            f"Make a modality for the bands of each size ({sizes} m), or use made_by: client.",
        )
