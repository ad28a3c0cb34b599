"""Lidar from orbit, sparse: canopy height and biomass at points along tracks, after GEDI.

Eight beams 600 m apart make a strip 4.2 km wide with a shot of 25 m every 60 m. Strips come in two
directions, as the station flies north-east or south-east, and each is flown over at its own date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import WGS84
from eodata.core.span import Span
from eodata.sandbox.footprints import within_180
from eodata.sandbox.planet.cover import BUILT, WATER, Cover
from eodata.sandbox.planet.ground import Ground
from eodata.sandbox.planet.lattice import Field, hash01, salt
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.planet.sites import (
    ZONE_DEG,
    Floats,
    Sites,
    from_lonlat,
    to_lonlat,
    zone_at,
)

MISSION = Span(datetime(2019, 4, 18, tzinfo=UTC), datetime(2023, 3, 17, tzinfo=UTC))
REACH_DEG = 51.6
"""Inclination of the orbit: no shots closer to the poles."""
BEAMS, BEAM_M, SHOT_M = 8, 600.0, 60.0
LANE_M = 9_000.0
"""Mean distance of strips of one direction [m]; each lane is flown over once."""
BAND_M, M_PER_DEG = 100_000.0, 110_850.0
"""Strips are straight for this distance north; length of a degree of latitude in a frame."""
DISC = ((0.0, 0.0), (8.0, 0.0), (-8.0, 0.0), (0.0, 8.0), (0.0, -8.0))
"""Where the canopy of one shot is asked, from its centre [m]."""
USABLE = 0.7
"""Share of shots that clouds and daylight leave usable."""
SECOND = timedelta(seconds=1)
NOISE_M, FLOOR_M = 1.5, 2.4
"""Error of heights, one sigma, and the least height that a pulse can tell [m]."""
ALLOMETRY = {
    Cover.EVERGREEN_FOREST: (0.85, 1.70),
    Cover.BROADLEAF_FOREST: (0.90, 1.62),
    Cover.NEEDLELEAF_FOREST: (0.75, 1.66),
}
"""Biomass [Mg/ha] is `a * height ** b`; coarse fits to published stands."""
OTHER_ALLOMETRY = (0.35, 1.30)
_A, _B = (
    np.array([ALLOMETRY.get(c, OTHER_ALLOMETRY)[n] for c in Cover], np.float32) for n in (0, 1)
)


@dataclass(frozen=True, slots=True)
class _Band:
    """A band of one frame in which strips are straight.

    Attributes:
        zone: Of the frame.
        number: Bands are counted from the equator, negative in the south.
        heading: 0 north-east, 1 south-east.
        seed: Of what happens here.
    """

    zone: int
    number: int
    heading: int
    seed: int

    @property
    def azimuth(self) -> float:
        """Direction of flight [rad clockwise from north]; of a circular orbit over its middle."""
        lat = np.radians(min(abs(self.number + 0.5) * BAND_M / M_PER_DEG, REACH_DEG - 0.1))
        north_east = float(np.arcsin(np.cos(np.radians(REACH_DEG)) / np.cos(lat)))
        return np.pi - north_east if self.heading else north_east


@dataclass(frozen=True, slots=True, eq=False)
class _Shots:
    """Shots of one band; all arrays are `(N,)`."""

    sites: Sites
    lane: NDArray[np.int64]
    beam: NDArray[np.int64]
    along: NDArray[np.int64]


def shots(
    planet: Planet, footprint: BaseGeometry, seed: int, span: Span | None = None
) -> gpd.GeoDataFrame:
    """Return the lidar shots on some ground.

    Args:
        planet: Which planet.
        footprint: The ground, EPSG:4326.
        seed: Of tracks, dates and errors.
        span: Only shots of this time; None means the whole mission, 2019 to 2023.

    Returns:
        One row per shot in order of time: `shot` (a number of its own), `time` (UTC), `beam` 0 to
        7, `quality` (1 when usable), `rh98` [m], `agbd` and `agbd_se` [Mg/ha], `elevation` of the
        ground [m], `cover` (the true class) and a point, EPSG:4326. Empty beyond 51.6 degrees of
        latitude. A shot is the same whatever ground was asked for.
    """
    inside = within_180(footprint).intersection(box(-180, -REACH_DEG, 180, REACH_DEG))
    tables = [_empty()]
    for zone in range(1, 61):
        west = zone * ZONE_DEG - 186.0
        part = inside.intersection(box(west, -90, west + ZONE_DEG, 90))
        if part.area > 0:
            tables += [_measured(planet, part, band, span) for band in _bands(zone, part, seed)]
    table = pd.concat([t for t in tables if len(t)] or tables, ignore_index=True)
    table = table.sort_values(["time", "shot"], ignore_index=True)
    points = gpd.points_from_xy(table.pop("lon"), table.pop("lat"))
    return gpd.GeoDataFrame(table, geometry=points, crs=WGS84)


def _bands(zone: int, part: BaseGeometry, seed: int) -> list[_Band]:
    _, south, _, north = part.bounds
    first, last = (floor(lat * M_PER_DEG / BAND_M + d) for lat, d in ((south, -0.1), (north, 0.1)))
    return [
        _Band(zone, number, heading, salt(seed, f"lidar:{zone}:{number}:{heading}"))
        for number in range(first, last + 1)
        for heading in (0, 1)
    ]


def _measured(planet: Planet, part: BaseGeometry, band: _Band, span: Span | None) -> pd.DataFrame:
    """Return the shots of one band on a piece of ground."""
    candidates = _shots_around(part, band, span)
    if candidates is None:
        return _empty()
    lon, lat = to_lonlat(candidates.sites)
    keep = (zone_at(lon) == band.zone) & shapely.contains_xy(part, lon, lat)
    if not keep.any():
        return _empty()
    sites = Sites(band.zone, candidates.sites.x[keep], candidates.sites.y[keep])
    kept = _Shots(sites, candidates.lane[keep], candidates.beam[keep], candidates.along[keep])
    return _measure(planet, kept, band, lon[keep], lat[keep])


def _shots_around(part: BaseGeometry, band: _Band, span: Span | None) -> _Shots | None:
    """Return the shots in the box around a piece of ground, cut to the band and the time."""
    corners = shapely.get_coordinates(shapely.segmentize(part, 0.25))
    outline = from_lonlat(band.zone, corners[:, 0], corners[:, 1])
    low, high = band.number * BAND_M, (band.number + 1) * BAND_M
    y = np.clip([outline.y.min(), outline.y.max()], low, high)
    x = np.array([outline.x.min(), outline.x.max()])
    if y[0] == y[1]:
        return None
    sin, cos = np.sin(band.azimuth), np.cos(band.azimuth)
    across, along = x[:, None] * cos - y * sin, x[:, None] * sin + y * cos
    lanes = np.arange(floor(across.min() / LANE_M) - 1, ceil(across.max() / LANE_M) + 1)
    lanes = lanes[[span is None or _flown(band, int(lane)) in span for lane in lanes]]
    steps = np.arange(floor(along.min() / SHOT_M) - 1, ceil(along.max() / SHOT_M) + 2)
    lane, beam, step = (
        grid.ravel() for grid in np.meshgrid(lanes, np.arange(BEAMS), steps, indexing="ij")
    )
    jitter = hash01(band.seed, lane).astype(np.float64) * (LANE_M - BEAMS * BEAM_M)
    a = lane * LANE_M + jitter + beam * BEAM_M
    s = (step + hash01(band.seed, lane, beam).astype(np.float64)) * SHOT_M
    sites = Sites(band.zone, a * cos + s * sin, s * cos - a * sin)
    keep = (sites.y >= y[0]) & (sites.y < y[1]) & (sites.x >= x[0]) & (sites.x <= x[1])
    sites = Sites(band.zone, sites.x[keep], sites.y[keep])
    return _Shots(sites, lane[keep], beam[keep], step[keep]) if keep.any() else None


def _flown(band: _Band, lane: int) -> datetime:
    """Return when a lane was flown over."""
    share = float(hash01(band.seed + 1, lane))
    return MISSION.start + timedelta(seconds=int(share * (MISSION.end - MISSION.start) // SECOND))


def _measure(planet: Planet, shot: _Shots, band: _Band, lon: Floats, lat: Floats) -> pd.DataFrame:
    """Return what the shots of one band measure."""
    at = [planet.ground_at(shot.sites.moved(dx, dy)) for dx, dy in DISC]
    middle = at[0]
    canopy = np.max([ground.height for ground in at], axis=0)
    biomass = np.asarray(np.mean([_biomass(ground) for ground in at], axis=0), np.float32)
    noise = [_noise(band.seed + n, shot) for n in (10, 20)]
    usable = hash01(band.seed + 30, shot.lane, shot.beam, shot.along) < USABLE
    usable &= ~np.isin(middle.cover, WATER)
    agbd: Field = biomass * (np.float32(1) + np.float32(0.15) * noise[1])
    days = pd.to_datetime([_flown(band, int(lane)) for lane in np.unique(shot.lane)], utc=True)
    return pd.DataFrame(
        {
            "shot": _number(band, shot),
            "time": days.as_unit("us")[np.searchsorted(np.unique(shot.lane), shot.lane)],
            "beam": shot.beam.astype(np.int8),
            "quality": usable.astype(np.int8),
            "rh98": np.maximum(canopy + NOISE_M * noise[0], FLOOR_M + 0.3 * np.abs(noise[1])),
            "agbd": agbd.astype(np.float32),
            "agbd_se": (np.float32(4) + np.float32(0.12) * agbd).astype(np.float32),
            "elevation": middle.elevation,
            "cover": middle.cover,
            "lon": lon,
            "lat": lat,
        }
    )


def _biomass(ground: Ground) -> Field:
    """Return biomass above the ground [Mg/ha] from height; houses carry none."""
    height = np.where(np.isin(ground.cover, BUILT), np.float32(0), ground.height)
    return np.asarray(_A[ground.cover] * height ** _B[ground.cover], np.float32)


def _noise(seed: int, shot: _Shots) -> Field:
    """Return a bell-shaped number of mean 0 and variance 1 per shot."""
    dice = [hash01(seed + n, shot.lane, shot.beam, shot.along) for n in range(4)]
    return (dice[0] + dice[1] + dice[2] + dice[3] - np.float32(2)) * np.float32(3**0.5)


def _number(band: _Band, shot: _Shots) -> NDArray[np.int64]:
    """Return a number of its own for every shot on Earth, below 2^63."""
    place = (band.zone * 2 + band.heading) * 256 + band.number + 128
    lane = (place * 4096 + shot.lane + 2048) * BEAMS + shot.beam
    number: NDArray[np.int64] = lane * 2**20 + shot.along + 2**19
    return number


def _empty() -> pd.DataFrame:
    """Return a table without rows."""
    columns = {
        "shot": np.int64, "time": "datetime64[us, UTC]", "beam": np.int8, "quality": np.int8,
        "rh98": np.float32, "agbd": np.float32, "agbd_se": np.float32, "elevation": np.float32,
        "cover": np.uint8, "lon": np.float64, "lat": np.float64,
    }  # fmt: skip
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})
