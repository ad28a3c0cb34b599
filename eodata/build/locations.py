"""Where pixels come from: which providers there are, where each is, and which one serves what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eodata import resources
from eodata.build.reading import LoadedRecipe
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.endpoint import Endpoint, StacLocation
from eodata.core.errors import AuthError, RecipeError, nearest
from eodata.core.product import Product, ProviderEntry
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import product_of
from eodata.core.recipe_sources import StacSpec
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.server_rules import check_server_composite, check_server_warp
from eodata.pipeline.serving import check_provider, serving
from eodata.providers.earthengine.access import find_access
from eodata.providers.registry import REGISTRY

ANY_STAC = "stac"
"""Name of the provider for STAC APIs that are in no table."""
EARTHENGINE = "earthengine"
"""Name of the provider for Earth Engine."""
COMPOSERS = (EARTHENGINE,)
"""Providers that are a `Composer`."""
WARPERS = (EARTHENGINE,)
"""Providers that bring pixels onto a grid themselves."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for on the command line.

    Attributes:
        recipe: Name or path.
        provider: Overrides the recipe's providers: one for all modalities, or `s1=NAME,s2=NAME` for
            some; `""` keeps them.
        archive: Catalog for the provider `archive`; `""` keeps the recipe's.
        sandbox: World of the provider `sandbox`, as `SandboxSettings.from_text` reads it; `""`
            keeps the recipe's.
        limit: Keep only the first patches; None keeps all.
        endpoints: `NAME=URL`: where STAC archives are found instead of the table's address.
        scale: Makes a miniature, as `ScaleSpec.from_text` reads it; `""` keeps the recipe's.
    """

    recipe: str
    provider: str = ""
    archive: str = ""
    sandbox: str = ""
    limit: int | None = None
    endpoints: tuple[str, ...] = ()
    scale: str = ""


def known_products(recipe: Recipe) -> dict[str, Product]:
    """Return the product tables, with the recipe's own STAC archives among the providers.

    Raises:
        RecipeError: One is said to be like an endpoint that does not exist.
    """
    entries = {
        "archive": _entry_like("archive.like", recipe.archive.like if recipe.archive else ""),
        ANY_STAC: _entry_like("stac.like", recipe.stac.like if recipe.stac else "") or _own_entry,
    }
    return {name: _extended(product, entries) for name, product in resources.products().items()}


EntryOf = Callable[[Product], ProviderEntry | None]
"""How an archive keeps a product; None when it does not."""


def _extended(product: Product, entries: Mapping[str, EntryOf | None]) -> Product:
    """Add what the recipe's own archives keep to the providers of a product, the first of all."""
    found = {name: entry_of(product) for name, entry_of in entries.items() if entry_of is not None}
    own = {name: entry for name, entry in found.items() if entry is not None}
    return product.model_copy(update={"providers": {**own, **product.providers, **own}})


def _entry_like(key: str, like: str) -> EntryOf | None:
    if like and like not in resources.endpoints():
        raise _no_endpoint(key, like)
    return (lambda product: product.providers.get(like)) if like else None


def _no_endpoint(key: str, name: str) -> RecipeError:
    fix = nearest(name, resources.endpoints())
    return RecipeError(key, f'there is no endpoint "{name}"', "", fix)


def _own_entry(product: Product) -> ProviderEntry:
    """Return the entry of an archive that calls everything as we do."""
    return ProviderEntry(collection=product.id, radiometry=product.radiometry)


def find_locations(loaded: LoadedRecipe, wish: Wish) -> dict[str, str]:
    """Return where each provider is found: the command line before the recipe before the table.

    The sandbox is everywhere, but serves only those who ask for it by name.

    Raises:
        RecipeError: The catalog that the recipe names does not exist, or leaves its folder; or an
            endpoint is written wrongly.
    """
    recipe = loaded.recipe
    asked = SandboxSettings.from_text(wish.sandbox) if wish.sandbox else recipe.sandbox
    locations = stac_locations(wish.endpoints, recipe.stac)
    project = recipe.earthengine.project if recipe.earthengine else ""
    locations |= earthengine_locations(wish.endpoints, project)
    locations["sandbox"] = (asked or SandboxSettings()).model_dump_json()
    if wish.archive:
        locations["archive"] = str(Path(wish.archive).resolve())
    elif recipe.archive is not None:
        catalog = resources.beside(loaded.path, recipe.archive.catalog, "archive.catalog")
        locations["archive"] = str(catalog)
    return locations


