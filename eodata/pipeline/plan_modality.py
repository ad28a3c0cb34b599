"""What one modality reads and stores: product table, provider and recipe made one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.composite import SchmittComposite
from eodata.core.derivation import (
    MASKS,
    ClassMap,
    ClassMask,
    CloudShadowRules,
    Derived,
    Threshold,
)
from eodata.core.derived_rules import GUIDE_BANDS
from eodata.core.modality_plan import BandRead, ModalityPlan, band_position
from eodata.core.product import BandEntry, Product, ProviderEntry
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.core.recipe_queries import bands_of, gsd_of, product_of
from eodata.core.scheme import Scheme
from eodata.pipeline.derived_bands import derived_bands
from eodata.pipeline.resampling import default_resampling

CLOUD_SCORES = ("s2cloudless", "schmitt-score")
"""Derivations whose numbers rise with cloud."""


def plan_modality(
    recipe: Recipe,
    name: str,
    products: Mapping[str, Product],
    schemes: Mapping[str, Scheme],
    providers: Mapping[str, str],
    earlier: Mapping[str, ModalityPlan],
) -> ModalityPlan:
    """Decide what a modality reads and stores.

    Args:
        recipe: A checked recipe.
        name: Which of its modalities.
        products: All product tables by id.
        schemes: All tables of schemes by id.
        providers: Name of the provider per source modality.
        earlier: Modalities that are decided already, the source of a derived one among them.
    """
    modality = recipe.modalities[name]
    product = product_of(recipe, name, products)
    gsd = gsd_of(recipe, name, products)
    static = product.temporal == "static"
    if isinstance(modality, Derived):
        return _plan_derived(name, modality, product, gsd, earlier, schemes)
    provider = providers[modality.follow or name]
    entry = product.providers[provider]
    entries = bands_of(recipe, name, products)
    reads = tuple(_band_read(e, entry, modality, gsd, modality.resampling) for e in entries)
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
        composite=modality.composite.by if modality.composite else "",
        guides=_guides(modality, product, entry),
    )


def _plan_derived(
    name: str,
    modality: Derived,
    product: Product,
    gsd: float,
    earlier: Mapping[str, ModalityPlan],
    schemes: Mapping[str, Scheme],
) -> ModalityPlan:
    source = earlier[modality.from_]
    scheme = schemes[modality.scheme] if isinstance(modality, ClassMap) else None
    return ModalityPlan(
        name=name,
        gsd=gsd,
        static=source.static,
        role=modality.role,
        reads=(),
        bands=derived_bands(name, modality, source.bands, gsd, scheme),
        provider="",
        product=product.id,
        collection="",
        radiometry=modality.derive,
        derive=modality.derive,
        source=modality.from_,
        classes=modality.classes if isinstance(modality, ClassMask) else (),
        recode=tuple(sorted(scheme.recode.items())) if scheme else (),
        is_mask=isinstance(modality, MASKS),
        takes=_taken(modality, source),
        marks_cloud=_marks_cloud(modality, source, product),
    )


def _taken(modality: Derived, source: ModalityPlan) -> int | None:
    """Return the position of the one band that it takes, None for those that take all."""
    if not isinstance(modality, ClassMask | ClassMap | Threshold):
        return None
    kind = "continuous" if isinstance(modality, Threshold) else "categorical"
    return band_position(source.bands, modality.band, kind)


def _marks_cloud(modality: Derived, source: ModalityPlan, product: Product) -> bool:
    """Return True for a mask of clouds and their shadows, and of nothing else.

    Classes must be ones that are measured and yet not clear; numbers must be cloud scores.
    """
    if isinstance(modality, CloudShadowRules):
        return True
    if isinstance(modality, Threshold):
        side = "above" if source.derive in CLOUD_SCORES else product.cloudy
        return side is not None and getattr(modality, side) is not None
    if not isinstance(modality, ClassMask) or source.derive:
        return False
    clear, measured = product.validity.get("clear"), product.validity.get("measured")
    if clear is None:
        return False
    cloudy = set(clear.invalid) - set(measured.invalid if measured else ())
    return set(modality.classes) <= cloudy


def _guides(
    modality: SourceModality, product: Product, provider: ProviderEntry
) -> tuple[BandRead, ...]:
    """Return what a composite looks at to rank pixels, on its own pixel size."""
    composite = modality.composite
    if not isinstance(composite, SchmittComposite):
        return ()
    bands = [product.band(name) for name in GUIDE_BANDS]
    return tuple(_band_read(band, provider, modality, composite.gsd) for band in bands)


def _band_read(
    entry: BandEntry,
    provider: ProviderEntry,
    modality: SourceModality,
    gsd: float,
    resampling: str | None = None,
) -> BandRead:
    asset = provider.assets.get(entry.name, entry.name)
    method = resampling or default_resampling(entry.kind, entry.gsd, gsd)
    return BandRead(entry.to_band(), asset, method, modality.warped_by)


def _validity(
    modality: SourceModality, product: Product, provider: ProviderEntry, gsd: float
) -> tuple[BandRead, tuple[int, ...]] | None:
    rule = product.validity.get(modality.valid)
    if rule is None:
        return None
    return _band_read(product.band(rule.band), provider, modality, gsd), rule.invalid
