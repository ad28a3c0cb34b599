"""Do the pixels contradict the offset that the archive states? Pure.

Since processing baseline 04.00 the numbers of Sentinel-2 are 1000 higher than reflectance times
10 000, so that negative reflectances survive; before, they were cut off at 1. Archives say of each
item whether the 1000 are in its pixels, and are sometimes wrong (Element84/earth-search#66 and #71,
cirrus-geo/cirrus-earth-search#33). A wrong word shifts every band by 0.1, so the darkest pixels
tell, where there are dark ones. Thresholds are measured: docs/decisions/0008-offset-guard.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band

Verdict = Literal["consistent", "contradicts", "cannot tell"]
_WORST: Sequence[Verdict] = ("contradicts", "cannot tell", "consistent")
_Levels = dict[str, "_Level"]

OFFSET = 0.1
"""Reflectance that 1000 DN are."""
DARKEST, DARK = 0.005, 0.05
"""Shares of the pixels that lie at or below a band's darkest and dark level."""
LEAST_PX = 256
"""Fewer valid pixels say nothing."""
LEAST_LAND_PX, LEAST_GREY_PX = 64 * 64, 512 * 512
"""An even haze, or shadow on grey ground, that makes the darkest pixels 0.1, is smaller."""
SPECTRAL = {f"B{n:02}" for n in range(1, 13)} | {"B8A"}
SHORT = ("B01", "B02", "B03")
"""Bands whose air weighs so much that a correction may take away 0.05 too much."""
CIRRUS, VAPOUR = "B10", "B09"
SWIR = ("B11", "B12")


@dataclass(frozen=True, slots=True)
class OffsetFinding:
    """What the pixels say about the offset that the archive states.

    Attributes:
        verdict: `contradicts`: they show the opposite. `consistent`: they contradict the opposite.
            `cannot tell`: they contradict neither, because they are too few or too bright.
        reason: One sentence with bands, levels and counts, for the ledger.
    """

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class _Level:
    """DN * scale of a band: 0.5 %, 5 % and half of its valid pixels lie at or below."""

    name: str
    pixels: int
    darkest: float
    dark: float
    middle: float


def judge_offset(
    dn: NDArray[np.generic],
    valid: NDArray[np.bool_],
    stated: Sequence[tuple[float, float]],
    bands: Sequence[Band],
    radiometry: str,
) -> OffsetFinding:
    """Compare the darkest pixels of an item with the offset that its archive states.

    The order of the pixels and what stands in invalid ones make no difference.

    Args:
        dn: `(C, H, W)` as read, before `harmonise`.
        valid: `(C, H, W)` or `(H, W)`, True = measured. Clouds may be in or out.
        stated: Scale and offset of each band, as the archive states them.
        bands: In the order of `dn`. Only the spectral bands of Sentinel-2 are looked at, and only
            where an offset of 0 or -0.1 is stated.
        radiometry: As products write it; land is told by its colour in `boa-reflectance` alone.
    """
    levels: dict[float, _Levels] = {0.0: {}, -OFFSET: {}}
    whole = np.broadcast_to(valid, dn.shape)
    for numbers, measured, (scale, offset), band in zip(dn, whole, stated, bands, strict=True):
        here = measured & (numbers > 0)  # 0 is nodata, whether the archive says so or not
        group = levels.get(round(offset, 6))
        if group is not None and band.name in SPECTRAL and np.count_nonzero(here) >= LEAST_PX:
            group[band.name] = _level(band.name, numbers[here], scale)
    surface = radiometry == "boa-reflectance"
    findings = [_judge(offset, group, surface) for offset, group in levels.items() if group]
    none = OffsetFinding("cannot tell", f"no band has {LEAST_PX} valid pixels to judge by")
    return min(findings, key=lambda finding: _WORST.index(finding.verdict), default=none)


def _level(name: str, numbers: NDArray[np.generic], scale: float) -> _Level:
    ranks = [int(share * (numbers.size - 1)) for share in (DARKEST, DARK, 0.5)]
    ordered = np.partition(numbers, ranks)
    return _Level(name, numbers.size, *(float(ordered[rank]) * scale for rank in ranks))


