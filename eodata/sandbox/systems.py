"""Weather systems: what is true of the sky over tens to thousands of kilometres.

All of it is smooth noise on the sphere, known at nodes some kilometres apart: no seams anywhere.
One day is independent of the next; within a day the systems drift around the Earth's axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from statistics import NormalDist

import numpy as np

from eodata.sandbox.cloudiness import ClimateLike, Means
from eodata.sandbox.clouds import CLEAR, blend, spline_weights, threshold
from eodata.sandbox.planet.lattice import Field, between_nodes, hash01, salt
from eodata.sandbox.planet.sites import Floats, Sites, to_lonlat

NODE_M = 16_000.0
"""Distance of the nodes at which systems are known [m]."""
EARTH_KM = 6371.0
EPOCH = datetime(2000, 1, 1, 22, tzinfo=UTC)
"""A day of weather begins at 22:00 UTC: the morning satellites are over the mid Pacific then."""
DRIFT_DEG = (8.0, 14.0)
"""How far systems travel eastward in a day [degrees]."""
PARTS = {
    "pressure": ((1400.0, 0.62), (700.0, 0.62), (320.0, 0.38), (150.0, 0.24), (70.0, 0.15)),
    "kind": ((900.0, 0.8), (300.0, 0.6)),
    "convection": ((500.0, 0.8), (160.0, 0.6)),
    "high": ((800.0, 0.8), (250.0, 0.6)),
    "air": ((1300.0, 0.8), (500.0, 0.6)),
}
"""The noises that weather is made of: sizes [km] and weights, whose squares sum to 1."""
SWIRLS = ((1000.0, 240.0), (260.0, 45.0))
"""Size of the swirls that bend systems, and how far they carry [km]."""
SPREAD = np.float32(12.0**0.5 * 0.55**-1.5)
"""Makes splined uniform numbers of variance 1."""
USUAL_HEAT = 15.0
"""Warmth for which covers are calibrated [degrees C]; cumulus varies little above."""
COVERS = ("cumulus", "deck", "front", "cirrus")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as weather counts it.

    Attributes:
        day: Days since the epoch; every day has its own weather.
        seconds: Since the day began.
        year: Position in the year, 0 to 1.
    """

    day: int
    seconds: float
    year: float

    @staticmethod
    def of(time: datetime) -> Moment:
        """Return the moment of an aware time."""
        passed = (time - EPOCH).total_seconds()
        day = int(passed // 86400.0)
        return Moment(day, passed - day * 86400.0, (passed / 86400.0 / 365.2425) % 1.0)


class Systems:
    """The weather systems of one world. Threads may share it."""

    def __init__(self, seed: int, climate: ClimateLike) -> None:
        self._seed, self._climate = seed, climate

    @cached_property
    def means(self) -> Means:
        """What is usual; made when first asked for."""
        return Means(self._climate)

    def at(self, lon: Floats, lat: Floats, moment: Moment) -> dict[str, Field]:
        """Return the state of the sky at places of any shape.

        Returns:
            Wanted covers of `cumulus`, `deck`, `front` and `cirrus`, 0 to 1 and exactly 0 in
            clear regions; `haze`, aerosol optical thickness at 550 nm, and `vapour`, water [cm],
            both as over ground at sea level.
        """
        seed = salt(self._seed, f"systems:{moment.day}")
        low, high = DRIFT_DEG
        drift = (low + (high - low) * float(hash01(seed, 0))) * moment.seconds / 86400.0
        point = _swirled(_on_sphere(lon - drift, lat), seed + 1)
        noise = _weather_noise(point, seed + 2)
        mean, gain, warmth, swing, wetness, land = self.means.at(lon, lat)
        summer = np.cos((moment.year - 0.56) * 2 * np.pi) * np.clip(lat / 10.0, -1.0, 1.0)
        heat = (warmth + swing * summer).astype(np.float32)
        cover = np.clip(mean + gain * summer, 0.06, 0.9)
        water = 1.1 * np.exp(0.058 * (heat - 6.0)) * (0.55 + 0.6 * wetness)
        sky = _covers(noise, _bias(cover), heat)
        sky["haze"] = np.clip(0.11 * (1 + 0.4 * land) * np.exp(0.55 * noise["air"]), 0.03, 0.6)
        water = water * np.exp(0.3 * noise["air"] + 0.15 * noise["pressure"])
        sky["vapour"] = np.clip(water, 0.3, 6.0)
        return {name: np.asarray(values, np.float32) for name, values in sky.items()}


class Region:
    """The systems around some sites, evaluated once at the nodes in reach.

    Args:
        systems: Of the world.
        sites: All places that will be asked about, of one frame.
        margin: How far beyond them will be asked [m].
        moment: When.
    """

    def __init__(self, systems: Systems, sites: Sites, margin: float, moment: Moment) -> None:
        (left, right), (low, high) = (_ends(axis, margin) for axis in (sites.x, sites.y))
        i, j = np.arange(left, right + 1.0), np.arange(low, high + 1.0)[:, np.newaxis]
        lon, lat = to_lonlat(Sites(sites.zone, i[np.newaxis, :] * NODE_M, j * NODE_M))
        self._left, self._low = left, low
        self._air = systems.at(lon, lat, moment)
        self._levels = {name: threshold(self._air[name]) for name in COVERS}

    def is_clear_of(self, name: str, sites: Sites) -> bool:
        """Return True when a kind of cloud has no chance at any of the sites."""
        (left, right), (low, high) = (_ends(axis, 0.0) for axis in (sites.x, sites.y))
        rows = slice(low - self._low, high - self._low + 1)
        cols = slice(left - self._left, right - self._left + 1)
        return bool(self._levels[name][rows, cols].min() >= CLEAR)

    def level(self, name: str, sites: Sites) -> Field:
        """Return the level that the texture of a kind of cloud must exceed; `CLEAR` where none."""
        return self._between(self._levels[name], sites)

    def air(self, name: str, sites: Sites) -> Field:
        """Return `haze` or `vapour`."""
        return self._between(self._air[name], sites)

    def _between(self, nodes: Field, sites: Sites) -> Field:
        return between_nodes(sites, NODE_M, lambda i, j: nodes[j - self._low, i - self._left])


def sphere_noises(point: Floats, lengths_km: tuple[float, ...], seed: int) -> Field:
    """Return several smooth noises on the sphere at once, each of mean 0 and variance 1.

    Args:
        point: `(3, ...)`, on the unit sphere or near it.
        lengths_km: Size of the features of each [km].
        seed: Of all of them.

    Returns:
        `(len(lengths_km), ...)`.
    """
    scale = (EARTH_KM / np.asarray(lengths_km)).reshape(-1, *(1,) * (point.ndim - 1))
    place = point[:, np.newaxis] * scale
    middle = np.floor(place)
    weights = spline_weights((place - middle).astype(np.float32))
    x, y, z = (np.stack([m - 1, m, m + 1]) for m in middle.astype(np.int64))
    which = np.arange(len(lengths_km)).reshape(scale.shape)
    value = hash01(seed, which, x[:, None, None], y[None, :, None], z[None, None, :])
    for axis in range(3):
        value = blend([weight[axis] for weight in weights], *value)
    return (value - np.float32(0.5)) * SPREAD


def _swirled(point: Floats, seed: int) -> Floats:
    """Return points of the sphere carried aside by swirls of several sizes."""
    lengths = tuple(length for length, _ in SWIRLS for _ in range(3))
    carried = sphere_noises(point, lengths, seed)
    for k, (_, far) in enumerate(SWIRLS):
        point = point + carried[3 * k : 3 * k + 3] * (far / EARTH_KM)
    return point


def _weather_noise(point: Floats, seed: int) -> dict[str, Field]:
    """Return the noises of `PARTS`, each of mean 0 and variance 1."""
    lengths = tuple(length for terms in PARTS.values() for length, _ in terms)
    noises = iter(sphere_noises(point, lengths, seed))
    sums = {}
    for name, terms in PARTS.items():
        total = np.zeros(point.shape[1:], np.float32)
        for _, weight in terms:
            total += np.float32(weight) * next(noises)
        sums[name] = total
    return sums


def _covers(noise: dict[str, Field], bias: Field, heat: Field) -> dict[str, Field]:
    """Return the wanted cover of each kind of cloud."""
    pressure: Field = noise["pressure"] + bias
    cover = overcast(pressure)
    depth: Field = noise["kind"] + 0.5 * pressure
    deep = _step(0.5 * depth + 0.375)
    return {
        "front": cover * np.minimum(2.0 * deep, 1.0),
        "deck": cover * np.minimum(2.0 - 2.0 * deep, 1.0),
        "cumulus": broken(pressure, noise["convection"], heat),
        "cirrus": veil(pressure, noise["high"]),
    }


def overcast(pressure: Field) -> Field:
    """Return how much of the sky decks and fronts take; pressure is low when positive."""
    return _step((pressure + 0.5) / 1.1)


def broken(pressure: Field, convection: Field, heat: Field) -> Field:
    """Return the cover of cumulus: between the highs and the lows, and where it is warm."""
    between = _step((pressure + 1.7) / 1.1) * (1.0 - _step((pressure + 0.2) / 0.6))
    warm = 0.35 + 0.65 * _step((heat + 2.0) / 22.0)
    return np.clip((0.19 + 0.2 * convection) * between * warm, 0.0, 0.45)


def veil(pressure: Field, high: Field) -> Field:
    """Return the cover of cirrus: most of it in and before lows."""
    return np.clip(0.35 * (high + 0.5 * pressure - 0.5), 0.0, 0.8)


def _bias(mean: Field) -> Field:
    """Return the shift of pressure that leads to a mean cover."""
    covers, shifts = _calibration()
    return np.interp(mean, covers, shifts).astype(np.float32)


@lru_cache(maxsize=1)
def _calibration() -> tuple[Floats, Floats]:
    """Return mean covers by shift of pressure, the noises taken as normal and independent."""
    normal = np.array([NormalDist().inv_cdf((k + 0.5) / 24) for k in range(24)])
    shifts = np.linspace(-3.0, 3.0, 61)
    part = normal.astype(np.float32)
    pressure = (shifts[:, None, None, None] + normal[:, None, None]).astype(np.float32)
    clear = 1 - broken(pressure, part[:, None], np.full(1, USUAL_HEAT, np.float32))
    clear = clear * (1 - overcast(pressure)) * (1 - veil(pressure, part))
    return 1 - clear.mean(axis=(1, 2, 3)), shifts


def _on_sphere(lon: Floats, lat: Floats) -> Floats:
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def _ends(axis: Floats, margin: float) -> tuple[int, int]:
    """Return the first and last node around sites."""
    low, high = (float(axis.min()) - margin) / NODE_M, (float(axis.max()) + margin) / NODE_M
    return int(np.floor(low)), int(np.floor(high)) + 1


def _step(part: Field) -> Field:
    part = np.clip(part, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part))
