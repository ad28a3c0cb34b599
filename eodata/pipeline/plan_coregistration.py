"""What every modality is compared with: by the recipe's wish, or by rule. Pure.

Without a wish the reference is the modality that leads: the anchor, or else the first optical one,
or else the first radar. It is compared with its own clearest step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from eodata.core.band import Band
from eodata.core.coregistration import SEEN, Alignment, CoregisterSpec, Sight, nests, sight_of
from eodata.core.modality_plan import ModalityPlan
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality

ALIKE_BANDS = 2
"""Optical bands that are compared with those of another optical image; more tell little more."""
MIXED_BANDS = 2
"""Optical bands that are compared with radar or classes."""


def plan_alignments(recipe: Recipe, planned: Mapping[str, ModalityPlan]) -> dict[str, ModalityPlan]:
    """Return the modalities with what each is compared with.

    Args:
        recipe: A checked recipe.
        planned: Its modalities, otherwise decided.
    """
    eligible = {
        name: sight
        for name, modality in recipe.modalities.items()
        if isinstance(modality, SourceModality) and modality.follow is None
        if (sight := sight_of(planned[name].bands))
    }
    leading = _leading(recipe, eligible, planned) if recipe.checks.measure_shifts else ""
    return {
        name: replace(
            modality,
            alignment=_alignment(recipe, name, planned, eligible, leading),
            steady_band=_steady_band(recipe, modality),
        )
        for name, modality in planned.items()
    }


def _leading(
    recipe: Recipe, eligible: Mapping[str, Sight], planned: Mapping[str, ModalityPlan]
) -> str:
    """Return the modality that the others are compared with by rule, `""` for none."""

    def rank(name: str) -> tuple[bool, bool, bool]:
        anchor = getattr(recipe.modalities[name], "anchor", False)
        return not anchor, eligible[name] != "optical", planned[name].static

    images = [name for name, sight in eligible.items() if sight != "classes"]
    return min(images, key=rank, default="")


def _alignment(
    recipe: Recipe,
    name: str,
    planned: Mapping[str, ModalityPlan],
    eligible: Mapping[str, Sight],
    leading: str,
) -> Alignment | None:
    if name not in eligible:
        return None
    spec = _spec(recipe, name)
    to = (spec.modality or name) if spec else leading
    own, other = planned[name], planned.get(to)
    if other is None or not nests(own.gsd, other.gsd):
        return None
    steps = 1 if other.static else recipe.time.steps
    if to == name and steps == 1:
        return None
    wish = spec or CoregisterSpec()
    step, item = _place(recipe, wish, to)
    bands, to_bands = _compared(own, other, eligible[name], eligible[to])
    return Alignment(
        to=to,
        bands=bands,
        to_bands=to_bands,
        sight=eligible[name],
        to_sight=eligible[to],
        moves=spec is not None,
        step=step,
        item=item,
        least=wish.least,
        reach=wish.reach,
    )


def _spec(recipe: Recipe, name: str) -> CoregisterSpec | None:
    spec: CoregisterSpec | None = getattr(recipe.modalities[name], "coregister_to", None)
    return spec


def _place(recipe: Recipe, wish: CoregisterSpec, to: str) -> tuple[int | None, str]:
    """Return step and item of a reference: what is wished, or what it is itself moved onto."""
    own = _spec(recipe, to)
    if wish.step is None and not wish.item and own is not None and own.modality in ("", to):
        return own.step, own.item
    return wish.step, wish.item


def _compared(
    own: ModalityPlan, other: ModalityPlan, sight: Sight, to_sight: Sight
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the positions of the bands that are compared on either side."""
    if sight == to_sight == "optical":
        shared = _by_stac_name(own.bands).keys() & _by_stac_name(other.bands).keys()
        names = [name for name in SEEN if name in shared][:ALIKE_BANDS]
        if names:
            pick = _by_stac_name(own.bands), _by_stac_name(other.bands)
            return tuple(pick[0][n] for n in names), tuple(pick[1][n] for n in names)
    return _shown(own.bands, sight), _shown(other.bands, to_sight)


def _shown(bands: tuple[Band, ...], sight: Sight) -> tuple[int, ...]:
    """Return the positions of the bands that show most of the ground."""
    if sight == "optical":
        known = _by_stac_name(bands)
        return tuple(known[name] for name in SEEN if name in known)[:MIXED_BANDS]
    if sight == "radar":
        return tuple(i for i, band in enumerate(bands) if band.name in ("vv", "vh", "hh", "hv"))
    return (next(i for i, band in enumerate(bands) if band.kind == "categorical"),)


def _by_stac_name(bands: tuple[Band, ...]) -> dict[str, int]:
    return {b.common_name: i for i, b in enumerate(bands) if b.kind == "continuous"}


def _steady_band(recipe: Recipe, modality: ModalityPlan) -> int | None:
    wanted = getattr(recipe.modalities[modality.name], "coregister_bands", "")
    return next((i for i, band in enumerate(modality.bands) if band.name == wanted), None)
