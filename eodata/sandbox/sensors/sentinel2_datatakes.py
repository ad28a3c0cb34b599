"""When Sentinel-2 takes pictures: over land and by day, in data takes that names are derived from.

Along a track it images wherever a tile comes into the swath. Short gaps are bridged; a longer one
ends a data take. All products of a data take carry its start in their ids.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import floor

import numpy as np

from eodata.sandbox.missions import DAY_S
from eodata.sandbox.orbits import SENTINEL2_HALF_SWATH_KM, Pass, Track
from eodata.sandbox.squares import land_squares
from eodata.sandbox.sun import sun_at

DARK_DEG = 85.0
"""Nothing is imaged with the sun this far from the zenith."""
REACH_KM, REACH_S = 55.0, 8.0
"""From a tile's centre to its edge."""
GAP_S = 60.0
"""Longer gaps between tiles end a data take."""
STEP_S = 2.0


def take_start(crossing: Pass, along_s: float) -> datetime:
    """Return when the data take began that shows a place, to the second.

    Args:
        crossing: The pass.
        along_s: When the place, in or near a tile and by day, is abeam [s after the start].
    """
    takes = datatakes(crossing.track)
    start, end = min(takes, key=lambda take: max(take[0] - along_s, along_s - take[1]))
    begun = min(_light(crossing, start, end), along_s)
    return (crossing.start + timedelta(seconds=floor(begun))).replace(microsecond=0)


@lru_cache(maxsize=143)
def datatakes(track: Track) -> tuple[tuple[float, float], ...]:
    """Return starts and ends of imaging along a track if it were day [s after the start]."""
    squares = land_squares()
    across, along = track.locate(squares.lon, squares.lat)
    near = np.abs(across) < SENTINEL2_HALF_SWATH_KM + REACH_KM
    seen = np.sort(along[near & (along >= 0) & (along < track.length_s)])
    ends = [-np.inf, *seen.tolist(), np.inf]
    gaps = [(a, b) for a, b in pairwise(ends) if b - a > GAP_S + 2 * REACH_S]
    return tuple(
        (max(start - REACH_S, 0.0), end + REACH_S) for (_, start), (end, _) in pairwise(gaps)
    )


@lru_cache(maxsize=4096)
def _light(crossing: Pass, start: float, end: float) -> float:
    """Return when day begins below the satellite within a stretch of a pass [s]; or its end.

    The sun stands still for a pass; that the Earth turns meanwhile is put into the longitudes.
    """
    times = np.arange(start, end, STEP_S)
    lon, lat = crossing.place(np.zeros_like(times), times)
    zenith, _ = sun_at(lon + times * (360.0 / DAY_S), lat, crossing.start)
    by_day = np.flatnonzero(zenith <= DARK_DEG)
    return float(times[by_day[0]]) if by_day.size else end
