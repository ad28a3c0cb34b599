"""From a recipe's name to a plan: choose providers, search them, decide everything."""

from __future__ import annotations

import platform
import threading
from collections.abc import Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec

from eodata import resources
from eodata.build.areas import load_areas
from eodata.build.locations import (
    Wish,
    choose_providers,
    find_locations,
    known_products,
    refuse_unused,
)
from eodata.build.reaching import refuse_unreachable
from eodata.build.reading import LoadedRecipe, load_recipe, load_split_list
from eodata.core.derivation import S2Cloudless
from eodata.core.errors import RecipeError
from eodata.core.item import Item
from eodata.core.patch import Area, Patch
from eodata.core.plan import Plan
from eodata.core.protocols import Provider, Query
from eodata.core.recipe import Recipe, ScaleSpec
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import is_static, product_of, source_of
from eodata.core.split import Placed
from eodata.core.where import Where
from eodata.pipeline.plan import Answers, make_plan, place_patches, search_span
from eodata.pipeline.s2cloudless import check_installed
from eodata.pipeline.searches import Wanted, search_blocks
from eodata.providers.registry import open_provider

SEARCHES_AT_ONCE = 4
"""Archives answer searches slowly, and want few at a time."""
VERSIONS = ("eodata", "numpy", "odc-geo", "pyproj", "rasterio", "scipy", "zarr")
OPTIONAL = ("numba", "s2cloudless")
"""Packages that may decide pixels, where they are installed."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan, and where its providers are found on this machine."""

    plan: Plan
    locations: dict[str, str]


def prepare(wish: Wish) -> Prepared:
    """Load, search and plan. Writes nothing.

    Raises:
        RecipeError: The recipe cannot be fulfilled.
        ProviderError: An archive cannot be read, or has nothing.
    """
    scale = ScaleSpec.from_text(wish.scale) if wish.scale else None
    loaded = load_recipe(wish.recipe, scale)
    check_packages(loaded.recipe)
    locations = find_locations(loaded, wish)
    chosen = choose_providers(loaded, wish.provider, locations)
    refuse_unused(wish, chosen)
    for name in sorted(set(chosen.values())):
        refuse_unreachable(name, locations)
    providers = {name: open_provider(name, locations) for name in set(chosen.values())}
    areas = load_areas(loaded)
    items = _search_all(loaded, _areas_wanted(loaded, areas, wish.limit), chosen, providers)
    answers = Answers(
        areas=areas,
        listed=load_split_list(loaded, areas),
        providers=chosen,
        items=items,
        synthetic=any(p.synthetic for p in providers.values()) or _any_simulated(items),
        limit=wish.limit,
        provenance=provenance(),
    )
    plan = make_plan(loaded.recipe, known_products(loaded.recipe), resources.schemes(), answers)
    _check_access(plan, providers)
    return Prepared(plan, locations)


def _areas_wanted(
    loaded: LoadedRecipe, areas: Mapping[str, Area], limit: int | None
) -> Mapping[str, Area]:
    """Return the areas of the first patches: no other needs to be searched."""
    if limit is None:
        return areas
    used = {patch.area for patch, _ in lay_out_patches(loaded, areas)[:limit]}
    return {name: area for name, area in areas.items() if name in used}


def check_packages(recipe: Recipe) -> None:
    """Look for optional packages before the first search: pixels are derived at the very end.

    Raises:
        RecipeError: With the extra to install.
    """
    if any(isinstance(modality, S2Cloudless) for modality in recipe.modalities.values()):
        check_installed()


def _any_simulated(found: Mapping[str, Mapping[str, Sequence[Item]]]) -> bool:
    """Return True when an archive says of any item that it is simulated."""
    answers = (items for by_area in found.values() for items in by_area.values())
    return any(item.is_synthetic for items in answers for item in items)


