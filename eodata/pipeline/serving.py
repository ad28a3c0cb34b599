"""Which providers can serve a product, and why another cannot. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from eodata.core.errors import RecipeError
from eodata.core.product import Product


def check_provider(
    name: str, product: Product, provider: str, others: Iterable[Product] = ()
) -> None:
    """Refuse a provider that does not keep the product, or keeps another quantity under its name.

    Args:
        name: The modality.
        product: What it reads.
        provider: Who is asked for it.
        others: All products; those that hold what this provider has are named.

    Raises:
        RecipeError: With the providers that do, and who else has it.
    """
    entry = product.providers.get(provider)
    if entry is not None and entry.radiometry == product.radiometry:
        return
    found, because = f"{provider} does not keep {product.id}", "nothing is swapped in silently."
    instead = ""
    if entry is not None:
        found = f"{provider} keeps {product.id} as {entry.radiometry}, not {product.radiometry}"
        because = f"these are different quantities, and {because}"
        same = [p.id for p in others if _keeps_the_same(p, product, provider)]
        instead = f"To have {entry.radiometry}, ask for {' or '.join(same)}. " if same else ""
    elsewhere = f" Elsewhere: {product.elsewhere}." if product.elsewhere else ""
    raise RecipeError(
        f"modalities.{name}.provider",
        found,
        because,
        f"{instead}Providers that do: {', '.join(serving(product)) or 'none'}.{elsewhere}",
    )


def serving(product: Product) -> tuple[str, ...]:
    """Return the providers that keep the product in its own radiometry, the preferred first."""
    entries = product.providers.items()
    return tuple(name for name, entry in entries if entry.radiometry == product.radiometry)


def _keeps_the_same(other: Product, product: Product, provider: str) -> bool:
    """Return True when `other` is the provider's collection of `product` as what it really is."""
    entry = product.providers[provider]
    return (
        provider in serving(other)
        and other.radiometry == entry.radiometry
        and other.providers[provider].collection == entry.collection
    )
