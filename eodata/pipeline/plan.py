"""From a recipe and what the archives answered to a plan. Pure: no file, network or clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from eodata.core.choice import Choice
from eodata.core.derivation import Derived
from eodata.core.errors import GridError, NoItemsError
from eodata.core.grid import hilbert_order, tile_area
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.patch import Area, Patch
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import gsds, source_of
from eodata.core.scheme import Scheme
from eodata.core.span import Span
from eodata.core.split import Placed, assign
from eodata.core.where import Where
from eodata.pipeline.fill import Filled, Filling, fill_area
from eodata.pipeline.plan_coregistration import check_reference_items, plan_alignments
from eodata.pipeline.plan_labels import plan_labels
from eodata.pipeline.plan_modality import plan_modality
from eodata.pipeline.reprocessings import latest_by_area


@dataclass(frozen=True, slots=True)
class Answers:
    """What the world said: everything that planning needs beside recipe and product tables.

    Attributes:
        areas: Areas in the recipe's order, with CRS.
        listed: Split per area id from the recipe's list.
        providers: Name of the provider per source modality.
        items: Items per source modality and area; modalities that follow another need none.
        synthetic: True when a provider simulates.
        limit: Keep only the first patches; None keeps all.
        provenance: Tool versions and the like.
    """

    areas: Mapping[str, Area]
    listed: Mapping[str, str]
    providers: Mapping[str, str]
    items: Mapping[str, Mapping[str, Sequence[Item]]]
    synthetic: bool = False
    limit: int | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


def make_plan(
    recipe: Recipe,
    products: Mapping[str, Product],
    schemes: Mapping[str, Scheme],
    answers: Answers,
) -> Plan:
    """Decide everything about a build. Same input, same plan, same digest.

    Raises:
        GridError: No patch fits into any area.
        NoItemsError: A modality has no item at all.
        RecipeError: The split's list does not fit the areas, or labels have no usable legend.
    """
    found = place_patches(recipe, products, answers.areas, answers.listed)[: answers.limit]
    patches = [patch for patch, _ in found]
    used = {p.area for p in patches}
    areas = {name: area for name, area in answers.areas.items() if name in used}
    table = _ItemTable()
    modalities = plan_modalities(recipe, products, schemes, answers.providers)
    choices = _choose_all(recipe, modalities, areas, answers, table)
    check_reference_items(modalities, choices, table.items)
    return Plan(
        recipe=recipe,
        modalities=modalities,
        areas=areas,
        choices=choices,
        items=tuple(table.items),
        patches=tuple(patches),
        placed=tuple(placed for _, placed in found),
        synthetic=answers.synthetic,
        provenance=dict(answers.provenance),
        labels=plan_labels(recipe, modalities, schemes),
    )


def plan_modalities(
    recipe: Recipe,
    products: Mapping[str, Product],
    schemes: Mapping[str, Scheme],
    providers: Mapping[str, str],
) -> dict[str, ModalityPlan]:
    """Return all modalities in the order of the recipe; sources are decided before derived ones."""
    planned: dict[str, ModalityPlan] = {}

    def settle(name: str) -> None:
        modality = recipe.modalities[name]
        if name in planned:
            return
        if isinstance(modality, Derived):
            settle(modality.from_)
        planned[name] = plan_modality(recipe, name, products, schemes, providers, planned)

    for name in recipe.modalities:
        settle(name)
    ordered = {name: planned[name] for name in recipe.modalities}
    return plan_alignments(recipe, ordered)


def place_patches(
    recipe: Recipe,
    products: Mapping[str, Product],
    areas: Mapping[str, Area],
    listed: Mapping[str, str],
) -> list[tuple[Patch, Placed]]:
    """Return all patches in store order, each with its split.

    Raises:
        GridError: No patch fits into any area.
        RecipeError: The split's list does not fit the areas.
    """
    patches = tile_areas(recipe, products, areas)
    stride = recipe.area.stride_m
    placed = assign(patches, areas, recipe.split, listed, stride, recipe.seed)
    return list(zip(patches, placed, strict=True))


def tile_areas(
    recipe: Recipe, products: Mapping[str, Product], areas: Mapping[str, Area]
) -> list[Patch]:
    """Return all patches in store order: areas as given, Hilbert curve within each.

    Raises:
        GridError: No patch fits into any area.
    """
    spec = recipe.area
    snap = max(gsds(recipe, products).values())
    patches = [
        patch
        for area in areas.values()
        for patch in hilbert_order(
            tile_area(area, spec.patch, spec.stride_m, spec.align, snap, spec.cover)
        )
    ]
    if not patches:
        raise GridError(
            "area",
            f"no patch of {spec.patch:g} m lies inside any of {len(areas)} areas",
            f"at least {spec.cover:.1%} of a patch must be inside (area.cover).",
            "Use a smaller patch, align: area, or a lower cover.",
        )
    return patches


def search_span(recipe: Recipe, name: str, area: Area) -> Span:
    """Return the time in which items of a modality are wanted; pairs may reach over the edges."""
    span = area.time or recipe.time.span
    pair = source_of(recipe, name).pair
    if pair is None:
        return span
    return Span(span.start - pair.within, span.end + pair.within)


class _ItemTable:
    """Interns items: equal items share one position."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._positions: dict[tuple[str, str], list[int]] = {}

    def add(self, item: Item) -> int:
        # Two providers may give one id to different files.
        same_id = self._positions.setdefault((item.collection, item.id), [])
        for position in same_id:
            if self.items[position] == item:
                return position
        same_id.append(len(self.items))
        self.items.append(item)
        return same_id[-1]


