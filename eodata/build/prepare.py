"""From a recipe's name to a plan: choose providers, search them, decide everything."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from eodata import resources
from eodata.build.reading import LoadedRecipe, load_areas, load_recipe, load_split_list
from eodata.core.errors import AuthError, RecipeError
from eodata.core.item import Item
from eodata.core.patch import Area, Patch
from eodata.core.plan import Plan
from eodata.core.protocols import Provider, Query
from eodata.core.recipe import SourceModality
from eodata.core.recipe_rules import is_static, product_of
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.split import Placed
from eodata.pipeline.plan import Answers, check_provider, make_plan, place_patches, search_span
from eodata.providers.registry import REGISTRY, open_provider

VERSIONS = ("eodata", "numpy", "odc-geo", "pyproj", "rasterio", "zarr")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for on the command line.

    Attributes:
        recipe: Name or path.
        provider: Overrides the recipe's providers; `""` keeps them.
        archive: Catalog for the provider `archive`; `""` keeps the recipe's.
        sandbox: World of the provider `sandbox`, as `SandboxSettings.from_text` reads it; `""`
            keeps the recipe's.
        limit: Keep only the first patches; None keeps all.
    """

    recipe: str
    provider: str = ""
    archive: str = ""
    sandbox: str = ""
    limit: int | None = None


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
    loaded = load_recipe(wish.recipe)
    locations = find_locations(loaded, wish)
    chosen = choose_providers(loaded, wish.provider, locations)
    _refuse_unused(wish, chosen)
    providers = {name: open_provider(name, locations) for name in set(chosen.values())}
    areas = load_areas(loaded)
    answers = Answers(
        areas=areas,
        listed=load_split_list(loaded, areas),
        providers=chosen,
        items=_search_all(loaded, areas, chosen, providers),
        synthetic=any(p.synthetic for p in providers.values()),
        limit=wish.limit,
        provenance=provenance(),
    )
    return Prepared(make_plan(loaded.recipe, resources.products(), answers), locations)


def lay_out_patches(loaded: LoadedRecipe, areas: Mapping[str, Area]) -> list[tuple[Patch, Placed]]:
    """Return all patches of a recipe with their splits; searches nothing.

    Raises:
        RecipeError: The split's list does not fit the areas, or no patch fits into any.
    """
    listed = load_split_list(loaded, areas)
    return place_patches(loaded.recipe, resources.products(), areas, listed)


def find_locations(loaded: LoadedRecipe, wish: Wish) -> dict[str, str]:
    """Return where each provider is found: the command line before the recipe.

    The sandbox is everywhere, but serves only those who ask for it by name.

    Raises:
        RecipeError: The catalog that the recipe names does not exist, or leaves its folder.
    """
    recipe = loaded.recipe
    asked = SandboxSettings.from_text(wish.sandbox) if wish.sandbox else recipe.sandbox
    locations = {"sandbox": (asked or SandboxSettings()).model_dump_json()}
    if wish.archive:
        locations["archive"] = str(Path(wish.archive).resolve())
    elif recipe.archive is not None:
        catalog = resources.beside(loaded.path, recipe.archive.catalog, "archive.catalog")
        locations["archive"] = str(catalog)
    return locations


def choose_providers(
    loaded: LoadedRecipe, override: str, locations: Mapping[str, str]
) -> dict[str, str]:
    """Name the provider of every source modality.

    The command line comes first, then the modality's own, then the first in the product's table
    that keeps the product and can be used here. Nothing is swapped in silently.

    Raises:
        RecipeError: The named provider does not keep the product.
        AuthError: No provider that keeps the product can be used here.
    """
    products = resources.products()
    chosen: dict[str, str] = {}
    for name, modality in loaded.recipe.modalities.items():
        if not isinstance(modality, SourceModality):
            continue
        product = product_of(loaded.recipe, name, products)
        wanted = override or modality.provider
        if wanted:
            check_provider(name, product, wanted)
        usable = [p for p in product.providers if p in locations and _may_serve(p, wanted)]
        if not usable:
            named = [wanted] if wanted else list(product.providers)
            needs = "; ".join(f"{p} needs {REGISTRY[p].needs}" for p in named if p in REGISTRY)
            raise AuthError(
                f"modality {name}",
                f"no provider of {product.id} can be used here",
                "nothing is simulated or swapped in silently.",
                f"Choose one: {needs}." if needs else "Install the provider's extra.",
            )
        chosen[name] = usable[0]
    return chosen


def _refuse_unused(wish: Wish, chosen: Mapping[str, str]) -> None:
    """Refuse an option for a provider that nothing is read from: it would be ignored silently."""
    for provider, given in (("archive", wish.archive), ("sandbox", wish.sandbox)):
        if given and provider not in chosen.values():
            raise RecipeError(
                f"--{provider}",
                f"nothing is read from the provider {provider}",
                f"providers are {', '.join(sorted(set(chosen.values())))}.",
                f"Add --provider {provider}, or leave --{provider} out.",
            )


def _may_serve(provider: str, wanted: str | None) -> bool:
    return provider == wanted if wanted else not REGISTRY[provider].on_request


def _search_all(
    loaded: LoadedRecipe,
    areas: Mapping[str, Area],
    chosen: Mapping[str, str],
    providers: Mapping[str, Provider],
) -> dict[str, dict[str, Sequence[Item]]]:
    found: dict[str, dict[str, Sequence[Item]]] = {}
    recipe, products = loaded.recipe, resources.products()
    for name, provider in chosen.items():
        modality = recipe.modalities[name]
        if isinstance(modality, SourceModality) and modality.follow:
            continue
        collection = product_of(recipe, name, products).providers[provider].collection
        static = is_static(recipe, name, products)
        found[name] = {
            area.id: providers[provider].search(
                Query(
                    collection, area.geometry, None if static else search_span(recipe, name, area)
                )
            )
            for area in areas.values()
        }
    return found


def provenance() -> dict[str, str]:
    """Return tool versions and the time; recorded beside the plan, not part of its digest."""
    import rasterio

    return {
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "gdal": str(rasterio.__gdal_version__),
        **{name: version(name) for name in VERSIONS},
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
