"""What a recipe may say about composites: how several acquisitions of a step become one image."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from eodata.core.strict import Strict

AtMost = Annotated[
    int | None,
    Field(ge=1, description="Take this many acquisitions, the first by choose; default: all."),
]


MadeBy = Annotated[
    Literal["client", "server"],
    Field(
        description="Who makes it: eodata, or the archive, which then sends one image instead of "
        "all (Earth Engine alone). The pixels are the same."
    ),
]


class MedianComposite(Strict):
    """Per pixel and band the median of all acquisitions."""

    by: Literal["median"]
    at_most: AtMost = None
    made_by: MadeBy = "client"


class TopComposite(Strict):
    """Per pixel the first valid acquisition; the latest on top, as mosaics of Earth Engine are."""

    by: Literal["latest-on-top", "least-cloudy-on-top"]
    at_most: AtMost = None
    made_by: MadeBy = "client"


class HighestComposite(Strict):
    """Per pixel the acquisition in which one band is highest, as in a quality mosaic.

    Of equal numbers the acquisition wins that `choose` prefers. All bands of a pixel come from the
    same acquisition; one that is not valid there never wins.
    """

    by: Literal["highest"]
    band: str = Field(
        min_length=1, description="A band that the modality stores, compared as stored; no classes."
    )
    at_most: AtMost = None
    made_by: MadeBy = "client"


class Shadows(Strict):
    """Where clouds throw their shadows, and which pixels are dark enough to be one."""

    lowest: float = Field(default=200.0, gt=0, description="Lowest cloud [m above ground].")
    highest: float = Field(
        default=10_000.0, gt=0, le=20_000, description="Highest cloud [m above ground]."
    )
    step: float = Field(default=250.0, ge=10, description="Distance of tried heights [m].")
    dark_below: float = Field(
        default=0.3, gt=0, description="Sum of B08, B11 and B12 reflectance of a dark pixel."
    )
    water_below: float = Field(default=-0.1, description="NDVI of water, which is no shadow.")

    @model_validator(mode="after")
    def _ordered(self) -> Shadows:
        if self.highest < self.lowest:
            raise ValueError("highest is below lowest")
        return self


class SchmittComposite(Strict):
    """Best pixels by cloud, shadow and distance to both (Schmitt et al. 2019), for Sentinel-2 L1C.

    Source: doi:10.5194/isprs-annals-IV-2-W7-145-2019. Images that are nearly free of clouds over
    the area lie on top; below them each pixel comes from the image with the best score.
    """

    by: Literal["schmitt-2019"]
    at_most: AtMost = None
    cloud_above: float = Field(
        default=0.2, gt=0, lt=1, description="Cloud score of pixels that count as cloudy."
    )
    keep_below: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Images with a smaller cloudy fraction of the area lie on top of all others.",
    )
    gsd: float = Field(
        default=20.0, ge=10, le=60, description="Pixel size at which scores are made [m]."
    )
    survey_gsd: float = Field(
        default=60.0,
        ge=10,
        le=500,
        description="Pixel size at which the cloudy fraction of an area is measured [m].",
    )
    shadows: Shadows = Shadows()


_TAGS = {
    "median": "<median>",
    "highest": "<highest>",
    "schmitt-2019": "<schmitt>",
    "latest-on-top": "<top>",
    "least-cloudy-on-top": "<top>",
}


def _kind(data: Any) -> str | None:
    by = data.get("by") if isinstance(data, dict) else getattr(data, "by", None)
    return _TAGS.get(str(by))


Composite = Annotated[
    Annotated[MedianComposite, Tag("<median>")]
    | Annotated[HighestComposite, Tag("<highest>")]
    | Annotated[SchmittComposite, Tag("<schmitt>")]
    | Annotated[TopComposite, Tag("<top>")],
    Discriminator(
        _kind,
        custom_error_type="unknown_composite",
        custom_error_message=f"by is one of {', '.join(_TAGS)}",
    ),
]
