"""What a recipe may say about derived modalities: layers computed from others, none read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, model_validator

from eodata.core.strict import Strict

S2_CLOUDLESS_BANDS = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
SCHMITT_BANDS = ("B01", "B02", "B03", "B04", "B08", "B10", "B11")
RULE_BANDS = ("B01", "B02", "B03", "B04", "B08", "B10", "B11")


class Derived(Strict):
    """A layer that is computed from a finished one."""

    derive: str
    from_: str = Field(alias="from", description="The modality that it is computed from.")
    role: Literal["input", "target"] = "input"


class ClassMask(Derived):
    """A 0/1 layer: 1 where a class band of another modality holds one of the classes."""

    derive: Literal["class-mask"]
    from_: str = Field(alias="from", description="A modality with a class band.")
    band: str = Field(default="", description="Band of it; default: the only one of its kind.")
    classes: Annotated[tuple[int, ...], Field(min_length=1)]


class ClassMap(Derived):
    """Classes of another legend: each class of a band becomes the one that the scheme names."""

    derive: Literal["class-map"]
    from_: str = Field(alias="from", description="A modality with a class band.")
    band: str = Field(default="", description="Band of it; default: the only one of its kind.")
    scheme: str = Field(description="Name of a table of schemes, such as igbp-simplified.")


class S2Cloudless(Derived):
    """Cloud probability by s2cloudless, from Sentinel-2 L1C; needs the extra `cloudmask`."""

    derive: Literal["s2cloudless"]
    from_: str = Field(
        alias="from",
        description=f"A modality of sentinel-2-l1c with {', '.join(S2_CLOUDLESS_BANDS)}.",
    )


class CloudScore(Derived):
    """Cloud score of Schmitt et al. 2019 in [0, 1], from Sentinel-2 L1C."""

    derive: Literal["schmitt-score"]
    from_: str = Field(
        alias="from", description=f"A modality of sentinel-2-l1c with {', '.join(SCHMITT_BANDS)}."
    )


class CloudShadowRules(Derived):
    """Clouds and shadows by the rules of UnCRtainTS, from Sentinel-2 L1C: 1 is either."""

    derive: Literal["cloud-shadow-rules"]
    from_: str = Field(
        alias="from", description=f"A modality of sentinel-2-l1c with {', '.join(RULE_BANDS)}."
    )
    threshold: float = Field(default=0.2, gt=0, lt=1, description="Score above which is cloud.")


class Threshold(Derived):
    """A 0/1 layer: 1 where a number of another modality is above, or below, a threshold."""

    derive: Literal["threshold"]
    from_: str = Field(alias="from", description="A modality with a continuous band.")
    band: str = Field(default="", description="Band of it; default: the only one of its kind.")
    above: float | None = Field(default=None, description="1 where the value exceeds this [unit].")
    below: float | None = Field(default=None, description="1 where the value is less [unit].")
    average_over: int = Field(
        default=0, ge=0, le=100, description="First take the mean over a disk of this radius [px]."
    )
    dilation_size: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Afterwards grow what is marked by a disk of this radius [px].",
    )

    @model_validator(mode="after")
    def _one_side(self) -> Threshold:
        if (self.above is None) == (self.below is None):
            raise ValueError("give either above or below")
        return self


class Stretch(Derived):
    """Grey values of 8 bit: cut at some standard deviations about the mean, scaled to 0..255.

    Mean and deviation are those of the sample's valid pixels per band and step; the limits are kept
    in the column `measured` of `steps.parquet`, so the stretch can be undone but for rounding.
    """

    derive: Literal["stretch"]
    sigmas: float = Field(default=2.5, gt=0, description="Standard deviations on either side.")


MASKS = (ClassMask, CloudShadowRules, Threshold)
"""Derivations whose layers are 0 or 1."""

DerivedModality = (
    Annotated[ClassMask, Tag("<class-mask>")]
    | Annotated[ClassMap, Tag("<class-map>")]
    | Annotated[S2Cloudless, Tag("<s2cloudless>")]
    | Annotated[CloudScore, Tag("<schmitt-score>")]
    | Annotated[CloudShadowRules, Tag("<cloud-shadow-rules>")]
    | Annotated[Threshold, Tag("<threshold>")]
    | Annotated[Stretch, Tag("<stretch>")]
)
NAMES = (
    "class-mask",
    "class-map",
    "s2cloudless",
    "schmitt-score",
    "cloud-shadow-rules",
    "threshold",
    "stretch",
)
"""What may stand in `derive`."""