def stac_locations(given: tuple[str, ...], own: StacSpec | None = None) -> dict[str, str]:
    """Return where STAC archives are found, by name of the provider.

    Args:
        given: `NAME=URL`; go before the table.
        own: The recipe's STAC archive.

    Raises:
        RecipeError: An endpoint is written wrongly, or there is none of that name.
    """
    urls = {} if own is None else {ANY_STAC: own.url}
    urls |= dict(_endpoint(text) for text in given)
    urls.pop(EARTHENGINE, None)
    rows, like = dict(resources.endpoints()), own.like if own else ""
    if like and like not in rows:
        raise _no_endpoint("stac.like", like)
    if ANY_STAC in urls:
        row = {"title": "a STAC API", "url": urls[ANY_STAC]}
        told = rows[like].model_dump() if like else row
        rows[ANY_STAC] = Endpoint.parse(told | {"name": ANY_STAC}, ANY_STAC)
    return {
        name: StacLocation(
            endpoint=row.at(urls.get(name, row.url)), like=like if name == ANY_STAC else ""
        ).model_dump_json()
        for name, row in rows.items()
    }


def earthengine_locations(given: tuple[str, ...], project: str = "") -> dict[str, str]:
    """Return where Earth Engine is found, by name of the provider; nothing when it cannot be used.

    Args:
        given: `NAME=URL`; an address that is not Google's is asked without credentials.
        project: The one that the recipe names.

    Raises:
        RecipeError: An endpoint is written wrongly.
    """
    url = dict(_endpoint(text) for text in given).get(EARTHENGINE)
    place = EarthEngineLocation() if url is None else EarthEngineLocation.at(url)
    if not place.anonymous:
        found = find_access(project)
        # Some machines of Google's have credentials that no file tells of.
        if not found.project or not (found.credentials or project):
            return {}
        place = place.model_copy(update={"project": found.project})
    return {EARTHENGINE: place.model_dump_json()}


def most_processes(locations: Mapping[str, str]) -> int | None:
    """Return how many processes may read at once so that each has a request; None for any number.

    Args:
        locations: Of the providers that are read from.
    """
    limits = []
    for name, location in locations.items():
        if name == EARTHENGINE:
            limits.append(EarthEngineLocation.model_validate_json(location).in_flight)
        elif name in resources.endpoints() or name == ANY_STAC:
            limits.append(StacLocation.model_validate_json(location).endpoint.in_flight)
    return min(limits, default=None)


def share_location(provider: str, location: str, processes: int) -> str:
    """Return a provider's location for each of several processes that read at once."""
    if provider == EARTHENGINE:
        return EarthEngineLocation.model_validate_json(location).shared(processes).model_dump_json()
    if provider not in resources.endpoints() and provider != ANY_STAC:
        return location
    return StacLocation.model_validate_json(location).shared(processes).model_dump_json()


