"""Schemes as data: how the classes of one legend become those of another. One YAML table each."""

from __future__ import annotations

from pydantic import Field, model_validator

from eodata.core.errors import RecipeError
from eodata.core.product import ClassEntry
from eodata.core.strict import Strict

LARGEST_CLASS = 255
"""Class maps are stored as one byte per pixel."""


class Scheme(Strict):
    """One legend made from another."""

    id: str
    title: str
    source: str = Field(description="PRODUCT.BAND whose classes it takes.")
    recode: dict[int, int] = Field(
        min_length=1, description="New class by old class; pixels of any other become invalid."
    )
    classes: tuple[ClassEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _legend_is_whole(self) -> Scheme:
        known = {entry.value for entry in self.classes}
        numbers = [*known, *self.recode]
        if len(known) < len(self.classes) or not 0 <= min(numbers) <= max(numbers) <= LARGEST_CLASS:
            raise RecipeError(
                "classes",
                f"they are {', '.join(str(entry.value) for entry in self.classes)}",
                f"classes, recoded ones too, are different numbers from 0 to {LARGEST_CLASS}.",
                "Give each its own.",
            )
        unknown = sorted(set(self.recode.values()) - known)
        if unknown:
            raise RecipeError(
                "recode",
                f"{unknown[0]} stands in no entry of classes",
                "every class needs a name and a colour.",
                "Add it to classes.",
            )
        return self
