"""Where a recipe says that its archives are: catalogs on disk, STAC APIs, Earth Engine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from eodata.core.strict import Strict

RelativePath = Annotated[
    str, Field(min_length=1, description="File beside the recipe; it may not leave that folder.")
]


class ArchiveSpec(Strict):
    """A static STAC catalog on disk, for the provider `archive`."""

    catalog: RelativePath
    like: str = Field(
        default="",
        description="Endpoint whose collections and asset keys it has, such as earth-search; "
        "without it they are those of the product's table.",
    )


class StacSpec(Strict):
    """A STAC API that is in no table, for the provider `stac`."""

    url: str = Field(pattern="^https?://", description="Root of the API.")
    like: str = Field(
        default="",
        description="Endpoint whose collections and asset keys it has, such as earth-search; "
        "without it they are called as eodata calls products and bands.",
    )


class EarthEngineSpec(Strict):
    """Who asks Earth Engine, for the provider `earthengine`; says nothing about the dataset."""

    project: str = Field(
        pattern=r"^[a-z][a-z0-9.:-]{4,60}$",
        description="Cloud project that requests are counted for; else EARTHENGINE_PROJECT.",
    )
