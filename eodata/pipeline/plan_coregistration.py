"""What every modality is compared with: by the recipe's wish, or by rule. Pure.

Without a wish the reference is the modality that leads: the anchor, or else the first optical one,
or else the first radar. It is compared with its own clearest step, unless it is a composite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from eodata.core.band import Band
from eodata.core.choice import Choice
from eodata.core.coregistration import (
    POLARISATIONS,
    SEEN,
    Alignment,
    CoregisterSpec,
    Sight,
    nests,
    sight_of,
)
from eodata.core.errors import RecipeError, nearest
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality

AT_MOST = 2
"""Bands that are compared on either side; more tell little more."""


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


def check_reference_items(
    modalities: Mapping[str, ModalityPlan],
    choices: Mapping[str, Mapping[str, Sequence[Choice]]],
    items: Sequence[Item],
) -> None:
    """Refuse references that no step of any area holds.

    Raises:
        RecipeError: With the nearest item that one does.
    """
    for name, modality in modalities.items():
        alignment = modality.alignment
        if alignment is None or not alignment.item:
            continue
        rows = choices[alignment.to].values()
        used = {items[i].id for row in rows for choice in row for i in choice.items}
        if alignment.item not in used:
            raise RecipeError(
                f"modalities.{name}.coregister_to.item",
                f'no step of {alignment.to} holds "{alignment.item}"',
                "only what is planned can be a reference.",
                nearest(alignment.item, used),
            )


def _leading(
    recipe: Recipe, eligible: Mapping[str, Sight], planned: Mapping[str, ModalityPlan]
) -> str:
    """Return the modality that the others are compared with by rule, `""` for none."""

    def rank(name: str) -> tuple[bool, bool, bool]:
        anchor = getattr(recipe.modalities[name], "anchor", False)
        return not anchor, eligible[name] != "optical", planned[name].static

    images = [name for name, sight in eligible.items() if sight != "classes"]
    leader = min(images, key=rank, default="")
    # What is moved onto another is no reference: the one that stands still is.
    while leader and (spec := _spec(recipe, leader)) and spec.modality not in ("", leader):
        leader = spec.modality
    return leader


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
    if eligible[name] == eligible[to] == "classes":
        return None
    steps = 1 if other.static else recipe.time.steps
    if to == name and (steps == 1 or own.composite):
        return None
    wish = spec or CoregisterSpec()
    step, item = _place(recipe, wish, to)
    bands, to_bands, alike = _compared(own, other, eligible[name], eligible[to])
    return Alignment(
        to=to,
        bands=bands,
        to_bands=to_bands,
        sight=eligible[name],
        to_sight=eligible[to],
        alike=alike,
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
) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """Return the positions of the bands that are compared on either side, and if they are alike."""
    shown, to_shown = _shown(own.bands, sight), _shown(other.bands, to_sight)
    shared = [name for name in shown if name in to_shown][:AT_MOST]
    if sight == to_sight != "classes" and shared:
        pairs = [(shown[name], to_shown[name]) for name in shared]
        return tuple(a for a, _ in pairs), tuple(b for _, b in pairs), True
    return tuple(shown.values())[:AT_MOST], tuple(to_shown.values())[:AT_MOST], False


def _shown(bands: tuple[Band, ...], sight: Sight) -> dict[str, int]:
    """Return the bands that show the ground, by name, those that show most first."""
    if sight == "radar":
        return {band.name: i for i, band in enumerate(bands) if band.name in POLARISATIONS}
    if sight == "classes":
        first = next(i for i, band in enumerate(bands) if band.kind == "categorical")
        return {bands[first].name: first}
    known = {b.common_name: i for i, b in enumerate(bands) if b.kind == "continuous"}
    return {name: known[name] for name in SEEN if name in known}


def _steady_band(recipe: Recipe, modality: ModalityPlan) -> int | None:
    wanted = getattr(recipe.modalities[modality.name], "coregister_bands", "")
    return next((i for i, band in enumerate(modality.bands) if band.name == wanted), None)
