"""One modality of a plan, with everything decided: what is read, how, and what the store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from eodata.core.band import Band
from eodata.core.coregistration import Alignment
from eodata.core.recipe_modality import WarpedBy


@dataclass(frozen=True, slots=True)
class BandRead:
    """One band as a task reads it.

    Attributes:
        band: What the numbers mean in the store.
        asset: Key of the asset that holds it.
        resampling: Method onto the patch grid.
        warped_by: server: the archive brings the pixels onto the patch grid.
    """

    band: Band
    asset: str
    resampling: str
    warped_by: WarpedBy = "client"


@dataclass(frozen=True, slots=True)
class ModalityPlan:
    """One modality, with everything decided.

    Attributes:
        name: As in the recipe.
        gsd: Pixel size [m].
        static: True for one step without a date.
        role: input or target.
        reads: What to read, in band order; empty for derived modalities.
        bands: What the store holds, in order.
        provider: Name of the provider, `""` for derived modalities.
        product: Id of the product, of the source for derived modalities.
        collection: The provider's name of the collection.
        radiometry: What the physical values are.
        states_offset: Items without a stated scale and offset are refused.
        validity: The class band that decides validity, with its unusable values; None for nodata.
        derive: Name of the derivation, `""` for read modalities.
        source: Modality that a derived one is computed from.
        classes: Classes that a class mask marks.
        recode: `(old, new)` class of a class map; pixels of any other class become invalid.
        takes: Position of the one band of its source that a derived one takes; None for all.
        is_mask: True for a derived 0/1 layer, of which the marked fraction is kept.
        composite: How several acquisitions become one image, `""` when a step is one acquisition.
        guides: Bands that a composite is decided by, on its own pixel size.
        display: `(bands, low, high)` of a quicklook, None for the default.
        leader: Modality whose items it reads, and which decides per pixel among several items of
            one pass; `""` when it decides for itself.
        placed_by: points: the files have ground control points only, so nothing corrects for
            terrain.
        trusts_offsets: Stated offsets are believed without a look at the pixels.
        marks_cloud: True for a mask that marks nothing but clouds and their shadows.
        alignment: What its place is compared with; None for nothing.
        steady_band: Position of the band that all bands of an item are moved onto; None leaves
            them where they are.
    """

    name: str
    gsd: float
    static: bool
    role: str
    reads: tuple[BandRead, ...]
    bands: tuple[Band, ...]
    provider: str
    product: str
    collection: str
    radiometry: str
    states_offset: bool = False
    validity: tuple[BandRead, tuple[int, ...]] | None = None
    derive: str = ""
    source: str = ""
    classes: tuple[int, ...] = ()
    recode: tuple[tuple[int, int], ...] = ()
    takes: int | None = None
    is_mask: bool = False
    composite: str = ""
    guides: tuple[BandRead, ...] = ()
    display: tuple[tuple[str, ...], float, float] | None = None
    leader: str = ""
    placed_by: Literal["transform", "points"] = "transform"
    trusts_offsets: bool = False
    marks_cloud: bool = False
    alignment: Alignment | None = None
    steady_band: int | None = None

    @property
    def dtype(self) -> str:
        """NumPy name of the DN type that holds all bands."""
        return str(np.result_type(*(np.dtype(b.dtype) for b in self.bands)))

    def only(self, positions: Sequence[int]) -> ModalityPlan:
        """Return the modality with nothing to read but some of its bands."""
        reads = tuple(self.reads[i] for i in positions)
        return replace(self, reads=reads, bands=tuple(read.band for read in reads))

    @property
    def fill(self) -> float | int:
        """DN where nothing was measured."""
        return float("nan") if np.issubdtype(np.dtype(self.dtype), np.floating) else 0


def band_position(bands: Sequence[Band], name: str, kind: str) -> int:
    """Return where a band is, or the first of its kind when no name is given."""
    return next(
        i for i, band in enumerate(bands) if (band.name == name if name else band.kind == kind)
    )


def modality_from_json(data: Mapping[str, Any]) -> ModalityPlan:
    """Read what `dataclasses.asdict` made of a `ModalityPlan`."""
    rule, shown, aligned = data["validity"], data["display"], data["alignment"]
    return ModalityPlan(
        **{
            **data,
            "reads": tuple(_read_from_json(r) for r in data["reads"]),
            "bands": tuple(_band_from_json(b) for b in data["bands"]),
            "validity": (_read_from_json(rule[0]), tuple(rule[1])) if rule else None,
            "classes": tuple(data["classes"]),
            "recode": tuple((old, new) for old, new in data["recode"]),
            "guides": tuple(_read_from_json(r) for r in data["guides"]),
            "display": (tuple(shown[0]), shown[1], shown[2]) if shown else None,
            "alignment": Alignment.from_json(aligned) if aligned else None,
        }
    )


def _band_from_json(data: Mapping[str, Any]) -> Band:
    classes = tuple((value, name, colour) for value, name, colour in data["classes"])
    return Band(**{**data, "classes": classes})


def _read_from_json(data: Mapping[str, Any]) -> BandRead:
    return BandRead(**{**data, "band": _band_from_json(data["band"])})
