"""Published normalisations by name: how papers map reflectance and dB to what their networks take.

Each is a clip and a straight line per band, so each can be undone up to the clip. The papers state
them in the numbers of their files; reflectance is that number / 10000, so here limits and lines are
in physical units and hold for stores with any scale and offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from eodata.core.errors import RecipeError, nearest

DN, PHYSICAL = "dn", "physical"
DB, REFLECTANCE = "dB", "reflectance"
UNCLIPPED = float("inf")


class Line(NamedTuple):
    """`scaled = (clip(physical, low, high) - zero) / one`; `missing` stands where nothing is valid.

    Attributes:
        low: Lower limit of the clip [unit of the band].
        high: Upper limit.
        zero: What becomes 0.
        one: How far above `zero` lies what becomes 1; negative turns the axis round.
        missing: Scaled value of pixels without a number, as the source writes it.
    """

    low: float
    high: float
    zero: float
    one: float
    missing: float = 0.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """One published normalisation of one quantity.

    Attributes:
        name: What a person writes, such as `uncrtaints`.
        quantity: `reflectance` or `dB`.
        lines: By band name in lower case; the key `""` stands for every band.
        formula: For people.
        interval: Range of the scaled values, for people.
        source: Where it is published.
    """

    name: str
    quantity: str
    lines: Mapping[str, Line]
    formula: str
    interval: str
    source: str


_UNIT = Line(0.0, 1.0, 0.0, 1.0)
_CLIP_25 = (-25.0, 0.0)
_CLIP_32 = (-32.5, 0.0)


def _z_scores(
    statistics: Mapping[str, tuple[float, float]], low: float, high: float, filled: float | None
) -> dict[str, Line]:
    """Return lines from mean and standard deviation; no number counts as `filled`, or as mean."""
    return {
        band: Line(low, high, mean, std, 0.0 if filled is None else (filled - mean) / std)
        for band, (mean, std) in statistics.items()
    }


_SEN12MS_S1 = {"vv": (-11.76858, 4.525339), "vh": (-18.294598, 4.3586307)}
_SEN12MS_S2 = {
    "b02": (1226.4215, 741.6254),
    "b03": (1137.3799, 740.883),
    "b04": (1139.6792, 960.1045),
    "b05": (1350.9973, 946.76056),
    "b06": (1932.9058, 985.52747),
    "b07": (2211.1584, 1082.4341),
    "b08": (2154.9846, 1057.7628),
    "b8a": (2409.1128, 1136.1942),
    "b11": (2001.8622, 1132.7898),
    "b12": (1356.0801, 991.48016),
}

SCALINGS: tuple[Scaling, ...] = (
    Scaling(
        "uncrtaints",
        REFLECTANCE,
        {"": _UNIT},
        "clip(DN, 0, 10000) / 10000",
        "0 to 1",
        "UnCRtainTS 2023, rescale_method default; its model multiplies by 10 itself",
    ),
    Scaling(
        "dsen2-cr",
        REFLECTANCE,
        {"": Line(0.0, 1.0, 0.0, 0.2)},
        "clip(DN, 0, 10000) / 2000",
        "0 to 5",
        "DSen2-CR 2020; SEN12MS-CR-TS 2022, rescale_method resnet",
    ),
    Scaling(
        "sen12ms",
        REFLECTANCE,
        _z_scores(
            {band: (m / 10_000, s / 10_000) for band, (m, s) in _SEN12MS_S2.items()},
            -UNCLIPPED,
            UNCLIPPED,
            None,
        ),
        "(DN - mean) / std, ten bands, no clip",
        "z-score",
        "SEN12MS classification 2021",
    ),
    Scaling(
        "dfc2020",
        REFLECTANCE,
        {"": _UNIT},
        "clip(DN, 0, 10000) / 10000",
        "0 to 1",
        "DFC2020 baseline",
    ),
    Scaling(
        "sen12tp",
        REFLECTANCE,
        {"": _UNIT},
        "clip(DN, 0, 10000) / 10000",
        "0 to 1",
        "SEN12TP 2022, used by MIMO U-Net 2023",
    ),
    Scaling(
        "uncrtaints",
        DB,
        {"": Line(*_CLIP_25, -25.0, 25.0)},
        "(clip(dB, -25, 0) + 25) / 25",
        "0 to 1",
        "UnCRtainTS 2023, rescale_method default",
    ),
    Scaling(
        "dsen2-cr",
        DB,
        {"vv": Line(*_CLIP_25, -25.0, 12.5), "vh": Line(*_CLIP_32, -32.5, 16.25)},
        "VV (clip(dB, -25, 0) + 25) / 12.5; VH (clip(dB, -32.5, 0) + 32.5) / 16.25",
        "0 to 2",
        "DSen2-CR 2020; SEN12MS-CR-TS 2022, rescale_method resnet",
    ),
    Scaling(
        "sen12ms",
        DB,
        _z_scores(_SEN12MS_S1, *_CLIP_25, 0.0),
        "(clip(dB, -25, 0) - mean) / std, missing as 0 dB",
        "z-score",
        "SEN12MS classification 2021",
    ),
    Scaling(
        "dfc2020",
        DB,
        {"": Line(*_CLIP_25, -25.0, 25.0, missing=1.0)},
        "clip(dB, -25, 0) / 25 + 1, missing as 0 dB",
        "0 to 1",
        "DFC2020 baseline",
    ),
    Scaling(
        "sen12tp",
        DB,
        {
            "vv": Line(*_CLIP_25, 0.0, -25.0, missing=1.0),
            "vh": Line(*_CLIP_32, 0.0, -32.5, missing=1.0),
        },
        "VV clip(dB, -25, 0) / -25; VH clip(dB, -32.5, 0) / -32.5, so 0 dB is 0; missing is 1",
        "0 to 1",
        "SEN12TP 2022, used by MIMO U-Net 2023",
    ),
)


def scaling_of(name: str, quantity: str) -> Scaling:
    """Return a row of the table.

    Raises:
        RecipeError: There is no such name, or not for this quantity.
    """
    mine = {row.name: row for row in SCALINGS if row.quantity == quantity}
    if name not in mine:
        raise RecipeError(
            "scaling", f'there is no scaling "{name}" of {quantity}', "", nearest(name, mine)
        )
    return mine[name]
