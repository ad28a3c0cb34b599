"""From a recipe and what the archives answered to a plan. Pure: no file, network or clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eodata.core.errors import GridError, NoItemsError
from eodata.core.grid import hilbert_order, tile_area
from eodata.core.item import Acquisition, Item, group_passes
from eodata.core.patch import Area, Patch
from eodata.core.plan import BandRead, Choice, ModalityPlan, Plan
from eodata.core.product import BandEntry, Product, ProviderEntry
from eodata.core.recipe import ClassMask, Recipe, SourceModality
from eodata.core.recipe_rules import bands_of, gsd_of, gsds, product_of, source_of
from eodata.core.span import Span
from eodata.core.split import Placed, assign
from eodata.core.where import Where
from eodata.pipeline.choose import choose_acquisition, pair_acquisition, static_acquisition
from eodata.pipeline.derive import derived_band
from eodata.pipeline.reprocessings import latest_by_area
from eodata.pipeline.resampling import default_resampling


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


def make_plan(recipe: Recipe, products: Mapping[str, Product], answers: Answers) -> Plan:
    """Decide everything about a build. Same input, same plan, same digest.

    Raises:
        GridError: No patch fits into any area.
        NoItemsError: A modality has no item at all.
        RecipeError: The split's list does not fit the areas.
    """
    found = place_patches(recipe, products, answers.areas, answers.listed)[: answers.limit]
    patches = [patch for patch, _ in found]
    used = {p.area for p in patches}
    areas = {name: area for name, area in answers.areas.items() if name in used}
    table = _ItemTable()
    modalities = {
        name: plan_modality(recipe, name, products, answers.providers) for name in recipe.modalities
    }
    return Plan(
        recipe=recipe,
        modalities=modalities,
        areas=areas,
        choices=_choose_all(recipe, modalities, areas, answers, table),
        items=tuple(table.items),
        patches=tuple(patches),
        placed=tuple(placed for _, placed in found),
        synthetic=answers.synthetic,
        provenance=dict(answers.provenance),
    )


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


def plan_modality(
    recipe: Recipe, name: str, products: Mapping[str, Product], providers: Mapping[str, str]
) -> ModalityPlan:
    """Decide what a modality reads and stores."""
    modality = recipe.modalities[name]
    product = product_of(recipe, name, products)
    gsd = gsd_of(recipe, name, products)
    static = product.temporal == "static"
    if isinstance(modality, ClassMask):
        band = derived_band(name, gsd)
        return ModalityPlan(
            name=name,
            gsd=gsd,
            static=static,
            role=modality.role,
            reads=(),
            bands=(band,),
            provider="",
            product=product.id,
            collection="",
            radiometry="class",
            derive=modality.derive,
            source=modality.from_,
            classes=modality.classes,
            marks_cloud=_marks_cloud(modality, product),
        )
    provider = providers[modality.follow or name]
    entry = product.providers[provider]
    entries = bands_of(recipe, name, products)
    reads = tuple(_band_read(e, entry, modality.resampling, gsd) for e in entries)
    shown = product.display
    return ModalityPlan(
        name=name,
        gsd=gsd,
        static=static,
        role=modality.role,
        reads=reads,
        bands=tuple(r.band for r in reads),
        provider=provider,
        product=product.id,
        collection=entry.collection,
        radiometry=entry.radiometry,
        states_offset=product.states_offset,
        placed_by=entry.placed_by,
        trusts_offsets=recipe.checks.trust_offsets,
        validity=_validity(modality, product, entry, gsd),
        display=(shown.bands, shown.low, shown.high)
        if shown and set(shown.bands) <= {e.name for e in entries}
        else None,
        leader=modality.follow or "",
    )


def _marks_cloud(modality: ClassMask, product: Product) -> bool:
    """Return True when every marked class is one that is measured and yet not clear."""
    clear, measured = product.validity.get("clear"), product.validity.get("measured")
    if clear is None:
        return False
    cloudy = set(clear.invalid) - set(measured.invalid if measured else ())
    return set(modality.classes) <= cloudy


def _band_read(
    entry: BandEntry, provider: ProviderEntry, resampling: str | None, gsd: float
) -> BandRead:
    asset = provider.assets.get(entry.name, entry.name)
    method = resampling or default_resampling(entry.kind, entry.gsd, gsd)
    return BandRead(entry.to_band(), asset, method)


def _validity(
    modality: SourceModality, product: Product, provider: ProviderEntry, gsd: float
) -> tuple[BandRead, tuple[int, ...]] | None:
    rule = product.validity.get(modality.valid)
    if rule is None:
        return None
    return _band_read(product.band(rule.band), provider, None, gsd), rule.invalid


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
    chosen: dict[str, dict[str, list[tuple[Acquisition | None, str]]]] = {}
    sources = {n: m for n, m in recipe.modalities.items() if isinstance(m, SourceModality)}
    for name, modality in sorted(sources.items(), key=lambda nm: bool(nm[1].pair or nm[1].follow)):
        if modality.follow is not None:
            chosen[name] = chosen[modality.follow]
            continue
        items = latest_by_area(answers.items[name])
        chosen[name] = {
            area.id: _fill_area(
                recipe, modalities[name], modality, area, items.get(area.id, ()), chosen
            )
            for area in areas.values()
        }
        if not any(acquisition for row in chosen[name].values() for acquisition, _ in row):
            raise _nothing_found(modality.where, modalities[name], answers, chosen[name])
    return {
        name: {
            area: tuple(_intern(acquisition, reason, table) for acquisition, reason in row)
            for area, row in chosen[name].items()
        }
        for name in sources
    }


def _fill_area(
    recipe: Recipe,
    plan: ModalityPlan,
    modality: SourceModality,
    area: Area,
    items: Sequence[Item],
    chosen: Mapping[str, Mapping[str, list[tuple[Acquisition | None, str]]]],
) -> list[tuple[Acquisition | None, str]]:
    if plan.static:
        middle = (area.time or recipe.time.span).middle
        found = static_acquisition(items, area.geometry, middle)
        return [(found, "" if found else "no item covers this area")]
    acquisitions = group_passes(items)
    if modality.pair is not None:
        partners = chosen[modality.pair.with_][area.id]
        return [
            pair_acquisition(acquisitions, p.datetime if p else None, modality.pair)
            for p, _ in partners
        ]
    steps = (area.time or recipe.time.span).steps(recipe.time.steps)
    return [choose_acquisition(acquisitions, s, area.geometry, modality.choose) for s in steps]


def _intern(acquisition: Acquisition | None, reason: str, table: _ItemTable) -> Choice:
    if acquisition is None:
        return Choice((), reason)
    return Choice(tuple(table.add(item) for item in acquisition.items))


def _nothing_found(
    where: Where,
    plan: ModalityPlan,
    answers: Answers,
    rows: Mapping[str, list[tuple[Acquisition | None, str]]],
) -> NoItemsError:
    n_items = sum(len(items) for items in answers.items[plan.name].values())
    first_reason = next((reason for row in rows.values() for _, reason in row), "")
    missed = " and matches where" if where else ""
    return NoItemsError(
        f"modality {plan.name}",
        f"provider {plan.provider} has {n_items} items of {plan.collection} for "
        f"{len(rows)} areas, and none can be used",
        f"{first_reason}." if n_items else f"no item touches an area in its time{missed}.",
        "Check area and time of the recipe against what the provider holds, or widen its rules.",
    )
