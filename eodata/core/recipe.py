"""What a recipe may say: the models behind the YAML file, and the rules inside one recipe.

Rules that need the product tables stand in `eodata.core.recipe_rules`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)

from eodata.core.errors import RecipeError
from eodata.core.recipe_sources import ArchiveSpec, EarthEngineSpec, RelativePath, StacSpec
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span, parse_utc, to_utc
from eodata.core.strict import Strict
from eodata.core.where import EVERYTHING, Where

Resampling = Literal["nearest", "bilinear", "cubic", "average", "mode"]
SPLITS = ("train", "val", "test")
ITEM_KEYS = frozenset({"id", "row", "split", "bbox", "valid", "dates", "present"})
"""What an item of a torch dataset holds beside its modalities."""
RESERVED_NAMES = ITEM_KEYS | {"labels"}
"""Modalities cannot be called so; labels is a folder of the store."""
LONGEST_GAP_DAYS = 36_525


def _gap(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([dh])", str(value))
    if not match:
        raise ValueError('a time gap is a number of days or hours, such as "14d" or "36h"')
    days = float(match[1]) / (1 if match[2] == "d" else 24)
    if days > LONGEST_GAP_DAYS:
        raise ValueError(f"a time gap is at most {LONGEST_GAP_DAYS} days")
    return timedelta(days=days)


def _gap_text(value: timedelta) -> str:
    hours = value / timedelta(hours=1)
    if hours % 24 == 0:
        return f"{hours / 24:.0f}d"
    return f"{hours:.10f}".rstrip("0").rstrip(".") + "h"  # exact to the microsecond


def _instant(value: Any) -> date | datetime:
    # Two spellings of one instant must give one digest, also after a round trip by JSON; and a bare
    # number such as 2018 would be read as seconds since 1970.
    if isinstance(value, str) and "-" in value:
        value = parse_utc(value)
    if not isinstance(value, date):
        raise ValueError('a date or time is written as 2018-07-01 or "2018-07-01T10:30:00Z"')
    instant = to_utc(value)
    return instant.date() if instant.time() == time() else instant


Gap = Annotated[
    timedelta,
    BeforeValidator(_gap, json_schema_input_type=str),
    PlainSerializer(_gap_text, return_type=str),
]
Instant = Annotated[date | datetime, BeforeValidator(_instant, json_schema_input_type=str)]


class AreaSpec(Strict):
    """Which ground, cut into which patches. All lengths in metres."""

    file: RelativePath | None = Field(default=None, description="Vector file with the areas.")
    bbox: tuple[float, float, float, float] | None = Field(
        default=None, description="(west, south, east, north) in degrees."
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
        if (self.file is None) == (self.bbox is None):
            raise ValueError("give either file or bbox")
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


class TimeSpec(Strict):
    """Which time, cut into which steps: half-open [start, end) in UTC."""

    start: Instant
    end: Instant
    steps: int = Field(default=1, ge=1, description="Number of equal steps.")

    @model_validator(mode="after")
    def _ordered(self) -> TimeSpec:
        self.span.steps(self.steps)
        return self

    @property
    def span(self) -> Span:
        """The whole span."""
        return Span(to_utc(self.start), to_utc(self.end))


class Choose(Strict):
    """How one acquisition is chosen for a step; ties go to the smaller id."""

    by: Literal["least-cloudy", "coverage-then-time", "nearest"] = Field(
        default="coverage-then-time",
        description="least-cloudy: lowest stated cloud cover, then nearest to the middle of the "
        "step. coverage-then-time: most of the area covered, then nearest. nearest: time alone.",
    )
    max_cloud: float | None = Field(
        default=None, ge=0, le=100, description="Highest cloud cover [%] that the archive states."
    )


class Pair(Strict):
    """Take the acquisition nearest in time to that of another modality."""

    with_: str = Field(alias="with")
    within: Gap = Field(description="Largest gap, for example 14d or 36h.")


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
    pair: Pair | None = None
    follow: str | None = Field(
        default=None, description="Read the very items that were chosen for this modality."
    )
    resampling: Resampling | None = Field(
        default=None,
        description="Default by the band's kind: average or bilinear, mode or nearest.",
    )
    valid: str = Field(
        default="measured", description="Validity rule of the product, such as measured or clear."
    )
    role: Literal["input", "target"] = "input"

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> SourceModality:
        if self.pair is not None and self.follow is not None:
            raise ValueError("pair and follow exclude each other")
        if self.anchor and (self.pair is not None or self.follow is not None):
            raise ValueError("the anchor chooses for itself: it has no pair and no follow")
        if self.choose != Choose() and (self.pair is not None or self.follow is not None):
            raise ValueError("pair and follow choose already: choose belongs to their leader")
        if self.where and self.follow is not None:
            raise ValueError("follow reads the items of its leader: where belongs to the leader")
        return self


class ClassMask(Strict):
    """A 0/1 layer: 1 where a class band of another modality holds one of the classes."""

    derive: Literal["class-mask"]
    from_: str = Field(alias="from", description="A modality with one categorical band.")
    classes: Annotated[tuple[int, ...], Field(min_length=1)]
    role: Literal["input", "target"] = "input"


def _kind_of_modality(data: Any) -> str:
    if isinstance(data, dict):
        return "<derived>" if "derive" in data else "<source>"
    return "<derived>" if isinstance(data, ClassMask) else "<source>"


Modality = Annotated[
    Annotated[SourceModality, Tag("<source>")] | Annotated[ClassMask, Tag("<derived>")],
    Discriminator(_kind_of_modality),
]


class SplitSpec(Strict):
    """Which samples are for learning and which for judging; never decided patch by patch."""

    by: Literal["area", "cell"]
    file: RelativePath | None = Field(
        default=None, description="CSV with the columns id and split, one row per area."
    )
    cell: float | None = Field(default=None, gt=0, description="Edge of a cell [m].")
    fractions: dict[Literal["train", "val", "test"], float] | None = None
    min_distance: float = Field(
        default=0.0,
        ge=0,
        description="Patches nearer than this [m] to another split are rejected: train first.",
    )

    @model_validator(mode="after")
    def _complete(self) -> SplitSpec:
        if self.by == "cell" and (self.cell is None or self.fractions is None):
            raise ValueError("a split by cell needs cell (its edge in metres) and fractions")
        if self.by == "area" and self.cell is not None:
            raise ValueError("cell belongs to a split by cell")
        if self.file is not None and (self.by != "area" or self.fractions is not None):
            raise ValueError("file belongs to a split by area, without fractions")
        if self.fractions is not None:
            total = sum(self.fractions.values())
            if abs(total - 1.0) > 1e-6 or min(self.fractions.values()) < 0:
                raise ValueError(f"fractions must be positive and add up to 1, not {total:g}")
        return self


class Checks(Strict):
    """When a step of a sample is rejected, and how many losses are allowed."""

    min_valid: float = Field(
        default=0.0, ge=0, le=1, description="Least fraction of valid pixels per sample and step."
    )
    trust_offsets: bool = Field(
        default=False,
        description="Believe what archives state about Sentinel-2's offset, whatever pixels show.",
    )
    max_failed: float = Field(
        default=0.0, ge=0, le=1, description="Fraction of steps that may fail for good."
    )


class StoreSpec(Strict):
    """How the store is laid out on disk."""

    block: int = Field(default=64, ge=1, description="Patches per block, the unit of work.")
    chunk_steps: int = Field(default=1, ge=1, description="Steps per chunk.")
    chunk: int | None = Field(default=None, ge=1, description="Edge of a chunk [px of the patch].")
    shard_mb: float = Field(default=32.0, gt=0, description="Aim for shards of this size [MB].")
    codec: Literal["blosc-zstd", "blosc-lz4", "none"] = "blosc-zstd"
    level: int = Field(default=3, ge=1, le=9)


class Recipe(Strict):
    """One dataset: what goes in, how it is cut, paired, checked and stored."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: int = Field(default=1, ge=1)
    title: str
    description: str = ""
    task: str = Field(default="", description="For example cloud-removal or segmentation.")
    keywords: tuple[str, ...] = ()
    licence: str
    citation: str = ""
    seed: int = Field(default=0, ge=0)
    area: AreaSpec
    time: TimeSpec
    archive: ArchiveSpec | None = None
    stac: StacSpec | None = None
    sandbox: SandboxSettings | None = None
    # Who builds is no part of what is built: the plan does not hold it.
    earthengine: EarthEngineSpec | None = Field(default=None, exclude=True)
    modalities: dict[str, Modality] = Field(min_length=1)
    split: SplitSpec | None = None
    checks: Checks = Checks()
    store: StoreSpec = StoreSpec()

    @model_validator(mode="after")
    def _names(self) -> Recipe:
        for name in self.modalities:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name.endswith("_valid"):
                raise RecipeError(
                    "modalities",
                    f'a modality is called "{name}"',
                    "names are lower-case letters, digits and _, and do not end in _valid.",
                    "Choose a name such as s2 or landcover.",
                )
            if name in RESERVED_NAMES:
                raise RecipeError(
                    "modalities",
                    f'a modality is called "{name}"',
                    "samples already have a field of this name.",
                    f"Choose another, for example {name}_map.",
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values with every default written out; `parse` reads them back."""
        return self.model_dump(mode="json", by_alias=True)
