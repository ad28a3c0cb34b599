"""How Sentinel-2 products are called and processed: baselines by date, ids, and what ids hold.

Dates of baselines are those of ESA's tables for Level-1C, and for Level-2A since 03.00; the older
ones of Level-2A are approximate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Level = Literal["l1c", "l2a"]
STAMP = "%Y%m%dT%H%M%S"
SHIFTED_SINCE = "04.00"
"""First baseline whose numbers are 1000 higher, so that dark pixels keep their noise."""
OFFSET_DN = -1000
_SINCE_2021 = (
    ("2021-03-30", "03.00"), ("2021-06-30", "03.01"), ("2022-01-25", "04.00"),
    ("2022-12-06", "05.09"), ("2023-12-13", "05.10"), ("2024-07-23", "05.11"),
)  # fmt: skip
BASELINES: dict[Level, tuple[tuple[str, str], ...]] = {
    "l1c": (
        ("2015-06-23", "02.04"), ("2017-04-27", "02.05"), ("2017-10-23", "02.06"),
        ("2018-11-06", "02.07"), ("2019-07-08", "02.08"), ("2020-02-04", "02.09"), *_SINCE_2021,
    ),
    "l2a": (
        ("2015-06-23", "02.04"), ("2017-03-28", "02.05"), ("2017-10-23", "02.06"),
        ("2018-04-06", "02.07"), ("2018-10-08", "02.09"), ("2018-11-06", "02.11"),
        ("2019-05-06", "02.12"), ("2019-07-08", "02.13"), ("2020-02-04", "02.14"), *_SINCE_2021,
    ),
}  # fmt: skip
CAMPAIGNS = (
    ("04.00", "05.00", datetime(2023, 5, 1, tzinfo=UTC), timedelta(days=330)),
    ("05.10", "05.10", datetime(2024, 6, 1, tzinfo=UTC), timedelta(days=240)),
)
"""Reprocessing: what is older than the first baseline gets the second, from a date on."""
LATEST_AGAIN = timedelta(days=30)
"""What no campaign covers is processed again within this time, with the same baseline."""
HOURS: dict[Level, tuple[float, float]] = {"l1c": (2.0, 6.0), "l2a": (3.5, 10.0)}
"""Least and most time from sensing to the product [h]."""
STATION = "SBOX"
"""Where data strips and tiles claim to be from; real ones name a processing centre."""
_ID = re.compile(
    r"(?P<unit>S2[A-Z])_MSI(?P<level>L1C|L2A)_(?P<started>\d{8}T\d{6})_N(?P<baseline>\d{4})_"
    r"R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})_(?P<generated>\d{8}T\d{6})"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What the name of a product is made of.

    Attributes:
        unit: S2A, S2B, …
        level: l1c or l2a.
        started: When the data take began, to the second (UTC).
        baseline: Of the processing, as in `02.06`.
        orbit: Relative orbit.
        tile: As in `31UDS`.
        generated: When it was processed, to the second (UTC).
    """

    unit: str
    level: Level
    started: datetime
    baseline: str
    orbit: int
    tile: str
    generated: datetime

    @property
    def id(self) -> str:
        """Return the id, as in `S2B_MSIL1C_20180103T105429_N0206_R051_T31UDS_20180103T144512`."""
        return (
            f"{self.unit}_MSI{self.level.upper()}_{self.started.strftime(STAMP)}_"
            f"N{self.baseline.replace('.', '')}_R{self.orbit:03d}_T{self.tile}_"
            f"{self.generated.strftime(STAMP)}"
        )

    def properties(self, absolute_orbit: int) -> dict[str, str]:
        """Return the names that a product has beside its own."""
        started, made = (t.strftime(STAMP) for t in (self.started, self.generated))
        level, processed = self.level.upper(), f"N{self.baseline}"
        head = f"{self.unit}_OPER_MSI_{level}"
        return {
            "s2:product_uri": f"{self.id}.SAFE",
            "s2:product_type": f"S2MSI{level[1:]}",
            "s2:processing_baseline": self.baseline,
            "s2:datatake_id": f"G{self.unit}_{started}_{absolute_orbit:06d}_{processed}",
            "s2:datatake_type": "INS-NOBS",
            "s2:datastrip_id": f"{head}_DS_{STATION}_{made}_S{started}_{processed}",
            "s2:granule_id": (
                f"{head}_TL_{STATION}_{made}_A{absolute_orbit:06d}_T{self.tile}_{processed}"
            ),
        }


def read_id(text: str) -> Named | None:
    """Return what an id says, None when it is no id of a Sentinel-2 product."""
    said = _ID.fullmatch(text)
    if said is None:
        return None
    try:
        started, generated = (
            datetime.strptime(said[key], STAMP).replace(tzinfo=UTC)
            for key in ("started", "generated")
        )
    except ValueError:
        return None  # digits that are no date
    level: Level = "l1c" if said["level"] == "L1C" else "l2a"
    baseline = f"{said['baseline'][:2]}.{said['baseline'][2:]}"
    return Named(
        said["unit"], level, started, baseline, int(said["orbit"]), said["tile"], generated
    )


def baseline_at(level: Level, sensed: datetime) -> str:
    """Return the processing baseline in use when something was sensed."""
    date = sensed.date().isoformat()
    return max((since, name) for since, name in BASELINES[level] if since <= date)[1]


def offset_of(baseline: str) -> int:
    """Return what has to be added to the numbers of a baseline [DN]."""
    return OFFSET_DN if baseline >= SHIFTED_SINCE else 0


def generated_at(level: Level, sensed: datetime, luck: float) -> datetime:
    """Return when something was processed first, `luck` from 0 to 1 saying how late."""
    least, most = HOURS[level]
    hours = least + (most - least) * luck
    return (sensed + timedelta(hours=hours)).replace(microsecond=0)


def reprocessed(baseline: str, generated: datetime, luck: float) -> tuple[str, datetime]:
    """Return baseline and time of the second processing of what was processed once."""
    for older_than, again, since, length in CAMPAIGNS:
        if baseline < older_than:
            return again, (since + luck * length).replace(microsecond=0)
    # At least a day, so that the two are never mixed up.
    later = timedelta(days=1) + luck * LATEST_AGAIN
    return baseline, (generated + later).replace(microsecond=0)
