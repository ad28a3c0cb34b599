"""Which acquisitions fill the steps of one area, modality by modality. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eodata.core.item import Acquisition, Item, group_passes
from eodata.core.patch import Area
from eodata.core.recipe import Recipe
from eodata.core.recipe_modality import SourceModality
from eodata.pipeline.choose import (
    choose_acquisition,
    composite_acquisitions,
    pair_acquisition,
    static_acquisition,
)


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills one step of one area.

    Attributes:
        acquisitions: The preferred first; none for a gap, one unless it is a composite.
        reason: Why there is a gap; `""` otherwise.
        composite: True when all of them become one image.
    """

    acquisitions: tuple[Acquisition, ...]
    reason: str = ""
    composite: bool = False


Filled = dict[str, list[Filling]]
"""Per area one filling per step."""


def fill_area(
    recipe: Recipe,
    modality: SourceModality,
    area: Area,
    items: Sequence[Item],
    chosen: Mapping[str, Filled],
    *,
    static: bool,
) -> list[Filling]:
    """Fill every step of a modality in one area.

    Args:
        recipe: Gives the steps.
        modality: Chooses for itself, or pairs with one that is in `chosen`.
        area: Where; may have a time of its own.
        items: All items of the area, any time.
        chosen: What fills the modalities that were decided before.
        static: The layer has no steps.
    """
    span = area.time or recipe.time.span
    if static:
        found = static_acquisition(items, area.geometry, span.middle)
        return [_one(found, "" if found else "no item covers this area")]
    acquisitions = group_passes(items)
    if modality.pair is not None:
        partners = chosen[modality.pair.with_][area.id]
        times = [p.acquisitions[0].datetime if p.acquisitions else None for p in partners]
        return [
            _one(
                *pair_acquisition(acquisitions, time, area.geometry, modality.pair, modality.choose)
            )
            for time in times
        ]
    steps = span.steps(recipe.time.steps)
    if modality.composite is None:
        return [
            _one(*choose_acquisition(acquisitions, step, area.geometry, modality.choose))
            for step in steps
        ]
    return [
        Filling(
            *composite_acquisitions(
                acquisitions, step, area.geometry, modality.choose, modality.composite
            ),
            composite=True,
        )
        for step in steps
    ]


def _one(found: Acquisition | None, reason: str) -> Filling:
    return Filling((found,) if found else (), reason)