def _check_access(plan: Plan, providers: Mapping[str, Provider]) -> None:
    """Look for missing keys before the first pixel: one item of each modality tells."""
    for name, modality in plan.modalities.items():
        used = (i for row in plan.choices.get(name, {}).values() for c in row for i in c.items)
        first = next(used, None)
        if modality.provider and first is not None:
            reads = [*modality.reads, *(modality.validity or ())[:1]]
            providers[modality.provider].check_access(plan.items[first], reads)


def lay_out_patches(loaded: LoadedRecipe, areas: Mapping[str, Area]) -> list[tuple[Patch, Placed]]:
    """Return all patches of a recipe with their splits; searches nothing.

    Raises:
        RecipeError: The split's list does not fit the areas, or no patch fits into any.
    """
    listed = load_split_list(loaded, areas)
    return place_patches(loaded.recipe, resources.products(), areas, listed)


def _search_all(
    loaded: LoadedRecipe,
    areas: Mapping[str, Area],
    chosen: Mapping[str, str],
    providers: Mapping[str, Provider],
) -> dict[str, dict[str, Sequence[Item]]]:
    found: dict[str, dict[str, Sequence[Item]]] = {}
    recipe, products = loaded.recipe, known_products(loaded.recipe)
    for name, provider in chosen.items():
        modality = recipe.modalities[name]
        if isinstance(modality, SourceModality) and modality.follow:
            continue
        collection = product_of(recipe, name, products).providers[provider].collection
        static = is_static(recipe, name, products)
        wanted = [
            Wanted(area.id, area.geometry, None if static else search_span(recipe, name, area))
            for area in areas.values()
        ]
        where = source_of(recipe, name).where
        found[name] = _search_areas(providers[provider], collection, where, wanted)
    return found


def _search_areas(
    provider: Provider, collection: str, where: Where, wanted: Sequence[Wanted]
) -> dict[str, Sequence[Item]]:
    """Search neighbouring areas together; the answer is as if each had been searched alone."""
    blocks = list(search_blocks(wanted))
    queries = [Query(collection, block.ground, block.span, where) for block in blocks]
    found: dict[str, Sequence[Item]] = {}
    for block, items in zip(blocks, _answers(provider, queries), strict=True):
        found |= block.hand_out(items)
    return {one.area: found[one.area] for one in wanted}


def _answers(provider: Provider, queries: Sequence[Query]) -> list[Sequence[Item]]:
    """Return the answer to each query, a few asked at once; stop at the first that fails.

    The threads are daemons: an archive that hangs is asked again for minutes, and neither Ctrl-C
    nor another query's error shall wait for that.
    """
    answers: list[futures.Future[Sequence[Item]]] = [futures.Future() for _ in queries]
    left = iter(zip(answers, queries, strict=True))
    lock = threading.Lock()

    def ask() -> None:
        while True:
            with lock:
                answer, query = next(left, (None, None))
            if answer is None or query is None or not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(provider.search(query))
            except BaseException as error:  # noqa: BLE001 (who waits for the answer gets it)
                answer.set_exception(error)

    for _ in range(min(SEARCHES_AT_ONCE, len(queries))):
        threading.Thread(target=ask, name="eodata-search", daemon=True).start()
    try:
        ended = futures.wait(answers, return_when=futures.FIRST_EXCEPTION).done
        return [answer.result() for answer in answers if answer in ended]
    finally:
        for answer in answers:
            answer.cancel()


def provenance() -> dict[str, str]:
    """Return tool versions and the time; recorded beside the plan, not part of its digest."""
    import rasterio

    return {
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "gdal": str(rasterio.__gdal_version__),
        **{name: version(name) for name in VERSIONS},
        **{name: version(name) for name in OPTIONAL if find_spec(name) is not None},
    }


def shipped_recipe_names() -> list[str]:
    """Return the names of the shipped recipes.

    Raises:
        RecipeError: The installation carries none.
    """
    names = list(resources.recipe_files())
    if not names:
        raise RecipeError("eodata", "this installation carries no recipes", "", "Reinstall eodata.")
    return names
