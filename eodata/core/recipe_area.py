"""What a recipe may say about ground: areas from a file, a box or chance, cut into patches."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from eodata.core.recipe_sources import RelativePath
from eodata.core.strict import Strict

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Draw(Strict):
    """One set of random areas; its ids begin with seed and season."""

    seed: int = Field(ge=0, description="Decides the points; the same on every machine.")
    season: str = Field(
        default="", pattern="^[A-Za-z0-9-]*$", description="Season of all areas of this draw."
    )


class SampleSpec(Strict):
    """Random areas over land and towns (Natural Earth 1:50m), redrawn alike from their seeds."""

    draws: Annotated[tuple[Draw, ...], Field(min_length=1)]
    land: int = Field(ge=0, description="Points per draw, even over all land but Antarctica.")
    urban: int = Field(default=0, ge=0, description="Points per draw, even over all towns.")
    apart: float = Field(
        default=0.0,
        ge=0,
        description="A point nearer than this [m] to an earlier one of any draw is dropped.",
    )

    @model_validator(mode="after")
    def _some(self) -> SampleSpec:
        if self.land + self.urban == 0:
            raise ValueError("land and urban are both 0: there would be no area")
        names = [(d.seed, d.season) for d in self.draws]
        if len(set(names)) < len(names):
            raise ValueError("two draws have the same seed and season, so their ids would collide")
        return self


class AreaSpec(Strict):
    """Which ground, cut into which patches. All lengths in metres."""

    file: RelativePath | None = Field(
        default=None, description="Vector file with the areas: polygons, or points with side."
    )
    bbox: tuple[float, float, float, float] | None = Field(
        default=None, description="(west, south, east, north) in degrees."
    )
    sample: SampleSpec | None = None
    side: float | None = Field(
        default=None,
        gt=0,
        description="Edge of the square that a point becomes, in the CRS of its patches [m].",
    )
    only: dict[str, Words] = Field(
        default_factory=dict,
        description="Keep the areas of the file whose properties have one of the values.",
    )
    crs: str = Field(default="utm", description="utm, an authority code, a PROJ string or WKT.")
    patch: float = Field(gt=0, description="Edge of a patch [m].")
    stride: float | None = Field(default=None, gt=0, description="Default: the patch's edge [m].")
    align: Literal["lattice", "area"] = Field(
        default="lattice",
        description="Patch corners at multiples of the stride, or at the area's own corner.",
    )
    cover: float = Field(
        default=0.999, gt=0, le=1, description="Least fraction of a patch inside the area."
    )

    @model_validator(mode="after")
    def _one_ground(self) -> AreaSpec:
        if sum(given is not None for given in (self.file, self.bbox, self.sample)) != 1:
            raise ValueError("give exactly one of file, bbox and sample")
        if self.sample is not None and self.side is None:
            raise ValueError("random areas are squares around points: give side, their edge [m]")
        if self.bbox is not None and self.side is not None:
            raise ValueError("side is the edge of squares about points, and a bbox has none")
        if self.only and self.file is None:
            raise ValueError("only chooses among the areas of a file, and there is none")
        if self.side is not None and self.side < self.patch:
            raise ValueError(f"side = {self.side:g} is shorter than patch: no patch would fit")
        if self.bbox is not None:
            west, south, east, north = self.bbox
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise ValueError(
                    "bbox is (west, south, east, north) in degrees with west < east and "
                    "south < north; cut areas at the date line in two"
                )
        return self

    @property
    def stride_m(self) -> float:
        """Distance of neighbouring patches [m]."""
        return self.patch if self.stride is None else self.stride