def _endpoint(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    equals = "" if "/" in name else equals  # it stands in the query of an address without a name
    known = [*resources.endpoints(), ANY_STAC, EARTHENGINE]
    if not equals or not url.startswith(("http://", "https://")):
        raise RecipeError(
            "--endpoint",
            # An address may hold a password or a key, and a slip hides it from those who clean.
            f'"{name}=" has no http(s):// address behind it'
            if equals
            else "it does not begin with NAME=",
            "an endpoint is a name and the address of its root.",
            "Write it as earth-search=https://example.org/v1",
        )
    if name not in known:
        raise RecipeError("--endpoint", f'there is no endpoint "{name}"', "", nearest(name, known))
    return name, url


def choose_providers(
    loaded: LoadedRecipe, override: str, locations: Mapping[str, str]
) -> dict[str, str]:
    """Name the provider of every source modality.

    The command line comes first, then the modality's own, then the first in the product's table
    that keeps the product and can be used here. Nothing is swapped in silently.

    Raises:
        RecipeError: The named provider does not keep the product, or in another radiometry, or
            cannot make the composite or the warp that is asked of it.
        AuthError: No provider that keeps the product can be used here.
    """
    products = known_products(loaded.recipe)
    asked = _asked(override, loaded.recipe)
    chosen: dict[str, str] = {}
    for name, modality in loaded.recipe.modalities.items():
        if not isinstance(modality, SourceModality):
            continue
        product = product_of(loaded.recipe, name, products)
        wanted = asked.get(modality.follow or name) or modality.provider
        if wanted and wanted not in REGISTRY:
            found = f'there is no provider "{wanted}"'
            raise RecipeError(f"modalities.{name}.provider", found, "", nearest(wanted, REGISTRY))
        if wanted:
            check_provider(name, product, wanted, products.values())
        usable = [p for p in serving(product) if p in locations and _may_serve(p, wanted)]
        if not usable:
            raise _nobody(name, product, wanted)
        chosen[name] = usable[0]
        trusted = loaded.recipe.checks.trust_offsets
        check_server_composite(
            name, modality, product, chosen[name], COMPOSERS, trusts_offsets=trusted
        )
        check_server_warp(name, modality, product, chosen[name], WARPERS)
    return chosen


def _asked(override: str, recipe: Recipe) -> dict[str, str]:
    """Return the provider per source modality that the command line names.

    Raises:
        RecipeError: There is no such modality, or it is not read.
    """
    sources = {n: m for n, m in recipe.modalities.items() if isinstance(m, SourceModality)}
    read = [name for name, modality in sources.items() if not modality.follow]
    parts = [part.strip().partition("=") for part in filter(None, override.split(","))]
    for_all = [name for name, equals, _ in parts if not equals]
    asked = dict.fromkeys(read, for_all[0]) if for_all else {}
    for name, equals, provider in parts:
        if not equals:
            continue
        if name not in read or not provider:
            found = (
                f'"{name}=" names no provider' if name in read else f'no modality "{name}" is read'
            )
            raise RecipeError("--provider", found, "", nearest(name, read))
        asked[name] = provider
    if len(for_all) > 1:
        raise RecipeError(
            "--provider",
            f"{' and '.join(for_all)} are named for all modalities",
            "all have one.",
            f"Say which modality reads from which: {read[0]}={for_all[0]}.",
        )
    return asked


def _nobody(name: str, product: Product, wanted: str | None) -> AuthError:
    named = [wanted] if wanted else serving(product)
    needs = "; ".join(f"{p} needs {_needs(p)}" for p in named if p in REGISTRY)
    return AuthError(
        f"modality {name}",
        f"no provider of {product.id} can be used here",
        "nothing is simulated or swapped in silently.",
        f"Choose one: {needs}." if needs else "Install the provider's extra.",
    )


def _needs(provider: str) -> str:
    """Return what is missing before a provider can be used: packages come first."""
    known = REGISTRY[provider]
    return known.needs if known.is_usable else f"the packages {', '.join(known.packages)}"


def _may_serve(provider: str, wanted: str | None) -> bool:
    fits = provider == wanted if wanted else not REGISTRY[provider].on_request
    return fits and REGISTRY[provider].is_usable


def refuse_unused(wish: Wish, chosen: Mapping[str, str]) -> None:
    """Refuse an option for a provider that nothing is read from: it would be ignored silently.

    Raises:
        RecipeError: With what to add.
    """
    options = [("archive", "archive", wish.archive), ("sandbox", "sandbox", wish.sandbox)]
    options += [("endpoint", text.partition("=")[0], text) for text in wish.endpoints]
    for option, provider, given in options:
        if given and provider not in chosen.values():
            raise RecipeError(
                f"--{option}",
                f"nothing is read from the provider {provider}",
                f"providers are {', '.join(sorted(set(chosen.values())))}.",
                f"Add --provider {provider}, or leave --{option} out.",
            )
