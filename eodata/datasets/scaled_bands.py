"""A normalisation for the bands of a modality: checked against their units, applied and undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band
from eodata.core.errors import RecipeError, nearest
from eodata.datasets.scalings import (
    DB,
    DN,
    PHYSICAL,
    REFLECTANCE,
    SCALINGS,
    Line,
    Scaling,
    scaling_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class BandScaling:
    """A normalisation for the C bands of a modality, ready to be applied.

    Attributes:
        name: Its name in the table.
        lines: `(5, C)`: low, high, zero, one, missing.
    """

    name: str
    lines: NDArray[np.float64]

    def apply(self, physical: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
        """Scale `(..., C, y, x)` in place; where not `valid` `(..., y, x)`, or NaN, is `missing`.

        Clipping leaves the ends of the interval exact, so nothing lies outside of it.
        """
        low, high, zero, one, missing = self._like(physical)
        np.clip(physical, low, high, out=physical)
        physical -= zero
        physical /= one
        np.copyto(physical, missing, where=np.isnan(physical) | ~valid[..., None, :, :])

    def invert(self, scaled: Any) -> Any:
        """Return physical values of scaled floats `(..., C, y, x)`, array or tensor; a copy.

        What was clipped comes back as the limit. What stood for missing pixels comes back as a
        number: only `valid` tells.
        """
        _, _, zero, one, _ = self._like(scaled)
        return scaled * one + zero

    def _like(self, values: Any) -> Any:
        """Return the five lines in the type of floating-point values, on their device."""
        lines = self.lines[:, :, None, None]
        if hasattr(values, "new_tensor"):
            return values.new_tensor(lines)
        return lines.astype(values.dtype)


def bind(
    name: str, modality: str, bands: Sequence[Band], radiometry: str, *, where: str
) -> BandScaling:
    """Return the normalisation `name` for the bands of a modality, after checking their units.

    Args:
        name: Name in the table.
        modality: Name of the modality, for the message.
        bands: Its C bands, in order.
        radiometry: What the store says its physical values are, such as `toa-reflectance`.
        where: The argument, for the message.

    Raises:
        RecipeError: The name is unknown, the bands hold another quantity, or the publication has
            no number for one of them.
    """
    known = sorted({row.name for row in SCALINGS})
    if name not in known:
        raise RecipeError(
            where, f'there is no scaling "{name}"', "", nearest(name, [*known, DN, PHYSICAL])
        )
    quantities = [quantity_of(band, radiometry) for band in bands]
    for band, quantity in zip(bands, quantities, strict=True):
        if not quantity or quantity != quantities[0]:
            raise _no_quantity(where, modality, band, radiometry)
    row = scaling_of(name, quantities[0])
    lines = [_line_of(row, band, where) for band in bands]
    return BandScaling(name, np.array(lines, np.float64).T)


def quantity_of(band: Band, radiometry: str) -> str:
    """Return `reflectance` or `dB`, `""` for anything else.

    A ratio is called reflectance only when the store says so: backscatter in linear power, indices
    and fractions are ratios too.
    """
    if band.kind != "continuous":
        return ""
    if band.unit == DB:
        return DB
    return REFLECTANCE if band.unit == "1" and radiometry.endswith(REFLECTANCE) else ""


def _line_of(row: Scaling, band: Band, where: str) -> Line:
    line = row.lines.get(band.name.lower(), row.lines.get(""))
    if line is None:
        known = ", ".join(row.lines)
        raise RecipeError(
            where,
            f'"{row.name}" has no number for band {band.name}',
            f"{row.source} has them for {known}.",
            "Name only such bands in bands={…}, or choose another scaling.",
        )
    return line


def _no_quantity(where: str, modality: str, band: Band, radiometry: str) -> RecipeError:
    unit = f"[{band.unit}]" if band.unit else "without a unit"
    return RecipeError(
        where,
        f"band {band.name} of {modality} is {radiometry or 'of no stated radiometry'} {unit}",
        "published scalings are for reflectance or for dB, and all bands of a modality share one.",
        f'Leave such bands out with bands={{…}}, or open {modality} as "{PHYSICAL}".',
    )


def choose_scalings(
    scaling: str | Mapping[str, str] | None,
    bands: Mapping[str, Sequence[Band]],
    radiometry: Callable[[str], str],
) -> dict[str, str | BandScaling]:
    """Return for each modality `dn`, `physical`, or the normalisation of its bands.

    Args:
        scaling: One name for every modality of reflectance or dB, or a name per modality; what is
            not named stays physical.
        bands: Per opened modality its bands.
        radiometry: Tells what the physical values of a modality are.

    Raises:
        RecipeError: A name is unknown or does not fit its modality.
    """
    if isinstance(scaling, str):
        return _everywhere(scaling, bands, radiometry)
    wanted = dict(scaling or {})
    for name in wanted:
        if name not in bands:
            raise RecipeError(
                f"scaling[{name!r}]", "this modality is not opened", "", nearest(name, bands)
            )
    return {
        name: _one(wanted.get(name, PHYSICAL), name, mine, radiometry, f"scaling[{name!r}]")
        for name, mine in bands.items()
    }


def _everywhere(
    scaling: str, bands: Mapping[str, Sequence[Band]], radiometry: Callable[[str], str]
) -> dict[str, str | BandScaling]:
    fitting = {
        name
        for name, mine in bands.items()
        if scaling in (DN, PHYSICAL) or any(quantity_of(band, radiometry(name)) for band in mine)
    }
    if not fitting:
        raise RecipeError(
            "scaling",
            f'"{scaling}" fits none of {", ".join(bands)}',
            "published scalings are for reflectance or for dB.",
            "Leave scaling out to get physical values.",
        )
    return {
        name: _one(scaling if name in fitting else PHYSICAL, name, mine, radiometry, "scaling")
        for name, mine in bands.items()
    }


def _one(
    scaling: str, name: str, bands: Sequence[Band], radiometry: Callable[[str], str], where: str
) -> str | BandScaling:
    if scaling in (DN, PHYSICAL):
        return scaling
    return bind(scaling, name, bands, radiometry(name), where=where)
