"""Labels of whole samples: the recipe's wish and the legends made one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.label_plan import LabelPlan
from eodata.core.modality_plan import ModalityPlan, band_position
from eodata.core.recipe import LabelSpec, Recipe
from eodata.core.scheme import Scheme


def plan_labels(
    recipe: Recipe, modalities: Mapping[str, ModalityPlan], schemes: Mapping[str, Scheme]
) -> tuple[LabelPlan, ...]:
    """Decide everything about the labels of a checked recipe, in its order.

    Args:
        recipe: Its labels come from static modalities with one class band.
        modalities: All of them, decided.
        schemes: All tables of schemes by id.

    Raises:
        RecipeError: A legend cannot be told apart in a table.
    """
    return tuple(
        _plan(n, spec, modalities[spec.from_], schemes) for n, spec in recipe.labels.items()
    )


def _plan(
    name: str, spec: LabelSpec, source: ModalityPlan, schemes: Mapping[str, Scheme]
) -> LabelPlan:
    scheme = schemes[spec.scheme] if spec.scheme else None
    band = band_position(source.bands, spec.band, "categorical")
    legend = (
        tuple((entry.value, entry.name, entry.colour) for entry in scheme.classes)
        if scheme
        else source.bands[band].classes
    )
    return LabelPlan(
        name=name,
        modality=spec.from_,
        legend=tuple(sorted(legend)),
        recode=tuple(sorted(scheme.recode.items())) if scheme else (),
        least=spec.least,
        band=band,
    )