def _choose_all(
    recipe: Recipe,
    modalities: Mapping[str, ModalityPlan],
    areas: Mapping[str, Area],
    answers: Answers,
    table: _ItemTable,
) -> dict[str, dict[str, tuple[Choice, ...]]]:
    """Fill every step of every read modality; leaders before those that pair or follow."""
    chosen: dict[str, Filled] = {}
    sources = {n: m for n, m in recipe.modalities.items() if isinstance(m, SourceModality)}
    for name, modality in sorted(sources.items(), key=lambda nm: bool(nm[1].pair or nm[1].follow)):
        if modality.follow is not None:
            chosen[name] = chosen[modality.follow]
            continue
        items = latest_by_area(answers.items[name])
        chosen[name] = {
            area.id: fill_area(
                recipe,
                modality,
                area,
                items.get(area.id, ()),
                chosen,
                static=modalities[name].static,
            )
            for area in areas.values()
        }
        if not any(filling.acquisitions for row in chosen[name].values() for filling in row):
            raise _nothing_found(modality.where, modalities[name], answers, chosen[name])
    return {
        name: {
            area: tuple(_intern(filling, table) for filling in row)
            for area, row in chosen[name].items()
        }
        for name in sources
    }


def _intern(filling: Filling, table: _ItemTable) -> Choice:
    items = tuple(table.add(i) for a in filling.acquisitions for i in a.items)
    if not filling.composite:
        return Choice(items, filling.reason)
    ends = accumulate(len(a.items) for a in filling.acquisitions)
    return Choice(items, filling.reason, tuple(ends))


def _nothing_found(
    where: Where,
    plan: ModalityPlan,
    answers: Answers,
    rows: Filled,
) -> NoItemsError:
    n_items = sum(len(items) for items in answers.items[plan.name].values())
    first_reason = next((filling.reason for row in rows.values() for filling in row), "")
    missed = " and matches where" if where else ""
    return NoItemsError(
        f"modality {plan.name}",
        f"provider {plan.provider} has {n_items} items of {plan.collection} for "
        f"{len(rows)} areas, and none can be used",
        f"{first_reason}." if n_items else f"no item touches an area in its time{missed}.",
        "Check area and time of the recipe against what the provider holds, or widen its rules.",
    )
