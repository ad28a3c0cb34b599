"""The page on providers says who has what, as the product tables do."""

from __future__ import annotations

from pathlib import Path

from eodata.core.product import Product

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
PROVIDERS = ("archive", "earth-search", "planetary-computer", "cdse", "earthengine", "sandbox")


def row(product: Product) -> str:
    """Return the product's row of the page."""
    cells = [f"`{product.id}`", product.radiometry, *(cell(product, name) for name in PROVIDERS)]
    return f"| {' | '.join(cells)} |"


def cell(product: Product, provider: str) -> str:
    """Return what the page says of a provider: a collection, another quantity, or nothing."""
    entry = product.providers.get(provider)
    if entry is None:
        return "–"
    if entry.radiometry != product.radiometry:
        return f"no: {entry.radiometry}"
    return f"`{entry.collection}`" + (" (reader pays)" if entry.requester_pays else "")


def test_page_then_its_table_is_that_of_the_products(tables: dict[str, Product]) -> None:
    head = f"| product | quantity | {' | '.join(PROVIDERS)} |"
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = lines.index(head) + 2
    expected = [row(tables[name]) for name in sorted(tables)]
    assert lines[first : first + len(expected)] == expected
    assert lines[first + len(expected)] == ""


def test_page_then_it_says_who_else_has_what_earth_engine_alone_has(
    tables: dict[str, Product],
) -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    for product in tables.values():
        if product.elsewhere and not set(product.providers) - {"archive", "earthengine", "sandbox"}:
            assert f"`{product.id}`: {product.elsewhere}." in text
