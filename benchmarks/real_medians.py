"""Medians by band of real pixels of known cover, from patches that others published."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning

from eodata.sandbox.planet.cover import CROP, FOREST, Cover
from eodata.sandbox.sensors.spectra import BANDS

L1C = BANDS
L2A = tuple(band for band in L1C if band != "B10")
PLANTS = (Cover.GRASS, Cover.SHRUB)
TOWN = (Cover.STREET, Cover.DARK_ROOF, Cover.BRIGHT_ROOF, Cover.GARDEN)
LULC = {2: ("trees", FOREST), 4: ("crops", CROP), 5: ("built up", TOWN), 9: ("rangeland", PLANTS)}
"""Classes of TerraMesh and what they are here."""
CEREAL: dict[tuple[str, int], tuple[str, tuple[Cover, ...]]] = {
    ("CT", 1200): ("maize", (Cover.SUMMER_CROP,)),
    ("CT", 9120): ("pasture", (Cover.GRASS,)),
    ("LC", 60): ("built up", TOWN),
}
"""Labels of WorldCereal and what they are here."""
SEASONS = ((2, 25), (5, 6), (7, 5), (10, 8))
CLEAR_SCL = (4, 5, 6)
OFFSET_DN = 1000
LEAST_PX = 100
_UNIT_S = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RealMedians:
    """What pixels of one cover look like.

    Attributes:
        name: In words.
        level: l1c or l2a.
        lon: Degrees east.
        lat: Degrees north.
        day: When.
        covers: What the simulation calls it.
        medians: Reflectance by band.
    """

    name: str
    level: str
    lon: float
    lat: float
    day: datetime
    covers: tuple[Cover, ...]
    medians: dict[str, float]

    @property
    def ndvi(self) -> float:
        """Vegetation index of the medians."""
        red, nir = self.medians["B04"], self.medians["B08"]
        return (nir - red) / (nir + red)


def real_medians(folder: Path) -> Iterator[RealMedians]:
    """Yield what can be found in a folder, at any depth."""
    for path in sorted(folder.rglob("S2L1C/*.tif")):
        yield from terramesh(path)
    for path in sorted(folder.rglob("S2_L2A_10m_*.nc")):
        yield from worldcereal(path)


def terramesh(path: Path) -> Iterator[RealMedians]:
    """Yield medians by class of one patch of TerraMesh, given its Level-1C."""
    with rasterio.open(path.parents[1] / "LULC" / path.name) as source:
        classes, said = source.read(1), source.tags()["datetime"]
        x, y = source.transform.c, source.transform.f
        lon, lat = Transformer.from_crs(str(source.crs), 4326, always_xy=True).transform(x, y)
    day = datetime.fromisoformat(said[:19]).replace(tzinfo=UTC)
    top = _read(path)
    # No tag tells whether the offset of later baselines is in; the dark cirrus band does.
    offset = OFFSET_DN if np.median(top[L1C.index("B10")]) > 900 else 0
    ground = _read(path.parents[1] / "S2L2A" / path.name)
    for level, bands, numbers in (("l1c", L1C, top), ("l2a", L2A, ground)):
        for value, (name, covers) in LULC.items():
            here = classes == value
            if here.sum() >= LEAST_PX:
                rho = (np.median(numbers[:, here], axis=1) - offset) / 1e4
                medians = dict(zip(bands, rho.tolist(), strict=True))
                yield RealMedians(name, level, lon, lat, day, covers, medians)


def worldcereal(path: Path) -> Iterator[RealMedians]:
    """Yield medians by label of one patch of WorldCereal on a clear day of each season."""
    bands = _variables(path) | _variables(Path(str(path).replace("_10m_", "_20m_")))
    labels = {k: v[0] for k, v in _variables(next(path.parent.glob("OUTPUT_*.nc"))).items()}
    days = _days(path)
    clear = np.isin(bands["SCL"], CLEAR_SCL).mean(axis=(1, 2)) > 0.97
    usable = [n for n in np.flatnonzero(clear) if days[n].year == days[-1].year]
    lon, lat = _middle(path)
    for month, date in SEASONS:
        target = datetime(days[-1].year, month, date, tzinfo=UTC)
        n = min(usable, key=lambda n: abs(days[n] - target))
        for (table, value), (name, covers) in CEREAL.items():
            here = labels[table] == value
            rho = {k: _median(v[n], here) for k, v in bands.items() if re.fullmatch(r"B\w\w", k)}
            yield RealMedians(name, "l2a", lon, lat, days[n], covers, dict(sorted(rho.items())))


def _median(numbers: Numbers, here: NDArray[np.bool_]) -> float:
    times = here.shape[0] // numbers.shape[0]
    return float(np.median(numbers.repeat(times, 0).repeat(times, 1)[here])) / 1e4


def _read(path: Path) -> Numbers:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as source:
            numbers: Numbers = source.read().astype(float)
    return numbers


def _names(path: Path) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as source:
            return list(source.subdatasets)


def _variables(path: Path) -> dict[str, Numbers]:
    return {name.rpartition(":")[2]: _read(Path(name)) for name in _names(path)}


def _tags(path: Path) -> dict[str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(_names(path)[0]) as source:
            return dict(source.tags())


def _middle(path: Path) -> tuple[float, float]:
    tags = _tags(path)
    west, south, east, north = map(float, tags["NC_GLOBAL#bounds"].strip("()").split(","))
    to_degrees = Transformer.from_crs(int(tags["NC_GLOBAL#epsg"]), 4326, always_xy=True)
    lon, lat = to_degrees.transform((west + east) / 2, (south + north) / 2)
    return lon, lat


def _days(path: Path) -> list[datetime]:
    """Return the times of a stack, from its tags."""
    tags = _tags(path)
    unit, _, start = tags["timestamp#units"].split(maxsplit=2)
    stamps = tags["NETCDF_DIM_timestamp_VALUES"].strip("{}").split(",")
    first = datetime.fromisoformat(start[:19]).replace(tzinfo=UTC)
    return [first + timedelta(seconds=float(s) * _UNIT_S[unit]) for s in stamps]