def _judge(offset: float, levels: _Levels, surface: bool) -> OffsetFinding:
    said = f"the archive states the offset {offset:g}, "
    held, absent = _held(levels, surface), _absent(levels)
    if not held and not absent:
        lowest = min(levels.values(), key=lambda level: level.darkest)
        return OffsetFinding("cannot tell", f"{said}and no dark pixels tell: {_tell([lowest])}")
    seen = f"{_tell(held or absent)}, so the pixels {'hold' if held else 'do not hold'} +1000 DN"
    if bool(held) == (offset == 0):
        return OffsetFinding("contradicts", f"{said}but {seen}")
    return OffsetFinding("consistent", f"{said}and {seen}")


def _absent(levels: _Levels) -> list[_Level]:
    """Return the bands that are too dark to hold the offset: 5 % would be below -0.05.

    A correction takes away at most the light that the air sends back: less than 0.05 from red on,
    less than 0.01 in the infrared. B10 alone is enough, since nothing corrects it.
    """
    if CIRRUS in levels and levels[CIRRUS].middle < OFFSET / 2:
        return [levels[CIRRUS]]
    found = [level for level in levels.values() if level.dark < OFFSET / 2]
    return found if len(found) > 1 and any(level.name not in SHORT for level in found) else []


def _held(levels: _Levels, surface: bool) -> list[_Level]:
    """Return the bands that are dark but for the offset, when nothing at all lies below it."""
    if min(level.darkest for level in levels.values()) < OFFSET - 0.003:
        return []
    return _cirrus(levels) or _water(levels) or (_land(levels) if surface else [])


def _cirrus(levels: _Levels) -> list[_Level]:
    """Return B10 and B09 when B10 lies evenly just above 0.1 and B09 is not bright.

    Water vapour swallows the light of B10 before it reaches the ground, so that only high clouds
    are not black (www.cesbio.ups-tlse.fr/multitemp/?p=13368). One that makes it 0.1 is bright in
    B09, which vapour dims less.
    """
    if not levels.keys() >= {CIRRUS, VAPOUR}:
        return []
    cirrus, vapour = levels[CIRRUS], levels[VAPOUR]
    even = cirrus.middle <= min(OFFSET + 0.01, cirrus.darkest + 0.005)
    return [cirrus, vapour] if even and vapour.darkest <= 0.3 else []


def _water(levels: _Levels) -> list[_Level]:
    """Return near and short-wave infrared when all lie just above 0.1: water swallows both.

    No haze does that: a layer that adds 0.1 at 0.8 um adds less at 2.2 um.
    """
    found = _some(levels, ("B8A" if "B8A" in levels else "B08", *SWIR))
    return found if all(level.darkest <= OFFSET + 0.006 for level in found) else []


def _land(levels: _Levels) -> list[_Level]:
    """Return blue, red and infrared when they look like dark land plus 0.1 in every band.

    Plants are dark in blue and red and bright next to it. A haze that adds 0.1 there varies from
    place to place or adds less in the short-wave infrared. Bare ground in the shadow of a cloud
    lies evenly at 0.1 too, but is grey.
    """
    found = _some(levels, ("B02", "B04", "B8A" if "B8A" in levels else "B08", *SWIR))
    if not found:
        return []
    blue, red, near, first, second = found
    dark = max(blue.darkest, red.darkest) <= OFFSET + 0.035
    even = max(level.dark - level.darkest for level in (blue, red)) <= 0.02
    above = first.darkest - OFFSET
    alike = 0.4 * above - 0.002 <= second.darkest - OFFSET <= 1.2 * above + 0.002
    green = near.darkest >= 1.5 * red.darkest
    enough = red.pixels >= (LEAST_LAND_PX if green else LEAST_GREY_PX)
    return found if dark and even and alike and enough else []


def _some(levels: _Levels, names: Sequence[str]) -> list[_Level]:
    """Return some levels, none when one is missing."""
    return [levels[name] for name in names] if levels.keys() >= set(names) else []


def _tell(levels: Sequence[_Level]) -> str:
    said = ", ".join(f"{level.name} {level.darkest:.3f} to {level.dark:.3f}" for level in levels)
    px = min(level.pixels for level in levels)
    return f"of {px} px the darkest 0.5 and 5 % reach (DN * scale) {said}"
