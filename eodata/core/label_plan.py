"""Labels of whole samples as a plan has them, with everything decided: no table is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eodata.core.errors import RecipeError
from eodata.core.scheme import LARGEST_CLASS


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Which classes a sample shows, and how much of each.

    Attributes:
        name: As in the recipe; also the name of the table.
        modality: Static modality that it is counted from.
        band: Position of its class band.
        legend: `(value, name, "rrggbb")` of each class after recoding, by rising value 0 to 255.
        recode: `(old, new)` class; pixels of any other class do not count. Empty: no recoding.
        least: Fraction of the counted pixels from which a class counts as present.

    Raises:
        RecipeError: The legend cannot be told apart in a table.
    """

    name: str
    modality: str
    legend: tuple[tuple[int, str, str], ...]
    recode: tuple[tuple[int, int], ...]
    least: float
    band: int = 0

    def __post_init__(self) -> None:
        where = f"labels.{self.name}"
        values, names = [value for value, _, _ in self.legend], [name for _, name, _ in self.legend]
        if not values:
            raise RecipeError(
                f"{where}.from",
                f"the class band of {self.modality} has no legend",
                "labels have one column per class.",
                "Add classes to the product table, or name a scheme that has a legend.",
            )
        if sorted(set(values)) != values or not 0 <= values[0] <= values[-1] <= LARGEST_CLASS:
            raise RecipeError(
                where,
                f"the classes of its legend are {', '.join(map(str, values))}",
                f"they must be different, rising numbers from 0 to {LARGEST_CLASS}.",
                "Join the classes by a scheme.",
            )
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise RecipeError(
                where,
                f'two classes of its legend are called "{twice}"',
                "labels have one column per class, by its name.",
                "Give them different names, or join them by a scheme.",
            )


def label_from_json(data: Mapping[str, Any]) -> LabelPlan:
    """Read what `dataclasses.asdict` made of a `LabelPlan`."""
    return LabelPlan(
        name=data["name"],
        modality=data["modality"],
        legend=tuple((value, name, colour) for value, name, colour in data["legend"]),
        recode=tuple((old, new) for old, new in data["recode"]),
        least=data["least"],
        band=data["band"],
    )
