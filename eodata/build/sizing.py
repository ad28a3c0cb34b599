"""How large a store becomes, from the recipe alone: no archive is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eodata import resources
from eodata.build.locations import known_products
from eodata.core.layout import ArrayLayout, array_layout
from eodata.core.modality_plan import ModalityPlan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import product_of
from eodata.pipeline.plan import plan_modalities


@dataclass(frozen=True, slots=True)
class StoreSize:
    """What a finished store holds.

    Attributes:
        blocks: Units of work.
        files: Shard files, of values and of valid.
        bytes: Of all numbers before compression, rows without a patch left out.
    """

    blocks: int
    files: int
    bytes: int


def size_of(recipe: Recipe, n_patches: int) -> StoreSize:
    """Return the size of the store of a checked recipe.

    Args:
        recipe: With its scale.
        n_patches: How many patches its areas hold.
    """
    products = known_products(recipe)
    planned = plan_modalities(
        recipe, products, resources.schemes(), _any_providers(recipe, products)
    )
    block = recipe.store.block
    blocks = -(-n_patches // block)
    layouts = [_layout(recipe, modality, blocks) for modality in planned.values()]
    per_row = sum(one.shard_bytes // block * len(one.step_groups) for one in layouts)
    return StoreSize(blocks, 2 * sum(one.n_shards for one in layouts), per_row * n_patches)


def _layout(recipe: Recipe, modality: ModalityPlan, blocks: int) -> ArrayLayout:
    return array_layout(
        recipe.store,
        n_blocks=blocks,
        n_steps=1 if modality.static else recipe.time.steps,
        n_bands=len(modality.bands),
        pixels=round(recipe.area.patch / modality.gsd),
        dtype=modality.dtype,
    )


def _any_providers(recipe: Recipe, products: Mapping[str, Product]) -> dict[str, str]:
    """Name a provider per modality: sizes are the same whoever delivers."""
    read = (n for n, m in recipe.modalities.items() if isinstance(m, SourceModality))
    return {name: next(iter(product_of(recipe, name, products).providers)) for name in read}
