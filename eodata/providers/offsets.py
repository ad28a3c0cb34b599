"""What an archive's numbers mean: scale and offset of an asset, by the rule of its collection.

Since processing baseline 04.00 (25 January 2022) Sentinel-2's digital numbers hold +1000, so that
reflectance = DN * 0.0001 - 0.1; older products that were processed again hold it too. Archives
differ in where they say so, and some take the 1000 out again. Hence the product's table names, per
collection, what tells it; the date never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eodata.core.endpoint import OffsetSource
from eodata.core.properties import BASELINES

JSON = Mapping[str, Any]
APPLIED = "earthsearch:boa_offset_applied"
ORIGINALS = "image/jp2"
"""Type of files as ESA delivered them; the flag speaks of the GeoTIFFs that were made from them."""
FIRST_WITH_OFFSET = (4, 0)
SCALE, OFFSET = 0.0001, -0.1
"""Of Sentinel-2's reflectance since that baseline."""


@dataclass(frozen=True, slots=True)
class Coding:
    """physical = DN * scale + offset; None where the archive does not tell.

    Attributes:
        scale: Factor.
        offset: Summand.
    """

    scale: float | None
    offset: float | None


def coding_of(source: OffsetSource, item: JSON, asset: JSON, band: JSON) -> Coding:
    """Return scale and offset of one band of an asset.

    Args:
        source: Who tells the offset in this collection.
        item: The item's properties.
        asset: The asset's fields.
        band: What is said about the band; goes before the asset's fields.
    """
    stated = Coding(_stated("raster:scale", band, asset), _stated("raster:offset", band, asset))
    if source == "flag" and str(asset.get("type")).startswith(ORIGINALS):
        source = "baseline"
    if source in ("baseline", "harmonised") and not _is_reflectance(asset, band):
        return stated
    return _RULES[source](item, stated)


def _as_stated(item: JSON, stated: Coding) -> Coding:
    """Take the asset's word; but a flag that says that the offset was taken out goes first."""
    return Coding(stated.scale, 0.0) if item.get(APPLIED) is True else stated


def _by_flag(item: JSON, stated: Coding) -> Coding:
    """Earth Search: the flag tells what the pixels hold; raster:offset tells what ESA's held.

    Nothing was ever added before baseline 04.00, so nothing needs to be taken out, whatever the
    flag says. Without flag and baseline nobody knows. What has no offset (classes, optical
    thickness) never had one.
    """
    if not stated.offset or stated.scale is None:
        return stated
    baseline = _baseline(item)
    if item.get(APPLIED) is True or (baseline is not None and baseline < FIRST_WITH_OFFSET):
        return Coding(stated.scale, 0.0)
    if item.get(APPLIED) is False and baseline is not None:
        return Coding(stated.scale, OFFSET)
    return Coding(stated.scale, None)


def _by_baseline(item: JSON, stated: Coding) -> Coding:
    """Planetary Computer: pixels as ESA delivered them, and only the baseline tells."""
    baseline = _baseline(item)
    if baseline is None:
        return stated
    return Coding(SCALE, OFFSET if baseline >= FIRST_WITH_OFFSET else 0.0)


def _harmonised(item: JSON, stated: Coding) -> Coding:  # noqa: ARG001 (as the other rules)
    """Earth Engine's harmonised collections: the offset was taken out of every image."""
    return Coding(SCALE, 0.0)


_RULES: dict[OffsetSource, Callable[[JSON, Coding], Coding]] = {
    "stated": _as_stated,
    "flag": _by_flag,
    "baseline": _by_baseline,
    "harmonised": _harmonised,
}


def _is_reflectance(asset: JSON, band: JSON) -> bool:
    """Return True for a file of one spectral band.

    Classes and optical thickness are described without bands, and pictures with three.
    """
    return "name" in band and len(asset.get("bands") or asset.get("eo:bands") or ()) == 1


def _stated(word: str, band: JSON, asset: JSON) -> float | None:
    value = band.get(word)
    value = asset.get(word) if value is None else value
    return None if value is None else float(value)


def _baseline(item: JSON) -> tuple[int, int] | None:
    """Return the processing baseline as two numbers, None when it is not written as `05.10`."""
    for key in BASELINES:
        major, dot, minor = str(item.get(key, "")).partition(".")
        if dot and major.isdigit() and minor.isdigit():
            return int(major), int(minor)
    return None
