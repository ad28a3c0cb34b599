"""What a recipe may say about co-registration, and what a plan makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import Field, model_validator

from eodata.core.strict import Strict

REACH_PX = 6
"""How far shifts are looked for along each axis [px], unless the recipe says otherwise."""
LEAST_PX = 0.1
"""Smaller shifts are left alone [px]: what is measured is not more certain."""

ERRORS = 2.0
"""Nothing is moved by a shift that is shorter than this many of its standard errors."""
SURE = 0.9
"""Nothing is moved by a shift that is less likely than this to be right."""

Sight = Literal["optical", "radar", "classes"]
"""What a modality shows of the ground, as far as that can be compared."""
POLARISATIONS = frozenset({"vv", "vh", "hh", "hv"})
SEEN = ("red", "nir", "swir16", "green", "blue")
"""Bands that show edges of the ground, by common name, the best first."""


class Described(Protocol):
    """A band as far as its kind and names go."""

    @property
    def name(self) -> str:
        """Its own name."""

    @property
    def common_name(self) -> str:
        """STAC name."""

    @property
    def kind(self) -> str:
        """Continuous, categorical or bitmask."""


def sight_of(bands: Iterable[Described]) -> Sight | None:
    """Return what bands show of the ground; None for what is not compared: heights, lights."""
    known = list(bands)
    if any(band.name in POLARISATIONS for band in known):
        return "radar"
    if any(band.common_name in SEEN and band.kind == "continuous" for band in known):
        return "optical"
    return "classes" if any(band.kind == "categorical" for band in known) else None


def nests(gsd: float, other: float) -> bool:
    """Return True when the pixels of one modality are whole groups of the other's."""
    ratio = max(gsd, other) / min(gsd, other)
    return abs(ratio - round(ratio)) < 1e-6


class CoregisterSpec(Strict):
    """Move every item onto a reference, by translating the grid that it is read on.

    Written as one word it is the name of a modality. Neither step nor item means the clearest
    acquisition of the area, as stated by the archive.
    """

    modality: str = Field(
        default="", description="Which modality is the reference; default: this one, at one step."
    )
    step: int | None = Field(default=None, ge=0, description="Step of the reference.")
    item: str = Field(default="", description="The step of the reference that holds this item.")
    least: float = Field(
        default=LEAST_PX, ge=0, le=1, description="Smaller shifts are left alone [px]."
    )
    reach: int = Field(
        default=REACH_PX, ge=1, le=32, description="Largest shift along each axis [px]."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, told: Any) -> Any:
        if isinstance(told, str):
            return {"modality": told}
        if not isinstance(told, dict | CoregisterSpec):
            raise ValueError(
                "it is the name of a modality, or {modality, step} or {modality, item}"
            )
        return told

    @model_validator(mode="after")
    def _one_way(self) -> CoregisterSpec:
        if self.step is not None and self.item:
            raise ValueError("step and item exclude each other")
        return self


@dataclass(frozen=True, slots=True)
class Alignment:
    """What a modality is compared with, and whether it is moved.

    Attributes:
        to: The reference, a modality that is read; possibly the same.
        bands: Positions of the own bands that are compared.
        to_bands: Positions of those of the reference.
        sight: What the modality shows.
        to_sight: What the reference shows.
        alike: True when both sides show the ground in the same way, band by band.
        moves: True when items are moved onto the reference; False when shifts are only measured.
        step: Step of the reference; None for the one with `item`, or the clearest of each block.
        item: Which item the reference must hold, `""` for any.
        least: Smaller shifts are left alone [px].
        reach: Largest shift along each axis [px].
    """

    to: str
    bands: tuple[int, ...]
    to_bands: tuple[int, ...]
    sight: Sight
    to_sight: Sight
    alike: bool
    moves: bool = False
    step: int | None = None
    item: str = ""
    least: float = LEAST_PX
    reach: int = REACH_PX

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Alignment:
        """Read what `dataclasses.asdict` made of it."""
        return cls(
            **{**data, "bands": tuple(data["bands"]), "to_bands": tuple(data["to_bands"])},
        )
