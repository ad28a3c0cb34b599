"""What a recipe may say: the models behind the YAML file, and the rules inside one recipe.

Ground, time and modalities have modules of their own (`recipe_area`, `recipe_time`,
`recipe_modality`). Rules that need the product tables stand in `eodata.core.recipe_rules`.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from eodata.core.errors import RecipeError
from eodata.core.recipe_area import AreaSpec
from eodata.core.recipe_modality import Modality
from eodata.core.recipe_sources import ArchiveSpec, EarthEngineSpec, RelativePath, StacSpec
from eodata.core.recipe_time import TimeSpec
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.strict import Strict, settings_in

SPLITS = ("train", "val", "test")
ITEM_KEYS = frozenset({"id", "row", "split", "bbox", "valid", "dates", "present"})
"""What an item of a torch dataset holds beside its modalities."""
RESERVED_NAMES = ITEM_KEYS | {"labels"}
"""Modalities cannot be called so; labels is a folder of the store."""


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
    measure_shifts: bool = Field(
        default=True, description="Measure how far every modality lies from its reference."
    )
    max_shift_px: float | None = Field(
        default=None, gt=0, description="Largest measured misfit [px of the modality]."
    )
    beyond_shift: Literal["reject", "flag"] = Field(
        default="reject", description="What becomes of a step whose misfit is larger."
    )

    unmeasured_shift: Literal["pass", "flag", "reject"] = Field(
        default="pass",
        description="With max_shift_px: what becomes of a step whose misfit cannot be measured.",
    )

    @model_validator(mode="after")
    def _measured(self) -> Checks:
        if self.max_shift_px is not None and not self.measure_shifts:
            raise ValueError("max_shift_px needs measure_shifts: a misfit must be measured first")
        return self


class LabelSpec(Strict):
    """Labels of whole samples: which classes a class layer shows, and how much of each."""

    from_: str = Field(alias="from", description="A static modality with a class band.")
    band: str = Field(default="", description="Band of it; default: its only class band.")
    scheme: str = Field(
        default="", description="Table of schemes that joins classes first; default: none."
    )
    least: float = Field(
        default=0.1, gt=0, le=1, description="Fraction from which a class counts as present."
    )


class ScaleSpec(Strict):
    """A miniature of the same dataset: fewer and smaller areas, fewer steps, fewer images."""

    areas: int | None = Field(
        default=None, ge=1, description="Keep this many areas, taken in turn from each split."
    )
    side: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Keep a square with this edge about each area's middle [m].",
    )
    steps: int | None = Field(
        default=None, ge=1, description="Keep the first steps; they stay as long as they were."
    )
    images: int | None = Field(
        default=None, ge=1, description="Make composites of at most this many acquisitions."
    )

    @classmethod
    def from_text(cls, text: str) -> ScaleSpec:
        """Read `areas=2 side=5120 steps=4 images=6`.

        Raises:
            RecipeError: A part is no `key=value`, or a key or value is none of these settings.
        """
        example = "areas=2 side=5120 steps=4 images=6"
        return cls.parse(settings_in(text, "--scale", cls.model_fields, example), "--scale")


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
    labels: dict[str, LabelSpec] = Field(default_factory=dict)
    split: SplitSpec | None = None
    checks: Checks = Checks()
    store: StoreSpec = StoreSpec()
    scale: ScaleSpec | None = None

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
        for name in self.labels:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in self.modalities:
                raise RecipeError(
                    "labels",
                    f'labels are called "{name}"',
                    "names are lower-case letters, digits and _, and no modality has the same.",
                    "Choose a name such as scene.",
                )
        return self

    @model_validator(mode="after")
    def _areas_apart(self) -> Recipe:
        sample, split = self.area.sample, self.split
        reach = (self.area.side or 0.0) * 2**0.5
        if sample is None or split is None or sample.apart >= reach or split.min_distance > 0:
            return self
        raise RecipeError(
            "area.sample.apart",
            f"random areas of {self.area.side:g} m may be {sample.apart:g} m apart",
            "areas that overlap would share ground between splits.",
            f"Use {reach:.0f} or more, or give split.min_distance.",
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values with every default written out; `parse` reads them back."""
        return self.model_dump(mode="json", by_alias=True)
