"""Products as data: what the bands, units, nodata values and validity rules of a collection are.

One YAML table per product, parsed into these models. A new product is a new table, not new code.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eodata.core.band import Band, Kind
from eodata.core.endpoint import OffsetSource
from eodata.core.errors import RecipeError, nearest
from eodata.core.strict import Strict


class ClassEntry(Strict):
    """One class of a categorical band."""

    value: int
    name: str
    colour: str = Field(pattern=r"^[0-9a-f]{6}$", description="RGB as six hex digits.")


class BandEntry(Strict):
    """One band of a product, as a store holds it after harmonisation."""

    name: str
    common_name: str = ""
    kind: Kind = "continuous"
    dtype: Literal["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"]
    gsd: float = Field(gt=0, description="Nominal pixel size [m].")
    unit: str = "1"
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    classes: tuple[ClassEntry, ...] = ()
    auxiliary: bool = Field(default=False, description="Left out of `bands: all`.")

    def to_band(self) -> Band:
        """Return the core type."""
        classes = tuple((c.value, c.name, c.colour) for c in self.classes)
        return Band(
            name=self.name,
            kind=self.kind,
            dtype=self.dtype,
            gsd=self.gsd,
            unit=self.unit,
            scale=self.scale,
            offset=self.offset,
            nodata=self.nodata,
            common_name=self.common_name,
            classes=classes,
        )


class ValidityRule(Strict):
    """Pixels are unusable where a class band holds one of these values."""

    band: str
    invalid: tuple[int, ...]


class ProviderEntry(Strict):
    """Where a provider keeps the product."""

    collection: str
    radiometry: str = Field(description="What the provider's numbers are, for example sigma0-db.")
    assets: dict[str, str] = Field(
        default_factory=dict, description="Asset key per band name, where the two differ."
    )
    offset: OffsetSource = Field(
        default="stated",
        description="What tells the offset of Sentinel-2: raster:offset of the asset, the flag "
        "earthsearch:boa_offset_applied, or the processing baseline; harmonised: it is taken out.",
    )
    overviews: bool = Field(
        default=False,
        description="The files' overviews are means of pixels, so coarse grids may be read from "
        "them.",
    )
    placed_by: Literal["transform", "points"] = Field(
        default="transform",
        description="points: the files have ground control points only, without terrain "
        "correction.",
    )
    requester_pays: bool = False


class Display(Strict):
    """How a quicklook shows the product, in physical units."""

    bands: tuple[str, ...] = Field(min_length=1, max_length=3)
    low: float
    high: float


class Product(Strict):
    """One product: the facts that hold wherever it is fetched from."""

    id: str
    title: str
    constellation: str = ""
    keywords: tuple[str, ...] = ()
    licence: str
    attribution: str = ""
    temporal: Literal["series", "static"] = "series"
    radiometry: str = Field(description="Physical quantity that the store holds.")
    states_offset: bool = Field(
        default=False,
        description="The archive must state scale and offset per asset, because they changed over "
        "time (Sentinel-2 since baseline 04.00); an item that does not is refused.",
    )
    cloudy: Literal["above", "below"] | None = Field(
        default=None,
        description="On which side of a threshold its numbers mean cloud; null: they do not tell.",
    )
    bands: tuple[BandEntry, ...] = Field(min_length=1)
    validity: dict[str, ValidityRule] = Field(default_factory=dict)
    providers: dict[str, ProviderEntry]
    elsewhere: str = Field(
        default="", description="Who else has it, for those whose provider does not."
    )
    display: Display | None = None

    def band(self, name: str) -> BandEntry:
        """Return the band with this name or common name, whatever the case.

        Raises:
            RecipeError: There is none; the message names the nearest.
        """
        wanted = name.lower()
        for known in ({b.name: b for b in self.bands}, {b.common_name: b for b in self.bands}):
            for label, entry in known.items():
                if label and label.lower() == wanted:
                    return entry
        names = [b.name for b in self.bands] + [b.common_name for b in self.bands if b.common_name]
        raise RecipeError(
            f"product {self.id}",
            f'there is no band "{name}"',
            "",
            f"{nearest(name, names)} All names: eodata recipe show --product {self.id}",
        )

    def select(self, names: tuple[str, ...] | Literal["all"]) -> tuple[BandEntry, ...]:
        """Return the named bands in the order asked for; `all` leaves auxiliary bands out.

        Raises:
            RecipeError: A band does not exist or is named twice.
        """
        if names == "all":
            return tuple(b for b in self.bands if not b.auxiliary)
        chosen = tuple(self.band(name) for name in names)
        for i, entry in enumerate(chosen):
            if entry in chosen[:i]:
                raise RecipeError(
                    f"product {self.id}",
                    f'band "{entry.name}" is named twice',
                    "a name and a common name can mean the same band.",
                    f'Remove "{names[i]}".',
                )
        return chosen
