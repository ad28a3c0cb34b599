"""The card: one YAML file that says what a dataset is, the same shape for ours and everybody's."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    StrictInt,
    field_validator,
    model_validator,
)

from eodata.core.span import Span, format_utc, parse_utc, to_utc
from eodata.core.strict import Strict
from eodata.resources import read_yaml

FLOW_WIDTH = 72


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        return parse_utc(value)
    if isinstance(value, date):
        return to_utc(value)
    raise ValueError("an instant is a date such as 2018-06-01, or an ISO 8601 time")


def _plain_instant(value: datetime) -> date | str:
    """Return a date for a midnight and ISO text otherwise: what YAML shows without a tag."""
    is_midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
    return value.date() if is_midnight else format_utc(value)


Instant = Annotated[datetime, BeforeValidator(_instant), PlainSerializer(_plain_instant)]


class CardShift(Strict):
    """How far the done steps of a modality lie from their reference [px of the modality]."""

    to: str = Field(min_length=1, description="The modality that they are compared with.")
    measured: int = Field(ge=0, description="Done steps of all samples with a measured misfit.")
    not_measured: int = Field(ge=0, description="Done steps where nothing tells, such as clouds.")
    moved: int = Field(default=0, ge=0, description="Done steps that were moved and read again.")
    median_px: float | None = Field(default=None, ge=0, description="Of the measured misfits.")
    p95_px: float | None = Field(default=None, ge=0, description="95 % are not larger.")
    largest_px: float | None = Field(default=None, ge=0)
    limit_px: float | None = Field(default=None, gt=0, description="The recipe's max_shift_px.")
    beyond: int | None = Field(
        default=None, ge=0, description="Steps with more than limit_px, flagged or rejected."
    )


class CardModality(Strict):
    """One kind of input or target of a dataset."""

    name: str = Field(min_length=1)
    product: str = ""
    sensor: str = Field(default="", description="In words, such as Sentinel-2 MSI.")
    bands: tuple[str, ...] = ()
    gsd: float | None = Field(default=None, gt=0, description="Pixel size [m].")
    unit: str = ""
    radiometry: str = ""
    role: Literal["input", "target"] = "input"
    synthetic: bool = False
    shift: CardShift | None = Field(
        default=None, description="Measured misfit, for what is compared with a reference."
    )


class CardLabels(Strict):
    """Labels of whole samples."""

    name: str = Field(min_length=1)
    modality: str = Field(default="", description="The class layer that they are counted from.")
    classes: tuple[str, ...] = Field(default=(), description="Their legend, in order.")


class Extent(Strict):
    """Where and when."""

    bbox: tuple[float, float, float, float] | None = Field(
        default=None, description="(west, south, east, north) in degrees."
    )
    span: tuple[Instant, Instant] | None = Field(
        default=None, description="(start, end) in UTC, the end excluded."
    )

    @field_validator("bbox")
    @classmethod
    def _on_earth(
        cls, bbox: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if bbox is not None:
            west, south, east, north = bbox
            if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
                raise ValueError("bbox is (west, south, east, north) in degrees, west <= east")
        return bbox

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.span is not None:
            Span(*self.span)
        return self


class Counts(Strict):
    """How much there is."""

    samples: int | None = Field(default=None, ge=0)
    by_split: dict[str, int] = Field(default_factory=dict, description="Samples per split.")
    by_status: dict[str, int] = Field(default_factory=dict, description="Samples per status.")
    steps: int | None = Field(default=None, ge=0, description="Length of the time axis.")
    outcomes: dict[str, int] = Field(
        default_factory=dict, description="Steps of all samples and modalities, per status."
    )


class PatchEdge(Strict):
    """Edge of a sample."""

    metres: float | None = Field(default=None, gt=0)
    pixels: int | None = Field(default=None, gt=0, description="Of the finest modality.")


class SplitProof(Strict):
    """What keeps the splits apart, as ruled and as measured."""

    rule: str
    asked_m: float | None = Field(default=None, description="Distance that the rule keeps [m].")
    measured_m: float | None = Field(
        default=None, description="Distance of the nearest samples of two splits [m]."
    )
    keys: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Per split the keys, such as summer_100, of places that datasets share.",
    )


class Provenance(Strict):
    """Where the numbers come from."""

    created_utc: Instant | None = None
    plan_digest: str = ""
    tools: dict[str, JsonValue] = Field(default_factory=dict, description="Versions and the like.")


class Card(Strict):
    """One dataset in the world: built here, or published by others.

    A version in a file is a whole number or a quoted text: an unquoted 1.10 would read as 1.1.
    """

    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    version: StrictInt | str = ""
    source: Literal["built", "published"]
    synthetic: bool = Field(default=False, description="True when any pixel is simulated.")
    description: str = ""
    task: str = Field(default="", description="For example cloud-removal; several with commas.")
    keywords: tuple[str, ...] = ()
    licence: str = Field(min_length=1)
    attribution: tuple[str, ...] = ()
    citation: str = ""
    homepage: str = ""
    where: str = Field(default="", description="Path, URL or DOI of the data itself.")
    modalities: tuple[CardModality, ...] = ()
    labels: tuple[CardLabels, ...] = ()
    extent: Extent = Extent()
    counts: Counts = Counts()
    patch: PatchEdge = PatchEdge()
    crs: tuple[str, ...] = ()
    files: int | None = Field(default=None, ge=0)
    size_bytes: int | None = Field(default=None, ge=0)
    split: SplitProof | None = None
    provenance: Provenance = Provenance()

    def dumps(self) -> str:
        """Return YAML in the order of the fields, without those that say nothing.

        The inverse of `parse` on what a safe YAML loader reads.
        """
        return yaml.dump(
            self.model_dump(exclude_defaults=True),
            Dumper=_CardDumper,
            sort_keys=False,
            allow_unicode=True,
            width=100,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a card.

        Raises:
            RecipeError: The file cannot be read, is no plain YAML, or is no card.
        """
        return cls.parse(read_yaml(path), str(path))


class _CardDumper(yaml.SafeDumper):
    """Block style, with short lists of single words or numbers on one line."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True

    def represent_list(self, data: Any) -> yaml.SequenceNode:
        node = super().represent_list(data)
        words = [n.value for n in node.value if isinstance(n, yaml.ScalarNode)]
        is_short = sum(len(word) + 2 for word in words) <= FLOW_WIDTH
        single = all(word and " " not in word and word.isprintable() for word in words)
        node.flow_style = is_short and single and len(words) == len(node.value)
        return node

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # Outside double quotes PyYAML folds next line (U+0085) and line separators into others.
        plain = data.replace("\n", "").isprintable()
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if plain else '"')


_CardDumper.add_representer(str, _CardDumper.represent_str)
_CardDumper.add_representer(list, _CardDumper.represent_list)
_CardDumper.add_representer(tuple, _CardDumper.represent_list)
