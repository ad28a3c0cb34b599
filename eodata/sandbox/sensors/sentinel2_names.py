"""How Sentinel-2 products are called and processed: baselines by date, ids, and what ids hold.

The dates of baselines are parameters of the simulation, set close to the real ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Level = Literal["l1c", "l2a"]
STAMP = "%Y%m%dT%H%M%S"
SHIFTED_SINCE = "04.00"
"""First baseline whose numbers are 1000 higher, so that dark pixels keep their noise."""
OFFSET_DN = -1000
REPROCESSED = "05.00"
"""Baseline of acquisitions that were processed a second time, all at once."""
REPROCESSED_SINCE = datetime(2023, 5, 1, tzinfo=UTC)
_COMMON = (
    ("2021-03-30", "03.00"), ("2021-07-01", "03.01"), ("2022-01-25", "04.00"),
    ("2022-12-06", "05.09"), ("2023-12-13", "05.10"), ("2024-07-23", "05.11"),
)  # fmt: skip
BASELINES: dict[Level, tuple[tuple[str, str], ...]] = {
    "l1c": (
        ("2015-06-23", "02.04"), ("2017-05-23", "02.05"), ("2017-10-23", "02.06"),
        ("2018-11-06", "02.07"), ("2019-07-08", "02.08"), ("2020-02-04", "02.09"), *_COMMON,
    ),
    "l2a": (
        ("2017-03-28", "02.05"), ("2017-10-23", "02.06"), ("2018-04-06", "02.07"),
        ("2018-10-08", "02.09"), ("2018-11-06", "02.11"), ("2019-05-06", "02.12"),
        ("2019-07-08", "02.13"), ("2020-02-04", "02.14"), *_COMMON,
    ),
}  # fmt: skip
_ID = re.compile(
    r"(?P<unit>S2[A-Z])_MSI(?P<level>L1C|L2A)_(?P<started>\d{8}T\d{6})_N(?P<baseline>\d{4})_"
    r"R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})_(?P<generated>\d{8}T\d{6})"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What the id of a product holds.

    Attributes:
        unit: S2A, S2B, …
        started: When the data take began, to the second (UTC).
        orbit: Relative orbit.
        tile: As in `31UDS`.
    """

    unit: str
    started: datetime
    orbit: int
    tile: str


def product_id(
    unit: str, level: Level, started: datetime, baseline: str, orbit: int, tile: str, made: datetime
) -> str:
    """Return the id of a product, as in `S2B_MSIL1C_20180103T105429_N0206_R051_T31UDS_…`."""
    return (
        f"{unit}_MSI{level.upper()}_{started.strftime(STAMP)}_N{baseline.replace('.', '')}_"
        f"R{orbit:03d}_T{tile}_{made.strftime(STAMP)}"
    )


def read_id(text: str) -> Named | None:
    """Return what an id says, None when it is no id of a Sentinel-2 product."""
    said = _ID.fullmatch(text)
    if said is None:
        return None
    try:
        started = datetime.strptime(said["started"], STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None  # digits that are no date
    return Named(said["unit"], started, int(said["orbit"]), said["tile"])


def baseline_at(level: Level, sensed: datetime) -> str:
    """Return the processing baseline in use when something was sensed."""
    date = sensed.date().isoformat()
    return max((since, name) for since, name in BASELINES[level] if since <= date)[1]


def offset_of(baseline: str) -> int:
    """Return what has to be added to the numbers of a baseline [DN]."""
    return OFFSET_DN if baseline >= SHIFTED_SINCE else 0
