"""Look before building: which items an archive has, seen as a build would see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shapely import make_valid
from shapely.geometry.base import BaseGeometry

from eodata import resources
from eodata.build.locations import (
    ANY_STAC,
    Wish,
    earthengine_locations,
    refuse_unused,
    stac_locations,
)
from eodata.build.question import Question
from eodata.build.reaching import refuse_unreachable
from eodata.core.errors import AuthError, NoItemsError, RecipeError, nearest
from eodata.core.item import Item
from eodata.core.product import Product, ProviderEntry
from eodata.core.protocols import Provider, Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.pipeline.reprocessings import BASELINES, SUPERSEDES, latest
from eodata.pipeline.serving import check_provider, serving
from eodata.providers.registry import REGISTRY, open_provider


@dataclass(frozen=True, slots=True)
class Seen:
    """One item, and what it would mean for a build.

    Attributes:
        item: As the provider gives it; says which others it supersedes.
        covers: Share of the ground that its outline covers, 0 to 1.
        told: `(band, scale, offset)` of one band of a product whose offset changed over time, None
            for other products; scale and offset are None where the archive does not tell.
        synthetic: True when its pixels are simulated.
    """

    item: Item
    covers: float
    told: tuple[str, float | None, float | None] | None
    synthetic: bool

    @property
    def supersedes(self) -> tuple[str, ...]:
        """Ids of the earlier processings that a build leaves out for it."""
        return tuple(self.item.properties.get(SUPERSEDES, ()))

    @property
    def baseline(self) -> str:
        """Processing baseline or version as the archive writes it, or `""`."""
        told = (self.item.properties.get(key) for key in BASELINES)
        return next((str(value) for value in told if value), "")


@dataclass(frozen=True, slots=True)
class Sight:
    """The answer to a question.

    Attributes:
        provider: Who was asked.
        collection: The provider's name of the collection.
        seen: At least one, ordered by time and id, without those that others supersede.
        found: How many items there were before that.
    """

    provider: str
    collection: str
    seen: tuple[Seen, ...]
    found: int


def look(asked: Question) -> Sight:
    """Search an archive for the items that a build would choose from. Reads no pixel.

    Raises:
        RecipeError: There is no such product or provider, or the two do not fit.
        AuthError: No provider that keeps the product can be used here.
        NoItemsError: Nothing matches; with what to widen.
        ProviderError: The archive cannot be reached, or does not deliver.
    """
    product, locations = _product(asked), _locations(asked)
    name = _choose(asked, product, locations)
    wish = Wish("", name, asked.archive, asked.sandbox, None, asked.endpoints)
    refuse_unused(wish, {product.id: name})
    entry = _entry(product, name)
    provider = open_provider(name, locations)
    refuse_unreachable(name, locations)
    span = None if product.temporal == "static" else asked.span
    query = Query(entry.collection, asked.ground, span, asked.where)
    items = provider.search(query)
    if not items:
        raise _nothing(provider, query)
    seen = tuple(_seen(item, product, entry, provider, query) for item in latest(items))
    return Sight(name, entry.collection, seen, len(items))


def _product(asked: Question) -> Product:
    """Return the product's table.

    Raises:
        RecipeError: There is none, or it has dates and no time was given.
    """
    products = resources.products()
    if asked.product not in products:
        fix = nearest(asked.product, products)
        raise RecipeError("--product", f'there is no product "{asked.product}"', "", fix)
    product = products[asked.product]
    if asked.span is None and product.temporal != "static":
        raise RecipeError(
            "--time",
            "it is missing",
            f"{product.id} is a series, and an archive holds years of it.",
            "Give --time 2018-06-01/2018-06-12; the end is excluded.",
        )
    return product


def _locations(asked: Question) -> dict[str, str]:
    """Return where each provider is found, by name."""
    world = SandboxSettings.from_text(asked.sandbox) if asked.sandbox else SandboxSettings()
    locations = {**stac_locations(asked.endpoints), "sandbox": world.model_dump_json()}
    locations |= earthengine_locations(asked.endpoints)
    if asked.archive:
        locations["archive"] = str(Path(asked.archive).resolve())
    return locations


def _choose(asked: Question, product: Product, locations: dict[str, str]) -> str:
    """Return who is asked: whom the person names, else the first that can be used here."""
    named = asked.provider
    if named:
        _check_named(named, product)
        return named
    for name in serving(product):
        registration = REGISTRY[name]
        if name in locations and registration.is_usable and not registration.on_request:
            return name
    needs = "; ".join(f"{name} needs {REGISTRY[name].needs}" for name in serving(product))
    raise AuthError(
        f"product {product.id}",
        "no provider of it can be used here",
        "nothing is simulated or swapped in silently.",
        f"Choose one: {needs}." if needs else f"Elsewhere: {product.elsewhere}.",
    )


def _check_named(name: str, product: Product) -> None:
    """Refuse a provider that is none, lacks packages, or does not keep the product.

    Raises:
        RecipeError: With who does.
        AuthError: With what to install.
    """
    if name not in REGISTRY:
        raise RecipeError(
            "--provider", f'there is no provider "{name}"', "", nearest(name, REGISTRY)
        )
    if not REGISTRY[name].is_usable:
        raise AuthError(
            "--provider",
            f"{name} cannot be used here",
            f"it needs the packages {', '.join(REGISTRY[name].packages)}.",
            "Install them: eodata doctor says which extra has them.",
        )
    if name != ANY_STAC:
        try:
            check_provider("", product, name, resources.products().values())
        except RecipeError as error:
            raise RecipeError("--provider", error.found, error.because, error.fix) from None


def _entry(product: Product, provider: str) -> ProviderEntry:
    """Return how a provider keeps a product; an archive in no table is asked in our own words."""
    if provider == ANY_STAC:
        return ProviderEntry(collection=product.id, radiometry=product.radiometry)
    return product.providers[provider]


def _nothing(provider: Provider, query: Query) -> NoItemsError:
    """Return the error for an empty answer; with how many items `where` alone leaves out."""
    place = f"{provider.name} has no item of {query.collection} there"
    asked = "on this ground" if query.span is None else "on this ground in this time"
    if query.where:
        anyway = Query(query.collection, query.footprint, query.span)
        without = len(provider.search(anyway))
        if without:
            return NoItemsError(
                "--where",
                f"{place} that meets it",
                f"{without} items {asked} do not.",
                "Loosen --where, or leave it out to see what these items say.",
            )
    return NoItemsError(
        "" if query.span is None else "--bbox, --time",
        place,
        f"no item lies {asked}.",
        "Widen --bbox."
        if query.span is None
        else "Widen --time first, then --bbox; the end of a time is excluded.",
    )


def _seen(
    item: Item, product: Product, entry: ProviderEntry, provider: Provider, query: Query
) -> Seen:
    shared = make_valid(item.footprint).intersection(query.footprint).area
    return Seen(
        item,
        float(shared / query.footprint.area),
        _told(item, product, entry) if product.states_offset else None,
        provider.synthetic or item.is_synthetic,
    )


def _told(
    item: Item, product: Product, entry: ProviderEntry
) -> tuple[str, float | None, float | None]:
    """Return the first measured band of which the item has a file, with scale and offset."""
    measured = [band.name for band in product.bands if band.kind == "continuous"]
    for name in measured:
        asset = item.assets.get(entry.assets.get(name, name))
        if asset is not None:
            return name, asset.scale, asset.offset
    return measured[0], None, None


def bbox_of(footprint: BaseGeometry) -> tuple[float, float, float, float]:
    """Return `(west, south, east, north)`; west is above east across the date line (RFC 7946)."""
    west, south, east, north = footprint.bounds
    parts: Sequence[BaseGeometry] = getattr(footprint, "geoms", (footprint,))
    if east - west > 180.0 and len(parts) > 1:
        west = min(part.bounds[0] for part in parts if part.bounds[0] >= 0)
        east = max(part.bounds[2] for part in parts if part.bounds[2] <= 0)
    return west, south, east, north
