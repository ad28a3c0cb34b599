"""The dots of the atlas and the region of each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from shapely import Point, from_wkt

CENTRES = Path(__file__).parent / "centres.csv"

# Borders are coarse: they only have to part land from land. Corners are longitude, latitude.
EUROPA = from_wkt(
    "POLYGON ((-25 72, -25 35.9, -5.5 35.9, 0 37, 10 38, 11.6 36.6, 15 35.3, 26.5 34.4, 26.5 39,"
    " 26 40, 28 40.7, 28.98 40.9, 29.1 41.25, 31 43, 38 44.2, 40 43.5, 45 42.7, 48.5 41.8, 50 45,"
    " 51.5 47, 51.5 51.2, 60 51.2, 60 72, -25 72))"
)
"""From Iceland to the Ural (60° E); Bosporus, Caucasus and Ural river in the south-east."""
AFRICA = from_wkt(
    "POLYGON ((-25 35.9, -25 -40, 56 -40, 56 11.9, 44 11.9, 43.2 12.7, 32.4 30, 32.4 34,"
    " 26.5 34.4, 15 35.3, 11.6 36.6, 10 38, 0 37, -5.5 35.9, -25 35.9))"
)
"""With Madagascar; the Red Sea and the Suez Canal are its border to Asia."""
AMERICA_EAST, ASIA_MIDDLE = -25.0, 60.0
"""Land west of the first meridian is American; Asia is cut at the second, that of the Ural."""


@dataclass(frozen=True)
class Place:
    """A dot of the atlas.

    Attributes:
        number: Its row in `centres.csv`, from 1.
        kind: `ts_train` (train and val) and `ts_test`: an area of SEN12MS-CR-TS; `cr`: another.
        lon: Longitude [degrees].
        lat: Latitude [degrees].
        region: One of the five of SEN12MS-CR-TS.
    """

    number: int
    kind: str
    lon: float
    lat: float
    region: str


def read_places() -> list[Place]:
    """Return the dots in the order of the file, from west to east within a kind."""
    rows = [
        (row["kind"], float(row["lon"]), float(row["lat"]))
        for row in csv.DictReader(CENTRES.read_text(encoding="utf-8").splitlines())
    ]
    return [
        Place(number, kind, lon, lat, region_of(lon, lat))
        for number, (kind, lon, lat) in enumerate(rows, start=1)
    ]


def region_of(lon: float, lat: float) -> str:
    """Return the region of a position [degrees], in the words of SEN12MS-CR-TS.

    Australia and New Zealand are `asiaEast`: the counts of SEN12MS-CR-TS leave no better region
    for its Australian test dot.
    """
    if lon < AMERICA_EAST:
        return "america"
    for name, polygon in (("europa", EUROPA), ("africa", AFRICA)):
        if polygon.covers(Point(lon, lat)):
            return name
    return "asiaWest" if lon < ASIA_MIDDLE else "asiaEast"


def west(place: Place) -> tuple[float, float]:
    """Return what sorts places from west to east, and those of one meridian from the south."""
    return place.lon, place.lat
