"""What a recipe may say about a modality: what is read, when, how it is chosen."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from eodata.core.composite import Composite
from eodata.core.coregistration import CoregisterSpec
from eodata.core.derivation import NAMES, Derived, DerivedModality
from eodata.core.recipe_time import Gap
from eodata.core.strict import Strict
from eodata.core.where import EVERYTHING, Where

Resampling = Literal["nearest", "bilinear", "cubic", "average", "mode"]
WarpedBy = Literal["client", "server"]


class Choose(Strict):
    """How one acquisition is chosen for a step; ties go to the smaller id."""

    by: Literal["least-cloudy", "coverage-then-time", "nearest"] = Field(
        default="coverage-then-time",
        description="least-cloudy: least of the area hidden, by stated cloud or for not being "
        "covered, then nearest to the middle of the step. coverage-then-time: most of the area "
        "covered, then nearest. nearest: time alone.",
    )
    max_cloud: float | None = Field(
        default=None, ge=0, le=100, description="Highest cloud cover [%] that the archive states."
    )
    min_cloud: float | None = Field(
        default=None, ge=0, le=100, description="Lowest cloud cover [%] that the archive states."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Choose:
        if (self.min_cloud or 0.0) > (100.0 if self.max_cloud is None else self.max_cloud):
            raise ValueError("min_cloud is above max_cloud")
        return self


class Pair(Strict):
    """Take the acquisition nearest in time to that of another modality.

    One that shows less than nine tenths of what another within the gap shows of the area is passed
    over.
    """

    with_: str = Field(alias="with")
    within: Gap = Field(description="Largest gap, for example 14d or 36h.")
    apart: Gap = Field(
        default=timedelta(0),
        description="Smallest gap: with 1h another image of the same product is never the same.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Pair:
        if self.apart > self.within:
            raise ValueError("apart is longer than within")
        return self


class SourceModality(Strict):
    """A modality that is read from an archive."""

    product: str
    bands: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all"
    gsd: float | None = Field(
        default=None, gt=0, description="Pixel size [m]; default: the finest of its bands."
    )
    provider: str | None = None
    where: Where = Field(
        default=EVERYTHING,
        json_schema_extra={"default": {}},
        description="Read only items whose properties match: per property a value, a list of "
        "values, or `{min, max}`. Text is compared without regard to case; an item without the "
        "property does not match.",
    )
    anchor: bool = Field(
        default=False, description="A sample without a single done step of it is rejected."
    )
    choose: Choose = Choose()
    composite: Composite | None = Field(
        default=None,
        description="Make one image of all acquisitions of a step; without it a step is one "
        "acquisition.",
    )
    pair: Pair | None = None
    follow: str | None = Field(
        default=None, description="Read the very items that were chosen for this modality."
    )
    resampling: Resampling | None = Field(
        default=None,
        description="Default by the band's kind: average or bilinear, mode or nearest.",
    )
    warped_by: WarpedBy = Field(
        default="client",
        description="Who brings pixels onto the grid of the patches. server: the archive, so that "
        "fewer bytes travel; earthengine alone can. Pixels differ a little from those of client.",
    )
    valid: str = Field(
        default="measured", description="Validity rule of the product, such as measured or clear."
    )
    role: Literal["input", "target"] = "input"
    coregister_to: CoregisterSpec | None = Field(
        default=None,
        description="Move every item onto a reference: a modality, or one step or item of it. "
        "Without it shifts are only measured.",
    )
    coregister_bands: str = Field(
        default="", description="Move the bands of every item onto this one of them."
    )

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> SourceModality:
        if self.pair is not None and self.follow is not None:
            raise ValueError("pair and follow exclude each other")
        if self.anchor and (self.pair is not None or self.follow is not None):
            raise ValueError("the anchor chooses for itself: it has no pair and no follow")
        if self.choose != Choose() and self.follow is not None:
            raise ValueError("follow chooses already: choose belongs to its leader")
        if self.choose.by != Choose().by and self.pair is not None:
            raise ValueError("a pair is chosen by time: of choose only cloud limits fit beside it")
        if self.composite is not None and (self.pair is not None or self.follow is not None):
            raise ValueError(
                "a composite takes all acquisitions of a step: it has no pair and no follow"
            )
        if self.follow is not None and (self.coregister_to or self.coregister_bands):
            raise ValueError("follow reads items where its leader has them: so the leader is moved")
        if self.where and self.follow is not None:
            raise ValueError("follow reads the items of its leader: where belongs to the leader")
        return self


def _kind_of_modality(data: Any) -> str:
    if isinstance(data, dict):
        return f"<{data['derive']}>" if "derive" in data else "<source>"
    return f"<{data.derive}>" if isinstance(data, Derived) else "<source>"


Modality = Annotated[
    Annotated[SourceModality, Tag("<source>")] | DerivedModality,
    Discriminator(
        _kind_of_modality,
        custom_error_type="unknown_derivation",
        custom_error_message=f"derive is one of {', '.join(NAMES)}",
    ),
]
