"""Where the sun stands."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike

from eodata.sandbox.planet.sites import Floats

J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
DAYS_PER_CENTURY = 36525.0


def sun_at(lon: ArrayLike, lat: ArrayLike, time: datetime) -> tuple[Floats, Floats]:
    """Return where the sun stands over places, without refraction.

    The low-precision series of Meeus (Astronomical Algorithms, chapters 12, 22 and 25) as NOAA's
    solar calculator uses it: a few hundredths of a degree between 1950 and 2050.

    Args:
        lon: Longitude [degrees], any shape; a number gives numbers.
        lat: Latitude [degrees], same shape.
        time: Aware, any zone.

    Returns:
        Zenith angle [degrees] and azimuth [degrees clockwise from north, 0 to 360], element by
        element.
    """
    declination, greenwich = _subsolar(time)
    hour = np.radians(np.asarray(lon, np.float64) + greenwich)
    phi = np.radians(np.asarray(lat, np.float64))
    east = -np.cos(declination) * np.sin(hour)
    north = np.sin(declination) * np.cos(phi) - np.cos(declination) * np.cos(hour) * np.sin(phi)
    up = np.sin(declination) * np.sin(phi) + np.cos(declination) * np.cos(hour) * np.cos(phi)
    zenith = np.degrees(np.arctan2(np.hypot(east, north), up))
    return zenith, np.mod(np.degrees(np.arctan2(east, north)), 360.0)


def _subsolar(time: datetime) -> tuple[float, float]:
    """Return the sun's declination [radians] and hour angle at Greenwich [degrees]."""
    days = (time - J2000).total_seconds() / 86400.0
    century = days / DAYS_PER_CENTURY
    mean = 280.46646 + century * (36000.76983 + century * 0.0003032)
    anomaly = np.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    centre = (
        np.sin(anomaly) * (1.914602 - century * 0.004817)
        + np.sin(2 * anomaly) * (0.019993 - 0.000101 * century)
        + np.sin(3 * anomaly) * 0.000289
    )
    node = np.radians(125.04 - 1934.136 * century)
    longitude = np.radians(mean + centre - 0.00569 - 0.00478 * np.sin(node))
    tilt = np.radians(23.4392911 - 0.0130042 * century + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    ascension = np.degrees(np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude)))
    sidereal = 280.46061837 + 360.98564736629 * days
    return float(declination), float((sidereal - ascension) % 360.0)
